//! A value of `--os-image`.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify_core::policy::{OsImageOption, OsImagePolicy, OsTuple, parse_os_image};
use cvm_verify_core::reference::OsClass;

fn tuple(text: &str) -> Option<OsTuple> {
    match parse_os_image(text) {
        Ok(OsImageOption::Policy(policy)) => match *policy {
            OsImagePolicy::Tuple(tuple) => Some(tuple),
            _ => None,
        },
        _ => None,
    }
}

cvm_verify_fuzz::fuzz_target!(|text: &str| {
    let Ok(OsImageOption::Policy(policy)) = parse_os_image(text) else {
        return;
    };
    match *policy {
        OsImagePolicy::Known => assert_eq!(text.trim(), "known"),
        OsImagePolicy::Unchecked => assert_eq!(text.trim(), "unchecked"),
        OsImagePolicy::Row(row) => {
            assert_eq!(row.class, OsClass::Production);
            let hash = row.os_image_hash.expect("it was found by its hash").to_string();
            assert!(text.to_ascii_lowercase().contains(&hash));
        }
        OsImagePolicy::Tuple(found) => {
            let written = found
                .named()
                .map(|(name, value)| format!("{name}={}", hex::encode(value)));
            assert_eq!(
                tuple(&written.join(",")),
                Some(found),
                "what is shown can be given"
            );
            assert_eq!(tuple(&written[1..].join(",")), None, "each register is needed");
        }
        OsImagePolicy::Lock { .. } => panic!("no text makes a lock"),
    }
});
