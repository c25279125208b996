//! The example workflows are as safe as the documentation asks for, and use inputs that exist.

use std::error::Error;

use cvm_verify::collateral::Sources;
use cvm_verify::engine::{Session, TrustRoots};
use cvm_verify::net::{Client, Transport};
use cvm_verify_core::TrustRoot;
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

/// GitHub cancels the run of a group that waits when the next one arrives, also if all jobs of that one are skipped.
#[test]
fn a_run_that_skips_its_jobs_cancels_no_other() {
    for name in EXAMPLES {
        let workflow = workflow(name);
        let group = workflow["concurrency"]["group"].as_str().unwrap_or_default();
        for condition in workflow["jobs"]
            .as_object()
            .unwrap()
            .values()
            .map(|job| &job["if"])
        {
            let condition = condition.as_str().unwrap_or_default();
            for word in condition
                .split_whitespace()
                .filter(|word| word.starts_with("github.event."))
            {
                assert!(
                    group.contains(&format!("{{{{ {word} }}}}")),
                    "{name}: {word} is not in {group:?}"
                );
            }
        }
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

/// A lock names the release that it was taken from. A job behind a deploy needs the new one.
#[test]
fn an_example_names_the_release_beside_the_lock() {
    let files = ["compose-hash", "app-compose-file", "docker-compose"];
    for name in EXAMPLES {
        let workflow = workflow(name);
        for step in steps(&workflow) {
            let with = &step["with"];
            if with["lock"].is_null() {
                continue;
            }
            assert!(files.iter().any(|input| !with[input].is_null()), "{name}");
            let file = with["docker-compose"].as_str().unwrap_or_default();
            if file.ends_with(".yml") {
                let fetched = steps(&workflow).iter().any(|step| {
                    let fetched = step["with"]["sparse-checkout"].as_str().unwrap_or_default();
                    fetched.lines().any(|line| line == file)
                });
                assert!(fetched, "{name}: {file} is not checked out");
            }
        }
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

/// What the page shows between the two marks compiles here; it is not run, since its port is a placeholder.
#[expect(dead_code, reason = "only its text is used")]
fn session_on_the_simulator() -> Result<Session, Box<dyn Error>> {
    // From here
    let transport = Transport {
        allow_private_network: true,
        ..Transport::default()
    };
    let quote = TrustRoot::custom(&std::fs::read("sim/root-ca.pem")?)?;
    let session = Session {
        sources: Sources::only(&"http://127.0.0.1:PORT".parse()?), // the line `pccs` of the simulator
        roots: TrustRoots {
            quote,
            ..TrustRoots::default()
        },
        ..Session::new(Client::new(&transport)?)
    };
    // to here
    Ok(session)
}

#[test]
fn the_session_in_the_page_compiles() {
    let source = read("tests/docs/examples.rs");
    let (_, behind) = source.split_once("// From here\n").unwrap();
    let (shown, _) = behind.split_once("    // to here\n").unwrap();
    let shown: String = shown
        .lines()
        .map(|line| format!("{}\n", line.strip_prefix("    ").unwrap_or(line)))
        .collect();
    assert!(read("docs/rust.md").contains(&shown), "{shown}");
}

/// Kubernetes fills `$(NAME)` in from variables that stand before it, and adds JOB_COMPLETION_INDEX behind all others.
#[test]
fn the_job_of_kubernetes_uses_only_variables_that_it_defines_before() {
    let page = read("docs/fleet.md");
    let (_, rest) = page.split_once("```yaml\napiVersion: batch/v1").unwrap();
    let job = format!("apiVersion: batch/v1{}", rest.split_once("\n```").unwrap().0);
    let job: Value = serde_saphyr::from_str(&job).unwrap();
    let containers = &job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"];
    let mut defined = Vec::new();
    for variable in containers[0]["env"].as_array().unwrap() {
        for used in uses(variable["value"].as_str().unwrap_or_default()) {
            assert!(defined.contains(&used), "{used} in {variable}");
        }
        defined.push(variable["name"].as_str().unwrap());
    }
    for mount in containers[0]["volumeMounts"].as_array().unwrap() {
        for used in uses(mount["subPathExpr"].as_str().unwrap_or_default()) {
            assert!(defined.contains(&used), "{used} in {mount}");
        }
    }
    // Each pod has a report of its own.
    let script = containers[0]["args"][0].as_str().unwrap();
    assert!(
        script.contains("--report-json \"/reports/shard-$JOB_COMPLETION_INDEX.json\""),
        "{script}"
    );
}

/// The names in `$(NAME)`.
fn uses(text: &str) -> Vec<&str> {
    let behind = text.split("$(").skip(1);
    behind
        .filter_map(|rest| rest.split_once(')'))
        .map(|(name, _)| name)
        .collect()
}

/// The file with the secrets is read by a shell, and by systemd.
#[cfg(unix)]
#[test]
fn the_secrets_of_the_cron_recipe_are_what_a_shell_reads() {
    let page = read("docs/recipes.md");
    let (_, cron) = page.split_once("## cron").unwrap();
    let (_, file) = cron.split_once("```sh\n").unwrap();
    let file = file.split_once("```").unwrap().0;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secrets.env");
    std::fs::write(&path, file).unwrap();
    let mut has_ampersand = false;
    for line in file.lines() {
        let (name, quoted) = line.split_once('=').unwrap();
        let value = quoted.strip_prefix('\'').unwrap().strip_suffix('\'').unwrap();
        has_ampersand |= value.contains('&');
        let script = format!("set -a; . {}; printf %s \"${name}\"", path.display());
        let output = std::process::Command::new("sh")
            .args(["-c", &script])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), value, "{name}");
    }
    assert!(has_ampersand);
}

/// It is the one to copy, as a whole.
#[test]
fn the_sample_of_reference_values_is_read() {
    let page = read("docs/reference-values.md");
    let (_, own) = page.split_once("## Add your own").unwrap();
    let (_, file) = own.split_once("```toml\n").unwrap();
    let file = file.split_once("```").unwrap().0;
    let values = cvm_verify_core::reference::ReferenceValues::built_in();
    values.with_file("reference.toml", file.as_bytes()).unwrap();
}
