//! Attacks for the tests of escapes and renderers: text, and a report in which everything a stranger could have
//! chosen is that text.

use proptest::prelude::*;

use super::samples;
use cvm_verify_core::report::{AcceptedKind, CheckId, Location, TargetReport};

/// Pieces that act, hide or deceive in one of the outputs.
const PIECES: [&str; 61] = [
    "::error::",
    "\n::error::",
    "::add-mask::",
    "::stop-commands::",
    "::",
    ":",
    "#",
    "##[",
    "##vso[",
    "[",
    "]",
    " ",
    "    ",
    "\t",
    "\n",
    "\n\n",
    "\r\n",
    "%0A",
    "%25",
    ",",
    "\u{1b}[2J",
    "\u{9b}31m",
    "\u{202e}",
    "\u{200b}",
    "\u{feff}",
    "\u{e0041}",
    "\u{fffe}",
    "\0",
    "\\ud83d",
    "|",
    "`",
    "\\",
    "*",
    "_",
    "~~",
    "^",
    "==",
    "++",
    "{+",
    "!12 ",
    "%1.0",
    "$",
    "- ",
    "1. ",
    "<img src=//x/y onerror=z>",
    "![](http://x.example/y)",
    "[a](http://x.example)",
    "</details>",
    "<!--",
    "&#64;",
    "@org/team",
    "#123",
    "GH-1",
    "http://x.example/",
    "www.x.example",
    "me@x.example",
    "]]>",
    "/close",
    "\n/approve\n",
    "/",
    "\u{2705} pass",
];

/// Pieces of attacks, mixed with anything.
pub(super) fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(&PIECES[..]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => "[a-z]{1,6}",
        1 => (0_usize..400).prop_map(|length| "x".repeat(length)),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// What must never be shown, listed apart from the rules of the escapes: the two are each other's check.
pub(super) fn is_dangerous(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e01ef}')
}

/// Every text of a target that came from outside, replaced.
pub(super) fn report_saying(hostile: &str) -> TargetReport {
    let mut target = samples::fail();
    let text = hostile.to_owned();
    target.name.clone_from(&text);
    target.url = Some(text.clone());
    for check in &mut target.checks {
        check.detail.clone_from(&text);
        check.location = Some(Location {
            file: text.clone(),
            line: 7,
            key: text.clone(),
        });
    }
    samples::compare(&mut target, CheckId::ComposeHash, hostile, hostile);
    samples::check_mut(&mut target, CheckId::ImagePins).fix = Some(text.clone());
    target.measurements.app_id = Some(text.as_str().into());
    target.measurements.compose_hash = Some(text.as_str().into());
    target.measurements.os_image = Some(text.as_str().into());
    target.measurements.key_provider = Some(format!("{text}:{text}").into());
    target.tcb.status = Some(text.clone());
    target.tcb.advisory_ids = vec![text.clone()];
    target.tcb.expires_at = Some(text.clone());
    target.tcb.collateral_source = Some(text.clone());
    target.evidence.bundle = Some(text.clone());
    target.compose_diff = vec![text.clone(); 3];
    samples::accept(
        &mut target,
        CheckId::TdAttributes,
        AcceptedKind::TdAttributes,
        hostile,
    );
    if let Some(accepted) = target.accepted.last_mut() {
        accepted.until = Some(text.clone());
        accepted.reason.clone_from(&text);
    }
    target.evaluated_at = text.into();
    target
}
