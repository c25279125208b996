//! Who signed a statement about a digest: Sigstore bundles, verified by `sigstore-verify`, with stricter rules around it.
//!
//! A [`SignedStatement`] is made in this module alone. It proves that the holder of the certificate's identity signed a statement
//! about the digest while the certificate was valid, and for the public instance that the signature is in its log. It does not
//! prove that what the statement says is true: who may say it is the policy's question.

mod bundle;
mod certificate;
#[cfg(test)]
mod instance_tests;
mod log;
mod machine_clock;
mod predicate;
mod provider;
mod refusal;
mod root;
mod statement;
pub(super) mod strict_json;
mod timestamp;
mod verify;

pub(crate) use refusal::Weight;
pub use root::SigstoreRoots;
pub use verify::SignedStatement;

// For the program.
#[doc(hidden)]
pub use self::{
    bundle::MAX_BUNDLE,
    certificate::SignerClaims,
    predicate::{COSIGN_SIGNATURE, PROVENANCE},
    refusal::Refusal,
    root::SNAPSHOT,
    verify::verify,
};

#[cfg(test)]
mod root_tests;
#[cfg(test)]
mod simulated_tests;
#[cfg(test)]
mod tests;
