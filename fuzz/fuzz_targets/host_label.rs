//! The host of a deployment's URL.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify::source::{GatewayChannel, HostLabel};
use url::Url;

cvm_verify_fuzz::fuzz_target!(|host: &str| {
    let Ok(url) = Url::parse(&format!("https://{host}/")) else {
        return;
    };
    let Some(label) = HostLabel::of(&url) else { return };
    assert_ne!(label.port, 0);
    let suffix = match label.channel {
        GatewayChannel::Gateway => "",
        GatewayChannel::Passthrough => "s",
        GatewayChannel::Grpc => "g",
    };
    assert!(
        url.domain()
            .is_some_and(|domain| domain.starts_with(&label.id.to_string()))
    );
    let written = format!("https://{}-{}{suffix}.example/", label.id, label.port);
    let again = Url::parse(&written).ok().as_ref().and_then(HostLabel::of);
    assert_eq!(again, Some(label), "what was read can be written");
});
