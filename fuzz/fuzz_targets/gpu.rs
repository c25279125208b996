//! GPU evidence: documents, transcripts and opaque data. Bytes that nobody signed under the root prove no device.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify_core::evidence::GpuEvidence;
use cvm_verify_core::verify::gpu::{Opaque, SpdmTranscript};

cvm_verify_fuzz::fuzz_target!(|data: &[u8]| {
    let _ = GpuEvidence::parse(data);
    if let Ok(transcript) = SpdmTranscript::parse(data) {
        assert!(transcript.measurements.keys().all(|index| *index != 0));
        let _ = Opaque::parse(&transcript.opaque);
    }
    if let Ok(Opaque::Fields(fields)) = Opaque::parse(data) {
        let _ = (
            fields.driver(),
            fields.vbios(),
            fields.board(),
            fields.feature_flag(),
        );
        for is_switch in [false, true] {
            let _ = fields.switch_ids(is_switch);
        }
    }
});
