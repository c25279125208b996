//! The names of the checks.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The list of checks, in the order in which they run and are shown: the module below `checks/`, the id, and the
/// name as users see it. It calls the macro that it is given with all rows.
macro_rules! each_check {
    ($with:ident) => {
        $with! {
            evidence Evidence "evidence"
            collateral Collateral "collateral"
            quote_signature QuoteSignature "quote-signature"
            tcb_status TcbStatus "tcb-status"
            td_attributes TdAttributes "td-attributes"
            freshness Freshness "freshness"
            report_data ReportData "report-data"
            event_log EventLog "event-log"
            boot_order BootOrder "boot-order"
            compose_hash ComposeHash "compose-hash"
            app_id AppId "app-id"
            instance_id InstanceId "instance-id"
            os_image OsImage "os-image"
            key_provider KeyProvider "key-provider"
            mr_config_id MrConfigId "mr-config-id"
            image_pins ImagePins "image-pins"
            source_provenance SourceProvenance "source-provenance"
            launch_inputs LaunchInputs "launch-inputs"
            platform_id PlatformId "platform-id"
            tls_binding TlsBinding "tls-binding"
            gpu Gpu "gpu"
            kms Kms "kms"
            governance Governance "governance"
            phala_api PhalaApi "phala-api"
        }
    };
}
pub(crate) use each_check;

macro_rules! ids {
    ($($module:ident $id:ident $name:literal)*) => {
        /// The stable, kebab-case name of a check.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
        #[expect(missing_docs, reason = "each name is explained by its own file in checks/")]
        pub enum CheckId {
            $(#[serde(rename = $name)] $id,)*
        }

        impl CheckId {
            /// Every check, in the order in which they run and are shown.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$id),*];

            /// The name as users see it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$id => $name,)*
                }
            }
        }
    };
}
each_check!(ids);

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for CheckId {
    type Err = UnknownCheck;

    fn from_str(text: &str) -> Result<Self, UnknownCheck> {
        Self::ALL
            .into_iter()
            .find(|id| id.as_str() == text)
            .ok_or_else(|| UnknownCheck(text.to_owned()))
    }
}

/// A name that is no check's.
#[derive(Debug, thiserror::Error)]
#[error("there is no check named {0:?}; `cvm-verify explain` lists them")]
pub struct UnknownCheck(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_name_is_the_shown_name() {
        for id in CheckId::ALL {
            assert_eq!(serde_json::to_value(id).unwrap(), id.as_str());
            assert_eq!(id.as_str().parse::<CheckId>().unwrap(), id);
        }
    }
}
