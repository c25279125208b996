//! The hashes of a compose document, for people and for machines.

use serde::Serialize;

use super::escape::terminal;
use super::page::{Ink, TextPage};
use cvm_verify_core::compose::ComposeForm;

/// The name of the JSON format.
const SCHEMA: &str = "cvm-verify/compose-hash/v1";

/// Where explanations begin.
const INDENT: usize = 4;

/// As text for people.
#[must_use]
pub fn compose_forms_text(forms: &[ComposeForm], doubts: &[&str], width: usize) -> String {
    let mut page = TextPage::new(width, false);
    for form in forms {
        let same = forms
            .iter()
            .find(|first| first.hash == form.hash)
            .filter(|first| first.name != form.name)
            .map(|first| format!(" (the same as {})", first.name));
        page.line(
            Ink::Plain,
            &format!(
                "{}  {}{}",
                hex::encode(form.hash),
                form.name,
                same.unwrap_or_default()
            ),
        );
        page.paragraph(INDENT, Ink::Plain, &terminal(form.applies));
    }
    page.blank();
    for doubt in doubts {
        page.hanging("Note: ", 6, Ink::Plain, &terminal(doubt));
    }
    page.paragraph(
        0,
        Ink::Plain,
        &format!(
            "All but `verbatim` are predictions: the platform may add fields (such as its pre-launch script) before it writes the \
             document. {ANSWERED_HASH}, which `cvm-verify verify` says."
        ),
    );
    page.into_text()
}

/// What is known of the hash that Phala Cloud answers.
pub const ANSWERED_HASH: &str = "The `compose_hash` that Phala Cloud answers when it provisions is not always the measured one: compare it \
                                 with the hash that the running VM proves";

/// The hashes of a compose document, by the tool that writes it.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Forms<'a> {
    /// The name of this format.
    schema: &'static str,
    /// Each form and its hash, the text as it is first.
    forms: Vec<Form<'a>>,
    /// What makes a prediction uncertain.
    notes: &'a [&'a str],
}

/// One form.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Form<'a> {
    /// `verbatim`, `sdk`, `sdk-normalized`, `phala-cloud-js` or `go-html`.
    name: &'a str,
    /// SHA-256 of the text, 32 bytes of hex.
    compose_hash: String,
    /// Whether it is a prediction. The hash of the exact file is none.
    predicted: bool,
    /// Which tool writes it, and when it applies.
    applies: &'a str,
}

/// As JSON, with a final newline.
#[must_use]
pub fn compose_forms_json(forms: &[ComposeForm], doubts: &[&str]) -> String {
    let forms = forms
        .iter()
        .map(|form| Form {
            name: form.name,
            compose_hash: hex::encode(form.hash),
            predicted: form.name != "verbatim",
            applies: form.applies,
        })
        .collect();
    let document = Forms {
        schema: SCHEMA,
        forms,
        notes: doubts,
    };
    super::json::safe(&document)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::generated::assert_generated_schema;

    #[test]
    fn the_schema_in_the_repository_is_that_of_the_types() {
        assert_generated_schema::<Forms<'_>>("schemas/compose-hash-v1.json", SCHEMA);
    }
}
