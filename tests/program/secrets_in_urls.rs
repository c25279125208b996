//! An address may hold a secret: a password is refused and not repeated, a query is sent and shown nowhere.

use simulator::{AppServer, Cvm, World};

use super::deployment::Deployment;
use super::run::{Ran, run, run_in};

const SECRET: &str = "hunter2hunter2";

#[track_caller]
fn assert_silent(ran: &Ran) {
    for text in [&ran.stdout, &ran.stderr] {
        assert!(!text.contains(SECRET), "{text}");
    }
}

/// Every file below a folder.
pub fn files_of(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_of(&path));
        } else {
            files.push(path);
        }
    }
    files
}

#[test]
fn a_query_reaches_the_server_and_nothing_that_is_shown_or_kept() {
    for healthy in [true, false] {
        let deployment = Deployment::healthy();
        let hook = AppServer::http(Cvm::healthy(&World::default()));
        let out = deployment.path("out");
        let url = format!("{}/?api_key={SECRET}", deployment.app.url());
        let webhook = format!("{}/hook", hook.url());
        let (summary, outputs) = (deployment.path("out-summary"), deployment.path("out-outputs"));
        std::fs::write(&summary, "").unwrap();
        std::fs::write(&outputs, "").unwrap();
        let mut args = vec![
            "verify".to_owned(),
            url,
            format!("--attestation-path=/attestation?path_key={SECRET}"),
            format!("--pccs-url={}/?pccs_key={SECRET}", deployment.pccs.url()),
            format!("--output-dir={out}"),
            format!("--state={out}-state.json"),
            "--inconclusive-after=1".to_owned(),
            "--github".to_owned(),
            "--allow-private-network".to_owned(),
            format!("--insecure-trust-root={}", deployment.path("root.pem")),
        ];
        if healthy {
            args.extend(deployment.expect().iter().cloned());
        }
        for format in ["text", "json", "markdown"] {
            let mut args = args.clone();
            args.push(format!("--format={format}"));
            let env = [
                ("CVM_VERIFY_WEBHOOK_URL", webhook.as_str()),
                ("GITHUB_STEP_SUMMARY", summary.as_str()),
                ("GITHUB_OUTPUT", outputs.as_str()),
            ];
            let ran = run_in(&args, &env, |_| {});
            assert_eq!(ran.code, if healthy { 0 } else { 3 }, "{ran:#?}");
            assert_silent(&ran);
            let shown = deployment.app.url();
            assert!(ran.stdout.contains(shown.trim_end_matches('/')), "{}", ran.stdout);
        }
        let requests = deployment.app.requests();
        let sent = |name: &str| {
            requests
                .iter()
                .any(|request| request.parameter(name).as_deref() == Some(SECRET))
        };
        assert!(sent("api_key") && sent("path_key"), "it is sent");
        let pccs = deployment.pccs.requests();
        assert!(
            pccs.iter()
                .all(|request| request.parameter("pccs_key").as_deref() == Some(SECRET))
        );
        let files = files_of(deployment.folder.path());
        assert!(
            files.iter().any(|file| file.ends_with("evidence.json")),
            "{files:?}"
        );
        for file in files {
            let text = std::fs::read(&file).unwrap();
            let found = text
                .windows(SECRET.len())
                .any(|window| window == SECRET.as_bytes());
            assert!(!found, "{}", file.display());
        }
        for request in hook.requests() {
            assert!(!String::from_utf8_lossy(&request.body).contains(SECRET));
        }
    }
}

#[test]
fn a_query_is_in_no_error_of_a_target_that_does_not_answer() {
    let deployment = Deployment::healthy();
    let url = format!("http://127.0.0.1:1/?api_key={SECRET}");
    let info = format!("--info-url=http://127.0.0.1:1/info?key={SECRET}");
    let pccs = format!("--pccs-url=http://127.0.0.1:1/?key={SECRET}");
    for args in [
        vec!["verify", &url, &info, "--allow-private-network", "--wait=1s"],
        vec!["verify", &url, "--allow-private-network", "--format=json"],
        vec!["inspect", &url, "--allow-private-network"],
        vec!["pin", &url, "--allow-private-network", "--output=-"],
        vec!["diff", &url, &url, "--allow-private-network"],
        vec!["verify", &url],
    ] {
        let ran = run(&args);
        assert_ne!(ran.code, 0, "{ran:#?}");
        assert_silent(&ran);
    }
    let shown = deployment.app.url();
    let mut args = vec!["verify".to_owned(), shown, pccs];
    args.push("--allow-private-network".to_owned());
    let ran = run(&args);
    assert_ne!(ran.code, 0);
    assert_silent(&ran);
}

#[test]
fn credentials_in_an_address_are_a_usage_error_that_repeats_nothing() {
    let url = format!("https://user:{SECRET}@app.example");
    let user = format!("https://{SECRET}@app.example");
    let bare = format!("user:{SECRET}@app.example");
    let pccs = format!("--pccs-url={url}");
    let info = format!("--info-url={url}");
    let verifier = format!("--phala-verifier-url={url}");
    let api = format!("--phala-api-url={url}");
    for args in [
        vec!["verify", &url],
        vec!["verify", &user],
        vec!["verify", &bare],
        vec!["verify", &url, "--source=guest-agent"],
        vec!["verify", &bare, "--source=guest-agent"],
        vec!["verify", &bare, "--source=phala-cloud"],
        vec!["verify", &"ab".repeat(20), "--source=phala-cloud", &api],
        vec![
            "verify",
            &"ab".repeat(20),
            "--source=guest-agent",
            "--gateway-domain",
            &bare,
        ],
        vec!["watch", &url],
        vec!["pin", &url],
        vec!["inspect", &url],
        vec!["diff", &url, &url],
        vec!["verify", "https://app.example", &pccs],
        vec!["verify", "https://app.example", &info],
        vec!["verify", "https://app.example", "--verifier=both", &verifier],
    ] {
        let ran = run(&args);
        assert_eq!(ran.code, 2, "{args:?} {ran:#?}");
        assert_silent(&ran);
    }
    run(&["verify", &url]).assert_usage_error("URL: the URL holds a user name or a password");
    run(&["verify", "https://app.example", &pccs])
        .assert_usage_error("--pccs-url: the URL holds a user name or a password");
}

#[test]
fn an_address_in_a_policy_file_is_https_and_holds_no_secret() {
    let deployment = Deployment::healthy();
    for (url, says) in [
        (
            "http://app.example".to_owned(),
            "over plain http any host on the way could answer",
        ),
        (
            format!("http://app.example?key={SECRET}"),
            "over plain http any host on the way could answer",
        ),
        (
            format!("https://user:{SECRET}@app.example"),
            "holds a name or a password",
        ),
        (format!("app.example?key={SECRET}"), "which is not a URL"),
        (format!("https://[?key={SECRET}"), "which is not a URL"),
    ] {
        let file = deployment.path("policy.toml");
        std::fs::write(&file, format!("[[target]]\nname = \"a\"\nurl = \"{url}\"\n")).unwrap();
        let ran = run(&["verify", "--config", &file]);
        ran.assert_usage_error(says);
        ran.assert_stderr("policy.toml:3:7: `url`");
        assert_silent(&ran);
    }
    run(&["verify", "http://app.example"])
        .assert_usage_error("is plain http, so that any host on the way could answer");
}

#[test]
fn what_is_wrong_with_a_proxy_or_an_endpoint_shows_no_secret() {
    let proxy = format!("--proxy=ftp://user:{SECRET}@proxy.example");
    let twice = format!("--attestation-path=/a?key={SECRET}&reportData=00");
    let fragment = format!("--attestation-path=/a?key={SECRET}#x");
    let base = format!("https://app.example/?key={SECRET}&reportData=00");
    for args in [
        vec!["verify", "https://app.example", &proxy],
        vec!["verify", "https://app.example", &twice],
        vec!["verify", "https://app.example", &fragment],
        vec!["verify", &base],
    ] {
        let ran = run(&args);
        assert_eq!(ran.code, 2, "{args:?} {ran:#?}");
        assert_silent(&ran);
    }
}

/// The address of the statements goes into the evidence.
#[test]
fn a_query_of_the_api_that_is_asked_for_statements_is_refused_and_not_repeated() {
    let deployment = Deployment::healthy();
    let ran = run(&deployment.strict_args(&[
        "verify",
        &deployment.app.url(),
        "--source-repository=example/shop",
        &format!("--source-api-url=https://mirror.example/api/v3?key={SECRET}"),
    ]));
    assert_eq!(ran.code, 2, "{ran:#?}");
    assert!(ran.stderr.contains("--source-api-url"), "{ran:#?}");
    assert_silent(&ran);
}
