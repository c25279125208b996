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
    /// Which nodes are asked about its contracts, where its policy names some ([`Policy::contracts`]).
    pub nodes: AskedNodes,
}

/// Which nodes of a blockchain are asked about a deployment's contracts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AskedNodes {
    /// Those of the session, if it has any.
    #[default]
    OfSession,
    /// Others.
    Own(Arc<Nodes>),
    /// None.
    None,
}

impl AskedNodes {
    /// Those that are asked, in a session that has nodes or has none.
    pub(crate) fn or_of<'a>(&'a self, session: Option<&'a Nodes>) -> Option<&'a Nodes> {
        match self {
            Self::OfSession => session,
            Self::Own(nodes) => Some(nodes),
            Self::None => None,
        }
    }

    /// Whether any are asked, in a session that has nodes or has none.
    pub(crate) const fn ask(&self, session_asks: bool) -> bool {
        match self {
            Self::OfSession => session_asks,
            Self::Own(_) => true,
            Self::None => false,
        }
    }
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
            nodes: AskedNodes::OfSession,
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
            nodes: AskedNodes::OfSession,
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
