//! How the VM was started: T21 to T23.

use cvm_verify_core::report::{CheckId, Status};
use simulator::{Lie, QuoteFormat};

use crate::judge::Trial;

fn lie(lie: Lie) -> Trial {
    Trial::lying(|cvm| lie.apply(cvm))
}

#[test]
fn the_healthy_baseline_passes() {
    Trial::healthy().judge().passes().proves(CheckId::TdAttributes);
}

#[test]
fn t21_each_bit_of_tdattributes_but_sept_ve_disable_fails() {
    for bit in 0..64 {
        let judged = Trial::lying(|cvm| cvm.report.td_attributes[bit / 8] ^= 1 << (bit % 8)).judge();
        // What dcap-qvl refuses has our own reason, never "not-verified"; the rest is ours to refuse.
        let by_module =
            [0, 4, 5, 6, 17, 28, 29].contains(&bit) || !matches!(bit, 16 | 18..=22 | 27 | 30 | 31 | 62 | 63);
        if by_module {
            judged.fails(CheckId::QuoteSignature, "attributes-refused");
        } else {
            judged.fails(CheckId::TdAttributes, "td-attributes-mismatch");
        }
    }
    for of in [Lie::DebugTd, Lie::MigratableTd] {
        lie(of)
            .judge()
            .fails(CheckId::QuoteSignature, "attributes-refused");
    }
}

#[test]
fn t21_all_attribute_bits_clear_fail() {
    Trial::lying(|cvm| cvm.report.td_attributes = [0; 8])
        .judge()
        .fails(CheckId::QuoteSignature, "attributes-refused");
}

#[test]
fn t22_each_bit_of_xfam_outside_the_mask_and_each_required_one_fails() {
    let allowed: u64 = 0x6_DBE7;
    for bit in 0..64 {
        let set = allowed | 1 << bit;
        let judged = Trial::lying(|cvm| cvm.report.xfam = set.to_le_bytes()).judge();
        if set == allowed {
            judged.passes();
        } else {
            judged.fails(CheckId::TdAttributes, "xfam-refused");
        }
    }
    for required in [0x1, 0x2, 0x3] {
        Trial::lying(|cvm| cvm.report.xfam = (allowed & !required).to_le_bytes())
            .judge()
            .fails(CheckId::TdAttributes, "xfam-refused");
    }
    lie(Lie::UnknownXfam)
        .judge()
        .fails(CheckId::TdAttributes, "xfam-refused");
}

#[test]
fn t23_an_owner_fails_whichever_byte_of_it_is_set() {
    for at in [0, 47] {
        Trial::lying(|cvm| cvm.report.mr_owner[at] = 1)
            .judge()
            .fails(CheckId::TdAttributes, "owner-not-zero");
        Trial::lying(|cvm| cvm.report.mr_owner_config[at] = 1)
            .judge()
            .fails(CheckId::TdAttributes, "owner-not-zero");
    }
    lie(Lie::OwnedTd)
        .judge()
        .fails(CheckId::TdAttributes, "owner-not-zero");
}

#[test]
fn t23_a_service_td_fails_in_every_format_that_has_one() {
    for format in [QuoteFormat::V5Td15, QuoteFormat::V5Td15Ex] {
        Trial::lying(|cvm| {
            cvm.quote.format = format;
            cvm.report.mr_service_td[47] = 1;
        })
        .judge()
        .fails(CheckId::QuoteSignature, "attributes-refused");
    }
    lie(Lie::ServiceTd)
        .judge()
        .fails(CheckId::QuoteSignature, "attributes-refused");
}

#[test]
fn t23_a_foreign_seam_module_fails() {
    Trial::lying(|cvm| cvm.report.mr_signer_seam[0] = 1)
        .judge()
        .fails(CheckId::QuoteSignature, "not-verified");
    Trial::lying(|cvm| cvm.report.seam_attributes[0] = 1)
        .judge()
        .fails(CheckId::QuoteSignature, "not-verified");
}

#[test]
fn t23_another_seam_module_than_the_locked_one_warns() {
    let locked = |td_attributes, mr_seam| {
        Trial::healthy().with(|trial| {
            trial.policy.locked_platform = Some(cvm_verify_core::policy::LockedPlatform {
                td_attributes,
                mr_seam,
                fmspc: Some([0x66; 6]),
                lock: "cvm.lock".into(),
            });
        })
    };
    let judged = locked(None, Some([0x66; 48])).judge();
    judged.says(CheckId::TdAttributes, Status::Warn, "platform-changed");
    judged.says(CheckId::TcbStatus, Status::Warn, "platform-changed");
    locked(Some([0, 0, 0, 0x50, 0, 0, 0, 0]), None)
        .judge()
        .fails(CheckId::TdAttributes, "td-attributes-mismatch");
    // A lock does not make a debuggable VM right.
    locked(Some([1, 0, 0, 0x10, 0, 0, 0, 0]), None)
        .with(|trial| Lie::DebugTd.apply(&mut trial.cvm))
        .judge()
        .fails(CheckId::QuoteSignature, "attributes-refused");
}
