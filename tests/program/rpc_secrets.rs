//! The URL of a node often holds a key. It is sent, and is in nothing that the program shows, keeps or tells.

use cvm_verify_core::report::CheckId::Governance;
use cvm_verify_core::report::Status::*;
use simulator::{AppEndpoint, AppServer, Behaviour, Cvm, World};

use super::governed::Governed;
use super::run::{Ran, run_in};
use super::secrets_in_urls::files_of;

/// Hexadecimal, so that a node could hide it in an answer.
const KEY: &str = "deadbeefdeadbeefcafe";

fn path() -> String {
    format!("/v2/{KEY}?apikey={KEY}")
}

#[track_caller]
fn assert_silent(ran: &Ran, what: &str) {
    for text in [&ran.stdout, &ran.stderr] {
        assert!(!text.to_lowercase().contains(KEY), "{what}: {text}");
    }
}

/// No file that was written holds it.
#[track_caller]
fn assert_nothing_kept(governed: &Governed, what: &str) {
    for file in files_of(governed.deployment.folder.path()) {
        let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).to_lowercase();
        assert!(!text.contains(KEY), "{what}: {}", file.display());
    }
}

type Lie = (&'static str, fn(&Governed));

/// What a node may do with the key that it is sent.
const LIES: [Lie; 9] = [
    ("honest", |_| {}),
    ("an error with it", |governed| {
        governed.nodes[0].edit(|_, answer| {
            answer.as_object_mut().unwrap().remove("result");
            answer["error"] =
                serde_json::json!({ "code": -32000, "message": format!("no project {KEY}"), "data": KEY });
        });
    }),
    ("a result with it", |governed| {
        governed.nodes[1].edit(|method, answer| {
            if method == "eth_call" {
                answer["result"] = format!("0x{}{KEY}", "00".repeat(22)).into();
            }
        });
    }),
    ("a block with it", |governed| {
        governed.nodes[1].edit(|method, answer| {
            if method == "eth_getBlockByNumber" {
                answer["result"]["hash"] = format!("0x{}{KEY}", "00".repeat(22)).into();
                answer["result"]["extra"] = KEY.into();
            }
        });
    }),
    ("a page with it", |governed| {
        governed.nodes[0].behave(Behaviour::Body(format!("<html>{KEY}</html>")));
    }),
    ("an id with it", |governed| {
        governed.nodes[0].edit(|_, answer| answer["id"] = KEY.into());
    }),
    ("a redirect with it", |governed| {
        governed.nodes[0].behave(Behaviour::Redirect(format!("https://elsewhere.example/v2/{KEY}")));
    }),
    ("a refusal", |governed| {
        governed.nodes[0].behave(Behaviour::Status(401));
    }),
    ("a closed connection", |governed| {
        governed.nodes[0].behave(Behaviour::Close);
    }),
];

#[test]
fn the_key_of_a_node_is_in_no_output_of_verify_and_replay() {
    for (what, lie) in LIES {
        let governed = Governed::pinned();
        lie(&governed);
        let hook = AppServer::http(Cvm::healthy(&World::default()));
        hook.behave(AppEndpoint::Other, Behaviour::Status(200));
        let webhook = format!("{}/hook", hook.url());
        let nodes = governed.rpc_variable(&path());
        let file = |name: &str| governed.deployment.path(name);
        std::fs::write(file("summary"), "").unwrap();
        std::fs::write(file("outputs"), "").unwrap();
        let more = [
            format!("--output-dir={}", file("out")),
            format!("--junit={}", file("junit.xml")),
            format!("--summary={}", file("summary.md")),
            format!("--dotenv={}", file("dotenv")),
            format!("--state={}", file("state.json")),
            format!("--evidence={}", file("bundle.json")),
            "--inconclusive-after=1".to_owned(),
            "--github".to_owned(),
            "-v".to_owned(),
        ];
        let lock = format!("lock = \"{}\"", governed.lock());
        let (summary, outputs) = (file("summary"), file("outputs"));
        let env = [
            ("CVM_VERIFY_RPC_URL", nodes.as_str()),
            ("CVM_VERIFY_WEBHOOK_URL", webhook.as_str()),
            ("GITHUB_STEP_SUMMARY", summary.as_str()),
            ("GITHUB_OUTPUT", outputs.as_str()),
        ];
        let ran = run_in(
            &governed.verify_args(std::slice::from_ref(&lock), &more),
            &env,
            |_| {},
        );
        assert_silent(&ran, what);
        let report = ran.stdout.find("{\n").unwrap();
        // GitHub's commands stand before the report.
        let ran = Ran {
            stdout: ran.stdout[report..].to_owned(),
            ..ran
        };
        match what {
            "honest" => ran.assert(Governance, Pass, None),
            _ => ran.assert(Governance, Error, Some("rpc")),
        }
        let requests = governed.nodes[0].requests();
        assert!(
            requests.iter().any(|request| request.target.contains(KEY)),
            "{what}: it is sent"
        );
        // A change of the verdict alerts; an honest node gives none.
        assert_eq!(hook.requests().is_empty(), what == "honest", "{what}");
        for request in hook.requests() {
            let body = String::from_utf8_lossy(&request.body).to_lowercase();
            assert!(!body.contains(KEY), "{what}: {body}");
        }
        let mut replay = vec![
            "replay".to_owned(),
            file("bundle.json"),
            format!("--config={}", governed.config(&[lock])),
            "--target=a".to_owned(),
            "--format=json".to_owned(),
            format!("--insecure-trust-root={}", file("root.pem")),
        ];
        let replayed = run_in(&replay, &[], |_| {});
        assert_eq!(ran.check(Governance), replayed.check(Governance), "{what}");
        assert_silent(&replayed, what);
        replay[4] = "--format=markdown".to_owned();
        assert_silent(&run_in(&replay, &[], |_| {}), what);
        assert_nothing_kept(&governed, what);
    }
}

#[test]
fn the_key_of_a_node_is_in_no_output_of_pin_diff_and_inspect() {
    for (what, lie) in LIES {
        let governed = Governed::pinned();
        lie(&governed);
        let nodes = governed.rpc_variable(&path());
        let url = governed.deployment.app.url();
        let mut network = governed.deployment.network();
        network.push(format!(
            "--phala-api-url={}",
            governed
                .phala_says(governed.honest_hint())
                .split_once('=')
                .unwrap()
                .1
        ));
        network.push("--phala-hints".to_owned());
        let pin = vec![
            "pin".to_owned(),
            format!("--config={}", governed.config(&[])),
            "--target=a".to_owned(),
            format!("--output={}", governed.deployment.path("other.lock")),
            "--accept-observed".to_owned(),
        ];
        let inspect = vec!["inspect".to_owned(), url.clone()];
        for mut args in [pin, inspect] {
            args.extend(network.iter().cloned());
            let ran = run_in(&args, &[("CVM_VERIFY_RPC_URL", &nodes)], |_| {});
            assert_ne!(ran.code, 2, "{what}: {ran:#?}");
            assert_silent(&ran, what);
        }
        let requests = governed.nodes[0].requests();
        assert!(
            requests.iter().any(|request| request.target.contains(KEY)),
            "{what}: it is sent"
        );
        let diff = governed
            .deployment
            .network_args(&["diff", &governed.lock(), &url]);
        let ran = run_in(&diff, &[("CVM_VERIFY_RPC_URL", &nodes)], |_| {});
        assert_eq!(ran.code, if what == "honest" { 0 } else { 3 }, "{what}: {ran:#?}");
        assert_silent(&ran, what);
        assert_nothing_kept(&governed, what);
    }
}
