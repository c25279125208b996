//! What was seen of TLS, added to the facts of the evidence that came over it.

use dcap_qvl::QuoteCollateralV3;

use super::ingress;
use super::ra_tls::{self, RaTlsCertificate};
use super::td_claims::TdClaims;
use super::{
    Claims, Echo, Inputs, Issuer, NotBound, NotProven, SignatureCache, TrustRoot, UnusableCollateral, prove,
    tls_binding,
};
use crate::evidence::{Evidence, TlsChain, TlsSession};

/// What the own quote of a certificate, or of an ingress, is verified with.
#[derive(Clone)]
pub struct LeafInputs<'a> {
    /// The collateral for that quote, or why there is none.
    pub collateral: Result<&'a QuoteCollateralV3, UnusableCollateral>,
    /// When it was fetched, Unix seconds, where that is known.
    pub collateral_fetched_at: Option<u64>,
    /// See [`Inputs::signatures`].
    pub signatures: &'a SignatureCache,
    /// Whose root certificate to chain up to.
    pub root: &'a TrustRoot,
    /// The time to judge at, Unix seconds.
    pub at: u64,
    /// See [`Inputs::clock_floor`].
    pub clock_floor: u64,
}

impl Claims {
    /// With what was seen of TLS while this evidence was fetched. A certificate of dstack costs a second verification: that of
    /// its own quote.
    #[must_use]
    pub fn with_tls(mut self, session: &TlsSession, inputs: &LeafInputs<'_>) -> Self {
        let read = ra_tls::evidence_of(&session.chain);
        let own = match &read {
            Some(Ok(certificate)) => Some(prove_certificate(certificate, inputs)),
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
    /// verification.
    #[must_use]
    pub fn with_ingress(mut self, session: &TlsSession, inputs: &LeafInputs<'_>) -> Self {
        let read = ingress::evidence_of(session);
        let own = read.as_ref().ok().map(|read| prove_own(read.evidence(), inputs));
        let bound = match (read, &own) {
            (Ok(read), Some(own)) => ingress::bind(&read, td_claims(own), td_claims(&self), session),
            (Ok(_), None) => Err(ingress::IngressGap::NotAsked),
            (Err(gap), _) => Err(gap),
        };
        if let Some(tls) = &mut self.tls {
            tls.ingress = bound;
            self.ingress = own.map(Box::new);
        }
        self
    }
}

/// Proves what a certificate's own evidence can prove.
#[must_use]
pub fn prove_certificate(certificate: &RaTlsCertificate, inputs: &LeafInputs<'_>) -> Claims {
    prove_own(certificate.evidence(), inputs)
}

fn prove_own(evidence: &Evidence, inputs: &LeafInputs<'_>) -> Claims {
    prove(&Inputs {
        evidence,
        collateral: inputs.collateral.clone(),
        collateral_fetched_at: inputs.collateral_fetched_at,
        signatures: inputs.signatures,
        root: inputs.root,
        at: inputs.at,
        clock_floor: inputs.clock_floor,
    })
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
/// ([`BindingMode::RaTls`](super::BindingMode::RaTls)), before anything is fetched over the connection.
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

/// What is proven of the TD of some facts.
pub(super) fn td_claims(claims: &Claims) -> TdClaims<'_> {
    TdClaims {
        quote: claims.quote.as_ref().ok(),
        boot: claims.boot.as_ref().ok(),
        nonce: claims.nonce.as_ref(),
        echo_differs: claims.echo == Echo::Differs,
        at: claims.at,
        is_refused: matches!(claims.quote, Err(NotProven::Refused(_)))
            || claims.log_is_refused()
            || matches!(claims.boot, Err(NotProven::Refused(_))),
    }
}
