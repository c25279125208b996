//! The documents of `data/` as Rust source: how `built_in.rs` is made of them, so that nothing is parsed when the program starts.
//! `UPDATE_GENERATED=1 cargo test -p cvm-verify-core --lib rust_source` writes it.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use chrono::{Datelike as _, NaiveDate};
use simulator::generated::assert_generated;

use super::advisory::Affected;
use super::document::ReferenceDocument;
use super::os_image::KnownFirmware;
use super::value::{Bytes, Text};
use super::{
    Advisory, Grade, KmsImageRow, KmsRow, OsClass, OsImageRow, ReferenceValues, Registers, ReleaseVersion,
    RiskyName, RiskyNameMatch, RiskyNameReaders, RowOrigin, ScriptRow, ScriptText, Standing, VmShape,
};

const TESTS: &str = "-p cvm-verify-core --lib rust_source";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/reference")
}

/// The documents of `data/` with their names, in the order of their names.
pub(super) fn documents() -> Vec<(String, String)> {
    let entries = std::fs::read_dir(folder().join("data")).expect("the folder");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    let named = |path: PathBuf| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        (name, std::fs::read_to_string(&path).expect("a text"))
    };
    files.into_iter().map(named).collect()
}

/// What the documents say, read as a user's file is read.
pub(super) fn of_documents() -> &'static ReferenceValues {
    static READ: LazyLock<ReferenceValues> = LazyLock::new(|| {
        let mut values = ReferenceValues::empty();
        let mut days = Vec::new();
        for (name, text) in documents() {
            let document =
                ReferenceDocument::parse(&name, text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
            days.push(document.updated);
            values.add(document).unwrap_or_else(|error| panic!("{error}"));
        }
        // They are as old as the oldest of them.
        values.updated = days.into_iter().min().expect("a document");
        values
    });
    &READ
}

/// A value as a constant expression.
trait RustSource {
    fn source(&self) -> String;
}

impl RustSource for Text {
    fn source(&self) -> String {
        format!("Text::fixed({:?})", self.as_str())
    }
}

impl<const N: usize> RustSource for Bytes<N> {
    fn source(&self) -> String {
        let bytes: String = self.0.iter().map(|byte| format!("\\x{byte:02x}")).collect();
        format!("Bytes(*b\"{bytes}\")")
    }
}

impl RustSource for ReleaseVersion {
    fn source(&self) -> String {
        format!(
            "ReleaseVersion::fixed(&{:?}, {:?})",
            self.numbers, self.pre_release
        )
    }
}

impl RustSource for bool {
    fn source(&self) -> String {
        self.to_string()
    }
}

impl<T: RustSource> RustSource for Option<T> {
    fn source(&self) -> String {
        match self {
            Some(value) => format!("Some({})", value.source()),
            None => "None".to_owned(),
        }
    }
}

impl<T: RustSource + Clone> RustSource for Cow<'static, [T]> {
    fn source(&self) -> String {
        let items: Vec<String> = self.iter().map(T::source).collect();
        format!("Cow::Borrowed(&[{}])", items.join(", "))
    }
}

/// Enums without fields.
macro_rules! unit_enums {
    ($($name:ident),* $(,)?) => {
        $(impl RustSource for $name {
            fn source(&self) -> String {
                format!("{}::{self:?}", stringify!($name))
            }
        })*
    };
}

/// Types with fields: one that is not listed here does not compile.
macro_rules! fields {
    ($($name:ident { $($field:ident),* $(,)? })*) => {
        $(impl RustSource for $name {
            fn source(&self) -> String {
                let Self { $($field),* } = self;
                let fields = [$(format!("{}: {}", stringify!($field), $field.source())),*];
                format!("{} {{ {} }}", stringify!($name), fields.join(", "))
            }
        })*
    };
}

unit_enums!(
    Grade,
    OsClass,
    RiskyNameMatch,
    RiskyNameReaders,
    RowOrigin,
    ScriptText,
    Standing
);

fields! {
    Advisory { id, aliases, grade, what, gain, affected, key_provider, source, date }
    Affected { line, before }
    KmsImageRow { name, digest, weakness, source, date }
    KmsRow { name, what, id, governance, source, date, origin }
    KnownFirmware { name, mrtd }
    OsImageRow {
        name, version, class, os_image_hash, registers, kernel_header_normalized, source, date, origin
    }
    Registers { firmware, rtmr1, rtmr1_qemu_10_2, rtmr2, standing }
    RiskyName { names, matches, readers, gains, source, date }
    ScriptRow { version, author, sha256, text, source, date, origin }
    VmShape { value, shape, source, date, origin }
}

fn table<'r, T: RustSource + 'r>(name: &str, rows: impl IntoIterator<Item = &'r T>) -> String {
    let row_type = std::any::type_name::<T>();
    let row_type = row_type.rsplit("::").next().unwrap_or(row_type);
    let rows: String = rows
        .into_iter()
        .map(|row| format!("    {},\n", row.source()))
        .collect();
    format!("\npub(super) static {name}: &[{row_type}] = &[\n{rows}];\n")
}

fn module(values: &ReferenceValues) -> String {
    // Each field by name: a new table does not compile until it is written.
    let ReferenceValues {
        updated,
        firmware,
        images,
        shapes,
        advisories,
        scripts,
        kms,
        kms_images,
        risky_names,
        file_sha256: _,
        file_name: _,
    } = values;
    let day = |date: &NaiveDate| format!("{}, {}, {}", date.year(), date.month(), date.day());
    [
        &format!("//! The rows of `data/`. Made by `UPDATE_GENERATED=1 cargo test {TESTS}`. Do not edit.\n\n"),
        "use std::borrow::Cow;\n\nuse chrono::NaiveDate;\n\n",
        "use super::advisory::Affected;\nuse super::os_image::KnownFirmware;\nuse super::value::{Bytes, Text};\n",
        "use super::{\n    Advisory, Grade, KmsImageRow, KmsRow, OsClass, OsImageRow, Registers, ReleaseVersion, RiskyName,\n",
        "    RiskyNameMatch, RiskyNameReaders, RowOrigin, ScriptRow, ScriptText, Standing, VmShape,\n};\n\n",
        &format!(
            "pub(super) const UPDATED: Option<NaiveDate> = NaiveDate::from_ymd_opt({});\n",
            day(updated)
        ),
        &table("FIRMWARE", firmware),
        &table("IMAGES", images.iter().map(Arc::as_ref)),
        &table("SHAPES", shapes),
        &table("ADVISORIES", advisories),
        &table("SCRIPTS", scripts),
        &table("KMS", kms),
        &table("KMS_IMAGES", kms_images),
        &table("RISKY_NAMES", risky_names),
    ]
    .concat()
}

#[test]
fn the_rows_that_are_built_in_are_those_of_the_documents() {
    let read = of_documents();
    assert_generated(&folder().join("built_in.rs"), &module(read), TESTS);
    let built_in = ReferenceValues::of_built_in_rows();
    assert!(built_in == *read);
}
