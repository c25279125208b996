//! The result for one deployment.

use serde::{Deserialize, Serialize};

use super::{
    Accepted, Assurance, CheckId, CheckResult, EarlierAttempts, RequiredAssurance, Shared, SourceRecord,
    Verdict,
};

/// What was found about one deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct TargetReport {
    /// The user's name for it: the URL's host, or the evidence file's name.
    pub name: String,
    /// The address that was asked, or that the bundle names. Null for loose files.
    pub url: Option<String>,
    /// The answer.
    pub verdict: Verdict,
    /// What had to be proven: a tier, and what is required in addition to `code`.
    pub required: RequiredAssurance,
    /// What was proven without anything that was waived or accepted in writing: a tier, and what is proven in addition to `code`.
    pub assurance: Assurance,
    /// The checks that the user waived in writing, in the order of [`CheckId::ALL`].
    pub waived: Vec<CheckId>,
    /// The checks that the user gave something to compare with, in the order of [`CheckId::ALL`]: an error of one of them
    /// leaves the verdict inconclusive, whatever the tier requires.
    pub configured: Vec<CheckId>,
    /// Everything that the user accepted in writing and that this target passes with, waivers among them, in the order of
    /// the checks. It counts for the verdict and never for the assurance.
    #[serde(default)]
    pub accepted: Vec<Accepted>,
    /// The last day, UTC, on which the compose hash is accepted that this target passes with, as `2026-12-31`, where that is the
    /// second one (`--also-compose-hash`): the release that is expected first does not run. Absent otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_release_until: Option<String>,
    /// The attempts of the same run (`--wait`) that did not pass, before the one that this is the result of. Absent where there
    /// was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier_attempts: Option<EarlierAttempts>,
    /// How TLS is terminated at the address, as far as it is known. Absent if no TLS connection to the app was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_route: Option<TlsRoute>,
    /// Whose root certificate the proof relies on.
    pub trust_root: TrustRootKind,
    /// Whose root certificate the proof about GPUs relies on. Absent if it is NVIDIA's.
    #[serde(default, skip_serializing_if = "DeviceRootKind::is_nvidia")]
    pub device_root: DeviceRootKind,
    /// The time that collateral and exceptions were judged at, RFC 3339 UTC.
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "String"))]
    pub evaluated_at: Shared<str>,
    /// One result per check, in the order of [`CheckId::ALL`].
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "Vec<super::ResultFields>"))]
    pub checks: Vec<CheckResult>,
    /// What differs from the user's docker compose file (`-`) in the measured one (`+`), where the check
    /// `compose-hash` found that: the first lines of a unified diff, printable ASCII. Empty otherwise.
    #[serde(default)]
    pub compose_diff: Vec<String>,
    /// What Phala Cloud lists of the app's instances, if it was asked: a statement of the API, which nothing proves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instances: Option<ListedInstances>,
    /// Who built the images that a rule is met for. Empty where no rule asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<SourceRecord>,
    /// What was measured: proven values only. A null was not proven.
    // A run moves the reports on thousands of targets.
    pub measurements: Box<Measurements>,
    /// The platform's TCB: proven values only.
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "TcbRecord"))]
    pub tcb: Shared<TcbRecord>,
    /// What the result relies on.
    pub evidence: EvidenceRecord,
}

impl TargetReport {
    /// What the first line must say if a built-in root was replaced.
    #[must_use]
    pub const fn simulated(&self) -> Option<&'static str> {
        simulated(self.trust_root, self.device_root)
    }

    /// The result of one check.
    #[must_use]
    pub fn check(&self, id: CheckId) -> Option<&CheckResult> {
        self.checks.iter().find(|check| check.id == id)
    }
}

/// How TLS is terminated at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum TlsRoute {
    /// In the app, with a certificate of dstack.
    AppRatls,
    /// In the app, which has the hash of its key quoted with the nonce.
    AppKey,
    /// In dstack's ingress, inside the VM.
    Ingress,
    /// In a dstack gateway, as the name says.
    Gateway,
    /// Not known.
    Unknown,
}

/// Whose root certificate the proof relies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum TrustRootKind {
    /// Intel's SGX root CA, built in.
    Intel,
    /// A root given with `--insecure-trust-root`: proves nothing about hardware.
    Custom,
}

/// What the first line of everything must say if a built-in root was replaced: by which, and what is not proven then.
#[must_use]
pub const fn simulated(quote: TrustRootKind, device: DeviceRootKind) -> Option<&'static str> {
    match (quote, device) {
        (TrustRootKind::Intel, DeviceRootKind::Nvidia) => None,
        (TrustRootKind::Custom, DeviceRootKind::Nvidia) => {
            Some("SIMULATED: not Intel's root, proves nothing about hardware")
        }
        (TrustRootKind::Intel, DeviceRootKind::Custom) => {
            Some("SIMULATED: not NVIDIA's root, proves nothing about GPUs")
        }
        (TrustRootKind::Custom, DeviceRootKind::Custom) => {
            Some("SIMULATED: neither Intel's root nor NVIDIA's, proves nothing about hardware")
        }
    }
}

/// Whose root certificate the proof about GPUs relies on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum DeviceRootKind {
    /// NVIDIA's device identity root, built in.
    #[default]
    Nvidia,
    /// A root given with `--insecure-trust-root nvidia=FILE`: proves nothing about GPUs.
    Custom,
}

impl DeviceRootKind {
    /// `Nvidia` if both are.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nvidia, Self::Nvidia) => Self::Nvidia,
            (Self::Custom, _) | (_, Self::Custom) => Self::Custom,
        }
    }

    /// Whether it is NVIDIA's own.
    #[must_use]
    pub(crate) const fn is_nvidia(&self) -> bool {
        matches!(self, Self::Nvidia)
    }
}

/// The instances of an app in Phala Cloud's list. An instance that is stopped is listed without a quote: nothing is verified
/// of it. One that the list leaves out is not seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct ListedInstances {
    /// How many are listed.
    pub listed: u32,
    /// How many of them show no quote, as stopped ones do.
    pub stopped: u32,
    /// How many show a quote that no other of them shows.
    pub running: u32,
}

/// Measured values, hex. Null if nothing was proven.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct Measurements {
    /// Initial memory of the TD: the virtual firmware. 48 bytes.
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "Option<String>"))]
    pub mrtd: Option<Shared<str>>,
    /// Firmware configuration, VM shape, ACPI tables. 48 bytes.
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "Option<String>"))]
    pub rtmr0: Option<Shared<str>>,
    /// Kernel. 48 bytes.
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "Option<String>"))]
    pub rtmr1: Option<Shared<str>>,
    /// Kernel command line and initrd. 48 bytes.
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "Option<String>"))]
    pub rtmr2: Option<Shared<str>>,
    /// The runtime events of dstack. 48 bytes.
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "Option<String>"))]
    pub rtmr3: Option<Shared<str>>,
    /// What the app had signed. 64 bytes.
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "Option<String>"))]
    pub report_data: Option<Shared<str>>,
    /// TDATTRIBUTES. 8 bytes, in the order of the quote.
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "Option<String>"))]
    pub td_attributes: Option<Shared<str>>,
    /// XFAM. 8 bytes, in the order of the quote.
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "Option<String>"))]
    pub xfam: Option<Shared<str>>,
    /// MRCONFIGID. 48 bytes.
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "Option<String>"))]
    pub mr_config_id: Option<Shared<str>>,
    /// MRSEAM, the TDX module. 48 bytes.
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "Option<String>"))]
    pub mr_seam: Option<Shared<str>>,
    /// SHA-256 of the compose document, from the boot events. 32 bytes.
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "Option<String>"))]
    pub compose_hash: Option<Shared<str>>,
    /// From the boot events. 20 bytes.
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "Option<String>"))]
    pub app_id: Option<Shared<str>>,
    /// From the boot events. 20 bytes, or empty where the app asked for none.
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "Option<String>"))]
    pub instance_id: Option<Shared<str>>,
    /// `NAME:HEXID` from the boot events.
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "Option<String>"))]
    pub key_provider: Option<Shared<str>>,
    /// The name of the row of the reference values, the built-in ones and the user's, whose OS image it is.
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "Option<String>"))]
    pub os_image: Option<Shared<str>>,
}

/// The platform's TCB. Null if nothing was proven.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct TcbRecord {
    /// Intel's word for the platform's patch level.
    pub status: Option<String>,
    /// Intel's security advisories that apply.
    pub advisory_ids: Vec<String>,
    /// The lower of the evaluation data numbers of TCB info and QE identity.
    pub eval_data_number: Option<u32>,
    /// Family-model-stepping-platform-custom SKU, 6 bytes, hex.
    pub fmspc: Option<String>,
    /// The machine: SHA-256 of the PPID in its platform certificate, hex.
    #[serde(default)]
    pub platform_id: Option<String>,
    /// When the first part of the collateral ends, RFC 3339 UTC.
    pub expires_at: Option<String>,
    /// When the collateral was fetched, RFC 3339 UTC. Null where that is not known, as of a file.
    #[serde(default)]
    pub collateral_fetched_at: Option<String>,
    /// Where the collateral came from.
    pub collateral_source: Option<String>,
}

/// What the result relies on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct EvidenceRecord {
    /// SHA-256 of the signed part of the quote, hex. Null where the quote was not proven.
    pub signed_sha256: Option<String>,
    /// The file that the evidence bundle was written to or read from.
    pub bundle: Option<String>,
    /// SHA-256 of the file that was named with `--reference-values`, hex. Absent if none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_values_sha256: Option<String>,
}
