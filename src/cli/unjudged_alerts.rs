//! Alerts of a run that ended before a verdict: where nobody looks at a run, a lock that is gone must not end the monitoring in
//! silence.

use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

use crate::alert::alerting::{entropy, github_issue, repeats, run_url};
use crate::alert::incident::State;
use crate::alert::state_file::StateFile;
use crate::alert::variables::ChannelVariables;
use crate::alert::{self, AlertSender, RunContext, RunSubject, Trouble};
use crate::bounded_io;
use crate::config::{Settings, variable_of};
use crate::env::{Env, ci_job, truth};
use crate::files;
use crate::net::{Client, Secret, Transport};
use crate::plan::policy_file;
use crate::render::{Unjudged, escape};
use crate::runtime::runtime;

/// How long such an alert may hold up the end of the run.
const LONGEST: Duration = Duration::from_secs(10);
/// How long the channels have: so much less that what they took is stored.
const SENDING: Duration = Duration::from_secs(9);

/// Tells the channels that nothing was verified, where nobody looks at the run: it has a heartbeat or stores state, its CI began it on a
/// schedule, or it is a `watch` without a terminal, and no other one has its state. What the channels answered is said on standard error.
pub(super) fn tell(unjudged: &Unjudged, env: &mut Env) {
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
        return;
    }
    let issues = github_issue(option(env, "github-issue").as_deref(), env);
    let issues = issues.ok().flatten();
    let remembers = issues.is_some();
    let channels = channels.with_issues(issues);
    if !channels.is_any() {
        return;
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
            for record in records {
                let line = format!(
                    "note: {}: the alert that nothing was verified: {}",
                    record.channel, record.detail
                );
                env.complain(&escape::terminal(&line));
            }
        }
        Err(_) => env.complain(
            "note: the alert channels did not accept within 10 seconds the alert that nothing was verified",
        ),
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
    let named = option(env, "config").map(PathBuf::from);
    let is_looked_for = addresses(env).is_empty() && option(env, "url").is_none() && !flag(env, "no-config");
    let file = match named {
        None if is_looked_for => policy_file::found(None, true, env),
        named => named,
    };
    let file = file.filter(|path| !bounded_io::is_special(path));
    let config = file.and_then(|path| policy_file::read(&path).ok());
    let settings = config.map(|config| config.settings(&Settings::default(), None));
    settings.as_ref().map(ChannelVariables::of).unwrap_or_default()
}

/// This run, or this `watch`.
pub(super) fn subject(env: &Env) -> RunSubject {
    let asked = asked(env);
    let run = match ci_job::of(env).is_empty() {
        _ if command(env) == "watch" && !flag(env, "once") => RunSubject::watch(&asked),
        true => RunSubject::run(&[], &asked),
        false => RunSubject::run(&asked, &asked),
    };
    run.about(&shown(env))
}

/// The policy of this run.
pub(super) fn policy_subject(env: &Env) -> RunSubject {
    RunSubject::policy(&asked(env)).about(&shown(env))
}

/// What it was asked to verify, for people: hosts, names of targets, the policy file. An address may hold a secret beside its host.
fn shown(env: &Env) -> String {
    let typed = addresses(env);
    let set = option(env, "url").unwrap_or_default();
    let urls = typed.iter().map(String::as_str).chain(set.lines());
    let hosts = urls.filter_map(|url| {
        let url = Url::parse(url.trim()).ok()?;
        let host = url.host_str()?;
        Some(match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        })
    });
    let named = ["target", "config", "shard"].into_iter();
    let named = named.filter_map(|name| Some(format!("--{name} {}", option(env, name)?)));
    hosts.chain(named).collect::<Vec<_>>().join(", ")
}

/// What tells this run from others: the job of the CI, and what it was asked to verify. The jobs of a matrix have one name, and a job may
/// have several steps: that one of them verified its targets says nothing about the targets of another.
fn asked(env: &Env) -> Vec<String> {
    let mut asked = ci_job::of(env);
    for name in ["url", "target", "config", "app-id", "instance-id", "shard"] {
        asked.push(option(env, name).unwrap_or_default());
    }
    asked.extend(addresses(env));
    asked
}

/// The arguments that are no options, as far as that can be said of arguments that may not parse.
fn addresses(env: &Env) -> Vec<String> {
    let args: Vec<&str> = env.args.iter().skip(2).filter_map(|arg| arg.to_str()).collect();
    let before = std::iter::once("").chain(args.iter().copied());
    let is_value = |before: &str| before.starts_with('-') && !before.contains('=');
    // The value of such an option looks like an address.
    let is_url = |before: &str| is_value(before) && (before.ends_with("-url") || before == "--proxy");
    let addresses = args.iter().zip(before).filter(|(arg, before)| {
        !arg.starts_with('-') && !is_url(before) && (!is_value(before) || arg.contains("://"))
    });
    addresses.map(|(arg, _)| (*arg).to_owned()).collect()
}

fn nobody_was_notified(why: &str, env: &mut Env) {
    let line = format!("note: the alert that nothing was verified was not sent: {why}");
    env.complain(&escape::terminal(&line));
}

/// The command that was typed.
pub(super) fn command(env: &Env) -> &str {
    let command = env.args.get(1).and_then(|command| command.to_str());
    command.unwrap_or_default()
}

/// The client that the options describe, as far as that can be said of arguments that may not parse. Without the certificates of
/// `--ca-file` where they cannot be used: they may be what is wrong, and most channels need none of them.
///
/// # Errors
/// Why there is none.
pub(super) fn client(env: &mut Env) -> Result<Client, String> {
    let named = option(env, "ca-file");
    let mut transport = Transport {
        proxy: option(env, "proxy").map(Secret::new),
        allow_private_network: flag(env, "allow-private-network"),
        ..Transport::default()
    };
    let plain = Client::new(&transport).map_err(|error| error.to_string())?;
    let Some(path) = named else {
        return Ok(plain.for_alerts());
    };
    let read = files::read(Path::new(&path), files::CERTIFICATE_LIMIT);
    let client = read.map_err(|error| error.to_string()).and_then(|pem| {
        transport.ca_file = Some(pem);
        Client::new(&transport).map_err(|error| format!("{path}: {error}"))
    });
    Ok(match client {
        Ok(client) => client.for_alerts(),
        Err(why) => {
            let line = format!("note: alerts are sent without the certificates of --ca-file: {why}");
            env.complain(&escape::terminal(&line));
            plain.for_alerts()
        }
    })
}

/// Whether an option without a value is on, typed or from the environment.
fn flag(env: &Env, name: &str) -> bool {
    let long = format!("--{name}");
    let variable = variable_of(name);
    let set = env.variables.get(&variable);
    env.args.iter().any(|arg| *arg == *long) || set.is_some_and(|value| truth(value) == Some(true))
}

/// The value of an option, typed or from the environment.
pub(super) fn option(env: &Env, name: &str) -> Option<String> {
    let long = format!("--{name}");
    let mut args = env.args.iter().filter_map(|arg| arg.to_str());
    let mut typed = None;
    while let Some(arg) = args.next() {
        match arg.strip_prefix(&long) {
            Some("") => typed = args.next().map(str::to_owned),
            Some(rest) => typed = rest.strip_prefix('=').map(str::to_owned).or(typed),
            None => {}
        }
    }
    let variable = variable_of(name);
    let set = env.variables.get(&variable).map(|value| value.trim().to_owned());
    typed.or(set).filter(|value| !value.is_empty())
}
