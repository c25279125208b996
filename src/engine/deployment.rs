//! What is verified.

use std::borrow::Cow;
use std::sync::Arc;

use crate::address::{AddressProblem, parse_address};
use crate::source::Source;
use crate::source::app::{AppEndpoints, EndpointError};
use crate::source::chain::Nodes;
use cvm_verify_core::policy::Policy;

/// One deployment to verify: where its evidence comes from, and what is expected of it.
#[derive(Clone)]
pub struct Deployment {
    /// What reports call it.
    pub name: String,
    /// Whom to ask for evidence.
    pub source: Source,
    /// What is expected of it, beside what its address names ([`Deployment::expected`]). Deployments of which the same is
    /// expected share it.
    pub policy: Arc<Policy>,
    /// The compose document, for apps that do not show theirs. Its SHA-256 decides whether it is the measured one.
    pub compose_file: Option<Arc<[u8]>>,
    /// Which nodes are asked about its contracts, if they are others than those of the session.
    pub nodes: Option<Arc<Nodes>>,
}

/// A text that is not the address of an app. It is not repeated: it may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// Not `https://…`, nor `http://…` on loopback, or with a user name or password.
    #[error("the address is not an https URL without user name and password (http is for loopback only)")]
    Refused(AddressProblem),
    /// A URL that an app cannot have.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
}

impl Deployment {
    /// An app that serves `/attestation` and `/info` below `url`.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn app(name: impl Into<String>, url: &str, policy: Policy) -> Result<Self, AddressError> {
        let source = Source::App(AppEndpoints::new(
            parse_address(url).map_err(AddressError::Refused)?,
        )?);
        Ok(Self {
            name: name.into(),
            policy: Arc::new(policy),
            source,
            compose_file: None,
            nodes: None,
        })
    }

    /// A deployment of which nothing is expected: it is only described. `compose_file` is a copy of its compose document.
    #[must_use]
    pub fn without_expectations(source: Source, compose_file: Option<Arc<[u8]>>) -> Self {
        Self {
            name: String::new(),
            source,
            policy: Arc::default(),
            compose_file,
            nodes: None,
        }
    }

    /// What it is appraised against: its policy, and the id that its address names, an app id in its host for instance.
    #[must_use]
    pub fn expected(&self) -> Cow<'_, Policy> {
        match self.source.address_id() {
            None => Cow::Borrowed(&self.policy),
            address_id => Cow::Owned(Policy {
                address_id,
                ..(*self.policy).clone()
            }),
        }
    }
}
