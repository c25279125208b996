//! A key that is bound to the VM. The one place that grants `endpoint`.

use super::probed::probed;
use crate::checks::{Finding, known};
use crate::policy::Policy;
use crate::report::SideTier;
use crate::verify::{BindingMode, BoundChannel, Tls};

/// The one place that grants `endpoint`.
pub(super) fn bound(channel: &BoundChannel, tls: &Tls, policy: &Policy) -> Finding {
    let probed = known!(probed(&tls.probe, policy, "The key is bound"));
    let how = match channel.mode() {
        BindingMode::RaTls(_) => "its certificate carries that VM's quote of the key".to_owned(),
        BindingMode::AppKey(layout) => {
            format!("the quote for this run's nonce holds the hash of the key (layout `{layout}`)")
        }
    };
    Finding::pass(format!(
        "The server holds a TLS key of the verified VM: {how}. {}",
        probed.words
    ))
    .found(hex::encode(channel.spki_sha256()))
    .granting(SideTier::Endpoint)
    .accepting(probed.accepted)
}
