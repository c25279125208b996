//! What a policy and a lock say of a key that is bound: of the platform, of the KMS, of the key provider.

use cvm_verify_core::policy::LockedBinding;

use super::*;

/// The quote in the certificate may be older than the one of this run: it is judged by the policy for platforms, too.
#[test]
fn t26_a_certificate_that_was_quoted_on_a_platform_that_is_not_accepted_does_not_bind() {
    let (cvm, identity) = healthy();
    // The module was updated since: the quote of this run is up to date.
    let mut before = cvm.clone();
    before.report.tee_tcb_svn = simulator::world::TEE_TCB_SVN_OUT_OF_DATE;
    let old = TlsIdentity::ra_tls(1, DEFAULT_NOW, &before);
    let trial = || asked(cvm.clone(), &old, TlsBinding::RaTls);
    let judged = trial().judge();
    grants_nothing(judged.fails(ID, "ratls-platform").proves(CheckId::TcbStatus));
    judged.detail_says(ID, "Of the quote in the certificate, tcb-status says: ");
    never_binds(trial(), "ratls-platform");
    // Older than anything that Intel rates is not forged.
    before.report.tee_tcb_svn = [0; 16];
    let unrated = TlsIdentity::ra_tls(1, DEFAULT_NOW, &before);
    never_binds(asked(cvm.clone(), &unrated, TlsBinding::RaTls), "ratls-platform");
    // What is accepted in writing of the one is accepted of the other, and named.
    let accepted = trial().with(|trial| {
        let exception = "OutOfDate:until=2026-12-01".parse().unwrap();
        trial.policy.tcb.exceptions.push(exception);
    });
    let judged = accepted.judge();
    judged.proves(ID);
    let of_check = judged.0.accepted.iter().filter(|one| one.check == ID);
    let kinds: Vec<AcceptedKind> = of_check.map(|one| one.what).collect();
    assert_eq!(kinds, [AcceptedKind::Tcb], "{judged}");
    // Advisories alone are harmless.
    let mut advised = cvm.clone();
    advised.world.tcb_info.land_on("UpToDate", &["INTEL-SA-00000"]);
    asked(advised, &identity, TlsBinding::RaTls).judge().proves(ID);
}

/// Collateral of an older evaluation set is no fault of the server's.
#[test]
fn t26_a_platform_that_could_not_be_rated_does_not_bind_and_accuses_nobody() {
    let (cvm, identity) = healthy();
    let trial = asked(cvm, &identity, TlsBinding::RaTls).with(|trial| {
        trial.policy.tcb.min_eval_data_number = Some(1000);
    });
    grants_nothing(trial.judge().leaves_open(ID, "ratls-quote-undetermined"));
}

#[test]
fn t26_a_lock_names_the_kms_that_a_certificate_must_lead_to() {
    let (cvm, identity) = healthy();
    let own = simulated_kms_id(&cvm);
    let locked = |kms: &str| {
        asked(cvm.clone(), &identity, TlsBinding::Auto).with(|trial| {
            trial.policy.locked_tls = Some(LockedBinding {
                mode: TlsBinding::RaTls,
                kms: Some(kms.to_owned()),
            });
        })
    };
    for same in [own.clone(), own.to_uppercase()] {
        binds(&locked(&same), TlsRoute::AppRatls);
    }
    let judged = locked(&own.replace('4', "5")).judge();
    grants_nothing(judged.fails(ID, "ratls-other-kms"));
    judged.detail_says(ID, "another KMS than the one in the lock");
    assert_eq!(judged.check(ID).actual.as_deref(), Some(own.as_str()));
}

/// Roots rotate one at a time: for a while the user names the old one and the new one, and the lock is of the old one.
#[test]
fn t26_a_kms_that_is_named_beside_the_one_of_the_lock_may_have_issued_the_certificate() {
    let (cvm, identity) = healthy();
    let own = simulated_kms_id(&cvm);
    let [locked, third] = ["5", "6"].map(|digit| own.replace('4', digit));
    let named = |providers: &[&String]| {
        asked(cvm.clone(), &identity, TlsBinding::Auto).with(|trial| {
            let providers: Vec<String> = providers.iter().map(|id| format!("kms:{id}")).collect();
            let providers = providers.join(",").parse().unwrap();
            trial.policy.key_provider = Some(crate::judge::expected("--key-provider", providers));
            trial.policy.locked_tls = Some(LockedBinding {
                mode: TlsBinding::RaTls,
                kms: Some(locked.clone()),
            });
        })
    };
    binds(&named(&[&locked, &own]), TlsRoute::AppRatls);
    // The one of the lock is not named: it contradicts the policy.
    grants_nothing(named(&[&third, &own]).judge().fails(ID, "ratls-other-kms"));
    // The one that issued it is not named.
    let judged = named(&[&locked, &third]).judge();
    grants_nothing(
        judged
            .fails(ID, "ratls-other-kms")
            .fails(CheckId::KeyProvider, "provider-mismatch"),
    );
}

/// A certificate that no KMS signed holds if the policy names the provider that the VM booted with.
#[test]
fn t26_a_self_made_certificate_needs_the_key_provider_of_the_vm_in_the_policy() {
    let (mut cvm, _) = healthy();
    cvm.set_key_provider("local-sgx", "aa55");
    let identity = TlsIdentity::ra_tls(1, DEFAULT_NOW, &cvm);
    let says = "The VM's keys come from `local-sgx`, so no KMS signed the certificate, and the policy does not name this key \
                provider.";
    for (named, is_named) in [
        ("local-sgx:aa55", true),
        ("local-sgx", true),
        ("local-sgx:bb66", false),
        ("none", false),
        ("kms", false),
    ] {
        let trial = asked(cvm.clone(), &identity, TlsBinding::RaTls).with(|trial| {
            let provider = named.parse().unwrap();
            trial.policy.key_provider = Some(crate::judge::expected("--key-provider", provider));
        });
        let judged = trial.judge();
        match is_named {
            true => drop(judged.proves(ID)),
            false => {
                grants_nothing(judged.says(ID, Status::Error, "ratls-no-kms"));
                assert_eq!(judged.detail(ID), says, "{named}");
            }
        }
    }
}

/// Without a mode, 32 bytes behind the nonce are nobody's TLS key: an app quotes other things there.
#[test]
fn t26_what_stands_behind_the_nonce_is_compared_only_where_a_binding_is_asked_for() {
    let own = TlsIdentity::new(7, DEFAULT_NOW, TlsMode::TestCa);
    let mut cvm = Cvm::healthy(&World::default());
    cvm.report_data = ReportDataLayout::NonceThenKey([9; 32]);
    let trusted = |trial: &mut Trial| tls(trial).has_trusted_ca = true;
    let not_asked = served(cvm.clone(), &own).with(trusted).judge();
    grants_nothing(not_asked.says(ID, Status::Skip, "unbound"));
    let asked = asked(cvm, &own, TlsBinding::Auto).with(trusted).judge();
    grants_nothing(asked.fails(ID, "key-mismatch"));
}
