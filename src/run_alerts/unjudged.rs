//! Alerts of a run that ended before a verdict: where nobody looks at a run, a lock that is gone must not end the monitoring in
//! silence.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::alert::alerting::{entropy, github_issue, repeats, run_url};
use crate::alert::incident::State;
use crate::alert::state_file::StateFile;
use crate::alert::variables::ChannelVariables;
use crate::alert::{self, AlertEvent, AlertSender, RunContext, Trouble};
use crate::bounded_io;
use crate::config::Settings;
use crate::config::file::{ValueShape, keys};
use crate::env::Env;
use crate::env::typed::{addresses, command, flag, option};
use crate::plan::policy_file::{self, Config};
use crate::render::{Unjudged, escape};
use crate::runtime::runtime;
use cvm_verify_core::report::AlertRecord;

use super::client::client;
use super::subject::subject;

/// How long such an alert may hold up the end of the run.
const LONGEST: Duration = Duration::from_secs(10);
/// How long the channels have: so much less that what they took is stored.
const SENDING: Duration = Duration::from_secs(9);

/// Tells the channels that nothing was verified, where nobody looks at the run: it has a heartbeat or stores state, its CI began it on a
/// schedule, or it is a `watch` without a terminal, and no other one has its state. What the channels answered is returned, and said on
/// standard error.
pub(crate) fn tell(unjudged: &Unjudged, env: &mut Env) -> Vec<AlertRecord> {
    let channels = variables(env).channels(env);
    let is_unattended = match (command(env), flag(env, "once")) {
        ("watch", false) => {
            let state = option(env, "state");
            !env.stderr_is_terminal && !state.is_some_and(|path| StateFile::is_held(path.as_ref(), env))
        }
        ("verify", _) | ("watch", true) => repeats(option(env, "state").is_some(), &channels, env),
        _ => false,
    };
    if !is_unattended {
        return Vec::new();
    }
    let issues = github_issue(option(env, "github-issue").as_deref(), env);
    let issues = issues.ok().flatten();
    let remembers = issues.is_some();
    let channels = channels.with_issues(issues);
    if !channels.is_any() {
        return Vec::new();
    }
    let (client, runtime) = match (client(env), runtime()) {
        (Ok(client), Ok(runtime)) => (client, runtime),
        (Err(why), _) => return nobody_was_notified(&why, env),
        (_, Err(error)) => return nobody_was_notified(&error.to_string(), env),
    };
    let run_url = run_url(env);
    let context = RunContext::live((env.now)(), run_url.as_deref(), None);
    let sender = AlertSender::new(&client, &entropy).within(SENDING);
    let cause = unjudged.sentence();
    let trouble = Trouble {
        cause: &cause,
        next: unjudged.next,
    };
    let subject = subject(env);
    let mut file = state_file(env);
    let mut none = State::default();
    let telling = async {
        let state = match &mut file {
            Some(file) => &mut file.state,
            None if remembers => &mut none,
            None => return alert::nothing_verified(&sender, &channels, &subject, trouble, &context).await,
        };
        alert::tell_of_run(&sender, &channels, &subject, Some(trouble), state, &context).await
    };
    let sent = runtime.block_on(async { tokio::time::timeout(LONGEST, telling).await });
    if let Some(file) = file {
        file.close(env);
    }
    match sent {
        Ok(records) => {
            for record in &records {
                let line = format!(
                    "note: {}: the alert that nothing was verified: {}",
                    record.channel, record.detail
                );
                env.complain(&escape::terminal(&line));
            }
            records
        }
        Err(_) => {
            let why = "no channel accepted it within 10 seconds";
            nobody_was_notified(why, env)
        }
    }
}

/// The stored state, where it can be used and no other run holds it.
fn state_file(env: &mut Env) -> Option<StateFile> {
    let path = option(env, "state")?;
    let path = Path::new(&path);
    StateFile::prepare(path).ok()?;
    StateFile::open_now(path, env)
}

/// The variables of the channels of the whole: as the policy file says, as far as it can be read. What came through a pipe is not there
/// any more.
fn variables(env: &mut Env) -> ChannelVariables {
    let settings = policy(env).map(|config| config.settings(&Settings::default(), None));
    settings.as_ref().map(ChannelVariables::of).unwrap_or_default()
}

/// Every variable that the policy file names; none of no policy file. `None` of one that cannot be read twice, or at all.
pub(crate) fn named_variables(env: &mut Env) -> Option<BTreeSet<String>> {
    if policy_path(env).is_none() {
        return Some(BTreeSet::new());
    }
    let config = policy(env)?;
    let of_targets = config.file.targets.iter().map(|target| &target.settings);
    let all = of_targets.chain([&config.file.defaults]);
    let all = all.flat_map(|settings| {
        let keys = keys().filter(|key| key.shape == ValueShape::Variable);
        keys.filter_map(|key| Some(settings.one(key.name)?.text.clone()))
    });
    Some(all.collect())
}

fn policy(env: &mut Env) -> Option<Config> {
    let file = policy_path(env).filter(|path| !bounded_io::is_special(path));
    file.and_then(|path| policy_file::read(&path).ok())
}

/// The policy file of the run, as far as that can be said of arguments that may not parse.
fn policy_path(env: &mut Env) -> Option<PathBuf> {
    let named = option(env, "config").map(PathBuf::from);
    let is_looked_for = addresses(env).is_empty() && option(env, "url").is_none() && !flag(env, "no-config");
    match named {
        None if is_looked_for => policy_file::found(None, true, env),
        named => named,
    }
}

fn nobody_was_notified(why: &str, env: &mut Env) -> Vec<AlertRecord> {
    let line = format!("note: the alert that nothing was verified was not sent: {why}");
    env.complain(&escape::terminal(&line));
    vec![AlertRecord {
        channel: "all channels".to_owned(),
        event: AlertEvent::Inconclusive.to_string(),
        delivered: false,
        detail: why.to_owned(),
    }]
}
