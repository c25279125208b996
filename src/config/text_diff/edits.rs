//! Which lines were kept, removed and added: a longest common subsequence, bounded in time and memory.

use std::collections::BTreeMap;

/// Pairs of lines that are compared at most, once what both texts begin and end with is left out. Beyond it the rest
/// counts as replaced as a whole.
const MAX_PAIRS: usize = 1 << 20;

/// What becomes of a line, which keeps its line end.
#[derive(Debug, Clone, Copy)]
pub(super) enum Edit<'a> {
    Kept(&'a str),
    Removed(&'a str),
    Added(&'a str),
}

/// The edits from one list of lines to another: removals before additions in each change.
pub(super) fn edits<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Edit<'a>> {
    let start = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (
        old.get(start..).unwrap_or_default(),
        new.get(start..).unwrap_or_default(),
    );
    let end = old_rest
        .iter()
        .rev()
        .zip(new_rest.iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let (old_middle, old_end) = old_rest.split_at(old_rest.len() - end);
    let (new_middle, _) = new_rest.split_at(new_rest.len() - end);
    let mut edits: Vec<Edit<'a>> = old.iter().take(start).copied().map(Edit::Kept).collect();
    if old_middle.len().saturating_mul(new_middle.len()) > MAX_PAIRS {
        edits.extend(old_middle.iter().copied().map(Edit::Removed));
        edits.extend(new_middle.iter().copied().map(Edit::Added));
    } else {
        align(old_middle, new_middle, &mut edits);
    }
    edits.extend(old_end.iter().copied().map(Edit::Kept));
    edits
}

/// A longest common subsequence, by the table of the lengths that are left from each pair on.
fn align<'a>(old: &[&'a str], new: &[&'a str], edits: &mut Vec<Edit<'a>>) {
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
                edits.push(Edit::Kept(line));
                (i, j) = (i + 1, j + 1);
            }
            (Some(line), other) if other.is_none() || of(&left, i + 1, j) >= of(&left, i, j + 1) => {
                edits.push(Edit::Removed(line));
                i += 1;
            }
            (_, Some(line)) => {
                pending.push(Edit::Added(line));
                j += 1;
            }
            (Some(_) | None, None) => break,
        }
    }
    edits.append(&mut pending);
}
