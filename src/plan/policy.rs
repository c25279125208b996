//! Settings and lock in, policy out.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::setting_problem::SettingProblem;
use super::source_rules::source_policy;
use super::{compose_document, release, tls_mode};
use crate::config::{Settings, WrittenValue, path_of};
use crate::files::ReadLock;
use crate::usage_error::UsageError;
use crate::{files, image_source};
use cvm_verify_core::evidence::{KmsBootstrap, MAX_KMS_META_BYTES, parse_user_hex, parse_user_hex_up_to};
use cvm_verify_core::lock::Lock;
use cvm_verify_core::policy::{
    ContractPin, Expected, Freshness, GovernanceMode, GovernancePolicy, GpuExpectations, GpuMode,
    GpuVerifier, ImagePinsPolicy, KeyProviders, KmsHost, KmsMode, KmsPolicy, LaunchInputsPolicy, MAX_KMS,
    MeasuredFiles, MrConfigIdPolicy, Origin, OsImageError, OsImageOption, OsImagePolicy, PlatformList,
    Policy, PublishedImage, ReportDataPolicy, SecondHash, SecondHashError, TcbException, TcbPolicy, Verifier,
    parse_os_image_of,
};
use cvm_verify_core::reference::ReferenceValues;
use cvm_verify_core::report::{AssuranceError, CheckId, RequiredAssurance};
use cvm_verify_core::tiers::can_be_granted;
use cvm_verify_core::verify::Layout;

/// What the user expects, and the compose document where it was given as a file.
pub(crate) struct Expectations {
    pub policy: Policy,
    pub compose_file: Option<Vec<u8>>,
}

/// Lock files and files of reference values that were read: many targets share one.
#[derive(Default)]
pub(crate) struct Locks {
    locks: HashMap<PathBuf, Result<Rc<ReadLock>, String>>,
    references: HashMap<PathBuf, Result<Arc<ReferenceValues>, String>>,
    images: HashMap<PathBuf, Result<MeasuredFiles, String>>,
}

impl Locks {
    fn read(&mut self, path: &Path) -> Result<Rc<ReadLock>, String> {
        let read = || match files::read_lock_file(path) {
            Ok(file) => Ok(Rc::new(file)),
            Err(error) => Err(error.to_string()),
        };
        self.locks.entry(path.to_owned()).or_insert_with(read).clone()
    }

    /// Files of an image, which take a while to be measured.
    fn image_files(&mut self, path: &Path) -> Result<MeasuredFiles, String> {
        let read = || image_files(path).map_err(|error| error.to_string());
        self.images.entry(path.to_owned()).or_insert_with(read).clone()
    }

    fn reference(&mut self, path: &Path) -> Result<Arc<ReferenceValues>, String> {
        let read = || {
            reference_values(path)
                .map(Arc::new)
                .map_err(|error| error.to_string())
        };
        self.references
            .entry(path.to_owned())
            .or_insert_with(read)
            .clone()
    }
}

/// The files of an image, measured.
pub(crate) fn image_files(path: &Path) -> Result<MeasuredFiles, UsageError> {
    Ok(MeasuredFiles {
        image: image_source::measure(path).map_err(|error| UsageError::file(path, error))?,
        path: path.display().to_string(),
    })
}

/// The built-in reference values and those of a file.
pub(crate) fn reference_values(path: &Path) -> Result<ReferenceValues, UsageError> {
    let bytes = files::read(path, files::REFERENCE_LIMIT)?;
    let name = path.display().to_string();
    ReferenceValues::built_in()
        .with_file(&name, &bytes)
        .map_err(|error| UsageError::new(error.to_string()))
}

/// The reference values that settings name, or the built-in ones.
pub(crate) fn reference_of(settings: &Settings) -> Result<Arc<ReferenceValues>, UsageError> {
    match settings.one("reference-values") {
        None => Ok(Arc::clone(ReferenceValues::built_in())),
        Some(value) => reference_values(&path_of(value)).map(Arc::new),
    }
}

/// The built-in reference values, and those of a file.
pub(crate) fn reference_of_file(path: Option<&Path>) -> Result<Arc<ReferenceValues>, UsageError> {
    match path {
        None => Ok(Arc::clone(ReferenceValues::built_in())),
        Some(path) => reference_values(path).map(Arc::new),
    }
}

/// Builds the policy that a deployment is judged against at a time, Unix seconds. `target` is its name in a lock of
/// several.
pub(crate) fn expectations(
    settings: &Settings,
    target: Option<&str>,
    at: u64,
    locks: &mut Locks,
) -> Result<Expectations, Vec<SettingProblem>> {
    let mut reader = Reader {
        settings,
        problems: Vec::new(),
    };
    let compose_file = reader.compose_file();
    let compose_hash = reader.compose_hash(compose_file.as_deref());
    let layout = reader.layout();
    let reference = reader.reference(locks);
    let os_image = reader.os_image(&reference, at, locks);
    let policy = Policy {
        compose_hash,
        second_compose_hash: reader.second_hash(at),
        docker_compose: reader.docker_compose(compose_file.as_deref()),
        app_id: reader.hex("app-id"),
        instance_ids: reader.instance_ids(),
        min_instances: reader.parsed("instances", |text| {
            text.parse()
                .map_err(|_| "write a whole number from 1 on: how many instances must run at least")
        }),
        platforms: reader.platforms(),
        launch_inputs: match settings.one("launch-inputs").map(|value| value.text.as_str()) {
            Some("required") => LaunchInputsPolicy::Required,
            Some("unchecked") => LaunchInputsPolicy::Unchecked,
            _ => LaunchInputsPolicy::Warn,
        },
        verifier: match reader.is("verifier", "both") {
            true => Verifier::Both,
            false => Verifier::Local,
        },
        key_provider: reader.key_provider(&reference),
        mr_config_id: match reader.is("mr-config-id", "required") {
            false => MrConfigIdPolicy::Auto,
            true => MrConfigIdPolicy::Required,
        },
        freshness: match reader.is("freshness", "unchecked") {
            false => Freshness::Required,
            true => Freshness::Unchecked,
        },
        image_pins: match reader.is("image-pins", "unchecked") {
            false => ImagePinsPolicy::Required,
            true => ImagePinsPolicy::Unchecked,
        },
        gpu: reader.gpu(),
        tls_binding: reader.parsed("tls-binding", str::parse).unwrap_or_default(),
        endpoint_probe: !reader.is("endpoint-probe", "never"),
        report_data: ReportDataPolicy {
            layout,
            key: reader.report_data_key(layout),
            value: reader.report_data_value(),
        },
        tcb: reader.tcb(at),
        kms: reader.kms(&reference, at),
        governance: reader.governance(),
        required: reader
            .parsed("require-assurance", required_assurance)
            .unwrap_or(RequiredAssurance::CODE),
        waivers: waivers(settings),
        settings: settings.origins(),
        reference,
        os_image_origin: settings
            .one("os-image")
            .or_else(|| settings.one("os-image-files"))
            .map(|value| value.origin.clone()),
        ..Policy::default()
    };
    let policy = match settings.one("lock") {
        None => reader.without_lock(os_image, policy),
        Some(value) => reader.with_lock(value, target, at, os_image, policy, locks),
    };
    let sources = source_policy(settings, &policy.sources, &mut reader.problems);
    let policy = Policy { sources, ..policy };
    reader.problems.extend(tls_mode::check(&policy, settings));
    if reader.problems.is_empty() {
        reader.problems.extend(release::check(&policy, settings));
    }
    if reader.problems.is_empty() {
        Ok(Expectations { policy, compose_file })
    } else {
        Err(reader.problems)
    }
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

/// Reads settings, and goes on after a mistake.
struct Reader<'s> {
    settings: &'s Settings,
    problems: Vec<SettingProblem>,
}

impl Reader<'_> {
    fn is(&self, key: &str, word: &str) -> bool {
        self.settings.one(key).is_some_and(|value| value.text == word)
    }

    fn parsed<T, E: std::fmt::Display>(
        &mut self,
        key: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let value = self.settings.one(key)?;
        match parse(&value.text) {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                self.problems.push(SettingProblem::of(key, value, error));
                None
            }
        }
    }

    fn expected<T, E: std::fmt::Display>(
        &mut self,
        key: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Expected<T>> {
        let origin = self.settings.one(key)?.origin.clone();
        let value = self.parsed(key, parse)?;
        Some(Expected { value, origin })
    }

    fn hex<const N: usize>(&mut self, key: &str) -> Option<Expected<[u8; N]>> {
        self.expected(key, |text| {
            // As the hash of a file is often written.
            let text = text.trim();
            let bare = text.strip_prefix("sha256:").filter(|_| N == 32).unwrap_or(text);
            parse_user_hex(bare).map_err(|error| format!("the value {error}"))
        })
    }

    /// All values of a list; none where one of them is wrong.
    fn list<T, E: std::fmt::Display>(
        &mut self,
        key: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Expected<Vec<T>>> {
        let values = self.settings.all(key);
        let origin = values.first()?.origin.clone();
        let mut parsed = Vec::new();
        for value in values {
            match parse(&value.text) {
                Ok(one) => parsed.push(one),
                Err(error) => self.problems.push(SettingProblem::of(key, value, error)),
            }
        }
        (parsed.len() == values.len()).then_some(Expected {
            value: parsed,
            origin,
        })
    }

    fn instance_ids(&mut self) -> Option<Expected<Vec<[u8; 20]>>> {
        self.list("instance-id", |text| {
            parse_user_hex(text).map_err(|error| format!("the value {error}"))
        })
    }

    fn platforms(&mut self) -> Option<Expected<PlatformList>> {
        let listed = self.list("platform-id", str::parse)?;
        let value = self.settings.one("platform-id")?;
        match PlatformList::new(listed.value) {
            Ok(list) => Some(Expected {
                value: list,
                origin: listed.origin,
            }),
            Err(error) => {
                self.problems
                    .push(SettingProblem::of("platform-id", value, error));
                None
            }
        }
    }

    /// 32 bytes; an address of Private AI may have 20, and is padded as its app pads it.
    fn report_data_key(&mut self, layout: Option<Layout>) -> Option<[u8; 32]> {
        let value = self.settings.one("report-data-key")?;
        let Some(layout) = layout.filter(|layout| layout.has_key()) else {
            let known: Vec<&str> = Layout::ALL
                .iter()
                .filter(|layout| layout.has_key())
                .map(|layout| layout.as_str())
                .collect();
            let problem = format!(
                "the layout has no place for a key; name one that has with --report-data: {}",
                known.join(", ")
            );
            self.problems
                .push(SettingProblem::of("report-data-key", value, problem));
            return None;
        };
        self.parsed("report-data-key", |text| match parse_user_hex::<20>(text) {
            Ok(address) if layout == Layout::PrivateAi => {
                let mut key = [0; 32];
                key.iter_mut().zip(address).for_each(|(to, from)| *to = from);
                Ok(key)
            }
            _ => parse_user_hex(text).map_err(|error| format!("the value {error}")),
        })
    }

    fn gpu(&mut self) -> GpuExpectations {
        GpuExpectations {
            mode: match self.settings.one("gpu").map(|value| value.text.as_str()) {
                Some("required") => GpuMode::Required,
                Some("unchecked") => GpuMode::Unchecked,
                _ => GpuMode::Auto,
            },
            count: self.expected("gpu-count", |text| match text.parse::<u32>() {
                Ok(count) if count <= 16 => Ok(count),
                _ => Err("write a whole number from 0 to 16: how many GPUs there must be"),
            }),
            models: self.list("gpu-model", str::parse),
            switches_required: self.is("gpu-switches", "required"),
            verifier: match self.settings.one("gpu-verifier").map(|value| value.text.as_str()) {
                Some("nras") => GpuVerifier::Nras,
                Some("both") => GpuVerifier::Both,
                _ => GpuVerifier::Local,
            },
            ..GpuExpectations::default()
        }
    }

    fn key_provider(&mut self, reference: &ReferenceValues) -> Option<Expected<KeyProviders>> {
        self.expected("key-provider", |text| KeyProviders::parse(text, reference))
    }

    fn kms(&mut self, reference: &ReferenceValues, at: u64) -> KmsPolicy {
        let hash = |text: &str| parse_user_hex(text).map_err(|error| format!("the value {error}"));
        let os_image = self.parsed("kms-os-image", |text| {
            match parse_os_image_of(text, reference).map_err(|error| error.to_string())? {
                OsImageOption::Policy(policy) if !matches!(*policy, OsImagePolicy::Unchecked) => {
                    if let OsImagePolicy::Published(named) = policy.as_ref() {
                        named.check_end(at).map_err(|error| error.to_string())?;
                    }
                    Ok(*policy)
                }
                _ => {
                    Err("write `known`, the published hash or name of an image, or its registers".to_owned())
                }
            }
        });
        let hosts: Option<Expected<Vec<KmsHost>>> = self.list("kms-host", str::parse);
        if let (Some(hosts), Some(value)) = (&hosts, self.settings.one("kms-host")) {
            let mut seen = hosts.value.clone();
            seen.sort_unstable();
            seen.dedup();
            if seen.len() != hosts.value.len() || seen.len() > MAX_KMS {
                let problem = format!("name each KMS once, and at most {MAX_KMS}");
                self.problems.push(SettingProblem::of("kms-host", value, problem));
            }
        }
        KmsPolicy {
            mode: match self.settings.one("kms").map(|value| value.text.as_str()) {
                Some("required") => KmsMode::Required,
                Some("unchecked") => KmsMode::Unchecked,
                _ => KmsMode::Named,
            },
            hosts,
            compose_hashes: self.list("kms-compose-hash", hash),
            builds: self.list("kms-build", hash),
            os_image: os_image.zip(
                self.settings
                    .one("kms-os-image")
                    .map(|value| value.origin.clone()),
            ),
            key_provider: self.expected("kms-key-provider", |text| KeyProviders::parse(text, reference)),
            bootstrap: self.kms_bootstrap(),
        }
    }

    /// Evidence of how the root keys of the KMS were made, from a file.
    fn kms_bootstrap(&mut self) -> Option<Expected<String>> {
        let value = self.settings.one("kms-bootstrap-file")?;
        let path = path_of(value);
        let read = files::read(&path, MAX_KMS_META_BYTES as u64).and_then(|bytes| {
            let text = String::from_utf8(bytes).map_err(|_| UsageError::file(&path, "is not UTF-8"))?;
            match KmsBootstrap::of_text(&text) {
                Ok(_) => Ok(text),
                Err(error) => Err(UsageError::file(&path, error)),
            }
        });
        match read {
            Ok(text) => Some(Expected {
                value: text,
                origin: value.origin.clone(),
            }),
            Err(error) => {
                self.problems
                    .push(SettingProblem::of_named_file("kms-bootstrap-file", value, error));
                None
            }
        }
    }

    fn governance(&mut self) -> GovernancePolicy {
        let number = |text: &str| match text.parse() {
            Ok(0) | Err(_) => Err("write a whole number from 1 on"),
            Ok(number) => Ok(number),
        };
        GovernancePolicy {
            mode: match self.settings.one("governance").map(|value| value.text.as_str()) {
                Some("required") => GovernanceMode::Required,
                Some("unchecked") => GovernanceMode::Unchecked,
                _ => GovernanceMode::Named,
            },
            asks: false,
            chain_id: self.expected("governance-chain-id", number),
            app: ContractPin {
                owners: self.addresses("governance-app-owner"),
                ..ContractPin::default()
            },
            kms_contract: self.hex("governance-kms-contract"),
            kms: ContractPin {
                owners: self.addresses("governance-kms-owner"),
                ..ContractPin::default()
            },
            min_signers: self.parsed("governance-min-signers", number),
            min_delay: self.parsed("governance-min-delay", number),
            upgrades_disabled: self.is("governance-upgrades", "disabled"),
        }
    }

    fn addresses(&mut self, key: &str) -> Option<Expected<Vec<[u8; 20]>>> {
        self.list(key, |text| {
            parse_user_hex(text).map_err(|error| format!("the value {error}"))
        })
    }

    /// Which image is expected, by a word, a hash, registers, or files that are measured here.
    fn os_image(&mut self, reference: &ReferenceValues, at: u64, locks: &mut Locks) -> Option<OsImageOption> {
        let option = self.parsed("os-image", |text| {
            let option = parse_os_image_of(text, reference)?;
            if let OsImageOption::Policy(policy) = &option
                && let OsImagePolicy::Published(named) = policy.as_ref()
            {
                named.check_end(at)?;
            }
            Ok::<_, OsImageError>(option)
        });
        let Some(value) = self.settings.one("os-image-files") else {
            return option;
        };
        let files = match locks.image_files(&path_of(value)) {
            Ok(files) => files,
            Err(error) => {
                self.problems
                    .push(SettingProblem::of_named_file("os-image-files", value, error));
                return option;
            }
        };
        let expected = match option {
            None if self.settings.one("os-image").is_some() => return None,
            None => Ok(PublishedImage::of_files(files, reference)),
            Some(OsImageOption::Policy(policy)) => match *policy {
                OsImagePolicy::Published(named) => named.with_files(files),
                _ => Err(OsImageError::NeedlessFiles),
            },
            Some(OsImageOption::Lock) => Err(OsImageError::NeedlessFiles),
        };
        match expected {
            Ok(expected) => Some(OsImageOption::Policy(Box::new(OsImagePolicy::Published(
                expected,
            )))),
            Err(error) => {
                self.problems
                    .push(SettingProblem::of("os-image-files", value, error));
                None
            }
        }
    }

    fn reference(&mut self, locks: &mut Locks) -> Arc<ReferenceValues> {
        let built_in = || Arc::clone(ReferenceValues::built_in());
        let Some(value) = self.settings.one("reference-values") else {
            return built_in();
        };
        locks.reference(&path_of(value)).unwrap_or_else(|error| {
            self.problems
                .push(SettingProblem::of_named_file("reference-values", value, error));
            built_in()
        })
    }

    fn compose_file(&mut self) -> Option<Vec<u8>> {
        let value = self.settings.one("app-compose-file")?;
        let read = files::read(&path_of(value), files::COMPOSE_LIMIT)
            .and_then(|bytes| compose_document::check(&path_of(value), bytes));
        match read {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                self.problems
                    .push(SettingProblem::of_named_file("app-compose-file", value, error));
                None
            }
        }
    }

    fn compose_hash(&mut self, file: Option<&[u8]>) -> Option<Expected<[u8; 32]>> {
        let given = self.hex::<32>("compose-hash");
        let of_file = file
            .zip(self.settings.one("app-compose-file"))
            .map(|(bytes, value)| Expected {
                value: Sha256::digest(bytes).into(),
                origin: value.origin.clone(),
            });
        if let (Some(given), Some(file), Some(value)) = (&given, &of_file, self.settings.one("compose-hash"))
            && given.value != file.value
        {
            let sha256 = hex::encode(file.value);
            self.problems.push(match value.origin {
                Origin::File { .. } => SettingProblem::of(
                    "compose-hash",
                    value,
                    format!("`app-compose-file` says otherwise: that file's SHA-256 is {sha256}; remove one of them"),
                ),
                _ => SettingProblem::Other(format!(
                    "--compose-hash and --app-compose-file contradict each other: the file's SHA-256 is {sha256}"
                )),
            });
        }
        given.or(of_file)
    }

    fn docker_compose(&mut self, document: Option<&[u8]>) -> Option<Expected<String>> {
        let value = self.settings.one("docker-compose")?;
        release::docker_compose(value, document)
            .map_err(|problem| self.problems.push(problem))
            .ok()
    }

    fn second_hash(&mut self, at: u64) -> Option<SecondHash> {
        self.parsed("also-compose-hash", |text| {
            let second: SecondHash = text.parse()?;
            second.check_end(at)?;
            Ok::<_, SecondHashError>(second)
        })
    }

    fn layout(&mut self) -> Option<Layout> {
        self.parsed("report-data", layout_of).flatten()
    }

    fn report_data_value(&mut self) -> Option<[u8; 64]> {
        let bytes = self.parsed("report-data-value", |text| {
            parse_user_hex_up_to(text, 64).map_err(|error| format!("the value {error}"))
        })?;
        let mut value = [0; 64];
        value.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        Some(value)
    }

    fn tcb(&mut self, at: u64) -> TcbPolicy {
        let mut exceptions = Vec::new();
        for value in self.settings.all("accept-tcb") {
            let exception = value.text.parse::<TcbException>().and_then(|exception| {
                exception.check_end(at)?;
                Ok(TcbException {
                    origin: Some(value.origin.clone()),
                    ..exception
                })
            });
            match exception {
                Ok(exception) => exceptions.push(exception),
                Err(error) => self.problems.push(SettingProblem::of("accept-tcb", value, error)),
            }
        }
        TcbPolicy {
            exceptions,
            min_eval_data_number: self.parsed("min-tcb-eval-data-number", str::parse),
        }
    }

    fn without_lock(&mut self, os_image: Option<OsImageOption>, policy: Policy) -> Policy {
        match (os_image, self.settings.one("os-image")) {
            (Some(OsImageOption::Policy(os_image)), _) => Policy {
                os_image: *os_image,
                ..policy
            },
            (Some(OsImageOption::Lock), Some(value)) if !self.settings.is_flawed("lock") => {
                self.problems.push(match value.origin {
                    Origin::File { .. } => SettingProblem::of(
                        "os-image",
                        value,
                        "there is no lock; name one with `lock`, or make one with `cvm-verify pin`",
                    ),
                    _ => SettingProblem::Other(
                        "--os-image lock: there is no lock; give one with --lock, or make one with `cvm-verify pin`"
                            .to_owned(),
                    ),
                });
                policy
            }
            _ => policy,
        }
    }

    fn with_lock(
        &mut self,
        value: &WrittenValue,
        target: Option<&str>,
        at: u64,
        os_image: Option<OsImageOption>,
        policy: Policy,
        locks: &mut Locks,
    ) -> Policy {
        let path = path_of(value).display().to_string();
        let file = match locks.read(&path_of(value)) {
            Ok(file) => file,
            Err(error) => {
                self.problems
                    .push(SettingProblem::of_named_file("lock", value, error));
                return policy;
            }
        };
        let applied = file.lock.of(target, &path).and_then(|lock| {
            lock.check_end(&path, at)?;
            self.refuse_another_app(lock, &path, &policy);
            lock.apply(&file.origin_of(target), os_image, policy)
        });
        applied.unwrap_or_else(|error| {
            self.problems
                .push(SettingProblem::of_named_file("lock", value, error));
            Policy::default()
        })
    }

    /// A lock of another app would be replaced in its app id alone, and everything else of it would be wrong.
    fn refuse_another_app(&mut self, lock: &Lock, path: &str, policy: &Policy) {
        let given = policy.app_id.as_ref().map(|expected| expected.value);
        if let (Some(given), Some(locked), Some(value)) = (given, lock.app_id, self.settings.one("app-id"))
            && given != locked
        {
            let problem = format!(
                "{path} is the lock of another app ({}); correct the id, or use the lock of this app",
                hex::encode(locked)
            );
            self.problems.push(SettingProblem::of("app-id", value, problem));
        }
    }
}

/// `auto` is no layout of its own: exactly raw or exactly ascii.
pub(crate) fn layout(text: &str) -> Result<Option<Layout>, UsageError> {
    layout_of(text).map_err(|error| UsageError::option("--report-data", error))
}

fn layout_of(text: &str) -> Result<Option<Layout>, cvm_verify_core::verify::UnknownLayout> {
    match text {
        "auto" => Ok(None),
        name => name.parse().map(Some),
    }
}
