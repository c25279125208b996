//! The rule for GitHub's workflow commands, `::error title=PROPERTY::DATA`.

use super::terminal;

/// `text` as the data of a workflow command, on one line.
///
/// What could act or deceive becomes visible as on a [`terminal`], line ends too: an annotation of ours is one line,
/// and nothing is left to be written as `%0D` or `%0A`. A `%` becomes `%25`, so that the runner decodes nothing else.
#[must_use]
pub fn workflow_data(text: &str) -> String {
    terminal(text).replace('%', "%25")
}

/// `text` as the value of a workflow command's property: as [`workflow_data`], and `:` and `,`, which end a value.
#[must_use]
pub fn workflow_property(text: &str) -> String {
    workflow_data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::hostile::{hostile, is_dangerous};
    use proptest::prelude::*;

    /// What the runner reads (actions/runner, `ActionCommand`): properties first, `%25` last.
    fn decode(text: &str) -> String {
        text.replace("%3A", ":")
            .replace("%2C", ",")
            .replace("%0D", "\r")
            .replace("%0A", "\n")
            .replace("%25", "%")
    }

    #[test]
    fn what_ends_or_opens_a_command_is_encoded() {
        assert_eq!(workflow_data("50%, a:b"), "50%25, a:b");
        assert_eq!(workflow_data("a%0A::error::b"), "a%250A::error::b");
        assert_eq!(workflow_data("a\r\n::error::b"), "a\\r\\n::error::b");
        assert_eq!(workflow_data("##[error]"), "#\\#[error]");
        assert_eq!(workflow_property("a::b, c%"), "a%3A%3Ab%2C c%25");
    }

    proptest! {
        #[test]
        fn the_runner_reads_the_visible_text(text in hostile()) {
            let data = workflow_data(&text);
            prop_assert!(!data.chars().any(is_dangerous), "{data:?}");
            prop_assert_eq!(decode(&data), terminal(&text).into_owned());
            let property = workflow_property(&text);
            prop_assert!(!property.contains([':', ',', '\r', '\n']), "{property:?}");
            prop_assert_eq!(decode(&property), terminal(&text).into_owned());
        }
    }
}
