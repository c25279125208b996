//! A value of `--os-image`.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify_core::policy::{OsImageOption, OsImagePolicy, OsTuple, parse_os_image};

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
        OsImagePolicy::Published(named) => {
            let lower = text.to_ascii_lowercase();
            let is_shown = lower.contains(&hex::encode(named.os_image_hash))
                || named
                    .row
                    .is_some_and(|row| lower.contains(&row.name.to_ascii_lowercase()));
            assert!(is_shown, "its hash or its name was given");
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
        OsImagePolicy::Lock { .. } | OsImagePolicy::LockedImage { .. } => panic!("no text makes a lock"),
    }
});
