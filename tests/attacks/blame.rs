//! Who is accused: some hundreds of edits of quote, collateral and `/info`, from a table of edits and a table of
//! documents, and for each the party that is to blame.
//!
//! | what was edited | accused |
//! |---|---|
//! | the quote, whatever the collateral is | the deployment |
//! | a document of the collateral | the collateral |
//! | `/info`, and what does not matter | nobody |

mod collateral;

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
