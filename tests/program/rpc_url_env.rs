//! Which nodes of a blockchain a target is asked about: those of the run, or those that its own variable names.

use cvm_verify_core::report::CheckId::Governance;
use cvm_verify_core::report::Status::*;

use super::governed::Governed;
use super::run::{Ran, run_in};

const VARIABLE: &str = "CVM_VERIFY_BASE_NODES";

fn verify(governed: &Governed, own: &str, more: &[String], env: &[(&str, &str)]) -> Ran {
    let lines = [
        format!("lock = \"{}\"", governed.lock()),
        format!("rpc-url-env = \"{own}\""),
    ];
    run_in(&governed.verify_args(&lines, more), env, |_| {})
}

#[test]
fn a_target_asks_its_own_nodes_and_not_those_of_the_run() {
    let governed = Governed::pinned();
    let others = Governed::healthy();
    let before = governed.nodes[0].requests().len();
    let ran = verify(
        &governed,
        VARIABLE,
        &others.rpc_urls(),
        &[(VARIABLE, &governed.rpc_variable("/v2/hunter2hunter2"))],
    );
    ran.assert(Governance, Pass, None);
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert!(governed.nodes[0].requests().len() > before);
    assert!(others.nodes.iter().all(|node| node.requests().is_empty()));
    assert!(!format!("{ran:?}").contains("hunter2"), "{ran:#?}");
    // Its own are enough.
    let ran = verify(
        &governed,
        VARIABLE,
        &[],
        &[(VARIABLE, &governed.rpc_variable(""))],
    );
    ran.assert(Governance, Pass, None);
    // Nobody.
    let ran = verify(&governed, "none", &others.rpc_urls(), &[]);
    ran.assert(Governance, Error, Some("not-asked"));
    assert!(others.nodes.iter().all(|node| node.requests().is_empty()));
}

#[test]
fn a_variable_that_holds_no_two_nodes_is_a_usage_error_that_shows_no_url() {
    let governed = Governed::pinned();
    let one = governed.nodes[0].url();
    let twice = format!("{one}\n{one}/hunter2hunter2");
    let odd = "https://a.example/hunter2hunter2\nhttp://b.example/hunter2hunter2".to_owned();
    let user = "https://hunter2hunter2@a.org\nhttps://b.org".to_owned();
    for (held, says) in [
        (None, "is not set"),
        (Some(&one), "the number of RPC URLs is 1"),
        (Some(&twice), "same operator"),
        (Some(&odd), "RPC URL 2 is plain http"),
        (Some(&user), "user name or a password"),
    ] {
        let env: Vec<(&str, &str)> = held.iter().map(|held| (VARIABLE, held.as_str())).collect();
        let ran = verify(&governed, VARIABLE, &[], &env);
        ran.assert_usage_error(says);
        assert!(
            ran.stderr.contains("`rpc-url-env`") && ran.stderr.contains(VARIABLE),
            "{}",
            ran.stderr
        );
        assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
    }
    // A URL where the name of a variable stands, and a variable of somebody else.
    for own in ["https://node.example/v2/hunter2hunter2", "AWS_SECRET_ACCESS_KEY"] {
        let ran = verify(&governed, own, &[], &[]);
        assert_eq!(ran.code, 2, "{ran:#?}");
        assert!(
            ran.stderr.contains("rpc-url-env") && !ran.stderr.contains("hunter2"),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn pin_asks_the_nodes_of_the_target() {
    let governed = Governed::healthy();
    let mut lines = governed.names();
    lines.push(format!("rpc-url-env = \"{VARIABLE}\""));
    let args = governed.deployment.network_args(&[
        "pin",
        &format!("--config={}", governed.config(&lines)),
        "--target=a",
        &format!("--output={}", governed.lock()),
        "--accept-observed",
    ]);
    let ran = run_in(
        &args,
        &[(VARIABLE, &governed.rpc_variable("/hunter2hunter2"))],
        |_| {},
    );
    assert_eq!(ran.code, 0, "{ran:#?}");
    let lock = std::fs::read_to_string(governed.lock()).unwrap();
    assert!(
        lock.contains("[governance]") && !lock.contains("hunter2"),
        "{lock}"
    );
    run_in(&args, &[], |_| {}).assert_usage_error("CVM_VERIFY_BASE_NODES is not set");
}
