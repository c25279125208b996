//! The machine itself: T28 of the threat list. A machine in an attacker's hands gives quotes that verify; only a list of
//! machines helps.

use cvm_verify_core::policy::{PlatformId, PlatformList};
use cvm_verify_core::report::{CheckId, Status};
use sha2::{Digest as _, Sha256};

use crate::deployment::Deployment;
use crate::judge::{Judged, Trial, expected};

fn machine(trial: &Trial) -> [u8; 32] {
    Sha256::digest(trial.cvm.world.platform.ppid).into()
}

fn listing(ids: Vec<PlatformId>) -> Judged {
    Trial::healthy()
        .with(|trial| {
            trial.policy.platforms = Some(expected("--platform-id", PlatformList::new(ids).unwrap()));
        })
        .judge()
}

#[test]
fn the_healthy_baseline_passes_with_and_without_a_list() {
    let trial = Trial::healthy();
    let shown = trial.judge();
    shown
        .passes()
        .says(CheckId::PlatformId, Status::Skip, "not-configured");
    assert_eq!(shown.0.tcb.platform_id, Some(hex::encode(machine(&trial))));
    listing(vec![PlatformId::Machine(machine(&trial))])
        .passes()
        .proves(CheckId::PlatformId);
    listing(vec![
        PlatformId::Machine([0; 32]),
        PlatformId::Model(trial.cvm.world.platform.fmspc),
    ])
    .passes()
    .proves(CheckId::PlatformId);
}

#[test]
fn t28_a_machine_off_the_list_fails() {
    let mut near = machine(&Trial::healthy());
    near[31] ^= 1;
    listing(vec![PlatformId::Machine(near)]).fails(CheckId::PlatformId, "platform-not-listed");
    listing(vec![PlatformId::Model([0; 6])]).fails(CheckId::PlatformId, "platform-not-listed");
}

#[test]
fn t28_the_id_of_an_unproven_certificate_is_never_compared() {
    let honest = machine(&Trial::healthy());
    let list = PlatformList::new(vec![PlatformId::Machine(honest)]).unwrap();
    let judged = Trial::lying(|cvm| simulator::Lie::ForeignRoot.apply(cvm))
        .with(|trial| trial.policy.platforms = Some(expected("--platform-id", list)))
        .judge();
    judged.says(CheckId::PlatformId, Status::Error, "quote-not-proven");
    assert_eq!(judged.0.tcb.platform_id, None);
}

#[test]
fn t28_a_prefix_an_empty_entry_and_no_hex_are_usage_errors() {
    let deployment = Deployment::healthy();
    let whole = hex::encode(machine(&Trial::healthy()));
    for entry in ["", &whole[..63], &whole[..16], "b0c06f", "any", &whole[2..]] {
        deployment
            .verify(&[&format!("--platform-id={entry}")])
            .assert_usage_error("names no platform");
    }
    assert_eq!(
        deployment
            .verify(&[&format!("--platform-id=0x{}", whole.to_uppercase())])
            .code,
        0
    );
}
