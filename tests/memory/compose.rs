//! Any compose document of up to 4 MiB is judged in under 64 MiB of memory, or refused by name, which counts as judged.

use cvm_verify_core::compose::canonical_yaml;
use cvm_verify_core::evidence::MAX_COMPOSE_BYTES;
use cvm_verify_core::report::{CheckId, Status};
use simulator::{Cvm, World};

use crate::judge::Trial;
use crate::{shapes, takes_at_most};

/// The shapes that take the most to judge; the reader of YAML alone is given all of them.
const JUDGED: [&str; 9] = [
    "a long text in YAML",
    "a long script in YAML",
    "a long block in YAML",
    "members in YAML",
    "empty lists in YAML",
    "small mappings below the budget",
    "mappings in mappings below the budget",
    "merges of merges",
    "spaces at the end",
];

/// A machine that measured this compose document.
fn machine(document: String) -> Trial {
    let mut cvm = Cvm::healthy(&World::default());
    cvm.app_compose = document;
    Trial::of(cvm)
}

/// A compose document that holds this docker compose file and nothing else.
fn around(yaml: &str) -> String {
    serde_json::json!({ "runner": "docker-compose", "docker_compose_file": yaml }).to_string()
}

fn judged(trial: &Trial, attestation: &str, info: &str) {
    let judged = trial.judge_bodies(attestation, Some(info));
    judged.proves(CheckId::QuoteSignature);
    judged.proves(CheckId::ComposeHash);
    // It is read, or refused by name.
    assert_ne!(judged.status(CheckId::ImagePins), Status::Skip);
}

#[test]
fn t80_a_compose_document_of_any_shape_is_judged_in_64_mib() {
    let _alone = crate::alone();
    let machines = shapes::yaml(MAX_COMPOSE_BYTES * 9 / 10)
        .into_iter()
        .filter_map(|(name, yaml)| {
            let document = around(&yaml);
            (JUDGED.contains(&name) && document.len() <= MAX_COMPOSE_BYTES).then(|| {
                let trial = machine(document);
                let (attestation, info) = trial.bodies();
                (name, (trial, attestation, info.unwrap_or_default()))
            })
        });
    takes_at_most(64, machines, |(trial, attestation, info)| {
        judged(trial, attestation, info)
    });
}

#[test]
fn t80_members_of_a_compose_document_are_bounded() {
    let _alone = crate::alone();
    let machines = shapes::json(MAX_COMPOSE_BYTES * 9 / 10)
        .into_iter()
        .take(6)
        .map(|(name, json)| {
            let document = format!(
                "{{\"runner\":\"docker-compose\",\"docker_compose_file\":\"services: {{}}\",\"x\":{json}}}"
            );
            let trial = machine(document);
            let (attestation, info) = trial.bodies();
            (name, (trial, attestation, info.unwrap_or_default()))
        });
    takes_at_most(64, machines, |(trial, attestation, info)| {
        judged(trial, attestation, info)
    });
}

#[test]
fn t81_aliases_are_counted_before_they_are_written_out() {
    let _alone = crate::alone();
    // A quarter of what may be read takes a quarter of 40 MiB; the whole is read above.
    let texts = shapes::yaml(MAX_COMPOSE_BYTES / 4);
    takes_at_most(10, texts, |text| {
        let _ = canonical_yaml(text);
    });
}

#[test]
fn t82_a_document_above_the_limit_is_refused_with_what_to_do() {
    let _alone = crate::alone();
    let trial = machine(around(&format!("x: {}\n", "x".repeat(MAX_COMPOSE_BYTES))));
    let judged = trial.judge();
    judged.leaves_open(CheckId::ImagePins, "no-compose-document");
    judged.says(CheckId::Evidence, Status::Warn, "info-unusable");
    let detail = &judged.0.check(CheckId::Evidence).unwrap().detail;
    assert!(detail.contains("--app-compose-file FILE"), "{detail}");
}

/// What a command writes may be scripts of other languages, each of which is read once.
#[test]
fn t80_many_files_of_other_languages_are_judged_in_64_mib() {
    let _alone = crate::alone();
    let files = "a.py, b.js, c.rb, ".repeat(15_000);
    let written = (0..4_000)
        .map(|number| format!(">{number}.js >{number}.py "))
        .collect::<String>();
    let readers = "python3 - ".repeat(5_000);
    let commands = [
        ("files in a list", format!("[tee, {files} \"${{E}}\"]")),
        ("files of a script", format!("[sh, -c, 'echo \"$$E\" {written}']")),
        (
            "interpreters in a script",
            format!("[sh, -c, 'echo \"$$E\" | nice {readers}']"),
        ),
    ];
    let machines = commands.into_iter().map(|(name, command)| {
        let trial = machine(around(&format!(
            "services:\n  web:\n    image: a\n    command: {command}\n"
        )));
        let (attestation, info) = trial.bodies();
        (name, (trial, attestation, info.unwrap_or_default()))
    });
    takes_at_most(64, machines, |(trial, attestation, info)| {
        judged(trial, attestation, info)
    });
}

/// Each script of a config is told what the containers that mount it say of addresses.
#[test]
fn t80_many_mounts_of_configs_are_judged_in_64_mib() {
    let _alone = crate::alone();
    let lines = |count: usize, line: &dyn Fn(usize) -> String| (0..count).map(line).collect::<String>();
    let entries = lines(3_000, &|at| format!("      U{at}: http://x.example.com/{at}\n"));
    let names = lines(3_000, &|at| format!("      - c{at}\n"));
    let paths = lines(1_000, &|at| {
        format!("      - {{source: c, target: /{at}/.curlrc}}\n")
    });
    let settings = "      proxy = http://x.example.com\n".repeat(3_000);
    let files = [
        (
            "configs of a container with many addresses",
            format!("    environment:\n{entries}    configs:\n{names}"),
        ),
        (
            "one file of settings at many paths",
            format!("    configs:\n{paths}configs:\n  c:\n    content: |\n{settings}"),
        ),
    ];
    let machines = files.into_iter().map(|(name, rest)| {
        let trial = machine(around(&format!("services:\n  web:\n    image: a\n{rest}")));
        let (attestation, info) = trial.bodies();
        (name, (trial, attestation, info.unwrap_or_default()))
    });
    takes_at_most(64, machines, |(trial, attestation, info)| {
        judged(trial, attestation, info)
    });
}
