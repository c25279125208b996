//! Windows over made-up collateral with real certificates and CRLs, and over recorded collateral where it is present.

use proptest::prelude::*;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer, KeyIdMethod,
    KeyPair, KeyUsagePurpose, SerialNumber, date_time_ymd,
};

use super::*;

/// The first of January of `year`, Unix seconds.
fn new_year(year: i32) -> u64 {
    date_time_ymd(year, 1, 1)
        .unix_timestamp()
        .try_into()
        .expect("after 1970")
}

fn ca(name: &str, from: i32, to: i32) -> CertificateParams {
    let mut params = CertificateParams::new(vec![]).expect("parameters");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(to, 1, 1);
    params
}

/// Collateral whose parts are valid in the given years.
fn collateral(tcb_info: (i32, i32), root_crl: (i32, i32)) -> QuoteCollateralV3 {
    let key = KeyPair::generate().expect("a key");
    let params = ca("root", 2018, 2049);
    let root = params.self_signed(&key).expect("a root").pem();
    let issuer = Issuer::new(params, key);
    let leaf_key = KeyPair::generate().expect("a key");
    let leaf = |name| {
        let leaf = ca(name, 2020, 2040).signed_by(&leaf_key, &issuer);
        leaf.expect("a certificate").pem()
    };
    let list = |from, to| {
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(from, 1, 1),
            next_update: date_time_ymd(to, 1, 1),
            crl_number: SerialNumber::from(1u64),
            issuing_distribution_point: None,
            revoked_certs: vec![],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&issuer).expect("a CRL").der().to_vec()
    };
    let dates = |from, to| {
        format!(r#"{{"issueDate":"{from}-01-01T00:00:00Z","nextUpdate":"{to}-01-01T01:00:00+01:00"}}"#)
    };
    QuoteCollateralV3 {
        tcb_info: dates(tcb_info.0, tcb_info.1),
        qe_identity: dates(2021, 2039),
        root_ca_crl: list(root_crl.0, root_crl.1),
        pck_crl: list(2022, 2038),
        tcb_info_issuer_chain: format!("{}{root}", leaf("signing")),
        qe_identity_issuer_chain: format!("{}{root}\n", leaf("signing")),
        pck_crl_issuer_chain: format!("{}{root}", leaf("platform")),
        tcb_info_signature: vec![0; 64],
        qe_identity_signature: vec![0; 64],
        pck_certificate_chain: None,
    }
}

#[test]
fn every_part_is_listed_once_with_its_dates() {
    let windows = Windows::read(&collateral((2023, 2037), (2024, 2036)), None).expect("windows");
    let parts: Vec<(&str, u64, u64)> = windows
        .parts()
        .iter()
        .map(|part| (part.what, part.not_before, part.not_after))
        .collect();
    let years = |what, from, to| (what, new_year(from), new_year(to));
    assert_eq!(
        parts,
        [
            years("TCB info", 2023, 2037),
            years("QE identity", 2021, 2039),
            years("root CA CRL", 2024, 2036),
            years("PCK CRL", 2022, 2038),
            years("TCB signing certificate", 2020, 2040),
            years("root CA certificate", 2018, 2049),
            years("PCK CA certificate", 2020, 2040),
        ]
    );
}

#[test]
fn the_part_to_blame_is_named_and_the_ends_are_inclusive() {
    let windows = Windows::read(&collateral((2023, 2037), (2024, 2036)), None).expect("windows");
    let (start, end) = (new_year(2024), new_year(2036));
    assert_eq!(windows.latest_start().map(|part| part.what), Some("root CA CRL"));
    for inside in [start, new_year(2030), end] {
        assert_eq!(windows.expired_at(inside), None);
        assert_eq!(windows.not_yet_valid_at(inside), None);
    }
    let what = |part: Option<&Dated>| part.map(|part| part.what);
    assert_eq!(what(windows.expired_at(end + 1)), Some("root CA CRL"));
    assert_eq!(what(windows.not_yet_valid_at(start - 1)), Some("root CA CRL"));
}

#[test]
fn the_quotes_own_chain_counts_too() {
    let key = KeyPair::generate().expect("a key");
    let root = ca("root", 2018, 2049).self_signed(&key).expect("a root");
    let issuer = Issuer::new(ca("root", 2018, 2049), key);
    let leaf_key = KeyPair::generate().expect("a key");
    let leaf = ca("pck", 2025, 2026).signed_by(&leaf_key, &issuer);
    let pem = format!("{}{}\0", leaf.expect("a certificate").pem(), root.pem());
    let collateral = collateral((2023, 2037), (2024, 2036));
    let windows = Windows::read(&collateral, Some(&pem)).expect("windows");
    assert_eq!(
        windows.earliest_end().map(|part| part.what),
        Some("PCK certificate")
    );
}

#[test]
fn an_unreadable_part_is_named() {
    let good = collateral((2023, 2037), (2024, 2036));
    let what = |change: fn(&mut QuoteCollateralV3)| {
        let mut bad = good.clone();
        change(&mut bad);
        Windows::read(&bad, None).expect_err("a bad part").what
    };
    assert_eq!(what(|bad| bad.tcb_info = "{}".into()), "TCB info");
    assert_eq!(
        what(|bad| bad.qe_identity = r#"{"issueDate":"today","nextUpdate":"1900-01-01T00:00:00Z"}"#.into()),
        "QE identity"
    );
    assert_eq!(what(|bad| bad.pck_crl = vec![0x30, 0]), "PCK CRL");
    assert_eq!(what(|bad| bad.root_ca_crl.push(0)), "root CA CRL");
    assert_eq!(
        what(|bad| bad.pck_crl_issuer_chain = String::new()),
        "PCK CA certificate"
    );
    assert_eq!(
        what(|bad| bad.tcb_info_issuer_chain =
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".into()),
        "TCB signing certificate"
    );
}

/// Collateral recorded from real hardware (see the vectors' README), or `None` where it is not present.
fn recorded() -> Option<QuoteCollateralV3> {
    let json = simulator::recorded::bytes("near-mpc-0.5.8/collateral.json")?;
    Some(crate::evidence::collateral::parse(&json).expect("recorded collateral parses"))
}

#[test]
fn recorded_collateral_was_valid_when_it_was_recorded() {
    let Some(collateral) = recorded() else { return };
    let windows = Windows::read(&collateral, None).expect("windows");
    // 2026-08-13T12:00:00Z, from the vectors' README.
    let then = 1_786_622_400;
    assert_eq!(windows.expired_at(then), None);
    assert_eq!(windows.not_yet_valid_at(then), None);
    assert!(windows.parts().len() >= 7);
}

proptest! {
    #[test]
    fn no_bytes_panic(der in proptest::collection::vec(any::<u8>(), 0..200), text in ".{0,200}") {
        let _ = (crl("PCK CRL", &der), chain("PCK certificate", &text), document("TCB info", &text));
    }

    #[test]
    fn a_part_is_blamed_whenever_not_all_are_valid(spans in proptest::collection::vec((0u64..100, 0u64..100), 1..6)) {
        let parts: Vec<Dated> = spans
            .iter()
            .map(|(from, length)| Dated { what: "TCB info", not_before: *from, not_after: from + length })
            .collect();
        let windows = Windows(parts.clone());
        let covers = |now: u64| parts.iter().all(|part| part.not_before <= now && now <= part.not_after);
        for now in 0..200 {
            let blamed = windows.expired_at(now).is_some() || windows.not_yet_valid_at(now).is_some();
            prop_assert_eq!(blamed, !covers(now));
        }
    }
}
