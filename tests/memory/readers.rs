//! Every other reader of outside bytes.

use cvm_verify::alert::incident::State;
use cvm_verify::config::file::PolicyFile;
use cvm_verify::merge;
use cvm_verify_core::compose::TextDiff;
use cvm_verify_core::evidence::{
    Attestation, Bundle, Info, MAX_ATTESTATION_BYTES, MAX_INFO_BYTES, PhalaAnswer, PhalaCloudAnswer,
};
use cvm_verify_core::lock::Lock;

use crate::{MIB, shapes, takes_at_most};

#[test]
fn t83_a_body_of_a_cvm_takes_a_multiple_of_its_own_bytes() {
    let _alone = crate::alone();
    takes_at_most(40, shapes::json(MAX_ATTESTATION_BYTES), |text| {
        let _ = Attestation::parse(text.as_bytes());
    });
    let quoted = shapes::json(MIB).into_iter().map(|(name, text)| {
        let quoted = serde_json::json!({ "tcb_info": text }).to_string();
        (name, quoted)
    });
    let infos = shapes::json(MAX_INFO_BYTES - 64).into_iter().chain(quoted);
    takes_at_most(80, infos, |text| {
        let _ = Info::parse(text.as_bytes());
    });
}

#[test]
fn t83_a_bundle_takes_a_multiple_of_its_own_bytes() {
    let _alone = crate::alone();
    let bundles = shapes::json(31 * MIB).into_iter().map(|(name, text)| {
        let head = r#"{"schema":"cvm-verify/evidence/v1","captured_at":"2026-01-01T00:00:00Z","source":{"kind":"app","url":null}"#;
        (name, format!("{head},\"nonce\":null,\"attestation\":{{}},\"info\":{text}}}"))
    });
    takes_at_most(100, bundles, |text| {
        if let Ok(bundle) = Bundle::parse(text.as_bytes()) {
            let _ = bundle.evidence();
        }
    });
}

#[test]
fn t84_binary_attestations_allocate_nothing_before_it_is_there() {
    let _alone = crate::alone();
    // Heads that claim far more than follows, and lists of many small values.
    let mut inputs: Vec<(&str, Vec<u8>)> = vec![
        (
            "a MessagePack map of 2^32 members",
            vec![0xdf, 0xff, 0xff, 0xff, 0xff],
        ),
        (
            "a SCALE list of 2^30 items",
            vec![0x00, 0x00, 0xfe, 0xff, 0xff, 0xff],
        ),
    ];
    let mut nested = vec![0x81, 0xa1, b'a'];
    nested.extend(vec![0x91; 4 * MIB]);
    inputs.push(("nested MessagePack lists", nested));
    let mut numbers = vec![0x81, 0xa1, b'a', 0xdd, 0x00, 0x40, 0x00, 0x00];
    numbers.extend(vec![0x01; 4 * MIB]);
    inputs.push(("a MessagePack list of numbers", numbers));
    inputs.push(("zeros", vec![0; 9 * MIB]));
    takes_at_most(40, inputs, |bytes| {
        let _ = Attestation::of_bytes(bytes);
    });
}

#[test]
fn t85_services_beside_the_cvm_are_read_within_bounds() {
    let _alone = crate::alone();
    takes_at_most(80, shapes::json(16 * MIB), |text| {
        let _ = PhalaCloudAnswer::parse(text.as_bytes(), &[0xa0; 20]);
    });
    takes_at_most(20, shapes::json(MIB), |text| {
        let _ = PhalaAnswer::parse(text);
    });
    takes_at_most(20, shapes::json(MIB), |text| {
        let _ = cvm_verify_core::evidence::collateral::parse(text.as_bytes());
    });
}

#[test]
fn t86_files_are_read_within_bounds() {
    let _alone = crate::alone();
    let toml = |size: usize| {
        [
            ("keys in TOML", "a=1\n".repeat(size / 4)),
            ("numbers in TOML", format!("a=[{}]\n", "0,".repeat(size / 2 - 8))),
            ("tables in TOML", "[[a]]\n".repeat(size / 6)),
            ("nested lists in TOML", format!("a={}", "[".repeat(size - 8))),
            (
                "inline tables in TOML",
                format!("a=[{}]\n", "{b=1},".repeat(size / 6 - 8)),
            ),
            (
                "dotted keys in TOML",
                format!("a{}=1\n", ".a".repeat(size / 2 - 8)),
            ),
            ("targets in TOML", "[[target]]\nurl=\"\"\n".repeat(size / 18)),
        ]
    };
    takes_at_most(80, toml(256 * 1024), |text| {
        let _ = PolicyFile::read(text.as_bytes(), "cvm-verify.toml");
    });
    takes_at_most(80, toml(256 * 1024), |text| {
        let _ = Lock::read_file(text.as_bytes(), "cvm.lock");
    });
    takes_at_most(80, shapes::json(16 * MIB), |text| {
        let _ = State::parse(text.as_bytes());
    });
    takes_at_most(144, shapes::json(32 * MIB), |text| {
        let _ = merge::read("report.json", text.as_bytes());
    });
}

#[test]
fn t87_the_difference_of_two_texts_does_not_grow_with_their_lines() {
    let _alone = crate::alone();
    let size = 4 * MIB;
    let numbered: String = (0..size / 8).map(|line| format!("{line:07}\n")).collect();
    let texts = [
        ("line ends against numbers", ("\n".repeat(size), numbered.clone())),
        (
            "one line more in the middle",
            (
                numbered.clone(),
                numbered.replacen("0100000\n", "0100000\nx\n", 1),
            ),
        ),
        ("one line against many", ("x\n".to_owned(), "\n".repeat(size))),
        (
            "another line each",
            (numbered.clone(), numbered.replace('\n', " \n")),
        ),
        (
            "carriage returns",
            (numbered.clone(), numbered.replace('\n', "\r\n")),
        ),
        ("two long lines", ("x".repeat(size), "y".repeat(size))),
        ("nothing against many", (String::new(), numbered)),
    ];
    takes_at_most(40, texts, |(old, new)| {
        assert!(TextDiff::of(old, new).lines.len() <= 41);
    });
}
