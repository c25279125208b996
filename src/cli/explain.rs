//! `cvm-verify explain`: what a check proves, which attack it prevents, why it fails, how to fix it. A report names a check
//! and a reason, so both are looked up.

use super::args::ExplainArgs;
use crate::env::Env;
use crate::render::{self, escape};
use crate::usage_error::UsageError;
use cvm_verify_core::checks::{ALL, Check, Reason};
use cvm_verify_core::toml_text::nearest;

/// Characters of a name that an error repeats.
const MAX_SHOWN: usize = 80;

pub(super) fn run(args: &ExplainArgs, env: &mut Env) -> anyhow::Result<u8> {
    let width = env.width();
    let text = match &args.check {
        None => render::explain_list(width),
        Some(name) => explained(name.trim(), width)?,
    };
    env.print(&text);
    Ok(0)
}

fn explained(name: &str, width: usize) -> Result<String, UsageError> {
    if let Some((check, reason)) = name.split_once('/') {
        let check = check_of(check).ok_or_else(|| {
            unknown(
                &format!("there is no check {}", shown(check)),
                check,
                check_names(),
            )
        })?;
        let reason = check.reason(reason).ok_or_else(|| {
            let names = check.reasons.iter().map(|reason| reason.id);
            let what = format!("the check {} has no reason {}", check.id, shown(reason));
            unknown(&what, reason, names.collect())
        })?;
        return Ok(render::explain_reasons(&[(check, reason)], width));
    }
    if let Some(check) = check_of(name) {
        return Ok(render::explain(check, width));
    }
    let found: Vec<(&Check, &Reason)> = ALL
        .iter()
        .filter_map(|check| Some((*check, check.reason(name)?)))
        .collect();
    if found.is_empty() {
        let mut names = check_names();
        names.extend(ALL.iter().flat_map(|check| check.reasons).map(|reason| reason.id));
        let what = format!("there is no check and no reason {}", shown(name));
        return Err(unknown(&what, name, names));
    }
    Ok(render::explain_reasons(&found, width))
}

fn check_of(name: &str) -> Option<&'static Check> {
    name.parse().ok().map(Check::of)
}

fn check_names() -> Vec<&'static str> {
    ALL.iter().map(|check| check.id.as_str()).collect()
}

fn shown(name: &str) -> String {
    format!("{:?}", escape::shorten(name, MAX_SHOWN))
}

fn unknown(what: &str, name: &str, names: Vec<&'static str>) -> UsageError {
    let near = nearest(name, names.iter().copied());
    UsageError::new(match near {
        Some(near) => format!("{what}; did you mean {near}?"),
        None => format!(
            "{what}; `cvm-verify explain` lists the checks, and `cvm-verify explain CHECK` the reasons of one"
        ),
    })
}
