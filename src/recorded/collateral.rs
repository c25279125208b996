//! Collateral of today for evidence that was recorded.

use super::evidence::Recorded;
use crate::collateral::{CollateralCache, CollateralFetcher, CollateralRequest};

impl Recorded {
    /// Which collateral its quote needs; none if the evidence is refused for a reason of its own.
    pub fn collateral_request(&self) -> Option<CollateralRequest> {
        let evidence = self.inputs.evidence.as_ref().ok()?;
        CollateralRequest::of_quote(&evidence.attestation.quote)
    }

    /// Puts the collateral of today in the place of what the evidence came with, or why there is none. `now`: Unix seconds.
    pub async fn fetch_collateral(
        &mut self,
        fetcher: CollateralFetcher<'_>,
        request: &CollateralRequest,
        now: u64,
    ) {
        match CollateralCache::in_memory()
            .get(fetcher, request, now, || 0)
            .await
        {
            Ok(fetched) => {
                self.inputs.collateral = Ok(fetched.collateral.clone());
                self.inputs.collateral_fetched_at = Some(fetched.fetched_at);
                self.collateral_source = Some(fetched.source.clone());
            }
            Err(error) => {
                self.inputs.collateral = Err(error.unusable(request));
                self.inputs.collateral_fetched_at = None;
                self.collateral_source = None;
            }
        }
    }
}
