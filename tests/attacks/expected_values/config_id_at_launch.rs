//! MRCONFIGID: T37.

use super::*;

fn launched_with(id: [u8; 48]) -> Trial {
    Trial::healthy().with(|trial| trial.cvm.mr_config_id = MrConfigId::Raw(id))
}

#[test]
fn t37_zero_is_legal_and_says_so() {
    let judged = launched_with([0; 48]).judge();
    judged.says(CheckId::MrConfigId, Status::Skip, "unbound").passes();
}

#[test]
fn t37_an_unknown_tag_leaves_the_verdict_open() {
    let hash = Trial::healthy().cvm.compose_hash();
    for tag in [0, 4, 5, 0x10, 0x80, 0x81, 0xff] {
        let mut id = [0; 48];
        id[0] = tag;
        id[1..33].copy_from_slice(&hash);
        launched_with(id)
            .judge()
            .leaves_open(CheckId::MrConfigId, "unsupported-tag");
    }
}

#[test]
fn t37_each_byte_of_hash_and_tail_counts() {
    let hash = Trial::healthy().cvm.compose_hash();
    for at in 1..48 {
        let mut id = [0; 48];
        id[0] = 1;
        id[1..33].copy_from_slice(&hash);
        id[at] ^= 0x80;
        let reason = if at < 33 { "mismatch" } else { "non-zero-tail" };
        launched_with(id).judge().fails(CheckId::MrConfigId, reason);
    }
    for (lie, reason) in [
        (Lie::ConfigIdMismatch, "mismatch"),
        (Lie::ConfigIdTail, "non-zero-tail"),
    ] {
        Trial::lying(|cvm| lie.apply(cvm))
            .judge()
            .fails(CheckId::MrConfigId, reason);
    }
}

#[test]
fn t37_it_is_no_substitute_for_the_os_image() {
    let judged = Trial::healthy()
        .with(|trial| trial.policy.os_image = crate::judge::os_image("known"))
        .judge();
    judged.proves(CheckId::MrConfigId);
    judged.says(CheckId::OsImage, Status::Skip, "no-reference");
    judged.concludes(Verdict::Inconclusive);
}
