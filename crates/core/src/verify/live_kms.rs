//! What KMSs showed and answered, added to the claims of the app whose keys they give: from a [`RecordedKms`] to a [`KmsAnswer`].

use super::age::judged_at;
use super::kms::{
    AttestedKms, Bootstrap, BootstrapRefusal, BootstrapState, KmsAnswer, KmsProblem, Meta,
    bootstrap_report_data,
};
use super::live_tls::td_claims;
use super::ra_tls::{self, NotBoundBy};
use super::{Claims, Inputs, NotProven, UnusableCollateral, mr_aggregated, prove};
use crate::evidence::{
    Evidence, KmsBootstrap, KmsMeta, MAX_BOOTSTRAPS, MAX_KMS, RecordedBootstrap, RecordedCollateral,
    RecordedKms,
};

#[doc(hidden)]
impl Claims {
    /// With what the KMSs that a policy names showed and answered, at most [`MAX_KMS`]. Each costs a verification of its own, and
    /// another one for the evidence of its bootstrap. `inputs` are those of the app's evidence; the collateral comes with each
    /// record.
    #[must_use]
    pub fn with_kms(mut self, recorded: &[RecordedKms], inputs: &Inputs<'_>) -> Self {
        let answers = recorded.iter().take(MAX_KMS);
        self.kms = answers.map(|recorded| KmsAnswer::of(recorded, inputs)).collect();
        self
    }

    /// With further evidence of how the root keys of the KMSs that were asked were made.
    #[must_use]
    pub fn with_bootstrap(mut self, recorded: &RecordedBootstrap, inputs: &Inputs<'_>) -> Self {
        for answer in &mut self.kms {
            if answer.bootstraps.len() < MAX_BOOTSTRAPS {
                answer.bootstraps.push(Bootstrap::of(recorded, inputs));
            }
        }
        self
    }
}

impl Bootstrap<Claims> {
    fn of(recorded: &RecordedBootstrap, inputs: &Inputs<'_>) -> Self {
        let read = KmsBootstrap::of_text(&recorded.evidence);
        Self {
            source: recorded.source,
            evidence: recorded.evidence.clone(),
            root_key: read
                .as_ref()
                .ok()
                .map(|bootstrap| hex::encode(&bootstrap.ca_public_key)),
            state: match &read {
                Ok(bootstrap) => proven_bootstrap(bootstrap, recorded.collateral.as_ref(), inputs),
                Err(error) => BootstrapState::Undetermined(error.to_string()),
            },
        }
    }
}

impl KmsAnswer<Claims> {
    fn of(recorded: &RecordedKms, inputs: &Inputs<'_>) -> Self {
        let further = recorded.bootstraps.iter().take(MAX_BOOTSTRAPS);
        Self {
            bootstraps: further.map(|one| Bootstrap::of(one, inputs)).collect(),
            ..Self::of_itself(recorded, inputs)
        }
    }

    /// What it showed itself.
    fn of_itself(recorded: &RecordedKms, inputs: &Inputs<'_>) -> Self {
        let host = recorded.host.clone();
        let without_evidence = |chain, problem| Self {
            host: host.clone(),
            chain,
            own: None,
            attested: Err(problem),
            bootstraps: Vec::new(),
        };
        let problem = recorded.problem.clone();
        let Some(chain) = recorded.tls_chain() else {
            let why = problem.unwrap_or_else(|| "no certificate of it was recorded".to_owned());
            return without_evidence(None, KmsProblem::Unreachable(why));
        };
        if recorded.other_keys > 0 {
            let keys = recorded.other_keys.saturating_add(1);
            return without_evidence(Some(chain), KmsProblem::KeyChanged { keys });
        }
        let certificate = match ra_tls::evidence_of(&chain) {
            None => return without_evidence(Some(chain), KmsProblem::NoEvidence),
            Some(Err(refusal)) => return without_evidence(Some(chain), KmsProblem::Refused(refusal)),
            Some(Ok(certificate)) => certificate,
        };
        let own = prove_with_own_collateral(certificate.evidence(), recorded.collateral.as_ref(), inputs);
        let attested = match ra_tls::bound_kms(&certificate, td_claims(&own)) {
            Err(NotBoundBy::Refused(refusal)) => Err(KmsProblem::Refused(refusal)),
            Err(NotBoundBy::QuoteNotProven) => Err(KmsProblem::QuoteNotProven),
            Ok(()) => Ok(AttestedKms {
                is_for_host: certificate.is_for_host(name_of(&host)),
                meta: match &recorded.meta {
                    None => Err(problem.unwrap_or_else(|| "it did not answer GetMeta".to_owned())),
                    Some(body) => Meta::of(body, recorded.bootstrap_collateral.as_ref(), inputs),
                },
            }),
        };
        Self {
            host,
            chain: Some(chain),
            own: Some(Box::new(own)),
            attested,
            bootstraps: Vec::new(),
        }
    }

    /// Its build, as contracts and the event `mr-kms` know it: `mr_aggregated` with all of its events. 32 bytes.
    #[must_use]
    pub fn build(&self) -> Option<[u8; 32]> {
        let (_, own) = self.attested().ok()?;
        let quote = own.quote.as_ref().ok()?;
        let [.., rtmr3] = quote.rtmrs();
        Some(mr_aggregated(quote, rtmr3))
    }
}

impl Meta<Claims> {
    fn of(
        body: &str,
        bootstrap_collateral: Option<&RecordedCollateral>,
        inputs: &Inputs<'_>,
    ) -> Result<Self, String> {
        let answer = KmsMeta::parse(body).map_err(|error| error.to_string())?;
        let root_key = ra_tls::spki_of_pem(&answer.ca_certificate).map(hex::encode);
        Ok(Self {
            bootstrap: bootstrap_of(&answer, root_key.as_deref(), bootstrap_collateral, inputs),
            root_key,
            answer,
        })
    }
}

/// What is proven of the bootstrap that an answer shows. `root_key` is that of the root CA in the answer, hex.
fn bootstrap_of(
    answer: &KmsMeta,
    root_key: Option<&str>,
    collateral: Option<&RecordedCollateral>,
    inputs: &Inputs<'_>,
) -> BootstrapState<Claims> {
    let bootstrap = match &answer.bootstrap {
        None => return BootstrapState::Absent,
        Some(Err(error)) => return BootstrapState::Undetermined(error.to_string()),
        Some(Ok(bootstrap)) => bootstrap,
    };
    if root_key != Some(hex::encode(&bootstrap.ca_public_key).as_str()) {
        return BootstrapState::Refused(BootstrapRefusal::OtherRoot);
    }
    if answer
        .k256_public_key
        .as_ref()
        .is_some_and(|key| *key != bootstrap.k256_public_key)
    {
        return BootstrapState::Refused(BootstrapRefusal::OtherK256);
    }
    proven_bootstrap(bootstrap, collateral, inputs)
}

/// What the evidence of a bootstrap proves: that a TD quoted both keys that stand beside it.
fn proven_bootstrap(
    bootstrap: &KmsBootstrap,
    collateral: Option<&RecordedCollateral>,
    inputs: &Inputs<'_>,
) -> BootstrapState<Claims> {
    let evidence = match Evidence::of_quote(bootstrap.attestation.clone(), None, None, None) {
        Ok(evidence) => evidence,
        Err(error) => return BootstrapState::Undetermined(error.to_string()),
    };
    let own = prove_with_own_collateral(&evidence, collateral, inputs);
    let refused = |problem: &dyn std::fmt::Display| {
        BootstrapState::Refused(BootstrapRefusal::Evidence(problem.to_string()))
    };
    match (&own.quote, &own.log, &own.boot) {
        // How a platform is rated today says nothing about when the keys were made.
        (Err(NotProven::Refused(refusal)), ..) if refusal.is_of_old_platform() => {
            BootstrapState::Undetermined(format!("its quote can no longer be verified: {refusal}"))
        }
        (Err(NotProven::Refused(refusal)), ..) => refused(refusal),
        (Err(_), ..) => BootstrapState::Undetermined("its quote could not be verified".to_owned()),
        (Ok(quote), ..)
            if *quote.report_data()
                != bootstrap_report_data(&bootstrap.ca_public_key, &bootstrap.k256_public_key) =>
        {
            BootstrapState::Refused(BootstrapRefusal::NotBound)
        }
        (_, Err(NotProven::Refused(refusal)), _) => refused(refusal),
        (_, _, Err(NotProven::Refused(refusal))) => refused(refusal),
        (_, _, Err(_)) => BootstrapState::Undetermined("its event log is missing".to_owned()),
        (Ok(_), _, Ok(_)) => BootstrapState::Proven(Box::new(own)),
    }
}

/// A host without its port.
fn name_of(host: &str) -> &str {
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

/// What evidence proves with the collateral that was recorded for it, judged when that was fetched, if that was at most 15 minutes
/// after the evidence of the app.
fn prove_with_own_collateral(
    evidence: &Evidence,
    recorded: Option<&RecordedCollateral>,
    inputs: &Inputs<'_>,
) -> Claims {
    let collateral = recorded.and_then(RecordedCollateral::read);
    let fetched_at = recorded.and_then(RecordedCollateral::fetched_at);
    prove(
        evidence,
        &Inputs {
            collateral: collateral.as_ref().ok_or(UnusableCollateral::Missing),
            collateral_fetched_at: fetched_at,
            at: judged_at(fetched_at, inputs.at),
            ..*inputs
        },
    )
}
