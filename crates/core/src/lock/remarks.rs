//! The remarks `# known: …` of a lock, compared with the tables.
//!
//! The file tells a reviewer that such a line needs no look, so the remark is a claim of the file like any other. Anyone who changes a
//! value can leave the remark as it was.

use std::collections::BTreeSet;

use super::comments::lines_of;
use super::write::{BY_A_FILE, KNOWN, provider_provenance};
use super::{DEFAULT_TD_ATTRIBUTES, read_tool};
use crate::reference::ReferenceValues;

/// Characters of a remark that are shown.
const MAX_SHOWN: usize = 80;

/// A line of a lock that says `known: …` of a value that the tables do not have under that name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfoundedRemark {
    /// The key of the line, without its section. Empty where the remark stands behind no key.
    pub key: String,
    /// What it says.
    pub remark: String,
    /// Where the line begins, in bytes.
    pub at: usize,
    /// The version of cvm-verify that the lock says it was written by, where it is another one than this: its tables may have been
    /// others. Absent where it is this version, and where the lock says none.
    pub of_version: Option<String>,
}

/// The remarks of a lock file that the built-in tables do not bear out. Of a file that cannot be read as a lock it means nothing.
#[must_use]
pub fn unfounded_remarks(text: &str) -> Vec<UnfoundedRemark> {
    let mut version = None;
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for line in lines_of(text).0 {
        let (_, name) = line.key.rsplit_once('\n').unwrap_or(("", &line.key));
        let value = line.value.trim_matches(['"', '\'']);
        if name == "tool" {
            version = read_tool(value);
        }
        // A row of a user's file is said to be one, and is to be reviewed.
        let remark = line.trailing.filter(|remark| is_claim(remark));
        let claimed = remark.filter(|remark| !remark.contains(BY_A_FILE));
        seen.insert(line.end);
        if let Some(remark) = claimed.filter(|remark| !is_founded(name, value, remark)) {
            found.push(UnfoundedRemark {
                key: name.to_owned(),
                remark: remark.chars().take(MAX_SHOWN).collect(),
                at: line.start,
                of_version: version
                    .clone()
                    .filter(|version| version != env!("CARGO_PKG_VERSION")),
            });
        }
    }
    // The program writes each value on one line: a remark behind anything else is not its own.
    let mut start = 0;
    for raw in text.split_inclusive('\n') {
        let line = raw.trim_end_matches(['\n', '\r']);
        let (before, remark) = line.rsplit_once('#').unwrap_or_default();
        let remark = remark.trim();
        if !seen.contains(&(start + line.len())) && !before.trim().is_empty() && is_claim(remark) {
            found.push(UnfoundedRemark {
                key: String::new(),
                remark: remark.chars().take(MAX_SHOWN).collect(),
                at: start,
                of_version: None,
            });
        }
        start += raw.len();
    }
    found
}

/// Whether a comment says that its value is known, as a person reads it.
fn is_claim(comment: &str) -> bool {
    let comment = comment.to_ascii_lowercase();
    comment
        .strip_prefix("known")
        .is_some_and(|rest| rest.trim_start().starts_with(':'))
}

/// Whether the program would write this remark behind the value.
fn is_founded(name: &str, value: &str, remark: &str) -> bool {
    let tables = ReferenceValues::built_in();
    let claim = remark.strip_prefix(KNOWN).unwrap_or_default();
    match name {
        "key_provider" => value
            .parse()
            .is_ok_and(|providers| provider_provenance(&providers) == remark),
        "td_attributes" => {
            bytes::<8>(value) == Some(DEFAULT_TD_ATTRIBUTES) && claim == super::write::DEFAULT_ATTRIBUTES
        }
        "rtmr0" => bytes(value).is_some_and(|value| {
            tables
                .shape_of(&value)
                .is_some_and(|shape| super::write::known(shape) == remark)
        }),
        "mrtd" | "rtmr1" | "rtmr2" => bytes(value).is_some_and(|value| {
            let mut rows = tables.images().iter();
            rows.any(|row| {
                super::write::known(row.name.as_str()) == remark && tables.has_register(row, name, &value)
            })
        }),
        _ => false,
    }
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut value = [0; N];
    let digits = text.trim();
    let digits = digits.strip_prefix("0x").unwrap_or(digits);
    hex::decode_to_slice(digits, &mut value).ok().map(|()| value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Lock, LockProblem, Notes, SCHEMA, arbitrary};
    use super::*;

    const OWN: &str = concat!("cvm-verify ", env!("CARGO_PKG_VERSION"));

    fn lock(tool: Option<&str>, lines: &str) -> String {
        let tool = tool
            .map(|tool| format!("tool = \"{tool}\"\n"))
            .unwrap_or_default();
        format!("schema = \"{SCHEMA}\"\n{tool}{lines}")
    }

    fn phala() -> String {
        let row = ReferenceValues::built_in().kms().first().unwrap();
        format!(
            "key_provider = \"kms:{}\" # known: {}\n",
            row.id.as_str(),
            row.name
        )
    }

    #[test]
    fn a_remark_that_the_tables_do_not_bear_out_is_a_mistake_of_the_file() {
        let foreign = format!("key_provider = \"kms:{}\" # known: phala\n", "30".repeat(91));
        for lines in [
            foreign.as_str(),
            "[platform]\ntd_attributes = \"0100001000000000\" # known: the default of dstack\n",
            "compose_hash = \"aa\" # known: our release\n",
            "[target.a]\nkey_provider = \"kms:aaaa\" # known: phala\n",
            "key_provider = \"kms:aaaa\" #Known : phala\n",
            "\"key_provider\" = \"kms:aaaa\" # known: phala\n",
            "os_image.mrtd = \"aa\" # known: dstack-0.5.8\n",
            "[os_image] # known: dstack-0.5.8\nmrtd = \"aa\"\n",
        ] {
            for tool in [Some(OWN), None] {
                let found = unfounded_remarks(&lock(tool, lines));
                assert_eq!(found.len(), 1, "{lines}");
                assert_eq!(found[0].of_version, None, "{lines}");
            }
            let found = unfounded_remarks(&lock(Some("cvm-verify 99.0.0"), lines));
            assert_eq!(found[0].of_version.as_deref(), Some("99.0.0"), "{lines}");
        }
        let error = Lock::parse(&lock(Some(OWN), &foreign), "cvm.lock").unwrap_err();
        assert!(
            matches!(&error.all()[0].problem, LockProblem::UnfoundedRemark(remark) if remark == "known: phala"),
            "{error}"
        );
        let said = error.to_string();
        assert!(
            said.contains("cvm.lock:3:1: `key_provider` says `known: phala`"),
            "{said}"
        );
        // A value on several lines hides no remark.
        let several = "app_id = \"\"\"\naa\"\"\" # known: phala\n";
        assert_eq!(
            unfounded_remarks(&lock(Some("cvm-verify 99.0.0"), several)).len(),
            1
        );
        // A newer or an older table may have it.
        assert!(Lock::parse(&lock(Some("cvm-verify 99.0.0"), &foreign), "").is_ok());
        assert!(Lock::parse(&lock(Some(OWN), &foreign.replace("known: phala", "observed")), "").is_ok());
    }

    #[test]
    fn what_the_program_writes_is_borne_out() {
        for lines in [
            phala().as_str(),
            "[platform]\ntd_attributes = \"0000001000000000\" # known: the default of dstack\n",
            "[os_image]\nmrtd = \"aa\" # known: our-os-1.0, by a file: ref.toml\n",
            "[os_image]\nmrtd = \"aa\" # observed\n",
        ] {
            assert_eq!(unfounded_remarks(&lock(Some(OWN), lines)), [], "{lines}");
        }
        let tables = ReferenceValues::built_in();
        for row in tables.images() {
            let Some(registers) = &row.registers else { continue };
            let mut lines = "[os_image]\n".to_owned();
            for mrtd in tables.mrtds_of(row) {
                lines.push_str(&format!(
                    "mrtd = \"{}\" # known: {}\n",
                    hex::encode(mrtd),
                    row.name
                ));
            }
            for (name, value) in [("rtmr1", &registers.rtmr1), ("rtmr2", &registers.rtmr2)] {
                lines.push_str(&format!(
                    "{name} = \"{}\" # known: {}\n",
                    hex::encode(value.0),
                    row.name
                ));
            }
            assert_eq!(unfounded_remarks(&lock(Some(OWN), &lines)), [], "{lines}");
        }
        for shape in tables.shapes() {
            let value = hex::encode(shape.value.0);
            let lines = format!(
                "[os_image]\nrtmr0 = \"{value}\" # known: {}\n",
                tables.shape_of(&shape.value.0).unwrap()
            );
            assert_eq!(unfounded_remarks(&lock(Some(OWN), &lines)), [], "{lines}");
        }
    }

    proptest! {
        #[test]
        fn a_lock_that_says_observed_is_never_accused(lock in arbitrary::lock()) {
            let text = lock.to_toml(&Notes::default());
            prop_assert!(unfounded_remarks(&text).is_empty(), "{}", text);
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = unfounded_remarks(&text);
        }
    }
}
