//! MRCONFIGID forms 02 and 03 through the whole program, live and in replay.

use cvm_verify_core::report::CheckId;
use cvm_verify_core::report::Status;
use cvm_verify_core::report::Status::*;
use simulator::{Cvm, Lie, MrConfigId, World};

use super::deployment::Deployment;
use super::run::run;

/// Verifies live, and replays the bundle of that run: both end so.
#[track_caller]
fn ends(change: impl FnOnce(&mut Cvm), more: &[&str], status: Status, reason: Option<&str>, code: u8) {
    let mut cvm = Cvm::healthy(&World::default());
    change(&mut cvm);
    let deployment = Deployment::of(cvm);
    let bundle = deployment.path("evidence.json");
    let live = deployment.verify(&[&[format!("--evidence={bundle}").as_str()], more].concat());
    let root = format!("--insecure-trust-root={}", deployment.path("root.pem"));
    let mut args = vec!["replay".to_owned(), bundle, "--format=json".to_owned(), root];
    args.extend(deployment.expect().iter().cloned());
    args.extend(more.iter().map(|arg| (*arg).to_owned()));
    let replayed = run(&args);
    for ran in [live, replayed] {
        ran.assert(CheckId::MrConfigId, status, reason);
        assert_eq!(ran.code, code, "{ran:#?}");
    }
}

#[test]
fn mr_config_id_forms_02_and_03_true_to_the_formula_pass() {
    for id in [MrConfigId::Tag02, MrConfigId::Tag03OfVmm { gpus: false }] {
        ends(
            |cvm| cvm.mr_config_id = id.clone(),
            &["--mr-config-id=required"],
            Pass,
            None,
            0,
        );
    }
}

#[test]
fn mr_config_id_forms_02_and_03_false_to_the_formula_fail() {
    for lie in [Lie::ConfigIdForeignProvider, Lie::ConfigIdForeignInstance] {
        ends(|cvm| lie.apply(cvm), &[], Fail, Some("mismatch"), 1);
    }
}

#[test]
fn mr_config_id_zero_fails_only_where_the_policy_wants_a_binding() {
    let zero = |cvm: &mut Cvm| cvm.mr_config_id = MrConfigId::Zero;
    ends(zero, &[], Skip, Some("unbound"), 0);
    ends(
        zero,
        &["--mr-config-id=required"],
        Fail,
        Some("binding-required"),
        1,
    );
}

#[test]
fn an_unknown_form_of_mr_config_id_accuses_nobody() {
    ends(
        |cvm| Lie::ConfigIdUnknownTag.apply(cvm),
        &[],
        Error,
        Some("unsupported-tag"),
        3,
    );
}
