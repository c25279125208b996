//! Under which names the instances of an app are alerted on.
//!
//! What is reported as wrong has to end some time. So an incident has the name of something that is found again in the next run: an
//! instance with a proven id, or the app as a whole, whose incident ends when all of it passes. A place in a list is no such name:
//! who lists the instances chooses their order and their number.

use std::cmp::Ordering;

use super::cause::causes;
use super::incident::{Failing, Failure, Observation, OpenInstances};
use crate::engine::is_interrupted;
use cvm_verify_core::policy::Fingerprint;
use cvm_verify_core::report::{CheckId, CheckResult, TargetReport, Verdict};

/// Up to this many instances of an app that do not pass for one cause have an incident each.
const MAX_SEPARATE: usize = 5;
/// Hex digits of an instance id. A place in a list has fewer.
const ID_DIGITS: usize = 40;

/// A report as it is alerted on.
pub(crate) struct AlertedReport {
    pub report: TargetReport,
    /// Which reports it stands for, by their index.
    pub of: Vec<usize>,
}

impl AlertedReport {
    /// What was found, at the time at which it was judged: with the measured values of all reports that it stands for.
    pub(crate) fn observation(
        &self,
        reports: &[&TargetReport],
        policy: Fingerprint,
        now: u64,
    ) -> Observation {
        let of = self.of.iter().filter_map(|index| reports.get(*index).copied());
        Observation::judged(&self.report, policy, now).of_several(of)
    }
}

/// What the reports on the target `name` are alerted on as; they are one, or one for each instance. Of one that was interrupted there
/// is nothing to say.
///
/// Under the app's own name stand those that do not pass and have proven no id of their own; more than five that do not pass for one
/// cause; those that would begin an incident when too many are open; and, with nothing else to say, the pass of all.
pub(crate) fn alerted_reports(
    name: &str,
    reports: &[&TargetReport],
    open: &OpenInstances,
) -> Vec<AlertedReport> {
    let (mut alerted, mut of_app) = (Vec::new(), Vec::new());
    let mut by_cause: Vec<(Cause, Vec<usize>)> = Vec::new();
    for (index, report) in reports.iter().enumerate() {
        if is_interrupted(report) {
            continue;
        }
        match cause(report) {
            Some(_) if !has_own_name(name, report) => of_app.push(index),
            Some(cause) => match by_cause.iter_mut().find(|(known, _)| *known == cause) {
                Some((_, same)) => same.push(index),
                None => by_cause.push((cause, vec![index])),
            },
            None if report.name == name || has_own_name(name, report) => alerted.push(index),
            // That this place passes ends nothing.
            None => {}
        }
    }
    let mut room = open.room();
    for (_, same) in by_cause {
        if same.len() > MAX_SEPARATE {
            of_app.extend(same);
            continue;
        }
        for index in same {
            let is_known = reports.get(index).is_some_and(|report| open.has(&report.name));
            if is_known || room > 0 {
                room -= usize::from(!is_known);
                alerted.push(index);
            } else {
                of_app.push(index);
            }
        }
    }
    alerted.sort_unstable();
    let report = |index: &usize| reports.get(*index).copied();
    let one = |index: usize| {
        let report = report(&index)?.clone();
        let of = vec![index];
        Some(AlertedReport { report, of })
    };
    let members: Vec<&TargetReport> = of_app.iter().filter_map(report).collect();
    let app = joined(name, members).map(|report| AlertedReport { report, of: of_app });
    let whole = whole_app(name, reports).map(|report| AlertedReport {
        report,
        of: (0..reports.len()).collect(),
    });
    alerted
        .into_iter()
        .filter_map(one)
        .chain(app)
        .chain(whole)
        .collect()
}

/// Whether `report` is on something that is found again under the same name, and is not the app: an instance by its proven id.
fn has_own_name(name: &str, report: &TargetReport) -> bool {
    let instance = report
        .name
        .strip_prefix(name)
        .and_then(|rest| rest.strip_prefix(" instance "));
    instance.is_some_and(|id| id.len() == ID_DIGITS)
}

type Cause = (Verdict, Vec<Failing>);

fn cause(report: &TargetReport) -> Option<Cause> {
    Failure::of(report, 0).map(|failure| (failure.verdict, failure.failing))
}

/// One report under the app's name on those that do not pass: the worst of them, with the causes of the others. In whatever order
/// they were listed, the causes are the same.
fn joined(name: &str, mut members: Vec<&TargetReport>) -> Option<TargetReport> {
    let order = |one: &&TargetReport, other: &&TargetReport| -> Ordering {
        let key = |report: &TargetReport| {
            let failing = cause(report).map(|(_, failing)| failing);
            (report.verdict != Verdict::Fail, failing, report.name.clone())
        };
        key(one).cmp(&key(other))
    };
    members.sort_by(order);
    let (first, others) = members.split_first()?;
    let mut app = TargetReport {
        name: name.to_owned(),
        ..(*first).clone()
    };
    for check in others.iter().flat_map(|other| causes(other)) {
        let is_same = |known: &CheckResult| {
            (known.id, known.status, &known.reason) == (check.id, check.status, &check.reason)
        };
        let named = causes(&app);
        // As many as a target can have at most: a state with more is not read.
        let is_news = named.len() < CheckId::ALL.len() && !named.into_iter().any(is_same);
        if is_news {
            app.checks.push(check.clone());
        }
    }
    Some(app)
}

/// An app that was verified by its instances and of which all pass, under its own name and with nothing else to say. That
/// its instances could not be listed is reported under that name, and so is its end. The pass is as old as the oldest of theirs.
fn whole_app(name: &str, reports: &[&TargetReport]) -> Option<TargetReport> {
    let is_pass = |report: &&TargetReport| report.name != name && report.verdict == Verdict::Pass;
    if !reports.iter().all(is_pass) {
        return None;
    }
    let oldest = reports.iter().min_by_key(|report| &report.evaluated_at)?;
    Some(TargetReport {
        name: name.to_owned(),
        checks: Vec::new(),
        ..(**oldest).clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::samples::{self, set};
    use cvm_verify_core::policy::Policy;
    use cvm_verify_core::report::Status;

    fn id(number: usize) -> String {
        format!("shop instance {number:040x}")
    }

    fn place(number: usize) -> String {
        format!("shop instance {number}")
    }

    fn named(name: String, report: TargetReport) -> TargetReport {
        TargetReport { name, ..report }
    }

    /// The names, verdicts and causes.
    fn alerted(reports: &[TargetReport]) -> Vec<(String, Verdict, Vec<String>)> {
        let reports: Vec<&TargetReport> = reports.iter().collect();
        let told = alerted_reports("shop", &reports, &OpenInstances::default())
            .into_iter()
            .map(|one| {
                let causes = causes(&one.report).into_iter().map(|check| check.id.to_string());
                (one.report.name.clone(), one.report.verdict, causes.collect())
            });
        told.collect()
    }

    fn names(reports: &[TargetReport]) -> Vec<String> {
        alerted(reports).into_iter().map(|(name, ..)| name).collect()
    }

    #[test]
    fn each_thing_that_is_found_again_has_an_incident_of_its_name() {
        let (pass, fail, open) = (samples::pass, samples::fail, samples::unreachable);
        // A target without instances, whatever it is called.
        assert_eq!(names(&[named("shop".to_owned(), pass())]), ["shop"]);
        assert_eq!(names(&[named("shop".to_owned(), fail())]), ["shop"]);
        // By its proven id.
        let two = [named(id(1), fail()), named(id(2), pass())];
        assert_eq!(names(&two), [id(1), id(2)]);
        // By its place: it is the app that does not pass.
        let mixed = [named(place(1), open()), named(id(2), pass())];
        assert_eq!(names(&mixed), [id(2), "shop".to_owned()]);
        // All of them pass: so does the app.
        let all = [named(id(1), pass()), named(place(2), pass())];
        assert_eq!(names(&all), [id(1), "shop".to_owned()]);
        // An app whose places pass, and a part of which is missing.
        let missing = [named(place(1), pass()), named("shop".to_owned(), fail())];
        assert_eq!(names(&missing), ["shop"]);
    }

    /// One lying answer of the API lists hundreds.
    #[test]
    fn however_many_are_listed_without_an_id_there_is_one_incident() {
        let many: Vec<_> = (1..=256)
            .map(|number| named(place(number), samples::unreachable()))
            .collect();
        assert_eq!(
            alerted(&many),
            [(
                "shop".to_owned(),
                Verdict::Inconclusive,
                vec!["evidence".to_owned()]
            )]
        );
    }

    #[test]
    fn more_than_five_instances_with_one_cause_have_one_incident() {
        let fails = |count: usize| (1..=count).map(|number| named(id(number), samples::fail()));
        assert_eq!(names(&fails(5).collect::<Vec<_>>()).len(), 5);
        assert_eq!(names(&fails(6).collect::<Vec<_>>()), ["shop"]);
        let mut other = named(id(7), samples::pass());
        other.verdict = Verdict::Fail;
        set(&mut other, CheckId::AppId, Status::Fail, "app-id-mismatch");
        let seven: Vec<_> = fails(6).chain([other]).collect();
        assert_eq!(names(&seven), [id(7), "shop".to_owned()]);
    }

    /// A host starts five instances with new ids in each round, and none of them ever passes.
    #[test]
    fn instances_with_ever_new_ids_have_a_bounded_number_of_incidents_and_the_app_has_one_more() {
        use super::super::incident::{PolicyEntry, Rules, State, TargetId, decide};

        let policy = Policy::default().fingerprint();
        let mut state = State::default();
        for round in 0..20 {
            let reports: Vec<TargetReport> = (0..5)
                .map(|number| named(id(1 + 5 * round + number), samples::fail()))
                .collect();
            let reports: Vec<&TargetReport> = reports.iter().collect();
            let open = state.open_instances(None, "shop");
            let alerted = alerted_reports("shop", &reports, &open);
            let is_app: Vec<bool> = alerted.iter().map(|one| one.report.name == "shop").collect();
            match round < 10 {
                true => assert_eq!(is_app, [false; 5], "{round}"),
                false => assert_eq!(is_app, [true], "{round}"),
            }
            for one in alerted {
                let at = round as u64;
                let observation =
                    Observation::of(&one.report, policy, at).of_entry(Some(PolicyEntry::new(None, "shop")));
                let target = TargetId::of(&one.report.name);
                let (next, _) = decide(state.get(target), at, &observation, &["slack"], &Rules::default());
                state.set(target, next);
            }
        }
        // One that has an incident keeps its name.
        let old = named(id(3), samples::fail());
        let open = state.open_instances(None, "shop");
        assert_eq!(alerted_reports("shop", &[&old], &open)[0].report.name, id(3));
        assert!(state.get(TargetId::of("shop")).unwrap().failure().is_some());
    }

    /// A lie is neither hidden behind an outage nor behind a failure that everybody knows; and the order says nothing.
    #[test]
    fn the_app_is_alerted_on_with_the_causes_of_all_in_any_order() {
        let mut other = named("shop".to_owned(), samples::pass());
        other.verdict = Verdict::Fail;
        set(&mut other, CheckId::AppId, Status::Fail, "app-id-mismatch");
        let mut three = vec![
            named(place(1), samples::unreachable()),
            named(place(2), samples::fail()),
            other,
        ];
        let failure = |reports: &[TargetReport]| {
            let reports: Vec<&TargetReport> = reports.iter().collect();
            let [app] = &alerted_reports("shop", &reports, &OpenInstances::default())[..] else {
                panic!("one");
            };
            Failure::of(&app.report, 0).unwrap()
        };
        let first = failure(&three);
        assert_eq!(first.verdict, Verdict::Fail);
        let checks: Vec<CheckId> = first.failing.iter().map(|one| one.check).collect();
        for wanted in [CheckId::Evidence, CheckId::ComposeHash, CheckId::AppId] {
            assert!(checks.contains(&wanted), "{wanted}: {checks:?}");
        }
        three.reverse();
        assert_eq!(failure(&three).key, first.key);
    }

    /// Where many fail for one cause, the code that only one of the others runs is news.
    #[test]
    fn the_measured_values_of_all_count_whichever_is_named_first() {
        let with = |code: [&str; 7]| -> Vec<TargetReport> {
            let one = |(number, code): (usize, &str)| {
                let mut report = named(id(number), samples::fail());
                report.measurements.compose_hash = Some(code.repeat(32).into());
                report
            };
            code.into_iter().enumerate().map(one).collect()
        };
        let measured = |reports: &[TargetReport]| {
            let reports: Vec<&TargetReport> = reports.iter().collect();
            let alerted = alerted_reports("shop", &reports, &OpenInstances::default());
            let [app] = alerted.try_into().ok().unwrap();
            let observation = app.observation(&reports, Policy::default().fingerprint(), 0);
            observation.failure.unwrap().measured.unwrap()
        };
        let alike = measured(&with(["1a"; 7]));
        // As of one instance alone: that others join it is no change.
        assert_eq!(Failure::of(&with(["1a"; 7])[3], 0).unwrap().measured, Some(alike));
        let last = with(["1a", "1a", "1a", "1a", "1a", "1a", "2b"]);
        assert_ne!(measured(&last), alike);
        let mut first = last.clone();
        first.reverse();
        assert_eq!(measured(&first), measured(&last));
    }
}
