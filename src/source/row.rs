//! A source of evidence: its name, its options, and how it is reached.

use cvm_verify_core::evidence::{AskedParty, parse_user_hex};
use url::Url;

use super::host_label::HostId;
use crate::address::shown_text;
use crate::usage_error::UsageError;

/// What a source of evidence says of itself.
pub(crate) struct SourceRow {
    /// The word that users write, and `source.kind` of a bundle.
    pub name: &'static str,
    /// Its line in the help.
    pub says: &'static str,
    /// The keys of the options that belong to it alone.
    pub options: &'static [&'static str],
    /// What it takes instead of an address.
    pub reached_by: ReachedBy,
    /// What to give it, if nothing is given: after "there is nothing to verify; ".
    pub needs: &'static str,
    /// Who answers, for advice about an answer that is missing or wrong.
    pub party: AskedParty,
    /// Whether its address is that of one deployment.
    pub is_of_one: bool,
    /// The app or instance that its address names.
    pub id_in: fn(&str) -> Option<HostId>,
}

/// The values of options, by their keys.
pub(crate) type GivenOptions<'a> = dyn Fn(&str) -> Option<&'a str> + 'a;

/// What reaches a deployment that no address is given for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReachedBy {
    /// Nothing: it needs its address.
    Address,
    /// The app's id.
    AppId,
    /// The instance's id, else the app's.
    InstanceOrAppId,
}

/// An id that a user wrote. `what` it should be is for the message.
pub(super) fn id(what: &str, text: &str) -> Result<HostId, UsageError> {
    let text = text.trim();
    parse_user_hex(text).map(HostId).map_err(|error| {
        let text: String = shown_text(text).chars().take(100).collect();
        UsageError::new(format!("{text:?} is not {what}: it {error}"))
    })
}

/// Host, port if it is given, and path: what tells targets apart. Two that differ in their query alone have one name,
/// which is refused where both are planned.
pub(super) fn name_of(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!(
        "{}{port}{}",
        url.host_str().unwrap_or_default(),
        url.path().trim_end_matches('/')
    )
}
