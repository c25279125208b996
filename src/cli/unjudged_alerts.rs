//! Alerts of a run that ended before a verdict: where nobody looks at a run, a lock that is gone must not end the monitoring in
//! silence.

use std::path::Path;
use std::time::Duration;

use crate::alert::alerting::{entropy, run_url};
use crate::alert::variables::ChannelVariables;
use crate::alert::{self, AlertSender, HEARTBEAT_URL, RunContext};
use crate::env::{Env, truth};
use crate::files;
use crate::net::{Client, Secret, Transport};
use crate::render::{Unjudged, escape};
use crate::runtime::runtime;
use cvm_verify_core::report::Mode;

/// How long such an alert may hold up the end of the run.
const LONGEST: Duration = Duration::from_secs(10);

/// Tells the usual channels that nothing was verified, where the run is one that repeats: it has a heartbeat or a memory, or GitHub
/// began it on a schedule. What the channels answered is said on standard error.
pub(super) fn tell(unjudged: &Unjudged, env: &mut Env) {
    if !verifies(env) || !repeats(env) {
        return;
    }
    // The policy file may be what is wrong, so the variables that it names are not known.
    let channels = ChannelVariables::default().channels(env);
    if !channels.is_any() {
        return;
    }
    let (Some(client), Ok(runtime)) = (client(env), runtime()) else {
        return;
    };
    let run_url = run_url(env);
    let context = RunContext {
        now: (env.now)(),
        mode: Mode::Live,
        run_url: run_url.as_deref(),
        report_sha256: None,
        file: None,
    };
    let sender = AlertSender::new(&client, &entropy).with_one_deadline();
    let cause = unjudged.sentence();
    let telling = alert::nothing_verified(&sender, &channels, &cause, unjudged.next, &context);
    let told = runtime.block_on(async { tokio::time::timeout(LONGEST, telling).await });
    runtime.shutdown_background();
    match told {
        Ok(records) => {
            for record in records {
                let line = format!(
                    "note: {}: that nothing was verified: {}",
                    record.channel, record.detail
                );
                env.complain(&escape::terminal(&line));
            }
        }
        Err(_) => {
            env.complain("note: the alert channels did not take within 10 seconds that nothing was verified")
        }
    }
}

/// Whether the command is one that gives a verdict on what runs now, and ends.
fn verifies(env: &Env) -> bool {
    let command = env.args.get(1);
    let is = |name: &str| command.is_some_and(|command| command == name);
    is("verify") || (is("watch") && env.args.iter().any(|arg| arg == "--once"))
}

fn repeats(env: &Env) -> bool {
    let is_set = |name: &str| {
        env.variables
            .get(name)
            .is_some_and(|value| !value.trim().is_empty())
    };
    let channels = ChannelVariables::default().channels(env);
    let heartbeat = channels.secret(HEARTBEAT_URL);
    heartbeat.is_some_and(|url| !url.expose().trim().is_empty())
        || option(env, "state").is_some()
        || (is_set("GITHUB_EVENT_NAME")
            && env
                .variables
                .get("GITHUB_EVENT_NAME")
                .is_some_and(|event| event == "schedule"))
}

/// The client that the options describe, as far as that can be said of arguments that may not parse.
fn client(env: &Env) -> Option<Client> {
    let ca_file = match option(env, "ca-file") {
        Some(path) => Some(files::read(Path::new(&path), files::CERTIFICATE_LIMIT).ok()?),
        None => None,
    };
    let flag = "allow-private-network";
    let allowed = env.args.iter().any(|arg| arg == "--allow-private-network")
        || option(env, flag).is_some_and(|value| truth(&value) == Some(true));
    let transport = Transport {
        proxy: option(env, "proxy").map(Secret::new),
        ca_file,
        allow_private_network: allowed,
        ..Transport::default()
    };
    Client::new(&transport).ok().map(|client| client.for_alerts())
}

/// The value of an option, typed or from the environment.
fn option(env: &Env, name: &str) -> Option<String> {
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
    let variable = super::variable_name::variable_of(name);
    let set = env.variables.get(&variable).map(|value| value.trim().to_owned());
    typed.or(set).filter(|value| !value.is_empty())
}
