//! `cvm-verify plan`: before a deploy, what will be measured, who built the images, and what the policy would refuse.

use std::collections::BTreeSet;

use anyhow::Context as _;
use serde::Serialize;

use super::args::{DeployPlanArgs, PlanFormat};
use super::settings::of_options;
use super::transport;
use crate::env::Surroundings;
use crate::plan::policy::{Locks, expectations};
use crate::plan::policy_file;
use crate::plan::trouble::told;
use crate::render::escape;
use crate::usage_error::UsageError;
use cvm_verify_core::checks::{Sought, judge_images, sought_in, statements_of_files};
use cvm_verify_core::compose::{ComposeFile, Place, compose_forms, read_unproven_document};
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
struct DeployPlan {
    /// The name of this format.
    schema: &'static str,
    /// `ready`, `refused` or `undetermined`.
    result: &'static str,
    /// The hashes that the compose document can have, by the tool that writes it. Empty without the document.
    compose_hashes: Vec<Hash>,
    /// The images that will run.
    images: Vec<String>,
    /// Who built them.
    provenance: Provenance,
    /// What `verify` would refuse with these expectations, one sentence each.
    refused: Vec<String>,
    /// What makes this uncertain.
    notes: Vec<String>,
}

/// A hash of the compose document.
#[derive(Debug, Serialize)]
struct Hash {
    /// `verbatim`, or the tool that writes it so.
    form: &'static str,
    /// SHA-256, 32 bytes of hex.
    compose_hash: String,
}

/// What the check `source-provenance` would say.
#[derive(Debug, Serialize)]
struct Provenance {
    /// Whether it grants `source`, which an assurance such as `code+source` asks for.
    granted: bool,
    /// `pass`, `warn`, `fail`, `error` or `skip`.
    status: Status,
    /// Why it is not a pass.
    reason: Option<&'static str>,
    /// What was found of each image.
    detail: String,
    /// What to do.
    fix: Option<&'static str>,
}

pub(super) fn run(args: &DeployPlanArgs, surroundings: &mut Surroundings) -> anyhow::Result<u8> {
    let now = (surroundings.now)();
    let options = of_options(&args.expect, None);
    let (settings, target) = policy_file::of_one(
        args.config.config.as_deref(),
        args.config.target.as_deref(),
        &options,
    )?;
    let expectations = expectations(&settings, target.as_deref(), now, &mut Locks::default())
        .map_err(|troubles| told(troubles).unwrap_or_else(|| UsageError::new("the settings are refused")))?;
    let policy = expectations.policy;
    let mut plan = planned(expectations.compose_file.as_deref(), &policy)?;
    let images: BTreeSet<String> = plan.images.iter().cloned().collect();
    let sought = sought_in(&images, &policy.sources);
    let mut recorded = statements_of_files(&sought, &policy.sources.files, now);
    let is_known = |image: &Sought| {
        recorded
            .iter()
            .any(|record| record.image == image.image && !record.bundles.is_empty())
    };
    let (_, missing): (Vec<Sought>, Vec<Sought>) = sought.into_iter().partition(is_known);
    if !missing.is_empty() {
        let client = transport::client(&args.transport.http)?;
        let lookups = transport::statement_lookups(&args.transport, surroundings)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("no async runtime")?;
        recorded.extend(runtime.block_on(lookups.look_up(&client, missing, now)));
    }
    plan.provenance = provenance(&images, &recorded, &policy.sources, now);
    let is_wanted = policy.required.sides().includes(SideTier::Source);
    if is_wanted && !plan.provenance.granted && plan.provenance.status != Status::Error {
        plan.refused.push(format!(
            "The assurance {} is not reached: `source` needs signed provenance of every image, under rules that name the \
             workflow and a ref or a commit.",
            policy.required
        ));
    }
    plan.result = match plan.provenance.status {
        _ if !plan.refused.is_empty() => "refused",
        Status::Fail => "refused",
        Status::Error => "undetermined",
        Status::Pass | Status::Warn | Status::Skip => "ready",
    };
    surroundings.print(&match args.format {
        PlanFormat::Json => json(&plan)?,
        PlanFormat::Text => text(&plan),
    });
    Ok(match plan.result {
        "ready" => 0,
        "refused" => super::FAIL,
        _ => super::INCONCLUSIVE,
    })
}

/// Everything but the provenance.
fn planned(document: Option<&[u8]>, policy: &Policy) -> Result<DeployPlan, UsageError> {
    let mut plan = DeployPlan {
        schema: SCHEMA,
        result: "undetermined",
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
    let is_reviewed = |place: &&Place| locked.is_some_and(|locked| locked.has_reviewed(place));
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

fn json(plan: &DeployPlan) -> anyhow::Result<String> {
    let mut text = serde_json::to_string_pretty(plan)?;
    text.push('\n');
    Ok(text)
}

fn text(plan: &DeployPlan) -> String {
    let mut out = String::new();
    let mut line = |text: &str| {
        out.push_str(&escape::terminal(text));
        out.push('\n');
    };
    line(match plan.result {
        "ready" => "READY: nothing speaks against this deploy.",
        "refused" => "REFUSED: verify would not pass with these expectations.",
        _ => "UNDETERMINED: see below.",
    });
    line("");
    line("What will be measured");
    for hash in &plan.compose_hashes {
        line(&format!("  {}  {}", hash.compose_hash, hash.form));
    }
    for image in &plan.images {
        line(&format!("  {image}"));
    }
    line("");
    line(&format!(
        "Who built the images: {}",
        plan.provenance.status.as_str()
    ));
    line(&format!("  {}", plan.provenance.detail));
    if let Some(fix) = plan.provenance.fix {
        line(&format!("  To do: {fix}"));
    }
    if !plan.refused.is_empty() {
        line("");
        line("What would be refused");
        for refused in &plan.refused {
            line(&format!("  {refused}"));
        }
    }
    for note in &plan.notes {
        line("");
        line(&format!("Note: {note}"));
    }
    out
}
