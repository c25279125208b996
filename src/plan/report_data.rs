//! What settings expect in the report data: where the nonce is in it, and a value of the user's own.

use super::reader::SettingsReader;
use crate::usage_error::UsageError;
use cvm_verify_core::evidence::{parse_user_hex, parse_user_hex_up_to};
use cvm_verify_core::verify::{Layout, UnknownLayout};

impl SettingsReader<'_> {
    /// 32 bytes; an address of Private AI may have 20, and is padded as its app pads it.
    pub(super) fn report_data_key(&mut self, layout: Option<Layout>) -> Option<[u8; 32]> {
        let value = self.settings.one("report-data-key")?;
        let of_layout = self.settings.one("report-data").map(|layout| layout.level);
        // A higher level has another layout, which replaces that of the key.
        if !layout.is_some_and(Layout::has_key) && of_layout.is_some_and(|level| level > value.level) {
            return None;
        }
        self.parsed("report-data-key", |text| match parse_user_hex::<20>(text) {
            Ok(address) if layout == Some(Layout::PrivateAi) => {
                let mut key = [0; 32];
                key.iter_mut().zip(address).for_each(|(to, from)| *to = from);
                Ok(key)
            }
            _ => parse_user_hex(text).map_err(|error| format!("the value {error}")),
        })
    }

    pub(super) fn report_data_value(&mut self) -> Option<[u8; 64]> {
        let bytes = self.parsed("report-data-value", |text| {
            parse_user_hex_up_to(text, 64).map_err(|error| format!("the value {error}"))
        })?;
        let mut value = [0; 64];
        value.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        Some(value)
    }

    pub(super) fn layout(&mut self) -> Option<Layout> {
        self.parsed("report-data", layout_of).flatten()
    }
}

/// `auto` is not a layout: exactly raw or exactly ascii.
pub(crate) fn layout(text: &str) -> Result<Option<Layout>, UsageError> {
    layout_of(text).map_err(|error| UsageError::option("--report-data", error))
}

fn layout_of(text: &str) -> Result<Option<Layout>, UnknownLayout> {
    match text {
        "auto" => Ok(None),
        name => name.parse().map(Some),
    }
}
