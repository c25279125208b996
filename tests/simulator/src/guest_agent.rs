//! What the guest agent on port 8090 answers (spec §1.b).

use base64::Engine as _;

use crate::{
    cvm::Cvm,
    keys::derive_bytes,
    report_data::{ReportDataLayout, padded},
};

/// Paths of `Info`: dstack 0.5 and later, 0.3, 0.6.
pub const INFO_PATHS: [&str; 3] = ["/prpc/Info", "/prpc/Worker.Info", "/prpc/v1/Info"];

/// Path of the quote over the app's key.
pub const APP_KEY_PATH: &str = "/prpc/GetAttestationForAppKey";

impl Cvm {
    /// `GetAttestationForAppKey`: what `/attestation` says, over a key of the app instead of a nonce.
    pub fn app_key_attestation_body(&self) -> String {
        let key: [u8; 32] = derive_bytes(self.world.seed, "app key");
        let key = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(key);
        let mut cvm = self.clone();
        cvm.report_data = ReportDataLayout::Fixed(padded(format!("dip1::ed25519-pk:{key}").as_bytes()));
        cvm.attestation_body("")
    }
}
