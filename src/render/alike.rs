//! Targets whose checks say the same: a fleet that fails for one cause says so once.

use std::collections::BTreeMap;

use super::words;
use cvm_verify_core::report::{Status, TargetReport};

/// How many targets that are alike are shown in full. Of more, the first is, and the others are named.
const SHOWN_IN_FULL: usize = 3;

/// Targets in groups of those that are alike, in the order of the first of each. A group of several is shown by its first one.
pub(super) fn groups<'t>(targets: impl Iterator<Item = &'t TargetReport>) -> Vec<Vec<&'t TargetReport>> {
    let mut groups: Vec<Vec<&TargetReport>> = Vec::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for target in targets {
        let next = groups.len();
        let at = *known.entry(results(target)).or_insert(next);
        match groups.get_mut(at) {
            Some(group) => group.push(target),
            None => groups.push(vec![target]),
        }
    }
    let apart = |group: Vec<_>| match group.len() <= SHOWN_IN_FULL {
        true => group.into_iter().map(|one| vec![one]).collect(),
        false => vec![group],
    };
    groups.into_iter().flat_map(apart).collect()
}

/// The verdict line and every result; with the values where something is to be looked at. What a check that passes found, such as an
/// id of the instance, may differ.
fn results(target: &TargetReport) -> String {
    let of_checks = target.checks.iter().map(|check| {
        let is_fine = matches!(check.status, Status::Pass | Status::Skip);
        let values = (!is_fine).then(|| {
            let words = check.detail.split_whitespace();
            let is_own_name = |word: &&str| word.trim_matches(|c: char| !c.is_alphanumeric()) == target.name;
            let others: Vec<&str> = words.filter(|word| !is_own_name(word)).collect();
            (&check.expected, &check.actual, others)
        });
        format!("{:?}", (check.id, check.status, &check.reason, values))
    });
    let verdict = words::verdict(target);
    [format!("{verdict:?} {:?}", target.trust_root)]
        .into_iter()
        .chain(of_checks)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;
    use cvm_verify_core::report::CheckId;

    fn named(target: &TargetReport, name: &str) -> TargetReport {
        TargetReport {
            name: name.to_owned(),
            ..target.clone()
        }
    }

    fn names(targets: &[TargetReport]) -> Vec<Vec<&str>> {
        let groups = groups(targets.iter());
        groups
            .iter()
            .map(|group| group.iter().map(|target| target.name.as_str()).collect())
            .collect()
    }

    #[test]
    fn four_targets_that_are_alike_are_one_group_and_three_are_not() {
        let fail = samples::fail();
        let mut targets: Vec<TargetReport> = ["a", "b", "c"].map(|name| named(&fail, name)).into();
        assert_eq!(names(&targets), [["a"], ["b"], ["c"]]);
        // Another value of the check that fails is another cause; of one that does not, it is none.
        let mut other = named(&fail, "x");
        for check in &mut other.checks {
            if check.id == CheckId::ComposeHash {
                check.actual = Some("00".repeat(32));
            }
        }
        targets.push(other);
        let mut last = named(&fail, "d");
        for check in &mut last.checks {
            if check.status == Status::Skip {
                check.actual = Some("another id".to_owned());
            }
        }
        targets.push(last);
        assert_eq!(names(&targets), [&["a", "b", "c", "d"][..], &["x"]]);
        // So is another sentence; the target's own name in it is none.
        for target in &mut targets {
            let name = target.name.clone();
            for check in target
                .checks
                .iter_mut()
                .filter(|check| check.id == CheckId::ComposeHash)
            {
                check.actual = None;
                check.detail = format!(
                    "{name}: {}.",
                    if name == "x" { "not found" } else { "no connection" }
                );
            }
        }
        assert_eq!(names(&targets), [&["a", "b", "c", "d"][..], &["x"]]);
    }
}
