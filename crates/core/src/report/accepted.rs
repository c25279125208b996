//! What somebody accepted in writing: a target passes with it although it does not fit a production deployment.

use serde::{Deserialize, Serialize};

use super::CheckId;

/// Something that the user accepted in writing: by option, policy file or lock.
///
/// It counts for the verdict and never for the assurance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct Accepted {
    /// The check whose requirement is met by it.
    pub check: CheckId,
    /// What was accepted.
    pub what: AcceptedKind,
    /// Where that is written: an option with its dashes, `FILE:LINE` of a policy file, or the path of a lock.
    pub by: String,
    /// The first second at which it no longer holds, RFC 3339 UTC. Null if it has no end.
    pub until: Option<String>,
    /// What speaks against it, one sentence; of a reviewed place, the reason that the reviewer wrote down.
    pub reason: String,
}

crate::word_enum! {
    /// What can be accepted in writing.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
    #[serde(rename_all = "kebab-case")]
    pub enum AcceptedKind {
        /// The check is not done: its id is in `waived`, too.
        Waiver = "waiver",
        /// A platform that Intel rates lower than UpToDate.
        Tcb = "tcb",
        /// TDATTRIBUTES other than those of every dstack guest.
        TdAttributes = "td-attributes",
        /// An OS image that allows root login and has a serial console.
        DevelopmentImage = "development-image",
        /// An OS image that was seen before under no official name.
        ObservedImage = "observed-image",
        /// An OS image with a published vulnerability.
        VulnerableImage = "vulnerable-image",
        /// An OS image that is in no table.
        UnknownImage = "unknown-image",
        /// An OS image that a lock names by its hash, which nothing in this run confirms.
        UnconfirmedHash = "unconfirmed-hash",
        /// A row of a file of reference values (`--reference-values`), instead of one that is built in.
        ReferenceValues = "reference-values",
        /// Another RTMR0 than the one that was locked before, under the same image.
        AcpiChange = "acpi-change",
        /// Keys that come from no KMS.
        KeyProvider = "key-provider",
        /// A place of the compose document that decides which code runs, and that a person reviewed.
        ReviewedPlace = "reviewed-place",
        /// Other fields of the compose document than the lock holds, of a second release.
        ComposeSettings = "compose-settings",
        /// An image of which nothing proves who built it.
        UnprovenSource = "unproven-source",
        /// Sigstore roots of a file, instead of those that are built in: the proof of who built the images relies on
        /// them.
        SigstoreRoot = "sigstore-root",
        /// A TLS certificate that no KMS signed: the VM's keys come from another provider.
        SelfMadeCertificate = "self-made-certificate",
        /// An endpoint that was not asked whether it quotes values of the caller's choice.
        NoEndpointProbe = "no-endpoint-probe",
    }
}

impl AcceptedKind {
    /// The words of the verdict line, without an article.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Waiver => "waiver",
            Self::Tcb => "TCB status",
            Self::TdAttributes => "TD attributes",
            Self::DevelopmentImage => "development image",
            Self::ObservedImage => "observed image",
            Self::VulnerableImage => "vulnerable image",
            Self::UnknownImage => "unknown image",
            Self::UnconfirmedHash => "unconfirmed image hash",
            Self::ReferenceValues => "own reference values",
            Self::AcpiChange => "ACPI change",
            Self::KeyProvider => "key provider",
            Self::ReviewedPlace => "reviewed place",
            Self::ComposeSettings => "other compose settings",
            Self::UnprovenSource => "unproven source",
            Self::SigstoreRoot => "Sigstore root",
            Self::SelfMadeCertificate => "self-made certificate",
            Self::NoEndpointProbe => "missing endpoint probe",
        }
    }

    /// The words of the verdict line for a number of them: `development image`, `2 reviewed places`.
    #[must_use]
    pub fn counted(self, count: usize) -> String {
        match (count, self) {
            (1, _) => self.words().to_owned(),
            (_, Self::Tcb) => format!("{count} TCB statuses"),
            (_, Self::UnconfirmedHash) => format!("{count} unconfirmed image hashes"),
            (_, Self::TdAttributes | Self::ReferenceValues | Self::ComposeSettings) => {
                format!("{count} {}", self.words())
            }
            _ => format!("{count} {}s", self.words()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_listed_once_and_its_name_is_that_in_json() {
        for (place, kind) in AcceptedKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, place);
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }
}
