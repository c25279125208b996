//! Alert channels of a run: secrets from the environment in, records of what became of each alert out.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::{join_all, join3};
use rand::TryRng as _;
use rand::rngs::SysRng;
use sha2::{Digest as _, Sha256};

use super::app_alerts::alerted_reports;
use super::incident::{AskedAt, Departed, Observation, PolicyEntry, PolicyFileId, Rules, State, TargetId};
use super::state_part::StatePart;
use super::variables::{ChannelVariables, GITHUB_TOKEN, is_given_empty};
use super::{AlertSender, Channels, GithubIssues, HEARTBEAT_URL, IncidentInputs, RunContext, RunSubject};
use crate::engine::is_interrupted;
use crate::env::Env;
use crate::net::{Client, Secret};
use crate::usage_error::UsageError;
use crate::{alert, render};
use cvm_verify_core::policy::Fingerprint;
use cvm_verify_core::report::{AlertRecord, Mode, Report, TargetReport, Verdict};

/// How this run stores what it reported, and whose issues it may write.
pub(crate) struct Alerting {
    github_issue: Option<GithubIssues>,
    rules: Rules,
}

/// What is to be reported of one target.
pub(crate) struct AlertedTarget<'a> {
    /// What the user calls it. The report of one instance of an app has a longer name.
    pub name: &'a str,
    /// The variables that hold its channels' secrets.
    pub variables: &'a ChannelVariables,
    /// What it was judged by.
    pub policy: Fingerprint,
    /// Whom it was asked at. Absent of a recording.
    pub asked: Option<AskedAt>,
    /// Whether every channel took the alert on this result while the run went on, or another run is to tell it.
    pub is_reported: bool,
    /// The policy file that it is of, where there is one.
    pub file: Option<PolicyFileId>,
}

/// The targets of a run, their policy file, and whether they are all that it has.
pub(crate) struct RunTargets<'a> {
    pub file: Option<PolicyFileId>,
    pub is_whole_file: bool,
    pub names: Vec<&'a str>,
}

/// What the targets that share channels have to tell.
struct GroupDelivery {
    channels: Channels,
    targets: Vec<TargetReport>,
    observations: Vec<Vec<Observation>>,
}

/// Whether there is a result to tell, and to remember: a target that was interrupted has none.
fn is_due(alerted: &AlertedTarget<'_>, target: &TargetReport) -> bool {
    !alerted.is_reported && !is_interrupted(target)
}

/// What is to be reported of a run.
pub(crate) struct AlertedRun<'a> {
    /// The variables that hold the secrets of the channels of the whole run.
    pub channels: &'a ChannelVariables,
    /// The targets of its report, in order.
    pub targets: &'a [AlertedTarget<'a>],
    /// What was reported before, if it is stored.
    pub state: Option<&'a mut State>,
    /// The run, as it was when an earlier one of it verified nothing. Absent where another run is to tell that this is over.
    pub subject: Option<RunSubject>,
    /// Where the run can say which targets are no longer verified.
    pub run_targets: Option<RunTargets<'a>>,
}

impl Alerting {
    /// As the environment says; `issues` is the repository that was named for them.
    pub(crate) fn new(issues: Option<&str>, rules: Rules, env: &Env) -> Result<Self, UsageError> {
        Ok(Self {
            github_issue: github_issue(issues, env)?,
            rules,
        })
    }

    /// For a run that remembers nothing.
    pub(crate) fn forgetful() -> Self {
        Self {
            github_issue: None,
            rules: Rules::default(),
        }
    }

    /// When to tell.
    pub(crate) fn rules(&self) -> Rules {
        self.rules
    }

    /// What the variables hold, and the issues.
    pub(crate) fn channels(&self, variables: &ChannelVariables, env: &Env) -> Channels {
        variables.channels(env).with_issues(self.github_issue.clone())
    }

    /// Whether any channel is configured.
    pub(crate) fn any(&self, variables: &ChannelVariables, env: &Env) -> bool {
        self.channels(variables, env).is_any()
    }

    /// Tells every configured channel what the run found, and records in the report what became of it. Never changes
    /// the verdict.
    pub(crate) async fn deliver(&self, report: &mut Report, run: AlertedRun<'_>, client: &Client, env: &Env) {
        let AlertedRun {
            channels: of_run,
            targets: alerted,
            state,
            subject,
            run_targets,
        } = run;
        let early = std::mem::take(&mut report.alerts);
        let sha256 = hex::encode(Sha256::digest(render::json(report)));
        report.alerts = early;
        let heartbeat = self.heartbeat(report, of_run, env);
        let run_url = run_url(env);
        let context = RunContext {
            now: (env.now)(),
            mode: report.mode,
            run_url: run_url.as_deref(),
            report_sha256: Some(&sha256),
            file: file_of(alerted),
        };
        let mut deliveries = self.deliveries(&report.targets, alerted, state.as_deref(), context.now, env);
        // One ping for the run, and one delivery for all channels if the targets share them and all are reported.
        let mut all = alerted.iter().zip(&report.targets);
        let is_whole = all.all(|(one, target)| is_due(one, target));
        let mut ping = None;
        match deliveries.as_mut_slice() {
            [one] if is_whole => {
                let url = heartbeat.secret(HEARTBEAT_URL).cloned();
                one.channels = std::mem::take(&mut one.channels).with(HEARTBEAT_URL, url);
            }
            _ => {
                ping = Some(heartbeat);
            }
        }
        // One deadline for all of it, and nobody waits for the channels of others.
        let sender = AlertSender::new(client, &entropy).with_one_deadline();
        let pinging = async {
            match ping.filter(Channels::is_any) {
                Some(channels) => alert::deliver(&sender, &channels, &report.targets, &context).await,
                None => Vec::new(),
            }
        };
        let of_the_whole = self.channels(of_run, env);
        let repeats = report.mode == Mode::Live && repeats(state.is_some(), &of_the_whole, env);
        let subject = subject.filter(|_| repeats);
        let state = state.map(Mutex::new);
        let state = state.as_ref();
        let resolving = async {
            match &subject {
                Some(subject) => {
                    let mut part = lend(state, vec![subject.stored()]);
                    alert::tell_of_run(&sender, &of_the_whole, subject, None, &mut part, &context).await
                }
                None => Vec::new(),
            }
        };
        let sending = self.send(deliveries, state, &sender, &context);
        let (sent, pinged, resolved) = join3(sending, pinging, resolving).await;
        let mut records = [sent, pinged, resolved].concat();
        if let (Some(all), Some(memory)) = (run_targets, state) {
            let departed = locked(memory).departed(all.file, all.is_whole_file, &all.names, context.now);
            let groups = self.by_channels(departed, env);
            let telling = groups.into_iter().map(|(channels, departed)| {
                let mut part = lend(state, departed.iter().map(|one| one.target).collect());
                let (sender, context) = (&sender, &context);
                async move { alert::deliver_departed(sender, &channels, &departed, &mut part, context).await }
            });
            records.extend(join_all(telling).await.concat());
        }
        report.alerts.extend(records);
    }

    /// The targets that left the policy file, with the channels that were notified of them.
    pub(crate) fn by_channels(&self, departed: Vec<Departed>, env: &Env) -> Vec<(Channels, Vec<Departed>)> {
        let mut groups: BTreeMap<ChannelVariables, Vec<Departed>> = BTreeMap::new();
        for one in departed {
            let variables = ChannelVariables::remembered(&one.variables);
            groups.entry(variables).or_default().push(one);
        }
        let channels = |variables: &ChannelVariables| self.channels(variables, env).with(HEARTBEAT_URL, None);
        let groups = groups.into_iter();
        groups
            .map(|(variables, departed)| (channels(&variables), departed))
            .collect()
    }

    /// Tells what was found of some targets of a run that goes on: no heartbeat, and no report is written yet. What became of it.
    pub(crate) async fn deliver_early(
        &self,
        targets: &[TargetReport],
        alerted: &[AlertedTarget<'_>],
        state: Option<&mut State>,
        client: &Client,
        env: &Env,
    ) -> Vec<AlertRecord> {
        let run_url = run_url(env);
        let context = RunContext::live((env.now)(), run_url.as_deref(), file_of(alerted));
        let deliveries = self.deliveries(targets, alerted, state.as_deref(), context.now, env);
        let sender = AlertSender::new(client, &entropy);
        let state = state.map(Mutex::new);
        self.send(deliveries, state.as_ref(), &sender, &context).await
    }

    /// What is to be reported; targets with the same channels are reported together.
    fn deliveries(
        &self,
        targets: &[TargetReport],
        alerted: &[AlertedTarget<'_>],
        state: Option<&State>,
        now: u64,
        env: &Env,
    ) -> Vec<GroupDelivery> {
        let mut groups: BTreeMap<&ChannelVariables, (Vec<TargetReport>, Vec<Vec<Observation>>)> =
            BTreeMap::new();
        for (alerted, target, observation) in alerted_as(alerted, targets, state, now) {
            let (targets, observations) = groups.entry(alerted.variables).or_default();
            let entry = PolicyEntry::new(alerted.file, alerted.name);
            let entry = entry.alerted_through(alerted.variables.names());
            observations.push(vec![observation.asked_at(alerted.asked).of_entry(Some(entry))]);
            targets.push(target);
        }
        let delivery = |(variables, (targets, observations))| GroupDelivery {
            channels: self.channels(variables, env).with(HEARTBEAT_URL, None),
            targets,
            observations,
        };
        groups.into_iter().map(delivery).collect()
    }

    async fn send(
        &self,
        deliveries: Vec<GroupDelivery>,
        state: Option<&Mutex<&mut State>>,
        sender: &AlertSender<'_>,
        context: &RunContext<'_>,
    ) -> Vec<AlertRecord> {
        let has_state = state.is_some();
        let deliveries = deliveries.iter().filter(|one| one.channels.is_any());
        let sending = deliveries.map(|one| {
            let ids = one.targets.iter().map(|target| context.target(&target.name));
            let mut part = lend(state, ids.collect());
            async move {
                if !has_state && one.channels.github_issue.is_none() {
                    return alert::deliver(sender, &one.channels, &one.targets, context).await;
                }
                let inputs = IncidentInputs {
                    state: &mut part,
                    observations: &one.observations,
                    rules: self.rules,
                };
                alert::deliver_changes(sender, &one.channels, &one.targets, inputs, context).await
            }
        });
        join_all(sending).await.concat()
    }

    /// Where the run's ping goes. A ping carries no label: of a simulation or a replay it would pass for the pass of a live
    /// deployment, and keep the alarm quiet that nothing is verified any more.
    fn heartbeat(&self, report: &mut Report, of_run: &ChannelVariables, env: &Env) -> Channels {
        let heartbeat = of_run.channels(env).only(HEARTBEAT_URL);
        let why = no_pass_to_ping(report).filter(|_| heartbeat.is_any());
        let Some(why) = why else {
            return heartbeat;
        };
        let said = format!("not sent: {why}");
        let record = AlertRecord::new("heartbeat", "passed", false, said);
        report.alerts.push(record);
        Channels::default()
    }
}

/// The state while several deliveries share it. A panic leaves it as it was.
fn locked<'s, 'm>(whole: &'s Mutex<&'m mut State>) -> MutexGuard<'s, &'m mut State> {
    whole.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the state, where there is one, remembers of these targets. It goes back also where a signal ends the delivery.
fn lend<'s>(
    whole: Option<&'s Mutex<&mut State>>,
    targets: Vec<TargetId>,
) -> StatePart<impl FnMut(State) + 's> {
    let part = whole.map(|whole| locked(whole).part(targets)).unwrap_or_default();
    StatePart::new(part, move |part| {
        if let Some(whole) = whole {
            locked(whole).absorb(part);
        }
    })
}

/// Why a pass is not one that a ping may tell.
pub(crate) fn no_pass_to_ping(report: &Report) -> Option<&'static str> {
    let simulated = |target: &TargetReport| target.simulated().is_some();
    match report.mode {
        _ if report.verdict != Verdict::Pass => None,
        _ if report.shard.is_some() => {
            Some("a shard is a part of the run; give the heartbeat's URL to `cvm-verify merge`, too")
        }
        _ if report.targets.iter().any(simulated) => Some("the pass relies on a root that is not built in"),
        Mode::Replay => Some("a replay says nothing about what runs now"),
        Mode::Live => None,
    }
}

/// What the results of a run are alerted on as: each with what is to be reported of its target, in the order of the targets.
fn alerted_as<'t>(
    alerted: &'t [AlertedTarget<'t>],
    targets: &'t [TargetReport],
    state: Option<&State>,
    now: u64,
) -> impl Iterator<Item = (&'t AlertedTarget<'t>, TargetReport, Observation)> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut jobs: Vec<Vec<(&AlertedTarget<'_>, &TargetReport)>> = Vec::new();
    for one in alerted.iter().zip(targets) {
        let place = *places.entry(one.0.name).or_insert(jobs.len());
        match jobs.get_mut(place) {
            Some(job) => job.push(one),
            None => jobs.push(vec![one]),
        }
    }
    jobs.into_iter().flat_map(move |job| {
        let first = job.first().map(|(alerted, _)| (alerted.file, alerted.name));
        let (file, name) = first.unwrap_or_default();
        let open = state.map(|state| state.open_instances(file, name));
        let reports: Vec<&TargetReport> = job.iter().map(|(_, report)| *report).collect();
        let named = alerted_reports(name, &reports, &open.unwrap_or_default()).into_iter();
        let due = named.filter_map(|one| {
            let mut of = one.of.iter().filter_map(|index| job.get(*index));
            let (alerted, _) = of.find(|(alerted, _)| !alerted.is_reported)?;
            let observation = one.observation(&reports, alerted.policy, now);
            Some((*alerted, one.report, observation))
        });
        due.collect::<Vec<_>>()
    })
}

/// The policy file of a run, which has one at most.
fn file_of(alerted: &[AlertedTarget<'_>]) -> Option<PolicyFileId> {
    alerted.iter().find_map(|one| one.file)
}

/// The issues of the repository that was named, or of the one that this workflow runs in: a token, or a name without
/// one, asks for them.
pub(crate) fn github_issue(named: Option<&str>, env: &Env) -> Result<Option<GithubIssues>, UsageError> {
    let get = |name: &str| env.variables.get(name).filter(|value| !value.is_empty());
    let token = get(GITHUB_TOKEN)
        .filter(|token| !token.trim().is_empty())
        .cloned()
        .map(Secret::new);
    let given_empty = is_given_empty(GITHUB_TOKEN, env);
    let usual = get("GITHUB_REPOSITORY");
    if named.is_none() && token.is_none() && (!given_empty || usual.is_none()) {
        return Ok(None);
    }
    let Some(repository) = named.or_else(|| usual.map(String::as_str)) else {
        return Err(UsageError::new(
            "CVM_VERIFY_GITHUB_TOKEN is set, but not for which repository; write --github-issue OWNER/REPO",
        ));
    };
    // A token of an Enterprise Server must not go to github.com.
    let server = get("GITHUB_SERVER_URL").filter(|server| *server != "https://github.com");
    let api = get("GITHUB_API_URL").cloned();
    let api = api.or_else(|| server.map(|server| format!("{server}/api/v3")));
    let token = token.unwrap_or_else(|| Secret::new(String::new()));
    GithubIssues::new(api.as_deref(), repository, token)
        .map(Some)
        .map_err(|error| UsageError::option("--github-issue", error))
}

/// What the files of a run say of its alerts until these are done. A run that is killed meanwhile leaves it.
pub(crate) fn not_sent_yet() -> AlertRecord {
    AlertRecord::new(
        "all",
        "alert",
        false,
        "not sent: the run ended before its alerts were",
    )
}

/// What is recorded if a signal ended the alerts.
pub(crate) fn ended_by(signal: &str) -> AlertRecord {
    let said = format!("ended by {signal}; with --state, the next run sends what no channel confirmed");
    AlertRecord::new("all", "alert", false, said)
}

/// Whether a run is one that repeats, so that nobody looks at each: it stores state or has a heartbeat, or a CI began it on a schedule.
pub(crate) fn repeats(stores_state: bool, channels: &Channels, env: &Env) -> bool {
    let heartbeat = channels.secret(HEARTBEAT_URL);
    stores_state || heartbeat.is_some_and(|url| !url.expose().trim().is_empty()) || env.is_scheduled()
}

/// The page of this run, where GitHub or GitLab say which it is.
pub(crate) fn run_url(env: &Env) -> Option<String> {
    let get = |name: &str| env.variables.get(name).filter(|value| !value.is_empty());
    if env.on_github() {
        let (server, repository, run) = (
            get("GITHUB_SERVER_URL")?,
            get("GITHUB_REPOSITORY")?,
            get("GITHUB_RUN_ID")?,
        );
        return Some(format!("{server}/{repository}/actions/runs/{run}"));
    }
    get("CI_JOB_URL").cloned()
}

/// 16 random bytes for a delivery's id. Where the system has none, ids repeat; nothing rests on them.
pub(crate) fn entropy() -> [u8; 16] {
    let mut bytes = [0; 16];
    let _ = SysRng.try_fill_bytes(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use cvm_verify_core::report::Shard;

    #[test]
    fn t57_only_a_pass_of_a_live_deployment_keeps_the_alarm_quiet() {
        for (mode, verdict, silent) in [
            (Mode::Live, Verdict::Pass, false),
            (Mode::Replay, Verdict::Pass, true),
            (Mode::Replay, Verdict::Fail, false),
            (Mode::Replay, Verdict::Inconclusive, false),
        ] {
            let mut report = Report::new(crate::env::tool(), mode, String::new(), 0, Vec::new());
            report.verdict = verdict;
            assert_eq!(no_pass_to_ping(&report).is_some(), silent, "{mode:?} {verdict:?}");
            // The other shards may have failed, or may not have run.
            report.shard = Some("1/2".parse::<Shard>().unwrap());
            let is_pass = verdict == Verdict::Pass;
            assert_eq!(
                no_pass_to_ping(&report).is_some(),
                is_pass,
                "a shard: {mode:?} {verdict:?}"
            );
        }
    }
}
