//! What each channel has to send: one delivery for each record that there will be.

use url::Url;

use super::delivery::ChannelRequest;
use super::error::DeliveryError;
use super::event::AlertEvent;
use super::message::Message;
use super::outgoing::{AlertedDue, OutgoingMessage};
use super::secret_text;
use crate::net::Secret;

/// One thing to send, or why it is not sent.
pub(super) struct ChannelDelivery {
    pub(super) channel: &'static str,
    pub(super) event: &'static str,
    /// The target's name, where it is about one; of a digest, how many it is about.
    pub(super) about: Option<String>,
    /// `None` where the channel's secret is not there.
    pub(super) request: Result<Option<ChannelRequest>, DeliveryError>,
    /// What there is to say of it however it ends.
    pub(super) note: &'static str,
    /// The targets that it is about.
    pub(super) of: Vec<AlertedDue>,
}

/// One delivery for each outgoing message; or one for the channel, if its secret cannot be used and there is something to send.
pub(super) fn for_each(
    channel: &'static str,
    secret: Option<&Secret>,
    outgoing: &[OutgoingMessage<'_>],
    event: &'static str,
    pack: &dyn Fn(&Message, Url) -> Result<ChannelRequest, DeliveryError>,
) -> Vec<ChannelDelivery> {
    let Some(secret) = secret else {
        return Vec::new();
    };
    let url = match secret_text::url(secret) {
        Ok(Some(url)) => url,
        Ok(None) => return one_if(!outgoing.is_empty(), channel, event, Ok(None)),
        Err(error) => return one_if(!outgoing.is_empty(), channel, event, Err(error)),
    };
    let delivery = |one: &OutgoingMessage<'_>| ChannelDelivery {
        channel,
        event: one.message.event.as_str(),
        about: (one.message.event != AlertEvent::Test).then(|| one.message.name.clone()),
        request: pack(&one.message, url.clone()).map(Some),
        note: "",
        of: one.of.clone(),
    };
    outgoing.iter().map(delivery).collect()
}

pub(super) fn one_if(
    due: bool,
    channel: &'static str,
    event: &'static str,
    request: Result<Option<ChannelRequest>, DeliveryError>,
) -> Vec<ChannelDelivery> {
    let delivery = ChannelDelivery {
        channel,
        event,
        about: None,
        request,
        note: "",
        of: Vec::new(),
    };
    due.then_some(delivery).into_iter().collect()
}
