//! Edits of evidence that is good: the input of the targets whose names begin with `prove`.

/// Bytes of one edit: part, kind, place (three bytes, little endian), value.
const EDIT_BYTES: usize = 6;
/// Most edits of one input.
const MAX_EDITS: usize = 8;

/// Edits some parts of evidence. Whatever the bytes are, they are a list of edits.
pub fn apply(edits: &[u8], parts: &mut [Vec<u8>]) {
    for edit in edits.chunks_exact(EDIT_BYTES).take(MAX_EDITS) {
        let place = usize::from(edit[2]) | usize::from(edit[3]) << 8 | usize::from(edit[4]) << 16;
        let (part, value) = (usize::from(edit[0]) % parts.len(), edit[5]);
        if edit[1] % 9 == 8 {
            // Another part in its place: what was signed for something else.
            parts[part] = parts[usize::from(value) % parts.len()].clone();
        } else {
            edit_one(&mut parts[part], edit[1] % 9, place, value);
        }
    }
}

fn edit_one(bytes: &mut Vec<u8>, kind: u8, place: usize, value: u8) {
    if bytes.is_empty() {
        return;
    }
    let at = place % bytes.len();
    let end = (at + 1 + usize::from(value)).min(bytes.len());
    match kind {
        0 => bytes[at] = value,
        1 => bytes[at] ^= 1 << (value % 8),
        2 => bytes.insert(at, value),
        3 => drop(bytes.remove(at)),
        4 => bytes.truncate(at),
        5 => drop(bytes.drain(at..end)),
        // The same bytes once more.
        6 => drop(bytes.splice(end..end, bytes[at..end].to_vec())),
        _ => bytes[at..end].reverse(),
    }
}

/// Text of edited bytes.
#[must_use]
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_edit_does_what_it_says() {
        let edited = |kind, place, value| {
            let mut parts = vec![b"abcdef".to_vec(), b"other".to_vec()];
            apply(&[0, kind, place, 0, 0, value], &mut parts);
            parts.swap_remove(0)
        };
        for (kind, value, expected) in [
            (0, b'x', &b"axcdef"[..]),
            (1, 0, b"accdef"),
            (2, b'x', b"axbcdef"),
            (3, 0, b"acdef"),
            (4, 0, b"a"),
            (5, 1, b"adef"),
            (6, 1, b"abcbcdef"),
            (7, 1, b"acbdef"),
            (8, 1, b"other"),
        ] {
            assert_eq!(edited(kind, 1, value), expected, "{kind}");
        }
        assert_eq!(edited(5, 6 + 5, 255), b"abcde", "places begin again at the end");
    }
}
