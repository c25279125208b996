//! What each channel has to do: one errand for each record that there will be.

use url::Url;

use super::channels::Channels;
use super::delivery::Parcel;
use super::digest::gather;
use super::error::DeliveryError;
use super::event::Event;
use super::letter::{About, Letter};
use super::message::Message;
use super::secret_text;
use super::{discord, heartbeat, pagerduty, slack, teams, webhook};
use crate::net::Secret;
use cvm_verify_core::report::Verdict;

/// One thing to send, or why it is not sent.
pub(super) struct Errand {
    pub(super) channel: &'static str,
    pub(super) event: &'static str,
    /// The target's name, where it is about one; of a digest, how many it is about.
    pub(super) about: Option<String>,
    /// `None` where the channel's secret is not there.
    pub(super) parcel: Result<Option<Parcel>, DeliveryError>,
    /// What there is to say of it however it ends.
    pub(super) note: &'static str,
    /// The targets that it is about.
    pub(super) of: Vec<About>,
}

pub(super) fn slack(channels: &Channels, letters: Vec<Letter<'_>>, event: &'static str) -> Vec<Errand> {
    let pack = |message: &Message, url| Ok(slack::parcel(message, url));
    let url = channels.slack_webhook_url.as_ref();
    for_each(slack::CHANNEL, url, &gather(letters), event, &pack)
}

pub(super) fn discord(channels: &Channels, letters: Vec<Letter<'_>>, event: &'static str) -> Vec<Errand> {
    let pack = |message: &Message, url| Ok(discord::parcel(message, url));
    let url = channels.discord_webhook_url.as_ref();
    for_each(discord::CHANNEL, url, &gather(letters), event, &pack)
}

pub(super) fn teams(channels: &Channels, letters: Vec<Letter<'_>>, event: &'static str) -> Vec<Errand> {
    let pack = |message: &Message, url| Ok(teams::parcel(message, url));
    let url = channels.teams_webhook_url.as_ref();
    for_each(teams::CHANNEL, url, &gather(letters), event, &pack)
}

/// A test triggers an incident and resolves it.
pub(super) fn pagerduty(channels: &Channels, letters: &[Letter<'_>], event: &'static str) -> Vec<Errand> {
    const NAME: &str = pagerduty::CHANNEL;
    let Some(key) = &channels.pagerduty_routing_key else {
        return Vec::new();
    };
    let key = match secret_text::word(key, "its routing key") {
        Ok(Some(key)) => key,
        Ok(None) => return one_if(!letters.is_empty(), NAME, event, Ok(None)),
        Err(error) => return one_if(!letters.is_empty(), NAME, event, Err(error)),
    };
    let usual = Secret::new(pagerduty::ENDPOINT.to_owned());
    let url = channels.pagerduty_url.as_ref().unwrap_or(&usual);
    let pack = |message: &Message, url| Ok(pagerduty::parcel(message, key, url));
    let mut errands = for_each(NAME, Some(url), letters, event, &pack);
    let tests: Vec<Letter<'_>> = letters
        .iter()
        .filter(|letter| letter.message.event == Event::Test)
        .cloned()
        .collect();
    let pack = |message: &Message, url| Ok(pagerduty::end_of_test(message, key, url));
    errands.extend(for_each(NAME, Some(url), &tests, event, &pack));
    errands
}

/// A signing secret that cannot be used stops the alert: a receiver that expects a signature must not learn to do
/// without.
pub(super) fn webhook(channels: &Channels, letters: &[Letter<'_>], event: &'static str) -> Vec<Errand> {
    let key = channels.webhook_secret.as_ref().map(secret_text::key);
    let key = match key.transpose() {
        Ok(key) => key.flatten(),
        Err(error) => {
            return one_if(!letters.is_empty(), webhook::CHANNEL, event, Err(error));
        }
    };
    let no_url = Secret::new(String::new());
    let url = channels.webhook_url.as_ref().or(key.map(|_| &no_url));
    let pack = |message: &Message, url| webhook::parcel(message, url, key);
    let mut errands = for_each(webhook::CHANNEL, url, letters, event, &pack);
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
    let parcel = secret_text::url(secret).map(|url| url.map(|url| heartbeat::parcel(verdict, &url)));
    one_if(true, heartbeat::CHANNEL, event, parcel)
}

/// One errand for each letter; or one for the channel, where its secret cannot be used and there is something to tell.
fn for_each(
    channel: &'static str,
    secret: Option<&Secret>,
    letters: &[Letter<'_>],
    event: &'static str,
    pack: &dyn Fn(&Message, Url) -> Result<Parcel, DeliveryError>,
) -> Vec<Errand> {
    let Some(secret) = secret else {
        return Vec::new();
    };
    let url = match secret_text::url(secret) {
        Ok(Some(url)) => url,
        Ok(None) => return one_if(!letters.is_empty(), channel, event, Ok(None)),
        Err(error) => return one_if(!letters.is_empty(), channel, event, Err(error)),
    };
    let errand = |letter: &Letter<'_>| Errand {
        channel,
        event: letter.message.event.as_str(),
        about: letter.message.verdict.map(|_| letter.message.name.clone()),
        parcel: pack(&letter.message, url.clone()).map(Some),
        note: "",
        of: letter.of.clone(),
    };
    letters.iter().map(errand).collect()
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
        of: Vec::new(),
    };
    due.then_some(errand).into_iter().collect()
}
