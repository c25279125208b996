//! Contracts that govern an app: which are asked about, and what was answered. The answers go into the bundle, so that a replay
//! says the same.

use std::sync::Arc;

use super::collected::Collection;
use super::jitter::jitter;
use super::{Session, TimeLimits};
use crate::source::chain::{ALL_ANSWERS, Nodes};
use cvm_verify_core::checks::named_os_image;
use cvm_verify_core::evidence::{Contracts, RecordedChain};
use cvm_verify_core::policy::{GovernanceMode, Policy};
use cvm_verify_core::reference::{GovernedBy, ReferenceValues};
use cvm_verify_core::verify::Claims;

/// Which contracts are asked about.
#[derive(Clone)]
pub enum AskedContracts {
    /// None.
    None,
    /// Those that a policy names.
    Named(Contracts, Box<Policy>),
    /// Those of the app that answers, to write them down for review.
    Found {
        /// What the user wrote of them.
        written: ContractHints,
        /// Chain and contract of the KMS, as somebody else says.
        said: Option<(u64, [u8; 20])>,
        /// Which KMSs are known.
        reference: Arc<ReferenceValues>,
    },
}

/// What is known of contracts before they are pinned. The reference values say the rest for a known KMS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ContractHints {
    /// The chain's number (EIP-155).
    pub chain_id: Option<u64>,
    /// The KMS's contract, 20 bytes.
    pub kms: Option<[u8; 20]>,
}

impl AskedContracts {
    /// The contracts that a policy names, unless it waives them.
    #[must_use]
    pub fn of(policy: &Policy) -> Self {
        match policy.contracts() {
            Some(contracts) if policy.governance.mode != GovernanceMode::Unchecked => {
                Self::Named(contracts, Box::new(policy.clone()))
            }
            _ => Self::None,
        }
    }

    /// With chain and contract of the KMS as somebody else says, where they are to be found.
    #[must_use]
    pub fn with_hint(mut self, hint: Option<(u64, [u8; 20])>) -> Self {
        if let Self::Found { said, .. } = &mut self {
            *said = hint;
        }
        self
    }

    fn reference(&self) -> Option<&ReferenceValues> {
        match self {
            Self::None => None,
            Self::Named(_, policy) => Some(&policy.reference),
            Self::Found { reference, .. } => Some(reference),
        }
    }

    /// The hash of the OS image as the policy names it, 32 bytes.
    fn os_image(&self, claims: &Claims) -> Option<[u8; 32]> {
        match self {
            Self::Named(_, policy) => named_os_image(claims, policy),
            Self::None | Self::Found { .. } => None,
        }
    }

    /// Whether only somebody else says which contract governs the app: neither the user wrote it nor do the tables know its KMS.
    #[must_use]
    pub fn rests_on_hint(&self, claims: &Claims) -> bool {
        match self {
            Self::Found {
                written,
                said: Some(_),
                reference,
            } => *written == ContractHints::default() && governed_by(claims, reference).is_none(),
            _ => false,
        }
    }

    fn contracts(&self, claims: &Claims) -> Option<Contracts> {
        match self {
            Self::None => None,
            Self::Named(contracts, _) => Some(*contracts),
            Self::Found {
                written,
                said,
                reference,
            } => {
                let boot = claims.boot.as_ref().ok()?;
                let known = match governed_by(claims, reference) {
                    Some(GovernedBy::Contract { chain_id, address }) => Some((chain_id, address)),
                    _ if self.rests_on_hint(claims) => *said,
                    _ => None,
                };
                Some(Contracts {
                    chain_id: written.chain_id.or(known.map(|(chain_id, _)| chain_id))?,
                    app: *boot.app_id(),
                    kms: written.kms.or(known.map(|(_, address)| address)),
                })
            }
        }
    }
}

/// Who governs the KMS of an app, as the tables know it.
fn governed_by(claims: &Claims, reference: &ReferenceValues) -> Option<GovernedBy> {
    let boot = claims.boot.as_ref().ok()?;
    reference.kms_by_id(&boot.key_provider().id)?.governed_by()
}

/// Asks about each instance that was collected, if there are nodes to ask. Instances of one app share the answers that do not
/// differ.
pub async fn ask(
    session: &Session,
    nodes: Option<&Nodes>,
    mut collection: Collection,
    asked: &AskedContracts,
    time: TimeLimits,
) -> Collection {
    let (Some(nodes), Some(reference)) = (nodes, asked.reference()) else {
        return collection;
    };
    let mut first: Option<RecordedChain> = None;
    for instance in &mut collection.instances {
        let Some((contracts, named, subject)) = instance.claims.as_ref().ok().and_then(|claims| {
            let named = asked.os_image(claims);
            Some((
                asked.contracts(claims)?,
                named,
                claims.chain_subject(reference, named)?,
            ))
        }) else {
            continue;
        };
        let ends = time.ends(ALL_ANSWERS);
        let record = nodes
            .ask(&session.client, contracts, &subject, first.as_ref(), ends, jitter)
            .await;
        instance.change(|claims| claims.with_chain(&contracts, &record, reference, named));
        if let Some(bundle) = &mut instance.bundle {
            bundle.chain = Some(record.clone());
        }
        first.get_or_insert(record);
    }
    collection
}
