//! A key that is bound to the VM. The one place that grants `endpoint`.

use super::asked::open;
use super::reasons::PROBE_UNDETERMINED;
use crate::checks::Finding;
use crate::evidence::Probe;
use crate::policy::Policy;
use crate::report::SideTier;
use crate::verify::{BindingMode, BoundChannel, Tls};

/// The one place that grants `endpoint`.
pub(super) fn bound(channel: &BoundChannel, tls: &Tls, policy: &Policy) -> Finding {
    if let Probe::Unknown(why) = &tls.probe {
        return open(
            policy,
            &PROBE_UNDETERMINED,
            format!("The key is bound, but {why}"),
        );
    }
    let how = match channel.mode() {
        BindingMode::RaTls => "its certificate carries that VM's quote of the key".to_owned(),
        BindingMode::AppKey(layout) => {
            format!("the quote for this run's nonce holds the hash of the key (layout `{layout}`)")
        }
    };
    let probed = match tls.probe {
        Probe::NoneSeen => " No quoting of foreign values was seen.",
        Probe::NotSent => " Whether the app quotes foreign values was not asked.",
        _ => "",
    };
    Finding::pass(format!(
        "The server holds a TLS key of the verified VM: {how}.{probed}"
    ))
    .found(hex::encode(channel.spki_sha256()))
    .granting(SideTier::Endpoint)
}
