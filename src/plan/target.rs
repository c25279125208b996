//! Addresses to verify, and what they are called.

use super::setting_problem::SettingProblem;
use crate::config::{Settings, WrittenValue};
use crate::source::{NamedSource, SOURCES, SourceRow, parse_source, row_of};
use crate::usage_error::UsageError;
use cvm_verify_core::policy::Origin;

/// Parses what stands for a target: an address, or an id where the source is reached by one.
pub(crate) fn parse_target(text: &str, settings: &Settings) -> Result<NamedSource, UsageError> {
    let source = named_source(settings);
    refuse_options_of_other_sources(source, settings)?;
    let given = |key: &str| settings.one(key).map(|value| value.text.as_str());
    parse_source(source, text, &given)
}

/// The same for what settings name.
pub(crate) fn target_of_settings(
    address: &WrittenValue,
    settings: &Settings,
) -> Result<NamedSource, SettingProblem> {
    parse_target(&address.text, settings).map_err(|error| match &address.origin {
        Origin::File { .. } => SettingProblem::of("url", address, error),
        _ => SettingProblem::Other(error.to_string()),
    })
}

/// The source that settings name, or the first one: the app.
pub(crate) fn named_source(settings: &Settings) -> &'static SourceRow {
    let named = settings.one("source").and_then(|value| row_of(&value.text));
    named.unwrap_or(&crate::source::app::ROW)
}

/// An option that would do nothing is a mistake.
fn refuse_options_of_other_sources(source: &SourceRow, settings: &Settings) -> Result<(), UsageError> {
    for other in SOURCES.iter().filter(|other| other.name != source.name) {
        if let Some(option) = other.options.iter().find(|key| settings.one(key).is_some()) {
            return Err(UsageError::option(
                &format!("--{option}"),
                format!("it is only for --source {}", other.name),
            ));
        }
    }
    Ok(())
}
