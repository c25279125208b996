//! The form of a file of reference values: its tables, and its limits.

use chrono::NaiveDate;

use super::advisory::Advisory;
use super::limits::{MAX_FILE_BYTES, MAX_ROWS};
use super::os_image::{KnownFirmware, VmShape};
use super::row::{Day, ReferenceRow, RowReader};
use super::{
    KmsImageRow, KmsRow, OsImageRow, ReferenceError, ReferenceProblem, RiskyName, RowOrigin, ScriptRow,
};
use crate::toml_text::{self, FoundMistakes, Position, TomlTable};

/// The tables of a file.
const TABLES: [&str; 8] = [
    KnownFirmware::TABLE,
    OsImageRow::TABLE,
    VmShape::TABLE,
    Advisory::TABLE,
    ScriptRow::TABLE,
    KmsRow::TABLE,
    KmsImageRow::TABLE,
    RiskyName::TABLE,
];

/// A file whose rows are well formed.
pub(super) struct ReferenceDocument {
    /// What messages call it.
    pub(super) path: String,
    pub(super) updated: NaiveDate,
    /// Whose file it is.
    pub(super) origin: RowOrigin,
    pub(super) firmware: Vec<PlacedRow<KnownFirmware>>,
    pub(super) images: Vec<PlacedRow<OsImageRow>>,
    pub(super) shapes: Vec<PlacedRow<VmShape>>,
    pub(super) advisories: Vec<PlacedRow<Advisory>>,
    pub(super) scripts: Vec<PlacedRow<ScriptRow>>,
    pub(super) kms: Vec<PlacedRow<KmsRow>>,
    pub(super) kms_images: Vec<PlacedRow<KmsImageRow>>,
    pub(super) risky_names: Vec<PlacedRow<RiskyName>>,
}

/// A row, and where it stands.
pub(super) struct PlacedRow<T> {
    pub(super) row: T,
    pub(super) place: Position,
}

impl ReferenceDocument {
    /// Reads a file. `path` is for messages only.
    pub(super) fn parse(path: &str, file: &[u8]) -> Result<Self, ReferenceError> {
        let (read, found) = toml_text::read(file, path, MAX_FILE_BYTES, Self::of_root);
        match (found.error(), read.flatten()) {
            (Some(error), _) => Err(error),
            (None, Some(document)) => Ok(document),
            (None, None) => Err(toml_text::Mistake::of_file(path, ReferenceProblem::NoRow).into()),
        }
    }

    fn of_root(mut root: TomlTable<'_>, mistakes: &mut FoundMistakes<ReferenceProblem>) -> Option<Self> {
        let file = root.file();
        let mut rows = 0;
        let firmware = take(&mut root, &mut rows, mistakes);
        let images = take(&mut root, &mut rows, mistakes);
        let shapes = take(&mut root, &mut rows, mistakes);
        let advisories = take(&mut root, &mut rows, mistakes);
        let scripts = take(&mut root, &mut rows, mistakes);
        let kms = take(&mut root, &mut rows, mistakes);
        let kms_images = take(&mut root, &mut rows, mistakes);
        let risky_names: Vec<PlacedRow<RiskyName>> = take(&mut root, &mut rows, mistakes);
        // Each further name of a row counts as a row.
        rows += risky_names
            .iter()
            .map(|placed| placed.row.names.len() - 1)
            .sum::<usize>();
        match rows {
            0 => mistakes.note(file.mistake_at(None, ReferenceProblem::NoRow)),
            _ if rows > MAX_ROWS => {
                mistakes.note(file.mistake_at(None, ReferenceProblem::TooManyRows(rows)));
            }
            _ => {}
        }
        let mut head = RowReader::new(root, mistakes);
        let updated: Option<Day> = head.required("updated");
        head.finish(&TABLES);
        Some(Self {
            path: file.path().to_owned(),
            updated: updated?.0,
            origin: RowOrigin::BuiltIn,
            firmware,
            images,
            shapes,
            advisories,
            scripts,
            kms,
            kms_images,
            risky_names,
        })
    }

    /// The same, with rows that say that they are of a user's file.
    pub(super) fn of_user(mut self) -> Self {
        self.origin = RowOrigin::File;
        let images = self.images.iter_mut().map(|placed| &mut placed.row.origin);
        let shapes = self.shapes.iter_mut().map(|placed| &mut placed.row.origin);
        let scripts = self.scripts.iter_mut().map(|placed| &mut placed.row.origin);
        let kms = self.kms.iter_mut().map(|placed| &mut placed.row.origin);
        let origins = images.chain(shapes).chain(scripts).chain(kms);
        origins.for_each(|origin| *origin = RowOrigin::File);
        self
    }
}

/// Takes the rows of a table, and counts them.
fn take<T: ReferenceRow>(
    root: &mut TomlTable<'_>,
    rows: &mut usize,
    mistakes: &mut FoundMistakes<ReferenceProblem>,
) -> Vec<PlacedRow<T>> {
    let Some(entry) = root.take(T::TABLE) else {
        return Vec::new();
    };
    let items = entry
        .into_items()
        .map_err(|entry| entry.type_error("a list of tables with two brackets around the name"));
    let Some(items) = mistakes.keep(items) else {
        // A table that stands alone is a row that is written wrong.
        *rows += 1;
        return Vec::new();
    };
    *rows += items.len();
    let mut found = Vec::new();
    // More rows than are read are refused as a whole.
    for item in items.into_iter().take(MAX_ROWS) {
        match item.into_table() {
            Err(item) => mistakes.note(item.type_error("a table")),
            Ok(table) => {
                let place = table.position();
                let mut reader = RowReader::new(table, mistakes);
                found.extend(T::read(&mut reader).map(|row| PlacedRow { row, place }));
                reader.finish(&[]);
            }
        }
    }
    found
}
