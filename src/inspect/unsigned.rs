//! What stands next to the quote in the JSON bodies: unsigned, useful only to notice a mix-up.

use cvm_verify_core::reference::ReferenceValues;
use cvm_verify_core::verify::ShownDocument;

use super::opened::Opened;
use super::page::{Page, short_hex};

/// Compares the unsigned copies with the quote and the event log.
pub(super) fn section(page: &mut Page, opened: &Opened<'_>) {
    let shows_document = !matches!(opened.document, ShownDocument::Absent { .. });
    if opened.echo.is_none() && opened.instance_id.is_none() && opened.registers.is_none() && !shows_document
    {
        return;
    }
    page.section("UNSIGNED: MEMBERS OF THE ANSWER");
    if let Some(echo) = opened.echo {
        let mut padded = [0; 64];
        padded.iter_mut().zip(echo).for_each(|(to, from)| *to = *from);
        let same = opened
            .report
            .as_ref()
            .is_some_and(|report| report.report_data == padded);
        page.field("report_data", hex::encode(echo)).note_if(
            same,
            "The same as REPORTDATA in the quote. Only the quote's copy is signed.",
            "This is not what the quote holds. Only the copy in the quote is signed; this copy is false.",
        );
    }
    if let Some(id) = opened.instance_id {
        let measured = opened.boot_event("instance-id");
        page.field("instance_id", hex::encode(id)).note_or_mark(
            measured.is_some_and(|measured| measured != id),
            match measured {
                None => "The instance that answered /info. The event log has no `instance-id` to compare it with.",
                Some(measured) if measured == id => "The same as the `instance-id` event.",
                Some(_) => {
                    "Not that of the `instance-id` event: /info and /attestation came from two instances, as behind a \
                     gateway that spreads requests."
                }
            },
        );
    }
    document(page, &opened.document);
    let (Some(registers), Some(report)) = (opened.registers, &opened.report) else {
        return;
    };
    let [rtmr0, rtmr1, rtmr2] = registers.rtmr;
    let [quoted0, quoted1, quoted2, _] = report.rtmr;
    for (name, claimed, quoted) in [
        ("mrtd", registers.mrtd, report.mr_td),
        ("rtmr0", rtmr0, quoted0),
        ("rtmr1", rtmr1, quoted1),
        ("rtmr2", rtmr2, quoted2),
    ] {
        page.field(name, short_hex(&claimed)).note_if(
            claimed == quoted,
            "The same as in the quote.",
            "Not the quote's value: it comes from another instance, or was made up.",
        );
    }
}

/// The measurement document of the OS image, and what follows from it.
fn document(page: &mut Page, document: &ShownDocument<[u8; 32]>) {
    let reference = ReferenceValues::built_in();
    let of = |hash: &[u8; 32]| match reference.image_by_hash(hash) {
        Some(row) => format!(
            "The hash is that of {} in the table of {}.",
            row.name,
            reference.updated()
        ),
        None => format!(
            "The hash is not in the table of {}: compare it with the release page of the image. Anyone who makes an image can make a \
             document of it.",
            reference.updated()
        ),
    };
    const NAME: &str = "measurement document";
    match document {
        ShownDocument::Absent { .. } => {}
        ShownDocument::Unusable(error) => {
            page.field(NAME, "of the OS image, in vm_config")
                .mark(format!("It cannot be used: {error}."));
        }
        ShownDocument::UnreadableConfig(error) => {
            page.field(NAME, "of the OS image, in vm_config")
                .mark(format!("It cannot be used: {error}."));
        }
        ShownDocument::NotComputable { os_image_hash, why } => {
            page.field(NAME, hex::encode(os_image_hash))
                .note(of(os_image_hash))
                .mark(format!("RTMR0 cannot be computed from it: {why}."));
        }
        ShownDocument::OpenKernel { os_image_hash } => {
            page.field(NAME, hex::encode(os_image_hash))
                .note(of(os_image_hash))
                .mark("MRTD and RTMR2 follow from it; RTMR1 does not: the kernel's header is not normalized, so RTMR1 depends on QEMU.");
        }
        ShownDocument::OtherShape {
            os_image_hash,
            computed,
        } => {
            page.field(NAME, hex::encode(os_image_hash))
                .note(of(os_image_hash))
                .mark(format!(
                    "MRTD, RTMR1 and RTMR2 follow from it; RTMR0 does not ({} does): a VM of another shape.",
                    short_hex(computed)
                ));
        }
        ShownDocument::OtherImage {
            os_image_hash,
            register,
            computed,
        } => {
            page.field(NAME, hex::encode(os_image_hash))
                .note(of(os_image_hash))
                .mark(format!(
                    "{register} does not follow from it ({} does): another image booted.",
                    short_hex(computed)
                ));
        }
        ShownDocument::Reproduces(os_image_hash) => {
            page.field(NAME, hex::encode(os_image_hash))
                .note("MRTD and RTMR0 to RTMR2 of the quote follow from it, the ACPI digests of the event log taken as they are.")
                .note(of(os_image_hash));
        }
    }
}
