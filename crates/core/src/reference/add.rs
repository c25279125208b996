//! Rows of a file, added to those that are known. A row that is there already adds nothing; one that contradicts another is refused.

use std::collections::HashSet;
use std::sync::Arc;

use super::document::{PlacedRow, ReferenceDocument};
use super::os_image::KnownFirmware;
use super::row::ReferenceRow;
use super::value::Text;
use super::{
    Advisory, KmsImageRow, KmsRow, OsImageRow, ReferenceError, ReferenceProblem, ReferenceValues, RiskyName,
    RowOrigin, ScriptRow, VmShape,
};
use crate::toml_text::{FoundMistakes, Mistake};

/// Adds each row, and notes those that are refused.
fn each<T>(
    rows: Vec<PlacedRow<T>>,
    path: &str,
    mistakes: &mut FoundMistakes<ReferenceProblem>,
    mut add: impl FnMut(T) -> Result<(), ReferenceProblem>,
) {
    for PlacedRow { row, place } in rows {
        if let Err(problem) = add(row) {
            mistakes.note(Mistake {
                place: Some(place),
                ..Mistake::of_file(path, problem)
            });
        }
    }
}

/// Why a row is refused that contradicts another one.
fn contradiction<T: ReferenceRow>(
    row: &Text,
    other: &Text,
    problem: &'static str,
) -> Result<(), ReferenceProblem> {
    Err(ReferenceProblem::Contradiction {
        table: T::TABLE,
        row: row.to_string(),
        other: other.to_string(),
        problem,
    })
}

/// Adds a row, unless a related one is there: that must be the same. `compare` says whether two are related, and whether they are the
/// same.
fn add<R: ReferenceRow>(
    rows: &mut Vec<R>,
    row: R,
    name: impl Fn(&R) -> &Text,
    compare: impl Fn(&R, &R) -> (bool, bool),
    problem: &'static str,
) -> Result<(), ReferenceProblem> {
    let related = rows.iter().find_map(|other| match compare(other, &row) {
        (true, is_same) => Some((other, is_same)),
        (false, _) => None,
    });
    match related {
        None => rows.push(row),
        Some((_, true)) => {}
        Some((other, false)) => return contradiction::<R>(name(&row), name(other), problem),
    }
    Ok(())
}

impl ReferenceValues {
    /// Adds the rows of a file. After an error the values are worth nothing.
    pub(super) fn add(&mut self, document: ReferenceDocument) -> Result<(), ReferenceError> {
        let mut found = FoundMistakes::default();
        let path = document.path.as_str();
        // A firmware of an image that is there already would let it be found with further registers.
        let taken: HashSet<Text> = self.firmware.iter().map(|row| row.name.clone()).collect();
        each(document.firmware, path, &mut found, |row| {
            self.add_firmware(row, &taken)
        });
        each(document.images, path, &mut found, |row| self.add_image(row));
        each(document.shapes, path, &mut found, |row| {
            let compare =
                |one: &VmShape, other: &VmShape| (one.value == other.value, one.shape == other.shape);
            let problem = "the value is that of another shape";
            add(&mut self.shapes, row, |row| &row.shape, compare, problem)
        });
        each(document.advisories, path, &mut found, |row| {
            let names =
                |row: &Advisory| -> HashSet<Text> { row.aliases.iter().chain([&row.id]).cloned().collect() };
            let compare = |one: &Advisory, other: &Advisory| {
                let is_same = one.grade == other.grade && one.affected == other.affected;
                (one.id == other.id, is_same && names(one) == names(other))
            };
            let problem = "the grade or the affected versions differ";
            add(&mut self.advisories, row, |row| &row.id, compare, problem)
        });
        each(document.scripts, path, &mut found, |row| {
            let form = |row: &ScriptRow| (row.version.clone(), row.text, row.author.clone());
            let compare =
                |one: &ScriptRow, other: &ScriptRow| (one.sha256 == other.sha256, form(one) == form(other));
            let problem = "the text is known under another version or form";
            add(&mut self.scripts, row, |row| &row.version, compare, problem)
        });
        each(document.kms, path, &mut found, |row| {
            let compare = |one: &KmsRow, other: &KmsRow| {
                let (name, id) = (one.name == other.name, one.id == other.id);
                (name || id, name && id)
            };
            let problem = "the name or the root key is that of another KMS";
            add(&mut self.kms, row, |row| &row.name, compare, problem)
        });
        each(document.kms_images, path, &mut found, |row| {
            let compare = |one: &KmsImageRow, other: &KmsImageRow| {
                let is_same = one.name == other.name && one.weakness == other.weakness;
                (one.digest == other.digest, is_same)
            };
            let problem = "the digest is that of another release, or the weakness differs";
            add(&mut self.kms_images, row, |row| &row.name, compare, problem)
        });
        each(document.risky_names, path, &mut found, |row| {
            self.add_risky_name(row, document.origin)
        });
        found.error().map_or(Ok(()), Err)
    }

    fn add_firmware(&mut self, row: KnownFirmware, taken: &HashSet<Text>) -> Result<(), ReferenceProblem> {
        let same = |other: &KnownFirmware| other.name == row.name && other.mrtd == row.mrtd;
        if self.firmware.iter().any(same) {
            return Ok(());
        }
        if taken.contains(&row.name) {
            return contradiction::<KnownFirmware>(
                &row.name,
                &row.name,
                "a firmware of that name has other MRTDs",
            );
        }
        self.firmware.push(row);
        Ok(())
    }

    fn add_risky_name(&mut self, row: RiskyName, origin: RowOrigin) -> Result<(), ReferenceProblem> {
        let is_there = |name: &Text| {
            let same = |other: &RiskyName| other.matches == row.matches && other.readers == row.readers;
            let mut rows = self.risky_names.iter().filter(|other| same(other));
            rows.any(|other| other.names.contains(name))
        };
        let names: Vec<Text> = row.names.iter().filter(|name| !is_there(name)).cloned().collect();
        let Some(first) = names.first() else {
            return Ok(());
        };
        // A row of a user's file makes a result stricter only: no verdict would show an exception.
        if row.matches.excepts() && origin == RowOrigin::File {
            return Err(ReferenceProblem::Row {
                table: RiskyName::TABLE,
                row: first.to_string(),
                problem: "`ordinary` and `data` names come with the program: accept the place in [[places]] of the lock"
                    .to_owned(),
            });
        }
        let names = names.into();
        self.risky_names.push(RiskyName { names, ..row });
        Ok(())
    }

    fn add_image(&mut self, row: OsImageRow) -> Result<(), ReferenceProblem> {
        let refuse =
            |other: &OsImageRow, problem| contradiction::<OsImageRow>(&row.name, &other.name, problem);
        if let Some(registers) = &row.registers
            && !self
                .firmware
                .iter()
                .any(|firmware| firmware.name == registers.firmware)
        {
            return Err(ReferenceProblem::Row {
                table: OsImageRow::TABLE,
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
                    // What can now be found by its registers rests on them.
                    origin: row.origin,
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
