//! Alerts on results that are final while the run waits for other targets (`--wait`).

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use tokio::runtime::Runtime;

use crate::alert::alerting::{AlertedTarget, Alerting};
use crate::alert::incident::PolicyFileId;
use crate::alert::lacks_secret;
use crate::alert::state_file::StateFile;
use crate::env::Env;
use crate::interrupt::Interrupt;
use crate::net::Client;
use crate::plan::planner::Job;
use cvm_verify_core::report::{AlertRecord, TargetReport};

/// How long the waiting of the other targets is held up. What no channel took by then is sent at the end of the run.
const LONGEST: Duration = Duration::from_secs(10);

/// Who is notified, and what became of it.
pub(super) struct EarlyAlerts<'a> {
    pub alerting: &'a Alerting,
    pub targets: &'a [Job],
    /// The policy file that they are of.
    pub policy_file: Option<PolicyFileId>,
    pub state: Option<&'a Path>,
    pub client: &'a Client,
    pub runtime: &'a Runtime,
    /// What became of them.
    pub records: Vec<AlertRecord>,
    /// The targets whose alerts every channel took.
    pub reported: BTreeSet<usize>,
}

impl EarlyAlerts<'_> {
    /// Tells the results of these targets, by their index. False where a signal ended it.
    pub fn send(
        &mut self,
        found: &[(usize, &[TargetReport])],
        interrupt: &mut Interrupt,
        env: &mut Env,
    ) -> bool {
        let mut alerted: Vec<AlertedTarget<'_>> = Vec::new();
        let mut reports = Vec::new();
        for (index, of_target) in found {
            let Some(job) = self.targets.get(*index) else {
                continue;
            };
            if self.alerting.any(&job.alerts, env) {
                alerted.extend(of_target.iter().map(|_| job.alerted(self.policy_file)));
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
}
