//! The TDX module that runs the VM: Intel's software between host and VM.

use super::{TdReport, or_zeros};
use crate::inspect::page::Page;

/// Known modules by MRSEAM (recorded quotes). Values of which only the beginning was published are not here.
const MODULES: [(&str, &str); 6] = [
    (
        "5b38e33a6487958b72c3c12a938eaa5e3fd4510c51aeeab58c7d5ecee41d7c436489d6c8e4f92f160b7cad34207b00c1",
        "TDX module 1.5.06",
    ),
    (
        "49b66faa451d19ebbdbe89371b8daf2b65aa3984ec90110343e9e2eec116af08850fa20e3b1aa9a874d77a65380ee7e6",
        "TDX module 1.5.08",
    ),
    (
        "7bf063280e94fb051f5dd7b1fc59ce9aac42bb961df8d44b709c9b0ff87a7b4df648657ba6d1189589feab1d5a3c9a9d",
        "TDX module 1.5.16",
    ),
    (
        "d0d80c085166ba78ccc69af268e5753cf0f3394523cb4ff7c50b08d9265c82489c099c377be6a400e4d2b57da924012c",
        "a TDX module 1.5 with SVN 12 (its exact version was not published)",
    ),
    (
        "685f891ea5c20e8fa27b151bf34bf3b50fbaf7143cc53662727cbdb167c0ad8385f1f6f3571539a91e104a1c96d75e04",
        "TDX module 2.0.02 (Granite Rapids)",
    ),
    (
        "476a2997c62bccc78370913d0a80b956e3721b24272bc66c4d6307ced4be2865c40e26afac75f12df3425b03eb59ea7c",
        "TDX module 2.0.08 (Granite Rapids)",
    ),
];

pub(super) fn show(page: &mut Page, report: &TdReport) {
    page.field("TEE_TCB_SVN", hex::encode(report.tee_tcb_svn))
        .note(svn(&report.tee_tcb_svn))
        .note("Security versions only grow; collateral says which are up to date.");
    let mr_seam = hex::encode(report.mr_seam);
    let known = MODULES.iter().find(|(value, _)| *value == mr_seam);
    page.field("MRSEAM", &mr_seam)
        .note(match known {
            Some((_, name)) => format!("SHA-384 of the TDX module. This is the value of {name}."),
            None => "SHA-384 of the TDX module. It is none of the few values that this version knows, which is common: \
                     every release of Intel's has its own."
                .to_owned(),
        });
    let intel = report.mr_signer_seam == [0; 48];
    page.field("MRSIGNERSEAM", or_zeros(&report.mr_signer_seam))
        .note_if(
            intel,
            "Who signed the TDX module: zero means Intel.",
            "Who signed the TDX module: not Intel, whose value is zero.",
        );
    let none = report.seam_attributes == [0; 8];
    page.field("SEAMATTRIBUTES", hex::encode(report.seam_attributes))
        .note_if(
            none,
            "Attributes of the TDX module: none, as it must be in production.",
            "Attributes of the TDX module, which are zero in production: this may be a debug build.",
        );
}

/// What the bytes of a TEE_TCB_SVN say.
pub(super) fn svn(svn: &[u8; 16]) -> String {
    let [minor, major, loader, ..] = svn;
    format!("TDX module generation {major} with security version {minor}, SEAM loader {loader}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_module_is_a_whole_value() {
        for (value, name) in MODULES {
            assert_eq!(hex::decode(value).unwrap().len(), 48, "{name}");
        }
    }
}
