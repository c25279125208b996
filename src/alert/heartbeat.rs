//! A dead man's switch, as healthchecks.io and its kind take it: somebody else raises the alarm when we fall silent
//! (T57).
//!
//! A pass is a GET of the URL; everything else is a GET of `<url>/fail`. Inconclusive is a failure here: the switch is
//! to say "proven", and silence would do the same only hours later, with "the job did not run" as the reason. It is one
//! ping for each run, with the worst verdict of its targets: a ping for each would let the pass of one take back the
//! failure of another.

use url::Url;

use super::channel::{Channel, ChannelSecret};
use super::channel_delivery::one_if;
use super::delivery::{ChannelRequest, Method};
use super::secret_text;
use crate::net::{Response, below};
use cvm_verify_core::report::Verdict;

/// The channel's name.
pub(super) const CHANNEL: &str = "heartbeat";

/// The secret that holds the URL.
pub const URL: &str = "heartbeat-url";

/// What it hears is no alert: a ping for each run.
pub(super) const ROW: Channel = Channel {
    name: CHANNEL,
    help: "CVM_VERIFY_HEARTBEAT_URL (pinged on a pass, and /fail otherwise)",
    secrets: &[ChannelSecret::opens(URL)],
    remembers: false,
    deliveries: |occasion| {
        let Some(secret) = occasion.channels.secret(URL) else {
            return Vec::new();
        };
        let ping = secret_text::url(secret).map(|url| url.map(|url| request(occasion.verdict, &url)));
        one_if(true, CHANNEL, occasion.event, ping)
    },
};

/// A ping that tells `verdict`; `None` is a test: `<url>/log`, which is written down and changes nothing.
pub(super) fn request(verdict: Option<Verdict>, url: &Url) -> ChannelRequest {
    let suffix = match verdict {
        Some(Verdict::Pass) => "",
        Some(Verdict::Fail | Verdict::Inconclusive) => "fail",
        None => "log",
    };
    ChannelRequest {
        url: match suffix {
            "" => url.clone(),
            suffix => below(url, suffix),
        },
        method: Method::Get,
        refusal,
        patience: Response::retry_after,
    }
}

/// healthchecks.io answers 200 to any ping by UUID, and says in the body what became of it.
fn refusal(response: &Response) -> Option<&'static str> {
    match response.body.trim_ascii() {
        b"OK (not found)" => Some("no such check; is the URL complete, and does it still exist?"),
        b"OK (rate limited)" => Some("it was pinged too often"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(url: &str, verdict: Option<Verdict>) -> String {
        request(verdict, &url.parse().unwrap()).url.into()
    }

    #[test]
    fn only_a_pass_asks_for_the_url_itself() {
        let url = "https://hc.example/uuid";
        assert_eq!(asked(url, Some(Verdict::Pass)), url);
        assert_eq!(asked(url, Some(Verdict::Fail)), "https://hc.example/uuid/fail");
        assert_eq!(
            asked(url, Some(Verdict::Inconclusive)),
            "https://hc.example/uuid/fail"
        );
        assert_eq!(asked(url, None), "https://hc.example/uuid/log");
    }

    #[test]
    fn a_slash_and_a_query_stay_in_their_places() {
        assert_eq!(
            asked("https://hc.example/k/slug/?create=1", Some(Verdict::Fail)),
            "https://hc.example/k/slug/fail?create=1"
        );
        assert_eq!(
            asked("https://hc.example/uuid/", Some(Verdict::Pass)),
            "https://hc.example/uuid/"
        );
        assert_eq!(
            asked("https://hc.example", Some(Verdict::Fail)),
            "https://hc.example/fail"
        );
    }

    #[test]
    fn an_unknown_check_is_no_success_though_the_status_says_so() {
        let said = |body: &[u8]| refusal(&Response::with(200, &[], body));
        assert_eq!(said(b"OK"), None);
        assert!(said(b"OK (not found)\n").unwrap().starts_with("no such check"));
        assert!(said(b"OK (rate limited)").is_some());
    }
}
