//! Options as settings: the highest level, over the policy file.

use super::args::{ExpectArgs, SourceArgs};
use crate::config::{Settings, written};

/// What was given by option.
pub(super) fn of_options(expect: &ExpectArgs, source: Option<&SourceArgs>) -> Settings {
    let mut settings = expect
        .keys
        .settings
        .over(&source.map(of_source).unwrap_or_default());
    if expect.require_kms {
        settings.set("kms", written("--require-kms", ["required".to_owned()]));
    }
    settings
}

/// What was said of the source.
pub(super) fn of_source(source: &SourceArgs) -> Settings {
    let mut settings = source.keys.settings.clone();
    if source.no_endpoint_probe {
        let never = written("--no-endpoint-probe", ["never".to_owned()]);
        settings.set("endpoint-probe", never);
    }
    settings
}

/// The word of a value among named ones.
pub(super) fn word<V: clap::ValueEnum>(value: &V) -> String {
    value
        .to_possible_value()
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default()
}
