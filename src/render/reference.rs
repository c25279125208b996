//! The reference values as text: what is known, since when, and where a person can compare it.

use super::escape::terminal;
use super::page::{Ink, TextPage};
use cvm_verify_core::reference::{Grade, OsClass, OsImageRow, ReferenceValues, ScriptText, Standing};

/// Columns before a value.
const INDENT: usize = 16;

/// The OS images.
#[must_use]
pub fn reference_os_images(values: &ReferenceValues, width: usize) -> String {
    let mut page = page(
        values,
        width,
        "--os-image takes a production image by its name or its os_image_hash. docs/reference-values.md says which images \
         pass without further options.",
    );
    for row in values.images() {
        page.blank();
        page.line(
            Ink::Bold,
            &terminal(&format!("{}  {}", row.name, class(row.class))),
        );
        if let Some(hash) = &row.os_image_hash {
            field(&mut page, "os_image_hash", &hex::encode(hash.0));
        }
        field(&mut page, "registers", registers(row));
        let advisories = values.advisories_of(row.version.as_ref());
        if !advisories.is_empty() {
            let named: Vec<String> = advisories
                .iter()
                .map(|advisory| match advisory.grade {
                    Grade::HostAlone => format!("{} (the host alone)", advisory.id),
                    Grade::NeedsMore => format!("{} (needs more than the host)", advisory.id),
                })
                .collect();
            field(&mut page, "advisories", &named.join(", "));
        }
        if let Some(fixed) = values
            .lowest_fixed(row.version.as_ref())
            .filter(|_| !advisories.is_empty())
        {
            field(&mut page, "upgrade to", &format!("{fixed} or later"));
        }
        compare(&mut page, &row.source.to_string(), &row.date.to_string());
    }
    page.into_text()
}

/// The key management services.
#[must_use]
pub fn reference_kms(values: &ReferenceValues, width: usize) -> String {
    let mut page = page(
        values,
        width,
        "--key-provider takes a KMS by its name, and any other as kms:HEXID.",
    );
    for row in values.kms() {
        page.blank();
        page.line(Ink::Bold, &terminal(&format!("{}  {}", row.name, row.what)));
        field(&mut page, "id", &row.id.to_string());
        compare(&mut page, &row.source.to_string(), &row.date.to_string());
    }
    page.into_text()
}

/// The texts of the pre-launch script.
#[must_use]
pub fn reference_scripts(values: &ReferenceValues, width: usize) -> String {
    let mut page = page(
        values,
        width,
        "A pre-launch script runs as root before the containers start. One of these texts is known; `cvm-verify inspect` shows the text \
         of a deployment.",
    );
    for row in values.scripts() {
        page.blank();
        let known = match row.text {
            ScriptText::Published => "published",
            ScriptText::Deployed => "as it is deployed, made of a published text",
            ScriptText::Observed => "seen only in deployments",
        };
        page.line(Ink::Bold, &terminal(&format!("{}  {known}", row.title())));
        field(&mut page, "sha256", &hex::encode(row.sha256.0));
        compare(&mut page, &row.source.to_string(), &row.date.to_string());
    }
    page.into_text()
}

fn page(values: &ReferenceValues, width: usize, about: &str) -> TextPage {
    let mut page = TextPage::new(width, false);
    page.paragraph(
        0,
        Ink::Plain,
        &format!("Reference values of {}. {about}", values.updated()),
    );
    page
}

fn field(page: &mut TextPage, name: &str, value: &str) {
    page.hanging(
        &format!("  {name:<width$}", width = INDENT - 2),
        INDENT,
        Ink::Plain,
        &terminal(value),
    );
}

fn compare(page: &mut TextPage, source: &str, date: &str) {
    field(page, "compare with", &format!("{source}, as of {date}"));
}

const fn class(class: OsClass) -> &'static str {
    match class {
        OsClass::Production => "production",
        OsClass::Development => "development: root login and a serial console",
        OsClass::Prerelease => "pre-release",
        OsClass::Observed => "observed: no official name",
    }
}

fn registers(row: &OsImageRow) -> &'static str {
    match &row.registers {
        None => "not known: only its hash is known",
        Some(registers) if registers.standing == Standing::ThirdParty => "known from one third party",
        Some(_) => "known",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_listed_with_its_date_and_where_to_compare() {
        let values = ReferenceValues::built_in();
        for (text, rows) in [
            (reference_os_images(values, 100), values.images().len()),
            (reference_kms(values, 100), values.kms().len()),
            (reference_scripts(values, 100), values.scripts().len()),
        ] {
            assert!(rows > 0);
            assert_eq!(text.matches("\n  compare with").count(), rows, "{text}");
            assert!(
                text.starts_with(&format!("Reference values of {}.", values.updated())),
                "{text}"
            );
        }
        let text = reference_os_images(values, 100);
        for row in values.images() {
            assert!(text.contains(&row.name.to_string()), "{}", row.name);
        }
        assert!(
            text.contains("advisories    ") && text.contains("upgrade to"),
            "{text}"
        );
    }
}
