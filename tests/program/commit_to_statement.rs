//! From the commit to the silicon: the example release of the simulator, its verdict, and the statement that another program
//! verifies. A lie at each link fails for its own reason, and leaves no statement.

use std::path::Path;
use std::process::Command;

use cvm_verify_core::report::CheckId::{ComposeHash, SourceProvenance};
use cvm_verify_core::report::Status::{Fail, Pass};
use serde_json::{Value, json};
use simulator::{Cvm, Scripted, ScriptedServer, Workflow, World};

use super::deployment::Deployment;
use super::provenance::{IMAGES, Release, asked_digest, bundle, github, sigstore, without_script};
use super::run::{Ran, run};

/// What the owner of the release writes down: who built the images, from which commit, on whose runner.
const RULE: &str = "[[target.images]]\nimage = \"*\"\nrepository = \"example/shop\"\nrepository-id = 804070735\n\
                    workflow = \".github/workflows/release.yml\"\nref = \"refs/tags/*\"\n\
                    commit = \"95baf2766ce4c0cb4a4a2bd7b0ee4ce61f0ba012\"\n";

struct Chain {
    release: Release,
}

impl Chain {
    fn of(api: ScriptedServer) -> Self {
        Self {
            release: Release::of(api),
        }
    }

    fn path(&self, name: &str) -> String {
        self.release.deployment.path(name)
    }

    fn verify(&self) -> Ran {
        let out = format!("--output-dir={}", self.path("out"));
        self.release
            .with_policy(RULE, &["--require-assurance=code+source", &out])
    }

    fn statement(&self) -> Option<Value> {
        let text = std::fs::read(self.path("out/statement.json")).ok()?;
        Some(serde_json::from_slice(&text).unwrap())
    }

    /// Signs a statement as the user's workflow does, and has a program verify it that has nothing of this one.
    fn verified_by_python(&self, statement: &Value, expected: &[&str]) -> (bool, String) {
        let signed = sigstore().sign(&verifying(), statement);
        std::fs::write(self.path("bundle.json"), signed.to_string()).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/statement/verify.py");
        let done = Command::new("python3")
            .arg("-B")
            .arg(script)
            .args(["bundle.json", "out/app-compose.json", "trusted_root.json"].map(|name| self.path(name)))
            .args(expected)
            .output()
            .expect("python3");
        let said = [done.stdout, done.stderr].concat();
        (done.status.success(), String::from_utf8(said).unwrap())
    }
}

/// The workflow that verifies and signs.
fn verifying() -> Workflow {
    Workflow {
        path: ".github/workflows/verify.yml".to_owned(),
        git_ref: "refs/heads/main".to_owned(),
        ..Workflow::default()
    }
}

#[test]
fn a_release_goes_from_its_commit_to_a_statement_that_another_program_verifies() {
    let chain = Chain::of(github(Workflow::default()));
    let ran = chain.verify();
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert(SourceProvenance, Pass, None);
    ran.assert(ComposeHash, Pass, None);
    let report = ran.report();
    let target = &report.targets[0];
    assert!(
        !target.accepted.is_empty() && target.accepted.iter().all(|one| one.by.contains("--")),
        "{target:#?}"
    );
    // Every image of the measured document, with the commit that it was built from.
    let built: Vec<(&str, &str)> = target
        .sources
        .iter()
        .map(|source| {
            (
                source.image.as_str(),
                source.commit.as_deref().unwrap_or_default(),
            )
        })
        .collect();
    let expected: Vec<(String, &str)> = IMAGES
        .iter()
        .map(|(name, digest)| {
            (
                format!("{name}@sha256:{digest}"),
                "95baf2766ce4c0cb4a4a2bd7b0ee4ce61f0ba012",
            )
        })
        .collect();
    for (image, commit) in &expected {
        assert!(built.contains(&(image, commit)), "{built:?}");
    }

    let statement = chain.statement().unwrap();
    let resource = format!("resourceUri={}", chain.release.deployment.app.url());
    let signer = format!("signer={}", verifying().uri());
    // The simulator's root is not Intel's: the statement has no other level than that.
    let right = [
        "verificationResult=PASSED",
        "verifiedLevels=CVM_VERIFY_SIMULATED",
        resource.as_str(),
        signer.as_str(),
    ];
    let (verified, said) = chain.verified_by_python(&statement, &right);
    assert!(verified, "{said}");
    // What it rests on is named by digest: the evidence, the report, and a bundle for each image.
    let inputs = statement["predicate"]["inputAttestations"].as_array().unwrap();
    let provenance = inputs.iter().filter(|input| {
        let name = input["name"].as_str().unwrap_or_default();
        name.contains("provenance")
    });
    assert_eq!(provenance.count(), IMAGES.len(), "{inputs:#?}");

    // The program itself takes it from that workflow for what it is: no proof of hardware.
    let check = |workflow: &str| {
        run(&[
            "statement".to_owned(),
            "check".to_owned(),
            chain.path("bundle.json"),
            format!("--subject={}", chain.path("out/app-compose.json")),
            format!("--sigstore-root={}", chain.path("trusted_root.json")),
            "--signer-repository=example/shop".to_owned(),
            format!("--signer-workflow={workflow}"),
            "--signer-ref=refs/heads/main".to_owned(),
            format!("--resource={}", chain.release.deployment.app.url()),
        ])
    };
    let ran = check(".github/workflows/verify.yml");
    assert_eq!(ran.code, 1, "{ran:#?}");
    ran.assert_stdout("(CVM_VERIFY_SIMULATED), which proves nothing of hardware");
    let ran = check(".github/workflows/release.yml");
    assert_eq!(ran.code, 1, "{ran:#?}");
    ran.assert_stdout("verify.yml instead of");

    // Another document than the measured one.
    std::fs::write(chain.path("out/app-compose.json"), "{}").unwrap();
    let (verified, said) = chain.verified_by_python(&statement, &right);
    assert!(!verified && said.contains("about another document"), "{said}");
}

#[test]
fn t45_a_lie_at_every_link_fails_for_its_own_reason_and_leaves_no_statement() {
    let lie = |change: &dyn Fn(&mut Workflow)| {
        let mut workflow = Workflow::default();
        change(&mut workflow);
        github(workflow)
    };
    // The bundle of the other image: GitHub's API answers with what it was not asked for.
    let swapped = ScriptedServer::http(|request| {
        let asked = asked_digest(request);
        let other = IMAGES.iter().find(|(_, digest)| *digest != asked).unwrap().1;
        let bundle = bundle(&Workflow::default(), other);
        Scripted::json(json!({ "attestations": [{ "bundle": bundle }] }))
    });
    // The right statement under the signature of another one.
    let mixed = ScriptedServer::http(|request| {
        let mut bundle_of = bundle(&Workflow::default(), &asked_digest(request));
        let other = bundle(&Workflow::default(), &"11".repeat(32));
        bundle_of["dsseEnvelope"]["signatures"] = other["dsseEnvelope"]["signatures"].clone();
        Scripted::json(json!({ "attestations": [{ "bundle": bundle_of }] }))
    });
    for (link, api, reason) in [
        (
            "another repository",
            lie(&|workflow| {
                workflow.repository = "evil/shop".to_owned();
                workflow.workflow_repository = "evil/shop".to_owned();
            }),
            "other-repository",
        ),
        (
            "another commit",
            lie(&|workflow| workflow.commit = "0".repeat(40)),
            "other-commit",
        ),
        (
            "another runner",
            lie(&|workflow| workflow.runner = "self-hosted".to_owned()),
            "other-runner",
        ),
        (
            "a fork's workflow",
            lie(&|workflow| workflow.workflow_repository = "evil/shop".to_owned()),
            "other-workflow",
        ),
        (
            "a name that was registered again",
            lie(&|workflow| workflow.repository_id = 1),
            "other-repository-id",
        ),
        ("a swapped bundle", swapped, "other-subject"),
        ("a statement under another signature", mixed, "signature-invalid"),
    ] {
        let chain = Chain::of(api);
        let ran = chain.verify();
        assert_eq!(ran.code, 1, "{link}: {ran:#?}");
        let check = ran.check(SourceProvenance);
        assert_eq!(
            (check.status, check.reason.as_deref()),
            (Fail, Some(reason)),
            "{link}: {check:#?}"
        );
        ran.assert(ComposeHash, Pass, None);
        assert_eq!(chain.statement(), None, "{link}");
    }
}

/// The image that runs has another digest than the one that was released: the measured document says so before anybody is asked
/// who built it, and whoever pins the new document finds nobody who built that digest.
#[test]
fn t45_another_digest_than_the_released_one_fails_for_its_own_reason_and_leaves_no_statement() {
    let other = "22".repeat(32);
    let mut cvm = without_script(Cvm::healthy(&World::default()));
    cvm.app_compose = cvm.app_compose.replace(IMAGES[0].1, &other);
    let release = |pinned: &Cvm| {
        let released: Vec<&str> = IMAGES.iter().map(|(_, digest)| *digest).collect();
        let api = ScriptedServer::http(move |request| {
            let asked = asked_digest(request);
            match released.contains(&asked.as_str()) {
                true => {
                    let bundle = bundle(&Workflow::default(), &asked);
                    Scripted::json(json!({ "attestations": [{ "bundle": bundle }] }))
                }
                false => Scripted::json(json!({ "attestations": [] })),
            }
        });
        let hash = format!("--compose-hash={}", hex::encode(pinned.compose_hash()));
        (Release::with(Deployment::of(cvm.clone()), api), hash)
    };
    for (pinned, check, reason) in [
        (
            without_script(Cvm::healthy(&World::default())),
            ComposeHash,
            "compose-hash-mismatch",
        ),
        (cvm.clone(), SourceProvenance, "no-provenance"),
    ] {
        let (release, hash) = release(&pinned);
        let out = format!("--output-dir={}", release.deployment.path("out"));
        let mut args = release.deployment.network_args(&[
            "verify",
            &release.deployment.app.url(),
            "--format=json",
            &hash,
            "--source-repository=example/shop",
            &out,
        ]);
        args.extend(release.deployment.expect()[1..].iter().cloned());
        args.extend(release.args(&[]));
        let ran = run(&args);
        assert_eq!(ran.code, 1, "{ran:#?}");
        ran.assert(check, Fail, Some(reason));
        assert!(!Path::new(&release.deployment.path("out/statement.json")).exists());
    }
}
