//! Phala's own pre-launch scripts: what Phala Cloud puts into each compose document as `pre_launch_script`.

use super::row::{ReferenceRow, RowReader, read_row};
use super::value::{Bytes, Text};
use super::{ReferenceValues, RowOrigin};

/// A text of a script of Phala's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptRow {
    /// The version that it prints, `v` left out.
    pub version: Text,
    /// Whose it is; absent for Phala.
    pub author: Option<Text>,
    /// SHA-256 of its text.
    pub sha256: Bytes<32>,
    /// In which form it is known.
    pub text: ScriptText,
    /// Where it was read.
    pub source: Text,
    /// When.
    pub date: Text,
    /// Whose row it is.
    pub origin: RowOrigin,
}

crate::word_enum! {
    /// In which form a text is known.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum ScriptText {
        /// This very text is public.
        Published = "published",
        /// The published text as a Python literal in triple quotes reads it.
        Deployed = "deployed",
        /// Seen in a deployment alone.
        Observed = "observed",
    }
}

impl ReferenceRow for ScriptRow {
    const TABLE: &'static str = "script";

    fn read(row: &mut RowReader<'_, '_>) -> Option<Self> {
        Some(read_row!(row:
            version = required("version"),
            author = optional("author"),
            sha256 = required("sha256"),
            text = required("text");
            origin = RowOrigin::BuiltIn
        ))
    }
}

impl ScriptRow {
    /// Whose it is and its version: `Phala's 0.0.19`.
    #[must_use]
    pub fn title(&self) -> String {
        let author = self.author.as_ref().map_or("Phala", |author| author.as_str());
        format!("{author}'s {}", self.version)
    }

    /// Whether anyone can have read the text, because it or the text that it is made of was published.
    #[must_use]
    pub(crate) fn is_published(&self) -> bool {
        self.text != ScriptText::Observed
    }
}

#[doc(hidden)]
impl ReferenceValues {
    /// Every known text, the newest first.
    #[must_use]
    pub fn scripts(&self) -> &[ScriptRow] {
        &self.scripts
    }

    /// The script with this hash, hex in lower case.
    #[must_use]
    pub fn script(&self, sha256: &str) -> Option<&ScriptRow> {
        let hash: [u8; 32] = hex::decode(sha256).ok()?.try_into().ok()?;
        let is_lower = !sha256.bytes().any(|byte| byte.is_ascii_uppercase());
        self.scripts
            .iter()
            .find(|script| is_lower && script.sha256.0 == hash)
    }
}
