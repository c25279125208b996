//! Encodings of questions and answers, against vectors.

use super::*;

/// Every question but the one of a boot, with these bytes where one takes some.
fn calls(bytes: [u8; 32]) -> [Call; 15] {
    [
        Call::ComposeAllowed(bytes),
        Call::DeviceAllowed(bytes),
        Call::AnyDevice,
        Call::TcbDemanded,
        Call::Owner,
        Call::PendingOwner,
        Call::Version,
        Call::Interface(APP_AUTH),
        Call::OsImageAllowed(bytes),
        Call::KmsAllowed(bytes),
        Call::KmsInfo,
        Call::SafeThreshold,
        Call::SafeOwners,
        Call::SafeModules,
        Call::TimelockDelay,
    ]
}

#[test]
fn selectors_are_those_that_are_published() {
    for (call, selector) in [
        (Call::Owner, [0x8d, 0xa5, 0xcb, 0x5b]),
        (Call::Version, [0x54, 0xfd, 0x4d, 0x50]),
        (Call::Interface(APP_AUTH), [0x01, 0xff, 0xc9, 0xa7]),
        (Call::SafeThreshold, [0xe7, 0x52, 0x35, 0xb8]),
        (Call::SafeOwners, [0xa0, 0xe6, 0x7e, 0x2b]),
        (Call::TimelockDelay, [0xf2, 0x7a, 0x0c, 0x92]),
        (Call::ComposeAllowed([0; 32]), [0x2f, 0x66, 0x22, 0xe5]),
        (Call::Boot(Box::new(boot())), APP_AUTH),
    ] {
        assert_eq!(call.selector(), selector, "{}", call.function());
    }
    // ERC-1967: one less than the hash, which does not end in 00.
    let mut slot = Keccak256::digest(b"eip1967.proxy.implementation").to_vec();
    slot[31] -= 1;
    assert_eq!(IMPLEMENTATION_SLOT, format!("0x{}", hex::encode(slot)));
}

#[test]
fn a_call_is_named_by_its_selector() {
    for call in calls([1; 32]) {
        let data = format!("0x{}", hex::encode(call.data().as_bytes()));
        assert_eq!(function_of(&data), Some(call.function()));
    }
    let boot = format!(
        "0x{}",
        hex::encode(Call::Boot(Box::new(boot())).data().as_bytes())
    );
    assert_eq!(function_of(&boot), Some("isAppAllowed(…)"));
    for other in ["", "0x", "0x8da5cb5", "8da5cb5b", "0xffffffff"] {
        assert_eq!(function_of(other), None, "{other}");
    }
}

fn vectors() -> Option<Vec<Value>> {
    let text = simulator::recorded::text("onchain-abi/calls.json")?;
    Some(serde_json::from_str(&text).unwrap())
}

fn bytes<const N: usize>(text: &str) -> [u8; N] {
    hex::decode(text.trim_start_matches("0x"))
        .unwrap()
        .try_into()
        .unwrap()
}

/// The calls that this program makes, as another library encodes them.
#[test]
fn calls_are_encoded_as_another_library_encodes_them() {
    let Some(vectors) = vectors() else { return };
    let mut compared = 0;
    for vector in &vectors {
        let text = |name: &str| vector[name].as_str().unwrap();
        let data = text("data");
        let argument = || bytes::<32>(&data[10..74]);
        let result = hex::decode(text("result_example").trim_start_matches("0x")).unwrap();
        let expected = &vector["decoded_example"];
        let call = match text("function") {
            "allowedComposeHashes(bytes32)" => Call::ComposeAllowed(argument()),
            "allowedDeviceIds(bytes32)" => Call::DeviceAllowed(argument()),
            "allowedOsImages(bytes32)" => Call::OsImageAllowed(argument()),
            "kmsAllowedAggregatedMrs(bytes32)" => Call::KmsAllowed(argument()),
            "supportsInterface(bytes4)" => Call::Interface(bytes(&data[10..18])),
            "allowAnyDevice()" => Call::AnyDevice,
            "requireTcbUpToDate()" => Call::TcbDemanded,
            "owner()" => Call::Owner,
            "version()" => Call::Version,
            "kmsInfo()" => Call::KmsInfo,
            function if function.starts_with("isAppAllowed") => Call::Boot(Box::new(decoded_boot(data))),
            _ => continue,
        };
        compared += 1;
        assert_eq!(
            format!("0x{}", hex::encode(call.data().as_bytes())),
            data,
            "{}",
            text("name")
        );
        match call {
            Call::Owner => {
                let owner = address_text(&decode_address(&result).unwrap());
                assert_eq!(owner, expected[0].as_str().unwrap().to_lowercase());
            }
            Call::KmsInfo => {
                let info = KmsInfo::decode(&result).unwrap();
                assert_eq!(info.k256_public_key.len(), 33);
                assert!(hex::encode(&info.k256_public_key).starts_with("02a335ae"));
                assert_eq!(info.ca_public_key.len(), 91);
                assert!(hex::encode(&info.ca_public_key).ends_with("29b7425f"));
                assert!(!info.quote.is_empty() && info.event_log.starts_with(b"["));
            }
            Call::Boot(_) => {
                let (allowed, words) = decode_boot_answer(&result).unwrap();
                assert_eq!(
                    (json!(allowed), json!(words)),
                    (expected[0].clone(), expected[1].clone())
                );
            }
            Call::Version => assert_eq!(decode_u64(&result).unwrap(), NEWEST_VERSION),
            _ => assert_eq!(
                json!(decode_bool(&result).unwrap()),
                expected[0],
                "{}",
                text("name")
            ),
        }
    }
    assert!(compared >= 11, "{compared}");
}

#[test]
fn an_answer_with_bytes_behind_it_is_refused() {
    type Row = (&'static str, Vec<Vec<u8>>, fn(&[u8]) -> Option<AbiError>);
    let answers: [Row; 4] = [
        (
            "a list",
            vec![word(0x20), word(1), address_word(&OWNER)],
            |answer| decode_addresses(answer).err(),
        ),
        ("a page", vec![word(0x40), word(1), word(0)], |answer| {
            decode_page_is_filled(answer).err()
        }),
        (
            "KMS information",
            [&[0x80, 0xa0, 0xc0, 0xe0].map(word)[..], &[0; 4].map(word)].concat(),
            |answer| KmsInfo::decode(answer).err(),
        ),
        ("a boot answer", vec![word(1), word(0x40), word(0)], |answer| {
            decode_boot_answer(answer).err()
        }),
    ];
    for (name, words, error_of) in answers {
        assert_eq!(error_of(&words.concat()), None, "{name}");
        let longer = [words.concat(), word(0)].concat();
        assert!(
            matches!(error_of(&longer), Some(AbiError::Length(size, _)) if size == longer.len()),
            "{name}: {:?}",
            error_of(&longer)
        );
    }
}

#[test]
fn the_evidence_of_a_kms_is_read_as_that_of_its_bootstrap() {
    let info = KmsInfo {
        k256_public_key: vec![2; 33],
        ca_public_key: vec![3; 91],
        quote: vec![4; 8],
        event_log: b"[]".to_vec(),
    };
    let document: Value = serde_json::from_str(&info.bootstrap().unwrap()).unwrap();
    let expected = json!({
        "ca_pubkey": "03".repeat(91), "k256_pubkey": "02".repeat(33), "quote": "04".repeat(8),
        "eventlog": hex::encode("[]"),
    });
    assert_eq!(document, expected);
    let without = KmsInfo {
        quote: Vec::new(),
        ..info
    };
    assert_eq!(without.bootstrap(), None);
}
