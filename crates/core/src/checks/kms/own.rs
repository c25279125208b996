//! The VM of a KMS, judged by the checks of any VM.

use super::reasons::{
    OS_IMAGE, OS_IMAGE_UNKNOWN, PLATFORM, QUOTE, QUOTE_UNDETERMINED, VM_KEYS, VM_KEYS_UNKNOWN,
};
use crate::checks::judgement::Judgement;
use crate::checks::{
    Check, Reason, boot_order, event_log, governance, key_provider, mr_config_id, os_image, quote_signature,
    tcb_status, td_attributes,
};
use crate::policy::{Expected, KeyProviderPin, KeyProviders, Origin, OsImagePolicy, Policy};
use crate::report::{AcceptedKind, Status};
use crate::verify::Claims;
use crate::verify::kms::KmsAnswer;

/// The measurement of dstack's local key provider, an SGX enclave, as both recorded production KMSs quote it
/// (docs/governance.md).
const LOCAL_KEY_PROVIDER: &str = "1b7a49378403249b6986a907844cab0921eca32dd47e657f3c10311ccaeccf8b";

/// A check that is run, and under which reasons it is reported that it failed, or that it is short of being met.
type OwnCheckRow = (&'static Check, &'static Reason, &'static Reason);

const ROWS: [OwnCheckRow; 8] = [
    (&quote_signature::CHECK, &QUOTE, &QUOTE_UNDETERMINED),
    (&tcb_status::CHECK, &PLATFORM, &QUOTE_UNDETERMINED),
    (&td_attributes::CHECK, &QUOTE, &QUOTE_UNDETERMINED),
    (&event_log::CHECK, &QUOTE, &QUOTE_UNDETERMINED),
    (&boot_order::CHECK, &QUOTE, &QUOTE_UNDETERMINED),
    (&mr_config_id::CHECK, &QUOTE, &QUOTE_UNDETERMINED),
    (&os_image::CHECK, &OS_IMAGE, &OS_IMAGE_UNKNOWN),
    (&key_provider::CHECK, &VM_KEYS, &VM_KEYS_UNKNOWN),
];

/// Judges the VM of a KMS.
pub(super) fn judge(judgement: &mut Judgement, host: &str, own: &Claims, policy: &Policy) {
    let is_provider_named = policy.kms.key_provider.is_some();
    let policy = policy_of_kms(policy);
    for (check, failed, open) in ROWS {
        let finding = (check.run)(own, &policy);
        let reason = finding.reason.map(|reason| reason.id);
        if check.is_met_by(finding.status, reason)
            // A guest that binds no identity at launch is as legal for a KMS as for an app.
            || check.is_harmless_skip(finding.status, reason)
            || !finding.accepted.is_empty()
        {
            // That the keys come from no KMS is how a KMS must be.
            let accepted = finding.accepted.into_iter();
            judgement.accept(accepted.filter(|one| !one.is(AcceptedKind::KeyProvider)));
            continue;
        }
        let sentence = format!(
            "Of the VM of the KMS at {host}, {} says: {}",
            check.id, finding.detail
        );
        let is_open = check.id == crate::report::CheckId::KeyProvider && !is_provider_named;
        match finding.status {
            Status::Fail if !is_open => judgement.fail(failed, sentence),
            _ => judgement.error(open, sentence),
        }
    }
}

/// By what the VM of a KMS is judged: the platform as the app's. Every expectation is named here, so that a new one is decided on.
pub(super) fn policy_of_kms(policy: &Policy) -> Policy {
    let Policy {
        kms,
        tcb,
        collateral_max_age,
        reference,
        settings,
        // Of the app, its code, its address and its own VM.
        lock: _,
        compose_hash: _,
        given_document: _,
        second_compose_hash: _,
        docker_compose: _,
        app_id: _,
        instance_ids: _,
        min_instances: _,
        address_id: _,
        os_image: _,
        os_image_origin: _,
        demanded: _,
        locked_shape: _,
        mr_config_id: _,
        key_provider: _,
        freshness: _,
        image_pins: _,
        launch_inputs: _,
        sources: _,
        gpu: _,
        verifier: _,
        tls_binding: _,
        locked_tls: _,
        endpoint_probe: _,
        report_data: _,
        locked_platform: _,
        locked_compose: _,
        replaced_compose_hash: _,
        governance: _,
        waivers: _,
        required: _,
        // The machines of the app. A KMS runs elsewhere: that its machine is not compared is said.
        platforms: _,
    } = policy;
    let (os_image, os_image_origin) = match &kms.os_image {
        Some((policy, origin)) => (policy.clone(), Some(origin.clone())),
        None => (OsImagePolicy::Known, None),
    };
    let local = || Expected {
        value: KeyProviders::from(KeyProviderPin {
            name: "local-sgx".to_owned(),
            id: Some(LOCAL_KEY_PROVIDER.to_owned()),
        }),
        origin: Origin::Option("kms-key-provider"),
    };
    Policy {
        os_image,
        os_image_origin,
        key_provider: Some(kms.key_provider.clone().unwrap_or_else(local)),
        tcb: tcb.clone(),
        collateral_max_age: *collateral_max_age,
        reference: std::sync::Arc::clone(reference),
        settings: settings.clone(),
        ..Policy::default()
    }
}

/// Who allows its build on chain, if two nodes say that the contract that the user named does, and that contract is the one of the
/// app's KMS.
pub(super) fn allowed_on_chain(
    answer: &KmsAnswer<Claims>,
    claims: &Claims,
    policy: &Policy,
) -> Option<String> {
    let (build, contracts) = (answer.build()?, policy.contracts()?);
    let found = claims.chain.as_ref()?.as_ref().ok()?;
    let kms = found.kms()?.ok()??;
    let is_current = governance::stale(found, claims.at).is_none();
    let id = &claims.boot.as_ref().ok()?.key_provider().id;
    let is_linked = governance::is_contract_of(kms, (contracts.chain_id, &contracts.kms?), id, policy);
    let is_allowed = *found.contracts() == contracts && is_current && is_linked && kms.allows_build(&build);
    is_allowed.then(|| {
        format!(
            "which the KMS's contract allows at block {}",
            found.block().number
        )
    })
}

#[cfg(test)]
mod tests {
    use simulator::{Kms, World};

    use super::*;
    use crate::checks::claims_for_tests::{chain, expected, healthy, kms, policy};
    use crate::evidence::{RecordedCollateral, RecordedKms, collateral};
    use crate::verify::{Inputs, SignatureCache, TrustRoot, UnusableCollateral};

    const HOST: &str = "localhost:8443";

    /// A healthy app whose KMS was asked.
    fn asked() -> Claims {
        let world = World::default();
        let kms = Kms::healthy(&world);
        let collateral = world.collateral();
        let document = collateral::document(&collateral);
        let recorded = RecordedKms {
            chain: kms
                .identity(1, world.now)
                .chain_der()
                .iter()
                .map(hex::encode)
                .collect(),
            meta: Some(kms.meta.to_string()),
            collateral: Some(RecordedCollateral {
                document: serde_json::value::to_raw_value(&document).unwrap(),
                fetched_at: None,
            }),
            ..RecordedKms::of_host(HOST)
        };
        healthy().with_kms(
            &[recorded],
            &Inputs {
                collateral: Err(UnusableCollateral::Missing),
                collateral_fetched_at: None,
                signatures: &SignatureCache::default(),
                root: &TrustRoot::custom(world.root_pem().as_bytes()).unwrap(),
                at: world.now,
                clock_floor: 0,
            },
        )
    }

    /// A contract allows a KMS where it is the named one, at a current block, that of this KMS, and has its build.
    #[test]
    fn the_contract_of_a_kms_allows_its_build_only_where_everything_about_it_is_known() {
        let mut claims = asked();
        let policy = policy(&claims);
        let build = claims.kms[0].build().unwrap();
        let allowing = |claims: &Claims| {
            let mut contract = kms(claims);
            contract.live_builds = vec![([9; 32], Ok(true)), (build, Ok(true))];
            contract
        };
        let says = |claims: &Claims, policy: &Policy| allowed_on_chain(&claims.kms[0], claims, policy);
        assert_eq!(says(&claims, &policy), None, "nobody was asked");
        claims.chain = Some(Ok(chain(&claims, 0, allowing(&claims))));
        let words = "which the KMS's contract allows at block 77";
        assert_eq!(says(&claims, &policy).as_deref(), Some(words));
        let mut other = policy.clone();
        other.app_id = Some(expected("app-id", [1; 20]));
        assert_eq!(says(&claims, &other), None, "another contract");
        claims.chain = Some(Ok(chain(&claims, 3 * 3600, allowing(&claims))));
        assert_eq!(says(&claims, &policy), None, "an old block");
        let mut unlinked = allowing(&claims);
        unlinked.info.as_mut().unwrap().ca_public_key = vec![1];
        let mut disallowed = allowing(&claims);
        disallowed.live_builds[1].1 = Ok(false);
        let mut with_epochs = allowing(&claims);
        with_epochs.has_epochs = Ok(true);
        for (what, contract) in [
            ("of another KMS", unlinked),
            ("not this build", disallowed),
            ("of epoch 0", with_epochs),
        ] {
            claims.chain = Some(Ok(chain(&claims, 0, contract)));
            assert_eq!(says(&claims, &policy), None, "{what}");
        }
    }

    #[test]
    fn the_platform_of_a_kms_is_judged_as_that_of_the_app_and_its_image_by_its_own_policy() {
        let mut policy = Policy::default();
        let origin = Origin::Option("kms-os-image");
        policy.kms.os_image = Some((OsImagePolicy::Unchecked, origin.clone()));
        policy.collateral_max_age = "7d".parse().unwrap();
        policy
            .settings
            .extend([("tcb-min-eval", Origin::Option("tcb-min-eval"))]);
        let of_kms = policy_of_kms(&policy);
        assert!(matches!(of_kms.os_image, OsImagePolicy::Unchecked));
        assert_eq!(of_kms.os_image_origin, Some(origin));
        assert_eq!(of_kms.collateral_max_age, policy.collateral_max_age);
        assert_eq!(of_kms.settings, policy.settings);
        policy.kms.os_image = None;
        let of_kms = policy_of_kms(&policy);
        assert!(matches!(of_kms.os_image, OsImagePolicy::Known));
        assert_eq!(of_kms.os_image_origin, None);
    }
}
