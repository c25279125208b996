//! Settings and lock in, policy out.

use std::collections::{BTreeMap, BTreeSet};

use super::named_files::FilesOfPlan;
use super::reader::{SettingsReader, word};
use super::setting_problem::SettingProblem;
use super::source_rules::source_policy;
use super::{release, tls_mode};
use crate::config::Settings;
use crate::engine::now;
use cvm_verify_core::evidence::parse_user_hex;
use cvm_verify_core::policy::{
    Expected, Freshness, GpuExpectations, GpuMode, GpuVerifier, ImagePinsPolicy, KeyProviders,
    LaunchInputsPolicy, MrConfigIdPolicy, Origin, PlatformList, Policy, PolicyProblem, ReportDataPolicy,
    TcbException, TcbPolicy, Verifier,
};
use cvm_verify_core::reference::ReferenceValues;
use cvm_verify_core::report::{AssuranceError, CheckId, RequiredAssurance};
use cvm_verify_core::tiers::can_be_granted;

/// What the user expects, and the compose document if it was given as a file.
pub(crate) struct Expectations {
    pub policy: Policy,
    pub compose_file: Option<Vec<u8>>,
}

/// Who verifies quotes.
pub(crate) fn verifier(settings: &Settings) -> Verifier {
    word(settings, "verifier", Verifier::of_word)
}

/// Builds the policy that a deployment is judged against at a time, Unix seconds. `target` is its name in a lock of
/// several.
///
/// How far ahead an exception may end is counted from today, when a recording is judged at its own time as well: the limit is for who
/// writes the exception.
pub(crate) fn expectations(
    settings: &Settings,
    target: Option<&str>,
    at: u64,
    files: &mut FilesOfPlan,
) -> Result<Expectations, Vec<SettingProblem>> {
    let at = at.max(now());
    let mut reader = SettingsReader {
        settings,
        problems: Vec::new(),
    };
    let compose_file = reader.compose_file();
    let compose_hash = reader.compose_hash(compose_file.as_deref());
    let layout = reader.layout();
    let reference = reader.reference(files);
    let os_image = reader.os_image(&reference, files);
    let policy = Policy {
        compose_hash,
        given_document: SettingsReader::given_document(compose_file.as_deref()),
        second_compose_hash: reader.second_hash(),
        docker_compose: reader.docker_compose(compose_file.as_deref()),
        app_id: reader.app_id(),
        instance_ids: reader.instance_ids(),
        min_instances: reader.parsed("instances", |text| {
            text.parse()
                .map_err(|_| "write a whole number from 1 on: how many instances must run at least")
        }),
        platforms: reader.platforms(),
        launch_inputs: reader.word("launch-inputs", LaunchInputsPolicy::of_word),
        verifier: verifier(settings),
        key_provider: reader.key_provider(&reference),
        mr_config_id: reader.word("mr-config-id", MrConfigIdPolicy::of_word),
        freshness: reader.word("freshness", Freshness::of_word),
        image_pins: reader.word("image-pins", ImagePinsPolicy::of_word),
        gpu: reader.gpu(),
        tls_binding: reader.parsed("tls-binding", str::parse).unwrap_or_default(),
        endpoint_probe: !reader.is("endpoint-probe", "never"),
        report_data: ReportDataPolicy {
            layout,
            key: reader.report_data_key(layout),
            value: reader.report_data_value(),
        },
        tcb: reader.tcb(),
        kms: reader.kms(&reference),
        governance: reader.governance(),
        required: reader
            .parsed("require-assurance", required_assurance)
            .unwrap_or(RequiredAssurance::CODE),
        waivers: waivers(settings),
        settings: settings.origins(),
        demanded: demanded(settings),
        reference,
        // Of two that contradict each other the higher level counts.
        os_image_origin: ["os-image-files", "os-image"]
            .into_iter()
            .filter_map(|key| settings.one(key))
            .max_by_key(|value| value.level)
            .map(|value| value.origin.clone()),
        ..Policy::default()
    };
    let policy = match settings.one("lock") {
        None => reader.without_lock(os_image, policy),
        Some(value) => reader.with_lock(value, target, os_image, policy, files),
    };
    let sources = source_policy(settings, &policy.sources, &mut reader.problems);
    let mut policy = Policy { sources, ..policy };
    reader.problems.extend(tls_mode::check(&policy, settings));
    // What is missing may only be written wrongly.
    if reader.problems.is_empty() {
        reader
            .problems
            .extend(release::check(&mut policy, settings, files));
        reader.add(policy.not_compared());
    }
    reader.add(policy.late_ends(at));
    if reader.problems.is_empty() {
        Ok(Expectations { policy, compose_file })
    } else {
        Err(reader.problems)
    }
}

/// Checks whose strictness is written down: the setting of a check's own name, and the files that say which image runs.
fn demanded(settings: &Settings) -> BTreeSet<CheckId> {
    let is_written = |check: &CheckId| {
        settings.one(check.as_str()).is_some()
            || *check == CheckId::OsImage && settings.one("os-image-files").is_some()
    };
    CheckId::ALL.into_iter().filter(is_written).collect()
}

/// What a run must prove. A tier that no check of this version can grant is a mistake and not a verdict that never passes.
fn required_assurance(text: &str) -> Result<RequiredAssurance, String> {
    let required: RequiredAssurance = text.parse().map_err(|error: AssuranceError| error.to_string())?;
    match required.sides().iter().find(|side| !can_be_granted(*side)) {
        Some(side) => Err(format!(
            "no check of this version can prove `{side}`: leave it out"
        )),
        None => Ok(required),
    }
}

/// Where each waiver is written.
fn waivers(settings: &Settings) -> BTreeMap<CheckId, Origin> {
    let of = |id: CheckId| {
        let written = settings.one(id.as_str())?;
        (written.text.trim() == "unchecked").then(|| (id, written.origin.clone()))
    };
    CheckId::ALL.into_iter().filter_map(of).collect()
}

impl SettingsReader<'_> {
    fn instance_ids(&mut self) -> Option<Expected<Vec<[u8; 20]>>> {
        self.list("instance-id", |text| {
            parse_user_hex(text).map_err(|error| format!("the value {error}"))
        })
    }

    fn platforms(&mut self) -> Option<Expected<PlatformList>> {
        let listed = self.list("platform-id", str::parse)?;
        let value = self.settings.one("platform-id")?;
        let list = self.kept("platform-id", value, PlatformList::new(listed.value))?;
        let origin = listed.origin;
        Some(Expected { value: list, origin })
    }

    /// A waiver beside what it waives, both by option, is a slip. In a policy file a target may waive what its defaults expect.
    fn refuse_waived_gpus(&mut self) {
        let option = |key| {
            let value = self.settings.one(key)?;
            matches!(value.origin, Origin::Option(_)).then_some(value)
        };
        let Some(waiver) = option("gpu").filter(|value| value.text == GpuMode::Unchecked.as_str()) else {
            return;
        };
        let expected = ["gpu-count", "gpu-model"]
            .into_iter()
            .find(|key| option(key).is_some());
        if let Some(key) = expected {
            let problem =
                format!("waives the GPUs, and --{key} expects something of them; leave one of them out");
            self.problems.push(SettingProblem::of("gpu", waiver, problem));
        }
    }

    fn gpu(&mut self) -> GpuExpectations {
        self.refuse_waived_gpus();
        GpuExpectations {
            mode: self.word("gpu", GpuMode::of_word),
            count: self.expected("gpu-count", |text| match text.parse::<u32>() {
                Ok(count) if count <= 16 => Ok(count),
                _ => Err("write a whole number from 0 to 16: how many GPUs there must be"),
            }),
            models: self.list("gpu-model", str::parse),
            switches_required: self.is("gpu-switches", "required"),
            verifier: self.word("gpu-verifier", GpuVerifier::of_word),
            ..GpuExpectations::default()
        }
    }

    fn key_provider(&mut self, reference: &ReferenceValues) -> Option<Expected<KeyProviders>> {
        self.expected("key-provider", |text| KeyProviders::parse(text, reference))
    }

    /// What is wrong with the policy as a whole, where its settings are written.
    fn add(&mut self, problems: Vec<PolicyProblem>) {
        for PolicyProblem {
            key, origin, text, ..
        } in problems
        {
            let mut values = self.settings.all(key).iter();
            let written = values.find(|value| origin.as_ref().is_none_or(|origin| value.origin == *origin));
            self.problems.push(match written {
                Some(value) if key == "lock" => SettingProblem::of_named_file(key, value, text),
                Some(value) => SettingProblem::of(key, value, text),
                None => SettingProblem::Other(text),
            });
        }
    }

    fn tcb(&mut self) -> TcbPolicy {
        let mut exceptions = Vec::new();
        for value in self.settings.all("accept-tcb") {
            let exception = value.text.parse::<TcbException>().map(|exception| TcbException {
                origin: Some(value.origin.clone()),
                ..exception
            });
            exceptions.extend(self.kept("accept-tcb", value, exception));
        }
        TcbPolicy {
            exceptions,
            min_eval_data_number: self.parsed("min-tcb-eval-data-number", str::parse),
        }
    }
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
