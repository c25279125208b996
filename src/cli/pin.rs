//! `cvm-verify pin`: what a deployment was measured to be, written down for review.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::alone::{Alone, Around, Described, facts_of_alone};
use super::args::PinArgs;
use super::hints::{self, PhalaHints};
use super::settings::{of_source, text_of};
use super::trust_roots::{Roots, trust_roots};
use super::{chain, replay};
use crate::config::file::FileTarget;
use crate::config::{Settings, WrittenValue, written};
use crate::engine::AskedContracts;
use crate::env::Env;
use crate::files;
use crate::plan::found_lock::LOCK_NAME;
use crate::plan::nodes::{self, TargetNodes};
use crate::plan::planner::address;
use crate::plan::policy;
use crate::plan::policy_file::{self, Config};
use crate::plan::setting_problem::settings_error;
use crate::plan::source_rules::source_policy;
use crate::plan::target::Target;
use crate::recorded::bundle::from_bundle;
use crate::recorded::loose;
use crate::render::escape;
use crate::usage_error::UsageError;
use cvm_verify_core::checks::{Check, EvidenceFailure, locked_sources};
use cvm_verify_core::evidence::PhalaKms;
use cvm_verify_core::lock::{
    self, AcceptName, AcceptedPin, Accepting, Lock, LockFile, MAX_LOCK_BYTES, PinRefusal, Said,
};
use cvm_verify_core::policy::{
    KmsHost, Origin, OsImageOption, OsImagePolicy, Policy, PublishedImage, ReportDataPolicy, SourcePolicy,
    WrittenRule, parse_os_image_of,
};
use cvm_verify_core::reference::ReferenceValues;
use cvm_verify_core::report::{CheckId, Status, is_name};
use cvm_verify_core::verify::{Claims, NotProven};

/// Where the lock is printed instead of written.
const STANDARD_OUTPUT: &str = "-";

pub(super) fn run(args: &PinArgs, env: &mut Env) -> anyhow::Result<u8> {
    let roots = trust_roots(&args.trust)?;
    let accepting = accepting(args)?;
    let mut targets = wanted(args, env)?;
    let several = targets.len() > 1;
    let mut codes = Vec::new();
    for (index, wanted) in targets.iter_mut().enumerate() {
        if let Some(name) = wanted.target.as_deref().filter(|_| several) {
            let blank = if index == 0 { "" } else { "\n" };
            env.print(&format!("{blank}{name}:\n"));
        }
        codes.push(pin(args, wanted, &roots, &accepting, env)?);
    }
    let worst = [super::FAIL, super::INCONCLUSIVE];
    Ok(worst.into_iter().find(|code| codes.contains(code)).unwrap_or(0))
}

/// Pins one target.
fn pin(
    args: &PinArgs,
    wanted: &mut Wanted,
    roots: &Roots,
    accepting: &Accepting,
    env: &mut Env,
) -> anyhow::Result<u8> {
    let layout = match wanted.settings.one("report-data") {
        Some(value) => policy::layout(&value.text)?,
        None => None,
    };
    let reference = policy::reference_of(&wanted.settings)?;
    let there = There::read(wanted, args.force)?;
    if wanted.sources.rules.is_empty() {
        wanted.sources = expected_before(there.lock(wanted), wanted.sources.clone());
    }
    wanted.kms = chain::kms_hosts(&wanted.settings)?;
    if wanted.kms.is_empty() {
        // The KMS that is locked stays the one that is asked.
        wanted.kms = there
            .lock(wanted)
            .map(|lock| lock.kms.hosts.clone())
            .unwrap_or_default();
    }
    let named = named(args, &reference)?;
    let Taken {
        claims,
        origin,
        hint,
        said,
    } = claims(args, wanted, roots, &reference, env)?;
    if let Some(hint) = hint {
        env.complain(&hints::words(&hint));
    }
    if let Some(said) = roots.simulated() {
        env.complain(said);
    }
    let claims = match claims {
        Ok(claims) => claims,
        Err(gap) => {
            let detail = escape::terminal(&gap.detail).into_owned();
            env.complain(&format!("Nothing was pinned: {detail}"));
            return Ok(super::INCONCLUSIVE);
        }
    };
    let policy = Policy {
        report_data: ReportDataPolicy {
            layout,
            ..ReportDataPolicy::default()
        },
        ..Policy::default()
    };
    let fresh = (Check::of(CheckId::Freshness).run)(&claims, &policy).status == Status::Pass;
    let pinned = match lock::pin(&claims, fresh, roots.kind(), &reference, named.as_ref()) {
        Ok(pinned) => pinned.from_origin(origin).with_said(said),
        Err(refusal) => {
            let is_other_image = matches!(refusal, PinRefusal::OtherImage(_));
            let refusal = escape::terminal(&refusal.to_string()).into_owned();
            env.complain(&format!("Nothing was pinned: {refusal}."));
            return Ok(match is_other_image {
                true => super::FAIL,
                false => exit_code_of_refusal(&claims),
            });
        }
    };
    let sources = match pinned_sources(&claims, &wanted.sources) {
        Ok(sources) => sources,
        Err((detail, code)) => {
            let detail = escape::terminal(&detail).into_owned();
            env.complain(&format!(
                "Nothing was pinned: who built the images is not proven. {detail}"
            ));
            return Ok(code);
        }
    };
    let pinned = pinned.with_sources(sources);
    match pinned.accept(accepting, there.lock(wanted)) {
        Ok(accepted) => {
            for name in &accepted.needless {
                env.complain(&format!(
                    "Note: --accept {name} is not needed: there is no such thing, or the lock that is there holds it already."
                ));
            }
            let code = write(wanted, &there, &accepted, env)?;
            if let (Ok(quote), false) = (&claims.quote, wanted.output == Path::new(STANDARD_OUTPUT)) {
                env.print(&format!(
                    "It ran on the machine {} (SHA-256 of its PPID). To accept no other: --platform-id. A redeployment may \
                     move it.\n",
                    hex::encode(quote.platform_id())
                ));
            }
            Ok(code)
        }
        Err(unaccepted) => {
            env.complain("Nothing was pinned: the deployment does not look like production.");
            for reservation in &unaccepted.0 {
                let reservation = escape::terminal(&reservation.to_string()).into_owned();
                env.complain(&format!("  - {reservation}"));
            }
            env.complain(&format!(
                "To pin it, accept that in writing: --accept {} (or everything that was found: --accept-observed). The lock then says so, \
                 and so does every verdict that rests on it.",
                unaccepted.names()
            ));
            Ok(super::FAIL)
        }
    }
}

/// What is proven of who built the images, for review; or why not, and the exit code of it.
fn pinned_sources(claims: &Claims, sources: &SourcePolicy) -> Result<Vec<WrittenRule>, (String, u8)> {
    let policy = Policy {
        sources: sources.clone(),
        ..Policy::default()
    };
    let finding = (Check::of(CheckId::SourceProvenance).run)(claims, &policy);
    match finding.status {
        Status::Fail => return Err((finding.detail, super::FAIL)),
        Status::Error => return Err((finding.detail, super::INCONCLUSIVE)),
        Status::Pass | Status::Warn | Status::Skip => {}
    }
    locked_sources(claims, sources)
        .map_err(|error| (format!("{error}; give both the same workflow."), super::FAIL))
}

/// What is accepted by option.
fn accepting(args: &PinArgs) -> Result<Accepting, UsageError> {
    let names = args.accept.iter().map(|name| {
        let parsed = name.parse::<AcceptName>();
        parsed.map_err(|error| UsageError::option("--accept", error))
    });
    Ok(Accepting {
        all: args.accept_observed,
        names: names.collect::<Result<_, _>>()?,
    })
}

/// The image that the user says runs, by its hash, its name or its files.
fn named(args: &PinArgs, reference: &ReferenceValues) -> Result<Option<PublishedImage>, UsageError> {
    let named = match &args.os_image {
        None => None,
        Some(text) => match parse_os_image_of(text, reference) {
            Ok(OsImageOption::Policy(policy)) => match *policy {
                OsImagePolicy::Published(named) => Some(named),
                _ => return Err(UsageError::option("--os-image", PINNED_BY)),
            },
            Ok(OsImageOption::Lock) => return Err(UsageError::option("--os-image", PINNED_BY)),
            Err(error) => return Err(UsageError::option("--os-image", error)),
        },
    };
    let Some(path) = &args.os_image_files else {
        return Ok(named);
    };
    let files = policy::image_files(path)?;
    match named {
        None => Ok(Some(PublishedImage::of_files(files, reference))),
        Some(named) => named
            .with_files(files)
            .map(Some)
            .map_err(|error| UsageError::option("--os-image-files", error)),
    }
}

const PINNED_BY: &str =
    "pin takes an os_image_hash or the name of an image; what else runs is pinned with --accept";

/// What is refused fails; what could not be determined is inconclusive.
pub(super) fn exit_code_of_refusal(claims: &Claims) -> u8 {
    let refused = matches!(claims.quote, Err(NotProven::Refused(_)))
        || matches!(claims.log, Err(NotProven::Refused(_)))
        || matches!(claims.boot, Err(NotProven::Refused(_)))
        || matches!(claims.compose, Err(NotProven::Refused(_)));
    if refused { super::FAIL } else { super::INCONCLUSIVE }
}

/// What is pinned, and where to.
struct Wanted {
    settings: Settings,
    /// Its name in the policy file, and in a lock of several targets.
    target: Option<String>,
    output: PathBuf,
    /// Whether the lock is the file of several targets.
    shared: bool,
    /// Who must have built the images.
    sources: SourcePolicy,
    /// Where its KMS answers.
    kms: Vec<KmsHost>,
}

/// The one that an address, a bundle or a name says; without any, every target of the policy file.
fn wanted(args: &PinArgs, env: &mut Env) -> Result<Vec<Wanted>, UsageError> {
    let mut options = of_source(&args.source);
    options.give("--report-data", args.report_data.clone());
    options.give("--source-repository", args.source_repository.clone());
    options.give("--source-workflow", args.source_workflow.clone());
    let root = args.sigstore_root.as_deref();
    options.give("--sigstore-root", text_of("--sigstore-root", root)?);
    let reference = args.reference_values.as_deref();
    options.give("--reference-values", text_of("--reference-values", reference)?);
    options.set("url", written("URL", args.url.clone()));
    let given = args.config.config.as_deref();
    let path = match args.url.is_some() || args.from.is_some() {
        true => given.map(Path::to_owned),
        false if args.loose.has_quote() => given.map(Path::to_owned),
        false => policy_file::found(given, false, env),
    };
    let config = path.as_deref().map(policy_file::read).transpose()?;
    let default = || PathBuf::from(LOCK_NAME);
    let Some(config) = config else {
        let target = args.config.target.clone();
        if let Some(name) = target.as_deref().filter(|name| !is_name(name)) {
            let problem =
                format!("{name:?} is not a name for a target: 1 to 64 letters, digits, `.`, `_` and `-`");
            return Err(UsageError::option("--target", problem));
        }
        return Ok(vec![Wanted {
            sources: sources_of(&options)?,
            kms: Vec::new(),
            settings: options,
            shared: target.is_some(),
            target,
            output: args.output.clone().unwrap_or_else(default),
        }]);
    };
    if let Some(error) = settings_error(config.problems.clone()) {
        return Err(error);
    }
    let is_recorded = args.from.is_some() || args.loose.has_quote();
    let is_one = args.url.is_some() || is_recorded || args.config.target.is_some();
    let targets = match is_one {
        true => vec![config.only_target(args.config.target.as_deref())?],
        false => config.file.targets.iter().collect(),
    };
    let wanted = targets
        .into_iter()
        .map(|target| wanted_of(args, &config, &options, target));
    wanted.collect()
}

/// A target of the policy file.
fn wanted_of(
    args: &PinArgs,
    config: &Config,
    options: &Settings,
    target: &FileTarget,
) -> Result<Wanted, UsageError> {
    let settings = config.settings(options, Some(target));
    let default = || PathBuf::from(LOCK_NAME);
    let lock_of = |settings: &Settings| settings.one("lock").map(crate::config::path_of);
    let output = args
        .output
        .clone()
        .or_else(|| lock_of(&settings))
        .unwrap_or_else(default);
    let others = config
        .file
        .targets
        .iter()
        .filter(|other| other.name != target.name);
    let shared = others
        .map(|other| lock_of(&config.settings(options, Some(other))).unwrap_or_else(default))
        // One output for all is one file of several.
        .any(|lock| args.output.is_some() || lock == output);
    Ok(Wanted {
        sources: sources_of(&settings)?,
        kms: Vec::new(),
        settings,
        target: Some(target.name.clone()),
        output,
        shared,
    })
}

/// The rules of the lock that is there, without ref and commit: a new release has others.
fn expected_before(lock: Option<&Lock>, sources: SourcePolicy) -> SourcePolicy {
    let rules = lock.iter().flat_map(|lock| &lock.sources).filter_map(|rule| {
        let rule = WrittenRule {
            refs: Vec::new(),
            commits: Vec::new(),
            ..rule.clone()
        };
        rule.rule(Origin::Option("--output")).ok()
    });
    SourcePolicy {
        rules: rules.collect::<Vec<_>>().into(),
        ..sources
    }
}

/// The rules that the options and the policy file give.
fn sources_of(settings: &Settings) -> Result<SourcePolicy, UsageError> {
    let mut problems = Vec::new();
    let sources = source_policy(settings, &SourcePolicy::default(), &mut problems);
    settings_error(problems).map_or(Ok(sources), Err)
}

/// What was proven of a deployment, and the address that it was taken from.
struct Taken {
    claims: Result<Claims, EvidenceFailure>,
    origin: Option<String>,
    /// What Phala Cloud's API said of its KMS.
    hint: Option<Result<PhalaKms, String>>,
    /// What is locked on its word.
    said: Said,
}

fn claims(
    args: &PinArgs,
    wanted: &Wanted,
    roots: &Roots,
    reference: &Arc<ReferenceValues>,
    env: &Env,
) -> anyhow::Result<Taken> {
    if args.url.is_some() && args.loose.has_quote() {
        return Err(UsageError::new(
            "a URL and --attestation or --quote-hex name two pieces of evidence; give one",
        )
        .into());
    }
    let recorded = match &args.from {
        Some(_) if args.loose.has_quote() => {
            return Err(UsageError::new(
                "--from and --attestation or --quote-hex name two pieces of evidence; give one",
            )
            .into());
        }
        Some(path) => Some(from_bundle(path, args.loose.collateral.as_deref())?),
        None => loose::recorded(&args.loose.files())?,
    };
    match (address(None, &wanted.settings).as_ref(), recorded) {
        (Some(url), None) => live_facts(url, wanted, args, roots, reference, env),
        (_, Some(_)) if args.phala_hints => Err(UsageError::option(
            "--phala-hints",
            "Phala Cloud's API is asked about a live deployment alone; recorded evidence holds what was asked when it was recorded",
        )
        .into()),
        (_, Some(recorded)) => {
            let at = match &args.at {
                Some(text) => replay::parse_time(text)?,
                None => recorded.captured_at.unwrap_or_else(env.now),
            };
            let claims = roots.prove(&recorded.gathered, at);
            let evidence = recorded.gathered.evidence.as_ref();
            let claims = if wanted.sources.rules.is_empty() {
                claims
            } else {
                recorded
                    .recalled
                    .add(claims, evidence, &roots.quote, &roots.nras, &wanted.sources)
            };
            let recalled = &recorded.recalled;
            Ok(Taken {
                claims: claims
                    .map(|claims| chain::with_recorded_kms(claims, recalled.kms(), &roots.quote))
                    .map(|claims| chain::as_recorded(claims, recalled.chain(), reference)),
                origin: recorded.origin,
                hint: None,
                said: Said::default(),
            })
        }
        _ => Err(UsageError::new(
            "there is nothing to pin; give an address (cvm-verify pin https://…), a bundle (--from BUNDLE), loose files (--attestation FILE …) or a target of a policy file (--target NAME)",
        )
        .into()),
    }
}

fn live_facts(
    url: &WrittenValue,
    wanted: &Wanted,
    args: &PinArgs,
    roots: &Roots,
    reference: &Arc<ReferenceValues>,
    env: &Env,
) -> anyhow::Result<Taken> {
    let mut settings = wanted.settings.clone();
    let hints = args.phala_hints.then(|| PhalaHints::of(&mut settings));
    let target = Target::of_settings(url, &settings).map_err(|problem| {
        settings_error(vec![problem]).unwrap_or_else(|| UsageError::new("the address is refused"))
    })?;
    let only_one = ["a lock describes one", "pin from one bundle with --from"];
    let named = TargetNodes::of(&wanted.settings, &nodes::variables(&env.variables)).map_err(|problem| {
        settings_error(vec![problem]).unwrap_or_else(|| UsageError::new("the RPC URLs are refused"))
    })?;
    let nodes = match named {
        TargetNodes::OfRun => chain::nodes(&args.chain)?,
        named => named.own(),
    };
    let asks = nodes.is_some();
    let alone = Alone {
        source: &target.source,
        transport: &args.transport,
        roots,
        nodes,
        around: Around {
            kms: wanted.kms.clone(),
            hints: hints.transpose()?,
            contracts: AskedContracts::Found {
                written: chain::hints(&wanted.settings),
                said: None,
                reference: Arc::clone(reference),
            },
        },
        only_one,
        sources: &wanted.sources,
    };
    let Described { claims, hint, said } = facts_of_alone(alone, env)?;
    match &claims {
        Ok(found) if asks && found.boot.is_ok() && found.chain.is_none() => Err(UsageError::option(
            "--rpc-url",
            "the app's KMS is not known to be governed on chain, so there is no contract to ask. If it is, write \
             `governance-chain-id` and `governance-kms-contract` into the policy file; if it is not, leave --rpc-url out",
        )
        .into()),
        _ => Ok(Taken {
            claims,
            origin: target.source.origin(),
            hint,
            said,
        }),
    }
}

/// The lock file that is there.
struct There {
    path: String,
    text: Option<Vec<u8>>,
    file: Option<LockFile>,
}

impl There {
    /// What is printed replaces nothing. With `force`, what cannot be read is replaced as if it were not there.
    fn read(wanted: &Wanted, force: bool) -> anyhow::Result<Self> {
        let path = wanted.output.display().to_string();
        let text = match wanted.output != Path::new(STANDARD_OUTPUT) && wanted.output.exists() {
            true => Some(files::read(&wanted.output, MAX_LOCK_BYTES as u64)?),
            false => None,
        };
        let file = text
            .as_deref()
            .map(|text| Lock::read_file(text, &path))
            .transpose();
        let file = match file {
            Ok(file) => file,
            Err(_) if force => None,
            Err(error) => {
                return Err(UsageError::new(format!(
                    "{error}\nNothing was written. To replace the file with what runs now: cvm-verify pin --force …"
                ))
                .into());
            }
        };
        Ok(Self { path, text, file })
    }

    /// The lock of the deployment that is pinned.
    fn lock(&self, wanted: &Wanted) -> Option<&Lock> {
        match (&self.file, wanted.target.as_deref()) {
            (Some(LockFile::Several(targets)), Some(name)) => targets.get(name),
            (Some(LockFile::One(lock)), _) => Some(lock.as_ref()),
            _ => None,
        }
    }
}

fn refused(error: lock::LockError) -> UsageError {
    UsageError::new(error.to_string())
}

/// Shows what changes, then writes.
fn write(wanted: &Wanted, there: &There, accepted: &AcceptedPin, env: &mut Env) -> anyhow::Result<u8> {
    let There {
        path,
        text: before,
        file,
    } = there;
    let to_stdout = wanted.output == Path::new(STANDARD_OUTPUT);
    let accepted = &match there.lock(wanted) {
        Some(locked) => accepted.clone().keeping_reasons(locked),
        None => accepted.clone(),
    };
    let (previous, text) = match (file, wanted.target.as_deref()) {
        (Some(LockFile::Several(_)), None) => {
            // Says that the file holds several, and which.
            let error = file.as_ref().and_then(|file| file.of(None, path).err());
            return Err(error
                .map_or_else(|| UsageError::new(path.clone()), refused)
                .into());
        }
        (Some(LockFile::Several(targets)), Some(name)) => {
            let before = before.as_deref().map(String::from_utf8_lossy);
            let text = lock::with_target(before.as_deref(), path, name, &accepted.lock, &accepted.notes);
            (targets.get(name), text.map_err(refused)?)
        }
        (Some(LockFile::One(_)), Some(name)) if wanted.shared => {
            let before = before.as_deref().map(String::from_utf8_lossy);
            let text = lock::with_target(before.as_deref(), path, name, &accepted.lock, &accepted.notes);
            (None, text.map_err(refused)?)
        }
        (None, Some(name)) if wanted.shared => {
            let text = lock::with_target(None, path, name, &accepted.lock, &accepted.notes);
            (None, text.map_err(refused)?)
        }
        (Some(LockFile::One(lock)), _) => (Some(lock.as_ref()), accepted.text.clone()),
        (None, _) => (None, accepted.text.clone()),
    };
    if to_stdout {
        env.print(&text);
        return Ok(0);
    }
    match previous.map(|previous| lock::difference(previous, &accepted.lock)) {
        None => {}
        // The version of the program is not a change of what runs.
        Some(changes) if changes.iter().all(|change| change.key == "tool") => {
            env.print(&format!("{path} already says what runs. Nothing was written.\n"));
            return Ok(0);
        }
        Some(changes) => {
            env.print(&format!(
                "What changes in {path}:\n\n{}\n",
                lock::difference_text(&changes)
            ));
        }
    }
    let text = match before.as_deref().map(std::str::from_utf8) {
        Some(Ok(before)) => lock::keep_comments(before, &text),
        _ => text,
    };
    files::write(&wanted.output, &text)?;
    let unreviewed = match accepted.unreviewed() {
        0 => String::new(),
        1 => "1 place decides what runs from outside the compose document: fill in its `reason`, or change it and deploy \
              again. "
            .to_owned(),
        count => format!(
            "{count} places decide what runs from outside the compose document: fill in the `reason` of each, or change them \
             and deploy again. "
        ),
    };
    env.print(&format!(
        "Wrote {path}. {unreviewed}Review it line by line and commit it. Then: {}\n",
        next_command(wanted, accepted, path)
    ));
    Ok(0)
}

/// The command that uses the lock: without `--lock` where `verify` finds it by itself.
fn next_command(wanted: &Wanted, accepted: &AcceptedPin, path: &str) -> String {
    match (&wanted.target, &accepted.lock.origin) {
        (None, Some(origin)) if path == LOCK_NAME => format!("cvm-verify verify {origin}"),
        (None, Some(origin)) => format!("cvm-verify verify {origin} --lock {path}"),
        (Some(name), _) => format!("cvm-verify verify --target {name} --lock {path}"),
        (None, None) => format!("cvm-verify verify … --lock {path}"),
    }
}
