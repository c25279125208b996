//! docs/watch.md and examples/watch against the program: metrics, log events, options.

use std::collections::{BTreeMap, BTreeSet};

use crate::{assert_generated, names, read, repository};

const PAGE: &str = "docs/watch.md";

/// The page of metrics as the program writes it, which a test of its own keeps right.
const METRICS: &str = "src/watch/snapshots/cvm_verify__watch__metrics__tests__the_page_of_two_targets.snap";

const BEGIN: &str = "<!-- Metrics: made from the snapshot of src/watch/metrics.rs by `UPDATE_GENERATED=1 cargo test --test docs`. -->\n";
const END: &str = "<!-- End of the metrics. -->\n";

/// Files for users to take, which hold options of the program.
const FILES: [&str; 5] = [
    "Containerfile",
    "compose.yml",
    "cvm-verify-watch.service",
    "kubernetes.yml",
    "prometheus-rules.yml",
];

#[derive(Default)]
struct Metric {
    kind: String,
    help: String,
    labels: BTreeSet<String>,
}

fn metrics() -> BTreeMap<String, Metric> {
    let mut metrics: BTreeMap<String, Metric> = BTreeMap::new();
    for line in read(METRICS).lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            metrics.entry(name.to_owned()).or_default().help = help.to_owned();
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
        {
            metrics.entry(name.to_owned()).or_default().kind = kind.to_owned();
        } else if let Some((name, labels)) = line.split_once('{').filter(|(name, _)| !name.contains(' ')) {
            let labels = labels.split("=\"").filter_map(|part| {
                let label: String = part
                    .rsplit(|c: char| !c.is_ascii_lowercase() && c != '_')
                    .next()?
                    .to_owned();
                (!label.is_empty()).then_some(label)
            });
            metrics.get_mut(name).unwrap().labels.extend(labels);
        }
    }
    assert!(metrics.len() > 10, "the snapshot moved");
    metrics
}

#[test]
fn the_table_of_metrics_is_what_the_program_serves() {
    let page = read(PAGE);
    let (before, rest) = page.split_once(BEGIN).expect("the page has the metrics");
    let (_, after) = rest.split_once(END).expect("the metrics end");
    let mut table = "\n| metric | type | labels | meaning |\n|---|---|---|---|\n".to_owned();
    for (name, metric) in metrics() {
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        table += &format!(
            "| `{name}` | {} | {} | {} |\n",
            metric.kind,
            labels.join(", "),
            metric.help
        );
    }
    assert_generated(PAGE, &format!("{before}{BEGIN}{table}\n{END}{after}"));
}

/// Words that begin like a metric.
fn metrics_in(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("cvm_verify_"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_metric_that_rules_and_docs_speak_of_exists() {
    let known = metrics();
    for file in [
        PAGE,
        "examples/watch/prometheus-rules.yml",
        "tests/watch/rules_test.yml",
    ] {
        let named = metrics_in(&read(file));
        assert!(!named.is_empty(), "{file}");
        for name in named {
            assert!(known.contains_key(&name), "{file} speaks of {name}");
        }
    }
}

/// The first column of the table below a heading row, without its backquotes.
fn first_column(page: &str, heading: &str) -> BTreeSet<String> {
    let (_, rest) = page.split_once(heading).expect("the table");
    rest.lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.split('`').nth(1).unwrap().to_owned())
        .collect()
}

/// Events in the code: the text behind a level, `Level::Warn, "late"` and `of(level, "verified"`.
fn events() -> BTreeSet<String> {
    let mut events = BTreeSet::new();
    for file in ["src/watch/run.rs", "src/watch/log.rs"] {
        let code = read(file);
        for before in ["Level::Info", "Level::Warn", "Level::Error", "of(level"] {
            for (at, _) in code.match_indices(before) {
                let behind = code[at + before.len()..].trim_start_matches([',', ' ', '\n']);
                if let Some(event) = behind.strip_prefix('"').and_then(|text| text.split('"').next()) {
                    events.insert(event.to_owned());
                }
            }
        }
    }
    events
}

#[test]
fn the_table_of_events_is_what_the_code_says() {
    let mut events = events();
    // A level that a variable holds is before these in the code.
    assert!(
        ["delivered", "skipped", "NOT DELIVERED"]
            .iter()
            .all(|word| events.remove(*word))
    );
    assert_eq!(first_column(&read(PAGE), "\n| event | level | says |"), events);
}

#[test]
fn the_table_of_fields_is_the_one_that_a_real_log_is_held_against() {
    let live = read("tests/watch/live.py");
    let (_, types) = live.split_once("TYPES = {").expect("the fields");
    let fields = types.lines().skip(1).take_while(|line| *line != "}");
    let fields: BTreeSet<String> = fields
        .map(|line| line.split('"').nth(1).unwrap().to_owned())
        .collect();
    assert_eq!(first_column(&read(PAGE), "\n| field | type | |"), fields);
}

#[test]
fn the_table_of_alert_rules_is_what_the_file_has() {
    let rules = read("examples/watch/prometheus-rules.yml");
    let alerts = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "));
    let alerts: BTreeSet<String> = alerts.map(str::to_owned).collect();
    assert_eq!(alerts.len(), 3);
    assert_eq!(first_column(&read(PAGE), "\n| alert | fires when |"), alerts);
}

#[test]
fn every_option_in_the_files_for_watch_exists() {
    let mut known = names::existing();
    // Of docker and kubectl, in the comments of these files.
    let others = ["--file", "--tag", "--build-arg", "--now", "--unit"];
    let of_others = [
        "--from-file",
        "--from-env-file",
        "--check",
        "--strict",
        "--mode",
        "--from",
        "--chown",
    ];
    known.extend(others.iter().chain(&of_others).map(|&option| option.to_owned()));
    for file in FILES {
        for option in names::long_options(&read(&format!("examples/watch/{file}"))) {
            assert!(known.contains(&option), "{file} speaks of {option}");
        }
    }
    for entry in std::fs::read_dir(repository("examples/watch")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(FILES.contains(&name.as_str()), "{name} is checked by nobody");
        assert!(
            read(PAGE).contains(&format!("examples/watch/{name}")),
            "{PAGE} lacks {name}"
        );
    }
}
