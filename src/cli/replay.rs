//! `cvm-verify replay`: recorded evidence, offline. Opens no socket but for `--fetch-collateral` and `--alert`.

use std::path::Path;
use std::time::Instant;

use anyhow::Context as _;
use chrono::DateTime;

use super::args::ReplayArgs;
use super::interrupt::Interrupt;
use super::output::{self, Alerts};
use super::settings::of_options;
use super::trust_roots::trust_roots;
use super::verify::{interrupted_alerts, until_interrupted};
use super::{fetched_collateral, transport};
use crate::alert::alerting::{AlertedTarget, Alerting};
use crate::alert::variables::ChannelVariables;
use crate::artifacts::{BundleFiles, unfinished};
use crate::engine::{RecordedEvidence, milliseconds, raw_collateral};
use crate::env::Env;
use crate::files;
use crate::plan::policy::{Locks, expectations};
use crate::plan::policy_file;
use crate::plan::setting_problem::settings_error;
use crate::recorded::bundle::of_bundle;
use crate::recorded::evidence::Recorded;
use crate::recorded::loose;
use crate::runtime::runtime;
use crate::usage_error::UsageError;
use cvm_verify_core::appraise::Subject;
use cvm_verify_core::evidence::{Bundle, BundleError};
use cvm_verify_core::policy::Policy;
use cvm_verify_core::report::{Mode, Report, rfc3339};

pub(super) fn run(args: &ReplayArgs, env: &mut Env) -> anyhow::Result<u8> {
    let started = Instant::now();
    let started_at = (env.now)();
    output::prepare(&args.output, &unfinished(Mode::Replay, None, started_at), env)?;
    let roots = trust_roots(&args.trust)?;
    let mut recorded = recorded(args)?;
    if args.fetch_collateral {
        fetched_collateral::fetch(args, &mut recorded, &roots.quote, env)?;
    }
    let at = match &args.at {
        Some(text) => parse_time(text)?,
        // What is fetched today says nothing of the time of capture.
        None if args.fetch_collateral => started_at,
        None => recorded.captured_at.unwrap_or(started_at),
    };
    let written = match &args.evidence {
        Some(path) => write_bundle(path, &mut recorded, at)?,
        None => None,
    };
    let options = of_options(&args.expect, None);
    let (settings, target) = policy_file::of_one(
        args.config.config.as_deref(),
        args.config.target.as_deref(),
        &options,
    )?;
    let expectations =
        expectations(&settings, target.as_deref(), at, &mut Locks::default()).map_err(|problems| {
            settings_error(problems).unwrap_or_else(|| UsageError::new("the settings are refused"))
        })?;
    let gathered = recorded.gathered.or_compose(expectations.compose_file.as_deref());
    let policy = Policy {
        address_id: recorded.address_id,
        verifier: args.verifier.into(),
        collateral_max_age: args.collateral_age.collateral_max_age,
        ..expectations.policy
    };
    let claims = gathered
        .prove(&roots, at)
        .map(|claims| claims.with_collateral_from(recorded.collateral_source.clone()));
    let claims = recorded
        .recalled
        .add(claims, gathered.evidence.as_ref(), &roots, &policy.sources)
        .map(|claims| recorded.recalled.with_kms(claims, &roots.quote))
        .map(|claims| recorded.recalled.with_named_contracts(claims, &policy));
    let subject = Subject {
        name: target.unwrap_or(recorded.name),
        url: recorded.url,
        root: roots.quote,
        at,
        collateral_source: recorded.collateral_source,
        bundle: written.or(recorded.bundle),
    };
    let target = RecordedEvidence::appraise(&claims, &policy, &subject);
    let mut report = Report::new(
        crate::env::tool(),
        Mode::Replay,
        rfc3339(started_at),
        milliseconds(started.elapsed()),
        vec![target],
    );
    if !args.alert {
        return output::emit(&report, BundleFiles::default(), &args.output, env);
    }
    let variables = ChannelVariables::of(&settings);
    let alerting = Alerting::forgetful();
    if !alerting.any(&variables, env) {
        return Err(UsageError::option(
            "--alert",
            "no alert channel is set; see `cvm-verify alert test --help`",
        )
        .into());
    }
    let client = transport::client(&args.http)?;
    let runtime = runtime()?;
    let mut interrupt = Interrupt::new(&runtime, env.stop.take()).context("signals cannot be caught")?;
    let alerted = [AlertedTarget {
        name: &subject.name,
        variables: &variables,
        policy: policy.fingerprint(),
    }];
    let bundles = BundleFiles::default();
    let announced = output::announce(&report, bundles, &args.output, Alerts::Follow, env);
    let delivering = alerting.deliver(&mut report, &variables, &alerted, None, &client, env);
    if let Some(signal) = runtime.block_on(until_interrupted(delivering, &mut interrupt)) {
        report.alerts.push(interrupted_alerts(signal));
    }
    let code = announced.finish(&report, &args.output, env);
    runtime.shutdown_background();
    Ok(code)
}

/// What the arguments name: a bundle, or loose files.
fn recorded(args: &ReplayArgs) -> Result<Recorded, UsageError> {
    let Some(path) = &args.bundle else {
        return loose::recorded(&args.loose.files())?.ok_or_else(|| {
            UsageError::new(
                "there is nothing to replay; give a bundle (cvm-verify replay BUNDLE.json), a quote (cvm-verify replay QUOTE) or \
                 loose files (--attestation FILE …)",
            )
        });
    };
    if args.loose.has_quote() {
        return Err(UsageError::new(format!(
            "{} and --attestation or --quote-hex name two pieces of evidence; give one",
            path.display()
        )));
    }
    let bytes = loose::read(path)?;
    let path = loose::named(path);
    match Bundle::parse(&bytes) {
        Ok(bundle) => match args.loose.beside_a_quote() {
            Some(option) => Err(UsageError::option(
                option,
                "a bundle holds its own; it belongs to loose files",
            )),
            None => of_bundle(path, &bundle, args.loose.collateral.as_deref()),
        },
        Err(BundleError::NotABundle | BundleError::Unreadable(_)) => {
            let recognised = loose::recognised(path, &bytes, &args.loose.files())?;
            recognised.ok_or_else(|| match Bundle::parse(&bytes) {
                Err(error) => UsageError::file(path, error),
                Ok(_) => UsageError::file(path, "is a bundle"),
            })
        }
        Err(error) => Err(UsageError::file(path, error)),
    }
}

/// Writes loose files as a bundle; its path.
fn write_bundle(path: &Path, recorded: &mut Recorded, at: u64) -> anyhow::Result<Option<String>> {
    let Some(bodies) = recorded.bodies.take() else {
        return Err(UsageError::option(
            "--evidence",
            "only loose files are written as a bundle, and this evidence is a bundle already or cannot be one",
        )
        .into());
    };
    let collateral = recorded
        .gathered
        .collateral
        .as_ref()
        .ok()
        .and_then(raw_collateral);
    let bundle = bodies.bundle(at, collateral, recorded.collateral_source.clone());
    let text = bundle.to_json().map_err(|error| UsageError::file(path, error))?;
    files::write(path, &text)?;
    Ok(Some(path.display().to_string()))
}

/// A time that a user typed, RFC 3339; a bare date is its first second, UTC.
pub(super) fn parse_time(text: &str) -> Result<u64, UsageError> {
    let text = text.trim();
    let full = if text.len() == 10 {
        format!("{text}T00:00:00Z")
    } else {
        text.to_owned()
    };
    DateTime::parse_from_rfc3339(&full)
        .ok()
        .and_then(|time| u64::try_from(time.timestamp()).ok())
        .ok_or_else(|| {
            UsageError::option(
                "--at",
                format!("{text:?} is not an RFC 3339 time such as 2026-08-13T12:00:00Z"),
            )
        })
}
