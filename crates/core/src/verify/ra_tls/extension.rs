//! The certificate extensions of dstack, and what is in them.

use std::io::Read as _;

use der::Decode as _;
use der::asn1::OctetStringRef;
use der::oid::ObjectIdentifier;
use flate2::bufread::GzDecoder;

use super::RaTlsRefusal;

/// The arc of dstack's extensions (dstack, `ra-tls/src/{oids,cert,attestation}.rs`).
const ARC: [u32; 8] = [1, 3, 6, 1, 4, 1, 62397, 1];

/// What a compressed content begins with; one gzip member follows.
const COMPRESSED: &[u8] = b"ELGZv1";

/// Bytes of one content, inflated. dstack itself inflates at most 16 KiB; no release was seen that compresses.
const MAX_INFLATED: u64 = 64 * 1024;

/// The last number of an extension below dstack's arc, 1 to 255; `None` for any other extension.
pub(super) fn number_of(oid: ObjectIdentifier) -> Option<u32> {
    let mut arcs = oid.arcs();
    let is_below = ARC.into_iter().all(|arc| arcs.next() == Some(arc));
    match (is_below, arcs.next(), arcs.next()) {
        (true, Some(number), None) => Some(number),
        _ => None,
    }
}

/// The content of an extension: its value holds a DER OCTET STRING, which may be compressed.
pub(super) fn content(number: u32, value: &[u8]) -> Result<Vec<u8>, RaTlsRefusal> {
    let malformed = |problem: String| RaTlsRefusal::Malformed(format!("its extension .{number} {problem}"));
    let inner = <&OctetStringRef>::from_der(value)
        .map_err(|_| malformed("does not hold a DER octet string alone".to_owned()))?
        .as_bytes();
    let Some(gzip) = inner.strip_prefix(COMPRESSED) else {
        return Ok(inner.to_vec());
    };
    let mut inflated = Vec::new();
    let mut decoder = GzDecoder::new(gzip);
    decoder
        .by_ref()
        .take(MAX_INFLATED + 1)
        .read_to_end(&mut inflated)
        .map_err(|_| malformed("does not hold one gzip member after ELGZv1".to_owned()))?;
    if u64::try_from(inflated.len()).unwrap_or(u64::MAX) > MAX_INFLATED {
        return Err(malformed(format!("inflates to more than {MAX_INFLATED} bytes")));
    }
    // The reader has read the trailer; what it did not consume is after the member.
    match decoder.into_inner().is_empty() {
        true => Ok(inflated),
        false => Err(malformed("has bytes after its gzip member".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use der::Encode as _;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;

    fn octets(content: &[u8]) -> Vec<u8> {
        OctetStringRef::new(content).unwrap().to_der().unwrap()
    }

    fn compressed(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(COMPRESSED.to_vec(), Compression::best());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn problem(value: &[u8]) -> String {
        content(1, value).unwrap_err().to_string()
    }

    #[test]
    fn only_extensions_right_below_the_arc_have_a_number() {
        for (oid, number) in [
            ("1.3.6.1.4.1.62397.1.8", Some(8)),
            ("1.3.6.1.4.1.62397.1", None),
            ("1.3.6.1.4.1.62397.1.8.1", None),
            ("1.3.6.1.4.1.62397.2.8", None),
            ("2.5.29.37", None),
        ] {
            assert_eq!(number_of(ObjectIdentifier::new_unwrap(oid)), number, "{oid}");
        }
    }

    #[test]
    fn a_compressed_content_is_inflated_and_a_plain_one_is_not() {
        assert_eq!(content(2, &octets(b"[]")).unwrap(), b"[]");
        assert_eq!(content(2, &octets(&compressed(b"[1,2]"))).unwrap(), b"[1,2]");
        let most = vec![7; 64 * 1024];
        assert_eq!(content(2, &octets(&compressed(&most))).unwrap(), most);
    }

    #[test]
    fn a_member_that_inflates_to_a_gigabyte_is_cut_at_the_limit() {
        let mut encoder = GzEncoder::new(COMPRESSED.to_vec(), Compression::best());
        let zeros = vec![0; 1 << 20];
        // 64 MiB stand for it: what is read ends at 64 KiB whatever follows.
        (0..64).for_each(|_| encoder.write_all(&zeros).unwrap());
        let bomb = octets(&encoder.finish().unwrap());
        assert!(bomb.len() < 128 * 1024);
        assert!(problem(&bomb).contains("inflates to more than 65536 bytes"));
    }

    #[test]
    fn what_is_not_one_octet_string_or_one_member_is_refused() {
        let mut trailing = octets(b"x");
        trailing.push(0);
        let mut after = compressed(b"x");
        after.push(0);
        for (value, words) in [
            (Vec::new(), "octet string alone"),
            (vec![0x02, 0x01, 0x01], "octet string alone"),
            (trailing, "octet string alone"),
            (octets(b"ELGZv1"), "one gzip member"),
            (octets(b"ELGZv1not gzip"), "one gzip member"),
            (octets(&after), "bytes after its gzip member"),
        ] {
            assert!(problem(&value).contains(words), "{value:?}: {}", problem(&value));
        }
    }

    proptest! {
        #[test]
        fn no_value_panics(value in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = content(8, &value);
            let _ = content(8, &octets(&[COMPRESSED, &value].concat()));
        }
    }
}
