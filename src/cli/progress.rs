//! What a run waits for: a line that is renewed every second on a terminal, a line now and then in a log.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::engine::Progress;
use crate::env::Env;
use crate::render::escape;

/// How often the line on a terminal is renewed.
const ON_TERMINAL: Duration = Duration::from_secs(1);
/// When a log has its first line, and how often another.
const IN_LOG: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(30)];
/// Names of targets that one line has.
const MAX_NAMES: usize = 3;
/// Characters of one name.
const MAX_NAME: usize = 40;

/// Progress on standard error.
pub(super) struct ProgressLine {
    place: Place,
    shown: bool,
    total: usize,
    /// The targets that are not done, by their index.
    waiting: BTreeMap<usize, String>,
    /// When there is the next line, since the beginning.
    next: Duration,
}

/// Where it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nowhere.
    Nowhere,
    /// On a terminal that takes control sequences.
    Terminal,
    /// In a log.
    Log,
}

impl ProgressLine {
    /// Progress of these targets; silent where the user wants quiet.
    pub fn new(env: &Env, quiet: bool, names: &[&str]) -> Self {
        let is_terminal = env.stderr_is_terminal && !env.is_dumb_terminal();
        let place = match (quiet, is_terminal) {
            (true, _) => Place::Nowhere,
            (false, true) => Place::Terminal,
            (false, false) => Place::Log,
        };
        let name = |name: &&str| escape::terminal(&escape::shorten(name, MAX_NAME)).into_owned();
        Self {
            place,
            shown: false,
            total: names.len(),
            waiting: names.iter().map(name).enumerate().collect(),
            next: match place {
                Place::Log => IN_LOG[0],
                Place::Nowhere | Place::Terminal => ON_TERMINAL,
            },
        }
    }

    /// A target is done.
    pub fn done(&mut self, index: usize) {
        self.waiting.remove(&index);
    }

    /// Shows or renews the line, if it is time.
    pub fn show(&mut self, progress: Progress, env: &mut Env) {
        let elapsed = progress.elapsed;
        if self.place == Place::Nowhere || elapsed < self.next || self.waiting.is_empty() {
            return;
        }
        let line = self.line(elapsed);
        if self.place == Place::Terminal {
            self.shown = true;
            self.next = elapsed + ON_TERMINAL / 2;
            let _ = write!(env.stderr, "\r\u{1b}[K{line}");
            let _ = env.stderr.flush();
        } else {
            self.next = elapsed + IN_LOG[1];
            env.complain(&line);
        }
    }

    fn line(&self, elapsed: Duration) -> String {
        let names: Vec<&str> = self
            .waiting
            .values()
            .take(MAX_NAMES)
            .map(String::as_str)
            .collect();
        let more = match self.waiting.len() - names.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
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

    /// Removes the line.
    pub fn clear(&self, env: &mut Env) {
        if self.shown {
            let _ = write!(env.stderr, "\r\u{1b}[K");
            let _ = env.stderr.flush();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(names: &[&str]) -> ProgressLine {
        ProgressLine::new(&Env::of_process(), true, names)
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
