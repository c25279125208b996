//! The measurement document that a guest shows next to its evidence, compared with a verified quote.

use super::document_error::DocumentError;
use super::measurement_document::MeasurementDocument;
use super::registers::AcpiDigests;
use super::td_hob::MemoryError;
use crate::evidence::{Event, Evidence, OpensUnproven, VmConfig};
use crate::verify::{Prover, VerifiedQuote};

/// Payload of the entries of RTMR0 that stand for the ACPI tables (dstack 0.6, `dstack-mr/src`).
const ACPI_DATA: &[u8] = b"ACPI DATA";
/// Their type: `EV_PLATFORM_CONFIG_FLAGS`.
const ACPI_TYPE: u32 = 0xa;

/// A published OS image whose MRTD and RTMR0 to RTMR2 are those of a verified quote, as they follow from its measurement
/// document.
///
/// It is as good as the place that published the hash. RTMR0 follows from the ACPI digests of the event log, which the host
/// chose: the tables themselves are not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentedOs {
    os_image_hash: [u8; 32],
}

impl DocumentedOs {
    /// SHA-256 of the image's checksum file, 32 bytes.
    #[must_use]
    pub const fn os_image_hash(&self) -> &[u8; 32] {
        &self.os_image_hash
    }
}

/// What became of the measurement document that a guest shows. `P` is what registers that it reproduces prove: a hash alone, where
/// nobody verified them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShownDocument<P = DocumentedOs> {
    /// None was shown, or there is no verified quote to compare it with.
    Absent {
        /// The hash that `vm_config` names: the host's word, good for advice alone.
        claimed: Option<[u8; 32]>,
    },
    /// It cannot be read unambiguously, or is not bound to its checksum file.
    Unusable(DocumentError),
    /// What stands around it in `vm_config` cannot be read.
    UnreadableConfig(String),
    /// RTMR0 cannot be computed for this VM.
    NotComputable {
        /// The hash of its checksum file.
        os_image_hash: [u8; 32],
        /// Why, a phrase.
        why: String,
    },
    /// MRTD and RTMR2 are the quote's, RTMR1 is not, and it does not follow: the kernel's header is not normalized, QEMU up to 10.1
    /// edits it, and what it then measures is in no document.
    OpenKernel {
        /// The hash of its checksum file.
        os_image_hash: [u8; 32],
    },
    /// MRTD, RTMR1 and RTMR2 are the quote's, and RTMR0 is not the one that follows for a VM of this memory and these tables. It is
    /// the image's, on a VM of a shape that is not known: `vm_config` and the event log are the host's word.
    OtherShape {
        /// The hash of its checksum file.
        os_image_hash: [u8; 32],
        /// The RTMR0 that follows, 48 bytes.
        computed: [u8; 48],
    },
    /// A register that depends on the image alone is not the quote's.
    OtherImage {
        /// The hash of its checksum file.
        os_image_hash: [u8; 32],
        /// `MRTD`, `RTMR1` or `RTMR2`.
        register: &'static str,
        /// What follows from it, 48 bytes; for MRTD, the value of QEMU 9 and later.
        computed: [u8; 48],
    },
    /// All four registers are the quote's.
    Reproduces(P),
}

impl ShownDocument {
    /// The hash of the image whose document it is, 32 bytes, where MRTD, RTMR1 and RTMR2 that follow from it are those of the quote.
    /// The VM's shape is not part of it.
    #[must_use]
    pub(crate) const fn booted_image(&self) -> Option<&[u8; 32]> {
        match self {
            Self::Reproduces(os) => Some(os.os_image_hash()),
            Self::OtherShape { os_image_hash, .. } | Self::NotComputable { os_image_hash, .. } => {
                Some(os_image_hash)
            }
            Self::Absent { .. }
            | Self::Unusable(_)
            | Self::UnreadableConfig(_)
            | Self::OpenKernel { .. }
            | Self::OtherImage { .. } => None,
        }
    }
}

impl ShownDocument<[u8; 32]> {
    /// Compares the document that the evidence shows with registers that nobody verified: to be shown, never to decide. What they
    /// reproduce is the hash of the document's image, 32 bytes.
    #[doc(hidden)]
    #[must_use]
    pub fn of_claims(
        evidence: &Evidence,
        mrtd: &[u8; 48],
        rtmrs: &[[u8; 48]; 4],
        opener: &impl OpensUnproven,
    ) -> Self {
        compare(evidence, mrtd, rtmrs.each_ref(), opener, |os_image_hash| {
            os_image_hash
        })
    }
}

/// Compares the document that the evidence shows with the quote.
pub(crate) fn shown_document(
    evidence: &Evidence,
    quote: Option<&VerifiedQuote>,
    prover: &Prover,
) -> ShownDocument {
    match quote {
        Some(quote) => compare(evidence, quote.mrtd(), quote.rtmrs(), prover, |os_image_hash| {
            DocumentedOs { os_image_hash }
        }),
        None => ShownDocument::Absent { claimed: None },
    }
}

fn compare<P>(
    evidence: &Evidence,
    mrtd: &[u8; 48],
    rtmrs: [&[u8; 48]; 4],
    opener: &impl OpensUnproven,
    reproduced: fn([u8; 32]) -> P,
) -> ShownDocument<P> {
    let Some(text) = &evidence.attestation.vm_config else {
        return ShownDocument::Absent { claimed: None };
    };
    let config = match VmConfig::parse(text.open(opener)) {
        Ok(config) => config,
        Err(error) => return ShownDocument::UnreadableConfig(error.to_string()),
    };
    let Some(material) = &config.measurement else {
        return ShownDocument::Absent {
            claimed: config.os_image_hash,
        };
    };
    let document = match MeasurementDocument::read(&material.checksum_file, &material.document) {
        Ok(document) => document,
        Err(error) => return ShownDocument::Unusable(error),
    };
    let os_image_hash = *document.os_image_hash();
    if config
        .os_image_hash
        .is_some_and(|claimed| claimed != os_image_hash)
    {
        return ShownDocument::UnreadableConfig(
            "its `os_image_hash` is not the SHA-256 of the checksum file in the same document".to_owned(),
        );
    }
    let [rtmr0, rtmr1, rtmr2, _] = rtmrs;
    let differs = |register, computed: &[u8; 48]| ShownDocument::OtherImage {
        os_image_hash,
        register,
        computed: *computed,
    };
    // What does not depend on the VM comes first: it says more.
    if document.mrtd().order_of(mrtd).is_none() {
        return differs("MRTD", &document.mrtd().single_pass);
    }
    if document.rtmr1() != rtmr1 {
        return match document.is_header_normalized() || document.rtmr2() != rtmr2 {
            true => differs("RTMR1", document.rtmr1()),
            false => ShownDocument::OpenKernel { os_image_hash },
        };
    }
    if document.rtmr2() != rtmr2 {
        return differs("RTMR2", document.rtmr2());
    }
    let events = evidence
        .attestation
        .event_log
        .as_ref()
        .map(|log| log.open(opener).as_slice());
    match rtmr0_of(&document, &config, events.unwrap_or_default()) {
        Err(why) => ShownDocument::NotComputable { os_image_hash, why },
        Ok(computed) if computed != *rtmr0 => ShownDocument::OtherShape {
            os_image_hash,
            computed,
        },
        Ok(_) => ShownDocument::Reproduces(reproduced(os_image_hash)),
    }
}

fn rtmr0_of(document: &MeasurementDocument, config: &VmConfig, events: &[Event]) -> Result<[u8; 48], String> {
    let memory = config
        .memory_size
        .ok_or_else(|| "`vm_config` does not say how much memory the VM has".to_owned())?;
    let digests: Vec<[u8; 48]> = events
        .iter()
        .filter(|event| (event.imr, event.event_type, event.payload.as_slice()) == (0, ACPI_TYPE, ACPI_DATA))
        .filter_map(|event| event.digest)
        .collect();
    let count = digests.len();
    let acpi = <[[u8; 48]; 3]>::try_from(digests)
        .map(AcpiDigests)
        .map_err(|_| format!("the event log has {count} digests of ACPI tables; 3 are expected"))?;
    document
        .rtmr0(memory, &acpi)
        .map_err(|error: MemoryError| error.to_string())
}
