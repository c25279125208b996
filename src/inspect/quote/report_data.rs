//! REPORTDATA: 64 bytes that the app chose, and what they may be (dstack, `sdk/curl/api.md`; NEAR AI, `nearai-cloud-verifier`).

use super::TdReport;
use crate::inspect::opened::Opened;
use crate::inspect::page::Page;
use cvm_verify_core::verify::Layout;

pub(super) fn show(page: &mut Page, opened: &Opened<'_>, report: &TdReport) {
    let data = &report.report_data;
    page.field("REPORTDATA", hex::encode(data)).note(
        "64 bytes that the app had signed: usually the verifier's nonce, which shows that the quote is fresh, or a hash of \
         a key.",
    );
    match opened.nonce {
        Some(nonce) if nonce_in(page, data, nonce) => return,
        Some(nonce) => page.mark(format!(
            "It is not the nonce {} in any layout that is known: an old quote, or an unknown layout of the app.",
            hex::encode(nonce)
        )),
        None => page.note("No nonce was given, so it is not known whether it contains one."),
    };
    if let Some(guess) = guess(data) {
        page.note(guess);
    }
}

/// Says where the nonce is, if it is anywhere.
fn nonce_in(page: &mut Page, data: &[u8; 64], nonce: &[u8; 32]) -> bool {
    let (first, second) = data.split_at(32);
    let layout = Layout::that_gives(data, nonce);
    if first == nonce && layout != Some(Layout::Raw) || second == nonce && layout != Some(Layout::LeftPadded)
    {
        let (half, other) = if first == nonce {
            ("first", "second")
        } else {
            ("second", "first")
        };
        page.note(format!(
            "Its {half} half is the nonce{}; the {other} half is a value of the app, such as the hash of a key. \
             `--report-data-key` takes such a value.",
            layout.map_or_else(String::new, |layout| format!(" (layout `{layout}`)"))
        ));
    } else if let Some(layout) = layout {
        page.note(format!(
            "It is the nonce {} in the layout `{layout}`.",
            hex::encode(nonce)
        ));
    } else {
        return false;
    }
    true
}

/// What the bytes look like.
fn guess(data: &[u8; 64]) -> Option<String> {
    let used = data
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1);
    let leading = data.iter().take_while(|byte| **byte == 0).count();
    let text = data
        .get(..used)
        .filter(|text| text.len() > 3 && text.iter().all(|byte| matches!(byte, b' '..=b'~')));
    if used == 0 {
        return Some("All zero: the app had nothing signed.".to_owned());
    }
    if let Some(text) = text.and_then(|text| std::str::from_utf8(text).ok()) {
        let hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        return Some(format!(
            "It reads as text{}: {text}",
            if hex { " of hex digits" } else { "" }
        ));
    }
    match (leading, used) {
        (32.., 64) => Some(format!("It is padded on the left: {leading} zeros, then data.")),
        (_, ..64) => Some(format!("{used} bytes of data, then zeros.")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> Option<String> {
        let mut data = [0; 64];
        data[..bytes.len()].copy_from_slice(bytes);
        guess(&data)
    }

    #[test]
    fn bytes_are_guessed_by_their_looks() {
        assert_eq!(of(&[]).unwrap(), "All zero: the app had nothing signed.");
        assert_eq!(of(b"hello app").unwrap(), "It reads as text: hello app");
        assert_eq!(
            of(&[b'a'; 64]).unwrap(),
            format!("It reads as text of hex digits: {}", "a".repeat(64))
        );
        assert_eq!(of(&[0x12, 0x34]).unwrap(), "2 bytes of data, then zeros.");
        assert!(
            of(&[[0; 32], [7; 32]].concat())
                .unwrap()
                .contains("padded on the left")
        );
        assert_eq!(of(&[7; 64]), None);
    }
}
