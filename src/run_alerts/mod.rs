//! The alerts of a whole run: of `verify`, on results that are final while the run waits for other targets (`--wait`) and on all
//! others once the verdict is printed and written (this file); of a run that ended before a verdict (`unjudged`); the heartbeat of a
//! run that was verified in shards (`merged_heartbeat`).

mod client;
pub(crate) mod merged_heartbeat;
pub(crate) mod subject;
pub(crate) mod unjudged;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use tokio::runtime::Runtime;

use crate::alert::alerting::{AlertedRun, AlertedTarget, Alerting, RunTargets, ended_by};
use crate::alert::lacks_secret;
use crate::alert::state_file::StateFile;
use crate::alert::variables::ChannelVariables;
use crate::env::Env;
use crate::interrupt::Interrupt;
use crate::net::Client;
use crate::plan::job::Job;
use crate::plan::planner::Plan;
use cvm_verify_core::report::{AlertRecord, Report, TargetReport, Verdict};

/// How long the waiting of the other targets is held up. What no channel took by then is sent at the end of the run.
const LONGEST: Duration = Duration::from_secs(10);

/// Who is notified, and what became of it.
pub(crate) struct RunAlerts<'a> {
    pub alerting: &'a Alerting,
    pub plan: &'a Plan,
    /// Whether the plan is all that was selected, and not a shard of it.
    pub is_all: bool,
    pub state: Option<&'a Path>,
    pub client: &'a Client,
    pub runtime: &'a Runtime,
    /// What became of those that were sent while the run went on.
    pub records: Vec<AlertRecord>,
    /// The targets whose alerts every channel took by then.
    pub reported: BTreeSet<usize>,
}

impl RunAlerts<'_> {
    /// Tells the results of these targets, by their index. False where a signal ended it.
    pub fn send_early(
        &mut self,
        found: &[(usize, &[TargetReport])],
        interrupt: &mut Interrupt,
        env: &mut Env,
    ) -> bool {
        let mut alerted: Vec<AlertedTarget<'_>> = Vec::new();
        let mut reports = Vec::new();
        for (index, of_target) in found {
            let Some(job) = self.plan.targets.get(*index) else {
                continue;
            };
            if self.alerting.any(&job.alerts, env) {
                alerted.extend(of_target.iter().map(|_| job.alerted(self.plan.policy_file)));
                reports.extend_from_slice(of_target);
            }
        }
        if reports.is_empty() {
            return true;
        }
        let mut file = match self.state.map(|path| StateFile::open_now(path, env)) {
            // Another run holds the state: the end of this one waits for it.
            Some(None) => return true,
            Some(file) => file,
            None => None,
        };
        let state = file.as_mut().map(|file| &mut file.state);
        let mut sent = None;
        let sending = async {
            let sending = self
                .alerting
                .deliver_early(&reports, &alerted, state, self.client, env);
            sent = tokio::time::timeout(LONGEST, sending).await.ok();
        };
        let signal = self.runtime.block_on(interrupt.or_done(sending));
        if let Some(file) = file {
            file.close(env);
        }
        if let Some(records) = sent {
            if records
                .iter()
                .all(|record| record.delivered || lacks_secret(record))
            {
                self.reported.extend(found.iter().map(|(index, _)| *index));
            }
            self.records.extend(records);
        }
        signal.is_none()
    }
    /// Whether a channel is set to hear of the result.
    pub fn are_sent(&self, env: &Env) -> bool {
        // Most targets of a fleet name the same variables.
        let of_targets = self.plan.targets.iter().map(|target| &target.alerts);
        let distinct: BTreeSet<&ChannelVariables> = of_targets.chain([&self.plan.alerts]).collect();
        distinct
            .into_iter()
            .any(|channels| self.alerting.any(channels, env))
    }

    /// Tells the result of the run, and records in it what became of that. `of_reports` is the index of the target of each report.
    pub fn send(&self, report: &mut Report, of_reports: &[usize], interrupt: &mut Interrupt, env: &mut Env) {
        let policy_file = self.plan.policy_file;
        let alerted = |index: &usize| {
            let job = self.plan.targets.get(*index)?;
            Some(AlertedTarget {
                is_reported: self.reported.contains(index),
                ..job.alerted(policy_file)
            })
        };
        let mut alerted: Vec<AlertedTarget<'_>> = of_reports.iter().filter_map(alerted).collect();
        let mut pause = |pause| {
            let sleep = async { interrupt.or_done(tokio::time::sleep(pause)).await };
            self.runtime.block_on(sleep)
        };
        let opened = self.state.map(|path| StateFile::open(path, env, &mut pause));
        let mut file = match opened.transpose() {
            Ok(file) => file,
            Err(signal) => {
                report.alerts.push(ended_by(signal));
                return;
            }
        };
        let is_locked = file.as_ref().is_none_or(StateFile::is_locked);
        for (one, target) in alerted.iter_mut().zip(&report.targets) {
            one.is_reported |= !is_locked && target.verdict == Verdict::Pass;
        }
        let run = AlertedRun {
            channels: &self.plan.alerts,
            targets: &alerted,
            state: file.as_mut().map(|file| &mut file.state),
            subject: is_locked.then(|| subject::subject(env)),
            // Of a shard nothing departs: where the list changes, its targets go to other shards, which have states of their own.
            run_targets: (is_locked && self.is_all).then(|| self.run_targets()),
        };
        let delivering = self.alerting.deliver(report, run, self.client, env);
        let ended = self.runtime.block_on(interrupt.or_done(delivering));
        if let Some(file) = file {
            file.close(env);
        }
        report.alerts.extend(ended.map(ended_by));
    }

    /// If all that the policy file has were verified, it is known which targets have left it.
    fn run_targets(&self) -> RunTargets<'_> {
        RunTargets {
            file: self.plan.policy_file,
            is_whole_file: self.plan.is_whole_file,
            names: self.plan.targets.iter().map(Job::name).collect(),
        }
    }
}
