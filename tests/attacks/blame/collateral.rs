//! Documents of the collateral that were changed, or are of another time or platform: whom they accuse.

use super::*;

/// The healthy CVM, judged with collateral that was changed on its way.
fn with_collateral(change: impl FnOnce(&mut QuoteCollateralV3)) -> Judged {
    let mut collateral = World::default().collateral();
    change(&mut collateral);
    Trial::healthy()
        .with(|trial| trial.collateral = Ok(Some(collateral)))
        .judge()
}

#[test]
fn an_edited_document_accuses_the_collateral() {
    let honest = World::default().collateral();
    let mut count = 0;
    for field in fields(&honest) {
        for (edit, change) in EDITS.into_iter().chain(CUTS) {
            let mut bytes = field.bytes.clone();
            change(&mut bytes);
            if bytes == field.bytes {
                continue;
            }
            with_collateral(|collateral| (field.put)(collateral, bytes))
                .accuses_the_collateral(&format!("{}, {edit}", field.name));
            count += 1;
        }
    }
    assert!(count > 90, "{count}");
}

#[test]
fn an_empty_document_is_named_as_that() {
    let changes: [fn(&mut QuoteCollateralV3); 2] = [
        |collateral| collateral.tcb_info = " \n".to_owned(),
        |collateral| collateral.qe_identity.clear(),
    ];
    for change in changes {
        let judged = with_collateral(change);
        judged.accuses_the_collateral(&"an empty document");
        let detail = judged.detail(CheckId::Collateral);
        assert!(detail.contains("it is empty"), "{detail}");
    }
}

#[test]
fn a_document_in_other_words_accuses_the_collateral() {
    let reserialised = |text: &str| serde_json::from_str::<Value>(text).unwrap().to_string();
    let pretty =
        |text: &str| serde_json::to_string_pretty(&serde_json::from_str::<Value>(text).unwrap()).unwrap();
    let reordered = |text: &str| {
        // The last member first.
        let at = text.rfind(",\"tcbLevels\"").unwrap();
        format!("{{{},{}}}", &text[at + 1..text.len() - 1], &text[1..at])
    };
    let honest = World::default().collateral();
    for text in [&honest.tcb_info, &honest.qe_identity] {
        let is_tcb_info = text == &honest.tcb_info;
        for (what, changed) in [
            ("pretty", pretty(text)),
            ("reordered", reordered(text)),
            ("as text in capitals", text.to_ascii_uppercase()),
            ("a final newline", format!("{text}\n")),
            ("sorted", reserialised(text)),
            ("HTML", "<html>busy</html>".to_owned()),
            ("an empty object", "{}".to_owned()),
            ("null", "null".to_owned()),
        ] {
            if changed == *text {
                continue;
            }
            with_collateral(|collateral| {
                *if is_tcb_info {
                    &mut collateral.tcb_info
                } else {
                    &mut collateral.qe_identity
                } = changed;
            })
            .accuses_the_collateral(&what);
        }
    }
}

#[test]
fn a_chain_that_is_not_intels_accuses_the_collateral_and_a_reordered_one_nobody() {
    let other = World::new(2, World::default().now);
    for chain in [
        String::new(),
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned(),
        World::default().certificate_pem(Certificate::Root),
        World::default().pck_chain_pem(),
        World::default().pck_crl_issuer_chain(),
        other.tcb_signing_chain(),
    ] {
        with_collateral(|collateral| collateral.tcb_info_issuer_chain = chain.clone())
            .accuses_the_collateral(&"chain of the TCB info");
        with_collateral(|collateral| collateral.qe_identity_issuer_chain = chain)
            .accuses_the_collateral(&"chain of the QE identity");
    }
    // What does not matter accuses nobody.
    with_collateral(|collateral| {
        collateral.tcb_info_issuer_chain = World::default().certificate_pem(Certificate::TcbSigning);
    })
    .passes();
    with_collateral(|collateral| collateral.pck_crl_issuer_chain = other.pck_crl_issuer_chain()).passes();
}

#[test]
fn documents_of_another_time_accuse_the_collateral_and_name_the_part() {
    let stale = Window {
        from: -7200,
        to: -3600,
    };
    type Edit = fn(&mut World, Window);
    let cases: [(&str, Edit); 4] = [
        ("TCB info", |world, window| {
            world.tcb_info.issued_after = window.from;
            world.tcb_info.expires_after = window.to;
        }),
        ("QE identity", |world, window| {
            world.qe_identity.issued_after = window.from;
            world.qe_identity.expires_after = window.to;
        }),
        ("root CA CRL", |world, window| world.pki.root_crl = window),
        ("PCK CRL", |world, window| world.pki.pck_crl = window),
    ];
    let all: [fn(&mut World, Window); 4] = cases.map(|(_, put)| put);
    for (name, put) in cases {
        // Ended, while the rest of the set began later: no moment lies inside all.
        let judged = Trial::lying(|cvm| {
            for other in all {
                other(&mut cvm.world, Window { from: -60, to: 3600 });
            }
            put(&mut cvm.world, stale);
        })
        .judge();
        judged.leaves_open(CheckId::Collateral, "expired");
        judged.accuses_no_deployment(&name);
        assert!(judged.detail(CheckId::Collateral).contains(name), "{judged}");
        assert!(
            advice(&judged).starts_with("The PCCS that was asked mixes"),
            "{name}"
        );
        // Ended, with all the rest in date.
        let judged = Trial::lying(|cvm| put(&mut cvm.world, stale)).judge();
        judged.leaves_open(CheckId::Collateral, "expired");
        assert!(!advice(&judged).contains("operator of the host"), "{name}");
        // Not begun: the reader sees by which clock.
        let early = Window { from: 60, to: 3600 };
        let judged = Trial::lying(|cvm| put(&mut cvm.world, early)).judge();
        judged.leaves_open(CheckId::Collateral, "not-yet-valid");
        judged.detail_says(CheckId::Collateral, "It was judged at");
    }
}

/// What to do about the collateral.
fn advice(judged: &Judged) -> &str {
    let check = judged.check(CheckId::Collateral);
    check.fix.as_deref().unwrap_or_default()
}

#[test]
fn an_authentic_document_convicts_after_its_date_and_acquits_nobody() {
    let expired = Window {
        from: -7200,
        to: -3600,
    };
    // A certificate on an expired list stays revoked.
    for revoked in [Certificate::Pck, Certificate::PckCa] {
        Trial::lying(|cvm| {
            cvm.world.pki.revoked.insert(revoked);
            cvm.world.pki.pck_crl = expired;
            cvm.world.pki.root_crl = expired;
        })
        .judge()
        .fails(CheckId::QuoteSignature, "revoked");
    }
    // A set that ended, and whose levels say `Revoked`.
    Trial::lying(|cvm| {
        cvm.world.tcb_info.land_on("Revoked", &[]);
        cvm.world.tcb_info.issued_after = expired.from;
        cvm.world.tcb_info.expires_after = expired.to;
    })
    .judge()
    .fails(CheckId::QuoteSignature, "revoked");
    // The same list in another's name convicts nobody: it is not authentic.
    let judged = with_collateral(|collateral| {
        let mut world = World::new(2, World::default().now);
        world.pki.revoked.insert(Certificate::Pck);
        collateral.pck_crl = world.pck_crl();
    });
    judged.leaves_open(CheckId::Collateral, "not-signed-by-intel");
    // And one that ended without naming anybody acquits nobody.
    Trial::lying(|cvm| cvm.world.pki.pck_crl = expired)
        .judge()
        .leaves_open(CheckId::Collateral, "expired");
}

/// A TDX module of a later major version, at launch or after an update of a running TD, and documents of before it.
#[test]
fn a_module_that_the_tcb_info_does_not_list_yet_accuses_the_collateral() {
    let newer: [fn(&mut Cvm); 2] = [
        |cvm| cvm.report.tee_tcb_svn[1] = 4,
        |cvm| {
            cvm.quote.format = QuoteFormat::V5Td15;
            cvm.report.tee_tcb_svn2[1] = 4;
        },
    ];
    for newer in newer {
        let judged = Trial::lying(newer).judge();
        judged.leaves_open(CheckId::Collateral, "old-set");
        judged.accuses_no_deployment(&"a newer module");
        judged.detail_says(
            CheckId::Collateral,
            "version 4 is newer than every one that it rates",
        );
        // After the date of the documents, that is the fault.
        let judged = Trial::lying(|cvm| {
            newer(cvm);
            cvm.world.tcb_info.issued_after = -7200;
            cvm.world.tcb_info.expires_after = -3600;
        })
        .judge();
        judged.leaves_open(CheckId::Collateral, "expired");
        judged.accuses_no_deployment(&"a newer module, and a TCB info that ended");
        // It excuses nothing that is convicted by itself.
        let lies = [
            (Lie::NoMatchingTcbLevel, "no-matching-tcb-level"),
            (Lie::RevokedPck, "revoked"),
            (Lie::ForeignQe, "not-verified"),
            (Lie::OldQuotingEnclave, "qe-out-of-date"),
        ];
        for (lie, reason) in lies {
            Trial::lying(|cvm| {
                lie.apply(cvm);
                newer(cvm);
            })
            .judge()
            .fails(CheckId::QuoteSignature, reason);
        }
        Trial::lying(|cvm| {
            newer(cvm);
            cvm.report.mr_signer_seam[0] = 1;
        })
        .judge()
        .fails(CheckId::QuoteSignature, "not-verified");
    }
}

/// An identity that ended knows Intel's signer for ever, and not by which product a later enclave is recognised.
#[test]
fn a_quoting_enclave_that_an_ended_identity_does_not_list_accuses_the_collateral() {
    let judge = |ended: bool, product: u16, signer: Option<[u8; 32]>| {
        let mut trial = Trial::lying(|cvm| {
            cvm.world.qe_identity.enclave_mr_signer = signer;
            cvm.world.qe_identity.isv_prod_id = product;
        });
        let mut world = World::default();
        if ended {
            world.qe_identity.issued_after = -7200;
            world.qe_identity.expires_after = -3600;
        }
        trial.collateral = Ok(Some(world.collateral()));
        trial.judge()
    };
    let judged = judge(true, 3, None);
    judged.leaves_open(CheckId::Collateral, "expired");
    judged.accuses_no_deployment(&"an enclave of another product");
    judge(false, 3, None).fails(CheckId::QuoteSignature, "not-verified");
    for ended in [false, true] {
        judge(ended, 2, Some([0x66; 32])).fails(CheckId::QuoteSignature, "not-verified");
    }
}

#[test]
fn a_level_of_another_platform_says_nothing_about_this_one() {
    for status in ["Revoked", "OutOfDate"] {
        let judged = Trial::lying(|cvm| {
            cvm.world.tcb_info.fmspc = Some([0x66; 6]);
            cvm.world.tcb_info.land_on(status, &[]);
        })
        .judge();
        judged.leaves_open(CheckId::Collateral, "wrong-platform");
        judged.accuses_no_deployment(&status);
    }
    Trial::lying(|cvm| {
        cvm.world.tcb_info.fmspc = Some([0x66; 6]);
        cvm.world.below_every_tcb_level();
    })
    .judge()
    .leaves_open(CheckId::Collateral, "wrong-platform");
}

#[test]
fn what_is_too_old_is_named_with_the_level_that_would_do() {
    let says = |judged: &Judged, id: CheckId, words: &[&str]| {
        for word in words {
            assert!(judged.detail(id).contains(word), "{word}\n{judged}");
        }
    };
    let judged = Trial::lying(|cvm| cvm.world.platform.pce_svn = 10).judge();
    judged.fails(CheckId::QuoteSignature, "no-matching-tcb-level");
    says(
        &judged,
        CheckId::QuoteSignature,
        &["PCESVN", "has version 10 and needs 11", "2025-08-13"],
    );

    let judged = Trial::lying(|cvm| cvm.report.tee_tcb_svn[2] = 0).judge();
    judged.fails(CheckId::QuoteSignature, "no-matching-tcb-level");
    says(
        &judged,
        CheckId::QuoteSignature,
        &["TDX component 3", "needs 2", "2023-08-09", "UpToDate"],
    );

    let judged = Trial::lying(|cvm| cvm.report.tee_tcb_svn[0] = 0).judge();
    judged.fails(CheckId::QuoteSignature, "no-matching-tcb-level");
    says(
        &judged,
        CheckId::QuoteSignature,
        &["the TDX module has version 0 and needs 2"],
    );

    // Between the two versions that Intel rates.
    let judged = Trial::lying(|cvm| cvm.report.tee_tcb_svn[1] = 2).judge();
    judged.fails(CheckId::QuoteSignature, "no-matching-tcb-level");
    says(&judged, CheckId::QuoteSignature, &["no TDX module of version 2"]);

    let judged = Trial::lying(|cvm| cvm.world.qe_identity.enclave_isv_svn = 1).judge();
    judged.fails(CheckId::QuoteSignature, "qe-out-of-date");
    says(
        &judged,
        CheckId::QuoteSignature,
        &["quoting enclave", "version 1", "is 2", "2023-08-09"],
    );

    // A bad status names the same.
    let judged = Trial::lying(|cvm| cvm.world.fall_behind()).judge();
    judged.fails(CheckId::TcbStatus, "not-up-to-date");
    says(
        &judged,
        CheckId::TcbStatus,
        &[
            "SGX component 1 has version 3 and needs 4",
            "level UpToDate of 2025-08-13",
        ],
    );
    let judged = Trial::lying(|cvm| cvm.world.qe_identity.enclave_isv_svn = 2).judge();
    says(
        &judged,
        CheckId::TcbStatus,
        &["the quoting enclave has version 2 and needs 4", "2025-05-14"],
    );
    let judged = Trial::lying(|cvm| {
        cvm.quote.format = QuoteFormat::V5Td15;
        cvm.report.tee_tcb_svn2 = simulator::world::TEE_TCB_SVN_OUT_OF_DATE;
    })
    .judge();
    says(
        &judged,
        CheckId::TcbStatus,
        &["the TDX module now has version 5 and needs 11"],
    );
    let judged = Trial::lying(|cvm| Lie::RelaunchAdvised.apply(cvm)).judge();
    says(
        &judged,
        CheckId::TcbStatus,
        &["the TDX module at launch has version 5 and needs 11"],
    );
    // Below every level at launch, on a host that was patched since: its operator has nothing left to update.
    let judged = Trial::lying(|cvm| {
        cvm.quote.format = QuoteFormat::V5Td15;
        cvm.report.tee_tcb_svn[0] = 0;
    })
    .judge();
    judged.fails(CheckId::QuoteSignature, "no-matching-tcb-level");
    says(
        &judged,
        CheckId::QuoteSignature,
        &[
            "when the VM was launched",
            "the TDX module at launch has version 0 and needs 2",
            "What runs now is not",
        ],
    );
    let fix = judged
        .check(CheckId::QuoteSignature)
        .fix
        .as_deref()
        .unwrap_or_default();
    assert!(fix.starts_with("Stop the VM and start it again"), "{fix}");
    // And the other way round: rolled back since.
    let judged = Trial::lying(|cvm| {
        cvm.quote.format = QuoteFormat::V5Td15;
        cvm.report.tee_tcb_svn2[0] = 0;
    })
    .judge();
    judged.fails(CheckId::QuoteSignature, "no-matching-tcb-level");
    says(
        &judged,
        CheckId::QuoteSignature,
        &[
            "the platform is below every level",
            "the TDX module now has version 0",
        ],
    );
    // Nothing is too low where the host only lacks configuration.
    let judged = Trial::lying(|cvm| Lie::ConfigurationNeeded.apply(cvm)).judge();
    assert!(!judged.detail(CheckId::TcbStatus).contains("Too old"), "{judged}");
}
