//! Telling people: what happened, whether to tell, and one file for each channel on one transport.
//!
//! * A [`Message`] is what one alert says of one target, made from its report alone; each channel only puts it into its
//!   own form and escapes what a CVM may have chosen for that form (threat T58).
//! * Every URL is a secret, and so is what a server or a library says about it: what became of an alert is said in words
//!   of our own (T59).
//! * An alert is tried three times within a minute, is recorded whatever becomes of it, and changes no verdict (T60).

pub(crate) mod alerting;
pub(crate) mod app_alerts;
mod cause;
mod channel;
mod channel_delivery;
mod channels;
mod deliver_changes;
mod deliver_departed;
mod delivery;
mod digest;
mod discord;
mod discord_text;
mod dispatch;
mod error;
mod event;
mod failed_check;
mod github_answers;
mod github_client;
mod github_issue;
pub mod github_page;
mod heartbeat;
pub mod incident;
mod list;
mod message;
mod named_targets;
mod no_secret;
mod outgoing;
mod pagerduty;
mod run_incident;
#[cfg(test)]
#[path = "tests/samples.rs"]
mod samples;
mod sanitize;
mod secret_text;
#[cfg(test)]
#[path = "tests/services.rs"]
mod services;
mod slack;
mod slack_text;
pub(crate) mod state_file;
pub(crate) mod state_part;
mod teams;
pub(crate) mod variables;
mod webhook;

pub(crate) use cause::causes;
pub use channel::{Channel, ChannelSecret, Role};
pub use channels::Channels;
pub use deliver_changes::{IncidentInputs, deliver_changes, nothing_due};
pub use deliver_departed::deliver_departed;
pub use delivery::AlertSender;
pub use dispatch::{deliver, ping, test};
pub use event::{AlertEvent, occasion};
pub use failed_check::FailedCheck;
pub use github_issue::{GithubIssues, SettingsError};
pub use heartbeat::URL as HEARTBEAT_URL;
pub use list::CHANNELS;
pub(crate) use list::help_of_channels;
pub use message::{Message, RunContext};
pub use named_targets::Digest;
pub use no_secret::{NO_SECRET, lacks_secret};
pub use run_incident::{RunSubject, Trouble, is_quiet, nothing_verified, tell_of_run, weigh_run};
