//! Freshness and report data: T1 to T4. (Retries and caches of live runs, T3, are tested with the source.)

use cvm_verify_core::report::{Assurance, CheckId, Status};
use cvm_verify_core::verify::Layout;
use simulator::{Echo, Lie, ReportDataLayout};

use crate::judge::{NONCE, Trial, query};

/// What an app signs beside the nonce.
const KEY: [u8; 32] = [7; 32];

fn quoting(layout: ReportDataLayout) -> Trial {
    Trial::lying(|cvm| cvm.report_data = layout)
}

#[test]
fn the_healthy_baseline_passes() {
    Trial::healthy().judge().passes().proves(CheckId::Freshness);
    quoting(ReportDataLayout::Ascii).judge().passes();
}

#[test]
fn t01_an_old_quote_beside_an_echo_of_the_fresh_nonce_fails_freshness() {
    let judged = Trial::lying(|cvm| Lie::ReplayedQuote.apply(cvm)).judge();
    judged
        .fails(CheckId::Freshness, "nonce-mismatch")
        .fails(CheckId::ReportData, "echo-mismatch");
    // Nothing of the quote is wrong but its age.
    judged
        .proves(CheckId::QuoteSignature)
        .proves(CheckId::ComposeHash);
}

#[test]
fn t01_an_old_quote_without_any_echo_fails_freshness() {
    let judged = quoting(ReportDataLayout::replay_of(b"a nonce of last week, 32 bytes.."))
        .with(|trial| trial.cvm.echo = Echo::Absent)
        .judge();
    judged.fails(CheckId::Freshness, "nonce-mismatch");
    judged.says(CheckId::ReportData, Status::Skip, "no-echo");
}

#[test]
fn t01_an_echo_that_differs_from_the_quote_fails_report_data_even_beside_a_fresh_quote() {
    let judged = Trial::lying(|cvm| Lie::LyingEcho.apply(cvm)).judge();
    judged.fails(CheckId::ReportData, "echo-mismatch");
    judged.proves(CheckId::Freshness);
}

#[test]
fn t02_only_the_two_exact_layouts_are_fresh() {
    // They hold the nonce, so that nothing was replayed; what else they say, nobody named.
    let others = [
        ReportDataLayout::NonceInSecondHalf,
        ReportDataLayout::NonZeroTail,
        ReportDataLayout::KeyThenNonce([7; 32]),
        ReportDataLayout::NonceThenKey([7; 32]),
        ReportDataLayout::LeftPadded,
        ReportDataLayout::Sha512AppData,
        ReportDataLayout::Sha512AppDataOfText,
        ReportDataLayout::Sha256,
        ReportDataLayout::Sha256OfText,
        ReportDataLayout::Sha256HexAscii,
    ];
    for layout in others {
        quoting(layout)
            .judge()
            .leaves_open(CheckId::Freshness, "other-layout");
    }
    for layout in [
        ReportDataLayout::HalfNonce,
        ReportDataLayout::AsciiUpper,
        ReportDataLayout::AsciiWith0x,
        ReportDataLayout::Fixed([0; 64]),
    ] {
        quoting(layout)
            .judge()
            .fails(CheckId::Freshness, "nonce-mismatch");
    }
}

#[test]
fn t02_every_byte_of_the_64_counts() {
    for layout in Layout::AUTO {
        for byte in 0..64 {
            let mut bytes = layout.expected(&NONCE, &KEY);
            bytes[byte] ^= 1 << (byte % 8);
            let judged = quoting(ReportDataLayout::Fixed(bytes)).judge();
            // The whole nonce and another rest: not accepted, and no replay.
            match layout == Layout::Raw && byte >= 32 {
                true => judged.leaves_open(CheckId::Freshness, "other-layout"),
                false => judged.fails(CheckId::Freshness, "nonce-mismatch"),
            };
        }
    }
}

#[test]
fn t02_a_named_layout_accepts_itself_alone() {
    for named in Layout::ALL {
        for quoted in Layout::ALL {
            let judged = quoting(ReportDataLayout::Fixed(quoted.expected(&NONCE, &KEY)))
                .with(|trial| trial.policy.report_data.layout = Some(named))
                .judge();
            // Private AI differs from key-then-nonce in what the key is, not in where it stands; zeros may be a key.
            let bytes = quoted.expected(&NONCE, &KEY);
            if named == quoted || named.has_key() && named.holds(&bytes, &NONCE) {
                judged.passes();
            } else {
                judged.leaves_open(CheckId::Freshness, "other-layout");
                let hint = match quoted {
                    Layout::PrivateAi => "--report-data key-then-nonce".to_owned(),
                    _ => format!("--report-data {quoted}"),
                };
                assert!(judged.detail(CheckId::Freshness).contains(&hint), "{judged}");
            }
        }
    }
}

#[test]
fn t02_evidence_without_a_nonce_is_inconclusive() {
    let trial = Trial::healthy();
    let mut evidence = trial.evidence().unwrap();
    evidence.nonce = None;
    let judged = trial.judge_evidence(Ok(evidence));
    judged.says(CheckId::Freshness, Status::Skip, "no-nonce");
    judged.concludes(cvm_verify_core::report::Verdict::Inconclusive);
}

#[test]
fn t02_a_value_of_the_users_own_is_compared_whole() {
    let judged = Trial::healthy()
        .with(|trial| trial.policy.report_data.value = Some([1; 64]))
        .judge();
    judged.fails(CheckId::ReportData, "value-mismatch");
    Trial::healthy()
        .with(|trial| trial.policy.report_data.value = Some(Layout::Raw.expected(&NONCE, &KEY)))
        .judge()
        .passes();
}

#[test]
fn t03_the_quote_of_an_earlier_attempt_fails_freshness() {
    let trial = Trial::healthy();
    let first_attempt = hex::encode([0x5a; 32]);
    let evidence = trial.cvm.evidence(&first_attempt);
    let body = trial.cvm.attestation_body_of(&evidence, &query());
    trial
        .judge_bodies(&body, Some(&trial.cvm.info_body()))
        .fails(CheckId::Freshness, "nonce-mismatch");
}

#[test]
fn t04_a_fresh_quote_never_says_that_the_address_is_the_vm() {
    // A relay hands over exactly what the genuine CVM answers: no check can tell. So the highest assurance is code.
    let judged = Trial::healthy().judge();
    assert_eq!(judged.0.assurance, Assurance::CODE, "{judged}");
    let json = serde_json::to_string(&judged.0).unwrap();
    assert!(!json.contains("\"endpoint\""), "{json}");
}

/// F7 and Private AI: the nonce half decides `freshness`, the other half is compared or said to be compared with nothing.
#[test]
fn t02_the_half_beside_the_nonce_is_never_silently_accepted() {
    for (layout, quoted) in [
        (Layout::NonceThenKey, ReportDataLayout::NonceThenKey(KEY)),
        (Layout::KeyThenNonce, ReportDataLayout::KeyThenNonce(KEY)),
        (Layout::PrivateAi, ReportDataLayout::KeyThenNonce(KEY)),
    ] {
        let with = |key: Option<[u8; 32]>| {
            quoting(quoted.clone())
                .with(|trial| {
                    trial.policy.report_data.layout = Some(layout);
                    trial.policy.report_data.key = key;
                })
                .judge()
        };
        with(None)
            .passes()
            .says(CheckId::ReportData, Status::Warn, "key-not-compared")
            .proves(CheckId::Freshness);
        with(Some(KEY)).passes().proves(CheckId::ReportData);
        with(Some([8; 32])).fails(CheckId::ReportData, "key-mismatch");
        // A value of the user's own is compared whole, the key with it.
        let whole = |value: [u8; 64]| {
            quoting(quoted.clone())
                .with(|trial| {
                    trial.policy.report_data.layout = Some(layout);
                    trial.policy.report_data.value = Some(value);
                })
                .judge()
        };
        whole(layout.expected(&NONCE, &KEY))
            .passes()
            .proves(CheckId::ReportData);
        whole(layout.expected(&NONCE, &[8; 32])).fails(CheckId::ReportData, "value-mismatch");
        // The right key does not make an old nonce fresh.
        let mut old = layout.expected(&[9; 32], &KEY);
        quoting(ReportDataLayout::Fixed(old))
            .with(|trial| {
                trial.policy.report_data.layout = Some(layout);
                trial.policy.report_data.key = Some(KEY);
            })
            .judge()
            .fails(CheckId::Freshness, "nonce-mismatch");
        // Nor does half a nonce.
        old = layout.expected(&NONCE, &KEY);
        let place = if layout == Layout::NonceThenKey { 31 } else { 63 };
        old[place] ^= 1;
        quoting(ReportDataLayout::Fixed(old))
            .with(|trial| trial.policy.report_data.layout = Some(layout))
            .judge()
            .fails(CheckId::Freshness, "nonce-mismatch");
    }
}
