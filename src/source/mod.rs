//! Where evidence comes from. A source hands over raw bytes, bounded and unparsed: what they mean, and whether they are
//! true, is decided on other floors.

pub mod app;
mod error;
mod host_label;
mod phala_verifier;

pub use error::{NotJson, SourceError};
pub use host_label::{Channel, HostId, HostLabel};
pub use phala_verifier::PhalaVerifier;
