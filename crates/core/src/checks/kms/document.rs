//! The compose document that a KMS runs, where the user has it: judged as that of an app, and which releases its images are.

use super::reasons::{CODE_OPEN, LAUNCH_INPUTS, OLD_RELEASE};
use crate::checks::judgement::Judgement;
use crate::checks::{Check, Finding, image_pins, launch_inputs};
use crate::compose::UnprovenDocument;
use crate::policy::{KmsDocument, Policy};
use crate::report::{Status, and_more};
use crate::verify::Claims;

/// Places that are named in a sentence.
const MAX_SHOWN: usize = 4;

/// Judges the document of this hash. Its images in words; nothing where the user has only the hash.
pub(super) fn judge(
    judgement: &mut Judgement,
    host: &str,
    hash: &[u8; 32],
    policy: &Policy,
) -> Option<String> {
    let mut documents = policy.kms.documents.iter();
    let one = documents.find(|one| one.hash == *hash)?;
    let document = &one.document;
    // What is written of the app's document is not written of this one.
    let own = Policy {
        reference: std::sync::Arc::clone(&policy.reference),
        settings: policy.settings.clone(),
        ..Policy::default()
    };
    let mut report = |check: &Check, finding: Option<Finding>| {
        let finding = finding?;
        if finding.status == Status::Pass {
            judgement.accept(finding.accepted);
            return None;
        }
        let sentence = format!(
            "Of the compose document of the KMS at {host}, {} says: {}",
            check.id, finding.detail
        );
        match check.id == image_pins::CHECK.id {
            true => judgement.error(&CODE_OPEN, sentence),
            false => judgement.warn(&LAUNCH_INPUTS, sentence),
        }
        Some(())
    };
    report(&image_pins::CHECK, image_pins::of_document(document, &own));
    report(&launch_inputs::CHECK, launch_inputs::of_document(document, &own));
    outside(judgement, host, document);
    weaknesses(judgement, host, one, policy);
    Some(one.images_text(&policy.reference))
}

/// What is different where the KMS runs the document of a file that the user gave, in another form.
pub(super) fn other_form(hash: &[u8; 32], own: &Claims, policy: &Policy) -> Option<String> {
    let text = own.compose.as_ref().ok().map(|compose| compose.text());
    let mut documents = policy.kms.documents.iter();
    documents.find_map(|one| one.document.other_form(hash, text))
}

/// What can be set by who starts the KMS. Of an app such a value is harmless if it decides no code; of a KMS it may name the server that says
/// who gets keys.
fn outside(judgement: &mut Judgement, host: &str, document: &UnprovenDocument) {
    let Some(places) = document.file().map(|file| &file.outside) else {
        return;
    };
    let shown: Vec<&str> = (places.iter().take(MAX_SHOWN))
        .map(|place| place.path.as_str())
        .collect();
    let more = and_more(",", places.count().saturating_sub(shown.len()));
    if !shown.is_empty() {
        let places = shown.join(", ");
        judgement.warn(
            &LAUNCH_INPUTS,
            format!("The compose document of the KMS at {host} takes values from outside: {places}{more}."),
        );
    }
}

/// Warns of each image with a known weakness.
fn weaknesses(judgement: &mut Judgement, host: &str, document: &KmsDocument, policy: &Policy) {
    for release in document
        .images(&policy.reference)
        .filter_map(|(_, release)| release)
    {
        if let Some(weakness) = &release.weakness {
            judgement.warn(
                &OLD_RELEASE,
                format!("The KMS at {host} runs {}. {weakness}", release.name),
            );
        }
    }
}
