//! The page `docs/verdict-line.md`: every phrase that the verdict line can take, made of lines that the program writes.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::generated::assert_generated;
use super::{banner, reached, samples, words};
use cvm_verify_core::report::{
    Accepted, AcceptedKind, Assurance, CheckId, Mode, RequiredAssurance, SideTier, SideTiers, Status,
    TargetReport, TrustRootKind, Verdict,
};

/// Every note that can be in the parentheses: its form on the page, and what it means. `…` stands for the words that
/// differ.
const NOTES: [(&str, &str); 16] = [
    ("hardware", "For a pass: the tier that was required, `hardware`."),
    ("code", "For a pass: the tier that was required, `code`."),
    (
        "code+…",
        "For a pass: `code`, and the tiers that were required in addition: `endpoint`, `endpoint-replayable`, `source`.",
    ),
    (
        "required: hardware",
        "For an inconclusive verdict: the tier that was required, `hardware`.",
    ),
    (
        "required: code",
        "For an inconclusive verdict: the tier that was required, `code`.",
    ),
    (
        "required: code+…",
        "For an inconclusive verdict: `code`, and the tiers that were required in addition.",
    ),
    (
        "the second release, until …",
        "The compose document of `--also-compose-hash` runs, not the one of the main release. The date is the last day on \
         which it is accepted.",
    ),
    ("waived: …", "The checks that you excluded, separated by commas."),
    (
        "accepted by …: …",
        "What is accepted in writing: first the option, the line of the policy file or the lock that accepts it, then what it \
         accepts. There is one note for each of these.",
    ),
    (
        "accepted elsewhere: … more",
        "More than five options, lines or locks accept something: the number of acceptances that are not shown. The report \
         lists all.",
    ),
    (
        "reached: none",
        "Without what was waived or accepted, not even the tier `hardware` is proven.",
    ),
    (
        "reached: hardware",
        "Without what was waived or accepted, the tier `hardware` is proven, and `code` is not.",
    ),
    (
        "reached: code",
        "All of `code` is proven: only `hardware` was required, or something else that you asked for could not be determined.",
    ),
    (
        "reached: code+…",
        "All of `code` is proven, and the tiers that are named after the `+`.",
    ),
    (
        "not reached: source, a rule is open",
        "Every image is as its rule in the policy file says, but a rule accepts any workflow, any branch, any ref of a reusable \
         workflow, or a signature without provenance. So the tier `source` is not reached: see [provenance](provenance.md#quick-start).",
    ),
    (
        "not reached: source, a script is not reviewed",
        "Every image is as its rule says, but a script that runs before the containers is neither one of Phala's nor in the lock. So the \
         tier `source` is not reached: see [provenance](provenance.md#scripts-before-the-containers).",
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
            "`--require-assurance hardware`: it was not required to prove which code runs.",
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
            "An option accepts a TCB status until a date.",
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
        ("The same, with a waiver and an acceptance.", {
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
        (
            "`code` is proven, and the tier that was required in addition is not.",
            {
                let mut target = samples::pass();
                target.verdict = Verdict::Inconclusive;
                target.required = RequiredAssurance::Code(SideTiers::NONE.with(SideTier::Endpoint));
                target
            },
        ),
        (
            "A rule says which repository built the images, and names no branch, tag or commit.",
            with(|target| {
                let check = samples::check_mut(target, CheckId::SourceProvenance);
                (check.status, check.reason, check.grants) = (Status::Pass, None, None);
            }),
        ),
        (
            "Every image is proven, and the app's own script before the containers is not in a lock.",
            with(|target| {
                samples::set(
                    target,
                    CheckId::SourceProvenance,
                    Status::Warn,
                    "unreviewed-script",
                    "",
                );
            }),
        ),
        ("Nothing answered.", samples::unreachable()),
        (
            "All of `code` is proven, and a second opinion that you requested was not available.",
            with(|target| target.verdict = Verdict::Inconclusive),
        ),
        (
            "Evidence without a nonce; only `hardware` is required.",
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
        "\nThis can be accepted. The table gives the words of the verdict line, and the names in `accepted` of \
            the JSON report and of the action's output:\n\n\
         | in the line | several | in JSON |\n|---|---|---|\n",
    );
    for kind in AcceptedKind::ALL
        .into_iter()
        .filter(|kind| *kind != AcceptedKind::Waiver)
    {
        let _ = writeln!(page, "| {} | {} | `{kind}` |", kind.words(), kind.counted(2));
    }
    page.push_str(
        "\nIn JSON, `waiver` is the name for a check that the line lists after `waived:`.\n\n## Examples\n\n",
    );
    for (when, target) in examples() {
        let _ = writeln!(page, "{when}\n\n```text\n{}\n```\n", words::verdict(&target));
        for sentence in reached::explained(&target) {
            let _ = writeln!(
                page,
                "The text below it: *{}*\n",
                super::own_words::own(&sentence)
            );
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
    page.push_str(
        "## What a pass proves\n\nBelow a pass, the text output says what it proves and what it does \
        not prove:\n\n",
    );
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
    page.push_str(
        "\n## Several targets\n\nThe first line is about all targets. The line of each target follows:\n\n",
    );
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
