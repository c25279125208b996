//! The policy file while `watch` runs.

use super::*;

#[test]
fn the_policy_is_read_again_when_it_changes_and_the_old_one_stays_where_the_new_is_wrong() {
    let deployment = Deployment::healthy();
    let url = deployment.app.url();
    // Simulated, and on loopback: the file alone could not say so.
    let config = write_policy(&deployment, &[("one", &url)]);
    let arguments = deployment.network_args(&[&config, "--no-cache", "--listen=127.0.0.1:0"]);
    let watching = Watching::new(&arguments, &[]);
    watching.said("one: PASS", 2);
    std::fs::write(deployment.path("cvm-verify.toml"), "[[target]]\nnam = \"two\"\n").unwrap();
    let log = watching.said("policy-refused:", 1);
    assert!(log.contains("cvm-verify.toml:2:1"), "{log}");
    assert!(watching.page("/metrics").contains("cvm_verify_policy_current 0"));
    let passes = log.matches("one: PASS").count();
    watching.said("one: PASS", passes + 2);
    write_policy(&deployment, &[("two", &format!("{url}/two")), ("three", &url)]);
    let log = watching.said("policy-read:", 1);
    assert!(log.contains("2 targets: 2 new; no longer watched: one"), "{log}");
    watching.said("three: PASS", 2);
    assert!(watching.page("/metrics").contains("cvm_verify_policy_current 1"));
    let ran = watching.stopped();
    let after = ran.stdout.split("policy-read:").nth(1).unwrap();
    assert!(!after.contains("one: "), "{after}");
    assert_eq!(ran.stdout.matches("policy-refused:").count(), 1, "{}", ran.stdout);
}

#[test]
fn a_policy_that_is_right_and_cannot_be_used_is_refused_too_and_tried_again() {
    let deployment = Deployment::healthy();
    let config = write_policy(&deployment, &[("one", &deployment.app.url())]);
    let path = deployment.path("cvm-verify.toml");
    let local = std::fs::read_to_string(&path).unwrap();
    let both = local.replace("[defaults]", "[defaults]\nverifier = \"both\"");
    std::fs::write(&path, both).unwrap();
    let arguments = deployment.network_args(&[
        &config,
        "--no-cache",
        "--listen=127.0.0.1:0",
        &format!("--phala-verifier-url={}", deployment.app.url()),
    ]);
    let watching = Watching::new(&arguments, &[]);
    watching.said("one: ", 1);
    let (root, away) = (deployment.path("root.pem"), deployment.path("away.pem"));
    std::fs::rename(&root, &away).unwrap();
    std::fs::write(&path, local).unwrap();
    let log = watching.said("policy-refused: the previous policy stays in use", 1);
    assert!(log.contains("root.pem: cannot be read"), "{log}");
    assert!(watching.page("/metrics").contains("cvm_verify_policy_current 0"));
    std::fs::rename(&away, &root).unwrap();
    watching.said("policy-read: 1 target", 1);
    assert!(watching.page("/metrics").contains("cvm_verify_policy_current 1"));
    let ran = watching.stopped();
    assert_eq!(ran.stdout.matches("policy-refused:").count(), 1, "{}", ran.stdout);
}

#[test]
fn an_expected_hash_that_changes_in_the_policy_counts_from_the_next_round_on() {
    let deployment = Deployment::healthy();
    let config = write_policy(&deployment, &[("one", &deployment.app.url())]);
    let arguments = deployment.network_args(&[&config, "--no-cache"]);
    let watching = Watching::new(&arguments, &[]);
    watching.said("one: PASS", 2);
    let path = deployment.path("cvm-verify.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let hash = hex::encode(Cvm::healthy(&World::default()).compose_hash());
    std::fs::write(&path, text.replace(&hash, &"0".repeat(64))).unwrap();
    watching.said("one: FAIL", 2);
    let log = watching.stopped().stdout;
    let after = log.split("policy-read: 1 target: 1 changed").nth(1).unwrap();
    assert!(!after.contains("one: PASS"), "{after}");
    assert!(after.contains("[compose-hash/compose-hash-mismatch"), "{after}");
}
