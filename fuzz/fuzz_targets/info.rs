//! The body of `/info`.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify_core::evidence::{Attestation, Evidence, Info, QuoteBytes};
use cvm_verify_fuzz::input::with_member_in_front;

cvm_verify_fuzz::fuzz_target!(|body: &[u8]| {
    let Ok(info) = Info::parse(body) else { return };
    let blanks = [b" \n", body, b"\t\r\n"].concat();
    let again = Info::parse(&blanks).expect("blanks around a document change nothing");
    assert_eq!(again.instance_id, info.instance_id);
    assert_eq!(again.registers, info.registers);
    assert_eq!(again.app_compose, info.app_compose);
    assert_eq!(again.event_log, info.event_log);
    for twice in [
        r#""tcb_info":"","tcb_info":"""#,
        r#""instance_id":"","instance_id":"""#,
        r#""app_compose":"","app_compose":"""#,
    ] {
        assert!(
            Info::parse(&with_member_in_front(body, twice)).is_err(),
            "{twice}"
        );
    }
    // What the attestation lacks comes from here. A file of the user's comes first, and hides nothing.
    let bare = || Attestation::bare(QuoteBytes::new(vec![]).expect("short"));
    let evidence = Evidence::of_quote(bare(), Some(body), None, None).expect("it was read alone");
    assert_eq!(evidence.attestation.event_log, info.event_log);
    assert_eq!(evidence.shown_compose(), info.app_compose.as_ref());
    let evidence = Evidence::of_quote(bare(), Some(body), Some(b"mine"), None).expect("a short text");
    let mine = Evidence::of_quote(bare(), None, Some(b"mine"), None).expect("a short text");
    assert_eq!(evidence.compose_copies, mine.compose_copies);
    assert_eq!(evidence.shown_compose(), info.app_compose.as_ref());
});
