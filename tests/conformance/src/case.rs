//! One case: how the evidence is made, what the verifier is given, and how it must end.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::chain::Chain;
use crate::edit::Edit;
use crate::gpu::Gpu;
use crate::kms::Kms;
use crate::policy::Policy;
use crate::provenance::Provenance;
use crate::recipe::Recipe;
use crate::tls::Tls;

/// One case as it stands in a file.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Case {
    /// Kebab-case, unique in the corpus.
    pub name: String,
    /// What is wrong, or right, in one sentence.
    pub about: String,
    /// Numbers of the threat list (`docs/threats.md`). Empty for what must pass.
    #[serde(default)]
    pub threats: Vec<String>,
    /// The CVM as its owner deployed it. The default policy describes exactly this one.
    #[serde(default)]
    pub honest: Recipe,
    /// What the host changed. The policy does not know of it.
    #[serde(default)]
    pub hostile: Recipe,
    /// Changes of what was handed over, in this order.
    #[serde(default)]
    pub edits: Vec<Edit>,
    /// How the address ends TLS. Absent: nothing of TLS is recorded.
    pub tls: Option<Tls>,
    /// The GPUs, and what the guest wrote about them. Absent: none.
    pub gpu: Option<Gpu>,
    /// What was looked up about who built the images. Absent: nothing.
    pub provenance: Option<Provenance>,
    /// What the KMSs showed that were asked. Empty: none was asked.
    #[serde(default)]
    pub kms: Vec<Kms>,
    /// What two nodes of a blockchain answered. Absent: none was asked.
    pub chain: Option<Chain>,
    /// The policy file that the verifier is given. Absent: none.
    pub policy: Option<Policy>,
    /// Arguments beside the trust root. `{…}` stands for a value of the honest CVM: `compose-hash`, `app-id`,
    /// `instance-id`, `os-image`, `key-provider`. Absent: all three of the strictest policy.
    pub arguments: Option<Vec<String>>,
    /// Arguments behind those.
    #[serde(default)]
    pub more_arguments: Vec<String>,
    /// How it must end.
    pub expected: Expected,
}

/// How a case must end.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expected {
    /// The verdict.
    pub verdict: Verdict,
    /// The check that decides. Absent for a pass of which nothing further is expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// Its status. Absent: `fail` for the verdict fail, `error` for inconclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Its reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Other checks that may fail, too. No further one may.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
}

/// A verdict, or a refusal of the arguments.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Exit code 0.
    Pass,
    /// Exit code 1.
    Fail,
    /// Exit code 2.
    Usage,
    /// Exit code 3.
    Inconclusive,
}

impl Verdict {
    /// The exit code that says so.
    pub fn exit_code(self) -> i32 {
        match self {
            Self::Pass => 0,
            Self::Fail => 1,
            Self::Usage => 2,
            Self::Inconclusive => 3,
        }
    }

    /// As it stands in a report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Usage => "usage",
            Self::Inconclusive => "inconclusive",
        }
    }
}

impl Expected {
    /// The status that the check must have.
    pub fn status(&self) -> &str {
        match (&self.status, self.verdict) {
            (Some(status), _) => status,
            (None, Verdict::Fail) => "fail",
            (None, Verdict::Inconclusive) => "error",
            (None, Verdict::Pass | Verdict::Usage) => "pass",
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.verdict.as_str())?;
        if let Some(check) = &self.check {
            write!(f, ": {check} {}", self.status())?;
        }
        if let Some(reason) = &self.reason {
            write!(f, " / {reason}")?;
        }
        Ok(())
    }
}
