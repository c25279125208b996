//! Evidence put together from that of several deployments: the expected one and every lie of the simulator, all under one
//! root, for one nonce. Whatever is taken from where, only the expected deployment passes.
//!
//! An input is three numbers of deployments (whose attestation, whose info, whose collateral), then edits of eight bytes:
//! body, kind, place (two bytes, little endian), number of another deployment, its body, its place (two bytes).
#![cfg_attr(feature = "libfuzzer", no_main)]

use std::cell::LazyCell;

use cvm_verify_core::report::{TargetReport, Verdict};
use cvm_verify_core::verify::SignatureCache;
use cvm_verify_fuzz::simulated::{Expectation, NONCE, bodies, parsed};
use dcap_qvl::QuoteCollateralV3;
use serde_json::{Value, json};
use simulator::{Cvm, EventLogForm, Lie, Nested, World};

const EDIT_BYTES: usize = 8;
const MAX_EDITS: usize = 6;

struct Shown {
    /// Attestation and info.
    bodies: [Value; 2],
    collateral: QuoteCollateralV3,
}

struct Known {
    expected: Expectation,
    report: TargetReport,
    /// The expected deployment first.
    shown: Vec<Shown>,
}

/// Bodies in which every field is one of JSON's own: no JSON inside strings.
fn transparent(cvm: &mut Cvm) {
    cvm.body.event_log = EventLogForm::Array;
    cvm.body.tcb_info = Nested::Object;
    cvm.body.vm_config = Nested::Object;
}

fn shown(cvm: &Cvm) -> Shown {
    let (attestation, info) = bodies(cvm);
    let read = |text: &str| serde_json::from_str(text).expect("the simulator writes JSON");
    Shown {
        bodies: [read(&attestation), read(&info)],
        collateral: cvm.world.collateral(),
    }
}

thread_local! {
    static KNOWN: LazyCell<Known> = LazyCell::new(|| {
        let expected = Expectation::default();
        let mut shown: Vec<Shown> = Lie::ALL
            .iter()
            // Told beside the quote alone: without it, the log is another truth, of events with the other hash.
            .filter(|lie| **lie != Lie::MislabelledVersion)
            .map(|lie| {
                let mut cvm = Cvm::healthy(&World::default());
                transparent(&mut cvm);
                lie.apply(&mut cvm);
                self::shown(&cvm)
            })
            .collect();
        // The same deployment asked by somebody else: its quote holds another nonce.
        let mut another = expected.cvm.clone();
        transparent(&mut another);
        let other_nonce = NONCE.map(|byte| byte ^ 0xff);
        let mut replayed = self::shown(&another);
        replayed.bodies[0] = serde_json::from_str(&another.attestation_body(&hex::encode(other_nonce))).expect("JSON");
        shown.push(replayed);
        Known {
            report: expected.pass(),
            expected,
            shown,
        }
    });
}

/// How many places a value has, itself among them.
fn places(value: &Value) -> usize {
    1 + children(value).map(places).sum::<usize>()
}

fn children(value: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match value {
        Value::Array(items) => Box::new(items.iter()),
        Value::Object(members) => Box::new(members.values()),
        _ => Box::new(std::iter::empty()),
    }
}

/// The value at a place, in the order of the document.
fn at<'a>(value: &'a mut Value, place: &mut usize) -> Option<&'a mut Value> {
    if *place == 0 {
        return Some(value);
    }
    *place -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| at(item, place)),
        Value::Object(members) => members.values_mut().find_map(|member| at(member, place)),
        _ => None,
    }
}

fn at_any(value: &mut Value, place: usize) -> &mut Value {
    let mut place = place % places(value);
    at(value, &mut place).expect("a place of its own")
}

fn constant(number: u8) -> Value {
    match number % 12 {
        0 => Value::Null,
        1 => json!(""),
        2 => json!([]),
        3 => json!({}),
        4 => json!(0),
        5 => json!(1),
        6 => json!(3),
        7 => json!(true),
        8 => json!("0x"),
        9 => json!(134_217_729),
        10 => json!(u64::MAX),
        _ => json!("00"),
    }
}

/// Edits the value at a place, `source` a value from elsewhere.
fn edit(value: &mut Value, kind: u8, source: Value, number: u8) {
    match kind % 8 {
        0 | 1 => *value = source,
        2 => *value = constant(number),
        3 => match value {
            Value::Array(items) => items.push(source),
            Value::Object(members) => {
                // The members of both, as an attacker merges two bodies.
                if let Value::Object(others) = source {
                    members.extend(others);
                }
            }
            other => *other = source,
        },
        4 => match value {
            Value::Array(items) if !items.is_empty() => drop(items.remove(usize::from(number) % items.len())),
            Value::Object(members) if !members.is_empty() => {
                let name = members.keys().nth(usize::from(number) % members.len()).cloned();
                drop(name.and_then(|name| members.remove(&name)));
            }
            other => *other = Value::Null,
        },
        5 => match value {
            Value::Array(items) if items.len() > 1 => {
                let at = usize::from(number) % items.len();
                let item = items.remove(at);
                items.insert(usize::from(number / 16) % (items.len() + 1), item);
            }
            Value::String(text) => *text = text.to_ascii_uppercase(),
            other => *other = source,
        },
        6 => match value {
            Value::Array(items) => items.insert(usize::from(number) % (items.len() + 1), source),
            Value::String(text) => text.push(char::from(number)),
            Value::Number(found) => *value = json!(found.as_u64().unwrap_or(0) ^ u64::from(number)),
            other => *other = source,
        },
        // JSON inside a string: the other form of a nested document.
        _ => *value = Value::String(value.to_string()),
    }
}

cvm_verify_fuzz::fuzz_target!(|input: &[u8]| {
    let Some((head, edits)) = input.split_first_chunk::<3>() else {
        return;
    };
    KNOWN.with(|known| {
        let of = |number: u8| &known.shown[usize::from(number) % known.shown.len()];
        let mut bodies = [of(head[0]).bodies[0].clone(), of(head[1]).bodies[1].clone()];
        for chunk in edits.chunks_exact(EDIT_BYTES).take(MAX_EDITS) {
            let pair = |low: usize| usize::from(u16::from_le_bytes([chunk[low], chunk[low + 1]]));
            let mut other = of(chunk[4]).bodies[usize::from(chunk[5] % 2)].clone();
            let source = at_any(&mut other, pair(6)).take();
            edit(
                at_any(&mut bodies[usize::from(chunk[0] % 2)], pair(2)),
                chunk[1],
                source,
                chunk[6],
            );
        }
        let [attestation, info] = bodies.map(|body| body.to_string());
        let evidence = parsed(attestation.as_bytes(), info.as_bytes());
        let signatures = SignatureCache::default();
        let claims = evidence.map(|evidence| {
            known
                .expected
                .claims(&evidence, &of(head[2]).collateral, &signatures)
        });
        let report = known.expected.appraise(claims.as_ref().map_err(Clone::clone));
        assert_eq!(
            report.checks.len(),
            known.report.checks.len(),
            "every check answers"
        );
        if report.verdict != Verdict::Pass {
            return;
        }
        let (found, honest) = (&report.measurements, &known.report.measurements);
        // Events of the app, which are no part of what is expected, change RTMR3.
        for (found, honest) in [
            (&found.mrtd, &honest.mrtd),
            (&found.rtmr0, &honest.rtmr0),
            (&found.rtmr1, &honest.rtmr1),
            (&found.rtmr2, &honest.rtmr2),
            (&found.report_data, &honest.report_data),
            (&found.td_attributes, &honest.td_attributes),
            (&found.xfam, &honest.xfam),
            (&found.mr_seam, &honest.mr_seam),
            (&found.compose_hash, &honest.compose_hash),
            (&found.app_id, &honest.app_id),
            (&found.instance_id, &honest.instance_id),
            (&found.key_provider, &honest.key_provider),
        ] {
            assert_eq!(found, honest, "another truth passed");
        }
        let (found, honest) = (&report.tcb, &known.report.tcb);
        for (found, honest) in [
            (&found.status, &honest.status),
            (&found.platform_id, &honest.platform_id),
        ] {
            assert_eq!(found, honest, "another truth passed");
        }
        let claims = claims.expect("a pass has evidence");
        let compose = claims.compose.expect("a pass has a compose document");
        assert_eq!(
            compose.text(),
            known.expected.cvm.app_compose,
            "another compose document passed"
        );
    });
});
