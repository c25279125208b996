//! How a target takes one input apart.

/// Stands between the parts of an input. Plain text, so that seeds can be read and written by hand.
pub const SEPARATOR: &[u8] = b"\n-*-\n";

/// The first `N` parts of an input; those that are missing are empty.
pub fn parts<const N: usize>(mut data: &[u8]) -> [&[u8]; N] {
    std::array::from_fn(|_| {
        let at = data
            .windows(SEPARATOR.len())
            .position(|window| window == SEPARATOR);
        let (part, rest) = match at {
            Some(at) => (&data[..at], &data[at + SEPARATOR.len()..]),
            None => (data, &[][..]),
        };
        data = rest;
        part
    })
}

/// A part that is left out where it is empty.
pub fn given(part: &[u8]) -> Option<&[u8]> {
    (!part.is_empty()).then_some(part)
}

/// Whether a JSON document that is accepted is refused with a member in front that it has already: no two readers may
/// believe two things.
pub fn with_member_in_front(object: &[u8], member: &str) -> Vec<u8> {
    let body = object.trim_ascii_start();
    let rest = body.strip_prefix(b"{").expect("what was accepted is an object");
    [b"{", member.as_bytes(), b",", rest].concat()
}
