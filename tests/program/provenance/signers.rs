//! Who signed a statement, when, and about what.

use super::*;

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
