//! `cvm-verify pin`: what a deployment was measured to be, written down for review.

use std::path::Path;

use anyhow::Context as _;

use super::args::PinArgs;
use super::error::UsageError;
use super::judge::trust_root;
use super::live::{Ground, gather};
use super::second_opinion::SecondOpinions;
use super::surroundings::Surroundings;
use super::target::Target;
use super::{files, policy, replay, transport};
use crate::checks::{Check, EvidenceGap};
use crate::collateral::Store;
use crate::config::lock::{self, AcceptedPin, Lock};
use crate::config::{Policy, ReportDataPolicy};
use crate::net::retry::Schedule;
use crate::prove::{Facts, Gap, TrustRoot};
use crate::render::escape;
use crate::report::{CheckId, Status, TrustRootKind};

/// Where the lock is printed instead of written.
const STANDARD_OUTPUT: &str = "-";

pub(super) fn run(args: &PinArgs, surroundings: &mut Surroundings) -> anyhow::Result<u8> {
    let root = trust_root(&args.trust)?;
    let layout = policy::layout(&args.report_data)?;
    let facts = facts(args, &root, surroundings)?;
    if root.kind() == TrustRootKind::Custom {
        surroundings.complain("SIMULATED: not Intel's root, proves nothing about hardware");
    }
    let facts = match facts {
        Ok(facts) => facts,
        Err(gap) => {
            let detail = escape::terminal(&gap.detail).into_owned();
            surroundings.complain(&format!("Nothing was pinned: {detail}"));
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
    let fresh = (Check::of(CheckId::Freshness).run)(&facts, &policy).status == Status::Pass;
    let pinned = match lock::pin(&facts, fresh, root.kind()) {
        Ok(pinned) => pinned,
        Err(refusal) => {
            let refusal = escape::terminal(&refusal.to_string()).into_owned();
            surroundings.complain(&format!("Nothing was pinned: {refusal}."));
            return Ok(exit_code_of_refusal(&facts));
        }
    };
    match pinned.accept(args.accept_observed) {
        Ok(accepted) => {
            let code = write(args, &accepted, surroundings)?;
            if let (Ok(quote), false) = (&facts.quote, args.output == Path::new(STANDARD_OUTPUT)) {
                surroundings.print(&format!(
                    "It ran on the machine {} (SHA-256 of its PPID). To accept no other: --platform-id. A redeployment may \
                     move it.\n",
                    hex::encode(quote.platform_id())
                ));
            }
            Ok(code)
        }
        Err(unaccepted) => {
            surroundings.complain("Nothing was pinned: this is not as a production deployment should be.");
            for reservation in &unaccepted.0 {
                let reservation = escape::terminal(&reservation.to_string()).into_owned();
                surroundings.complain(&format!("  - {reservation}"));
            }
            surroundings.complain("To pin it all the same, add --accept-observed; the lock then says so.");
            Ok(super::FAIL)
        }
    }
}

/// What is refused fails; what could not be determined is inconclusive.
pub(super) fn exit_code_of_refusal(facts: &Facts) -> u8 {
    let refused = matches!(facts.quote, Err(Gap::Refused(_)))
        || matches!(facts.log, Err(Gap::Refused(_)))
        || matches!(facts.boot, Err(Gap::Refused(_)))
        || matches!(facts.compose, Err(Gap::Refused(_)));
    if refused { super::FAIL } else { super::INCONCLUSIVE }
}

fn facts(
    args: &PinArgs,
    root: &TrustRoot,
    surroundings: &Surroundings,
) -> anyhow::Result<Result<Facts, EvidenceGap>> {
    match (&args.url, &args.from) {
        (Some(url), None) => live_facts(url, args, root, surroundings),
        (None, Some(path)) => {
            let recorded = replay::from_bundle(path, None)?;
            let at = match &args.at {
                Some(text) => replay::parse_time(text)?,
                None => recorded.captured_at.unwrap_or_else(surroundings.now),
            };
            Ok(recorded.gathered.prove(root, at, 0))
        }
        _ => Err(UsageError::new(
            "there is nothing to pin; give an address (cvm-verify pin https://…) or a bundle (--from BUNDLE)",
        )
        .into()),
    }
}

fn live_facts(
    url: &str,
    args: &PinArgs,
    root: &TrustRoot,
    surroundings: &Surroundings,
) -> anyhow::Result<Result<Facts, EvidenceGap>> {
    let target = Target::new(url, &args.source)?;
    let ground = Ground {
        network: transport::network(&args.transport)?,
        store: Store::in_memory(),
        keep_bundles: false,
        opinions: SecondOpinions::none(),
        root: root.clone(),
        now: surroundings.now,
        clock_floor: surroundings.clock_floor,
        compose_file: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no async runtime")?;
    let mut lives = runtime
        .block_on(gather(&ground, &target.source, Schedule::default()))
        .lives;
    match (lives.pop(), lives.len()) {
        (Some(live), 0) => Ok(live.facts),
        (_, others) => Err(UsageError::new(format!(
            "{} instances of this app run, and a lock describes one; write their evidence with `verify --evidence FOLDER` \
             and pin from one bundle with --from",
            others + 1
        ))
        .into()),
    }
}

/// Shows what changes, then writes.
fn write(args: &PinArgs, accepted: &AcceptedPin, surroundings: &mut Surroundings) -> anyhow::Result<u8> {
    if args.output == Path::new(STANDARD_OUTPUT) {
        surroundings.print(&accepted.text);
        return Ok(0);
    }
    let path = args.output.display().to_string();
    let before = match args.output.exists() {
        true => Some(files::read_lock(&args.output)?),
        false => None,
    };
    let changes = before
        .as_ref()
        .map(|before: &Lock| lock::difference(before, &accepted.lock));
    match &changes {
        None => {}
        Some(changes) if changes.is_empty() => {
            surroundings.print(&format!("{path} already says what runs; nothing changes.\n"));
        }
        Some(changes) => {
            surroundings.print(&format!(
                "What changes in {path}:\n\n{}\n",
                lock::difference_text(changes)
            ));
        }
    }
    files::write(&args.output, &accepted.text)?;
    surroundings.print(&format!(
        "Wrote {path}. Review it like code and commit it; then: cvm-verify verify … --lock {path}\n"
    ));
    Ok(0)
}
