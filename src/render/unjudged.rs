//! What a step of GitHub Actions shows of a run that ended before a verdict: a wrong input, a file that is not there.

use super::escape::{prose, shorten, workflow_data, workflow_property};
use super::marks;
use cvm_verify_core::report::Verdict;

/// Longest cause, in characters: it may quote what the user wrote.
const MAX_CAUSE: usize = 400;
const TITLE: &str = "cvm-verify: nothing was verified";

/// A run that ended before a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unjudged {
    /// Why. May hold text of strangers: a path, an address, a value.
    pub cause: String,
    /// What to do about it, in our own words.
    pub next: &'static str,
}

impl Unjudged {
    /// One `::error` command, with a final newline.
    #[must_use]
    pub fn annotation(&self) -> String {
        format!(
            "::error title={}::{} What to do: {}\n",
            workflow_property(TITLE),
            workflow_data(&self.sentence()),
            workflow_data(self.next),
        )
    }

    /// The job summary: the cause in the first line, the next step in the second.
    #[must_use]
    pub fn summary(&self) -> String {
        format!(
            "### {} INCONCLUSIVE: nothing was verified. {}\n\n**What to do:** {}\n\n",
            marks::verdict(Verdict::Inconclusive, true),
            prose(&self.sentence()),
            prose(self.next),
        )
    }

    /// The cause on one line, with an end.
    #[must_use]
    pub fn sentence(&self) -> String {
        let words: Vec<&str> = self.cause.split_whitespace().collect();
        let line = words.join(" ");
        let end = if line.ends_with(['.', '!', '?', '…']) {
            ""
        } else {
            "."
        };
        shorten(&format!("{line}{end}"), MAX_CAUSE).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::hostile::{hostile, is_dangerous};
    use proptest::prelude::*;

    fn of(cause: &str) -> Unjudged {
        Unjudged {
            cause: cause.to_owned(),
            next: "Correct it, and run the job again.",
        }
    }

    #[test]
    fn cause_and_next_step_are_the_first_two_lines() {
        let unjudged = of("cvm.lock: cannot be read: No such file\n  or directory");
        assert_eq!(
            unjudged.annotation(),
            "::error title=cvm-verify%3A nothing was verified::cvm.lock: cannot be read: No such file or directory. \
             What to do: Correct it, and run the job again.\n"
        );
        let summary = unjudged.summary();
        let lines: Vec<&str> = summary.lines().filter(|line| !line.is_empty()).collect();
        assert!(
            lines[0].contains("INCONCLUSIVE: nothing was verified. cvm.lock: cannot be read"),
            "{summary}"
        );
        assert_eq!(lines[1], "**What to do:** Correct it, and run the job again.");
        assert_eq!(lines.len(), 2);
    }

    proptest! {
        #[test]
        fn hostile_text_adds_no_command_no_line_and_no_markup(text in hostile()) {
            let annotation = of(&text).annotation();
            prop_assert_eq!(annotation.lines().count(), 1);
            prop_assert!(!annotation.trim_end().chars().any(is_dangerous), "{annotation:?}");
            let summary = of(&text).summary();
            prop_assert_eq!(summary.lines().count(), 4, "{}", summary);
            prop_assert!(!summary.contains("<script") && !summary.contains("](") && !summary.contains("<!--"));
        }
    }
}
