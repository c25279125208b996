//! Who built the images: from the rule to the statement, against a Sigstore instance and a GitHub API on loopback.

mod github_answers;
mod hanging;
mod locks_and_plans;
mod signers;

use std::sync::{Arc, Barrier, Mutex};

use cvm_verify_core::checks::Check;
use cvm_verify_core::report::CheckId::SourceProvenance;
use cvm_verify_core::report::Status::{Error, Fail, Pass, Skip, Warn};
use cvm_verify_core::report::{AcceptedKind, Verdict, rfc3339};
use cvm_verify_core::verify::provenance::{Refusal, SNAPSHOT, SigstoreRoots, verify};
use serde_json::{Value, json};
use simulator::{Cvm, Request, Scripted, ScriptedServer, Sigstore, Workflow, World};

use super::deployment::Deployment;
use super::run::{Ran, run, run_in};

/// When the images were built, Unix seconds: long before the tests.
const BUILT: u64 = 1_700_000_000;

/// The images of the simulated deployment.
pub const IMAGES: [(&str, &str); 2] = [
    (
        "ghcr.io/example/web",
        "5d2f1f9d3c8a7b6e4f0a1b2c3d4e5f60718293a4b5c6d7e8f9010203040506aa",
    ),
    (
        "docker.io/example/worker",
        "9a0b1c2d3e4f5061728394a5b6c7d8e9f0010203040506070809aabbccddeeff",
    ),
];

pub const WORKFLOW: &str = "--source-workflow=.github/workflows/release.yml";

pub const TAGS: &str = "--source-ref=refs/tags/*";

pub const REPOSITORY: &str = "--source-repository=example/shop";

pub fn sigstore() -> Sigstore {
    Sigstore::new(7, BUILT)
}

/// The bundle about a digest, from a workflow.
pub fn bundle(workflow: &Workflow, digest: &str) -> Value {
    sigstore().sign(workflow, &workflow.provenance("image", digest))
}

/// The digest that a request to GitHub's API asks for.
pub fn asked_digest(request: &Request) -> String {
    let path = request.path();
    path.rsplit("sha256:").next().unwrap_or_default().to_owned()
}

/// GitHub's API with one attestation of this workflow for each digest.
pub fn github(workflow: Workflow) -> ScriptedServer {
    ScriptedServer::http(move |request| {
        let bundle = bundle(&workflow, &asked_digest(request));
        Scripted::json(json!({ "attestations": [{ "repository_id": 1, "bundle": bundle }] }))
    })
}

/// The same CVM, which runs nothing before the containers.
pub fn without_script(mut cvm: Cvm) -> Cvm {
    let mut document: Value = serde_json::from_str(&cvm.app_compose).unwrap();
    document["pre_launch_script"] = "".into();
    cvm.app_compose = document.to_string();
    cvm
}

pub struct Release {
    pub deployment: Deployment,
    pub api: ScriptedServer,
}

impl Release {
    pub fn of(api: ScriptedServer) -> Self {
        let cvm = without_script(Cvm::healthy(&World::default()));
        Self::with(Deployment::expecting(cvm.clone(), &cvm), api)
    }

    pub fn with(deployment: Deployment, api: ScriptedServer) -> Self {
        let root = deployment.folder.path().join("trusted_root.json");
        std::fs::write(root, sigstore().trusted_root().to_string()).unwrap();
        Self { deployment, api }
    }

    pub fn args(&self, more: &[&str]) -> Vec<String> {
        let mut args = vec![
            format!("--source-api-url={}", self.api.url()),
            format!("--sigstore-root={}", self.deployment.path("trusted_root.json")),
        ];
        args.extend(more.iter().map(|arg| (*arg).to_owned()));
        args
    }

    fn verify(&self, more: &[&str]) -> Ran {
        self.verify_as(None, more)
    }

    /// With blocks of a policy file.
    pub fn with_policy(&self, images: &str, more: &[&str]) -> Ran {
        self.with_policy_after("", images, more)
    }

    fn with_policy_after(&self, defaults: &str, images: &str, more: &[&str]) -> Ran {
        let file = self.deployment.path("cvm-verify.toml");
        let url = self.deployment.app.url();
        std::fs::write(
            &file,
            format!("{defaults}[[target]]\nname = \"shop\"\nurl = \"{url}\"\n{images}"),
        )
        .unwrap();
        let mut args = self
            .deployment
            .strict_args(&["verify", &format!("--config={file}"), "--format=json"]);
        args.extend(self.args(more));
        run(&args)
    }

    /// With a token, or without.
    fn verify_as(&self, token: Option<&str>, more: &[&str]) -> Ran {
        let mut args = self
            .deployment
            .strict_args(&["verify", &self.deployment.app.url(), "--format=json"]);
        args.extend(self.args(more));
        let env: Vec<(&str, &str)> = token
            .map(|token| ("CVM_VERIFY_SOURCE_TOKEN", token))
            .into_iter()
            .collect();
        run_in(&args, &env, |_| {})
    }
}

#[test]
fn a_release_goes_from_its_commit_to_a_pass_that_names_both_images() {
    let release = Release::of(github(Workflow::default()));
    let ran = release.verify(&[REPOSITORY, WORKFLOW, TAGS, "--require-assurance=code+source"]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert(SourceProvenance, Pass, None);
    let report = ran.report();
    let target = &report.targets[0];
    let check = target.check(SourceProvenance).unwrap();
    assert!(
        check
            .detail
            .contains("built from example/shop@95baf27 (refs/tags/v1.4.0) by release.yml, github-hosted"),
        "{}",
        check.detail
    );
    assert_eq!(target.sources.len(), 2);
    assert_eq!(target.sources[0].repository_id.as_deref(), Some("804070735"));
    // The roots are the simulator's, and the OS image is accepted by its registers: the tier is met, and is not counted as proven.
    assert_eq!(target.assurance.to_string(), "hardware");
    let accepted = target
        .accepted
        .iter()
        .find(|one| one.check == SourceProvenance)
        .unwrap();
    assert_eq!(
        (accepted.what, accepted.by.as_str()),
        (AcceptedKind::SigstoreRoot, "--sigstore-root")
    );
    let file = std::fs::read(release.deployment.path("trusted_root.json")).unwrap();
    let sha256 = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(file));
    assert!(accepted.reason.contains(&sha256), "{}", accepted.reason);
    assert_eq!(release.api.requests().len(), 2);
    let request = &release.api.requests()[0];
    assert!(
        request
            .target
            .contains("predicate_type=https%3A%2F%2Fslsa.dev%2Fprovenance%2Fv1")
    );
    assert_eq!(request.header("authorization"), None);
}

#[test]
fn without_a_rule_nobody_is_asked_and_nothing_is_claimed() {
    let release = Release::of(github(Workflow::default()));
    let ran = release.verify(&[]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert(SourceProvenance, Skip, Some("not-configured"));
    assert_eq!(release.api.requests().len(), 0);
    let wanted = release.verify(&["--require-assurance=code+source"]);
    assert_eq!(wanted.report().verdict, Verdict::Inconclusive);
}

#[test]
fn with_less_than_workflow_and_ref_it_passes_and_does_not_reach_the_tier() {
    let release = Release::of(github(Workflow::default()));
    let (workflow, code) = ("--source-workflow", "--source-ref");
    for (rules, words, named) in [
        (
            vec![REPOSITORY],
            "any workflow, any branch",
            &[workflow, code][..],
        ),
        (vec![REPOSITORY, WORKFLOW], "any branch", &[code]),
        (vec![REPOSITORY, TAGS], "any workflow", &[workflow]),
    ] {
        let ran = release.verify(&rules);
        ran.assert(SourceProvenance, Pass, None);
        assert!(ran.check(SourceProvenance).detail.contains(words), "{rules:?}");
        let mut wanted = rules.clone();
        wanted.push("--require-assurance=code+source");
        let ran = release.verify(&wanted);
        assert_eq!(ran.report().verdict, Verdict::Inconclusive, "{rules:?}");
        let fix = ran.check(SourceProvenance).fix.unwrap_or_default();
        for option in [workflow, code] {
            assert_eq!(fix.contains(option), named.contains(&option), "{option}: {fix}");
        }
    }
}

/// Such a script could start images that no rule names.
#[test]
fn a_script_that_nobody_reviewed_keeps_the_tier_away_until_its_hash_is_in_the_lock() {
    let release = Release::with(Deployment::healthy(), github(Workflow::default()));
    let rules = [REPOSITORY, WORKFLOW, TAGS, "--require-assurance=code+source"];
    let ran = release.verify(&rules);
    ran.assert(SourceProvenance, Warn, Some("unreviewed-script"));
    assert_eq!(ran.report().verdict, Verdict::Inconclusive);
    assert!(
        ran.check(SourceProvenance)
            .fix
            .unwrap_or_default()
            .contains("`cvm-verify pin ")
    );
    let ran = release.verify(&rules[..3]);
    ran.assert(SourceProvenance, Warn, Some("unreviewed-script"));
    assert_eq!(ran.report().verdict, Verdict::Pass);
    // One command writes the hash into the lock.
    let lock = release.deployment.path("cvm.lock");
    let mut pin = vec![
        "pin".to_owned(),
        release.deployment.app.url().to_string(),
        "--accept-observed".to_owned(),
        format!("--output={lock}"),
    ];
    pin.extend(release.deployment.network());
    assert_eq!(run(&pin).code, 0);
    let lock = format!("--lock={lock}");
    let ran = release.verify(&[rules[0], rules[1], rules[2], rules[3], &lock]);
    ran.assert(SourceProvenance, Pass, None);
    assert_eq!(ran.report().verdict, Verdict::Pass, "{ran:#?}");
    // Another script than the locked one is none that was reviewed.
    release.deployment.app.change(|cvm| {
        cvm.app_compose = cvm
            .app_compose
            .replace("echo", "docker run -d example/other; echo");
    });
    let ran = release.verify(&[rules[0], rules[1], rules[2], rules[3], &lock]);
    ran.assert(SourceProvenance, Warn, Some("unreviewed-script"));
}

/// The tier rests on who says that the script is known, whatever else is open of the launch.
#[test]
fn a_script_that_a_row_of_the_users_knows_is_named_beside_the_tier() {
    let release = Release::with(Deployment::healthy(), github(Workflow::default()));
    for public_logs in [false, true] {
        let mut sha256 = String::new();
        release.deployment.app.change(|cvm| {
            let mut document: Value = serde_json::from_str(&cvm.app_compose).unwrap();
            document["public_logs"] = public_logs.into();
            let script = document["pre_launch_script"].as_str().unwrap();
            sha256 = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(script));
            cvm.app_compose = document.to_string();
        });
        let path = release.deployment.path("own.toml");
        std::fs::write(
            &path,
            format!(
                "updated = \"2026-10-01\"\n[[script]]\nversion = \"1\"\nsha256 = \"{sha256}\"\ntext = \"published\"\n\
                 source = \"our review\"\ndate = \"2026-10-01\"\n"
            ),
        )
        .unwrap();
        let rows = format!("--reference-values={path}");
        let ran = release.verify(&[REPOSITORY, WORKFLOW, TAGS, &rows]);
        ran.assert(SourceProvenance, Pass, None);
        let target = &ran.report().targets[0];
        assert!(
            target
                .accepted
                .iter()
                .any(|one| one.check == SourceProvenance && one.what == AcceptedKind::ReferenceValues),
            "{public_logs}: {:?}",
            target.accepted
        );
    }
}

#[test]
fn short_options_hold_for_images_that_a_block_or_the_lock_names() {
    let release = Release::of(github(Workflow::default()));
    let block =
        "[[target.images]]\nimage = \"*/*\"\nrepository = \"Example/Shop\"\n".replace("*/*", "ghcr.io/*");
    let other_commit = format!("--source-commit={}", "0".repeat(40));
    for (option, reason) in [
        (other_commit.as_str(), "other-commit"),
        ("--source-ref=refs/heads/main", "other-ref"),
        ("--source-workflow=.github/workflows/ci.yml", "other-workflow"),
    ] {
        // The image of Docker Hub is waived, so that only the block's rule can fail.
        let text = format!(
            "{block}[[target.images]]\nimage = \"docker.io/*\"\nprovenance = \"none: another team\"\n"
        );
        release
            .with_policy(&text, &[REPOSITORY, option])
            .assert(SourceProvenance, Fail, Some(reason));
    }
    // Rules of other repositories keep what they say.
    let text = "[[target.images]]\nimage = \"ghcr.io/*\"\nrepository = \"example/shop\"\n\
                [[target.images]]\nimage = \"docker.io/*\"\nrepository = \"example/shop\"\n";
    let other_repository = "--source-repository=other/repo";
    release
        .with_policy(text, &[other_repository])
        .assert(SourceProvenance, Pass, None);
    // A commit that is asked for, and of no image: that of the release is not judged.
    let nobody = release.with_policy(text, &[other_repository, &other_commit]);
    nobody.assert(SourceProvenance, Error, Some("unused-rule"));
    nobody.assert_detail(
        SourceProvenance,
        "the rule for * (--source-commit) names no image that runs",
    );
    // So where the policy file names the repository.
    let of_file = format!("source-repository = \"other/repo\"\n{text}");
    release
        .with_policy(&of_file, &[&other_commit])
        .assert(SourceProvenance, Error, Some("unused-rule"));
    release
        .with_policy_after(
            "[defaults]\nsource-workflow = \".github/workflows/release.yml\"\n",
            "[[target.images]]\nimage = \"*\"\nprovenance = \"none: by hand\"\n",
            &[&other_commit],
        )
        .assert_usage_error("it is expected of no image");
    release
        .with_policy(
            "[[target.images]]\nimage = \"*\"\nprovenance = \"none: by hand\"\n",
            &[&other_commit],
        )
        .assert_usage_error("it is expected of no image");
    release
        .with_policy(
            "[[target.images]]\nimage = \"*\"\nrepository = \"a/b\"\n",
            &[REPOSITORY],
        )
        .assert_usage_error("two rules name the image *");
}

#[test]
fn defaults_say_what_a_block_leaves_open_and_change_nothing_that_it_says() {
    let release = Release::of(github(Workflow::default()));
    let block = |says: &str| {
        format!(
            "[[target.images]]\nimage = \"*\"\nrepository = \"example/shop\"\nworkflow = \".github/workflows/release.yml\"\n{says}"
        )
    };
    let with_defaults = |says: &str, more: &[&str]| {
        release.with_policy_after("[defaults]\nsource-ref = [\"refs/tags/*\"]\n", &block(says), more)
    };
    let strict = "ref = \"refs/tags/v9.9.9\"\n";
    with_defaults(strict, &[]).assert(SourceProvenance, Fail, Some("other-ref"));
    with_defaults("", &[]).assert(SourceProvenance, Pass, None);
    with_defaults("", &["--source-ref=refs/heads/main"]).assert(SourceProvenance, Fail, Some("other-ref"));
    // An option stands over the block.
    with_defaults(strict, &[TAGS]).assert(SourceProvenance, Pass, None);
    // An empty list would look like an expectation.
    for key in ["ref", "commit", "accept", "from"] {
        let empty = with_defaults(&format!("{key} = []\n"), &[]);
        empty.assert_usage_error("has an empty list, which would expect nothing");
    }
}

#[test]
fn an_image_without_provenance_is_waived_in_writing_alone() {
    let release = Release::of(github(Workflow::default()));
    let write = |images: &str| release.with_policy(images, &[]);
    let web = "[[target.images]]\nimage = \"ghcr.io/example/*\"\nrepository = \"example/shop\"\n";
    let waived = write(&format!(
        "{web}[[target.images]]\nimage = \"*\"\nprovenance = \"none: built by hand until March\"\n"
    ));
    assert_eq!(waived.code, 0, "{waived:#?}");
    waived.assert(SourceProvenance, Skip, Some("unproven-images"));
    let accepted = &waived.report().targets[0].accepted;
    assert!(
        accepted
            .iter()
            .any(|one| one.reason == "docker.io/example/worker: built by hand until March"),
        "{accepted:?}"
    );
    write(web).assert(SourceProvenance, Skip, Some("no-rule"));
    // A rule that names no image that runs demands something that nobody judges.
    let renamed = "[[target.images]]\nimage = \"ghcr.io/acme/app\"\nrepository = \"acme/app\"\n";
    let unused = write(&format!("{web}{renamed}"));
    unused.assert(SourceProvenance, Error, Some("unused-rule"));
    assert_eq!(unused.code, 3, "{unused:#?}");
    unused.assert_detail(SourceProvenance, "ghcr.io/acme/app");
    write(&format!("{web}{renamed}optional = true\n")).assert(SourceProvenance, Skip, Some("no-rule"));
    write(&format!("{web}{renamed}optional = 1.5\n")).assert_usage_error("images");
    write(&format!("{web}{web}")).assert_usage_error("two rules name the image ghcr.io/example/*");
    write("[[target.images]]\nimage = \"*\"\nprovenance = \"none\"\n").assert_usage_error("needs a reason");
    write("[[target.images]]\nimage = \"*\"\n").assert_usage_error("`repository` is missing");
    write("[[target.images]]\nimage = \"*\"\nrepository = \"a/b\"\ncommit = 1.5\n")
        .assert_usage_error("images");
    write("[[target.images]]\nimage = \"*\"\nrepository = \"a/b\"\nbranch = \"main\"\n")
        .assert_usage_error("unknown field `branch`");
}

#[test]
fn short_options_need_a_repository_and_a_commit_is_no_expectation_of_a_schedule() {
    let release = Release::of(github(Workflow::default()));
    release
        .verify(&["--source-commit=95baf2766ce4c0cb4a4a2bd7b0ee4ce61f0ba012"])
        .assert_usage_error("it needs --source-repository");
    release
        .verify(&[REPOSITORY, "--source-commit=95baf27"])
        .assert_usage_error("all 40 hex digits");
    let mut args = vec!["verify".to_owned(), release.deployment.app.url().to_string()];
    args.extend(release.args(&[
        REPOSITORY,
        "--source-commit=95baf2766ce4c0cb4a4a2bd7b0ee4ce61f0ba012",
    ]));
    for begun_by in ["GITHUB_EVENT_NAME", "CI_PIPELINE_SOURCE"] {
        run_in(&args, &[(begun_by, "schedule")], |_| {}).assert_usage_error("takes the commit from the lock");
    }
}
