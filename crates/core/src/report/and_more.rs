//! The end of a list of which not everything is named.

/// `, and 3 more` behind a list that is joined by commas, `" and 3 more"` with nothing `before`. Empty if nothing was left out.
#[must_use]
pub fn and_more(before: &str, left_out: usize) -> String {
    match left_out {
        0 => String::new(),
        count => format!("{before} and {count} more"),
    }
}
