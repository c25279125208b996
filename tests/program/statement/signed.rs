//! The check of a signed statement.

use std::path::Path;

use serde_json::Value;
use simulator::{DEFAULT_NOW, Sigstore, Workflow};

use super::read;
use crate::deployment::Deployment;
use crate::run::{Ran, run};

/// A signed statement, and the command that checks it.
struct Signed {
    deployment: Deployment,
    levels: Vec<&'static str>,
    /// How many changed statements about the same document stand before it in the file.
    behind: usize,
}

impl Signed {
    fn new() -> Self {
        Self {
            deployment: Deployment::healthy(),
            levels: vec!["CVM_VERIFY_CODE", "SLSA_BUILD_LEVEL_UNEVALUATED"],
            behind: 0,
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
        let signed = sigstore.sign(workflow, &statement);
        let mut changed = signed.clone();
        changed["dsseEnvelope"]["signatures"][0]["sig"] = "AAAA".into();
        let lines = format!("{}{signed}", format!("{changed}\n").repeat(self.behind));
        std::fs::write(&bundle, lines).unwrap();
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

/// Every run of one release signs a statement about the same document.
#[test]
fn a_statement_is_found_behind_any_number_of_others() {
    let mut signed = Signed::new();
    signed.behind = 31;
    let ran = signed.check(&verifying(), |_| {}, &[]);
    assert_eq!(ran.code, 0, "{ran:#?}");
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

/// A host may serve several deployments below one origin: a statement about one is none about another.
#[test]
fn a_statement_about_another_address_of_the_origin_is_not_taken() {
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
