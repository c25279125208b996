//! The example workflows are as safe as the documentation asks for, and use inputs that exist.

use serde_json::Value;

use crate::{action, read};

const EXAMPLES: [&str; 7] = [
    "after-deploy",
    "attest-result",
    "deployment-status",
    "monitor-with-issue",
    "reusable",
    "scheduled-monitor",
    "several-urls",
];

fn workflow(name: &str) -> Value {
    let path = format!("examples/{name}.yml");
    serde_saphyr::from_str(&read(&path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn steps(workflow: &Value) -> Vec<&Value> {
    let jobs = workflow["jobs"].as_object().unwrap().values();
    jobs.flat_map(|job| job["steps"].as_array().unwrap()).collect()
}

#[test]
fn nothing_is_permitted_at_the_top_and_nothing_runs_by_a_name_that_can_be_moved() {
    for name in EXAMPLES {
        let workflow = workflow(name);
        assert_eq!(workflow["permissions"], serde_json::json!({}), "{name}");
        for step in steps(&workflow) {
            let Some(uses) = step["uses"].as_str() else {
                continue;
            };
            let (_, reference) = uses.split_once('@').unwrap();
            let pinned = reference.len() == 40 && reference.chars().all(|c| c.is_ascii_hexdigit());
            assert!(pinned || uses == "<owner>/cvm-verify@<commit>", "{name}: {uses}");
        }
    }
}

#[test]
fn what_a_failing_target_handed_over_is_uploaded() {
    for name in EXAMPLES.iter().chain(&["fleet"]) {
        let workflow = workflow(name);
        let all = steps(&workflow);
        let folder = |step: &&Value| step["with"]["output-dir"] == "verified";
        assert!(all.iter().any(folder), "{name}");
        let kept = all.iter().any(|step| {
            let condition = step["if"].as_str().unwrap_or_default();
            step["uses"]
                .as_str()
                .is_some_and(|uses| uses.starts_with("actions/upload-artifact@"))
                && step["with"]["path"] == "verified/"
                && condition.contains("always()")
                && condition.contains("steps.cvm.outputs.verdict != 'pass'")
        });
        assert!(kept, "{name}");
    }
}

#[test]
fn no_schedule_is_at_minute_0() {
    for name in EXAMPLES {
        for schedule in workflow(name)["on"]["schedule"].as_array().into_iter().flatten() {
            let cron = schedule["cron"].as_str().unwrap();
            assert!(!cron.starts_with(['0', '*']), "{name}: {cron}");
        }
    }
}

#[test]
fn a_job_checks_out_exactly_where_a_lock_file_is_read() {
    for name in EXAMPLES {
        let workflow = workflow(name);
        let all = steps(&workflow);
        let locks = all.iter().any(|step| !step["with"]["lock"].is_null());
        let checkouts = all.iter().any(|step| {
            step["uses"]
                .as_str()
                .is_some_and(|uses| uses.contains("checkout"))
        });
        assert_eq!(locks, checkouts, "{name}");
    }
}

#[test]
fn every_input_in_the_examples_exists() {
    let Some(action) = action::action() else { return };
    for name in EXAMPLES {
        for step in steps(&workflow(name)) {
            if !step["uses"]
                .as_str()
                .is_some_and(|uses| uses.contains("cvm-verify"))
            {
                continue;
            }
            for input in step["with"].as_object().unwrap().keys() {
                let known = action.inputs.0.iter().any(|(known, _)| known == input);
                assert!(known, "{name}: {input}");
            }
        }
    }
}

#[test]
fn the_program_in_the_page_is_the_example() {
    let example = read("examples/embed.rs");
    assert!(example.lines().count() < 40);
    assert!(read("docs/rust.md").contains(&format!("```rust\n{example}```\n")));
}
