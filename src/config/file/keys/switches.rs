//! Options without a value. Each stands for a word of a key.

use super::OptionGroup;

/// A word of a key as an option.
#[derive(Debug)]
pub(crate) struct SwitchOption {
    /// As it is typed, with its two dashes.
    pub(crate) flag: &'static str,
    /// The key's name.
    pub(crate) key: &'static str,
    /// The word of the key that the option stands for.
    pub(crate) word: &'static str,
    /// Which commands have it.
    pub(crate) group: OptionGroup,
    /// What the help says, without a full stop.
    pub(crate) help: &'static str,
}

/// In the order of the help.
pub(crate) const SWITCHES: &[SwitchOption] = &[
    SwitchOption {
        flag: "--require-kms",
        key: "kms",
        word: "required",
        group: OptionGroup::Expectations,
        help: "Require that the KMS that gives the app its keys is attested and runs code that you named. Its host and its code \
               are named in the policy file or the lock",
    },
    SwitchOption {
        flag: "--no-endpoint-probe",
        key: "endpoint-probe",
        word: "never",
        group: OptionGroup::Source,
        help: "Do not send the endpoint probe: one request for a quote that the app should refuse. It is sent if something \
               binds the TLS key to the VM. Without it, `endpoint` is accepted in writing and not counted in the assurance",
    },
];
