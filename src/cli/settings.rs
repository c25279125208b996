//! Options as settings: the highest level, over the policy file.

use std::path::Path;

use super::args::{ExpectArgs, SourceArgs};
use crate::config::{Settings, written};
use crate::usage_error::UsageError;

/// What was given by option.
pub(super) fn of_options(expect: &ExpectArgs, source: Option<&SourceArgs>) -> Result<Settings, UsageError> {
    let mut settings = source.map(of_source).unwrap_or_default();
    settings.give("--lock", text_of("--lock", expect.lock.as_deref())?);
    settings.give("--compose-hash", expect.compose_hash.clone());
    let document = expect.app_compose_file.as_deref();
    settings.give("--app-compose-file", text_of("--app-compose-file", document)?);
    let docker_compose = expect.docker_compose.as_deref();
    settings.give("--docker-compose", text_of("--docker-compose", docker_compose)?);
    settings.give("--also-compose-hash", expect.also_compose_hash.clone());
    settings.give("--app-id", expect.app_id.clone());
    settings.give("--instance-id", expect.instance_id.clone());
    settings.give("--platform-id", expect.platform_id.clone());
    settings.give("--launch-inputs", expect.launch_inputs.as_ref().map(word));
    settings.give("--os-image", expect.os_image.clone());
    let files = expect.os_image_files.as_deref();
    settings.give("--os-image-files", text_of("--os-image-files", files)?);
    let reference = expect.reference_values.as_deref();
    settings.give("--reference-values", text_of("--reference-values", reference)?);
    settings.give("--mr-config-id", expect.mr_config_id.as_ref().map(word));
    settings.give("--key-provider", expect.key_provider.clone());
    settings.give("--freshness", expect.freshness.as_ref().map(word));
    settings.give("--image-pins", expect.image_pins.as_ref().map(word));
    settings.give("--source-repository", expect.source_repository.clone());
    settings.give("--source-workflow", expect.source_workflow.clone());
    settings.give("--source-ref", expect.source_ref.clone());
    settings.give("--source-commit", expect.source_commit.clone());
    let bundles = expect.provenance_bundle.iter();
    let bundles = bundles.map(|path| text_of("--provenance-bundle", Some(path)));
    let bundles: Vec<Option<String>> = bundles.collect::<Result<_, _>>()?;
    settings.give("--provenance-bundle", bundles.into_iter().flatten());
    let root = expect.sigstore_root.as_deref();
    settings.give("--sigstore-root", text_of("--sigstore-root", root)?);
    settings.give("--report-data", expect.report_data.clone());
    settings.give("--report-data-key", expect.report_data_key.clone());
    settings.give("--report-data-value", expect.report_data_value.clone());
    settings.give("--tls-binding", expect.tls_binding.as_ref().map(word));
    settings.give("--accept-tcb", expect.accept_tcb.clone());
    settings.give("--gpu", expect.gpu.gpu.as_ref().map(word));
    settings.give("--gpu-count", expect.gpu.gpu_count.map(|count| count.to_string()));
    settings.give("--gpu-model", expect.gpu.gpu_model.clone());
    settings.give("--gpu-switches", expect.gpu.gpu_switches.as_ref().map(word));
    settings.give("--gpu-verifier", expect.gpu.gpu_verifier.as_ref().map(word));
    let floor = expect.min_tcb_eval_data_number.map(|number| number.to_string());
    settings.give("--min-tcb-eval-data-number", floor);
    settings.give("--governance", expect.governance.as_ref().map(word));
    settings.give("--require-assurance", expect.require_assurance.clone());
    Ok(settings)
}

/// What was said of the source.
pub(super) fn of_source(source: &SourceArgs) -> Settings {
    let mut settings = Settings::default();
    settings.give("--source", source.source.as_ref().map(word));
    settings.give("--gateway-domain", source.gateway_domain.clone());
    settings.give("--phala-api-url", source.phala_api_url.clone());
    settings.give("--info-url", source.info_url.clone());
    settings.give("--attestation-path", source.attestation_path.clone());
    settings.give("--info-path", source.info_path.clone());
    settings.give("--gpu-path", source.gpu_path.clone());
    if source.no_endpoint_probe {
        let never = written("--no-endpoint-probe", ["never".to_owned()]);
        settings.set("endpoint-probe", never);
    }
    settings.give("--nonce-parameter", source.nonce_parameter.clone());
    settings
}

/// The word of a value among named ones.
pub(super) fn word<V: clap::ValueEnum>(value: &V) -> String {
    value
        .to_possible_value()
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default()
}

pub(super) fn text_of(option: &str, path: Option<&Path>) -> Result<Option<String>, UsageError> {
    let Some(path) = path else {
        return Ok(None);
    };
    match path.to_str() {
        Some(text) => Ok(Some(text.to_owned())),
        None => Err(UsageError::option(
            option,
            format!("the path {} is not UTF-8", path.display()),
        )),
    }
}
