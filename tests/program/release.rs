//! A release given by its docker compose file, two releases at a time, and the hashes of a document.

use cvm_verify_core::report::CheckId::ComposeHash;
use cvm_verify_core::report::Status::{Error, Fail, Pass};
use sha2::{Digest as _, Sha256};
use simulator::app_compose::{DOCKER_COMPOSE, SWAPPED_DOCKER_COMPOSE, app_compose};
use simulator::{Cvm, World};

use super::deployment::Deployment;
use super::run::{Ran, run};
use simulator::recorded;

/// A deployment of this docker compose file, with a lock of the healthy one, whose document has the simulator's own
/// pre-launch script.
fn locked(docker_compose: &str) -> Deployment {
    let deployment = Deployment::healthy();
    assert_eq!(deployment.pin(&["--accept-observed"]).code, 0);
    let app_id = Cvm::healthy(&World::default()).app_id_bytes();
    deployment.app.change(|cvm| {
        cvm.app_id = Some(app_id.clone());
        cvm.app_compose = app_compose(docker_compose);
    });
    write(&deployment, "docker-compose.yml", DOCKER_COMPOSE);
    deployment
}

fn write(deployment: &Deployment, name: &str, text: &str) {
    std::fs::write(deployment.path(name), text).unwrap();
}

fn verify(deployment: &Deployment, more: &[String]) -> Ran {
    let more: Vec<&str> = more.iter().map(String::as_str).collect();
    deployment.verify_with(&[format!("--lock={}", deployment.path("cvm.lock"))], &more)
}

fn given(deployment: &Deployment) -> String {
    format!("--docker-compose={}", deployment.path("docker-compose.yml"))
}

#[test]
fn a_release_that_gives_its_docker_compose_file_keeps_everything_else_of_the_lock() {
    let released = DOCKER_COMPOSE.replace("services:", "services: # 2.0");
    let deployment = locked(&released);
    verify(&deployment, &[]).assert(ComposeHash, Fail, Some("compose-hash-mismatch"));
    let ran = verify(&deployment, &[given(&deployment)]);
    ran.assert(ComposeHash, Fail, Some("docker-compose-mismatch"));
    assert!(
        ran.report().targets[0]
            .compose_diff
            .contains(&"+services: # 2.0".to_owned())
    );
    write(&deployment, "docker-compose.yml", &released);
    let ran = verify(&deployment, &[given(&deployment)]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert(ComposeHash, Pass, None);
    // Without the lock nothing pins the pre-launch script.
    let ran = deployment.verify_with(&[], &[&given(&deployment), "--os-image=unchecked"]);
    ran.assert(ComposeHash, Error, Some("compose-settings-unpinned"));
    assert_eq!(ran.code, 3);
}

#[test]
fn a_new_variable_beside_the_docker_compose_file_is_named_with_the_command_that_accepts_it() {
    let released = DOCKER_COMPOSE.replace("services:", "services: # 2.0");
    let deployment = locked(&released);
    write(&deployment, "docker-compose.yml", &released);
    deployment.app.change(|cvm| {
        cvm.app_compose = cvm
            .app_compose
            .replace(r#"["API_KEY"]"#, r#"["API_KEY","DATABASE_URL"]"#);
    });
    let ran = verify(&deployment, &[given(&deployment)]);
    ran.assert(ComposeHash, Fail, Some("compose-settings-mismatch"));
    let check = ran.check(ComposeHash);
    let says = "`allowed_envs` (`DATABASE_URL` was added)";
    assert!(check.detail.contains(says), "{}", check.detail);
    let (fix, url) = (check.fix.unwrap_or_default(), deployment.app.url());
    let url = url.as_str().trim_end_matches('/');
    for command in [
        format!("`cvm-verify pin {url}"),
        format!("`cvm-verify diff {}", deployment.path("cvm.lock")),
    ] {
        assert!(fix.contains(&command), "{command}: {fix}");
    }
}

#[test]
fn a_policy_file_gives_the_docker_compose_file_relative_to_itself() {
    let released = DOCKER_COMPOSE.replace("services:", "services: # 2.0");
    let deployment = locked(&released);
    let zeros = "00".repeat(32);
    // The target's docker compose file replaces the hash of the defaults, as it names the release too.
    let text = format!(
        "[defaults]\nlock = \"cvm.lock\"\ncompose-hash = \"{zeros}\"\n\
         [[target]]\nname = \"shop\"\nurl = \"{}\"\ndocker-compose = \"docker-compose.yml\"\n",
        deployment.app.url()
    );
    write(&deployment, "cvm-verify.toml", &text);
    let config = format!("--config={}", deployment.path("cvm-verify.toml"));
    let verify =
        |more: &[&str]| run(&deployment.network_args_with(&["verify", "--format=json", &config], more));
    verify(&[]).assert(ComposeHash, Fail, Some("docker-compose-mismatch"));
    write(&deployment, "docker-compose.yml", &released);
    let ran = verify(&[]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert(ComposeHash, Pass, None);
    verify(&["--compose-hash", &zeros]).assert(ComposeHash, Fail, Some("compose-hash-mismatch"));
    write(
        &deployment,
        "cvm-verify.toml",
        &format!("{text}also-compose-hash = \"{zeros}:until=2099-01-01\"\n"),
    );
    verify(&[]).assert_usage_error(
        "cvm-verify.toml:8:21: `also-compose-hash`: the second compose hash ends more than 90 days",
    );
}

#[test]
fn every_format_shows_what_differs() {
    let deployment = locked(SWAPPED_DOCKER_COMPOSE);
    let diff = "image: ghcr.io/example/web@sha256:0bad";
    let summary = deployment.path("summary.md");
    let junit = deployment.path("junit.xml");
    let ran = verify(
        &deployment,
        &[
            given(&deployment),
            format!("--summary={summary}"),
            format!("--junit={junit}"),
        ],
    );
    ran.assert(ComposeHash, Fail, Some("docker-compose-mismatch"));
    for file in [summary, junit] {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(
            text.replace("<wbr>", "").replace("&#58;", ":").contains(diff),
            "{file}: {text}"
        );
    }
}

#[test]
fn a_file_that_cannot_be_a_docker_compose_file_is_a_usage_error() {
    let deployment = locked(DOCKER_COMPOSE);
    for (name, text, says) in [
        ("empty.yml", &b""[..], "is empty"),
        ("binary.yml", &b"\xff\xfe"[..], "is not UTF-8 text"),
        ("large.yml", &vec![b'#'; 4 * 1024 * 1024 + 1], "is larger than"),
        (
            "document.json",
            app_compose(DOCKER_COMPOSE).as_bytes(),
            "give it with --app-compose-file",
        ),
        ("Dockerfile", b"FROM services\n", "it has no `services`"),
    ] {
        std::fs::write(deployment.path(name), text).unwrap();
        let option = format!("--docker-compose={}", deployment.path(name));
        verify(&deployment, &[option]).assert_usage_error(says);
    }
    let bundle = "fixtures/simulated/healthy.evidence.json".to_owned();
    for path in [deployment.path("cvm.lock"), deployment.path("root.pem"), bundle] {
        let option = format!("--docker-compose={path}");
        verify(&deployment, &[option]).assert_usage_error("it has no `services`");
    }
    verify(&deployment, &["--docker-compose=/".to_owned()]).assert_usage_error("is a folder");
    verify(&deployment, &["--docker-compose=/nowhere.yml".to_owned()]).assert_usage_error("cannot be read");
    write(
        &deployment,
        "app-compose.json",
        &app_compose(SWAPPED_DOCKER_COMPOSE),
    );
    let document = format!("--app-compose-file={}", deployment.path("app-compose.json"));
    verify(&deployment, &[given(&deployment), document])
        .assert_usage_error("`app-compose-file` contradicts it");
}

#[test]
fn during_a_roll_out_two_hashes_are_expected() {
    let deployment = locked(SWAPPED_DOCKER_COMPOSE);
    let new = deployment.verify_with(&[], &[]).report().targets[0]
        .measurements
        .compose_hash
        .clone()
        .unwrap();
    let also = |text: &str| format!("--also-compose-hash={text}");
    let today = cvm_verify_core::report::rfc3339(simulator::DEFAULT_NOW);
    let today = &today[..10];
    let ran = verify(&deployment, &[also(&format!("{new}:until={today}"))]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert_detail(ComposeHash, "the second one");
    verify(&deployment, &[also(&format!("{new}:until=2020-01-01"))]).assert(
        ComposeHash,
        Fail,
        Some("second-hash-ended"),
    );
    for (text, says) in [
        (format!("{new}:until=2999-01-01"), "more than 90 days ahead"),
        (new.to_string(), "is not of the form"),
        ("00:until=2026-01-01".to_owned(), "the hash"),
    ] {
        verify(&deployment, &[also(&text)]).assert_usage_error(says);
    }
    let second = also(&format!("{new}:until={today}"));
    deployment
        .verify_with(&[], &[&second])
        .assert_usage_error("there is no first");
    // At its end the lock is taken of the second release, while the option still names it.
    let lock = format!("schema = \"cvm-verify/lock/v1\"\ncompose_hash = \"{new}\"\n");
    std::fs::write(deployment.path("second.lock"), lock).unwrap();
    let of_second = format!("--lock={}", deployment.path("second.lock"));
    let ran = deployment.verify_with(&[], &[&second, &of_second]);
    ran.assert(ComposeHash, Pass, None);
    assert!(
        ran.stderr
            .contains("--also-compose-hash: `also-compose-hash` adds nothing: ")
            && ran.stderr.contains("second.lock"),
        "{}",
        ran.stderr
    );
    verify(&deployment, &[second, format!("--compose-hash={new}")]).assert_usage_error("expects already");
}

fn hashes(file: &str) -> Ran {
    run(&["compose-hash", file, "--format=json"])
}

fn hash_of(ran: &Ran, name: &str) -> String {
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let forms = document["forms"].as_array().unwrap();
    let form = forms.iter().find(|form| form["name"] == name).unwrap();
    form["compose_hash"].as_str().unwrap().to_owned()
}

#[test]
fn the_hash_of_a_document_is_the_one_that_is_measured() {
    let deployment = locked(DOCKER_COMPOSE);
    let cvm = Cvm::healthy(&World::default());
    write(&deployment, "app-compose.json", &cvm.app_compose);
    let ran = hashes(&deployment.path("app-compose.json"));
    assert_eq!(ran.code, 0, "{ran:#?}");
    for name in ["verbatim", "sdk"] {
        assert_eq!(hash_of(&ran, name), hex::encode(cvm.compose_hash()), "{name}");
    }
    // Written anew, the file is another one; Phala Cloud would write the same.
    let document: serde_json::Value = serde_json::from_str(&cvm.app_compose).unwrap();
    write(
        &deployment,
        "app-compose.json",
        &serde_json::to_string_pretty(&document).unwrap(),
    );
    let ran = hashes(&deployment.path("app-compose.json"));
    assert_ne!(hash_of(&ran, "verbatim"), hex::encode(cvm.compose_hash()));
    assert_eq!(hash_of(&ran, "sdk"), hex::encode(cvm.compose_hash()));
}

#[test]
fn the_hash_of_a_real_document_is_the_one_that_hardware_measured() {
    let Some(vectors) = recorded::folder() else { return };
    let file = vectors.join("dstack-0.4-example/app-compose.json");
    let ran = hashes(&file.display().to_string());
    assert_eq!(
        hash_of(&ran, "verbatim"),
        "06768e6df639ce3be65e9e5321f8b2d82dbffb01c74323462d34c2feb9653aff"
    );
    // Written by vmm-cli, in its own order.
    assert_eq!(
        hash_of(&ran, "sdk"),
        "9d7a518d19b5dbb5ba0f36189c76bea39ec9a66f0bfe25575205541ad39bb4c1"
    );
}

#[test]
fn what_has_no_compose_hash_is_a_usage_error() {
    let deployment = locked(DOCKER_COMPOSE);
    run(&["compose-hash", &deployment.path("docker-compose.yml")])
        .assert_usage_error("a docker compose file alone has none");
    write(
        &deployment,
        "twice.json",
        r#"{"runner":"bash","runner":"docker-compose"}"#,
    );
    run(&["compose-hash", &deployment.path("twice.json")]).assert_usage_error("write each field once");
    run(&["compose-hash", "/nowhere.json"]).assert_usage_error("cannot be read");
}

/// A person reads a document with indentation, and the SDKs deploy it without. Nobody deployed anything else.
#[test]
fn a_document_in_another_form_accuses_nobody_of_a_deployment() {
    let deployment = Deployment::healthy();
    let compose = Cvm::healthy(&World::default()).app_compose;
    let hash = hex::encode(Sha256::digest(&compose));
    let document: serde_json::Value = serde_json::from_str(&compose).unwrap();
    let file = deployment.path("app-compose.json");
    std::fs::write(&file, serde_json::to_string_pretty(&document).unwrap()).unwrap();
    let plan = run(&["plan", &format!("--app-compose-file={file}"), "--format=json"]);
    let plan: serde_json::Value = serde_json::from_str(&plan.stdout).unwrap();
    let notes = plan["notes"].as_array().unwrap().iter();
    let said = notes.filter(|note| {
        note.as_str()
            .unwrap()
            .contains(&format!("its compose hash is {hash}"))
    });
    assert_eq!(said.count(), 1, "{plan:#}");
    let verify = |more: String| {
        let mut args = deployment.network_args(&["verify", &deployment.app.url(), "--format=json"]);
        let others = deployment.expect().iter();
        args.extend(others.filter(|one| !one.starts_with("--compose-hash")).cloned());
        args.push(more);
        run(&args)
    };
    let ran = verify(format!("--app-compose-file={file}"));
    ran.assert(ComposeHash, Fail, Some("compose-hash-mismatch"));
    let check = ran.check(ComposeHash);
    let same = "The VM runs the compose document expected by --app-compose-file, in another JSON form";
    assert!(check.detail.starts_with(same), "{check:?}");
    let fix = check.fix.unwrap();
    assert!(
        fix.contains(&format!("--compose-hash {hash} instead of --app-compose-file")),
        "{fix}"
    );
    assert!(
        !fix.contains("someone else") && !fix.contains("stop sending"),
        "{fix}"
    );
    assert_eq!(verify(format!("--compose-hash={hash}")).code, 0);
    // In the form that is deployed, nothing is said.
    std::fs::write(&file, &compose).unwrap();
    let plan = run(&["plan", &format!("--app-compose-file={file}")]);
    assert!(!plan.stdout.contains("is not in the form"), "{}", plan.stdout);
}
