//! What is in no quotes.

/// The parts of a text between separators that are in no quotes.
pub(super) fn split_unquoted<'t>(text: &'t str, quotes: &[char], separators: &[char]) -> Vec<&'t str> {
    let mut quote = None;
    text.split(|c: char| match quote {
        Some(open) => {
            quote = quote.filter(|_| c != open);
            false
        }
        None => {
            quote = quotes.contains(&c).then_some(c);
            separators.contains(&c)
        }
    })
    .collect()
}
