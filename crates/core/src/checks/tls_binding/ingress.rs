//! The binding by the evidence of a dstack ingress, and its reasons.

use super::asked::{is_asked, open, unclear, wrong};
use super::own_quote::{OwnQuote, platform_of_own_quote};
use super::probed::probed;
use super::reasons::{EVIDENCE_NOT_PROVEN, ORACLE_64, RECORDED, TLS_KEY_CHANGED};
use crate::checks::{Finding, Reason};
use crate::evidence::{ManifestError, Probe};
use crate::policy::Policy;
use crate::report::SideTier;
use crate::verify::{BoundIngress, Claims, IngressGap, IngressRefusal, Tls};

pub(super) const INGRESS_NO_EVIDENCE: Reason = Reason {
    id: "ingress-no-evidence",
    means: "The address serves no evidence of an ingress (`/evidences/sha256sum.txt`), or no trusted CA vouches for its certificate, \
            and mode `ingress` was asked for.",
    fix: "If TLS ends in dstack-ingress, check that it runs a version that serves /evidences/ and that DNS leads to it. Otherwise \
          name another mode: see docs/tls.md. If the address served the evidence before, another server answers now.",
};
pub(super) const INGRESS_UNREACHABLE: Reason = Reason {
    id: "ingress-unreachable",
    means: "The evidence of the ingress could not be fetched, so nothing is known about its key.",
    fix: "Verify again. If this stays, check that the ingress serves every file below /evidences/.",
};
pub(super) const INGRESS_MANIFEST: Reason = Reason {
    id: "ingress-manifest",
    means: "The manifest of the ingress (`sha256sum.txt`) is not what `sha256sum` writes, or exceeds a limit.",
    fix: "Compare /evidences/sha256sum.txt with the output of `sha256sum acme-account.json cert-*.pem` in the ingress. If another \
          program writes it, treat the server as hostile.",
};
pub(super) const INGRESS_MANIFEST_LINE_END: Reason = Reason {
    id: "ingress-manifest-line-end",
    means: "A line of the manifest of the ingress ends in carriage return and line feed.",
    fix: "Serve the manifest byte for byte as `sha256sum` wrote it: its hash is what the VM quoted.",
};
pub(super) const INGRESS_MANIFEST_NAME: Reason = Reason {
    id: "ingress-manifest-name",
    means: "The manifest of the ingress lists a name that none of its files has, such as one that leads to another folder.",
    fix: "dstack-ingress lists acme-account.json and cert-<domain>.pem alone. If it is not misconfigured, treat the server as \
          hostile.",
};
pub(super) const INGRESS_MANIFEST_TWICE: Reason = Reason {
    id: "ingress-manifest-twice",
    means: "The manifest of the ingress lists a name twice, so two readers could compare different hashes.",
    fix: "`sha256sum` over the files of dstack-ingress lists each once. If it is not misconfigured, treat the server as hostile.",
};
pub(super) const INGRESS_FILE_HASH: Reason = Reason {
    id: "ingress-file-hash",
    means: "A file of the ingress is not the one that its manifest lists.",
    fix: "If a certificate is being renewed, verify again. Otherwise the files were changed after the VM quoted them.",
};
pub(super) const INGRESS_NOT_LISTED: Reason = Reason {
    id: "ingress-not-listed",
    means: "The manifest of the ingress does not list the ACME account, or not the certificate of this host name.",
    fix: "Check the domain that the ingress is configured with. Its evidence binds the domains that it lists, and no other.",
};
pub(super) const INGRESS_QUOTE_EMPTY: Reason = Reason {
    id: "ingress-quote-empty",
    means: "The ingress has no quote of its present files: quoting failed after the last renewal.",
    fix: "Give the ingress the socket of the guest agent (/var/run/dstack.sock), look into its log, and restart it.",
};
pub(super) const INGRESS_MALFORMED: Reason = Reason {
    id: "ingress-malformed",
    means: "The quote, or the certificate, in the files of the ingress cannot be read.",
    fix: "Serve the files as dstack-ingress writes them.",
};
pub(super) const INGRESS_NOT_BOUND: Reason = Reason {
    id: "ingress-not-bound",
    means: "The quote of the ingress was made for other files than those that the ingress serves.",
    fix: "If a certificate is being renewed, verify again. Otherwise a server shows its own files with the quote of a VM: \
          treat it as hostile.",
};
pub(super) const INGRESS_QUOTE: Reason = Reason {
    id: "ingress-quote",
    means: "The quote of the ingress, or the event log that came with it, is refused.",
    fix: "Forged or damaged evidence, or an event log of another boot, is served below /evidences/: restart the ingress so \
          that it makes a new quote. If this stays, treat the server as hostile.",
};
pub(super) const INGRESS_QUOTE_UNDETERMINED: Reason = Reason {
    id: "ingress-quote-undetermined",
    means: "The quote of the ingress could not be verified, because collateral or an event log is missing.",
    fix: "Verify again. If the ingress quoted on another machine, Intel's collateral for that machine is not available.",
};
pub(super) const INGRESS_PLATFORM: Reason = Reason {
    id: "ingress-platform",
    means: "The quote of the ingress was made on a platform that the policy does not accept.",
    fix: "Let the ingress make a new quote after the platform was patched, or accept the status with an end date \
          (--accept-tcb).",
};
pub(super) const INGRESS_OTHER_COMPOSE: Reason = Reason {
    id: "ingress-other-compose",
    means: "The quote of the ingress is that of a VM with another compose document: it dates from the last issuance, before a \
            release, or the ingress is a VM of its own.",
    fix: "Let the ingress make a new quote (by a restart). If the ingress is a VM of its own, verify that VM as a target of \
          its own, and the app at an address whose TLS ends in the app.",
};
pub(super) const INGRESS_OTHER_CVM: Reason = Reason {
    id: "ingress-other-cvm",
    means: "The quote of the ingress is that of another VM of the same code than the one that quoted the nonce: several instances \
            answer at this address, the ingress is a proxy in front of the VM, or someone forwards the evidence of another VM. Which of \
            these it is, is not known.",
    fix: "If several instances answer, verify each by its own address (https://<instance-id>-<port>.<gateway>), or let one answer. \
          Otherwise run the ingress in the app's own VM.",
};
pub(super) const INGRESS_OTHER_MACHINE: Reason = Reason {
    id: "ingress-other-machine",
    means: "The quote of the ingress is that of the same instance on another machine: the VM was moved, or a copy of its disk runs \
            elsewhere.",
    fix: "Restart the ingress, so that it quotes on this machine. If you did not move the VM, find out who runs the copy.",
};
pub(super) const INGRESS_KEY_DIFFERS: Reason = Reason {
    id: "ingress-key-differs",
    means: "The certificate in the files of the ingress has another key than the one that answered.",
    fix: "If a certificate was just renewed, verify again when the ingress has quoted it. Otherwise a relay answers, or a CDN or \
          load balancer ends TLS: it shows the evidence of the ingress, but has another key.",
};
pub(super) const ORACLE_32: Reason = Reason {
    id: "oracle-32",
    means: "The app quotes 32 bytes, or a text, of the caller's choice. The quote of an ingress has the same form, so anyone \
            can get such a quote for their own files.",
    fix: "Have the app quote the 64 hex digits as text, and refuse everything but 64 hex digits; or quote its own key with the \
          nonce: see docs/expose-endpoints.md.",
};

const OWN_QUOTE: OwnQuote = OwnQuote {
    of: "the quote of the ingress",
    undetermined: &INGRESS_QUOTE_UNDETERMINED,
    platform: &INGRESS_PLATFORM,
};

pub(super) fn ingress(claims: &Claims, tls: &Tls, policy: &Policy) -> Finding {
    let bound = match &tls.ingress {
        Ok(bound) => bound,
        Err(gap) => return not_bound(gap, tls, policy),
    };
    match platform_of_own_quote(claims.ingress.as_deref(), policy, &OWN_QUOTE) {
        Ok(accepted) => granted(bound, tls, policy).accepting(accepted),
        Err(finding) => finding,
    }
}

/// The one place that grants `endpoint-replayable`.
fn granted(bound: &BoundIngress, tls: &Tls, policy: &Policy) -> Finding {
    let probed = match probed(&tls.probe, policy, "The ingress has the key") {
        Ok(probed) => probed,
        Err(finding) => return finding,
    };
    Finding::pass(format!(
        "The ingress of the verified VM has the TLS key: the VM quoted its certificate, at a time that is not known. An earlier \
         release could have copied the key. {}",
        probed.words
    ))
    .found(hex::encode(bound.spki_sha256()))
    .granting(SideTier::EndpointReplayable)
    .accepting(probed.accepted)
}

fn not_bound(gap: &IngressGap, tls: &Tls, policy: &Policy) -> Finding {
    match gap {
        IngressGap::NotAsked => open(
            policy,
            &INGRESS_UNREACHABLE,
            "The evidence of an ingress was not asked for in this run.",
        ),
        IngressGap::Absent => wrong(
            policy,
            &INGRESS_NO_EVIDENCE,
            "The address serves no evidence of an ingress for a certificate that a trusted CA vouches for.",
        ),
        IngressGap::Unreachable(why) => open(
            policy,
            &INGRESS_UNREACHABLE,
            format!("The evidence of the ingress could not be fetched: {why}."),
        ),
        IngressGap::Refused(refusal) => wrong(
            policy,
            reason_of(refusal),
            format!("The evidence of the ingress is refused: {refusal}."),
        ),
        IngressGap::QuoteNotProven { is_refused: true } => wrong(
            policy,
            &INGRESS_QUOTE,
            "The quote of the ingress, or the event log that came with it, is refused.",
        ),
        IngressGap::QuoteNotProven { is_refused: false } => open(
            policy,
            &INGRESS_QUOTE_UNDETERMINED,
            "The quote of the ingress could not be verified.",
        ),
        IngressGap::NotReached => Finding::error(
            &EVIDENCE_NOT_PROVEN,
            "Not determined: the event log of the app's own evidence is not proven.",
        ),
        IngressGap::OtherCode { compose_hash } => wrong(
            policy,
            &INGRESS_OTHER_COMPOSE,
            "The quote of the ingress is that of a VM with another compose document.",
        )
        .found(hex::encode(compose_hash)),
        IngressGap::OtherInstance => unclear(
            policy,
            &INGRESS_OTHER_CVM,
            "The quote of the ingress is that of another VM than the one that quoted the nonce.",
        ),
        IngressGap::OtherMachine => wrong(
            policy,
            &INGRESS_OTHER_MACHINE,
            "The quote of the ingress is that of the same instance on another machine than the one that quoted the nonce.",
        ),
        IngressGap::KeyChanged { keys } => unclear(
            policy,
            &TLS_KEY_CHANGED,
            format!("{keys} TLS keys answered during this run."),
        ),
        IngressGap::Oracle => oracle(tls, policy),
        IngressGap::FormOfTheApp => open(
            policy,
            &ORACLE_32,
            "Not determined: the app quotes a hash of what it is sent, then zeros, as an ingress does. If it hashes more than the 64 hex \
             digits of a nonce, anyone can have the quote of an ingress made.",
        ),
        IngressGap::Recorded => Finding::skip(
            &RECORDED,
            "The recorded evidence of the ingress is bound to the VM; it is not known who holds its key now.",
        ),
    }
}

/// An app that quotes what it is sent is not at fault while nobody asks for a binding: most apps do.
fn oracle(tls: &Tls, policy: &Policy) -> Finding {
    let (reason, sentence) = match tls.probe {
        Probe::Quotes64 => (
            &ORACLE_64,
            "The endpoint quoted 64 bytes that were sent to it, unchanged.",
        ),
        _ => (
            &ORACLE_32,
            "The app quotes 32 bytes, or a text, of the caller's choice, so anyone can have the quote of an ingress made.",
        ),
    };
    match is_asked(policy) {
        true => Finding::fail(reason, sentence),
        false => Finding::skip(reason, sentence),
    }
}

fn reason_of(refusal: &IngressRefusal) -> &'static Reason {
    match refusal {
        IngressRefusal::Manifest(ManifestError::CarriageReturn(_)) => &INGRESS_MANIFEST_LINE_END,
        IngressRefusal::Manifest(ManifestError::Name(_)) => &INGRESS_MANIFEST_NAME,
        IngressRefusal::Manifest(ManifestError::Twice(_)) => &INGRESS_MANIFEST_TWICE,
        IngressRefusal::Manifest(
            ManifestError::TooLarge(_)
            | ManifestError::TooManyLines
            | ManifestError::Empty
            | ManifestError::Line(_),
        ) => &INGRESS_MANIFEST,
        IngressRefusal::FileMissing(_) | IngressRefusal::FileHash(_) => &INGRESS_FILE_HASH,
        IngressRefusal::NotListed(_) => &INGRESS_NOT_LISTED,
        IngressRefusal::QuoteEmpty => &INGRESS_QUOTE_EMPTY,
        IngressRefusal::Malformed(_) => &INGRESS_MALFORMED,
        IngressRefusal::NotBound => &INGRESS_NOT_BOUND,
        IngressRefusal::KeyDiffers => &INGRESS_KEY_DIFFERS,
    }
}
