//! The queue of alerts: what was found goes in, and each channel is sent what it does not know.
//!
//! Targets with the same channels share a queue. A queue does one delivery at a time; what is found meanwhile waits, is
//! weighed in its order, and is reported in the form that is true by then. A queue that waits for a dead webhook holds up no
//! other.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::{Id, JoinSet};
use tokio::time::Instant;

use super::HeartbeatCycle;
use super::channel_group::{ChannelGroup, WaitingTarget};
use super::options::Options;
use crate::alert::alerting::{Alerting, entropy, run_url};
use crate::alert::app_alerts::alerted_reports;
use crate::alert::incident::{AskedAt, PolicyEntry, PolicyFileId, State, TargetId};
use crate::alert::state_file::{StateFile, asleep};
use crate::alert::state_part::StatePart;
use crate::alert::variables::ChannelVariables;
use crate::alert::{
    self, AlertSender, Channels, HEARTBEAT_URL, IncidentInputs, RunContext, RunSubject, Trouble,
};
use crate::engine::Session;
use crate::env::Env;
use crate::net::Client;
use crate::plan::job::Job;
use crate::plan::planner::Plan;
use crate::usage_error::UsageError;
use cvm_verify_core::report::{AlertRecord, TargetReport, Verdict};

/// The alerts that are waiting or under way, and what was reported before.
pub(crate) struct AlertQueue {
    alerting: Alerting,
    client: Client,
    run_url: Option<String>,
    now: fn() -> u64,
    store: StateStore,
    /// Whether the state knows more than its file.
    news: bool,
    /// What was said when the file could not be written.
    problem: Option<String>,
    groups: BTreeMap<ChannelVariables, ChannelGroup>,
    heartbeat: Heartbeat,
    deliveries: JoinSet<Vec<AlertRecord>>,
    /// The state of the targets of deliveries that have ended, or were ended.
    returned: Returned,
    purposes: HashMap<Id, DeliveryPurpose>,
    /// The targets of all deliveries that are under way.
    in_delivery: BTreeSet<TargetId>,
    /// The policy file that the targets are of.
    policy_file: Option<PolicyFileId>,
    /// The channels of the whole, for what is about no target.
    of_the_whole: Channels,
}

/// What was reported before: in a file, or as long as the process lives.
enum StateStore {
    File(StateFile),
    Process(State),
}

/// The ping for each cycle over all targets.
struct Heartbeat {
    channels: Channels,
    cycle: HeartbeatCycle,
    /// What the next ping says, while it is not on its way.
    due: Option<Verdict>,
    pinging: bool,
    simulated: bool,
}

/// What a delivery is for.
enum DeliveryPurpose {
    Ping,
    /// Of what has no queue: targets that left the policy file, and what is about no target.
    Apart(Vec<TargetId>),
    Queue(ChannelVariables, Vec<TargetId>, Vec<WaitingTarget>),
}

/// Where deliveries leave the state of their targets.
#[derive(Clone, Default)]
struct Returned(Arc<Mutex<State>>);

impl Returned {
    /// A part of the state that is left here in the end.
    fn lend(&self, part: State) -> StatePart<impl FnMut(State) + Send + use<>> {
        let back = self.clone();
        StatePart::new(part, move |part| back.locked(|state| state.absorb(part)))
    }

    /// What was left since.
    fn take(&self) -> State {
        self.locked(std::mem::take)
    }

    fn locked<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl AlertQueue {
    /// As the options and the environment say.
    pub fn new(options: &Options, plan: &Plan, session: &Session, env: &mut Env) -> Result<Self, UsageError> {
        let alerting = Alerting::new(options.github_issue.as_deref(), options.rules, env)?;
        options.state.as_deref().map_or(Ok(()), StateFile::prepare)?;
        let store = match &options.state {
            // A signal ends the process here: the loop, which acts on signals, has not begun.
            Some(path) if options.once => match StateFile::open(path, env, &mut asleep) {
                Ok(file) => StateStore::File(file),
                Err(_) => StateStore::Process(State::default()),
            },
            Some(path) => StateStore::File(StateFile::open_alone(path, env)?),
            None => StateStore::Process(State::default()),
        };
        Ok(Self {
            alerting,
            client: session.client.for_alerts(),
            run_url: run_url(env),
            now: env.now,
            store,
            news: false,
            problem: None,
            groups: BTreeMap::new(),
            heartbeat: Heartbeat {
                channels: plan.alerts.channels(env),
                cycle: HeartbeatCycle::default(),
                due: None,
                pinging: false,
                simulated: session.simulated().is_some(),
            },
            deliveries: JoinSet::new(),
            returned: Returned::default(),
            purposes: HashMap::new(),
            in_delivery: BTreeSet::new(),
            policy_file: None,
            of_the_whole: Channels::default(),
        })
    }

    /// These are the targets from now on. What was found of others is still reported.
    pub fn watch(&mut self, plan: &Plan, env: &Env) {
        self.heartbeat.channels = plan.alerts.channels(env);
        let names = plan.targets.iter().map(|target| target.name().to_owned());
        self.heartbeat.cycle.watch(names);
        self.policy_file = plan.policy_file;
        for (variables, group) in &mut self.groups {
            let of_group = plan.targets.iter().filter(|target| target.alerts == *variables);
            group.try_again_only(&of_group.map(Job::name).collect());
        }
        self.of_the_whole = self
            .alerting
            .channels(&plan.alerts, env)
            .with(HEARTBEAT_URL, None);
        self.say_who_departed(plan, env);
    }

    /// Tells the channels of the run which targets left the policy file while they failed. One whose alerts are being sent is said when
    /// the policy is read the next time.
    fn say_who_departed(&mut self, plan: &Plan, env: &Env) {
        if !self.store.ends_incidents() {
            return;
        }
        let file = plan.policy_file;
        let names: Vec<&str> = plan.targets.iter().map(Job::name).collect();
        let state = self.store.state();
        let mut departed = state.departed(file, plan.is_whole_file, &names, (self.now)());
        departed.retain(|one| !self.in_delivery.contains(&one.target));
        for (channels, departed) in self.alerting.by_channels(departed, env) {
            let ids: Vec<TargetId> = departed.iter().map(|one| one.target).collect();
            let part = self.store.state().part(ids.iter().copied());
            let mut state = self.returned.lend(part);
            self.in_delivery.extend(&ids);
            let (client, run_url, now) = (self.client.clone(), self.run_url.clone(), (self.now)());
            let delivery = async move {
                let context = RunContext::live(now, run_url.as_deref(), file);
                let sender = AlertSender::new(&client, &entropy).with_one_deadline();
                alert::deliver_departed(&sender, &channels, &departed, &mut state, &context).await
            };
            let handle = self.deliveries.spawn(delivery);
            self.purposes.insert(handle.id(), DeliveryPurpose::Apart(ids));
        }
    }

    /// Tells the channels of the whole what is wrong with `subject`, and what to do, or that nothing is, where they do not know it.
    pub fn tell_of(&mut self, subject: &RunSubject, trouble: Option<(&str, &'static str)>) {
        let now = (self.now)();
        let state = self.store.state();
        if trouble.is_none() && alert::is_quiet(state, &self.of_the_whole, subject) {
            return;
        }
        let weighed = trouble.map(|(cause, next)| Trouble { cause, next });
        let mut part = state.part([subject.stored()]);
        let due = alert::weigh_run(&mut part, &self.of_the_whole, subject, weighed, now);
        match due.is_empty() {
            true if self.in_delivery.contains(&subject.stored()) => {}
            true => {
                self.news = true;
                state.absorb(part);
            }
            false => self.tell_apart(subject, trouble),
        }
    }

    /// Tells that nothing is wrong with `subject`, also where only an issue remembers that something was, or nobody does.
    pub fn tell_of_end(&mut self, subject: &RunSubject) {
        self.tell_apart(subject, None);
    }

    /// While such a message is on its way there is no other: what is found then is found again.
    fn tell_apart(&mut self, subject: &RunSubject, trouble: Option<(&str, &'static str)>) {
        let (id, now) = (subject.stored(), (self.now)());
        let is_withheld = trouble.is_none() && !self.store.ends_incidents();
        if self.in_delivery.contains(&id) || is_withheld || !self.of_the_whole.is_any() {
            return;
        }
        self.news = true;
        let channels = self.of_the_whole.clone();
        let part = self.store.state().part([id]);
        let mut state = self.returned.lend(part);
        self.in_delivery.insert(id);
        let (client, run_url, subject) = (self.client.clone(), self.run_url.clone(), subject.clone());
        let trouble = trouble.map(|(cause, next)| (cause.to_owned(), next));
        let delivery = async move {
            let context = RunContext::live(now, run_url.as_deref(), None);
            let sender = AlertSender::new(&client, &entropy).with_one_deadline();
            let trouble = trouble.as_ref().map(|(cause, next)| Trouble { cause, next });
            alert::tell_of_run(&sender, &channels, &subject, trouble, &mut state, &context).await
        };
        let handle = self.deliveries.spawn(delivery);
        self.purposes
            .insert(handle.id(), DeliveryPurpose::Apart(vec![id]));
    }

    /// Whether nobody would hear of anything: no target of the plan has a channel, and there is no heartbeat.
    pub fn is_silent(&self, plan: &Plan, env: &Env) -> bool {
        let mut targets = plan.targets.iter();
        let is_alerted = targets.any(|target| self.alerting.channels(&target.alerts, env).is_any());
        !is_alerted && plan.alerts.channels(env).secret(HEARTBEAT_URL).is_none()
    }

    /// Takes what was found of a target in a round, of each instance where it has several.
    pub fn take(&mut self, target: &Job, reports: Vec<TargetReport>, now: u64, env: &Env) {
        let worst = Verdict::worst(reports.iter().map(|report| report.verdict));
        if let Some(worst) = self.heartbeat.cycle.verified(target.name(), worst) {
            let due = self.heartbeat.due.into_iter().chain([worst]);
            self.heartbeat.due = Some(Verdict::worst(due));
            self.ping();
        }
        let alerting = &self.alerting;
        let group = self.groups.entry(target.alerts.clone()).or_insert_with(|| {
            let channels = alerting.channels(&target.alerts, env).with(HEARTBEAT_URL, None);
            ChannelGroup::new(channels, env.acceleration)
        });
        if !group.channels.is_any() {
            return;
        }
        let (policy, asked) = (
            target.policy().fingerprint(),
            Some(AskedAt::of(&target.deployment.source)),
        );
        let ends_incidents = self.store.ends_incidents();
        let reports: Vec<&TargetReport> = reports.iter().collect();
        let open = self.store.state().open_instances(self.policy_file, target.name());
        for one in alerted_reports(target.name(), &reports, &open) {
            if !ends_incidents && one.report.verdict == Verdict::Pass {
                continue;
            }
            let entry =
                PolicyEntry::new(self.policy_file, target.name()).alerted_through(target.alerts.names());
            let observation = one
                .observation(&reports, policy, now)
                .asked_at(asked)
                .of_entry(Some(entry));
            group.add(target.name(), one.report, observation);
        }
        self.tell(&target.alerts);
    }

    /// Begins the next delivery of a queue, where none is under way and something is due.
    fn tell(&mut self, variables: &ChannelVariables) {
        let (now, rules, file) = ((self.now)(), self.alerting.rules(), self.policy_file);
        let Some(group) = self.groups.get_mut(variables).filter(|group| !group.telling) else {
            return;
        };
        let state = self.store.state();
        let (mut reports, mut observations, mut part) = (Vec::new(), Vec::new(), State::default());
        let (mut ids, mut told) = (Vec::new(), Vec::new());
        for (name, waiting) in group.take(Instant::now()) {
            let id = file.map_or_else(|| TargetId::of(&name), |file| file.target(&name));
            // The policy gave it other channels meanwhile: what was reported to the ones before is not known yet.
            if self.in_delivery.contains(&id) {
                group.put_back(waiting);
                continue;
            }
            // It has left the policy file meanwhile, and that was told.
            if waiting.is_retry() && state.get(id).is_none() {
                continue;
            }
            if alert::nothing_due(state, &group.channels, id, &waiting.observations, &rules, now) {
                self.news = true;
                continue;
            }
            if let Some(remembered) = state.get(id) {
                part.set(id, remembered.clone());
            }
            ids.push(id);
            told.extend(waiting.weighed());
            reports.push(waiting.report);
            observations.push(waiting.observations);
        }
        if reports.is_empty() {
            return;
        }
        group.telling = true;
        self.in_delivery.extend(&ids);
        let mut state = self.returned.lend(part);
        let (client, channels, run_url) = (self.client.clone(), group.channels.clone(), self.run_url.clone());
        let delivery = async move {
            let context = RunContext::live(now, run_url.as_deref(), file);
            let inputs = IncidentInputs {
                state: &mut state,
                observations: &observations,
                rules,
            };
            let sender = AlertSender::new(&client, &entropy);
            let sender = sender.with_one_deadline();
            alert::deliver_changes(&sender, &channels, &reports, inputs, &context).await
        };
        let handle = self.deliveries.spawn(delivery);
        self.purposes
            .insert(handle.id(), DeliveryPurpose::Queue(variables.clone(), ids, told));
    }

    /// Pings, where a cycle over all targets has ended and no ping is on its way. What ends meanwhile is in the next ping.
    fn ping(&mut self) {
        let heartbeat = &mut self.heartbeat;
        if heartbeat.pinging || heartbeat.channels.secret(HEARTBEAT_URL).is_none() {
            return;
        }
        let Some(worst) = heartbeat.due.take() else {
            return;
        };
        // A ping carries no label: of a simulation it would pass for a genuine pass.
        if heartbeat.simulated && worst == Verdict::Pass {
            return;
        }
        heartbeat.pinging = true;
        let (client, channels) = (self.client.clone(), heartbeat.channels.clone());
        let ping = async move {
            let sender = AlertSender::new(&client, &entropy);
            alert::ping(&sender, &channels, worst).await
        };
        let handle = self.deliveries.spawn(ping);
        self.purposes.insert(handle.id(), DeliveryPurpose::Ping);
    }

    /// What became of the alerts of the next delivery that ends. Waits for ever while none is under way.
    pub async fn delivered(&mut self) -> Vec<AlertRecord> {
        let Some(joined) = self.deliveries.join_next_with_id().await else {
            return std::future::pending().await;
        };
        let (id, records) = match joined {
            Ok(done) => done,
            // A bug of ours. What no channel took is due again.
            Err(error) => (error.id(), vec![lost()]),
        };
        self.absorb_returned();
        match self.purposes.remove(&id) {
            Some(DeliveryPurpose::Queue(variables, ids, told)) => {
                if let Some(group) = self.groups.get_mut(&variables) {
                    group.telling = false;
                    let is_lost = |record: &AlertRecord| !record.delivered && !alert::lacks_secret(record);
                    group.delivered(told, records.iter().any(is_lost), Instant::now());
                }
                self.end_delivery(&ids);
            }
            Some(DeliveryPurpose::Apart(ids)) => self.end_delivery(&ids),
            Some(DeliveryPurpose::Ping) => {
                self.heartbeat.pinging = false;
                self.ping();
            }
            None => {}
        }
        records
    }

    /// Goes on with what waited for it.
    fn end_delivery(&mut self, ids: &[TargetId]) {
        self.in_delivery.retain(|id| !ids.contains(id));
        self.tell_all();
    }

    /// Tells what is waiting and may be told by now.
    pub fn tell_all(&mut self) {
        let groups: Vec<ChannelVariables> = self.groups.keys().cloned().collect();
        for variables in groups {
            self.tell(&variables);
        }
    }

    /// Ends the deliveries that are under way. What their channels took is noted; the rest is due again.
    pub async fn stop(&mut self) {
        self.deliveries.abort_all();
        while self.deliveries.join_next().await.is_some() {}
        self.absorb_returned();
    }

    fn absorb_returned(&mut self) {
        self.news = true;
        let returned = self.returned.take();
        self.store.state().absorb(returned);
    }

    /// Whether a delivery is under way.
    pub fn is_telling(&self) -> bool {
        !self.deliveries.is_empty()
    }

    /// Whether the state knows more than its file.
    pub fn has_news(&self) -> bool {
        self.news
    }

    /// Writes the state, where it has a file. A problem is returned once, not at each attempt.
    pub fn save(&mut self) -> Option<String> {
        let StateStore::File(file) = &self.store else {
            return None;
        };
        let problem = file.save().err().map(|error| error.to_string());
        self.news = problem.is_some();
        let new = problem.clone().filter(|_| problem != self.problem);
        self.problem = problem;
        new
    }
}

impl StateStore {
    /// Whether a pass may be told as the end of an incident: not where another run holds the file.
    fn ends_incidents(&self) -> bool {
        match self {
            Self::File(file) => file.is_locked(),
            Self::Process(_) => true,
        }
    }

    fn state(&mut self) -> &mut State {
        match self {
            Self::File(file) => &mut file.state,
            Self::Process(state) => state,
        }
    }
}

fn lost() -> AlertRecord {
    let said = "internal error in cvm-verify while it sent alerts; please report this";
    AlertRecord::new("all", "alert", false, said)
}
