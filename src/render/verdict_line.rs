//! The page `docs/verdict-line.md`: every phrase that the verdict line can take, made of lines that the program writes.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::generated::assert_generated;
use super::{banner, reached, samples, words};
use cvm_verify_core::report::{
    Accepted, AcceptedKind, Assurance, CheckId, Mode, RequiredAssurance, SideTier, SideTiers, Status,
    TargetReport, TrustRootKind, Verdict,
};

/// Every note that can stand in the parentheses: its form on the page, and what it means. `…` stands for the words that
/// differ.
const NOTES: [(&str, &str); 14] = [
    ("hardware", "Of a pass: the tier that was required, `hardware`."),
    ("code", "Of a pass: the tier that was required, `code`."),
    (
        "code+…",
        "Of a pass: `code` and what was required in addition: `endpoint`, `endpoint-replayable`, `source`.",
    ),
    (
        "required: hardware",
        "Of an inconclusive verdict: the tier that was required, `hardware`.",
    ),
    (
        "required: code",
        "Of an inconclusive verdict: the tier that was required, `code`.",
    ),
    (
        "required: code+…",
        "Of an inconclusive verdict: `code` and what was required in addition.",
    ),
    (
        "the second release, until …",
        "What runs is the second compose hash, of `--also-compose-hash`, and the last day on which it is accepted: the release that \
         is expected first does not run.",
    ),
    ("waived: …", "The checks that you set aside, with commas."),
    (
        "accepted by …: …",
        "What an option, a line of the policy file or a lock accepts in writing: first where it is written, then what. Once for each \
         place.",
    ),
    (
        "accepted elsewhere: … more",
        "More places than five accept something: how much they accept. The report lists all.",
    ),
    (
        "reached: none",
        "Not even the tier `hardware` is proven without what was waived or accepted.",
    ),
    (
        "reached: hardware",
        "The tier `hardware` is proven without what was waived or accepted, and `code` is not.",
    ),
    (
        "reached: code",
        "All of `code` is proven: only `hardware` was required, or something else that you asked for could not be determined.",
    ),
    (
        "reached: code+…",
        "All of `code` is proven, and what is named after the `+`.",
    ),
];

fn forms() -> impl Iterator<Item = (&'static str, &'static str)> {
    NOTES.into_iter()
}

/// The form that a note has.
fn form_of(note: &str) -> Option<&'static str> {
    let has = |form: &str| match form.split_once('…') {
        None => note == form,
        Some((start, rest)) => {
            let end = rest.rsplit('…').next().unwrap_or_default();
            note.len() > start.len() + end.len() && note.starts_with(start) && note.ends_with(end)
        }
    };
    forms().map(|(form, _)| form).find(|form| has(form))
}

/// The notes of a line. What is between them is never in them: the names here have no semicolon.
fn notes_of(line: &str) -> Vec<&str> {
    line.split_once(" (")
        .and_then(|(_, rest)| rest.strip_suffix(')'))
        .map(|notes| notes.split("; ").collect())
        .unwrap_or_default()
}

fn accepted(check: CheckId, what: AcceptedKind, by: &str) -> Accepted {
    Accepted {
        check,
        what,
        by: by.to_owned(),
        until: None,
        reason: "Because.".to_owned(),
    }
}

/// Sets a check aside in writing.
fn waive(target: &mut TargetReport, id: CheckId) {
    samples::set(target, id, Status::Skip, "unchecked", "Waived.");
    target.waived.push(id);
}

/// A target whose verdict line is shown, and when it is said.
fn examples() -> Vec<(&'static str, TargetReport)> {
    let hardware = |mut target: TargetReport| {
        target.required = RequiredAssurance::Hardware;
        target
    };
    let with = |change: fn(&mut TargetReport)| {
        let mut target = samples::pass();
        change(&mut target);
        target
    };
    let mut examples = vec![
        ("All that was required is proven.", samples::pass()),
        (
            "`--require-assurance hardware`: which code runs was not asked for.",
            hardware(with(|target| target.assurance = Assurance::Hardware)),
        ),
        (
            "The same, and `code` is proven as well.",
            hardware(samples::pass()),
        ),
        (
            "A waiver of a check that `code` requires.",
            samples::pass_with_waiver(),
        ),
        (
            "A waiver of a check that `hardware` requires.",
            with(|target| {
                waive(target, CheckId::Freshness);
                target.assurance = Assurance::None;
            }),
        ),
        (
            "A lock accepts a development image.",
            samples::pass_with_acceptance(),
        ),
        (
            "The second release runs, which `--also-compose-hash` accepts during a roll-out.",
            with(|target| target.second_release_until = Some("2026-12-31".to_owned())),
        ),
        (
            "An option accepts a TCB status, until a day.",
            with(|target| {
                target.accepted = vec![accepted(CheckId::TcbStatus, AcceptedKind::Tcb, "--accept-tcb")];
                target.assurance = Assurance::None;
            }),
        ),
        (
            "A waiver in the policy file, and two reviewed places in a lock.",
            with(|target| {
                waive(target, CheckId::KeyProvider);
                let place = || accepted(CheckId::ImagePins, AcceptedKind::ReviewedPlace, "cvm.lock");
                target.accepted = vec![place(), place()];
                target.assurance = Assurance::Hardware;
            }),
        ),
        ("Something is wrong with the deployment.", samples::fail()),
        ("The same, with what was waived and accepted.", {
            let mut target = samples::fail();
            waive(&mut target, CheckId::ImagePins);
            target.accepted = vec![accepted(CheckId::OsImage, AcceptedKind::UnknownImage, "cvm.lock")];
            target
        }),
        (
            "You did not say which code is expected.",
            samples::no_expectation(),
        ),
        ("`--require-assurance code+endpoint`, and all of it is proven.", {
            let mut target = samples::pass();
            target.required = RequiredAssurance::Code(SideTiers::NONE.with(SideTier::Endpoint));
            target.assurance = target.required.into();
            target
        }),
        ("More is proven than was required.", {
            let mut target = samples::pass();
            target.assurance = Assurance::Code(SideTiers::NONE.with(SideTier::Endpoint));
            target
        }),
        ("`code` is proven, and not what was required in addition.", {
            let mut target = samples::pass();
            target.verdict = Verdict::Inconclusive;
            target.required = RequiredAssurance::Code(SideTiers::NONE.with(SideTier::Endpoint));
            target
        }),
        ("Nothing answered.", samples::unreachable()),
        (
            "All of `code` is proven, and a second opinion that you asked for could not be had.",
            with(|target| target.verdict = Verdict::Inconclusive),
        ),
        (
            "Evidence without a nonce, where only `hardware` is required.",
            hardware(with(|target| {
                target.verdict = Verdict::Inconclusive;
                target.assurance = Assurance::None;
                samples::set(target, CheckId::Freshness, Status::Skip, "no-nonce", "No nonce.");
            })),
        ),
    ];
    // What was accepted is the result of a check.
    for (_, target) in &mut examples {
        let accepted: Vec<CheckId> = target.accepted.iter().map(|one| one.check).collect();
        for id in accepted {
            samples::check_mut(target, id);
        }
    }
    examples
}

fn page() -> String {
    let mut page = "<!-- Made by `UPDATE_GENERATED=1 cargo test --lib render`. Do not edit. -->\n\n# The verdict line\n\n\
                    The first line of a result: a word, notes in parentheses, and the target. `PASS` exits with 0, `FAIL` with 1, \
                    `INCONCLUSIVE` with 3. [Concepts](concepts.md#accepted-waived-reached) explains waived, accepted and reached.\n\n\
                    ## The notes\n\n| note | meaning |\n|---|---|\n"
        .to_owned();
    // Writing to a string cannot fail.
    for (form, means) in forms() {
        let _ = writeln!(page, "| `{form}` | {means} |");
    }
    page.push_str(
        "\nWhat can be accepted, as the line says it and as `accepted` in JSON and the action's output name it:\n\n\
         | in the line | several | in JSON |\n|---|---|---|\n",
    );
    for kind in AcceptedKind::ALL
        .into_iter()
        .filter(|kind| *kind != AcceptedKind::Waiver)
    {
        let _ = writeln!(page, "| {} | {} | `{kind}` |", kind.words(), kind.counted(2));
    }
    page.push_str(
        "\n`waiver` is the word in JSON for what the line names after `waived:`.\n\n## Examples\n\n",
    );
    for (when, target) in examples() {
        let _ = writeln!(page, "{when}\n\n```text\n{}\n```\n", words::verdict(&target));
        for sentence in reached::explained(&target) {
            let _ = writeln!(page, "Below it stands: *{}*\n", super::docs::own(&sentence));
        }
    }
    page.push_str(
        "## Above the line\n\nA result that proves less than it seems to says so in the first line, above the verdict:\n\n",
    );
    let mut simulated = samples::pass();
    simulated.trust_root = TrustRootKind::Custom;
    for line in banner::of_target(&simulated, Mode::Replay) {
        let _ = writeln!(page, "```text\n{line}\n```\n");
    }
    page.push_str("## What a pass proves\n\nBelow a pass stands what it proves and what it does not:\n\n");
    let mut said: Vec<String> = Vec::new();
    for target in examples()
        .into_iter()
        .map(|(_, target)| target)
        .chain([simulated])
    {
        for mode in [Mode::Live, Mode::Replay] {
            let proven = words::proven(&target, mode);
            if !proven.is_empty() && !said.contains(&proven) {
                let _ = writeln!(page, "- {proven}");
                said.push(proven);
            }
        }
    }
    page.push_str("\n## Several targets\n\nOne line for all stands first, then the line of each target:\n\n");
    let lists = [
        vec![samples::pass(), samples::pass()],
        vec![samples::pass(), samples::fail()],
        vec![samples::pass(), samples::pass(), samples::no_expectation()],
        Vec::new(),
    ];
    for targets in lists {
        let report = samples::report(Mode::Live, targets);
        let _ = writeln!(page, "```text\n{}\n```\n", words::summary(&report));
    }
    page.truncate(page.trim_end().len());
    page.push('\n');
    page
}

#[test]
fn the_page_of_the_verdict_line_is_made_of_what_the_program_writes() {
    assert_generated("docs/verdict-line.md", &page());
}

#[test]
fn every_note_on_the_page_occurs_in_an_example_or_is_one_of_a_count() {
    let lines: Vec<String> = examples()
        .iter()
        .map(|(_, target)| words::verdict(target))
        .collect();
    let shown: Vec<&str> = lines
        .iter()
        .flat_map(|line| notes_of(line))
        .filter_map(form_of)
        .collect();
    for (form, _) in forms() {
        assert!(
            shown.contains(&form) || form.starts_with("accepted elsewhere"),
            "{form}: {lines:?}"
        );
    }
}

fn any_target() -> impl Strategy<Value = TargetReport> {
    let kinds = proptest::collection::vec((0..AcceptedKind::ALL.len(), 0..9_u8), 0..20);
    let waived = proptest::sample::subsequence(CheckId::ALL.to_vec(), 0..4);
    let sides = proptest::sample::subsequence(SideTier::ALL.to_vec(), 0..=SideTier::ALL.len());
    (0..3_usize, any::<bool>(), 0..3_usize, kinds, waived, sides).prop_map(
        |(verdict, hardware, assurance, kinds, waived, sides)| {
            let sides: SideTiers = sides.into_iter().collect();
            let mut target = samples::pass();
            target.verdict = [Verdict::Pass, Verdict::Fail, Verdict::Inconclusive][verdict];
            target.required = if hardware {
                RequiredAssurance::Hardware
            } else {
                RequiredAssurance::Code(sides)
            };
            target.assurance = [Assurance::None, Assurance::Hardware, Assurance::Code(sides)][assurance];
            target.waived = waived;
            target.accepted = kinds
                .into_iter()
                .map(|(kind, by)| accepted(CheckId::OsImage, AcceptedKind::ALL[kind], &format!("{by}.lock")))
                .collect();
            target
        },
    )
}

proptest! {
    #[test]
    fn every_line_is_made_of_the_phrases_on_the_page(target in any_target()) {
        let line = words::verdict(&target);
        let word = line.split(" (").next().unwrap_or_default();
        prop_assert!(["PASS", "FAIL", "INCONCLUSIVE"].contains(&word), "{}", line);
        for note in notes_of(&line) {
            prop_assert!(form_of(note).is_some(), "{note}: {line}");
        }
        // Nothing that was accepted is left out.
        let beside_waivers: Vec<&Accepted> =
            target.accepted.iter().filter(|one| one.what != AcceptedKind::Waiver).collect();
        let is_said = line.contains("accepted ");
        prop_assert_eq!(is_said, !beside_waivers.is_empty(), "{}", line);
        prop_assert_eq!(line.contains("waived: "), !target.waived.is_empty(), "{}", line);
    }
}
