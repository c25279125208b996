//! Where evidence comes from. A source supplies raw bytes, bounded and unparsed: what they mean, and whether they are
//! true, is decided on other floors.

pub mod app;
pub mod chain;
mod document;
mod error;
mod found_statements;
pub mod github_attestations;
pub mod guest_agent;
mod host_label;
pub mod ingress;
pub mod kms;
mod list;
mod lookup_problem;
mod next_page;
mod nras;
pub mod phala_cloud;
mod phala_verifier;
pub mod probe;
pub mod registry;
mod row;

pub use error::{NOT_JSON_BYTES, NotJson, SourceError};
pub use found_statements::{Found, StatementBudget, TIME};
pub use host_label::{GatewayChannel, HostId, HostLabel, tls_host};
pub use list::{AskedInstances, OneInstance, Source};
pub(crate) use list::{NamedSource, SOURCE_LINES, SOURCE_NAMES, SOURCES, parse_source, row_of};
pub(crate) use lookup_problem::NO_TIME;
pub use nras::Nras;
pub use phala_verifier::PhalaVerifier;
pub(crate) use row::{ReachedBy, SourceRow};
