//! What each channel has to do: one errand for each record that there will be.

use url::Url;

use super::channels::{self, Channels};
use super::delivery::Parcel;
use super::error::DeliveryError;
use super::message::Message;
use super::{heartbeat, slack, webhook};
use crate::net::Secret;
use crate::report::Verdict;

/// One thing to send, or why it is not sent.
pub(super) struct Errand {
    pub(super) channel: &'static str,
    pub(super) event: &'static str,
    /// The target's name, where it is about one.
    pub(super) about: Option<String>,
    /// `None` where the channel's secret is not there.
    pub(super) parcel: Result<Option<Parcel>, DeliveryError>,
    /// What there is to say of it however it ends.
    pub(super) note: &'static str,
}

pub(super) fn slack(channels: &Channels, messages: &[Message], event: &'static str) -> Vec<Errand> {
    let pack = |message: &Message, url| Ok(slack::parcel(message, url));
    for_each(
        slack::CHANNEL,
        channels.slack_webhook_url.as_ref(),
        messages,
        event,
        pack,
    )
}

/// A signing secret that cannot be used stops the alert: a receiver that expects a signature must not learn to do
/// without.
pub(super) fn webhook(channels: &Channels, messages: &[Message], event: &'static str) -> Vec<Errand> {
    let key = channels.webhook_secret.as_ref().map(channels::key);
    let key = match key.transpose() {
        Ok(key) => key.flatten(),
        Err(error) => {
            return one_if(!messages.is_empty(), webhook::CHANNEL, event, Err(error));
        }
    };
    let no_url = Secret::new(String::new());
    let url = channels.webhook_url.as_ref().or(key.map(|_| &no_url));
    let pack = |message: &Message, url| webhook::parcel(message, url, key);
    let mut errands = for_each(webhook::CHANNEL, url, messages, event, pack);
    for errand in &mut errands {
        if key.is_none() && matches!(errand.parcel, Ok(Some(_))) {
            errand.note = "; not signed: there is no webhook secret";
        }
    }
    errands
}

/// `verdict` is that of the run; `None` is a test.
pub(super) fn heartbeat(channels: &Channels, event: &'static str, verdict: Option<Verdict>) -> Vec<Errand> {
    let Some(secret) = &channels.heartbeat_url else {
        return Vec::new();
    };
    let parcel = channels::url(secret).map(|url| url.map(|url| heartbeat::parcel(verdict, &url)));
    one_if(true, heartbeat::CHANNEL, event, parcel)
}

/// One errand for each message; or one for the channel, where its secret cannot be used and there is something to tell.
fn for_each(
    channel: &'static str,
    secret: Option<&Secret>,
    messages: &[Message],
    event: &'static str,
    pack: impl Fn(&Message, Url) -> Result<Parcel, DeliveryError>,
) -> Vec<Errand> {
    let Some(secret) = secret else {
        return Vec::new();
    };
    let url = match channels::url(secret) {
        Ok(Some(url)) => url,
        Ok(None) => return one_if(!messages.is_empty(), channel, event, Ok(None)),
        Err(error) => return one_if(!messages.is_empty(), channel, event, Err(error)),
    };
    let errand = |message: &Message| Errand {
        channel,
        event: message.event.as_str(),
        about: message.verdict.map(|_| message.name.clone()),
        parcel: pack(message, url.clone()).map(Some),
        note: "",
    };
    messages.iter().map(errand).collect()
}

fn one_if(
    due: bool,
    channel: &'static str,
    event: &'static str,
    parcel: Result<Option<Parcel>, DeliveryError>,
) -> Vec<Errand> {
    let errand = Errand {
        channel,
        event,
        about: None,
        parcel,
        note: "",
    };
    due.then_some(errand).into_iter().collect()
}
