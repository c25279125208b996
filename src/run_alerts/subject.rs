//! What an alert about a whole run is about: an incident of its own in the stored state.

use url::Url;

use crate::alert::RunSubject;
use crate::env::typed::{addresses, command, flag, option};
use crate::env::{Env, ci_job};

/// This run, or this `watch`.
pub(crate) fn subject(env: &Env) -> RunSubject {
    let asked = asked(env);
    let run = match ci_job::of(env).is_empty() {
        _ if command(env) == "watch" && !flag(env, "once") => RunSubject::watch(&asked),
        true => RunSubject::run(&[], &asked),
        false => RunSubject::run(&asked, &asked),
    };
    run.about(&shown(env))
}

/// The policy of this run.
pub(crate) fn policy_subject(env: &Env) -> RunSubject {
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
