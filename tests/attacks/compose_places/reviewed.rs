//! Places that somebody reviewed.

use super::*;

/// A CVM whose health check and command have a variable, judged with a lock that says this of places.
fn with_places(places: Vec<LockedPlace>) -> Judged {
    let yaml = service("command: run ${X}\nhealthcheck: { test: 'check ${X}' }");
    let mut cvm = Cvm::healthy(&World::default());
    let mut document: Value = serde_json::from_str(&app_compose(&yaml)).unwrap();
    document["pre_launch_script"] = json!("");
    document["allowed_envs"] = json!(["X"]);
    cvm.app_compose = document.to_string();
    let mut compose_settings = document.as_object().unwrap().clone();
    compose_settings.remove("docker_compose_file");
    compose_settings["pre_launch_script"] = json!(format!("sha256:{}", hex::encode(Sha256::digest(""))));
    Trial::of(cvm)
        .with(|trial| {
            trial.policy.locked_compose = Some(LockedCompose {
                compose_settings: compose_settings.into_iter().collect(),
                images: std::collections::BTreeMap::new(),
                places,
                lock: "cvm.lock".into(),
            });
        })
        .judge()
}

fn locked(path: &str, text: &str, reason: &str) -> LockedPlace {
    LockedPlace {
        path: path.to_owned(),
        sha256: Sha256::digest(text).into(),
        reason: reason.to_owned(),
        line: Some(41),
    }
}

#[test]
fn t79_a_place_counts_as_reviewed_only_with_a_reason_for_this_path_and_this_text() {
    let command = |reason: &str| locked("services.web.command", "run ${X}", reason);
    let health = |reason: &str| locked("services.web.healthcheck.test", "check ${X}", reason);
    for places in [
        vec![],
        vec![command(""), health("")],
        vec![command("read"), health(" ")],
        vec![command("read")],
        vec![
            command("read"),
            locked("services.web.healthcheck.test", "check $X", "read"),
        ],
        vec![
            command("read"),
            locked("services.web.healthcheck", "check ${X}", "read"),
        ],
    ] {
        decides(
            &with_places(places),
            "unmeasured-input",
            "services.web.healthcheck.test",
        );
    }
    let judged = with_places(vec![command("read"), health("")]);
    let detail = judged.detail(CheckId::ImagePins);
    assert!(
        detail.contains("(not reviewed: its `reason` in cvm.lock, line 41, is empty)"),
        "{detail}"
    );
    assert!(!detail.contains("services.web.command"), "{detail}");
    let judged = with_places(vec![command("X is a port"), health("the probe alone")]);
    judged
        .passes()
        .says(CheckId::ImagePins, Status::Warn, "reviewed-places");
    assert_eq!(judged.0.assurance, Assurance::Hardware, "{judged}");
    let accepted: Vec<String> = judged
        .0
        .accepted
        .iter()
        .map(|accepted| format!("{} {} {}", accepted.what, accepted.by, accepted.reason))
        .collect();
    assert_eq!(
        accepted,
        [
            "reviewed-place cvm.lock:41 services.web.command: X is a port",
            "reviewed-place cvm.lock:41 services.web.healthcheck.test: the probe alone"
        ]
    );
}
