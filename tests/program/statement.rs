//! The result as a statement.

mod names;
mod signed;

use std::path::Path;

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use simulator::{Cvm, Lie, World};

use super::deployment::Deployment;
use super::run::run;

fn read(path: &str) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn sha256(path: &str) -> String {
    hex::encode(Sha256::digest(std::fs::read(path).unwrap()))
}

#[test]
fn a_passing_target_has_a_statement_beside_its_report() {
    let deployment = Deployment::healthy();
    let out = deployment.path("out");
    let ran = deployment.verify(&[&format!("--output-dir={out}")]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    let statement = read(&format!("{out}/statement.json"));
    let report = ran.report();
    let compose_hash = report.targets[0].measurements.compose_hash.as_deref().unwrap();
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(
        statement["predicateType"],
        "https://slsa.dev/verification_summary/v1"
    );
    assert_eq!(statement["subject"][0]["digest"]["sha256"], compose_hash);
    assert_eq!(sha256(&format!("{out}/app-compose.json")), compose_hash);
    assert_eq!(statement["predicate"], read(&format!("{out}/predicate.json")));
    let predicate = &statement["predicate"];
    assert_eq!(predicate["verificationResult"], "PASSED");
    // Not Intel's root: no level of ours.
    assert_eq!(predicate["verifiedLevels"][0], "CVM_VERIFY_SIMULATED");
    assert_eq!(predicate["policy"]["annotations"]["trustRoot"], "custom");
    let inputs = predicate["inputAttestations"].as_array().unwrap();
    assert_eq!(
        inputs[0]["digest"]["sha256"],
        sha256(&format!("{out}/evidence.json")).as_str()
    );
    assert_eq!(
        inputs[1]["digest"]["sha256"],
        sha256(&format!("{out}/report.json")).as_str()
    );
    // What was accepted in writing is in it.
    assert!(
        !predicate["policy"]["annotations"]["accepted"]
            .as_array()
            .unwrap()
            .is_empty()
    );
}

/// Of whatever parts the lock is.
#[test]
fn a_statement_names_the_lock_that_was_used() {
    let deployment = Deployment::healthy();
    let of_lock = |text: &str| {
        let (out, lock) = (deployment.path("out"), deployment.path("cvm.lock"));
        std::fs::write(&lock, text).unwrap();
        let ran = deployment.verify(&[&format!("--output-dir={out}"), &format!("--lock={lock}")]);
        assert_eq!(ran.code, 0, "{ran:#?}");
        let annotations = &read(&format!("{out}/statement.json"))["predicate"]["policy"]["annotations"];
        assert_eq!(annotations["lock"], lock.as_str());
        assert_eq!(annotations["lockSha256"], sha256(&lock).as_str());
    };
    let app_id = Cvm::healthy(&World::default()).app_id_bytes();
    of_lock(&format!(
        "schema = \"cvm-verify/lock/v1\"\napp_id = \"{}\"\n",
        hex::encode(app_id)
    ));
}

/// A folder that is kept from release to release, as that of a cron job.
#[test]
fn the_next_release_has_its_own_subject_in_a_kept_folder() {
    let world = World::default();
    let mut next = Cvm::healthy(&world);
    next.app_compose = next.app_compose.replacen('{', "{\"release\":2,", 1);
    let expected = format!(
        "--compose-hash={}",
        hex::encode(Sha256::digest(&next.app_compose))
    );
    let (first, mut second) = (Deployment::healthy(), Deployment::of(next));
    second.expect.retain(|arg| !arg.starts_with("--compose-hash"));
    second.expect.push(expected);
    let out = first.path("out");
    let option = format!("--output-dir={out}");
    let mut subjects = Vec::new();
    for deployment in [&first, &second, &first] {
        let ran = deployment.verify(&[&option]);
        assert_eq!(ran.code, 0, "{ran:#?}");
        let subject = sha256(&format!("{out}/app-compose.json"));
        let statement = read(&format!("{out}/statement.json"));
        assert_eq!(statement["subject"][0]["digest"]["sha256"], subject.as_str());
        subjects.push(subject);
    }
    assert!(subjects[0] != subjects[1] && subjects[0] == subjects[2]);
    // A subject that was changed is not that of the statement: it stays, and no other statement stands beside it.
    std::fs::write(format!("{out}/app-compose.json"), "{}").unwrap();
    let ran = second.verify(&[&option]);
    assert_eq!(ran.code, 3, "{ran:#?}");
    ran.assert_stderr(
        "app-compose.json: cannot be written: it exists and is not a file that cvm-verify wrote",
    );
    assert_eq!(
        std::fs::read_to_string(format!("{out}/app-compose.json")).unwrap(),
        "{}"
    );
    assert!(!Path::new(&out).join("statement.json").exists());
}

#[test]
fn what_does_not_pass_has_none_and_yesterday_s_is_removed() {
    let good = Deployment::healthy();
    let out = good.path("out");
    let option = format!("--output-dir={out}");
    assert_eq!(good.verify(&[&option]).code, 0);
    assert!(Path::new(&out).join("statement.json").exists());
    let mut cvm = Cvm::healthy(&World::default());
    Lie::ForgedEventLog.apply(&mut cvm);
    let ran = Deployment::of(cvm).verify(&[&option]);
    assert_eq!(ran.code, 1, "{ran:#?}");
    assert!(!Path::new(&out).join("statement.json").exists());
    assert!(!Path::new(&out).join("predicate.json").exists());
    // A file of somebody else stays.
    let theirs = Path::new(&out).join("predicate.json");
    std::fs::write(&theirs, "{\"verifier\":{\"id\":\"https://else.example\"}}").unwrap();
    let refused = good.verify(&[&option]);
    assert_eq!(refused.code, 3, "{refused:#?}");
    refused.assert_stderr("is not a file that cvm-verify wrote");
    assert!(std::fs::read_to_string(&theirs).unwrap().contains("else.example"));
}

#[test]
fn each_target_that_passes_is_in_the_list_of_statements() {
    let deployment = Deployment::healthy();
    let (out, outputs) = (deployment.path("out"), deployment.path("outputs"));
    let summary = deployment.path("summary");
    std::fs::write(&outputs, "").unwrap();
    let args = deployment.strict_args(&[
        "verify",
        &deployment.app.url(),
        &format!("--output-dir={out}"),
        "--github",
    ]);
    let env = [
        ("GITHUB_OUTPUT", outputs.as_str()),
        ("GITHUB_STEP_SUMMARY", summary.as_str()),
    ];
    let ran = super::run::run_in(&args, &env, |_| {});
    assert_eq!(ran.code, 0, "{ran:#?}");
    let text = std::fs::read_to_string(&outputs).unwrap();
    let list = statements_of(&text);
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(list[0]["statement-path"], format!("{out}/statement.json"));
    assert_eq!(
        list[0]["subject-digest"],
        format!("sha256:{}", sha256(&format!("{out}/app-compose.json")))
    );
}

/// The list in the file of a step's outputs.
fn statements_of(outputs: &str) -> Value {
    let list = outputs.lines().find(|line| line.starts_with("[{")).unwrap();
    serde_json::from_str(list).unwrap()
}

/// What one output of a step says.
fn output(outputs: &str, name: &str) -> String {
    let start = format!("{name}<<");
    let mut lines = outputs.lines().skip_while(|line| !line.starts_with(&start));
    lines.next().unwrap();
    lines.next().unwrap().to_owned()
}

/// A host may serve several deployments below one origin: a statement about one is none about another.
#[test]
fn two_targets_at_one_origin_have_statements_about_their_own_addresses() {
    let deployment = Deployment::healthy();
    deployment.app.in_any_folder();
    let out = deployment.path("out");
    let origin = deployment.app.url().trim_end_matches('/').to_owned();
    let ran = run(&deployment.strict_args(&[
        "verify",
        &format!("{origin}/prod"),
        &format!("{origin}/staging"),
        &format!("--output-dir={out}"),
    ]));
    assert_eq!(ran.code, 0, "{ran:#?}");
    let mut resources = Vec::new();
    for entry in std::fs::read_dir(&out).unwrap() {
        let path = entry.unwrap().path().display().to_string();
        if path.ends_with("statement.json") {
            let statement = read(&path);
            resources.push(statement["predicate"]["resourceUri"].as_str().unwrap().to_owned());
        }
    }
    resources.sort();
    assert_eq!(resources, [format!("{origin}/prod"), format!("{origin}/staging")]);
}

#[test]
fn of_several_targets_each_that_passes_has_a_statement_of_its_own_and_no_other_has_one() {
    let (good, other) = (Deployment::healthy(), Deployment::healthy());
    let mut cvm = Cvm::healthy(&World::default());
    Lie::ForgedEventLog.apply(&mut cvm);
    let bad = Deployment::of(cvm);
    let (out, outputs, summary) = (good.path("out"), good.path("outputs"), good.path("summary"));
    let config = good.path("cvm-verify.toml");
    let verify = |targets: &[(&str, &Deployment)]| {
        let blocks = targets
            .iter()
            .map(|(name, of)| format!("[[target]]\nname = \"{name}\"\nurl = \"{}\"\n", of.app.url()));
        std::fs::write(&config, blocks.collect::<String>()).unwrap();
        std::fs::write(&outputs, "").unwrap();
        let args = good.strict_args(&[
            "verify",
            &format!("--config={config}"),
            &format!("--output-dir={out}"),
            "--github",
        ]);
        let env = [
            ("GITHUB_OUTPUT", outputs.as_str()),
            ("GITHUB_STEP_SUMMARY", summary.as_str()),
        ];
        let ran = super::run::run_in(&args, &env, |_| {});
        (ran, std::fs::read_to_string(&outputs).unwrap())
    };
    let exists = |name: &str| Path::new(&out).join(name).exists();

    let (ran, said) = verify(&[("api", &bad), ("shop", &good)]);
    assert_eq!(ran.code, 1, "{ran:#?}");
    let list = statements_of(&said);
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(list[0]["name"], "shop");
    // Its files have its name, as if both passed; the outputs of one target stay empty.
    assert_eq!(list[0]["statement-path"], format!("{out}/shop.statement.json"));
    let statement = read(&format!("{out}/shop.statement.json"));
    assert_eq!(statement["predicate"]["resourceUri"], good.app.url());
    assert!(!exists("api.statement.json") && !exists("statement.json") && !exists("predicate.json"));
    for name in ["statement-path", "predicate-path", "subject-digest"] {
        assert_eq!(output(&said, name), "", "{name}");
    }

    let (ran, said) = verify(&[("api", &other), ("shop", &good)]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    let list = statements_of(&said);
    let names: Vec<&Value> = list.as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["api", "shop"]);
    for (name, of) in [("api", &other), ("shop", &good)] {
        let statement = read(&format!("{out}/{name}.statement.json"));
        assert_eq!(statement["predicate"]["resourceUri"], of.app.url());
        let predicate = read(&format!("{out}/{name}.predicate.json"));
        assert_eq!(statement["predicate"], predicate);
    }
    // The next run, in which none passes, leaves neither behind.
    let (ran, said) = verify(&[("api", &bad), ("shop", &bad)]);
    assert_eq!(ran.code, 1, "{ran:#?}");
    assert!(!exists("api.statement.json") && !exists("shop.statement.json"));
    assert_eq!(output(&said, "statements"), "[]");
}
