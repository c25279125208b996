//! Timestamps of a bundle (RFC 3161): which authority signed them, and that it signed a time.

use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode as _, Reader as _, SliceReader, Tag, TagNumber, Tagged as _};
use sigstore_verify::tsa;

use super::Refusal;
use super::bundle::ParsedBundle;
use super::root::Instance;

/// The signed attribute that says of what kind the signed content is (RFC 5652 §11.1).
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
/// A time (RFC 3161 §2.4.2).
const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
/// Elements of one structure of a timestamp: a real one has about 8.
const MAX_ELEMENTS: usize = 64;

/// Every timestamp must verify, under one of the instance's authorities. The library does it again and says less of why not. The
/// times that were signed, Unix seconds.
pub(super) fn judge(form: &ParsedBundle, instance: &Instance) -> Result<Vec<u64>, Refusal> {
    let signature = &form.envelope()?.signature.sig;
    let data = &form.bundle.verification_material.timestamp_verification_data;
    let mut times = Vec::new();
    for timestamp in &data.rfc3161_timestamps {
        let token = &timestamp.signed_timestamp;
        let mut worst = Refusal::TimestampUntrusted;
        let verified = instance.timestamp_authorities.iter().find_map(|authority| {
            match tsa::verify_timestamp_for_authority(token, signature, authority) {
                Ok(time) => return Some(time),
                Err(tsa::Error::HashMismatch { .. }) => worst = Refusal::TimestampOtherSignature,
                Err(tsa::Error::TimestampOutsideValidity { .. }) => worst = Refusal::TimestampOutsideValidity,
                Err(_) => (),
            }
            None
        });
        let time = verified.ok_or(worst)?;
        if !signs_a_time(token.as_bytes()) {
            return Err(Refusal::TimestampUntrusted);
        }
        times.push(u64::try_from(time.as_second()).map_err(|_| Refusal::TimeInvalid)?);
    }
    Ok(times)
}

/// Whether each signer of a timestamp signed that the content is a time: else what the authority signs for another use could serve
/// as one. The library compares the kind that stands next to the content, which nothing signs.
fn signs_a_time(timestamp: &[u8]) -> bool {
    signers(timestamp).is_some_and(|signers| {
        !signers.is_empty() && signers.iter().all(|signer| signs_tst_info(signer).is_some())
    })
}

/// The `SignerInfo`s of a `TimeStampResp`, or of the token in one.
fn signers(timestamp: &[u8]) -> Option<Vec<AnyRef<'_>>> {
    let mut token = children(AnyRef::from_der(timestamp).ok()?)?;
    // A response has its status before the token; a token begins with its kind.
    if token.first()?.tag() != Tag::ObjectIdentifier {
        token = children(*token.get(1)?)?;
    }
    let content = children(*token.get(1)?)?;
    let signed_data = children(*content.first()?)?;
    children(*signed_data.last().filter(|last| last.tag() == Tag::Set)?)
}

/// Something if the signed attributes have one content type, and it is a time.
fn signs_tst_info(signer: &AnyRef<'_>) -> Option<()> {
    // `version`, `sid`, `digestAlgorithm`, and behind them `[0] signedAttrs`.
    let signed = *children(*signer)?.get(3)?;
    let is_signed_attributes = signed.tag()
        == Tag::ContextSpecific {
            constructed: true,
            number: TagNumber(0),
        };
    let mut found = None;
    for attribute in children(signed).filter(|_| is_signed_attributes)? {
        let parts = children(attribute)?;
        let [kind, values] = parts.as_slice() else {
            return None;
        };
        if kind.decode_as::<ObjectIdentifier>().ok()? != CONTENT_TYPE {
            continue;
        }
        let values = children(*values)?;
        let [value] = values.as_slice() else { return None };
        let is_time = value.decode_as::<ObjectIdentifier>().ok()? == TST_INFO;
        if !is_time || found.replace(()).is_some() {
            return None;
        }
    }
    found
}

/// What a structure holds.
fn children(structure: AnyRef<'_>) -> Option<Vec<AnyRef<'_>>> {
    let mut reader = SliceReader::new(structure.value()).ok()?;
    let mut found = Vec::new();
    while !reader.is_finished() {
        if found.len() == MAX_ELEMENTS {
            return None;
        }
        found.push(AnyRef::decode(&mut reader).ok()?);
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use der::Encode as _;
    use proptest::prelude::*;

    use super::*;

    const SET: u8 = 0x31;
    const SEQUENCE: u8 = 0x30;
    const EXPLICIT: u8 = 0xa0;

    fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let value = parts.concat();
        assert!(value.len() < 128);
        [&[tag, u8::try_from(value.len()).unwrap()], value.as_slice()].concat()
    }

    fn attribute(kind: ObjectIdentifier, values: &[ObjectIdentifier]) -> Vec<u8> {
        let values: Vec<Vec<u8>> = values.iter().map(|value| value.to_der().unwrap()).collect();
        let values: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
        tlv(SEQUENCE, &[&kind.to_der().unwrap(), &tlv(SET, &values)])
    }

    fn signer(attributes: &[Vec<u8>]) -> Vec<u8> {
        let attributes: Vec<&[u8]> = attributes.iter().map(Vec::as_slice).collect();
        let (version, empty) = ([2, 1, 1], tlv(SEQUENCE, &[]));
        tlv(SEQUENCE, &[&version, &empty, &empty, &tlv(EXPLICIT, &attributes)])
    }

    fn token(signers: &[Vec<u8>]) -> Vec<u8> {
        let signers: Vec<&[u8]> = signers.iter().map(Vec::as_slice).collect();
        let signed_data = tlv(
            SEQUENCE,
            &[
                &[2, 1, 3],
                &tlv(SET, &[]),
                &tlv(SEQUENCE, &[]),
                &tlv(SET, &signers),
            ],
        );
        let kind = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2")
            .to_der()
            .unwrap();
        tlv(SEQUENCE, &[&kind, &tlv(EXPLICIT, &[&signed_data])])
    }

    #[test]
    fn what_is_signed_as_a_time_alone_is_one() {
        let data = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
        let digest = attribute(ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4"), &[data]);
        let time = attribute(CONTENT_TYPE, &[TST_INFO]);
        let good = signer(&[digest.clone(), time.clone()]);
        let status = tlv(SEQUENCE, &[&[2, 1, 0]]);
        assert!(signs_a_time(&token(std::slice::from_ref(&good))));
        assert!(signs_a_time(&tlv(
            SEQUENCE,
            &[&status, &token(std::slice::from_ref(&good))]
        )));
        for (name, signers) in [
            ("other content", vec![signer(&[attribute(CONTENT_TYPE, &[data])])]),
            ("no content type", vec![signer(&[digest])]),
            ("no attributes", vec![signer(&[])]),
            ("two content types", vec![signer(&[time.clone(), time])]),
            (
                "two values",
                vec![signer(&[attribute(CONTENT_TYPE, &[TST_INFO, data])])],
            ),
            ("no value", vec![signer(&[attribute(CONTENT_TYPE, &[])])]),
            ("one of two signers", vec![good, signer(&[])]),
            ("no signer", vec![]),
        ] {
            assert!(!signs_a_time(&token(&signers)), "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = signs_a_time(&bytes);
        }
    }
}
