//! Phala Cloud's API as a source.

use super::*;

#[test]
fn every_instance_of_an_app_is_a_target_of_its_own_and_none_is_fresh() {
    let instances = [Some(instance(1)), Some(instance(2)), Some(instance(3))];
    let (deployment, api) = cloud(InstanceShape::New, &instances);
    let ran = verify(&deployment, "phala-cloud", &[&app_id(), &api]);
    assert_eq!(ran.code, 3, "{ran:#?}");
    let report = ran.report();
    let names: Vec<&str> = report.targets.iter().map(|target| target.name.as_str()).collect();
    let name = |number: u8| format!("phala-cloud/{} instance {}", app_id(), hex::encode([number; 20]));
    assert_eq!(names, [name(1), name(2), name(3)]);
    for (target, id) in report.targets.iter().zip(1u8..) {
        let freshness = target.check(Freshness).unwrap();
        assert_eq!(
            (freshness.status, freshness.reason.as_deref()),
            (Skip, Some("no-nonce"))
        );
        // The address names the app, and the quote bears it out.
        assert_eq!(target.check(AppId).unwrap().status, Pass);
        let id = hex::encode([id; 20]);
        assert_eq!(target.measurements.instance_id.as_deref(), Some(id.as_str()));
    }
    assert_eq!(
        deployment.pccs.requests().len(),
        6,
        "collateral once for one platform: four documents, and two of the early set"
    );
    let ran = verify(
        &deployment,
        "phala-cloud",
        &[&app_id(), &api, "--freshness=unchecked"],
    );
    assert_eq!(ran.code, 0, "{ran:#?}");
}

#[test]
fn the_old_shape_has_no_compose_document_and_says_so() {
    let (deployment, api) = cloud(InstanceShape::Old, &[Some(healthy())]);
    let ran = verify(&deployment, "phala-cloud", &[&app_id(), &api]);
    ran.assert(EventLog, Pass, None);
    ran.assert(ComposeHash, Pass, None);
    ran.assert(ImagePins, Error, Some("no-compose-document"));
}

#[test]
fn one_instance_of_five_that_lies_fails_alone() {
    let mut liar = instance(3);
    Lie::SwappedImage.apply(&mut liar);
    let mut instances: Vec<Option<Cvm>> = (1..=5).map(|id| Some(instance(id))).collect();
    instances[2] = Some(liar);
    let (deployment, api) = cloud(InstanceShape::New, &instances);
    let ran = verify(
        &deployment,
        "phala-cloud",
        &[&app_id(), &api, "--freshness=unchecked"],
    );
    assert_eq!(ran.code, 1, "{ran:#?}");
    let verdicts: Vec<Verdict> = ran.report().targets.iter().map(|target| target.verdict).collect();
    use Verdict::{Fail, Pass};
    assert_eq!(verdicts, [Pass, Pass, Fail, Pass, Pass]);
}

#[test]
fn one_instance_that_cannot_be_read_spoils_no_other() {
    let (deployment, api) = cloud(InstanceShape::New, &[Some(instance(1)), Some(instance(2))]);
    let id = healthy().app_id_bytes();
    let mut answer: serde_json::Value = serde_json::from_str(&phala_cloud::answer(
        &id,
        InstanceShape::New,
        &[Some(instance(1)), Some(instance(2))],
    ))
    .unwrap();
    answer["instances"][0]["quote"] = "zz".into();
    deployment
        .app
        .serve_file(&phala_cloud::path(&id), JSON, answer.to_string());
    let ran = verify(
        &deployment,
        "phala-cloud",
        &[&app_id(), &api, "--freshness=unchecked"],
    );
    ran.assert(Evidence, Error, Some("malformed-field"));
    assert_eq!(ran.report().targets[1].verdict, Verdict::Pass);
}

/// Who is accused follows who was asked: what the API may have changed is not the host's fault, live and in replay.
#[test]
fn what_phalas_api_may_have_changed_accuses_nobody_else() {
    for (lie, check, reason) in [
        (Lie::BrokenSignature, QuoteSignature, "not-verified"),
        (Lie::TrailingBytes, QuoteSignature, "trailing-bytes"),
        (Lie::ForgedEventLog, EventLog, "digest-mismatch"),
        (Lie::DeletedEvent, EventLog, "rtmr-mismatch"),
    ] {
        let mut damaged = instance(1);
        lie.apply(&mut damaged);
        let (deployment, api) = cloud(InstanceShape::New, &[Some(damaged)]);
        let bundle = deployment.path("bundle.json");
        let (evidence, unchecked) = (format!("--evidence={bundle}"), "--freshness=unchecked");
        let live = verify(
            &deployment,
            "phala-cloud",
            &[&app_id(), &api, unchecked, &evidence],
        );
        let root = format!("--insecure-trust-root={}", deployment.path("root.pem"));
        let replayed = run(&["replay", &bundle, "--format=json", &root, unchecked]);
        for ran in [live, replayed] {
            ran.assert(check, Error, Some(reason));
            let found = ran.check(check);
            assert!(found.detail.contains("Phala Cloud's API"), "{}", found.detail);
            assert!(found.fix.unwrap_or_default().contains("--source app"));
            assert_eq!(ran.code, 3, "{ran:#?}");
        }
    }
    // What the machine signed is the host's, whoever hands it over.
    let mut debuggable = instance(1);
    Lie::DebugTd.apply(&mut debuggable);
    let (deployment, api) = cloud(InstanceShape::New, &[Some(debuggable)]);
    let ran = verify(&deployment, "phala-cloud", &[&app_id(), &api]);
    ran.assert(QuoteSignature, Fail, Some("attributes-refused"));
}

#[test]
fn an_instance_of_another_app_fails_app_id() {
    let mut other = instance(1);
    other.app_id = Some(vec![0xee; 20]);
    let (deployment, api) = cloud(InstanceShape::New, &[Some(other)]);
    let ran = verify(&deployment, "phala-cloud", &[&app_id(), &api]);
    assert_eq!(ran.code, 1);
    ran.assert(AppId, Fail, Some("address-mismatch"));
}

#[test]
fn stopped_instances_are_named_and_none_running_is_no_evidence() {
    let (deployment, api) = cloud(InstanceShape::New, &[None, Some(instance(2)), None]);
    let ran = verify(&deployment, "phala-cloud", &[&app_id(), &api]);
    assert_eq!(ran.report().targets.len(), 1);
    assert!(
        ran.report().targets[0]
            .name
            .ends_with(&format!(" instance {}", hex::encode([2; 20]))),
        "named by the id that it proves"
    );
    ran.assert_stderr("shows no quote of 2");
    let listed = ran.report().targets[0].instances.expect("the list");
    assert_eq!((listed.listed, listed.stopped, listed.running), (3, 2, 1));
    for format in ["text", "markdown"] {
        let args = deployment.network_args(&[
            "verify",
            &app_id(),
            "--source=phala-cloud",
            &api,
            &format!("--format={format}"),
        ]);
        let shown = run(&args).stdout;
        let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            shown.contains(
                "1 of 3 run, by Phala Cloud's list; 2 are stopped, and nothing was verified about those"
            ),
            "{shown}"
        );
    }
    for instances in [&[None, None][..], &[]] {
        let (deployment, api) = cloud(InstanceShape::New, instances);
        let ran = verify(
            &deployment,
            "phala-cloud",
            &[&app_id(), &api, "--freshness=unchecked"],
        );
        assert_eq!(ran.code, 3);
        ran.assert(Evidence, Error, Some("no-quote"));
        assert!(ran.check(Evidence).detail.starts_with("No instance of the app "));
    }
}

/// Stopped instances are reported and fail nothing, unless the policy says how many must run.
#[test]
fn fewer_instances_than_the_policy_asks_for_are_a_fail_of_the_app() {
    let three = [Some(instance(1)), None, Some(instance(2))];
    let twice = [Some(instance(1)), Some(instance(1)), None];
    for (instances, minimum, running) in [(&three[..], "3", 2), (&twice, "2", 1), (&[None, None], "1", 0)] {
        let (deployment, api) = cloud(InstanceShape::New, instances);
        let minimum = format!("--instances={minimum}");
        let more = [&app_id(), &api, "--freshness=unchecked", &minimum];
        let ran = verify(&deployment, "phala-cloud", &more);
        assert_eq!(ran.code, 1, "{ran:#?}");
        let report = ran.report();
        let (whole, shown) = report.targets.split_last().unwrap();
        assert_eq!(whole.name, format!("phala-cloud/{}", app_id()));
        let check = whole.check(Evidence).unwrap();
        assert_eq!(
            (check.status, check.reason.as_deref()),
            (Fail, Some("too-few-instances"))
        );
        assert!(
            check.detail.contains(&format!("of which {running} run")),
            "{}",
            check.detail
        );
        let counts_once = check
            .detail
            .contains("1 entry of the list shows an instance that another entry shows");
        assert_eq!(counts_once, running == 1, "{}", check.detail);
        assert_eq!(shown.len(), instances.iter().flatten().count());
        assert!(shown.iter().all(|target| target.verdict == Verdict::Pass));
    }
    let (deployment, api) = cloud(InstanceShape::New, &three);
    let enough = [&app_id(), &api, "--freshness=unchecked", "--instances=2"];
    assert_eq!(verify(&deployment, "phala-cloud", &enough).code, 0);
    for wrong in ["0", "-1", "x"] {
        let wrong = format!("--instances={wrong}");
        assert_eq!(
            verify(&deployment, "phala-cloud", &[&app_id(), &api, &wrong]).code,
            2
        );
    }
}

#[test]
fn one_instance_that_is_shown_twice_does_not_stand_for_two() {
    let mut nameless = healthy();
    nameless.instance_id = Vec::new();
    let mut restarted = instance(2);
    restarted.app_events = vec![("restarted".to_owned(), vec![1])];
    for (instances, numbers, mark) in [
        (
            vec![Some(instance(1)), None, Some(instance(1))],
            "Entries 1 and 3 of",
            "instance id 0101",
        ),
        // Two quotes of one instance.
        (
            vec![Some(instance(1)), Some(instance(2)), Some(restarted)],
            "Entries 2 and 3 of",
            "instance id 0202",
        ),
        (
            vec![Some(nameless.clone()), Some(nameless.clone())],
            "Entries 1 and 2 of",
            "its signed quote",
        ),
    ] {
        let running = instances.iter().flatten().count();
        let (deployment, api) = cloud(InstanceShape::New, &instances);
        let ran = verify(
            &deployment,
            "phala-cloud",
            &[&app_id(), &api, "--freshness=unchecked"],
        );
        assert_eq!(ran.code, 3, "{ran:#?}");
        let report = ran.report();
        let (missing, shown) = report.targets.split_last().unwrap();
        assert_eq!(shown.len(), running);
        assert!(shown.iter().all(|target| target.verdict == Verdict::Pass));
        assert_eq!(missing.name, format!("phala-cloud/{}", app_id()));
        let check = missing.check(Evidence).unwrap();
        assert_eq!((check.status, check.reason.as_deref()), (Error, Some("no-quote")));
        let fix = check.fix.as_deref().unwrap_or_default();
        assert!(
            fix.starts_with("Run again: ") && !fix.contains("Start the instances"),
            "{fix}"
        );
        assert!(
            check.detail.starts_with(numbers) && check.detail.contains(mark),
            "{}",
            check.detail
        );
    }
    // One that lies is told, whatever stands beside it.
    let mut liar = instance(1);
    Lie::SwappedImage.apply(&mut liar);
    let (deployment, api) = cloud(InstanceShape::New, &[Some(instance(1)), Some(liar)]);
    let ran = verify(
        &deployment,
        "phala-cloud",
        &[&app_id(), &api, "--freshness=unchecked"],
    );
    assert_eq!((ran.code, ran.report().targets.len()), (1, 3), "{ran:#?}");
    assert_eq!(ran.report().targets[1].verdict, Verdict::Fail);
}

/// Phala's API answers for every app: a statement is about the app and the instance that were measured. It speaks for the app, so
/// that one instance which does not pass leaves none.
#[test]
fn a_statement_about_an_app_of_a_list_names_it_and_needs_every_instance() {
    let statements = |instances: &[Option<Cvm>]| {
        let (deployment, api) = cloud(InstanceShape::New, instances);
        let out = deployment.path("out");
        let folder = format!("--output-dir={out}");
        let ran = verify(
            &deployment,
            "phala-cloud",
            &[&app_id(), &api, "--freshness=unchecked", &folder],
        );
        let mut resources = Vec::new();
        for entry in std::fs::read_dir(&out).unwrap() {
            let path = entry.unwrap().path();
            if path.to_string_lossy().ends_with("statement.json") {
                let text = std::fs::read(&path).unwrap();
                let statement: serde_json::Value = serde_json::from_slice(&text).unwrap();
                resources.push(statement["predicate"]["resourceUri"].as_str().unwrap().to_owned());
            }
        }
        resources.sort();
        (ran, resources)
    };
    let (ran, resources) = statements(&[Some(instance(1)), Some(instance(2))]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    let urn = |number: u8| {
        format!(
            "urn:dstack:app:{}:instance:{}",
            app_id(),
            hex::encode([number; 20])
        )
    };
    assert_eq!(resources, [urn(1), urn(2)]);
    let mut bad = instance(2);
    Lie::ForgedEventLog.apply(&mut bad);
    let (ran, resources) = statements(&[Some(instance(1)), Some(bad)]);
    assert_eq!(ran.code, 3, "{ran:#?}");
    assert_eq!(ran.report().targets[0].verdict, Verdict::Pass);
    assert_eq!(resources, Vec::<String>::new());
}

#[test]
fn two_instances_without_an_id_are_two_where_their_quotes_differ() {
    let nameless = |number| {
        let mut cvm = healthy();
        cvm.instance_id = Vec::new();
        cvm.app_events = vec![("number".to_owned(), vec![number])];
        cvm
    };
    let (deployment, api) = cloud(InstanceShape::New, &[Some(nameless(1)), Some(nameless(2))]);
    let ran = verify(
        &deployment,
        "phala-cloud",
        &[&app_id(), &api, "--freshness=unchecked"],
    );
    assert_eq!((ran.code, ran.report().targets.len()), (0, 2), "{ran:#?}");
    // Of one VM two quotes differ, too: a demand for two is not met by that.
    let ran = verify(
        &deployment,
        "phala-cloud",
        &[&app_id(), &api, "--freshness=unchecked", "--instances=2"],
    );
    assert_eq!(ran.code, 3, "{ran:#?}");
    let report = ran.report();
    let check = report.targets.last().unwrap().check(Evidence).unwrap();
    assert_eq!(
        (check.status, check.reason.as_deref()),
        (Error, Some("unnamed-instances"))
    );
    let one = [&app_id(), &api, "--freshness=unchecked", "--instances=1"];
    assert_eq!(verify(&deployment, "phala-cloud", &one).code, 0);
}

#[test]
fn an_app_that_phala_does_not_know_is_an_error() {
    let deployment = Deployment::healthy();
    deployment.app.behave(AppEndpoint::Other, Behaviour::Status(500));
    let api = format!("--phala-api-url={}", deployment.app.url());
    let ran = verify(&deployment, "phala-cloud", &[&app_id(), &api]);
    assert_eq!(ran.code, 3);
    ran.assert(Evidence, Error, Some("http-status"));
    ran.assert_detail(Evidence, "does not know the app");
    assert_eq!(
        deployment.app.requests().len(),
        1,
        "asked once: it will not know it in a second"
    );
}

#[test]
fn an_answer_about_another_app_accuses_nobody() {
    let deployment = Deployment::healthy();
    let answer = phala_cloud::answer(&[0xee; 20], InstanceShape::New, &[Some(healthy())]);
    let path = phala_cloud::path(&healthy().app_id_bytes());
    deployment.app.serve_file(&path, JSON, answer);
    let api = format!("--phala-api-url={}", deployment.app.url());
    let ran = verify(&deployment, "phala-cloud", &[&app_id(), &api]);
    assert_eq!(ran.code, 3);
    ran.assert(Evidence, Error, Some("other-type"));
}

#[test]
fn the_bundles_of_instances_replay_to_the_same_results() {
    let mut liar = instance(2);
    Lie::SwappedImage.apply(&mut liar);
    let (deployment, api) = cloud(InstanceShape::New, &[Some(instance(1)), Some(liar)]);
    let bundle = deployment.path("bundle.json");
    // The id among the expectations is enough to reach the app.
    let id = format!("--app-id=0x{}", app_id().to_uppercase());
    let ran = verify(&deployment, "phala-cloud", &[&id, &api, "--evidence", &bundle]);
    for (number, live) in (1..).zip(&ran.report().targets) {
        let path = deployment.path(&format!("bundle-instance-{number}.json"));
        assert_eq!(live.evidence.bundle.as_deref(), Some(path.as_str()));
        let again = replay(&deployment, &path, &[&id]).report().targets[0].clone();
        assert_eq!(found(again.checks.clone()), found(live.checks.clone()));
        assert_eq!(again.measurements, live.measurements);
        assert_eq!((again.verdict, &again.url), (live.verdict, &live.url));
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(r#""kind": "phala-cloud""#));
    }
    assert_eq!(ran.code, 1);
    // How many there are is known once they answer.
    let second = deployment.path("bundle-instance-2.json");
    std::fs::write(&second, "KEEP ME").unwrap();
    let ran = verify(&deployment, "phala-cloud", &[&id, &api, "--evidence", &bundle]);
    assert_eq!(ran.code, 1);
    ran.assert_stderr("bundle-instance-2.json: exists and is not a file that cvm-verify wrote");
    assert_eq!(std::fs::read_to_string(&second).unwrap(), "KEEP ME");
}

#[test]
fn a_lock_is_pinned_from_one_instance_and_not_from_several() {
    let pin = |instances: &[Option<Cvm>]| {
        let (deployment, api) = cloud(InstanceShape::New, instances);
        let mut args = deployment.network_args(&["pin", &app_id(), "--source=phala-cloud", &api]);
        args.extend(["--accept-observed".to_owned(), "--output=-".to_owned()]);
        run(&args)
    };
    let one = pin(&[Some(instance(1))]);
    assert_eq!(one.code, 0, "{one:#?}");
    assert!(one.stdout.contains(&app_id()));
    pin(&[Some(instance(1)), Some(instance(2))]).assert_usage_error("2 instances of this app run");
}

#[test]
fn inspect_shows_every_instance() {
    let (deployment, api) = cloud(InstanceShape::New, &[Some(instance(1)), None, Some(instance(3))]);
    let mut args = vec![
        "inspect".to_owned(),
        app_id(),
        "--source=phala-cloud".to_owned(),
        api,
        "--allow-private-network".to_owned(),
    ];
    args.push(format!("--pccs-url={}", deployment.pccs.url()));
    let ran = run(&args);
    assert_eq!(ran.code, 0, "{ran:#?}");
    for heading in ["INSTANCE 1 of", "INSTANCE 3 of"] {
        assert!(ran.stdout.contains(heading), "{heading}");
    }
}

/// With the defaults of the file alone, less would be expected of an app than the file says.
#[test]
fn the_id_of_a_target_of_the_file_is_that_target() {
    let (deployment, api) = cloud(InstanceShape::New, &[Some(healthy())]);
    let id = app_id();
    let target = |name: &str| {
        format!(
            "[[target]]\nname = \"{name}\"\nsource = \"phala-cloud\"\napp-id = \"{id}\"\ngpu = \"required\"\n"
        )
    };
    let path = deployment.path("cvm-verify.toml");
    let typed = |ids: &[&str], text: &str| {
        std::fs::write(&path, text).unwrap();
        let mut args = vec![
            "verify".to_owned(),
            format!("--config={path}"),
            "--format=json".to_owned(),
        ];
        args.extend(ids.iter().map(|id| (*id).to_owned()).chain([api.clone()]));
        args.extend(deployment.network());
        run(&args)
    };
    let name = |ran: &Ran| ran.report().targets[0].name.to_string();
    for typed_id in [id.clone(), format!("app_{id}"), id.to_uppercase()] {
        let ran = typed(&[&typed_id], &target("shop"));
        assert!(name(&ran).starts_with("shop"), "{typed_id}: {}", name(&ran));
        assert_eq!(ran.code, 1, "{ran:#?}");
        ran.assert(Gpu, Fail, Some("gpu-unverified"));
    }
    let two = [target("shop"), target("again")].concat();
    typed(&[&id], &two).assert_usage_error("several targets at this address, \"shop\" and \"again\"");
    assert!(name(&typed(&[&id, "--target=again"], &two)).starts_with("again"));
    // What an option expects is not where a target of the file is.
    let other = target("other").replace(&id, &"ab".repeat(20));
    let ran = typed(&[&id, &format!("--app-id={id}"), "--source=phala-cloud"], &other);
    assert!(name(&ran).starts_with("phala-cloud/"), "{}", name(&ran));
    // One of an instance is found by the app, too.
    let of_instance = format!("{}instance-id = [\"{}\"]\n", target("shop"), "01".repeat(20));
    assert!(name(&typed(&[&id], &of_instance)).starts_with("shop"));
}
