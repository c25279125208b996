//! Options as settings: the highest level, over the policy file.

use std::path::Path;

use super::args::{ExpectArgs, SourceArgs};
use super::error::UsageError;
use crate::config::{Origin, Settings, Written};

/// What was given by option.
pub(super) fn of_options(expect: &ExpectArgs, source: Option<&SourceArgs>) -> Result<Settings, UsageError> {
    let mut settings = Settings::default();
    let mut set = |option: &'static str, text: Option<String>| {
        settings.set(
            key_of(option),
            text.map(|text| written(option, text)).into_iter().collect(),
        );
    };
    set(
        "--lock",
        expect
            .lock
            .as_deref()
            .map(|path| text_of("--lock", path))
            .transpose()?,
    );
    set("--compose-hash", expect.compose_hash.clone());
    let compose = expect.app_compose_file.as_deref();
    set(
        "--app-compose-file",
        compose
            .map(|path| text_of("--app-compose-file", path))
            .transpose()?,
    );
    let docker_compose = expect.docker_compose.as_deref();
    set(
        "--docker-compose",
        docker_compose
            .map(|path| text_of("--docker-compose", path))
            .transpose()?,
    );
    set("--also-compose-hash", expect.also_compose_hash.clone());
    set("--app-id", expect.app_id.clone());
    set("--instance-id", expect.instance_id.clone());
    set("--os-image", expect.os_image.clone());
    set("--key-provider", expect.key_provider.clone());
    set("--freshness", expect.freshness.as_ref().map(word));
    set("--image-pins", expect.image_pins.as_ref().map(word));
    set("--report-data", expect.report_data.clone());
    set("--report-data-value", expect.report_data_value.clone());
    set(
        "--min-tcb-eval-data-number",
        expect.min_tcb_eval_data_number.map(|number| number.to_string()),
    );
    set("--require-assurance", expect.require_assurance.as_ref().map(word));
    set(
        "--attestation-path",
        source.and_then(|source| source.attestation_path.clone()),
    );
    set("--info-path", source.and_then(|source| source.info_path.clone()));
    let exceptions = expect.accept_tcb.iter();
    settings.set(
        "accept-tcb",
        exceptions
            .map(|text| written("--accept-tcb", text.clone()))
            .collect(),
    );
    Ok(settings)
}

/// The key of an option: its name without the dashes.
fn key_of(option: &'static str) -> &'static str {
    option.trim_start_matches('-')
}

fn written(option: &'static str, text: String) -> Written {
    Written {
        text,
        origin: Origin::Option(option),
    }
}

/// The word of a value among named ones.
fn word<V: clap::ValueEnum>(value: &V) -> String {
    value
        .to_possible_value()
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default()
}

fn text_of(option: &str, path: &Path) -> Result<String, UsageError> {
    path.to_str()
        .map(str::to_owned)
        .ok_or_else(|| UsageError::option(option, format!("the path {} is not UTF-8", path.display())))
}
