//! Text that never grows beyond a limit.

/// Text under a limit in bytes.
pub(super) struct Budget {
    text: String,
    limit: usize,
}

impl Budget {
    /// Nothing yet.
    pub(super) const fn new(limit: usize) -> Self {
        Self {
            text: String::new(),
            limit,
        }
    }

    /// Adds a part whole, or not at all if there is no room: short lines, for which some is kept.
    pub(super) fn add(&mut self, part: &str) {
        if self.has_room(part, 0) {
            self.text.push_str(part);
        }
    }

    /// Adds parts up to the first for which there is no room, so that some is left for a line that says so. Returns
    /// how many were left out; those behind the first of them are not even written.
    pub(super) fn add_whole(&mut self, mut parts: impl ExactSizeIterator<Item = String>) -> usize {
        const KEPT: usize = 1024;
        while let Some(part) = parts.next() {
            if !self.has_room(&part, KEPT) {
                return 1 + parts.len();
            }
            self.text.push_str(&part);
        }
        0
    }

    const fn has_room(&self, part: &str, kept: usize) -> bool {
        self.text.len().saturating_add(part.len()).saturating_add(kept) <= self.limit
    }

    /// What was added.
    pub(super) fn into_text(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_added_whole_or_counted() {
        let mut page = Budget::new(1024 + 10);
        let parts = ["aaaa", "bbbb", "cccc", "d"].map(str::to_owned);
        assert_eq!(page.add_whole(parts.into_iter()), 2);
        page.add("line\n");
        page.add(&"x".repeat(2_000));
        assert_eq!(page.into_text(), "aaaabbbbline\n");
    }
}
