//! What contracts are asked about a deployment.

use super::abi::AppBootInfo;
use crate::verify::{BootClaims, MeasuredLog, VerifiedQuote, mr_aggregated, mr_system_at_boot};

/// What the contracts are asked about: all of it is proven of the deployment. The hash of the OS image is as good as what names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GovernanceSubject {
    /// What a KMS asks a contract about the app. `os_image_hash` is zero where no hash of the image is known.
    pub boot: AppBootInfo,
    /// The machine as KMSs before 0.5.6 name it: SHA-256 of the user data in the quote's header.
    pub old_device_id: [u8; 32],
    /// The build of the KMS that served the app, where the event log holds it (dstack 0.4.2 to 0.5).
    pub mr_kms: Option<[u8; 32]>,
    /// The builds of the KMSs that were attested in this run.
    pub live_builds: Vec<[u8; 32]>,
}

impl GovernanceSubject {
    /// A deployment whose quote and log are proven. `os_image_hash` is the published hash of its OS image, where one is known.
    #[must_use]
    pub fn of(
        quote: &VerifiedQuote,
        log: &MeasuredLog,
        boot: &BootClaims,
        os_image_hash: Option<[u8; 32]>,
    ) -> Self {
        let [.., rtmr3] = quote.rtmrs();
        let tcb = quote.tcb();
        Self {
            boot: AppBootInfo {
                app_id: *boot.app_id(),
                compose_hash: *boot.compose_hash(),
                instance_id: boot.instance_id().copied().unwrap_or_default(),
                device_id: quote.platform_id(),
                mr_aggregated: mr_aggregated(quote, log.rtmr3_at_boot_mr_done().unwrap_or(rtmr3)),
                mr_system: mr_system_at_boot(quote),
                os_image_hash: os_image_hash.unwrap_or_default(),
                tcb_status: tcb.status.to_string(),
                advisory_ids: tcb.advisory_ids.clone(),
            },
            old_device_id: quote.old_device_id(),
            mr_kms: boot.mr_kms().copied(),
            live_builds: Vec::new(),
        }
    }

    /// With the builds of the KMSs that were attested in this run.
    #[must_use]
    pub(crate) fn with_live_builds(self, live_builds: Vec<[u8; 32]>) -> Self {
        Self { live_builds, ..self }
    }

    /// The OS image's published hash, where one is known.
    pub(super) fn os_image_hash(&self) -> Option<[u8; 32]> {
        let hash = self.boot.os_image_hash;
        (hash != [0; 32]).then_some(hash)
    }
}
