//! The text of a lock file: sorted, stable, made for review.

use std::collections::BTreeMap;

use super::compose_settings::assignments;
use super::said::{OBSERVED, Said};
use super::{
    DEFAULT_TD_ATTRIBUTES, Lock, LockedOs, SCHEMA, accepted, governance, gpus, kms, places, sources, tls,
};
use crate::policy::{KeyProviderPin, KeyProviders};
use crate::reference::{KmsRow, ReferenceValues};
use crate::toml_text::literal::{key, one_line, quoted};

/// What the program writes in front of where a value is known from.
pub(super) const KNOWN: &str = "known: ";
/// What is between the name of a row and the user's file that it is of: that file is not one of the tables.
pub(super) const BY_A_FILE: &str = ", by a file: ";

/// What a lock file says to people next to its values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    /// The row of the built-in table of OS images whose MRTD, RTMR1 and RTMR2 are the locked ones.
    pub os_image: Option<String>,
    /// The user's file of reference values that the row of the image is of; absent for a built-in row.
    pub own_rows: Option<String>,
    /// Whether the evidence relies on another root than Intel's.
    pub simulated: bool,
    /// What is said of each place that decides code, by its path.
    pub places: BTreeMap<String, String>,
    /// What Phala Cloud's API alone says.
    pub said: Said,
    /// The images of each compose document of a KMS that is known, in words.
    pub kms_images: Vec<String>,
}

/// How the usual `td_attributes` are known.
pub(super) const DEFAULT_ATTRIBUTES: &str = "the default of dstack";

const HEADER: &str = "\
# The expected values of this deployment. Written by `cvm-verify pin`, read by `cvm-verify verify --lock`.
# known:    the value is in cvm-verify's own tables.
# observed: the value was taken from the deployment as it ran. Review each of these lines.
";
const SIMULATED: &str = "\
# SIMULATED: the evidence relies on a root other than the built-in ones, so nothing was proven about hardware.
";
const OWN_ROWS_REMARK: &str = "\
#
# known by a file: the value is in the file of reference values that is named, and not in cvm-verify's own tables. Review the row.
";
const SAID_REMARK: &str = "\
# said by Phala Cloud's API: a statement of its operator (`pin --phala-hints`). No evidence confirms it. Compare \
these lines with
# your own deployment before you commit this file.
";
const ORIGIN: &str = "\
# The address that this was taken from. Without an expectation of another kind, `cvm-verify verify` of this address uses
# the cvm.lock in its working folder, whatever its path is; of every other host it does not.
";
const COMPOSE_HASH: &str = "
# SHA-256 of the compose document, byte for byte. It binds all of [images] and [compose].
";
const APP_ID: &str = "
# The app's id: only a label. The compose hash says which code runs.
";
const KEY_PROVIDER: &str = "
# Who may give the VM its disk and app keys, as NAME:HEXID; several with commas between them.
";
const IMAGES: &str = "
# The image of each service of the docker compose file.
[images]
";
const COMPOSE: &str = "
# Every other field of the compose document. Scripts are shown as the SHA-256 of their text; what TOML does not
# have, such as null, as { json = \"...\" }.
[compose]
";
const OS_IMAGE: &str = "
# The OS image and the VM's shape. mrtd: firmware; rtmr0: size and devices of the VM, and the ACPI tables that the
# host supplies; rtmr1: kernel; rtmr2: kernel command line and initrd.
[os_image]
";
const KNOWN_BY: &str = "\
# How the image was known when this was written: row (of cvm-verify's table), published-hash HASH, files HASH,
# development-files HASH, or unknown. A verdict names the last two as accepted in writing, and a hash that its run does not
# confirm.
# After the HASH of files comes the version that these files name. If no row of the table says which vulnerabilities the
# image has, that version decides.
";
const VULNERABLE_UNTIL: &str = "\
# The last day (UTC) on which the image is accepted although it has a published vulnerability.
";
const PLATFORM: &str = "
# The machine. Other td_attributes (such as debugging) fail; another TDX module (mr_seam) or model (fmspc) warns.
[platform]
";

/// Every comment that the program writes on a line of its own, but for the remarks below `[[places]]`.
pub(super) fn comments() -> impl Iterator<Item = &'static str> {
    [
        HEADER,
        SIMULATED,
        OWN_ROWS_REMARK,
        SAID_REMARK,
        ORIGIN,
        COMPOSE_HASH,
        APP_ID,
        KEY_PROVIDER,
        accepted::HEADER,
        IMAGES,
        COMPOSE,
        places::COMMENT,
        OS_IMAGE,
        KNOWN_BY,
        VULNERABLE_UNTIL,
        PLATFORM,
        tls::HEADER,
    ]
    .into_iter()
    .flat_map(str::lines)
    .filter(|line| line.starts_with('#'))
}

/// The lines that begin a section.
const SECTIONS: [&str; 8] = [
    accepted::SECTION,
    "[images]",
    "[compose]",
    "[os_image]",
    "[platform]",
    kms::SECTION,
    governance::SECTION,
    tls::SECTION,
];

impl Lock {
    /// The text of the lock file, with a final newline. The same lock and notes give the same bytes. Only
    /// printable ASCII stands as it is.
    #[must_use]
    pub fn to_toml(&self, notes: &Notes) -> String {
        let mut out = header(notes);
        out.push_str(&format!("\nschema = {}\n", quoted(SCHEMA)));
        out.push_str(&self.body(notes));
        out
    }

    /// The block of a target in a file of several, with a final newline.
    pub(super) fn block(&self, name: &str, notes: &Notes) -> String {
        let body = in_target(name, &self.body(notes));
        let remarks = remarks(notes);
        let remarks = remarks.strip_prefix("#\n").unwrap_or(&remarks);
        format!("{remarks}[target.{}]\n{body}", key(name))
    }

    /// `[images]`, `[compose]` and `[[places]]`, with where their values come from.
    pub(super) fn document_sections(&self, provenance: &str, remarks: &BTreeMap<String, String>) -> String {
        let mut out = String::new();
        let images = self
            .images
            .iter()
            .map(|(service, image)| (key(service), quoted(image)));
        section(&mut out, IMAGES, images, provenance);
        let fields = self
            .compose_settings
            .iter()
            .flat_map(|(name, value)| assignments(name, value));
        section(&mut out, COMPOSE, fields, provenance);
        out + &places::write(&self.places, remarks)
    }

    /// Everything below the schema.
    fn body(&self, notes: &Notes) -> String {
        let mut out = String::new();
        if let Some(tool) = &self.tool {
            out.push_str(&format!("tool = {}\n", quoted(tool)));
        }
        if let Some(origin) = &self.origin {
            out.push_str(ORIGIN);
            out.push_str(&format!("origin = {}\n", quoted(origin)));
        }
        let top = [
            (
                COMPOSE_HASH,
                "compose_hash",
                self.compose_hash.map(hex::encode),
                OBSERVED.to_owned(),
            ),
            (
                APP_ID,
                "app_id",
                self.app_id.map(hex::encode),
                OBSERVED.to_owned(),
            ),
            (
                KEY_PROVIDER,
                "key_provider",
                self.key_provider.as_ref().map(ToString::to_string),
                self.key_provider
                    .as_ref()
                    .map(provider_provenance)
                    .unwrap_or_default(),
            ),
        ];
        for (comment, name, value, provenance) in top {
            if let Some(value) = value {
                out.push_str(comment);
                out.push_str(&line(name, &quoted(&value), &provenance));
            }
        }
        out.push_str(&accepted::write(&self.accepted));
        out.push_str(&self.document_sections(OBSERVED, &notes.places));
        out.push_str(&sources::write(&self.sources));
        if let Some(os) = &self.os_image {
            out.push_str(&os_image(os, notes));
        }
        out.push_str(&platform(self));
        out.push_str(&gpus::write(&self.gpus));
        out.push_str(&self.kms.write(notes.said, &notes.kms_images));
        out.push_str(&self.governance.write(notes.said));
        out.push_str(&self.tls.write());
        out
    }
}

/// Lines of a lock of one deployment, as those of a target in a file of several.
pub(super) fn in_target(name: &str, lines: &str) -> String {
    let name = key(name);
    // Values never hold a line break, so a line like this is a section's own.
    let of_target = |line: &str| match line.strip_prefix('[') {
        Some(_) if line == places::HEADER => format!("[[target.{name}.places]]\n"),
        Some(_) if line == gpus::HEADER => format!("[[target.{name}.gpus]]\n"),
        Some(_) if line == sources::HEADER => format!("[[target.{name}.sources]]\n"),
        Some(section) if SECTIONS.contains(&line) => format!("[target.{name}.{section}\n"),
        _ => format!("{line}\n"),
    };
    lines.lines().map(of_target).collect()
}

fn platform(lock: &Lock) -> String {
    let attributes = |value: [u8; 8]| {
        let provenance = match value {
            DEFAULT_TD_ATTRIBUTES => known(DEFAULT_ATTRIBUTES),
            _ => OBSERVED.to_owned(),
        };
        line("td_attributes", &quoted(&hex::encode(value)), &provenance)
    };
    let plain = |name, value: String| line(name, &quoted(&value), OBSERVED);
    let lines: String = [
        lock.td_attributes.map(attributes),
        lock.mr_seam.map(|value| plain("mr_seam", hex::encode(value))),
        lock.fmspc.map(|value| plain("fmspc", hex::encode(value))),
    ]
    .into_iter()
    .flatten()
    .collect();
    if lines.is_empty() {
        return lines;
    }
    format!("{PLATFORM}{lines}")
}

fn header(notes: &Notes) -> String {
    format!("{HEADER}{}", remarks(notes))
}

/// What was out of the ordinary when the lock was taken.
fn remarks(notes: &Notes) -> String {
    let mut out = String::new();
    if notes.simulated {
        out.push_str(SIMULATED);
    }
    if notes.own_rows.is_some() {
        out.push_str(OWN_ROWS_REMARK);
    }
    if notes.said != Said::default() {
        out.push_str(SAID_REMARK);
    }
    out
}

fn section(out: &mut String, comment: &str, lines: impl Iterator<Item = (String, String)>, provenance: &str) {
    let lines: String = lines
        .map(|(name, value)| line(&name, &value, provenance))
        .collect();
    if !lines.is_empty() {
        out.push_str(comment);
        out.push_str(&lines);
    }
}

fn os_image(os: &LockedOs, notes: &Notes) -> String {
    let image = match (&notes.os_image, &notes.own_rows) {
        (None, _) => OBSERVED.to_owned(),
        (Some(name), None) => known(name),
        (Some(name), Some(file)) => known(&format!("{name}{BY_A_FILE}{file}")),
    };
    let mut out = OS_IMAGE.to_owned();
    for (name, value) in os.named() {
        let provenance = match name {
            "rtmr0" => ReferenceValues::built_in()
                .shape_of(value)
                .map_or_else(|| OBSERVED.to_owned(), known),
            _ => image.clone(),
        };
        out.push_str(&line(name, &quoted(&hex::encode(value)), &provenance));
    }
    if let Some(known) = &os.known_by {
        out.push_str(KNOWN_BY);
        out.push_str(&format!("known_by = {}\n", quoted(&known.to_string())));
    }
    if let Some(day) = os.vulnerable_until {
        out.push_str(VULNERABLE_UNTIL);
        out.push_str(&line("vulnerable_until", &day.to_string(), "accepted"));
    }
    out
}

/// That of the first one: `pin` writes no other.
pub(super) fn provider_provenance(providers: &KeyProviders) -> String {
    let known_as = |pin: &KeyProviderPin| -> Option<&KmsRow> {
        let id = pin.id.as_deref().filter(|_| pin.name == "kms")?;
        ReferenceValues::built_in().kms_by_id(id)
    };
    match providers {
        KeyProviders::Named(pins) => pins
            .first()
            .and_then(known_as)
            .map_or_else(|| OBSERVED.to_owned(), |row| known(&row.name)),
        KeyProviders::AnyKms | KeyProviders::Unchecked => "a waiver".to_owned(),
    }
}

pub(super) fn known(name: &str) -> String {
    format!("{KNOWN}{}", one_line(name))
}

fn line(name: &str, value: &str, provenance: &str) -> String {
    match provenance {
        "" => format!("{name} = {value}\n"),
        _ => format!("{name} = {value} # {provenance}\n"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::arbitrary;
    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_back(lock in arbitrary::lock(), notes in arbitrary::notes()) {
            let text = lock.to_toml(&notes);
            prop_assert!(text.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)));
            prop_assert_eq!(&text, &lock.to_toml(&notes));
            match Lock::parse(&text, "cvm.lock") {
                Ok(read) => prop_assert_eq!(read, lock),
                Err(error) => prop_assert!(lock.is_empty(), "{}\n{}", error, text),
            }
        }
    }

    #[test]
    fn a_lock_file_reads_well() {
        insta::assert_snapshot!(
            arbitrary::example().to_toml(&Notes {
                os_image: Some("dstack-0.5.3".to_owned()),
                own_rows: None,
                simulated: true,
                places: [(
                    "services.web.command".to_owned(),
                    "`${X}`: X is in `allowed_envs`".to_owned()
                )]
                .into(),
                said: Said::default(),
                kms_images: vec!["images: kms: dstack-kms 0.6.6".to_owned()],
            })
        );
    }
}
