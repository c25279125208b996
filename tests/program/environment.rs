//! Options from the environment.

use cvm_verify_core::report::CheckId::*;
use cvm_verify_core::report::Status::*;

use super::deployment::Deployment;
use super::run::run_in;

fn verify(deployment: &Deployment, env: &[(&str, &str)], more: &[&str]) -> super::run::Ran {
    run_in(
        &deployment.network_args_with(&["verify", &deployment.app.url(), "--format=json"], more),
        env,
        |_| {},
    )
}

#[test]
fn a_long_option_can_come_from_the_environment_and_the_command_line_wins() {
    let deployment = Deployment::healthy();
    let (zeros, ones) = ("00".repeat(32), "11".repeat(32));
    let ran = verify(&deployment, &[("CVM_VERIFY_COMPOSE_HASH", &zeros)], &[]);
    assert_eq!(ran.check(ComposeHash).expected.as_deref(), Some(zeros.as_str()));
    let ran = verify(
        &deployment,
        &[("CVM_VERIFY_COMPOSE_HASH", &zeros)],
        &["--compose-hash", &ones],
    );
    assert_eq!(ran.check(ComposeHash).expected.as_deref(), Some(ones.as_str()));
}

/// A variable may be set for a whole job, and one step may be typed otherwise.
#[test]
fn what_is_typed_wins_over_a_variable_that_contradicts_it() {
    let deployment = Deployment::healthy();
    let folder = deployment.path("cache");
    for (variable, value, typed) in [
        ("CVM_VERIFY_CACHE_DIR", folder.as_str(), "--no-cache"),
        ("CVM_VERIFY_CONFIG", "absent.toml", "--no-config"),
    ] {
        let ran = verify(&deployment, &[(variable, value)], &[typed]);
        ran.assert(QuoteSignature, Pass, None);
        assert!(!std::path::Path::new(&folder).exists());
        // The inputs of an action are typed as well.
        let inputs = [(variable, value), ("CVM_VERIFY_EXTRA_ARGS", typed)];
        verify(&deployment, &inputs, &[typed]).assert_usage_error("cannot be used with");
    }
}

/// What is expected through a name that nothing reads would be dropped.
#[test]
fn a_variable_of_a_key_that_is_no_option_is_a_usage_error() {
    let deployment = Deployment::healthy();
    for (variable, says) in [
        (
            "CVM_VERIFY_KMS",
            "`kms` is a key of the policy file; write it there, or give --require-kms",
        ),
        (
            "CVM_VERIFY_GOVERNANCE_APP_OWNER",
            "`governance-app-owner` is a key of the policy file; write it there",
        ),
        (
            "CVM_VERIFY_IMAGES",
            "`images` is a key of the policy file; write it there",
        ),
    ] {
        verify(&deployment, &[(variable, "x")], &[]).assert_usage_error(says);
        verify(&deployment, &[(variable, " ")], &[]).assert(QuoteSignature, Pass, None);
    }
    // A secret that a policy file may name.
    verify(&deployment, &[("CVM_VERIFY_NAME", "x")], &[]).assert(QuoteSignature, Pass, None);
}

#[test]
fn an_empty_variable_is_unset_and_a_wrong_one_a_usage_error() {
    let deployment = Deployment::healthy();
    let ran = verify(&deployment, &[("CVM_VERIFY_COMPOSE_HASH", " ")], &[]);
    ran.assert(ComposeHash, Skip, Some("no-expectation"));
    let ran = verify(&deployment, &[("CVM_VERIFY_COMPOSE_HASH", "zz")], &[]);
    ran.assert_usage_error("--compose-hash: the value is not hex");
    let ran = verify(&deployment, &[("CVM_VERIFY_QUIET", "maybe")], &[]);
    ran.assert_usage_error("CVM_VERIFY_QUIET: is neither true nor false");
}

#[test]
fn flags_lists_and_addresses_come_one_per_line() {
    let deployment = Deployment::healthy();
    let url = deployment.app.url().to_string();
    // The same app by another name: two targets need two.
    let other = deployment.app.localhost_url();
    let root = deployment.path("root.pem");
    let pccs = deployment.pccs.url().to_string();
    let env = [
        ("CVM_VERIFY_URL", format!("{url}\n\n {other}\n")),
        ("CVM_VERIFY_ALLOW_PRIVATE_NETWORK", "true".to_owned()),
        ("CVM_VERIFY_PCCS_URL", pccs),
        ("CVM_VERIFY_FORMAT", "json".to_owned()),
        (
            "CVM_VERIFY_ACCEPT_TCB",
            "OutOfDate:until=2026-10-10\nSWHardeningNeeded:until=2026-10-11\n".to_owned(),
        ),
    ];
    let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let ran = run_in(&["verify", "--insecure-trust-root", &root], &env, |_| {});
    assert_eq!(ran.report().targets.len(), 2, "{ran:#?}");
    ran.assert(QuoteSignature, Pass, None);
}

#[test]
fn an_address_among_the_extra_arguments_of_an_action_never_replaces_the_input() {
    let deployment = Deployment::healthy();
    let url = deployment.app.url().to_string();
    let extra = ("CVM_VERIFY_EXTRA_ARGS", "http://127.0.0.1:1\n");
    let args = ["verify", "http://127.0.0.1:1"];
    run_in(&args, &[("CVM_VERIFY_URL", &url), extra], |_| {}).assert_usage_error(
        "`extra-args` holds an address or a file that would replace those of CVM_VERIFY_URL",
    );
    // The value of an option is no address to verify.
    let args = ["verify", "--pccs-url", "http://127.0.0.1:1"];
    let ran = run_in(&args, &[("CVM_VERIFY_URL", &url), extra], |_| {});
    assert!(!ran.stderr.contains("extra-args"), "{ran:#?}");
}

#[test]
fn another_trust_root_is_never_taken_from_the_environment() {
    let deployment = Deployment::healthy();
    let root = deployment.path("root.pem");
    let args = [
        "verify".to_owned(),
        deployment.app.url().to_string(),
        "--format=json".to_owned(),
        "--allow-private-network".to_owned(),
        format!("--pccs-url={}", deployment.pccs.url()),
    ];
    let ran = run_in(&args, &[("CVM_VERIFY_INSECURE_TRUST_ROOT", &root)], |_| {});
    ran.assert(QuoteSignature, Fail, Some("not-verified"));
    ran.assert_stderr("CVM_VERIFY_INSECURE_TRUST_ROOT is not read");
}

/// A second line in the value of one secret is a variable of its own, which its owner chose.
#[test]
fn a_secret_of_the_action_that_has_the_name_of_an_option_is_a_usage_error() {
    let deployment = Deployment::healthy();
    for name in [
        "CVM_VERIFY_ALSO_COMPOSE_HASH",
        "CVM_VERIFY_NO_ENDPOINT_PROBE",
        "CVM_VERIFY_KMS",
        "CVM_VERIFY_SOURCE_TOKEN",
        "CVM_VERIFY_RESULT_VERDICT",
    ] {
        let names = format!("CVM_VERIFY_SHOP_TEAM {name} ");
        let env = [
            ("CVM_VERIFY_CHANNEL_SECRETS", names.as_str()),
            ("CVM_VERIFY_SHOP_TEAM", "https://hooks.test/x"),
        ];
        verify(&deployment, &env, &[])
            .assert_usage_error(&format!("channel-secrets of the action gives {name}, "));
    }
    let env = [
        ("CVM_VERIFY_CHANNEL_SECRETS", "CVM_VERIFY_SHOP_TEAM "),
        ("CVM_VERIFY_SHOP_TEAM", "https://hooks.test/x"),
    ];
    verify(&deployment, &env, &[]).assert(QuoteSignature, Pass, None);
}
