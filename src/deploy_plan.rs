//! What a deploy will be, before it happens: the hashes and images that will be measured, who built the images, and what the
//! policy would refuse.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::usage_error::UsageError;
use cvm_verify_core::checks::judge_images;
use cvm_verify_core::compose::{ComposeFile, ComposePlace, compose_forms, read_unproven_document};
use cvm_verify_core::evidence::RecordedStatements;
use cvm_verify_core::policy::{ImagePinsPolicy, Policy, SourcePolicy};
use cvm_verify_core::report::{SideTier, Status};
use cvm_verify_core::verify::verify_statements;

/// The name of the JSON format.
const SCHEMA: &str = "cvm-verify/plan/v1";
/// Most places that are named.
const MAX_NAMED: usize = 50;

/// What a deploy will be.
#[derive(Debug, Serialize)]
pub struct DeployPlan {
    /// The name of this format.
    pub schema: &'static str,
    /// Whether something speaks against the deploy.
    pub result: Outlook,
    /// The hashes that the compose document can have, by the tool that writes it. Empty without the document.
    pub compose_hashes: Vec<Hash>,
    /// The images that will run.
    pub images: Vec<String>,
    /// Who built them.
    pub provenance: Provenance,
    /// What `verify` would refuse with these expectations, one sentence each.
    pub refused: Vec<String>,
    /// What makes this uncertain.
    pub notes: Vec<String>,
}

/// Whether something speaks against a deploy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outlook {
    /// Nothing does.
    Ready,
    /// `verify` would not pass.
    Refused,
    /// Who built an image could not be determined.
    Undetermined,
}

/// A hash of the compose document.
#[derive(Debug, Serialize)]
pub struct Hash {
    /// `verbatim`, or the tool that writes it so.
    pub form: &'static str,
    /// SHA-256, 32 bytes of hex.
    pub compose_hash: String,
}

/// What the check `source-provenance` would say.
#[derive(Debug, Serialize)]
pub struct Provenance {
    /// Whether it grants `source`, which an assurance such as `code+source` asks for.
    pub granted: bool,
    /// `pass`, `warn`, `fail`, `error` or `skip`.
    pub status: Status,
    /// Why it is not a pass.
    pub reason: Option<&'static str>,
    /// What was found of each image.
    pub detail: String,
    /// What to do.
    pub fix: Option<&'static str>,
}

impl DeployPlan {
    /// Of a compose document, or of the docker compose file that the policy expects. Who built the images is added by
    /// [`DeployPlan::with_statements`].
    ///
    /// # Errors
    /// There is nothing to deploy, or it cannot be read.
    pub(crate) fn new(document: Option<&[u8]>, policy: &Policy) -> Result<Self, UsageError> {
        let mut plan = Self {
            schema: SCHEMA,
            result: Outlook::Undetermined,
            compose_hashes: Vec::new(),
            images: Vec::new(),
            provenance: Provenance {
                granted: false,
                status: Status::Skip,
                reason: None,
                detail: String::new(),
                fix: None,
            },
            refused: Vec::new(),
            notes: Vec::new(),
        };
        let file = match (document, &policy.docker_compose) {
            (Some(document), _) => file_of_document(document, &mut plan)?,
            (None, Some(expected)) => {
                plan.notes.push(
                    "The compose hash is not predicted: the deploy tool writes settings and scripts around the docker compose \
                     file. For its hash, give the document that you upload with --app-compose-file. Without it, every variable \
                     of the file counts as one that can be set from outside."
                        .to_owned(),
                );
                let file = ComposeFile::read_unproven(&expected.value);
                Some(file.map_err(|error| {
                    UsageError::new(format!("the docker compose file cannot be read: {error}"))
                })?)
            }
            (None, None) => {
                return Err(UsageError::new(
                    "there is nothing to deploy; give the docker compose file (--docker-compose FILE) or the compose document \
                     (--app-compose-file FILE)",
                ));
            }
        };
        let Some(file) = file else {
            if policy.image_pins != ImagePinsPolicy::Unchecked {
                plan.refused.push(
                    "The app has no compose file: what its script starts is not pinned, and does not meet `code`.".to_owned(),
                );
            }
            return Ok(plan);
        };
        plan.images = file
            .images
            .values()
            .cloned()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        if policy.image_pins == ImagePinsPolicy::Unchecked {
            return Ok(plan);
        }
        let locked = policy.locked_compose.as_ref();
        let is_reviewed = |place: &&ComposePlace| locked.is_some_and(|locked| locked.has_reviewed(place));
        let reviewed = file.deciding().filter(is_reviewed).count();
        let places = file
            .deciding()
            .filter(|place| !is_reviewed(place))
            .take(MAX_NAMED)
            .map(|place| format!("{}: {}", place.path, place.says));
        plan.refused.extend(places);
        let count = file.deciding_count().saturating_sub(reviewed);
        if count > MAX_NAMED {
            plan.refused
                .push(format!("{} more places decide what runs", count - MAX_NAMED));
        }
        Ok(plan)
    }

    /// Adds who built the images, by statements that were found at a time, Unix seconds; and so the result.
    #[must_use]
    pub fn with_statements(mut self, recorded: &[RecordedStatements], policy: &Policy, now: u64) -> Self {
        let images = self.images.iter().cloned().collect();
        self.provenance = provenance(&images, recorded, &policy.sources, now);
        let is_wanted = policy.required.sides().includes(SideTier::Source);
        if is_wanted && !self.provenance.granted && self.provenance.status != Status::Error {
            self.refused.push(format!(
                "The assurance {} is not reached: `source` needs signed provenance of every image, under rules that name the \
                 workflow and a ref or a commit.",
                policy.required
            ));
        }
        self.result = match self.provenance.status {
            _ if !self.refused.is_empty() => Outlook::Refused,
            Status::Fail => Outlook::Refused,
            Status::Error => Outlook::Undetermined,
            Status::Pass | Status::Warn | Status::Skip => Outlook::Ready,
        };
        self
    }
}

/// The docker compose file in a compose document, whose hashes are noted.
fn file_of_document(document: &[u8], plan: &mut DeployPlan) -> Result<Option<ComposeFile>, UsageError> {
    let text = std::str::from_utf8(document)
        .map_err(|_| UsageError::new("the compose document is not UTF-8 text"))?;
    let (forms, doubts) =
        compose_forms(text).map_err(|error| UsageError::new(format!("the compose document: {error}")))?;
    plan.compose_hashes.extend(forms.iter().map(|form| Hash {
        form: form.name,
        compose_hash: hex::encode(form.hash),
    }));
    plan.notes.extend(doubts.iter().map(|doubt| (*doubt).to_owned()));
    read_unproven_document(text)
        .map_err(|error| UsageError::new(format!("the compose document cannot be read: {error}")))
}

fn provenance(
    images: &BTreeSet<String>,
    recorded: &[RecordedStatements],
    policy: &SourcePolicy,
    now: u64,
) -> Provenance {
    if policy.rules.is_empty() {
        return Provenance {
            granted: false,
            status: Status::Skip,
            reason: Some("not-configured"),
            detail: "No rule says who must have built the images.".to_owned(),
            fix: None,
        };
    }
    let statements = verify_statements(recorded, &policy.roots, now);
    let finding = judge_images(images, &statements, policy);
    Provenance {
        granted: finding.grants == Some(SideTier::Source),
        status: finding.status,
        reason: finding.reason.map(|reason| reason.id),
        detail: finding.detail,
        fix: finding
            .reason
            .map(|reason| reason.fix)
            .filter(|fix| !fix.is_empty()),
    }
}
