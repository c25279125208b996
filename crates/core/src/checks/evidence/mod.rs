//! `evidence`: the deployment answered, and its answer can be read in one way only.

mod advice;
mod failure;

pub use failure::{EvidenceFailure, EvidenceReason};

use super::finding::sentence;
use super::{Check, Finding, Required, reasons, refused_bytes};
use crate::evidence::{AskedParty, EvidenceError};
use crate::policy::{Expected, Policy};
use crate::report::{CheckId, Status, Tier};
use crate::verify::{Claims, InfoOrigin};

pub(super) const CHECK: Check = Check {
    id: CheckId::Evidence,
    title: "Evidence",
    proves: "The deployment returned evidence that can be read in only one way.",
    prevents: "Documents that two readers understand differently; answers mixed from several instances.",
    reasons: REASONS,
    required: Required::From(Tier::Hardware),
    harmless_warnings: &[&INFO_UNUSABLE],
    without_evidence: |failure, policy| Some(failure.finding().against(policy.setting(failure.setting()))),
    run,
    ..Check::BASE
};

reasons! {
    REASONS:
    UNREACHABLE "unreachable"
        "Nothing answered: the name does not resolve, the connection failed, or the answer took too long."
        "Check the URL, that the app is running and that this machine may reach it; then run again.";
    TLS "tls"
        "The server's certificate is not valid for this address."
        "If the certificate has expired, renew it; if it is for another name, correct the URL or the certificate; if it is of a private \
         CA, give that with --ca-file. If TLS could not be set up at all, check that the port speaks https. Certificate checks cannot be \
         turned off.";
    HTTP_STATUS "http-status"
        "The server answered with an HTTP error."
        "Expose the guest agent's getQuote() at /attestation?reportData=<hex> in your app, or name another path with \
         --attestation-path.";
    NOT_JSON "not-json"
        "The answer is not JSON: a gateway's error page, or something cut off."
        "Open the URL in a browser: the app must answer with the JSON of the dstack SDK's getQuote().";
    TOO_LARGE "too-large"
        "An answer or a field in it, or the event log is larger than the size limit of this program."
        "Check that the URL is that of the attestation endpoint. If it is the event log or an event: let the app emit fewer or smaller \
         events (at most 4,096, with names of 256 bytes and payloads of 64 KiB), and restart it.";
    ADDRESS_REFUSED "address-refused"
        "The address is not https, or leads to a private, loopback or metadata network."
        "Use the public https URL; for a deployment in a private network add --allow-private-network. The metadata service of a \
         cloud is refused in any case.";
    NO_QUOTE "no-quote"
        "The answer is well formed but contains no quote; or it is a list of instances, and not each of them has a quote."
        "Answer with the whole object that the dstack SDK's getQuote() returns; a stopped instance has no quote.";
    TOO_FEW_INSTANCES "too-few-instances"
        "Fewer instances of the app run than the policy requires: the others are stopped, or not listed, or an entry of the list shows an \
         instance that another entry shows."
        "Start the stopped instances, if there are any. If fewer are meant to run, lower `instances` in the policy file (--instances).";
    UNNAMED_INSTANCES "unnamed-instances"
        "The policy requires a number of instances, and nothing shows how many run: the source lists none, or the instances of \
         this app have no instance id, and two quotes do not show whether they come from two VMs or from one VM that quoted twice."
        "Use the source `phala-cloud`, which lists them. Deploy without `no_instance_id`, so that each instance measures an id of its own; or leave `instances` out of the policy \
         file (--instances).";
    UNSUPPORTED_PLATFORM "unsupported-platform"
        "The evidence comes from another TEE than Intel TDX: dstack also runs on AMD SEV-SNP, AWS Nitro and Google's \
         vTPM."
        "Deploy on Intel TDX to verify with this program; nothing is proven about other platforms.";
    TWO_INSTANCES "two-instances"
        "The quote and /info come from two instances of the app, because the gateway picks one for each request; or /info is an answer \
         of an earlier moment that was kept. None of /info is used."
        "Give the address of one instance: https://<instance-id>-<port>.<gateway>. If a CDN, a proxy or the app caches /info, turn that \
         off.";
    OTHER_TYPE "other-type"
        "A field of the answer has another form than the dstack SDK gives it, such as another JSON type, another name or a text that \
         is not hex: the app, or Phala Cloud's API, answers in a format of its own. The format is not signed, so it does not show who \
         changed it."
        "In the app: answer with the whole object that the dstack SDK's getQuote() returns, unchanged and with nothing around it (see \
         docs/expose-endpoints.md). If it is the answer of Phala Cloud's API: update cvm-verify, or ask the app itself (--source app).";
    MALFORMED_FIELD "malformed-field"
        "A field that matters has a value that no guest agent of dstack sends."
        "If the app, or a proxy before it, builds or changes the answer, return the SDK's object unchanged; otherwise treat the host as hostile.";
    DUPLICATE_FIELD "duplicate-field"
        "A field that matters occurs twice, so two readers could use different values."
        "If the app, or a proxy before it, builds or changes the answer, return the SDK's object unchanged; otherwise treat the host as hostile.";
    INFO_UNUSABLE "info-unusable"
        "/info returns something other than the guest agent's information, an error, or another compose document than the \
         measured one. It is treated as absent; no proof depends on it."
        "If it answers with an error: let this machine reach it without a login, or run again. Return what the dstack SDK's info() returns at /info, or name another path with --info-path. Without it, give the \
         compose document with --app-compose-file.";
    INTERNAL "internal"
        "Internal error in cvm-verify."
        "This is a bug in cvm-verify: please report it with the evidence bundle.";
    SHARD_MISSING "shard-missing"
        "One of the runs that shared the targets left no report, so its targets were not verified."
        "Look at the log of that job: it was cancelled, ran out of time or did not upload its report. Then run it again.";
    DEADLINE "deadline-reached"
        "The time of the whole run was over before this target was verified."
        "Check the targets that do not answer: they delay the others. Then allow more time with --deadline, verify more \
         targets at the same time with --concurrency, or share the targets between runs with --shard.";
    NOT_JUDGED "not-judged"
        "The target answered, and its evidence was not judged within 20 seconds. Real evidence takes milliseconds. This target, or one \
         that was judged at the same time, sent something that takes unusually long."
        "Run again, on a machine that has less to do. If this stays, verify this target alone, and look at its compose document \
         (`cvm-verify inspect`): if it is yours, report it as a bug of cvm-verify.";
    NOT_CONFIRMED "not-confirmed"
        "An attempt passed after one that found something else (--wait). Such a pass must be confirmed by one more attempt, and that \
         attempt got no evidence."
        "Run again. If the app needs long to return its evidence, allow more time with --deadline.";
    INTERRUPTED "interrupted"
        "A signal ended the run before the result of this target was final. Other targets have a final result."
        "Run again. If the job was cancelled because it took too long, read what the log says about this target, or allow \
         more time.";
    NOT_FINISHED "not-finished"
        "The run that should have written this report did not end: it was killed, cancelled, or had wrong settings."
        "Look at the log of that run, and run again.";
}

/// What to do about a certificate of dstack that was not accepted.
const SEE_TLS_BINDING: &str =
    "Do what the check `tls-binding` says: the certificate is one of a dstack VM, for which no CA can vouch.";

/// What to do about a status other than 200.
fn fix_of_status(status: u16) -> &'static str {
    match status {
        300..=399 => {
            "If the redirect leads to another address of the app, give that address: redirects are not followed, the answer must come \
             from the address that you verify. If only the path differs, as by a slash at its end, name it with --attestation-path. If it \
             leads to a sign-in page, exempt /attestation and /info from the access rule in front of the app."
        }
        400 | 405 | 422 => {
            "Let the endpoint take the nonce from the query parameter reportData, 64 hex digits, in a GET request; or name the \
             right endpoint with --attestation-path."
        }
        404 => {
            "Check the URL, and the path that is added to it. If both are right, expose the guest agent's getQuote() at \
             /attestation?reportData=<hex> in your app, or name another path with --attestation-path."
        }
        401 | 403 => {
            "If the URL or the path holds a key or a token in its query, check that it is the right one and still valid. Otherwise let this \
             machine reach the endpoint without a login: the evidence holds no secret. If a proxy or an access rule \
             stands in front of the app, exempt the path from it."
        }
        408 | 429 => {
            "Run again later, and less often: the app or its gateway limits requests. If it is yours, raise the limit for the \
             path of the evidence."
        }
        500..=599 => {
            "Look at the app's log: it could not serve its evidence. Check that it runs and that its service mounts \
             /var/run/dstack.sock. If it is still starting, add --wait 5m."
        }
        _ => HTTP_STATUS.fix,
    }
}

impl EvidenceFailure {
    /// The finding of this check.
    #[must_use]
    pub fn finding(&self) -> Finding {
        let finding = self.finding_of_app();
        let advice = match self.asked {
            AskedParty::App => None,
            AskedParty::GuestAgent => advice::of_guest_agent(self.reason),
            AskedParty::PhalaCloud => advice::of_phala_cloud(self.reason),
        };
        match advice {
            Some(advice) if self.certificate.is_none() => finding.advising(advice),
            _ => finding,
        }
    }

    fn finding_of_app(&self) -> Finding {
        let (reason, status) = match self.reason {
            EvidenceReason::Unreachable => (&UNREACHABLE, Status::Error),
            EvidenceReason::Tls if self.certificate.is_some() => {
                return Finding::error(&TLS, self.detail.clone()).advising(SEE_TLS_BINDING);
            }
            EvidenceReason::Tls => (&TLS, Status::Error),
            EvidenceReason::HttpStatus(status) => {
                return Finding::error(&HTTP_STATUS, self.detail.clone()).advising(fix_of_status(status));
            }
            EvidenceReason::NotJson => (&NOT_JSON, Status::Error),
            EvidenceReason::TooLarge => (&TOO_LARGE, Status::Error),
            EvidenceReason::AddressRefused => (&ADDRESS_REFUSED, Status::Error),
            EvidenceReason::NoQuote | EvidenceReason::RepeatedInstance => (&NO_QUOTE, Status::Error),
            EvidenceReason::TooFewInstances => (&TOO_FEW_INSTANCES, Status::Fail),
            EvidenceReason::UnnamedInstances => (&UNNAMED_INSTANCES, Status::Error),
            EvidenceReason::UnsupportedPlatform => (&UNSUPPORTED_PLATFORM, Status::Error),
            EvidenceReason::OtherType => (&OTHER_TYPE, Status::Error),
            EvidenceReason::Internal => (&INTERNAL, Status::Error),
            EvidenceReason::Deadline => (&DEADLINE, Status::Error),
            EvidenceReason::NotJudged => (&NOT_JUDGED, Status::Error),
            EvidenceReason::NotConfirmed => (&NOT_CONFIRMED, Status::Error),
            EvidenceReason::Interrupted => (&INTERRUPTED, Status::Error),
            EvidenceReason::NotFinished => (&NOT_FINISHED, Status::Error),
            EvidenceReason::ShardMissing => (&SHARD_MISSING, Status::Error),
            EvidenceReason::MalformedField => (&MALFORMED_FIELD, Status::Fail),
            EvidenceReason::DuplicateField => (&DUPLICATE_FIELD, Status::Fail),
        };
        if matches!(
            self.reason,
            EvidenceReason::MalformedField | EvidenceReason::DuplicateField
        ) {
            return refused_bytes(self.asked, reason, self.detail.clone());
        }
        match status {
            Status::Fail => Finding::fail(reason, self.detail.clone()),
            _ => Finding::error(reason, self.detail.clone()),
        }
    }

    /// The setting that a person looks at first.
    fn setting(&self) -> &'static str {
        match self.reason {
            EvidenceReason::TooFewInstances | EvidenceReason::UnnamedInstances => "instances",
            _ => "url",
        }
    }
}

impl From<EvidenceError> for EvidenceFailure {
    fn from(error: EvidenceError) -> Self {
        let reason = match error {
            EvidenceError::NotJson { .. } => EvidenceReason::NotJson,
            EvidenceError::TooLarge { .. }
            | EvidenceError::FieldTooLarge { .. }
            | EvidenceError::ComposeTooLarge { .. } => EvidenceReason::TooLarge,
            EvidenceError::NoQuote { .. }
            | EvidenceError::Unanswered { .. }
            | EvidenceError::Certificate { .. } => EvidenceReason::NoQuote,
            EvidenceError::UnsupportedPlatform { .. } | EvidenceError::TpmQuote { .. } => {
                EvidenceReason::UnsupportedPlatform
            }
            EvidenceError::OtherType { .. }
            | EvidenceError::OtherForm { .. }
            | EvidenceError::OtherList { .. } => EvidenceReason::OtherType,
            EvidenceError::Malformed { .. } => EvidenceReason::MalformedField,
            EvidenceError::Duplicate { .. } => EvidenceReason::DuplicateField,
        };
        Self::new(reason, sentence(&error.to_string()))
    }
}

/// The finding where the quote and `/info` do not belong together.
fn other_info(claims: &Claims) -> Option<Finding> {
    let (detail, advice) = match claims.info {
        InfoOrigin::Unknown | InfoOrigin::Same => return None,
        InfoOrigin::Other => (
            "The quote and /info come from two different instances behind this address.",
            "Give the address of one instance: https://<instance-id>-<port>.<gateway>.",
        ),
        InfoOrigin::OtherBoot => (
            "/info names the instance that made the quote, and shows the registers of another boot: it is an answer that was kept \
             from before the VM was resized, or its host or its image upgraded.",
            "If a CDN, a proxy or the app caches /info, turn that off and verify again.",
        ),
        InfoOrigin::OtherLog => {
            let why = claims.log_of_info.as_ref().map(|why| format!(" ({why})"));
            return Some(
                Finding::error(
                    &TWO_INSTANCES,
                    format!(
                        "The answer with the quote has no event log, and the log in /info is not that of the quote{}: another instance \
                         answered /info, the answer is of an earlier moment, or it was changed on its way.",
                        why.unwrap_or_default()
                    ),
                )
                .advising(
                    "Return the SDK's getQuote() object unchanged: it holds `event_log` and `quote`. Until then, give the address of one \
                     instance, and turn off any cache of /info.",
                ),
            );
        }
    };
    Some(Finding::error(&TWO_INSTANCES, detail).advising(advice))
}

fn run(claims: &Claims, policy: &Policy) -> Finding {
    if let Some(finding) = other_info(claims) {
        return finding;
    }
    if let Some(problem) = &claims.info_problem {
        let what = match problem {
            EvidenceError::ComposeTooLarge { .. } => "the compose document in /info counts as not shown",
            _ => "/info is treated as absent",
        };
        let problem = problem.to_string();
        return Finding::warn(
            &INFO_UNUSABLE,
            format!(
                "The evidence is well formed, and {what}: {}.",
                problem.trim_end_matches('.')
            ),
        );
    }
    if let Some(text) = claims.other_document_in_info() {
        let is_expected = |expected: &Expected<[u8; 32]>| expected.value == *text;
        let why = match policy.compose_hash.as_ref().is_some_and(is_expected) {
            true => {
                "It is the expected one: another instance, of the expected release, may have answered, as in a roll-out; or it is \
                 what a cache kept."
            }
            false => {
                "Another instance, of another release, may have answered, as in a roll-out; or it is an old answer from a cache, or the \
                 app or a proxy serialized it again."
            }
        };
        // Nothing else than a copy of the user's can be it.
        let of_file = match claims.compose {
            Ok(_) => " The file that you gave is the measured document, and was read.",
            Err(_) => "",
        };
        return Finding::warn(
            &INFO_UNUSABLE,
            format!(
                "The evidence is well formed, and the compose document in /info counts as not shown: it is another one (SHA-256 \
                 {}) than the one that was measured. {why}{of_file}",
                hex::encode(text)
            ),
        )
        .advising(
            "In a roll-out, wait for its end (--wait 10m). If a CDN, a proxy or the app caches /info, turn that off and verify again. \
             Otherwise return the exact text of `app_compose`, never serialized again (a final newline counts).",
        );
    }
    Finding::pass(match claims.has_info {
        true => "The evidence is well formed.",
        false => {
            "The evidence is well formed. There is no /info: it answered with status 404, or was not given."
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::NotBound;

    #[test]
    fn each_status_has_a_fix_of_its_own() {
        let fix = |status| {
            let failure = EvidenceFailure::new(EvidenceReason::HttpStatus(status), "");
            let finding = failure.finding();
            assert_eq!(finding.reason.map(|reason| reason.id), Some("http-status"));
            finding.fix.unwrap_or_default()
        };
        for (status, says) in [
            (302, "name it with --attestation-path"),
            (401, "holds a key or a token in its query"),
            (403, "without a login"),
            (404, "Check the URL, and the path that is added to it."),
            (405, "the query parameter reportData"),
            (429, "limits requests"),
            (503, "Look at the app's log"),
            (418, "Expose the guest agent's getQuote()"),
        ] {
            assert!(fix(status).contains(says), "{status}: {}", fix(status));
        }
    }

    /// Where another party than the app was asked, each reason has advice of its own, or none but its reason's.
    #[test]
    fn each_party_has_advice_of_its_own() {
        use AskedParty::{GuestAgent, PhalaCloud};
        use EvidenceReason::*;
        for (asked, reason, says) in [
            (PhalaCloud, HttpStatus(404), "has no quotes of it"),
            (PhalaCloud, HttpStatus(500), "the API has a fault"),
            (PhalaCloud, HttpStatus(302), "the final URL of the mirror"),
            (PhalaCloud, HttpStatus(401), "without a login"),
            (PhalaCloud, HttpStatus(403), "without a login"),
            (PhalaCloud, HttpStatus(408), "less often"),
            (PhalaCloud, HttpStatus(429), "less often"),
            (PhalaCloud, HttpStatus(502), "is at fault"),
            (PhalaCloud, NotJson, "a page of a proxy"),
            (PhalaCloud, Unreachable, "may reach Phala Cloud's API"),
            (PhalaCloud, Tls, "give its CA with --ca-file"),
            (PhalaCloud, TooLarge, "the list of its instances is too large"),
            (PhalaCloud, AddressRefused, "the public https URL of the mirror"),
            (PhalaCloud, NoQuote, "Start the instances that are stopped"),
            (PhalaCloud, Deadline, ""),
            (PhalaCloud, NotJudged, ""),
            (GuestAgent, HttpStatus(401), "gives no quote from outside"),
            (GuestAgent, HttpStatus(403), "gives no quote from outside"),
            (GuestAgent, NoQuote, "gives no quote from outside"),
            (GuestAgent, HttpStatus(302), "the guest agent's own address"),
            (GuestAgent, HttpStatus(408), "the gateway limits requests"),
            (GuestAgent, HttpStatus(429), "the gateway limits requests"),
            (GuestAgent, HttpStatus(500), "reaches port 8090"),
            (GuestAgent, HttpStatus(599), "reaches port 8090"),
            (GuestAgent, HttpStatus(404), "that its port is open"),
            (GuestAgent, NotJson, "that its port is open"),
            (GuestAgent, Unreachable, "may reach its gateway"),
            (GuestAgent, Deadline, ""),
        ] {
            let finding = EvidenceFailure::new(reason, "").asking(asked).finding();
            assert_eq!(finding.fix.is_some(), !says.is_empty(), "{asked:?} {reason:?}");
            let fix = finding.fix.unwrap_or_default();
            assert!(fix.contains(says), "{asked:?} {reason:?}: {fix}");
        }
    }

    /// A certificate of a VM that is not accepted is judged by `tls-binding`, whoever was asked.
    #[test]
    fn a_certificate_of_a_vm_sends_to_the_check_that_judges_it() {
        let other = "give its CA with --ca-file";
        for (certificate, asked, says) in [
            (None, AskedParty::App, None),
            (None, AskedParty::PhalaCloud, Some(other)),
            (Some(NotBound::Absent), AskedParty::App, Some(SEE_TLS_BINDING)),
            (
                Some(NotBound::Absent),
                AskedParty::PhalaCloud,
                Some(SEE_TLS_BINDING),
            ),
        ] {
            let failure = EvidenceFailure {
                certificate,
                ..EvidenceFailure::new(EvidenceReason::Tls, "").asking(asked)
            };
            let finding = failure.finding();
            assert_eq!(
                (finding.status, finding.reason.map(|reason| reason.id)),
                (Status::Error, Some("tls"))
            );
            assert_eq!(finding.fix.is_some(), says.is_some(), "{failure:?}");
            assert!(
                finding.fix.unwrap_or_default().contains(says.unwrap_or_default()),
                "{failure:?}"
            );
        }
    }

    #[test]
    fn the_setting_is_the_number_of_instances_where_it_is_not_met() {
        for (reason, setting, status) in [
            (EvidenceReason::TooFewInstances, "instances", Status::Fail),
            (EvidenceReason::UnnamedInstances, "instances", Status::Error),
            (EvidenceReason::Unreachable, "url", Status::Error),
        ] {
            let failure = EvidenceFailure::new(reason, "");
            assert_eq!((failure.setting(), failure.finding().status), (setting, status));
        }
    }

    /// What only the app could do, or is the app's.
    const OF_THE_APP: [&str; 4] = [
        "the app's log",
        "at /attestation",
        "dstack.sock",
        "--attestation-path",
    ];

    #[test]
    fn the_app_is_not_blamed_for_another_server() {
        let statuses = [302, 400, 401, 403, 404, 405, 418, 422, 429, 500, 502, 503, 599];
        let reasons = statuses.map(EvidenceReason::HttpStatus).into_iter().chain([
            EvidenceReason::Unreachable,
            EvidenceReason::Tls,
            EvidenceReason::NotJson,
            EvidenceReason::TooLarge,
            EvidenceReason::AddressRefused,
            EvidenceReason::NoQuote,
        ]);
        for reason in reasons {
            for asked in [AskedParty::PhalaCloud, AskedParty::GuestAgent] {
                let failure = EvidenceFailure::new(reason, "").asking(asked);
                let finding = failure.finding();
                let fix = finding.fix.as_deref().or(finding.reason.map(|reason| reason.fix));
                let fix = fix.unwrap_or_default();
                let blames = OF_THE_APP.iter().find(|words| fix.contains(**words));
                assert_eq!(blames, None, "{asked:?} {reason:?}: {fix}");
                let app = EvidenceFailure::new(reason, "").finding();
                assert_eq!(
                    (finding.status, finding.reason.map(|reason| reason.id)),
                    (app.status, app.reason.map(|reason| reason.id))
                );
            }
        }
    }
}
