//! Who is accused: some hundreds of edits of quote, collateral and `/info`, from a table of edits and a table of
//! documents, and for each the party that is to blame.
//!
//! | what was edited | accused |
//! |---|---|
//! | the quote, whatever the collateral is | the deployment |
//! | a document of the collateral | the collateral |
//! | `/info`, and what does not matter | nobody |

use cvm_verify_core::report::{CheckId, Status, Verdict};
use cvm_verify_core::verify::{CollateralServers, TrustRoot, UnusableCollateral};
use dcap_qvl::QuoteCollateralV3;
use serde_json::Value;
use simulator::{Certificate, Cvm, Lie, QuoteFormat, Window, World};

use crate::judge::{Judged, Trial};
use crate::parts::{QuoteParts, certificates, chain_of, fields, pem, with_chain};

/// An edit of bytes, by name.
type Edit = (&'static str, fn(&mut Vec<u8>));

const EDITS: [Edit; 9] = [
    ("one bit at the start", |bytes| bytes[0] ^= 1),
    ("one bit in the middle", |bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x10;
    }),
    ("one bit at the end", |bytes| {
        let end = bytes.len() - 1;
        bytes[end] ^= 1;
    }),
    ("zeros", |bytes| bytes.fill(0)),
    ("ones", |bytes| bytes.fill(0x7f)),
    ("reversed", |bytes| bytes.reverse()),
    ("two bytes swapped", |bytes| {
        let at = (1..bytes.len()).find(|at| bytes[*at] != bytes[at - 1]);
        if let Some(at) = at {
            bytes.swap(at - 1, at);
        }
    }),
    ("moved by one", |bytes| bytes.rotate_left(1)),
    ("half of it zero", |bytes| {
        let half = bytes.len() / 2;
        bytes[..half].fill(0);
    }),
];

/// Edits that change the length, too: for what is not in a fixed place.
const CUTS: [Edit; 5] = [
    ("empty", Vec::clear),
    ("the first half", |bytes| bytes.truncate(bytes.len() / 2)),
    ("one byte less", |bytes| {
        bytes.truncate(bytes.len().saturating_sub(1))
    }),
    ("one byte more", |bytes| bytes.push(b' ')),
    ("twice", |bytes| bytes.extend_from_within(..)),
];

/// What the collateral is like while the quote is judged.
type Condition = (
    &'static str,
    fn(&World) -> Result<QuoteCollateralV3, UnusableCollateral>,
);

const CONDITIONS: [Condition; 8] = [
    ("good collateral", |world| Ok(world.collateral())),
    ("no collateral", |_| Err(UnusableCollateral::Missing)),
    ("a PCCS that is down", |_| {
        Err(UnusableCollateral::Unreachable {
            problem: "nothing answers".to_owned(),
            servers: CollateralServers::Public,
        })
    }),
    ("expired collateral", |world| {
        let mut world = world.clone();
        world.tcb_info.issued_after = -7200;
        world.tcb_info.expires_after = -3600;
        Ok(world.collateral())
    }),
    ("TCB info of another FMSPC", |world| {
        let mut world = world.clone();
        world.tcb_info.fmspc = Some([0x66; 6]);
        Ok(world.collateral())
    }),
    ("mangled TCB info", |world| {
        let mut collateral = world.collateral();
        collateral.tcb_info.truncate(100);
        Ok(collateral)
    }),
    ("empty revocation lists", |world| {
        let mut collateral = world.collateral();
        collateral.root_ca_crl.clear();
        collateral.pck_crl.clear();
        Ok(collateral)
    }),
    ("collateral of another root", |world| {
        Ok(World::new(world.seed ^ 1, world.now).collateral())
    }),
];

fn under(condition: Condition, mut trial: Trial) -> Judged {
    let world = World::default();
    trial.collateral = condition.1(&world).map(Some);
    trial.judge()
}

#[test]
fn an_edited_quote_accuses_the_deployment_whatever_the_collateral_is_like() {
    let honest = Cvm::healthy(&World::default()).quote_bytes(&crate::judge::query());
    let parts = QuoteParts::of(&honest);
    let mut count = 0;
    for (part, range) in parts.binary() {
        for (edit, change) in EDITS {
            let mut changed = honest[range.clone()].to_vec();
            change(&mut changed);
            if changed == honest[range.clone()] {
                continue;
            }
            for condition in CONDITIONS {
                let (range, changed) = (range.clone(), changed.clone());
                let trial = Trial::lying(|cvm| {
                    cvm.edit_quote(move |quote| quote[range.clone()].copy_from_slice(&changed));
                });
                let what = format!("{part}, {edit}, {}", condition.0);
                under(condition, trial).accuses_the_deployment(&what);
                count += 1;
            }
        }
    }
    assert!(count > 300, "{count}");
}

/// One quote for each thing that needs no collateral, with its reason.
fn convicted_alone() -> Vec<(&'static str, Trial, &'static str)> {
    let lie = |lie: Lie| Trial::lying(|cvm| lie.apply(cvm));
    let chain = |change: fn(&mut Vec<Vec<u8>>)| {
        Trial::lying(|cvm| {
            cvm.edit_quote(move |quote| {
                let mut chain = certificates(&chain_of(quote));
                change(&mut chain);
                *quote = with_chain(quote, &pem(&chain));
            });
        })
    };
    vec![
        (
            "format",
            Trial::lying(|cvm| cvm.quote.version = Some(6)),
            "malformed",
        ),
        ("TEE type", lie(Lie::NotTdx), "not-tdx"),
        ("an SGX quote", lie(Lie::SgxQuote), "not-tdx"),
        ("trailing bytes", lie(Lie::TrailingBytes), "trailing-bytes"),
        ("PCK chain of another root", lie(Lie::ForeignRoot), "not-verified"),
        (
            "PCK chain without the CA",
            chain(|chain| drop(chain.remove(1))),
            "not-verified",
        ),
        (
            "PCK certificate, one bit",
            chain(|chain| chain[0][200] ^= 1),
            "not-verified",
        ),
        (
            "PCK CA certificate, one bit",
            chain(|chain| chain[1][200] ^= 1),
            "not-verified",
        ),
        (
            "signature of the QE report",
            lie(Lie::BrokenQeSignature),
            "not-verified",
        ),
        (
            "binding of the attestation key",
            lie(Lie::ForeignAttestationKey),
            "not-verified",
        ),
        (
            "signature of the quote",
            lie(Lie::BrokenSignature),
            "not-verified",
        ),
        ("debugging", lie(Lie::DebugTd), "attributes-refused"),
        ("migration", lie(Lie::MigratableTd), "attributes-refused"),
        ("a service TD", lie(Lie::ServiceTd), "attributes-refused"),
    ]
}

#[test]
fn what_needs_no_collateral_convicts_first_and_stands() {
    for condition in CONDITIONS {
        for (what, trial, reason) in convicted_alone() {
            let judged = under(condition, trial);
            judged.accuses_the_deployment(&format!("{what}, {}", condition.0));
            judged.says(CheckId::QuoteSignature, Status::Fail, reason);
        }
    }
    // A clock that cannot be right is no excuse either.
    for (_, trial, reason) in convicted_alone() {
        trial
            .with(|trial| trial.clock_floor = trial.at + 1)
            .judge()
            .fails(CheckId::QuoteSignature, reason)
            .says(CheckId::Collateral, Status::Error, "clock");
    }
}

#[test]
fn an_invented_platform_is_a_forgery_even_where_no_source_knows_it() {
    // The forger's own PKI names an FMSPC that Intel does not know; the PCCS answers 404.
    let mut world = World::new(7, World::default().now);
    world.platform.fmspc = [0xde, 0xad, 0xbe, 0xef, 0, 0];
    let unknown = UnusableCollateral::NotServed {
        problem: "no source knows it".to_owned(),
        servers: CollateralServers::Public,
    };
    let judged = Trial::healthy()
        .with(|trial| {
            trial.cvm = Cvm::healthy(&world);
            trial.collateral = Err(unknown.clone());
        })
        .judge();
    judged.fails(CheckId::QuoteSignature, "not-verified");
    // A genuine machine that no source knows accuses nobody.
    let judged = Trial::healthy()
        .with(|trial| trial.collateral = Err(unknown))
        .judge();
    judged.leaves_open(CheckId::Collateral, "missing");
    judged.accuses_no_deployment(&"an unknown FMSPC");
}

#[test]
fn a_quote_that_brings_no_certificate_chain_is_no_way_out() {
    // Certification data of another type, of which nobody can say which machine it is of.
    for kind in [1_u8, 2, 3, 4, 7] {
        for condition in CONDITIONS {
            let trial = Trial::lying(|cvm| {
                cvm.edit_quote(move |quote| {
                    let at = QuoteParts::of(quote).chain.start - 6;
                    quote[at] = kind;
                });
            });
            let judged = under(condition, trial);
            judged.accuses_the_deployment(&format!("type {kind}, {}", condition.0));
            judged.says(CheckId::QuoteSignature, Status::Fail, "malformed");
        }
    }
}

#[test]
fn an_attribute_bit_that_was_flipped_after_the_signature_is_a_forgery_and_no_debug_mode() {
    for bit in [0, 28, 29] {
        let judged = Trial::lying(|cvm| {
            cvm.edit_quote(move |quote| quote[168 + bit / 8] ^= 1 << (bit % 8));
        })
        .judge();
        judged.fails(CheckId::QuoteSignature, "not-verified");
        let detail = judged.detail(CheckId::QuoteSignature);
        assert!(
            detail.contains("does not fit") && detail.contains("forged or damaged"),
            "{detail}"
        );
    }
}

#[test]
fn a_simulation_without_the_option_is_not_intels_root_and_names_the_option() {
    for condition in CONDITIONS {
        let judged = under(
            condition,
            Trial::healthy().with(|trial| trial.root = TrustRoot::Intel),
        );
        judged.fails(CheckId::QuoteSignature, "not-verified");
        let check = judged.0.check(CheckId::QuoteSignature).unwrap();
        let words = format!("{} {}", check.detail, check.fix.as_deref().unwrap());
        for says in [
            "not Intel's root",
            "a simulation or a forgery",
            "--insecure-trust-root",
        ] {
            assert!(words.contains(says), "{says}: {words}");
        }
    }
}

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
    }
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
        &["PCESVN", "has version 10, 1 below 11", "2025-08-13"],
    );

    let judged = Trial::lying(|cvm| cvm.report.tee_tcb_svn[2] = 0).judge();
    judged.fails(CheckId::QuoteSignature, "no-matching-tcb-level");
    says(
        &judged,
        CheckId::QuoteSignature,
        &["TDX component 3", "2 below 2", "2023-08-09", "UpToDate"],
    );

    let judged = Trial::lying(|cvm| cvm.report.tee_tcb_svn[0] = 0).judge();
    judged.fails(CheckId::QuoteSignature, "no-matching-tcb-level");
    says(
        &judged,
        CheckId::QuoteSignature,
        &["the TDX module has version 0, 2 below 2"],
    );

    let judged = Trial::lying(|cvm| cvm.report.tee_tcb_svn[1] = 9).judge();
    judged.fails(CheckId::QuoteSignature, "no-matching-tcb-level");
    says(&judged, CheckId::QuoteSignature, &["no TDX module of version 9"]);

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
            "SGX component 1 has version 3, 1 below 4",
            "level UpToDate of 2025-08-13",
        ],
    );
    let judged = Trial::lying(|cvm| cvm.world.qe_identity.enclave_isv_svn = 2).judge();
    says(
        &judged,
        CheckId::TcbStatus,
        &["the quoting enclave has version 2, 2 below 4", "2025-05-14"],
    );
    let judged = Trial::lying(|cvm| {
        cvm.quote.format = QuoteFormat::V5Td15;
        cvm.report.tee_tcb_svn2 = simulator::world::TEE_TCB_SVN_OUT_OF_DATE;
    })
    .judge();
    says(
        &judged,
        CheckId::TcbStatus,
        &["the TDX module has version 5, 6 below 11"],
    );
    // Nothing is too low where the host only lacks configuration.
    let judged = Trial::lying(|cvm| Lie::ConfigurationNeeded.apply(cvm)).judge();
    assert!(
        !judged.detail(CheckId::TcbStatus).contains("To be up to date"),
        "{judged}"
    );
}

#[test]
fn an_info_that_is_something_else_accuses_nobody() {
    let trial = Trial::healthy();
    let (attestation, info) = trial.bodies();
    let info = info.unwrap();
    let object = |change: fn(&mut Value)| {
        let mut value: Value = serde_json::from_str(&info).unwrap();
        change(&mut value);
        value.to_string()
    };
    let bodies: Vec<String> = [
        "",
        "[]",
        "[{}]",
        "null",
        "true",
        "7",
        "\"hello\"",
        "hello",
        "<html><body>It works!</body></html>",
        "{",
        "{\"tcb_info\":",
        "\u{feff}{}",
        "{\"tcb_info\":[]}",
        "{\"tcb_info\":7}",
        "{\"tcb_info\":\"hello\"}",
        "{\"tcb_info\":\"\",\"tcb_info\":\"\"}",
        "{\"instance_id\":7}",
        "{\"instance_id\":[]}",
        "{\"instance_id\":\"hello\"}",
        "{\"instance_id\":\"ab\"}",
    ]
    .into_iter()
    .map(str::to_owned)
    .chain([
        object(|info| info["instance_id"] = Value::from(7)),
        object(|info| info["instance_id"] = Value::from("zz".repeat(20))),
        object(|info| info["tcb_info"] = Value::from(vec![1, 2])),
        object(|info| info["tcb_info"] = Value::from("{")),
        format!("{info}{info}"),
        format!("[{info}]"),
        " ".repeat(5 * 1024 * 1024),
    ])
    .collect();
    for body in bodies {
        let what: String = body.chars().take(40).collect();
        let judged = trial.judge_bodies(&attestation, Some(&body));
        judged.says(CheckId::Evidence, Status::Warn, "info-unusable");
        judged.accuses_no_deployment(&what);
        // As if it were not there, and the requirement of `evidence` is met.
        judged.proves(CheckId::ComposeHash);
        assert_eq!(judged.0.verdict, Verdict::Inconclusive, "{what}\n{judged}");
        let absent = trial.judge_bodies(&attestation, None);
        for check in &absent.0.checks {
            if check.id != CheckId::Evidence {
                assert_eq!(judged.0.check(check.id), Some(check), "{what}");
            }
        }
    }
    // What contradicts the quote is another instance's, and is no accusation either.
    trial
        .judge_bodies(
            &attestation,
            Some(&object(|info| info["instance_id"] = "77".repeat(20).into())),
        )
        .leaves_open(CheckId::Evidence, "two-instances");
}

#[test]
fn a_compose_document_as_an_object_is_said_so() {
    let trial = Trial::lying(|cvm| {
        cvm.body.tcb_info = simulator::Nested::Object;
        cvm.body.edit_info(|info| {
            let text = info["tcb_info"]["app_compose"].as_str().unwrap().to_owned();
            info["tcb_info"]["app_compose"] = serde_json::from_str(&text).unwrap();
        });
    });
    let judged = trial.judge();
    judged.says(CheckId::ImagePins, Status::Error, "no-compose-document");
    judged.accuses_no_deployment(&"an object");
    let detail = judged.detail(CheckId::ImagePins);
    assert!(
        detail.contains("is a JSON object: the exact text is needed"),
        "{detail}"
    );
}

#[test]
fn an_unknown_body_type_is_named_in_words() {
    let judged = Trial::lying(|cvm| {
        cvm.quote.format = QuoteFormat::V5Td10;
        cvm.quote.body_type = Some(5);
    })
    .judge();
    judged.fails(CheckId::QuoteSignature, "malformed");
    let detail = judged.detail(CheckId::QuoteSignature);
    assert!(detail.contains("body type is 5 with 584 bytes"), "{detail}");
    assert!(!detail.contains("Some("), "{detail}");
}
