//! What a deploy will be, before it happens: the hashes and images that will be measured, who built the images, and what the
//! policy would refuse.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::usage_error::UsageError;
use cvm_verify_core::appraise::forecast;
use cvm_verify_core::checks::{for_platforms, judge_images, with_scripts_of};
use cvm_verify_core::compose::{ComposeFile, ComposeForm, ComposePlace, UnprovenDocument, compose_forms};
use cvm_verify_core::evidence::RecordedStatements;
use cvm_verify_core::policy::{ImagePinsPolicy, Policy};
use cvm_verify_core::report::{CheckId, SideTier, Status};
use cvm_verify_core::verify::{ImageStatements, verify_statements};

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
    /// The compose document, if it was given.
    #[serde(skip)]
    document: Option<UnprovenDocument>,
    /// Whether a container names another platform than the guest's.
    #[serde(skip)]
    names_other_platform: bool,
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
            document: None,
            names_other_platform: false,
        };
        match (document, &policy.docker_compose) {
            (Some(document), _) => plan.add_document(document, policy)?,
            (None, Some(expected)) => {
                plan.notes.push(
                    "The compose hash is not predicted: the deploy tool writes settings and scripts around the docker compose \
                     file. For its hash, and for the results of `launch-inputs` and `key-provider`, give the \
                     document that you upload with --app-compose-file. Without it, every variable of the file \
                     counts as one that can be set from \
                     outside."
                        .to_owned(),
                );
                let file = ComposeFile::read_unproven(&expected.value).map_err(|error| {
                    let origin = &expected.origin;
                    UsageError::new(format!(
                        "the docker compose file of {origin} cannot be read: {error}"
                    ))
                })?;
                plan.add_file(&file, policy);
            }
            (None, None) => {
                return Err(UsageError::new(
                    "there is nothing to deploy; give the docker compose file (--docker-compose FILE) or the compose document \
                     (--app-compose-file FILE)",
                ));
            }
        }
        Ok(plan)
    }

    /// The hashes of a compose document, its docker compose file, and what the checks will say of it.
    fn add_document(&mut self, document: &[u8], policy: &Policy) -> Result<(), UsageError> {
        let text = std::str::from_utf8(document)
            .map_err(|_| UsageError::new("the compose document is not UTF-8 text"))?;
        let (forms, doubts) =
            compose_forms(text).map_err(|error| UsageError::new(format!("the compose document: {error}")))?;
        self.compose_hashes.extend(forms.iter().map(|form| Hash {
            form: form.name,
            compose_hash: hex::encode(form.hash),
        }));
        self.notes.extend(doubts.iter().map(|doubt| (*doubt).to_owned()));
        self.notes.extend(form_note(&forms, policy));
        let document = UnprovenDocument::read(text)
            .map_err(|error| UsageError::new(format!("the compose document cannot be read: {error}")))?;
        if let Some(file) = document.file() {
            self.add_file(file, policy);
        }
        for (result, keeps_from_pass) in forecast(&document, policy) {
            let named = result.id == CheckId::ImagePins && !self.refused.is_empty();
            let words = || format!("{}: {}", result.id, result.detail);
            match result.status {
                // Its places are listed already.
                _ if named => {}
                _ if keeps_from_pass => self.refused.push(words()),
                Status::Warn | Status::Error => self.notes.push(words()),
                Status::Pass | Status::Skip | Status::Fail => {}
            }
        }
        self.document = Some(document);
        Ok(())
    }

    /// The images of a docker compose file, and the places of it that decide code.
    fn add_file(&mut self, file: &ComposeFile, policy: &Policy) {
        self.names_other_platform = file.names_other_platform;
        self.images = file
            .images
            .values()
            .cloned()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        if policy.image_pins == ImagePinsPolicy::Unchecked {
            return;
        }
        if file.images.is_empty() && file.deciding_count() == 0 {
            self.refused.push("The compose file has no services.".to_owned());
        }
        let locked = policy.locked_compose.as_ref();
        let is_reviewed = |place: &&ComposePlace| locked.is_some_and(|locked| locked.has_reviewed(place));
        let reviewed = file.deciding().filter(is_reviewed).count();
        let places = file
            .deciding()
            .filter(|place| !is_reviewed(place))
            .take(MAX_NAMED)
            .map(|place| format!("{}: {}", place.path, place.says));
        self.refused.extend(places);
        let count = file.deciding_count().saturating_sub(reviewed);
        if count > MAX_NAMED {
            self.refused
                .push(format!("{} more places decide what runs", count - MAX_NAMED));
        }
    }

    /// Adds who built the images, by statements that were found at a time, Unix seconds; and so the result.
    #[must_use]
    pub fn with_statements(mut self, recorded: &[RecordedStatements], policy: &Policy, now: u64) -> Self {
        let images = self.images.iter().cloned().collect();
        let statements = verify_statements(recorded, &policy.sources.roots, now);
        let statements = for_platforms(&statements, self.names_other_platform);
        self.provenance = provenance(&images, &statements, self.document.as_ref(), policy);
        let is_wanted = policy.required.sides().includes(SideTier::Source);
        if is_wanted && !self.provenance.granted && self.provenance.status != Status::Error {
            self.refused.push(format!(
                "The assurance {} is not reached: `source` needs signed provenance of every image, under rules that name the \
                 workflow and a ref or a commit, and no script before the containers that is neither known nor in the lock.",
                policy.required
            ));
        }
        if self.provenance.reason == Some("unused-rule") {
            self.refused
                .push(format!("source-provenance: {}", self.provenance.detail));
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

/// That the file has another form than Phala Cloud and dstack's SDKs write, and so another hash than they deploy.
fn form_note(forms: &[ComposeForm], policy: &Policy) -> Option<String> {
    let file = forms.first()?;
    let sdk = forms.iter().find(|form| form.name == "sdk")?;
    let is_chosen = policy
        .compose_hash
        .as_ref()
        .is_some_and(|expected| forms.iter().skip(1).any(|form| form.hash == expected.value));
    (file.hash != sdk.hash && !is_chosen).then(|| {
        format!(
            "The file is not in the form in which Phala Cloud and dstack's SDKs write a document (keys sorted, no blanks). Deployed with \
             them, its compose hash is {}: then expect that one (--compose-hash). `--app-compose-file` with this file alone expects {}. For \
             `plan --output`, --compose-form says which form the lock expects.",
            hex::encode(sdk.hash),
            hex::encode(file.hash)
        )
    })
}

fn provenance(
    images: &BTreeSet<String>,
    statements: &BTreeMap<String, ImageStatements>,
    document: Option<&UnprovenDocument>,
    policy: &Policy,
) -> Provenance {
    if policy.sources.rules.is_empty() {
        return Provenance {
            granted: false,
            status: Status::Skip,
            reason: Some("not-configured"),
            detail: "No rule says who must have built the images.".to_owned(),
            fix: None,
        };
    }
    let finding = judge_images(images, statements, &policy.sources);
    let finding = match document {
        Some(document) => with_scripts_of(finding, document, policy),
        None => finding,
    };
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
