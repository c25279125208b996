//! The result as a statement, and the check of a signed one.

use std::path::Path;

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use simulator::{Cvm, DEFAULT_NOW, Lie, Sigstore, Workflow, World};

use super::deployment::Deployment;
use super::run::{Ran, run};

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

/// A signed statement, and the command that checks it.
struct Signed {
    deployment: Deployment,
    levels: Vec<&'static str>,
}

impl Signed {
    fn new() -> Self {
        Self {
            deployment: Deployment::healthy(),
            levels: vec!["CVM_VERIFY_CODE", "SLSA_BUILD_LEVEL_UNEVALUATED"],
        }
    }

    /// Signs what the program wrote, as Intel's root would have it, by a workflow.
    fn check(&self, workflow: &Workflow, change: impl Fn(&mut Value), more: &[&str]) -> Ran {
        let out = self.deployment.path("out");
        assert_eq!(self.deployment.verify(&[&format!("--output-dir={out}")]).code, 0);
        let mut statement = read(&format!("{out}/statement.json"));
        statement["predicate"]["verifiedLevels"] = self.levels.clone().into();
        statement["predicate"]["resourceUri"] = "https://shop.example".into();
        change(&mut statement);
        let sigstore = Sigstore::new(7, DEFAULT_NOW);
        let bundle = self.deployment.path("bundle.json");
        std::fs::write(&bundle, sigstore.sign(workflow, &statement).to_string()).unwrap();
        let root = self.deployment.path("trusted_root.json");
        std::fs::write(&root, sigstore.trusted_root().to_string()).unwrap();
        let mut args = vec![
            "statement".to_owned(),
            "check".to_owned(),
            bundle,
            format!("--subject={out}/app-compose.json"),
            format!("--sigstore-root={root}"),
            "--signer-repository=example/shop".to_owned(),
            "--signer-workflow=.github/workflows/verify.yml".to_owned(),
            "--resource=https://shop.example".to_owned(),
        ];
        if !more.iter().any(|arg| arg.starts_with("--signer-ref")) {
            args.push(format!("--signer-ref={}", workflow.git_ref));
        }
        args.extend(more.iter().map(|arg| (*arg).to_owned()));
        run(&args)
    }
}

fn verifying() -> Workflow {
    Workflow {
        path: ".github/workflows/verify.yml".to_owned(),
        git_ref: "refs/heads/main".to_owned(),
        ..Workflow::default()
    }
}

#[test]
fn a_signed_statement_is_accepted_from_its_workflow_and_for_its_levels() {
    let signed = Signed::new();
    let ran = signed.check(&verifying(), |_| {}, &[]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert!(
        ran.stdout
            .starts_with("PASSED: https://shop.example was verified at"),
        "{}",
        ran.stdout
    );
    let signer = "Signed by .github/workflows/verify.yml of example/shop on refs/heads/main, commit 95baf27";
    ran.assert_stdout(signer);
    // The simulator's roots, and not Sigstore's.
    ran.assert_stdout("under the Sigstore roots of a file");
    for (more, says) in [
        (
            vec!["--level=CVM_VERIFY_SOURCE"],
            "does not reach CVM_VERIFY_SOURCE",
        ),
        (
            vec!["--signer-ref=refs/heads/release"],
            "refs/heads/main instead of refs/heads/release",
        ),
    ] {
        let ran = signed.check(&verifying(), |_| {}, &more);
        assert_eq!(ran.code, 1, "{more:?}");
        assert!(
            ran.stdout.starts_with("FAILED:") && ran.stdout.contains(says),
            "{}",
            ran.stdout
        );
    }
}

/// Who has runners of their own, or a GitHub of their own, says so.
#[test]
fn other_runners_and_issuers_are_accepted_where_they_are_named() {
    let signed = Signed::new();
    let own = Workflow {
        runner: "self-hosted".to_owned(),
        ..verifying()
    };
    let refused = signed.check(&own, |_| {}, &[]);
    assert_eq!(refused.code, 1, "{refused:#?}");
    let says = "signed by self-hosted instead of github-hosted; if the runners of the signer's owner are acceptable, give --signer-runner any";
    assert!(refused.stdout.contains(says), "{}", refused.stdout);
    assert_eq!(signed.check(&own, |_| {}, &["--signer-runner=any"]).code, 0);
    let tenant = "--signer-issuer=https://token.actions.acme.ghe.com";
    let other = signed.check(&verifying(), |_| {}, &[tenant]);
    assert_eq!(other.code, 1, "{other:#?}");
    assert!(
        other
            .stdout
            .contains("instead of https://token.actions.acme.ghe.com"),
        "{}",
        other.stdout
    );
    for (wrong, option) in [
        ("--signer-runner=mine", "--signer-runner"),
        ("--signer-issuer=https://evil.example", "--signer-issuer"),
    ] {
        let ran = signed.check(&verifying(), |_| {}, &[wrong]);
        assert_eq!(ran.code, 2, "{ran:#?}");
        assert!(ran.stderr.contains(option), "{}", ran.stderr);
    }
}

#[test]
fn a_statement_of_a_branch_that_nobody_named_is_not_taken() {
    let signed = Signed::new();
    let evil = Workflow {
        git_ref: "refs/heads/evil".to_owned(),
        ..verifying()
    };
    let ran = signed.check(&evil, |_| {}, &["--signer-ref=refs/heads/main"]);
    assert_eq!(ran.code, 1, "{ran:#?}");
    ran.assert_stdout("refs/heads/evil instead of refs/heads/main");
    // There is no default: a reader who names no ref would take every branch.
    let bundle = signed.deployment.path("bundle.json");
    let args = [
        "statement",
        "check",
        &bundle,
        "--signer-repository=example/shop",
        "--signer-workflow=.github/workflows/verify.yml",
        "--resource=https://shop.example",
    ];
    let ran = run(&args.map(str::to_owned));
    assert_eq!(ran.code, 2, "{ran:#?}");
    ran.assert_stderr("--signer-ref <REF>");
}

#[test]
fn each_lie_about_a_statement_fails_for_its_reason() {
    let signed = Signed::new();
    let fork = Workflow {
        repository: "evil/shop".to_owned(),
        workflow_repository: "evil/shop".to_owned(),
        ..verifying()
    };
    type Edit = Box<dyn Fn(&mut Value)>;
    let cases: Vec<(Workflow, Edit, &str)> = vec![
        (fork, Box::new(|_| {}), "evil/shop instead of example/shop"),
        (Workflow::default(), Box::new(|_| {}), "release.yml instead of"),
        (
            verifying(),
            Box::new(|statement| statement["subject"][0]["digest"]["sha256"] = "11".repeat(32).into()),
            "holds no statement about",
        ),
        (
            verifying(),
            Box::new(|statement| statement["predicate"]["verificationResult"] = "FAILED".into()),
            "not PASSED",
        ),
        (
            verifying(),
            Box::new(|statement| statement["predicate"]["resourceUri"] = "https://other.example".into()),
            "is expected",
        ),
        (
            verifying(),
            Box::new(|statement| {
                let old = cvm_verify_core::report::rfc3339(DEFAULT_NOW - 2 * 86_400);
                statement["predicate"]["timeVerified"] = old.into();
            }),
            "seconds ago",
        ),
        (
            verifying(),
            Box::new(|statement| statement["predicateType"] = "https://slsa.dev/provenance/v1".into()),
            "another type",
        ),
    ];
    for (workflow, change, says) in cases {
        let ran = signed.check(&workflow, change, &[]);
        assert_eq!(ran.code, 1, "{says}: {ran:#?}");
        assert!(ran.stdout.contains(says), "{says}: {}", ran.stdout);
    }
}

/// A verifier that has nothing of this program: DSSE, certificate, subject and predicate, in Python.
fn by_python(signed: &Signed, expected: &[&str]) -> (bool, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/statement/verify.py");
    let done = std::process::Command::new("python3")
        .arg("-B")
        .arg(script)
        .arg(signed.deployment.path("bundle.json"))
        .arg(signed.deployment.path("out/app-compose.json"))
        .arg(signed.deployment.path("trusted_root.json"))
        .args(expected)
        .output()
        .expect("python3");
    let said = [done.stdout, done.stderr].concat();
    (done.status.success(), String::from_utf8(said).unwrap())
}

#[test]
fn another_program_verifies_the_signed_statement() {
    let signed = Signed::new();
    signed.check(&verifying(), |_| {}, &[]);
    let signer = format!("signer={}", verifying().uri());
    let right = [
        "verificationResult=PASSED",
        "verifiedLevels=CVM_VERIFY_CODE",
        "resourceUri=https://shop.example",
        &signer,
    ];
    let (verified, said) = by_python(&signed, &right);
    assert!(
        verified && said.starts_with("verified: https://shop.example PASSED"),
        "{said}"
    );
    let (verified, said) = by_python(&signed, &["verifiedLevels=CVM_VERIFY_SOURCE"]);
    assert!(!verified && said.contains("not CVM_VERIFY_SOURCE"), "{said}");
    // A payload that was changed, and another document.
    let bundle = signed.deployment.path("bundle.json");
    let before = std::fs::read_to_string(&bundle).unwrap();
    let mut changed: Value = serde_json::from_str(&before).unwrap();
    changed["dsseEnvelope"]["payload"] = "e30=".into();
    std::fs::write(&bundle, changed.to_string()).unwrap();
    let (verified, said) = by_python(&signed, &right);
    assert!(
        !verified && said.contains("the signature over the statement does not hold"),
        "{said}"
    );
    std::fs::write(&bundle, before).unwrap();
    std::fs::write(signed.deployment.path("out/app-compose.json"), "{}").unwrap();
    let (verified, said) = by_python(&signed, &right);
    assert!(!verified && said.contains("about another document"), "{said}");
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
    let signed = Signed::new();
    let of_staging = |statement: &mut Value| {
        statement["predicate"]["resourceUri"] = "https://shop.example/staging".into();
    };
    let ran = signed.check(&verifying(), of_staging, &[]);
    assert_eq!(ran.code, 1, "{ran:#?}");
    let fix = "it is about https://shop.example/staging, and https://shop.example is expected; if that is the deployment that you \
               mean, give --resource https://shop.example/staging";
    ran.assert_stdout(fix);
}

/// The log saw the signature. A statement that says it was verified later was not.
#[test]
fn a_statement_that_was_signed_before_its_own_time_is_refused() {
    let signed = Signed::new();
    let later = |statement: &mut Value| {
        let later = cvm_verify_core::report::rfc3339(DEFAULT_NOW + 30);
        statement["predicate"]["timeVerified"] = later.into();
    };
    assert_eq!(signed.check(&verifying(), later, &[]).code, 0, "clocks differ");
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
