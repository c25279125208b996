//! What does not change from target to target.

use super::second_verifiers::{Asking, SecondVerifiers};
use super::{Computation, StatementLookups, TrustRoots, clock_floor, now};
use crate::collateral::{CollateralCache, Sources};
use crate::net::Client;
use crate::source::chain::Nodes;
use crate::source::registry::RegistryCredentials;
use cvm_verify_core::verify::SignatureCache;

/// What does not change from target to target. Targets share it: one fetch of collateral serves all of a platform.
pub struct Session {
    /// How the network is reached.
    pub client: Client,
    /// Where to fetch collateral.
    pub sources: Sources,
    /// Collateral of every platform that was met.
    pub collateral_cache: CollateralCache,
    /// Whether [`Collected::bundle`](super::Collected::bundle) is made.
    pub keep_bundles: bool,
    /// Who is asked in addition to the evidence.
    pub second_verifiers: SecondVerifiers,
    /// Signatures that were found good before.
    pub signatures: SignatureCache,
    /// Which nodes of a blockchain are asked about the contracts that a policy names.
    pub nodes: Option<Nodes>,
    /// Who is asked who built the images, where a rule of the policy names a source.
    pub statements: StatementLookups,
    /// The root certificates to chain up to.
    pub roots: TrustRoots,
    /// Where evidence is verified and judged.
    pub computation: Computation,
    /// The clock, Unix seconds.
    pub now: fn() -> u64,
    /// A time that an honest clock is past, Unix seconds.
    pub clock_floor: u64,
}

impl Session {
    /// The built-in roots, the public sources of collateral, a cache in memory, the clock of this machine, no bundles; nobody is
    /// asked in addition to the evidence.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self {
            client,
            sources: Sources::default_public(),
            collateral_cache: CollateralCache::in_memory(),
            keep_bundles: false,
            second_verifiers: SecondVerifiers::none(),
            signatures: SignatureCache::default(),
            nodes: None,
            statements: StatementLookups::new(None, None, RegistryCredentials::default()),
            roots: TrustRoots::default(),
            computation: Computation::default(),
            now,
            clock_floor: clock_floor(),
        }
    }

    /// What the first line must say if a built-in root was replaced.
    #[must_use]
    pub fn simulated(&self) -> Option<&'static str> {
        self.roots.simulated()
    }

    pub(super) fn asking(&self) -> Asking<'_> {
        Asking {
            client: &self.client,
            sources: &self.sources,
            root: &self.roots.quote,
            signatures: &self.signatures,
            nras_intermediates: &self.roots.nras,
            now: self.now,
        }
    }
}
