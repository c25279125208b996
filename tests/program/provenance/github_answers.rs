//! What GitHub answers about images: what it hides, what it cannot be asked, and what is remembered of it.

use super::*;

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
    // A page that is named by the number of the repository, as GitHub does: it is one of the list that was asked for.
    let by_number = ScriptedServer::http(move |request| {
        let digest = asked_digest(request);
        let digest = digest.split('?').next().unwrap_or_default();
        match request.target.contains("after=two") {
            true => {
                let bundle = bundle(&Workflow::default(), digest);
                Scripted::json(json!({ "attestations": [{ "bundle": bundle }] }))
            }
            false => Scripted::json(json!({ "attestations": [] })).header(
                "Link",
                format!("</repositories/7/attestations/sha256:{digest}?after=two>; rel=\"next\""),
            ),
        }
    });
    Release::of(by_number)
        .verify(&[REPOSITORY])
        .assert(SourceProvenance, Pass, None);
    // Files, where GitHub has none.
    let release = Release::of(ScriptedServer::http(|_| {
        Scripted::json(json!({ "attestations": [] }))
    }));
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

/// A signature of cosign, without provenance.
fn signature(workflow: &Workflow, digest: &str) -> Value {
    let mut statement = workflow.provenance("image", digest);
    statement["predicateType"] = json!("https://sigstore.dev/cosign/sign/v1");
    statement["predicate"] = json!({});
    sigstore().sign(workflow, &statement)
}

#[test]
fn a_signature_before_the_provenance_does_not_hide_it() {
    let api = ScriptedServer::http(|request| {
        let digest = asked_digest(request);
        let workflow = Workflow::default();
        Scripted::json(json!({ "attestations": [
            { "bundle": signature(&workflow, &digest) },
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

/// A signature meets the rule of a fleet: no target asks for it again, nor for the provenance that is not there.
#[test]
fn a_signature_alone_is_asked_for_once_for_all_targets_of_a_run() {
    let api = ScriptedServer::http(|request| {
        let digest = asked_digest(request);
        Scripted::json(json!({ "attestations": [{ "bundle": signature(&Workflow::default(), &digest) }] }))
    });
    let release = Release::of(api);
    let url = release.deployment.app.url();
    let rule = "[[target.images]]\nimage = \"*\"\nrepository = \"example/shop\"\nworkflow = \".github/workflows/release.yml\"\n\
                ref = \"refs/tags/*\"\naccept = [\"provenance\", \"signature\"]\n";
    let more: String = (0..3)
        .map(|number| format!("[[target]]\nname = \"more{number}\"\nurl = \"{url}\"\n{rule}"))
        .collect();
    let ran = release.with_policy(&format!("{rule}{more}"), &["--concurrency=1"]);
    for target in &ran.report().targets {
        let check = target.check(SourceProvenance).unwrap();
        assert_eq!(check.status, Pass, "{check:?}");
    }
    // Two images.
    assert_eq!(release.api.requests().len(), 2);
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
