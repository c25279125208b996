//! The targets of a message that is about several.

use super::sanitize::units;

/// The targets of a message that is about several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// Their names, each of at most 60 characters.
    pub names: Vec<String>,
    /// Which part of them is named first where not all fit: 0 is the beginning. Reminders go on from day to day.
    pub turn: usize,
}

impl Digest {
    /// [`Digest::line`] as a channel writes it, in at most `max` units. `plain` is how the channel writes text.
    pub(super) fn written(&self, max: usize, plain: impl Fn(&str, usize) -> String) -> String {
        plain(&self.line(max, |text| plain(text, usize::MAX)), max)
    }

    /// The targets in one line of at most `max` UTF-16 units: as many names as fit, how many are left, and where these are
    /// named. `escape` is what the channel makes of a text; the caller applies it to the line.
    #[must_use]
    pub fn line(&self, max: usize, escape: impl Fn(&str) -> String) -> String {
        let count = self.names.len();
        let lengths: Vec<usize> = self
            .names
            .iter()
            .map(|name| units(&escape(name)) + SEPARATOR.len())
            .collect();
        let all = format!("{count} targets: {}", self.names.join(SEPARATOR));
        if units(&escape(&all)) <= max {
            return all;
        }
        let (start, end) = (beginning(count, count), rest(count));
        let room = max.saturating_sub(units(&escape(&start)) + units(&escape(&end)));
        let from = |first: usize| {
            let mut used = 0;
            let lengths = lengths.iter().cycle().skip(first).take(count);
            lengths
                .take_while(|length| {
                    used += **length;
                    used <= room
                })
                .count()
        };
        // As many as fit wherever one begins, so that no name is left out between two turns.
        let step = room / lengths.iter().max().copied().unwrap_or(1).max(1);
        let first = self.turn.saturating_mul(step.max(1)) % count.max(1);
        let shown = from(first);
        let names: Vec<&str> = self
            .names
            .iter()
            .cycle()
            .skip(first)
            .take(shown)
            .map(String::as_str)
            .collect();
        format!(
            "{}{}{}",
            beginning(shown, count),
            names.join(SEPARATOR),
            rest(count - shown)
        )
    }
}

const SEPARATOR: &str = ", ";

fn beginning(shown: usize, count: usize) -> String {
    format!("{shown} of {count} targets: ")
}

fn rest(left: usize) -> String {
    format!(
        " and {left} more: the run's report names them, and of `watch` its log (event `verified`) and /metrics"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(count: usize, turn: usize) -> Digest {
        let names = (1..=count).map(|number| format!("shop-{number}")).collect();
        Digest { names, turn }
    }

    #[test]
    fn all_are_named_where_they_fit() {
        let line = digest(37, 0).line(1000, str::to_owned);
        assert!(
            line.starts_with("37 targets: shop-1, shop-2,") && line.ends_with(", shop-37"),
            "{line}"
        );
    }

    #[test]
    fn what_does_not_fit_is_counted_and_where_it_is_named_is_said() {
        let line = digest(400, 0).line(300, str::to_owned);
        assert!(units(&line) <= 300, "{line}");
        let (shown, _) = line.split_once(" of 400 targets: shop-1, ").unwrap();
        let left = 400 - shown.parse::<usize>().unwrap();
        assert!(
            line.contains(&format!(" and {left} more: the run's report names them")),
            "{line}"
        );
        // An escape takes room.
        let escaped = digest(400, 0).line(300, |text| text.replace('-', "\\-"));
        assert!(
            units(&escaped.replace('-', "\\-")) <= 300 && escaped.len() < line.len(),
            "{escaped}"
        );
    }

    #[test]
    fn each_reminder_goes_on_where_the_one_before_ended() {
        let named = |turn| {
            let line = digest(400, turn).line(300, str::to_owned);
            let (_, names) = line.split_once(": ").unwrap();
            let (names, _) = names.split_once(" and ").unwrap();
            names.split(", ").map(str::to_owned).collect::<Vec<_>>()
        };
        let (first, second) = (named(0), named(1));
        let next = format!("shop-{}", first.len() + 1);
        assert!(second[0] != first[0] && (first.contains(&second[0]) || second[0] == next));
        let all: std::collections::BTreeSet<String> = (0..60).flat_map(named).collect();
        assert_eq!(all.len(), 400);
    }

    #[test]
    fn any_limit_and_any_turn_give_a_line() {
        for max in [0, 1, 100, 200] {
            for turn in [0, 7, usize::MAX] {
                let line = digest(6, turn).line(max, str::to_owned);
                assert!(line.contains("6 targets"), "{line}");
            }
        }
    }
}
