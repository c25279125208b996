//! What was seen of TLS, added to the claims of the evidence that came over it.

use super::ra_tls::{self, RaTlsCertificate};
use super::td_claims::{TdClaims, UnprovenTd};
use super::{Claims, Echo, Inputs, Issuer, NotBound, NotProven, ingress, prove, tls_binding};
use crate::evidence::{TlsChain, TlsSession};

#[doc(hidden)]
impl Claims {
    /// With what was seen of TLS while this evidence was fetched. A certificate of dstack costs a second verification: that of
    /// its own quote, which `inputs` are for.
    #[must_use]
    pub fn with_tls(mut self, session: &TlsSession, inputs: &Inputs<'_>) -> Self {
        let read = ra_tls::evidence_of(&session.chain);
        let own = match &read {
            Some(Ok(certificate)) => Some(prove(certificate.evidence(), inputs)),
            Some(Err(_)) | None => None,
        };
        let certificate = match (&read, &own) {
            (Some(Ok(certificate)), Some(own)) => Some(Ok((certificate, td_claims(own)))),
            (Some(Err(refusal)), _) => Some(Err(refusal.clone())),
            _ => None,
        };
        let tls = tls_binding::tls_of(session, td_claims(&self), certificate);
        self.tls = Some(tls);
        self.certificate = own.map(Box::new);
        self
    }

    /// With what was seen of an ingress, after [`Claims::with_tls`] of the same session. The quote of an ingress costs one more
    /// verification, which `inputs` are for.
    #[must_use]
    pub fn with_ingress(mut self, session: &TlsSession, inputs: &Inputs<'_>) -> Self {
        let read = ingress::evidence_of(session);
        let own = read.as_ref().ok().map(|read| prove(read.evidence(), inputs));
        let bound = match (read, &own) {
            (Ok(read), Some(own)) => ingress::bind(&read, td_claims(own), td_claims(&self), session),
            (Ok(_), None) => Err(ingress::IngressNotBound::NotAsked),
            (Err(why), _) => Err(why),
        };
        if let Some(tls) = &mut self.tls {
            tls.ingress = bound;
            self.ingress = own.map(Box::new);
        }
        self
    }
}

/// Whether a certificate's evidence is proven and quotes the certificate's key. It grants nothing: it says which servers may be
/// asked although no CA vouches for them.
///
/// # Errors
/// Why it is not.
pub fn is_bound_certificate(certificate: &RaTlsCertificate, own: &Claims) -> Result<(), NotBound> {
    tls_binding::quotes_own_key(certificate, td_claims(own))
}

/// Whether a certificate's evidence is proven and quotes the certificate's key, and who issued it: as a binding needs it
/// (`BindingMode::RaTls`), before anything is fetched over the connection.
///
/// # Errors
/// Why it is not, or that its chain does not lead to the KMS that its own VM booted with.
pub fn issuer_of_certificate(
    chain: &TlsChain,
    certificate: &RaTlsCertificate,
    own: &Claims,
) -> Result<Issuer, NotBound> {
    tls_binding::issuer(chain, certificate, td_claims(own))
}

/// What is proven of the TD of some claims.
pub(super) fn td_claims(claims: &Claims) -> TdClaims<'_> {
    TdClaims {
        quote: claims.quote.as_ref().ok(),
        boot: claims.boot.as_ref().ok(),
        nonce: claims.nonce.as_ref(),
        echo_differs: claims.echo == Echo::Differs,
        at: claims.at,
        unproven: match (&claims.quote, &claims.boot) {
            (Err(NotProven::Refused(refusal)), _) if refusal.is_of_old_platform() => UnprovenTd::OldPlatform,
            (Err(NotProven::Refused(_)), _) | (_, Err(NotProven::Refused(_))) => UnprovenTd::Refused,
            _ if claims.log_is_refused() => UnprovenTd::Refused,
            _ => UnprovenTd::Undetermined,
        },
    }
}
