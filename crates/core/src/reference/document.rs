//! The form of a file of reference values, and what a row must be.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::NaiveDate;
use serde::Deserialize;

use super::advisory::Advisory;
use super::os_image::{KnownFirmware, OsClass, RawImage, VmShape};
use super::value::Text;
use super::{KmsRow, OsImageRow, ReferenceValues, RiskyName, ScriptRow};

/// Bytes of a user's file, at most.
pub const MAX_FILE_BYTES: usize = 1024 * 1024;

/// Rows of a file, at most, over all its tables.
pub const MAX_ROWS: usize = 4096;

/// Why reference values are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Too many bytes.
    #[error("it has {0} bytes; at most {MAX_FILE_BYTES} are read")]
    TooLarge(usize),
    /// Not UTF-8.
    #[error("it is not UTF-8")]
    NotText,
    /// Not TOML of the known form.
    #[error("{name}: {problem}")]
    Form {
        /// The file.
        name: String,
        /// What is wrong, with line and column.
        problem: String,
    },
    /// Too many rows.
    #[error("it has {0} rows; at most {MAX_ROWS} are read")]
    TooManyRows(usize),
    /// No row at all.
    #[error("it has no row")]
    Empty,
    /// A row that is not well formed.
    #[error("the row {row:?} of [[{table}]] is refused: {problem}")]
    Row {
        /// The table.
        table: &'static str,
        /// What it calls itself.
        row: String,
        /// What is wrong.
        problem: String,
    },
    /// A row that says something else than one that is already there.
    #[error(
        "the row {row:?} of [[{table}]] contradicts another row ({other}): {problem}. A file adds rows, and changes none; remove \
         the row"
    )]
    Contradiction {
        /// The table.
        table: &'static str,
        /// What it calls itself.
        row: String,
        /// The row that is already there.
        other: String,
        /// What differs.
        problem: &'static str,
    },
}

/// A file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDocument {
    updated: Text,
    #[serde(default)]
    firmware: Vec<KnownFirmware>,
    #[serde(default)]
    image: Vec<RawImage>,
    #[serde(default)]
    rtmr0: Vec<VmShape>,
    #[serde(default)]
    advisory: Vec<Advisory>,
    #[serde(default)]
    script: Vec<ScriptRow>,
    #[serde(default)]
    kms: Vec<KmsRow>,
    #[serde(default)]
    risky_name: Vec<RiskyName>,
}

/// A file whose rows are well formed.
pub(super) struct ReferenceDocument {
    pub(super) updated: NaiveDate,
    firmware: Vec<KnownFirmware>,
    images: Vec<OsImageRow>,
    shapes: Vec<VmShape>,
    advisories: Vec<Advisory>,
    scripts: Vec<ScriptRow>,
    kms: Vec<KmsRow>,
    risky_names: Vec<RiskyName>,
}

impl ReferenceDocument {
    /// Reads a file.
    pub(super) fn parse(name: &str, text: &str) -> Result<Self, ReferenceError> {
        if text.len() > MAX_FILE_BYTES {
            return Err(ReferenceError::TooLarge(text.len()));
        }
        let raw: RawDocument = toml::from_str(text).map_err(|error| ReferenceError::Form {
            name: name.to_owned(),
            problem: error.to_string().trim_end().to_owned(),
        })?;
        let rows = raw.firmware.len()
            + raw.image.len()
            + raw.rtmr0.len()
            + raw.advisory.len()
            + raw.script.len()
            + raw.kms.len()
            + raw.risky_name.len();
        match rows {
            0 => return Err(ReferenceError::Empty),
            _ if rows > MAX_ROWS => return Err(ReferenceError::TooManyRows(rows)),
            _ => {}
        }
        raw.document(name)
    }
}

impl RawDocument {
    fn document(self, name: &str) -> Result<ReferenceDocument, ReferenceError> {
        let updated = day(&self.updated).ok_or_else(|| ReferenceError::Form {
            name: name.to_owned(),
            problem: format!(
                "`updated` is {:?}; a date like 2026-11-25 is expected",
                self.updated.as_str()
            ),
        })?;
        let dates = self
            .firmware
            .iter()
            .map(|row| ("firmware", &row.name, &row.date))
            .chain(self.rtmr0.iter().map(|row| ("rtmr0", &row.shape, &row.date)))
            .chain(self.advisory.iter().map(|row| ("advisory", &row.id, &row.date)))
            .chain(self.script.iter().map(|row| ("script", &row.version, &row.date)))
            .chain(self.kms.iter().map(|row| ("kms", &row.name, &row.date)))
            .chain(
                self.risky_name
                    .iter()
                    .map(|row| ("risky_name", &row.name, &row.date)),
            );
        for (table, name, date) in dates {
            check_date(table, name, date)?;
        }
        let bad = |table, row: &Text, problem: &str| ReferenceError::Row {
            table,
            row: row.to_string(),
            problem: problem.to_owned(),
        };
        for row in &self.kms {
            if let Some(problem) = row.problem() {
                return Err(bad("kms", &row.name, problem));
            }
        }
        for row in &self.risky_name {
            if let Some(problem) = row.problem() {
                return Err(bad("risky_name", &row.name, problem));
            }
        }
        for row in &self.advisory {
            if row.affected.is_empty() {
                return Err(bad(
                    "advisory",
                    &row.id,
                    "`affected` is empty, so that it concerns no image",
                ));
            }
        }
        let mut images = Vec::new();
        for raw in self.image {
            let name = raw.name().clone();
            let row = raw.row().map_err(|problem| bad("image", &name, &problem))?;
            check_date("image", &row.name, &row.date)?;
            if matches!(row.class, OsClass::Production | OsClass::Development)
                && row.name.contains("-dev-") != (row.class == OsClass::Development)
            {
                return Err(bad(
                    "image",
                    &row.name,
                    "the name and the `class` disagree on whether it is a development image",
                ));
            }
            images.push(row);
        }
        Ok(ReferenceDocument {
            updated,
            firmware: self.firmware,
            images,
            shapes: self.rtmr0,
            advisories: self.advisory,
            scripts: self.script,
            kms: self.kms,
            risky_names: self.risky_name,
        })
    }
}

fn day(text: &str) -> Option<NaiveDate> {
    (text.len() == 10)
        .then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())
        .flatten()
}

fn check_date(table: &'static str, row: &Text, date: &Text) -> Result<(), ReferenceError> {
    match day(date) {
        Some(_) => Ok(()),
        None => Err(ReferenceError::Row {
            table,
            row: row.to_string(),
            problem: format!(
                "`date` is {:?}; a date like 2026-11-25 is expected",
                date.as_str()
            ),
        }),
    }
}

impl ReferenceValues {
    /// Adds the rows of a file. A row that is there already adds nothing; one that contradicts another is refused.
    pub(super) fn add(&mut self, document: ReferenceDocument) -> Result<(), ReferenceError> {
        let contradiction = |table, row: &str, other: &str, problem| {
            Err(ReferenceError::Contradiction {
                table,
                row: row.to_owned(),
                other: other.to_owned(),
                problem,
            })
        };
        // A firmware of an image that is there already would let it be found with further registers.
        let taken: HashSet<Text> = self.firmware.iter().map(|row| row.name.clone()).collect();
        for row in document.firmware {
            if self
                .firmware
                .iter()
                .any(|other| other.name == row.name && other.mrtd == row.mrtd)
            {
                continue;
            }
            if taken.contains(&row.name) {
                return contradiction(
                    "firmware",
                    &row.name,
                    &row.name,
                    "a firmware of that name has other MRTDs",
                );
            }
            self.firmware.push(row);
        }
        for row in document.images {
            self.add_image(row)?;
        }
        for row in document.shapes {
            match self.shapes.iter().find(|other| other.value == row.value) {
                None => self.shapes.push(row),
                Some(other) if other.shape == row.shape => {}
                Some(other) => {
                    return contradiction(
                        "rtmr0",
                        &row.shape,
                        &other.shape,
                        "the value is that of another shape",
                    );
                }
            }
        }
        for row in document.advisories {
            let names =
                |row: &Advisory| -> HashSet<Text> { row.aliases.iter().chain([&row.id]).cloned().collect() };
            match self.advisories.iter().find(|other| other.id == row.id) {
                None => self.advisories.push(row),
                Some(other)
                    if (other.grade, &other.affected, names(other))
                        == (row.grade, &row.affected, names(&row)) => {}
                Some(other) => {
                    return contradiction(
                        "advisory",
                        &row.id,
                        &other.id,
                        "the grade or the affected versions differ",
                    );
                }
            }
        }
        for row in document.scripts {
            match self.scripts.iter().find(|other| other.sha256 == row.sha256) {
                None => self.scripts.push(row),
                Some(other)
                    if (&other.version, other.text, &other.author)
                        == (&row.version, row.text, &row.author) => {}
                Some(other) => {
                    return contradiction(
                        "script",
                        &row.version,
                        &other.version,
                        "the text is known under another version or form",
                    );
                }
            }
        }
        for row in document.kms {
            match self
                .kms
                .iter()
                .find(|other| other.name == row.name || other.id == row.id)
            {
                None => self.kms.push(row),
                Some(other) if other.name == row.name && other.id == row.id => {}
                Some(other) => {
                    return contradiction(
                        "kms",
                        &row.name,
                        &other.name,
                        "the name or the root key is that of another KMS",
                    );
                }
            }
        }
        for row in document.risky_names {
            if !self
                .risky_names
                .iter()
                .any(|other| other.name == row.name && other.matches == row.matches)
            {
                self.risky_names.push(row);
            }
        }
        Ok(())
    }

    fn add_image(&mut self, row: OsImageRow) -> Result<(), ReferenceError> {
        let refuse = |other: &OsImageRow, problem| {
            Err(ReferenceError::Contradiction {
                table: "image",
                row: row.name.to_string(),
                other: other.name.to_string(),
                problem,
            })
        };
        if let Some(registers) = &row.registers
            && !self
                .firmware
                .iter()
                .any(|firmware| firmware.name == registers.firmware)
        {
            return Err(ReferenceError::Row {
                table: "image",
                row: row.name.to_string(),
                problem: format!("no [[firmware]] is named {:?}", registers.firmware.as_str()),
            });
        }
        let same_kernel = |other: &OsImageRow| match (&row.registers, &other.registers) {
            (Some(one), Some(other)) => {
                one.rtmr2 == other.rtmr2
                    && (other.has_rtmr1(&one.rtmr1.0)
                        || one
                            .rtmr1_qemu_10_2
                            .as_ref()
                            .is_some_and(|rtmr1| other.has_rtmr1(&rtmr1.0)))
            }
            _ => false,
        };
        let related = |other: &OsImageRow| {
            other.name == row.name
                || (row.os_image_hash.is_some() && other.os_image_hash == row.os_image_hash)
                || same_kernel(other)
        };
        let Some(place) = self.images.iter().position(|other| related(other)) else {
            self.images.push(Arc::new(row));
            return Ok(());
        };
        let Some(other) = self.images.get(place) else {
            return Ok(());
        };
        if (&other.name, other.class, &other.version, &other.os_image_hash)
            != (&row.name, row.class, &row.version, &row.os_image_hash)
        {
            return refuse(
                other,
                "the name, the hash or the registers are those of another image, or its class or version differ",
            );
        }
        match (&other.registers, &row.registers) {
            (_, None) => Ok(()),
            // What was known by its hash alone is now known by its registers.
            (None, Some(registers)) => {
                let completed = OsImageRow {
                    registers: Some(registers.clone()),
                    ..(**other).clone()
                };
                let known_kernel = self
                    .images
                    .iter()
                    .enumerate()
                    .any(|(at, other)| at != place && same_kernel(other));
                if known_kernel {
                    return refuse(other, "the registers are those of another image");
                }
                if let Some(slot) = self.images.get_mut(place) {
                    *slot = Arc::new(completed);
                }
                Ok(())
            }
            (Some(old), Some(new)) if old == new => Ok(()),
            (Some(_), Some(_)) => refuse(other, "the registers differ"),
        }
    }
}
