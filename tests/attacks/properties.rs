//! Properties of the whole way from the bodies to the verdict. (Bit flips have a module of their own.)

use cvm_verify_core::report::{CheckId, Verdict};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use simulator::{Cvm, Event, EventLogForm, Evidence, Lie, Nested, World};

use crate::judge::{Trial, query};

#[test]
fn the_healthy_baseline_passes() {
    Trial::healthy().judge().passes();
}

#[test]
fn every_check_has_a_decision_of_its_own() {
    let judged = Trial::healthy().judge();
    for check in &judged.0.checks {
        assert_ne!(check.reason.as_deref(), Some("undecided"), "{judged}");
        assert!(!check.detail.is_empty(), "{judged}");
    }
}

/// The healthy CVM's evidence once, so that only the log differs.
struct Tampered {
    trial: Trial,
    evidence: Evidence,
}

impl Tampered {
    fn new() -> Self {
        let trial = Trial::healthy().with(|trial| {
            trial.cvm.app_events = vec![
                ("mine".to_owned(), b"1".to_vec()),
                ("mine".to_owned(), b"2".to_vec()),
            ];
            trial.collateral = Ok(Some(trial.cvm.world.collateral()));
        });
        let evidence = trial.cvm.evidence(&query());
        trial.judge().passes();
        Self { trial, evidence }
    }

    fn log(&self) -> Vec<Event> {
        self.evidence.event_log.clone()
    }

    #[track_caller]
    fn fails_with(&self, log: Vec<Event>, what: &str) {
        let evidence = Evidence {
            event_log: log,
            ..self.evidence.clone()
        };
        let body = self.trial.cvm.attestation_body_of(&evidence, &query());
        let judged = self.trial.judge_bodies(&body, None);
        assert_eq!(judged.0.verdict, Verdict::Fail, "{what}\n{judged}");
        judged.fails(CheckId::EventLog, "rtmr-mismatch");
    }
}

#[test]
fn dropping_or_doubling_any_event_never_passes() {
    let tampered = Tampered::new();
    for at in 0..tampered.log().len() {
        let mut dropped = tampered.log();
        let event = dropped.remove(at);
        tampered.fails_with(dropped, &format!("dropped {at}"));
        let mut doubled = tampered.log();
        doubled.insert(at, event.clone());
        tampered.fails_with(doubled, &format!("doubled {at}"));
        let mut repeated = tampered.log();
        repeated.push(event);
        tampered.fails_with(repeated, &format!("repeated {at}"));
    }
}

#[test]
fn swapping_any_two_events_never_passes() {
    let tampered = Tampered::new();
    let honest = tampered.log();
    let order = |log: &[Event]| {
        [0, 1, 2, 3].map(|imr| {
            let of_register = log.iter().filter(|event| event.imr == imr);
            of_register.map(|event| event.digest.clone()).collect::<Vec<_>>()
        })
    };
    for a in 0..honest.len() {
        for b in a + 1..honest.len() {
            let mut swapped = honest.clone();
            swapped.swap(a, b);
            // Events of two registers may stand in any order among each other, and two events may be alike: then each
            // register's own sequence, which is all that is measured, is the same.
            if order(&swapped) != order(&honest) {
                tampered.fails_with(swapped, &format!("swapped {a} and {b}"));
            }
        }
    }
}

#[test]
fn moving_any_event_to_another_register_never_passes() {
    let tampered = Tampered::new();
    for at in 0..tampered.log().len() {
        for imr in 0..4 {
            let mut moved = tampered.log();
            if moved[at].imr == imr {
                continue;
            }
            moved[at].imr = imr;
            let evidence = Evidence {
                event_log: moved,
                ..tampered.evidence.clone()
            };
            let body = tampered.trial.cvm.attestation_body_of(&evidence, &query());
            let judged = tampered.trial.judge_bodies(&body, None);
            judged.concludes(Verdict::Fail);
        }
    }
}

/// Every place of a JSON value, as the path of indices to it.
fn places(value: &Value) -> Vec<Vec<usize>> {
    let children: Vec<&Value> = match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(members) => members.values().collect(),
        _ => vec![],
    };
    let mut all = vec![vec![]];
    for (index, child) in children.into_iter().enumerate() {
        all.extend(
            places(child)
                .into_iter()
                .map(|path| [&[index][..], &path].concat()),
        );
    }
    all
}

/// The value at a place; `None` for the member or item itself means that it is removed.
fn put(value: &mut Value, path: &[usize], new: Option<Value>) {
    match (path, value) {
        ([], value) => *value = new.unwrap_or(Value::Null),
        ([at], Value::Array(items)) if new.is_none() => drop(items.remove(*at)),
        ([at], Value::Object(members)) if new.is_none() => {
            let name = members.keys().nth(*at).unwrap().clone();
            members.remove(&name);
        }
        ([at, rest @ ..], Value::Array(items)) => put(&mut items[*at], rest, new),
        ([at, rest @ ..], Value::Object(members)) => {
            put(members.values_mut().nth(*at).unwrap(), rest, new);
        }
        _ => unreachable!("the path is one of the value's own"),
    }
}

fn at<'a>(value: &'a Value, path: &[usize]) -> &'a Value {
    path.iter().fold(value, |value, index| match value {
        Value::Array(items) => &items[*index],
        Value::Object(members) => members.values().nth(*index).unwrap(),
        _ => unreachable!("the path is one of the value's own"),
    })
}

/// What becomes of one field.
#[derive(Clone, Debug)]
enum Mutation {
    Remove,
    Put(Value),
    /// The value of another field of the body.
    Copy(prop::sample::Index),
    /// Another character at a place of the text, or one less, or one more.
    Character(prop::sample::Index, char),
    Cut(prop::sample::Index),
    Append(char),
}

fn mutations() -> impl Strategy<Value = Mutation> {
    let values = prop::sample::select(vec![
        json!(null),
        json!(true),
        json!(""),
        json!("0"),
        json!("00"),
        json!([]),
        json!({}),
        json!(0),
        json!(1),
        json!(3),
        json!(4),
        json!(-1),
        json!(u64::MAX),
        json!(134_217_729),
        json!("0x"),
        json!("\u{0}\u{202e}é"),
    ]);
    let character = prop::sample::select(vec![
        '0', 'f', 'F', 'x', ' ', '"', '\\', '\0', 'é', ':', '{', '\n',
    ]);
    prop_oneof![
        Just(Mutation::Remove),
        values.prop_map(Mutation::Put),
        any::<prop::sample::Index>().prop_map(Mutation::Copy),
        (any::<prop::sample::Index>(), character.clone())
            .prop_map(|(index, character)| Mutation::Character(index, character)),
        any::<prop::sample::Index>().prop_map(Mutation::Cut),
        character.prop_map(Mutation::Append),
    ]
}

fn mutate(body: &mut Value, path: &[usize], mutation: &Mutation) {
    let text = at(body, path).as_str().map(str::to_owned);
    let characters = || text.as_deref().unwrap_or("x").chars().collect::<Vec<_>>();
    let new = match mutation {
        Mutation::Remove => None,
        Mutation::Put(value) => Some(value.clone()),
        Mutation::Copy(index) => {
            let all = places(body);
            Some(at(body, index.get::<Vec<usize>>(&all)).clone())
        }
        Mutation::Character(index, character) => {
            let mut all = characters();
            if !all.is_empty() {
                let place = index.index(all.len());
                all[place] = *character;
            }
            Some(all.into_iter().collect::<String>().into())
        }
        Mutation::Cut(index) => {
            let mut all = characters();
            all.truncate(index.index(all.len() + 1));
            Some(all.into_iter().collect::<String>().into())
        }
        Mutation::Append(character) => {
            let mut all = characters();
            all.push(*character);
            Some(all.into_iter().collect::<String>().into())
        }
    };
    put(body, path, new);
}

/// Bodies in which every field is one of JSON's own: no JSON inside strings.
fn transparent(mut trial: Trial) -> (Trial, Value, Value) {
    trial.cvm.body.event_log = EventLogForm::Array;
    trial.cvm.body.tcb_info = Nested::Object;
    trial.cvm.body.vm_config = Nested::Object;
    trial.collateral = Ok(Some(trial.cvm.world.collateral()));
    let (attestation, info) = trial.bodies();
    let read = |text: &str| serde_json::from_str(text).unwrap();
    let (attestation, info) = (read(&attestation), read(&info.unwrap()));
    (trial, attestation, info)
}

/// The same cases in every run: a failure is a fact and no accident.
fn runner(cases: u32) -> TestRunner {
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// Lies that one field of JSON tells. To change that field back is to tell the truth, so a pass is then right.
const TOLD_BY_ONE_FIELD: [Lie; 4] = [
    Lie::LyingEcho,
    Lie::AddedEvent,
    // Gone as soon as the body is read into a map.
    Lie::DuplicateQuoteKey,
    Lie::None,
];

#[test]
fn a_mutation_of_one_field_never_turns_a_lie_into_a_pass() {
    let lies: Vec<_> = Lie::ALL
        .iter()
        .filter(|lie| !TOLD_BY_ONE_FIELD.contains(lie))
        .map(|lie| transparent(Trial::lying(|cvm| lie.apply(cvm))))
        .collect();
    let case = (
        0..lies.len(),
        any::<bool>(),
        any::<prop::sample::Index>(),
        mutations(),
    );
    let outcome = runner(500).run(&case, |(lie, in_info, place, mutation)| {
        let (trial, attestation, info) = &lies[lie];
        let (mut attestation, mut info) = (attestation.clone(), info.clone());
        let body = if in_info { &mut info } else { &mut attestation };
        let all = places(body);
        mutate(body, place.get::<Vec<usize>>(&all), &mutation);
        let judged = trial.judge_bodies(&attestation.to_string(), Some(&info.to_string()));
        prop_assert_ne!(judged.0.verdict, Verdict::Pass, "{}", judged);
        Ok(())
    });
    assert!(outcome.is_ok(), "{outcome:?}");
}

#[test]
fn a_mutation_of_one_field_of_the_truth_never_passes_as_another_truth() {
    let (trial, attestation, info) = transparent(Trial::healthy());
    let honest = trial.judge().0;
    let case = (any::<bool>(), any::<prop::sample::Index>(), mutations());
    let outcome = runner(500).run(&case, |(in_info, place, mutation)| {
        let (mut attestation, mut info) = (attestation.clone(), info.clone());
        let body = if in_info { &mut info } else { &mut attestation };
        let all = places(body);
        mutate(body, place.get::<Vec<usize>>(&all), &mutation);
        let judged = trial.judge_bodies(&attestation.to_string(), Some(&info.to_string()));
        if judged.0.verdict == Verdict::Pass {
            prop_assert_eq!(&judged.0.measurements, &honest.measurements, "{}", judged);
            prop_assert_eq!(&judged.0.tcb, &honest.tcb, "{}", judged);
        }
        Ok(())
    });
    assert!(outcome.is_ok(), "{outcome:?}");
}

#[test]
fn any_bytes_in_the_place_of_a_body_never_pass_and_never_panic() {
    let (trial, attestation, info) = transparent(Trial::of(Cvm::healthy(&World::default())));
    let (attestation, info) = (attestation.to_string(), info.to_string());
    let case = (any::<bool>(), any::<prop::sample::Index>(), "[^}]{0,40}");
    let outcome = runner(300).run(&case, |(in_info, place, text)| {
        let splice = |body: &str| {
            // The body loses its last brace at least, and the text has none to put back.
            let mut at = place.index(body.len());
            while !body.is_char_boundary(at) {
                at -= 1;
            }
            format!("{}{text}", &body[..at])
        };
        let judged = if in_info {
            trial.judge_bodies(&attestation, Some(&splice(&info)))
        } else {
            trial.judge_bodies(&splice(&attestation), Some(&info))
        };
        prop_assert_ne!(judged.0.verdict, Verdict::Pass, "{}", judged);
        Ok(())
    });
    assert!(outcome.is_ok(), "{outcome:?}");
}
