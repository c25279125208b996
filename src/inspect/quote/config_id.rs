//! MRCONFIGID: 48 bytes that the host chooses and a dstack guest checks (dstack, `dstack-types/src/mr_config.rs`).

use super::{TdReport, or_zeros};
use crate::inspect::opened::Opened;
use crate::inspect::page::Page;
use cvm_verify_core::verify::digest::sha256;

pub(super) fn show(page: &mut Page, opened: &Opened<'_>, report: &TdReport) {
    let [tag, rest @ ..] = &report.mr_config_id;
    let (hash, tail) = rest.split_at(32);
    page.field("MRCONFIGID", or_zeros(&report.mr_config_id));
    if report.mr_config_id == [0; 48] {
        page.note(
            "Chosen by the host at launch. Zero: unbound, as on guests up to dstack 0.5.0 and self-hosted ones. Only the \
             event log then says which compose document was started.",
        );
        return;
    }
    match tag {
        1 => {
            page.note(
                "Tag 01: the SHA-256 of the compose document follows. The usual form since dstack 0.5.1.",
            );
            compare(
                page,
                "compose document",
                hash,
                opened.compose.map(|text| sha256(text.as_bytes())).as_ref(),
            );
            compare(
                page,
                "`compose-hash` event",
                hash,
                opened.boot_event("compose-hash"),
            );
        }
        2 => {
            page.note(
                "Tag 02: a Keccak-256 over compose hash, app id and key provider follows. `inspect` does \
                not compute it; `verify` does (`mr-config-id`).",
            );
        }
        3 => {
            page.note(
                "Tag 03: the SHA-256 of a configuration document follows. `inspect` does not compute it; `verify` does \
                 (`mr-config-id`).",
            );
        }
        other => {
            page.mark(format!(
                "Tag {other:02x} is unknown: 01, 02 and 03 have a meaning."
            ));
        }
    }
    if tail.iter().any(|byte| *byte != 0) {
        page.mark("The last 15 bytes are not zero, as they must be.");
    }
}

fn compare<T: AsRef<[u8]> + ?Sized>(page: &mut Page, what: &str, hash: &[u8], other: Option<&T>) {
    match other {
        None => page.note(format!("There is no {what} to compare it with.")),
        Some(other) if other.as_ref() == hash => page.note(format!("The same hash as that of the {what}.")),
        Some(_) => page.mark(format!("Not the hash of the {what}.")),
    };
}
