//! The names of the checks.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The stable, kebab-case name of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each name is explained by its own file in checks/")]
pub enum CheckId {
    Evidence,
    Collateral,
    QuoteSignature,
    TcbStatus,
    TdAttributes,
    Freshness,
    ReportData,
    EventLog,
    BootOrder,
    ComposeHash,
    AppId,
    InstanceId,
    OsImage,
    KeyProvider,
    MrConfigId,
    ImagePins,
    LaunchInputs,
    PlatformId,
    PhalaApi,
}

impl CheckId {
    /// Every check, in the order in which they run and are shown.
    pub const ALL: [Self; 19] = [
        Self::Evidence,
        Self::Collateral,
        Self::QuoteSignature,
        Self::TcbStatus,
        Self::TdAttributes,
        Self::Freshness,
        Self::ReportData,
        Self::EventLog,
        Self::BootOrder,
        Self::ComposeHash,
        Self::AppId,
        Self::InstanceId,
        Self::OsImage,
        Self::KeyProvider,
        Self::MrConfigId,
        Self::ImagePins,
        Self::LaunchInputs,
        Self::PlatformId,
        Self::PhalaApi,
    ];

    /// The name as users see it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Evidence => "evidence",
            Self::Collateral => "collateral",
            Self::QuoteSignature => "quote-signature",
            Self::TcbStatus => "tcb-status",
            Self::TdAttributes => "td-attributes",
            Self::Freshness => "freshness",
            Self::ReportData => "report-data",
            Self::EventLog => "event-log",
            Self::BootOrder => "boot-order",
            Self::ComposeHash => "compose-hash",
            Self::AppId => "app-id",
            Self::InstanceId => "instance-id",
            Self::OsImage => "os-image",
            Self::KeyProvider => "key-provider",
            Self::MrConfigId => "mr-config-id",
            Self::ImagePins => "image-pins",
            Self::LaunchInputs => "launch-inputs",
            Self::PlatformId => "platform-id",
            Self::PhalaApi => "phala-api",
        }
    }
}

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
