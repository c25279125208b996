//! TLS while evidence is fetched: what the address presents is kept, a certificate of dstack that no CA vouches for is admitted if
//! its own evidence binds its key, and the evidence of an ingress is fetched (docs/tls.md).

use std::sync::Arc;
use std::time::Duration;

use rand::TryRng as _;
use rand::rngs::SysRng;

use super::Session;
use super::answer::EvidenceAnswer;
use super::collected::EvidenceRequest;
use super::tls_ask::TlsAsk;
use super::verify::prove_alone;
use crate::net::{Client, LeafWatch, Limits, LiveChain};
use crate::source::app::AppEndpoints;
use crate::source::{app, ingress, probe, tls_host};
use cvm_verify_core::appraise::meets_policy_so_far;
use cvm_verify_core::evidence::{IngressManifest, IngressSeen, Probe, Seen, TlsHost, TlsSession};
use cvm_verify_core::policy::TlsBinding;
use cvm_verify_core::verify::{
    NotBound, is_bound_certificate, issuer_of_certificate, ra_tls_evidence_of, spki_sha256,
};

/// Most certificates of dstack that are admitted in one run: instances behind one address.
const MAX_ADMITTED: usize = 3;

/// How long the files of an ingress may take, all together.
const INGRESS_TIME: Duration = Duration::from_secs(20);

/// How long a probe may take.
const PROBE_TIME: Duration = Duration::from_secs(10);

/// A client that keeps what one address presents.
pub(super) struct WatchedTls<'a> {
    client: Client,
    /// For other servers.
    plain: &'a Client,
    /// What it kept, for an app that is asked over TLS.
    of_app: Option<(LeafWatch, &'a AppEndpoints)>,
    ask: TlsAsk<'a>,
    admitted: usize,
    probe: Probe,
    ingress: IngressSeen,
}

/// What became of a certificate that no CA vouches for.
pub(super) enum Admission {
    /// None was refused, or none of dstack: the error stands as it is.
    NotOfDstack,
    /// Its evidence binds its key: ask again.
    Admitted,
    /// It is one of dstack and is not admitted: why, a sentence, and what that says of the binding.
    Refused(String, Option<NotBound>),
}

impl<'a> WatchedTls<'a> {
    /// Of an app, or of a source that is not asked at the app's own address.
    pub fn of(plain: &'a Client, ask: TlsAsk<'a>, app: Option<&'a AppEndpoints>) -> Self {
        let over_tls = app.filter(|endpoints| endpoints.base().scheme() == "https");
        let watched = over_tls.and_then(|endpoints| {
            let (client, watch) = plain.watching(endpoints.base()).ok()?;
            Some((client, (watch, endpoints)))
        });
        let (client, of_app) =
            watched.map_or_else(|| (plain.clone(), None), |(client, app)| (client, Some(app)));
        Self {
            client,
            plain,
            of_app,
            ask,
            admitted: 0,
            probe: Probe::NotSent,
            ingress: IngressSeen::NotAsked,
        }
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    /// For the app's information, whose address may be that of another server.
    pub fn info_client(&self) -> &Client {
        match &self.of_app {
            Some((_, endpoints)) if !has_info_of_its_own(endpoints) => self.plain,
            _ => &self.client,
        }
    }

    /// After TLS failed: whether a certificate was refused that can be admitted. Nothing was sent to its server.
    pub async fn admit(&mut self, session: &Arc<Session>, asked: EvidenceRequest<'_>) -> Admission {
        let Some((watch, endpoints)) = &self.of_app else {
            return Admission::NotOfDstack;
        };
        let words = |why: &str| {
            format!(
                "The certificate carries evidence of a dstack VM, and this evidence does not make it \
                acceptable: {why}."
            )
        };
        let Some(chain) = watch.take_refused() else {
            return match watch.take_not_held() {
                Some(leaf) if watch.admitted().contains(&leaf) => Admission::Refused(
                    words("the server does not have its key"),
                    Some(NotBound::KeyNotHeld),
                ),
                _ => Admission::NotOfDstack,
            };
        };
        let refused = |why: &str| Admission::Refused(words(why), None);
        let not_bound = |why: NotBound| {
            let said = match &why {
                NotBound::Refused(refusal) => refusal.to_string(),
                _ => "the evidence in the certificate is not proven".to_owned(),
            };
            Admission::Refused(words(&said), Some(why))
        };
        let read = match ra_tls_evidence_of(&chain) {
            None => return Admission::NotOfDstack,
            Some(read) => read,
        };
        match self.ask.binding {
            TlsBinding::RaTls => {}
            // A token in the address is for the server that a CA vouches for, unless the user says otherwise.
            TlsBinding::Auto if has_own_query(endpoints) => {
                return refused(
                    "the address has a query of its own, which is sent only if you name the mode: --tls-binding ratls",
                );
            }
            TlsBinding::Auto => {}
            TlsBinding::AppKey => {
                return refused("the mode `app-key` needs a certificate that a CA vouches for");
            }
            TlsBinding::Ingress => {
                return refused("the mode `ingress` needs a certificate that a CA vouches for");
            }
        }
        if self.admitted >= MAX_ADMITTED {
            return refused("too many certificates answer at this address");
        }
        let certificate = match read {
            Err(refusal) => return not_bound(NotBound::Refused(refusal)),
            Ok(certificate) => certificate,
        };
        let (own, _) = prove_alone(session, asked.computation, asked.time, certificate.evidence()).await;
        // The quote of a genuine VM is enough to be asked for evidence, which proves itself. A token is for the VM that the user
        // expects, and for nobody who had it make a quote: what binds the key is needed before it is sent.
        if has_own_query(endpoints) {
            let issuer = match issuer_of_certificate(&chain, &certificate, &own) {
                Ok(issuer) => issuer,
                Err(why) => return not_bound(why),
            };
            if let Err(why) = meets_policy_so_far(&own, issuer, self.ask.policy) {
                return refused(&format!(
                    "the address has a query of its own, which is sent only to a VM that meets the policy: {}",
                    why.trim_end_matches('.')
                ));
            }
        } else if let Err(why) = is_bound_certificate(&certificate, &own) {
            return not_bound(why);
        }
        watch.admit(&chain);
        self.admitted += 1;
        Admission::Admitted
    }

    /// Fetches the evidence of an ingress once, if the mode asks for it (then again while its files are being renewed), or if nothing else could
    /// bind the key: no request is made for a certificate of dstack, for a key that the app quotes, and for a name under which TLS ends in a gateway.
    pub async fn ask_ingress(&mut self, answer: &EvidenceAnswer, left: Duration) {
        let Some((watch, endpoints)) = &self.of_app else {
            return;
        };
        let is_wanted = match self.ask.binding {
            TlsBinding::Ingress => true,
            TlsBinding::RaTls | TlsBinding::AppKey => false,
            TlsBinding::Auto => {
                let live = watch.live();
                let is_open = |seen: &LiveChain| seen.has_trusted_ca && !binds_otherwise(seen, answer);
                tls_host(endpoints.base()) == TlsHost::Other && live.first().is_some_and(is_open)
            }
        };
        if is_wanted && self.ingress == IngressSeen::NotAsked {
            let live = watch.live();
            let leaf = live.first().map(|seen| seen.chain.leaf());
            let leaf = leaf.filter(|_| self.ask.binding == TlsBinding::Ingress);
            self.ingress = ingress::fetch(&self.client, endpoints.base(), leaf, left.min(INGRESS_TIME)).await;
        }
    }

    /// Asks once for a quote of a value of nobody's choice, if something may bind the key, since nothing is granted without; and for
    /// one of a text if an ingress answered, whose evidence can be forged with that.
    pub async fn probe(&mut self, answer: &EvidenceAnswer, left: Duration) {
        let Some((watch, endpoints)) = self.of_app.as_ref().filter(|_| self.ask.probes) else {
            return;
        };
        let may_bind = |seen: &LiveChain| binds_otherwise(seen, answer) || is_of_an_ingress(&self.ingress);
        if self.probe != Probe::NotSent || !watch.live().first().is_some_and(may_bind) {
            return;
        }
        let limits = Limits::body(app::MAX_BYTES).within(left.min(PROBE_TIME));
        let mut probe = match random() {
            Ok(bytes) => probe::probe(&self.client, endpoints, &bytes, &limits).await,
            Err(unknown) => unknown,
        };
        if probe == Probe::NoneSeen && is_of_an_ingress(&self.ingress) {
            probe = match random() {
                Ok(bytes) => probe::probe_text(&self.client, endpoints, &bytes, &limits).await,
                Err(unknown) => unknown,
            };
        }
        self.probe = probe;
    }

    /// What was seen so far; `None` if the app was not asked over TLS.
    pub fn session(&self) -> Option<TlsSession> {
        let (watch, endpoints) = self.of_app.as_ref()?;
        let mut live = watch.live().into_iter();
        let first = live.next()?;
        // A certificate that was admitted or refused was presented here, whether its server answered or not.
        let leaves = live
            .map(|other| other.chain.leaf().to_vec())
            .chain(watch.admitted())
            .chain(watch.refused());
        let mut keys = vec![key_of(first.chain.leaf())];
        for leaf in leaves {
            let key = key_of(&leaf);
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        Some(TlsSession {
            chain: first.chain,
            other_keys: keys.len() - 1,
            has_trusted_ca: first.has_trusted_ca,
            host: tls_host(endpoints.base()),
            seen: Seen::Live,
            probe: self.probe.clone(),
            ingress: self.ingress.clone(),
        })
    }
}

/// Whether a certificate is one of dstack, or the app quotes its key. Unproven: it decides about a request, and nothing else.
fn binds_otherwise(seen: &LiveChain, answer: &EvidenceAnswer) -> bool {
    let quotes_key = |spki: [u8; 32]| {
        answer.evidence.as_ref().is_ok_and(|evidence| {
            let quote = evidence.attestation.quote.as_bytes();
            quote.windows(spki.len()).any(|window| window == spki)
        })
    };
    ra_tls_evidence_of(&seen.chain).is_some() || spki_sha256(seen.chain.leaf()).is_some_and(quotes_key)
}

fn is_of_an_ingress(seen: &IngressSeen) -> bool {
    match seen {
        IngressSeen::Evidence(evidence) => IngressManifest::parse(&evidence.manifest).is_ok(),
        IngressSeen::NotAsked | IngressSeen::Absent | IngressSeen::Unreachable(_) => false,
    }
}

fn random() -> Result<[u8; 64], Probe> {
    let mut bytes = [0; 64];
    match SysRng.try_fill_bytes(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) => Err(Probe::Unknown(format!(
            "this machine's random number generator does not answer: {error}."
        ))),
    }
}

/// What tells keys apart: the hash of the key, or the whole certificate if it cannot be read.
fn key_of(leaf: &[u8]) -> Vec<u8> {
    spki_sha256(leaf).map_or_else(|| leaf.to_vec(), |hash| hash.to_vec())
}

/// Whether the app's own server is asked for its information, and not another one, if only at another port.
fn has_info_of_its_own(endpoints: &AppEndpoints) -> bool {
    endpoints.info_url().origin() == endpoints.base().origin()
}

/// Whether a request to the app's own server holds more than the nonce in its query. At another one, only a CA vouches for a server.
fn has_own_query(endpoints: &AppEndpoints) -> bool {
    let nonce_only = endpoints.attestation_url(&[]);
    let of_gpus = endpoints.gpu_url(&[0; 32]);
    let has_more = |url: &url::Url| url.query().is_some_and(|query| query.contains('&'));
    has_more(&nonce_only)
        || of_gpus.as_ref().is_some_and(has_more)
        || (has_info_of_its_own(endpoints) && endpoints.info_url().query().is_some())
}
