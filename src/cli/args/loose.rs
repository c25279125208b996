//! Evidence in loose files, as other tools write it.

use std::path::PathBuf;

use clap::Args;

use crate::recorded::loose::LooseFiles;

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Loose files")]
pub struct LooseArgs {
    /// The body of /attestation; or a bare quote (binary, hex or base64), a versioned attestation (binary or hex) or a certificate
    /// of the guest agent (PEM). `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    pub attestation: Option<PathBuf>,
    /// A bare quote in hex.
    #[arg(long, value_name = "HEX", conflicts_with = "attestation")]
    pub quote_hex: Option<String>,
    /// The body of /info.
    #[arg(long, value_name = "FILE")]
    pub info: Option<PathBuf>,
    /// The measured compose document: its exact bytes.
    #[arg(long, value_name = "FILE")]
    pub app_compose: Option<PathBuf>,
    /// Collateral: the JSON form of dcap-qvl's QuoteCollateralV3, byte fields in hex.
    #[arg(long, value_name = "FILE")]
    pub collateral: Option<PathBuf>,
    /// The nonce with which the evidence was requested: 32 bytes, 64 hex digits.
    #[arg(long, value_name = "HEX")]
    pub nonce: Option<String>,
}

impl LooseArgs {
    /// The files that they name.
    pub fn files(&self) -> LooseFiles {
        LooseFiles {
            attestation: self.attestation.clone(),
            quote_hex: self.quote_hex.clone(),
            info: self.info.clone(),
            app_compose: self.app_compose.clone(),
            collateral: self.collateral.clone(),
            nonce: self.nonce.clone(),
        }
    }
}
