//! Which lines were kept, removed and added: a longest common subsequence, bounded in time and memory.

use std::collections::BTreeMap;

use super::MAX_DIFF_LINES;

/// Pairs of lines that are compared at most, once what both texts begin and end with is left out. Beyond it the rest
/// counts as replaced as a whole.
const MAX_PAIRS: usize = 1 << 20;
/// Lines between what both texts begin and end with. Beyond it the rest counts as replaced as a whole.
const MAX_LINES: usize = 1 << 15;
/// Unchanged lines around a change that are listed.
pub(super) const CONTEXT: usize = 3;

/// What becomes of a line, which keeps its line end.
#[derive(Debug, Clone, Copy)]
pub(super) enum LineEdit<'a> {
    Kept(&'a str),
    Removed(&'a str),
    Added(&'a str),
}

/// The edits from one text to another: those between what both begin and end with, and some lines around them.
pub(super) struct Edits<'a> {
    /// What both texts begin with, without the lines that are listed.
    pub(super) before: &'a str,
    /// Removals before additions in each change.
    pub(super) listed: Vec<LineEdit<'a>>,
    /// What both texts end with, without the lines that are listed. Only its length matters, and only to tests.
    #[cfg_attr(not(test), expect(dead_code, reason = "proves that nothing is lost"))]
    pub(super) after: &'a str,
    /// Removed lines that are not listed.
    pub(super) more_removed: usize,
    /// Added lines that are not listed.
    pub(super) more_added: usize,
}

/// The edits from one text to another. Takes no memory for the lines that both begin or end with.
pub(super) fn edits<'a>(old: &'a str, new: &'a str) -> Edits<'a> {
    let same = |(a, b): &(&str, &str)| a == b;
    let length = |(line, _): (&str, &str)| line.len();
    let start: usize = lines(old).zip(lines(new)).take_while(same).map(length).sum();
    let (begin, old_rest) = old.split_at(start);
    let (_, new_rest) = new.split_at(start);
    let end: usize = lines(old_rest)
        .rev()
        .zip(lines(new_rest).rev())
        .take_while(same)
        .map(length)
        .sum();
    let (old_middle, old_end) = old_rest.split_at(old_rest.len() - end);
    let (new_middle, _) = new_rest.split_at(new_rest.len() - end);

    let listed_before: usize = lines(begin).rev().take(CONTEXT).map(str::len).sum();
    let (before, context_before) = begin.split_at(begin.len() - listed_before);
    let listed_after: usize = lines(old_end).take(CONTEXT).map(str::len).sum();
    let (context_after, after) = old_end.split_at(listed_after);

    let (old_count, new_count) = (lines(old_middle).count(), lines(new_middle).count());
    let replaced = old_count.saturating_mul(new_count) > MAX_PAIRS || old_count.max(new_count) > MAX_LINES;
    let mut listed: Vec<LineEdit<'a>> = lines(context_before).map(LineEdit::Kept).collect();
    let (mut more_removed, mut more_added) = (0, 0);
    if replaced {
        listed.extend(lines(old_middle).take(MAX_DIFF_LINES).map(LineEdit::Removed));
        listed.extend(lines(new_middle).take(MAX_DIFF_LINES).map(LineEdit::Added));
        more_removed = old_count.saturating_sub(MAX_DIFF_LINES);
        more_added = new_count.saturating_sub(MAX_DIFF_LINES);
    } else {
        let (old_lines, new_lines): (Vec<&str>, Vec<&str>) =
            (lines(old_middle).collect(), lines(new_middle).collect());
        align(&old_lines, &new_lines, &mut listed);
    }
    listed.extend(lines(context_after).map(LineEdit::Kept));
    Edits {
        before,
        listed,
        after,
        more_removed,
        more_added,
    }
}

/// The lines of a text with their line ends.
pub(super) fn lines(text: &str) -> impl DoubleEndedIterator<Item = &str> {
    text.split_inclusive('\n')
}

/// A longest common subsequence, by the table of the lengths that are left from each pair on.
fn align<'a>(old: &[&'a str], new: &[&'a str], edits: &mut Vec<LineEdit<'a>>) {
    // Lines become numbers, so that comparing two does not read them again.
    let mut numbers = BTreeMap::new();
    let mut number = |line: &'a str| {
        let next = numbers.len();
        *numbers.entry(line).or_insert(next)
    };
    let old_numbers: Vec<usize> = old.iter().map(|line| number(line)).collect();
    let new_numbers: Vec<usize> = new.iter().map(|line| number(line)).collect();
    let width = new.len() + 1;
    let mut left = vec![0_u32; (old.len() + 1) * width];
    let of = |left: &[u32], i: usize, j: usize| left.get(i * width + j).copied().unwrap_or_default();
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            let value = if old_numbers.get(i) == new_numbers.get(j) {
                of(&left, i + 1, j + 1) + 1
            } else {
                of(&left, i + 1, j).max(of(&left, i, j + 1))
            };
            if let Some(cell) = left.get_mut(i * width + j) {
                *cell = value;
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut pending = Vec::new();
    loop {
        match (old.get(i), new.get(j)) {
            (Some(line), Some(_)) if old_numbers.get(i) == new_numbers.get(j) => {
                edits.append(&mut pending);
                edits.push(LineEdit::Kept(line));
                (i, j) = (i + 1, j + 1);
            }
            (Some(line), other) if other.is_none() || of(&left, i + 1, j) >= of(&left, i, j + 1) => {
                edits.push(LineEdit::Removed(line));
                i += 1;
            }
            (_, Some(line)) => {
                pending.push(LineEdit::Added(line));
                j += 1;
            }
            (Some(_) | None, None) => break,
        }
    }
    edits.append(&mut pending);
}
