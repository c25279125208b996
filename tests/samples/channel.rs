//! A channel that `tests/samples/run` adds to a copy of the repository: it posts each message as JSON.

use serde_json::json;
use url::Url;

use super::channel::{Channel, ChannelSecret};
use super::channel_delivery::for_each;
use super::delivery::{ChannelRequest, Method, json_headers};
use super::message::Message;
use crate::net::Response;

/// The channel's name.
const CHANNEL: &str = "sample";

/// The secret that holds the address.
const URL: &str = "sample-url";

pub(super) const ROW: Channel = Channel {
    name: CHANNEL,
    help: "CVM_VERIFY_SAMPLE_URL",
    secrets: &[ChannelSecret::opens(URL)],
    remembers: true,
    deliveries: |occasion| {
        let url = occasion.channels.secret(URL);
        for_each(CHANNEL, url, &occasion.outgoing, occasion.event, &|message, url| {
            Ok(request(message, url))
        })
    },
};

fn request(message: &Message, url: Url) -> ChannelRequest {
    ChannelRequest {
        url,
        method: Method::Post {
            headers: json_headers(),
            body: json!({ "event": message.event.as_str() }).to_string().into_bytes(),
        },
        refusal: |_| None,
        patience: Response::retry_after,
    }
}
