//! Evidence of a live deployment: fetched, with a fresh nonce for each attempt where the source signs one, and with its
//! collateral.

mod alone;
mod answer;
mod attempt;
mod bundle;
mod instances;
mod one;
mod proof;
mod repeated;
mod time;

pub(super) use alone::facts_of_alone;
pub(super) use bundle::raw_collateral;
pub(super) use time::Time;

use one::Single;

use super::second_opinion::SecondOpinions;
use super::transport::Network;
use crate::collateral::Store;
use crate::source::Source;
use cvm_verify_core::checks::EvidenceGap;
use cvm_verify_core::evidence::Bundle;
use cvm_verify_core::report::ListedInstances;
use cvm_verify_core::verify::{Facts, TrustRoot};

/// What a live deployment handed over, what was proven of it, and what a bundle needs.
pub(super) struct Live {
    /// Which instance of Phala Cloud's list, from 1.
    pub instance: Option<usize>,
    pub facts: Result<Facts, EvidenceGap>,
    /// The time that was judged at, Unix seconds.
    pub at: u64,
    pub collateral_source: Option<String>,
    pub bundle: Option<Bundle>,
    /// What Phala Cloud lists, where it was asked.
    pub listed: Option<ListedInstances>,
}

/// What does not change from target to target.
pub(super) struct Ground {
    pub network: Network,
    /// Collateral of every platform that was met.
    pub store: Store,
    /// Whether anybody wants the evidence.
    pub keep_bundles: bool,
    /// Whom to ask beside the evidence.
    pub opinions: SecondOpinions,
    pub root: TrustRoot,
    pub now: fn() -> u64,
    /// The program's own commit, Unix seconds.
    pub clock_floor: u64,
}

impl Live {
    /// Nothing was handed over.
    fn nothing(ground: &Ground, gap: EvidenceGap) -> Self {
        Self {
            instance: None,
            facts: Err(gap),
            at: (ground.now)(),
            collateral_source: None,
            bundle: None,
            listed: None,
        }
    }
}

/// What a source handed over: one, or one for each instance of an app.
pub(super) struct Gathering {
    /// At least one.
    pub lives: Vec<Live>,
    /// What the source should have shown beside them.
    pub missing: Option<Live>,
    /// What the user should know beside the reports.
    pub note: Option<String>,
}

impl From<Live> for Gathering {
    fn from(live: Live) -> Self {
        Self {
            lives: vec![live],
            missing: None,
            note: None,
        }
    }
}

/// Fetches evidence and collateral, and proves what can be proven.
///
/// `compose_file` is a compose document that the user has as a file, for apps that do not show theirs.
pub(super) async fn gather(
    ground: &Ground,
    source: &Source,
    compose_file: Option<&[u8]>,
    time: Time,
) -> Gathering {
    let asked = Asked {
        source,
        compose_file,
        time,
    };
    let whom = match source {
        Source::App(endpoints) => Single::App(endpoints),
        Source::GuestAgent(agent) => Single::GuestAgent(agent),
        Source::PhalaCloud(app) => return instances::gather(ground, asked, app).await,
    };
    one::gather(ground, asked, whom).await.into()
}

/// Who is asked, and what the user has already.
#[derive(Clone, Copy)]
struct Asked<'a> {
    source: &'a Source,
    compose_file: Option<&'a [u8]>,
    time: Time,
}
