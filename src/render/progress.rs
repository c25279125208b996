//! What a run waits for: a line that is renewed every second on a terminal, a line now and then in a log.

use std::collections::BTreeMap;
use std::time::Duration;

use super::escape;
use cvm_verify_core::report::and_more;

/// How often the line on a terminal is renewed.
const ON_TERMINAL: Duration = Duration::from_secs(1);
/// When a log has its first line, and how often another.
const IN_LOG: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(30)];
/// Names of targets that one line has.
const MAX_NAMES: usize = 3;
/// Characters of one name.
const MAX_NAME: usize = 40;

/// What a run waits for, as a text for standard error.
pub(crate) struct ProgressLine {
    place: ShownOn,
    shown: bool,
    total: usize,
    /// The targets that are not done, by their index.
    waiting: BTreeMap<usize, String>,
    /// When there is the next line, since the beginning.
    next: Duration,
}

/// Where it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ShownOn {
    /// Nowhere.
    Nowhere,
    /// On a terminal that takes control sequences.
    Terminal,
    /// In a log.
    Log,
}

impl ProgressLine {
    /// Progress of these targets.
    pub fn new(place: ShownOn, names: &[&str]) -> Self {
        let name = |name: &&str| escape::terminal(&escape::shorten(name, MAX_NAME)).into_owned();
        Self {
            place,
            shown: false,
            total: names.len(),
            waiting: names.iter().map(name).enumerate().collect(),
            next: match place {
                ShownOn::Log => IN_LOG[0],
                ShownOn::Nowhere | ShownOn::Terminal => ON_TERMINAL,
            },
        }
    }

    /// A target is done.
    pub fn done(&mut self, index: usize) {
        self.waiting.remove(&index);
    }

    /// The text to write now, if it is time: the line, or what renews it on a terminal. `elapsed` is since the beginning.
    pub fn show(&mut self, elapsed: Duration) -> Option<String> {
        if self.place == ShownOn::Nowhere || elapsed < self.next || self.waiting.is_empty() {
            return None;
        }
        let line = self.line(elapsed);
        Some(match self.place {
            ShownOn::Terminal => {
                self.shown = true;
                self.next = elapsed + ON_TERMINAL / 2;
                format!("\r\u{1b}[K{line}")
            }
            ShownOn::Log | ShownOn::Nowhere => {
                self.next = elapsed + IN_LOG[1];
                format!("{line}\n")
            }
        })
    }

    fn line(&self, elapsed: Duration) -> String {
        let names: Vec<&str> = self
            .waiting
            .values()
            .take(MAX_NAMES)
            .map(String::as_str)
            .collect();
        let more = and_more("", self.waiting.len() - names.len());
        let count = match self.total {
            1 => String::new(),
            total => format!(" ({} of {total} done)", total - self.waiting.len()),
        };
        format!(
            "Waiting for {}{more} …{count} {} s",
            names.join(", "),
            elapsed.as_secs()
        )
    }

    /// The text that removes the line, if one is shown.
    pub fn clear(&self) -> Option<&'static str> {
        self.shown.then_some("\r\u{1b}[K")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(names: &[&str]) -> ProgressLine {
        ProgressLine::new(ShownOn::Log, names)
    }

    #[test]
    fn a_terminal_renews_its_line_and_a_log_has_one_now_and_then() {
        let at = |seconds| Duration::from_secs(seconds);
        let mut log = progress(&["a"]);
        assert_eq!(log.show(at(9)), None);
        assert_eq!(log.show(at(10)).as_deref(), Some("Waiting for a … 10 s\n"));
        assert_eq!(log.show(at(39)), None);
        assert!(log.show(at(40)).is_some() && log.clear().is_none());
        let mut terminal = ProgressLine::new(ShownOn::Terminal, &["a"]);
        assert_eq!(terminal.clear(), None);
        assert_eq!(
            terminal.show(at(1)).as_deref(),
            Some("\r\u{1b}[KWaiting for a … 1 s")
        );
        assert!(terminal.show(at(2)).is_some());
        assert_eq!(terminal.clear(), Some("\r\u{1b}[K"));
        terminal.done(0);
        assert_eq!(terminal.show(at(9)), None);
        assert_eq!(ProgressLine::new(ShownOn::Nowhere, &["a"]).show(at(99)), None);
    }

    #[test]
    fn it_says_what_is_waited_for() {
        let second = Duration::from_secs(3);
        assert_eq!(
            progress(&["a.example"]).line(second),
            "Waiting for a.example … 3 s"
        );
        let mut several = progress(&["a", "b", "c", "d", "e\u{1b}[2J"]);
        assert_eq!(
            several.line(second),
            "Waiting for a, b, c and 2 more … (0 of 5 done) 3 s"
        );
        for index in 0..4 {
            several.done(index);
        }
        assert_eq!(
            several.line(second),
            "Waiting for e\\u{1b}[2J … (4 of 5 done) 3 s"
        );
    }
}
