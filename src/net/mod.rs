//! The HTTP client: the only module that opens connections.
//!
//! Everything on the other side may be hostile: the CVM, its host, a PCCS, anyone who answers DNS. What this floor
//! guarantees to the floors above, whatever it is told (threats T3, T25, T27, T47, T48, T49):
//!
//! * TLS is always checked against the bundled web PKI roots, plus the certificates the user names. A client that watches a
//!   server ([`Client::watching`]) also accepts the leaves that it was told to: those whose own evidence binds their key. The
//!   signature of the handshake is always checked.
//! * The environment is never read: no `HTTPS_PROXY`, no `SSL_CERT_FILE`, no system certificate store.
//! * No redirect is followed, no cookie kept, no answer cached. A connection ends with its request, unless another is about
//!   to follow ([`Client::get_json_and_stay`]).
//! * Addresses that only the runner can reach are refused, as literals and as DNS answers; what was checked is what is
//!   connected to.
//! * Bodies, headers and time are bounded while they arrive, and no server can hold up the thread that waits for it.
//!
//! An answer that passes is still untrusted bytes.

pub mod address;
mod below;
mod client;
mod error;
mod exchange;
mod exchange_threads;
mod failure;
mod github_api;
mod guard;
mod leaf;
mod limits;
mod operator;
mod resolve;
mod response;
pub mod retry;
mod secret;
mod tls;
mod trace;
mod transport;

#[cfg(test)]
#[path = "tests/loopback.rs"]
pub(crate) mod loopback;

pub(crate) use below::below;
pub use client::Client;
pub(crate) use client::STAY;
pub(crate) use error::says_absent;
pub use error::{NetError, Stage, TlsProblem, UrlProblem};
pub(crate) use github_api::github_headers;
pub use leaf::{LeafWatch, LiveChain};
pub use limits::Limits;
pub use operator::operator;
pub use reqwest::Method;
pub use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
pub use response::Response;
pub use secret::Secret;
pub use trace::Trace;
pub use transport::{SetupError, Transport};
