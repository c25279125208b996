//! What `watch` tells, and when.

use super::*;

#[test]
fn an_unreachable_target_is_told_after_three_rounds_and_not_before() {
    let deployment = Deployment::healthy();
    let hook = hook();
    let url = format!("{}/hook", hook.url());
    deployment
        .app
        .behave(AppEndpoint::Attestation, Behaviour::Status(404));
    let watching = Watching::new(&args(&deployment, &[]), &[("CVM_VERIFY_WEBHOOK_URL", &url)]);
    // It has no memory of this target yet: the first failure of all is told whatever it is.
    watching.said("webhook delivered, event inconclusive", 1);
    deployment.app.behave(AppEndpoint::Attestation, Behaviour::Normal);
    watching.said("webhook delivered, event recovered", 1);
    deployment
        .app
        .behave_next(AppEndpoint::Attestation, 2, Behaviour::Status(404));
    let before = watching.said(": INCONCLUSIVE", 3).matches(": PASS").count();
    watching.said(": PASS", before + 2);
    assert_eq!(
        events(&hook),
        ["inconclusive", "recovered"],
        "two rounds are not told"
    );
    deployment
        .app
        .behave(AppEndpoint::Attestation, Behaviour::Status(404));
    watching.said("webhook delivered, event inconclusive", 2);
    assert_eq!(watching.stopped().code, 0);
    assert_eq!(events(&hook), ["inconclusive", "recovered", "inconclusive"]);
}

#[test]
fn a_dead_webhook_holds_up_no_round_and_what_it_missed_is_told_when_it_is_back() {
    let deployment = Deployment::healthy();
    deployment.app.change(|cvm| Lie::SwappedImage.apply(cvm));
    let hook = hook();
    let url = format!("{}/hook", hook.url());
    hook.behave(AppEndpoint::Other, Behaviour::Status(500));
    let watching = Watching::new(&args(&deployment, &[]), &[("CVM_VERIFY_WEBHOOK_URL", &url)]);
    watching.said("webhook NOT DELIVERED, event failed", 1);
    watching.said(": FAIL", 10);
    deployment.app.replace(Cvm::healthy(&World::default()));
    watching.said(": PASS", 2);
    hook.forget_requests();
    hook.behave(AppEndpoint::Other, Behaviour::Status(200));
    watching.said("webhook delivered, event recovered", 1);
    assert_eq!(watching.stopped().code, 0);
    let told = events(&hook);
    assert_eq!(told[told.len() - 2..], ["failed", "recovered"], "{told:?}");
}

#[test]
fn what_no_channel_took_is_told_before_the_next_round() {
    let deployment = Deployment::healthy();
    deployment.app.change(|cvm| Lie::SwappedImage.apply(cvm));
    let hook = hook();
    let url = format!("{}/hook", hook.url());
    hook.behave(AppEndpoint::Other, Behaviour::Status(404));
    let args = deployment.strict_args(&[&deployment.app.url(), "--interval=1d", "--no-cache"]);
    let watching = Watching::new(&args, &[("CVM_VERIFY_WEBHOOK_URL", &url)]);
    watching.said("webhook NOT DELIVERED, event failed", 2);
    hook.behave(AppEndpoint::Other, Behaviour::Status(200));
    let log = watching.said("webhook delivered, event failed", 1);
    assert_eq!(log.matches(": FAIL").count(), 1, "{log}");
    assert_eq!(watching.stopped().code, 0);
}

#[test]
fn the_heartbeat_hears_of_a_round_over_all_targets_and_of_no_simulated_pass() {
    let deployment = Deployment::healthy();
    let heart = hook();
    let url = format!("{}/ping", heart.url());
    let watching = Watching::new(&args(&deployment, &[]), &[("CVM_VERIFY_HEARTBEAT_URL", &url)]);
    watching.said(": PASS", 3);
    assert!(heart.requests().is_empty(), "a simulated pass");
    deployment.app.change(|cvm| Lie::SwappedImage.apply(cvm));
    watching.said("heartbeat delivered, event failed", 1);
    assert_eq!(watching.stopped().code, 0);
    assert!(
        heart
            .requests()
            .iter()
            .all(|request| request.path() == "/ping/fail")
    );
}

/// As for `verify`: the outage is told under the app's own name, its instances pass under theirs.
#[test]
fn an_outage_of_phala_clouds_list_ends_when_every_instance_passes() {
    use simulator::phala_cloud::{InstanceShape, answer, path};

    let deployment = Deployment::healthy();
    let cvm = Cvm::healthy(&World::default());
    let (id, hook) = (cvm.app_id_bytes(), hook());
    let url = format!("{}/hook", hook.url());
    let list = |instances: &[Option<Cvm>]| {
        let list = answer(&id, InstanceShape::New, instances);
        deployment.app.serve_file(&path(&id), "application/json", list);
    };
    list(&[]);
    let arguments = deployment.strict_args(&[
        &hex::encode(&id),
        "--source=phala-cloud",
        &format!("--phala-api-url={}", deployment.app.url()),
        "--freshness=unchecked",
        "--interval=10s",
        "--no-cache",
    ]);
    let watching = Watching::new(&arguments, &[("CVM_VERIFY_WEBHOOK_URL", &url)]);
    watching.said("webhook delivered, event inconclusive", 1);
    list(&[Some(cvm.clone())]);
    watching.said("webhook delivered, event recovered", 1);
    // One instance in the place of two is no pass of the app.
    list(&[Some(cvm.clone()), Some(cvm.clone())]);
    let log = watching.said("webhook delivered, event inconclusive", 2);
    assert!(log.contains(": INCONCLUSIVE"), "{log}");
    assert!(log.contains("show the same instance"), "{log}");
    assert_eq!(watching.stopped().code, 0);
    assert_eq!(events(&hook), ["inconclusive", "recovered", "inconclusive"]);
}

#[test]
fn an_offered_ownership_and_an_upgrade_of_a_contract_are_told() {
    let governed = Governed::pinned();
    let app = app_id();
    let hook = hook();
    let url = format!("{}/hook", hook.url());
    let lock = format!("lock = \"{}\"", governed.lock());
    let args = governed.deployment.network_args(&[
        &format!("--config={}", governed.config(&[lock])),
        "--interval=10s",
        "--no-cache",
    ]);
    let nodes = governed.rpc_variable("/v2/hunter2hunter2");
    let env = [
        ("CVM_VERIFY_WEBHOOK_URL", url.as_str()),
        ("CVM_VERIFY_RPC_URL", nodes.as_str()),
    ];
    let watching = Watching::new(&args, &env);
    watching.said(": PASS", 2);
    governed.both(|chain| chain.answer(app, "e30c3978", simulator::word_of(&[0x66; 20])));
    watching.said("webhook delivered, event failed", 1);
    // A second round with the same offer, of which nothing is told again.
    watching.said(": FAIL", 2);
    governed.both(|chain| chain.answer(app, "e30c3978", [0; 32]));
    watching.said("webhook delivered, event recovered", 1);
    governed.both(|chain| {
        chain.code.insert([0x99; 20], b"other code".to_vec());
        chain.implement(app, [0x99; 20]);
    });
    watching.said("webhook delivered, event failed", 2);
    watching.said(": FAIL", 4);
    // The upgrade is taken back.
    governed.both(|chain| chain.implement(app, [0x1a; 20]));
    watching.said("webhook delivered, event recovered", 2);
    let ran = watching.stopped();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(events(&hook), ["failed", "recovered", "failed", "recovered"]);
    let told: Vec<serde_json::Value> = hook
        .requests()
        .iter()
        .map(|request| serde_json::from_slice(&request.body).unwrap())
        .collect();
    let reason = |told: &serde_json::Value| {
        let failed = &told["failed"][0];
        assert_eq!(failed["id"], "governance", "{told:#}");
        failed["reason"].as_str().unwrap().to_owned()
    };
    assert_eq!(reason(&told[0]), "owner-pending");
    assert!(told[0].to_string().contains(&"66".repeat(20)), "{:#}", told[0]);
    assert_eq!(reason(&told[2]), "implementation-changed");
    assert!(
        !format!("{ran:?}{told:?}").contains("hunter2"),
        "the key of a node is shown"
    );
}

/// A service that is started again and again, every half a minute: one message, and one when it runs.
#[test]
fn a_start_that_fails_is_told_once_and_so_is_its_end() {
    let deployment = Deployment::healthy();
    let hook = hook();
    let url = format!("{}/hook", hook.url());
    let env = [("CVM_VERIFY_WEBHOOK_URL", url.as_str())];
    let state = format!("--state={}", deployment.path("state.json"));
    let all = args(&deployment, &[&state]);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = format!("--listen={}", taken.local_addr().unwrap());
    for wrong in [&listen, &listen, "--lock=gone.lock"] {
        let start = ["watch"].into_iter().chain(all.iter().map(String::as_str));
        let start: Vec<&str> = start.chain([wrong]).collect();
        assert_eq!(run_in(&start, &env, |_| {}).code, 2);
    }
    assert_eq!(events(&hook), ["inconclusive", "changed"]);
    let watching = Watching::new(&all, &env);
    watching.said("alert: webhook delivered, event recovered: watch: accepted", 1);
    // A second one that would take the state of the first does not run, and need not.
    let start: Vec<&str> = ["watch"]
        .into_iter()
        .chain(all.iter().map(String::as_str))
        .collect();
    assert_eq!(run_in(&start, &env, |_| {}).code, 2);
    assert_eq!(watching.stopped().code, 0);
    assert_eq!(events(&hook), ["inconclusive", "changed", "recovered"]);
}

/// PagerDuty has one incident for all machines with the same arguments. One that stores state knows that it opened none.
#[test]
fn a_start_resolves_an_incident_only_where_no_state_could_know_of_it() {
    let deployment = Deployment::healthy();
    let state = format!("--state={}", deployment.path("state.json"));
    for (more, resolved) in [(&[state.as_str()][..], 0), (&[], 2)] {
        let pager = hook();
        pager.behave(AppEndpoint::Other, Behaviour::Status(202));
        let url = format!("{}/v2/enqueue", pager.url());
        let env = [
            (
                "CVM_VERIFY_PAGERDUTY_ROUTING_KEY",
                "0123456789abcdef0123456789abcdef",
            ),
            ("CVM_VERIFY_PAGERDUTY_URL", url.as_str()),
        ];
        let watching = Watching::new(&args(&deployment, more), &env);
        watching.said(": PASS", 2);
        assert_eq!(watching.stopped().code, 0);
        let requests = pager.requests();
        let is_resolve = |request: &&simulator::Request| {
            let event: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
            event["event_action"] == "resolve"
        };
        assert_eq!(requests.iter().filter(is_resolve).count(), resolved);
        assert_eq!(requests.len(), resolved);
    }
}
