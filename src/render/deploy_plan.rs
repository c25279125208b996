//! What a deploy will be, for people and for the step that deploys.

use super::escape::terminal;
use crate::deploy_plan::{DeployPlan, Outlook};

/// As `cvm-verify/plan/v1`: JSON, with a final newline.
#[must_use]
pub fn deploy_plan_json(plan: &DeployPlan) -> String {
    super::json::safe(plan)
}

/// As text for people.
#[must_use]
pub fn deploy_plan_text(plan: &DeployPlan) -> String {
    let mut out = String::new();
    let mut line = |text: &str| {
        out.push_str(&terminal(text));
        out.push('\n');
    };
    line(match plan.result {
        Outlook::Ready => "READY: no reason was found to refuse this deployment.",
        Outlook::Refused => "REFUSED: verify would not pass with these expected values.",
        Outlook::Undetermined => "UNDETERMINED: see below.",
    });
    line("");
    line("What will be measured");
    for hash in &plan.compose_hashes {
        line(&format!("  {}  {}", hash.compose_hash, hash.form));
    }
    if plan.compose_hashes.len() > 1 {
        line(
            "  One of these hashes applies: that of the tool that deploys. `cvm-verify compose-hash FILE` explains each.",
        );
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
