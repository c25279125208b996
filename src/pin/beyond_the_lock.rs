//! What was accepted when a lock was taken and the lock alone does not accept in `verify`: the nonce, and the platform's TCB status.

use crate::config::Settings;
use cvm_verify_core::checks::tcb_exceptions;
use cvm_verify_core::lock::{AcceptName, PinWarning, Unaccepted};
use cvm_verify_core::policy::{Freshness, Policy, TcbException, TcbPolicy};
use cvm_verify_core::verify::Claims;

/// What was pinned, and where more is said of it.
pub(super) struct PinnedFrom<'a> {
    pub claims: &'a Claims,
    pub settings: &'a Settings,
    /// The time that the next verification judges at, Unix seconds.
    pub now: u64,
}

/// What `verify` needs beside a lock that holds these acceptances, as keys and values. What the policy file gives already is left out.
pub(super) fn waivers<'a>(
    names: impl IntoIterator<Item = &'a AcceptName>,
    from: &PinnedFrom<'_>,
) -> Vec<(&'static str, String)> {
    let is_waived = from
        .settings
        .one("freshness")
        .is_some_and(|value| value.text == Freshness::Unchecked.as_str());
    let given = from.settings.all("accept-tcb").iter();
    let exceptions = given.filter_map(|value| value.text.parse::<TcbException>().ok());
    let policy = Policy {
        tcb: TcbPolicy {
            exceptions: exceptions.collect(),
            ..TcbPolicy::default()
        },
        ..Policy::default()
    };
    let of = |name: &AcceptName| match name {
        AcceptName::Tcb => tcb_exceptions(from.claims, &policy, from.now)
            .iter()
            .map(|exception| ("accept-tcb", exception.to_string()))
            .collect(),
        AcceptName::NoNonce if !is_waived => vec![("freshness", Freshness::Unchecked.as_str().to_owned())],
        _ => Vec::new(),
    };
    names.into_iter().flat_map(of).collect()
}

/// Keys and values as options, with a blank before each.
pub(super) fn options(waivers: &[(&'static str, String)]) -> String {
    waivers
        .iter()
        .map(|(key, value)| format!(" --{key} {value}"))
        .collect()
}

/// How what is not accepted yet can be pinned, and what `verify` needs then.
pub(super) fn how_to_pin(unaccepted: &Unaccepted, from: &PinnedFrom<'_>) -> Vec<String> {
    let layout = unaccepted.0.iter().find_map(|warning| match warning {
        PinWarning::OtherLayout(layout) => Some(*layout),
        _ => None,
    });
    let mut lines = Vec::new();
    let mut open = unaccepted.clone();
    if let Some(layout) = layout {
        // The nonce is signed: nothing has to be accepted for it.
        open.0
            .retain(|warning| !matches!(warning, PinWarning::OtherLayout(_)));
        lines.push(format!(
            "The quote is not a replay. If the app is meant to sign the nonce in this layout, name it: --report-data {layout}, also in \
             `verify`. A policy file names it as report-data = \"{layout}\"."
        ));
    }
    if open.0.is_empty() {
        return lines;
    }
    let names: Vec<AcceptName> = AcceptName::ALL
        .into_iter()
        .filter(|name| open.0.iter().any(|warning| warning.name() == *name))
        .collect();
    let verdict = match names.iter().any(|name| name.is_named_by_verdicts()) {
        true => ", and so does every verdict that relies on it",
        false => "",
    };
    let more = options(&waivers(&names, from));
    let why: Vec<&str> = names
        .iter()
        .filter_map(|name| match name {
            AcceptName::NoNonce => Some("a lock does not waive the nonce"),
            AcceptName::Tcb => Some("a lock does not accept a TCB status, which needs an end date"),
            _ => None,
        })
        .collect();
    let more = match more.as_str() {
        "" => String::new(),
        more => format!(" `verify` also needs{more}: {}.", why.join(", and ")),
    };
    let names = open.names();
    lines.push(format!(
        "To pin it, accept that in writing: --accept {names} (or everything that was found: --accept-observed). The lock then says \
         so{verdict}.{more}"
    ));
    lines
}
