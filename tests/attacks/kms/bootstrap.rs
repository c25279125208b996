//! Evidence of how the root keys of a KMS were made.

use super::*;

#[test]
fn t36_bootstrap_evidence_convicts_if_it_is_about_other_keys_and_is_not_needed() {
    let with = |change: &dyn Fn(&mut Value)| {
        let mut kms = kms();
        change(&mut kms.meta);
        honest(&kms)
    };
    with(&|meta| meta["bootstrap_info"] = Value::Null)
        .judge()
        .passes()
        .proves(ID);
    fails_alone(
        &with(&|meta| meta["k256_pubkey"] = "03".repeat(33).into()),
        "bootstrap",
    );
    fails_alone(
        &with(&|meta| meta["bootstrap_info"]["ca_pubkey"] = "00".into()),
        "bootstrap",
    );
    let own = kms();
    let ca = hex::decode(own.meta["bootstrap_info"]["ca_pubkey"].as_str().unwrap()).unwrap();
    let other = bootstrap(&own.cvm, &ca, &[3; 33]);
    fails_alone(
        &with(&|meta| meta["bootstrap_info"]["quote"] = other["quote"].clone()),
        "bootstrap",
    );
    // A log without events is absent.
    with(&|meta| meta["bootstrap_info"]["eventlog"] = hex::encode("[]").into())
        .judge()
        .says(ID, Status::Warn, "bootstrap-undetermined");
    for broken in [json!("zz"), json!("00")] {
        let judged = with(&|meta| meta["bootstrap_info"]["quote"] = broken.clone()).judge();
        assert!(
            matches!(judged.status(ID), Status::Warn | Status::Fail),
            "{judged}"
        );
    }
    let without = honest(&kms()).with(|trial| trial.kms[0].bootstrap_collateral = None);
    without.judge().says(ID, Status::Warn, "bootstrap-undetermined");
}

#[test]
fn t36_bootstrap_evidence_in_two_forms_says_the_same() {
    let own = kms();
    let shown = &own.meta["bootstrap_info"];
    let events = own.cvm.evidence("").event_log;
    let versioned = simulator::versioned::Versioned::of(&simulator::Evidence {
        quote: hex::decode(shown["quote"].as_str().unwrap()).unwrap(),
        event_log: events.clone(),
        report_data: own.cvm.evidence("").report_data,
    });
    let with = |quote: &Value, log: &Value| {
        let mut own = own.clone();
        let info = &mut own.meta["bootstrap_info"];
        info["attestation"] = hex::encode(versioned.scale()).into();
        info["quote"] = quote.clone();
        info["eventlog"] = log.clone();
        KmsMeta::parse(&own.meta.to_string()).unwrap().bootstrap.unwrap()
    };
    let mut swapped = events;
    swapped.last_mut().unwrap().payload.push(0);
    let swapped = hex::encode(simulator::event_log::to_json(&swapped).to_string());
    let none = Value::Null;
    for quote in [&none, &shown["quote"]] {
        for log in [&none, &shown["eventlog"]] {
            with(quote, log).unwrap();
        }
        let problem = with(quote, &swapped.clone().into()).unwrap_err().to_string();
        assert!(
            problem.contains("differs from the `eventlog` beside it"),
            "{problem}"
        );
    }
    let other = hex::encode(own.cvm.evidence("00").quote);
    let problem = with(&other.into(), &none).unwrap_err().to_string();
    assert!(
        problem.contains("differs from the `quote` beside it"),
        "{problem}"
    );
}

/// A replica that shows nothing of its bootstrap, beside evidence of one from elsewhere.
fn beside(source: BootstrapSource, evidence: &str) -> Trial {
    let mut replica = kms();
    replica.meta["bootstrap_info"] = Value::Null;
    honest(&replica).with(|trial| {
        trial.kms[0].bootstraps.push(RecordedBootstrap {
            source,
            evidence: evidence.to_owned(),
            collateral: collateral(&kms().cvm.world),
        });
    })
}

/// Each costs a verification: no more are looked at than are recorded.
#[test]
fn t36_bootstrap_evidence_has_a_limit() {
    let trial = honest(&kms());
    let evidence = trial.evidence().unwrap();
    let root = trial.root.clone();
    let signatures = SignatureCache::default();
    let inputs = Inputs {
        collateral: Err(UnusableCollateral::Missing),
        collateral_fetched_at: None,
        signatures: &signatures,
        root: &root,
        at: trial.at,
        clock_floor: 0,
    };
    let recorded = RecordedBootstrap {
        source: BootstrapSource::File,
        evidence: "{}".to_owned(),
        collateral: None,
    };
    let mut claims = trial.claims(&evidence);
    for count in 1..=MAX_BOOTSTRAPS + 1 {
        claims = claims.with_bootstrap(&recorded, &inputs);
        assert_eq!(claims.kms[0].bootstraps().len(), count.min(MAX_BOOTSTRAPS));
    }
}

fn keys_of(evidence: &Value) -> [Vec<u8>; 2] {
    ["ca_pubkey", "k256_pubkey"].map(|name| hex::decode(evidence[name].as_str().unwrap()).unwrap())
}

#[test]
fn t36_bootstrap_evidence_from_elsewhere_must_be_about_the_apps_root() {
    let own = kms();
    let good = &own.meta["bootstrap_info"];
    let [ca, k256] = keys_of(good);
    let other_root = Kms::of(own.cvm.clone(), 7);
    let mut debug = own.cvm.clone();
    debug.report.td_attributes[0] |= 1;
    let mut migratable = own.cvm.clone();
    migratable.report.td_attributes[3] |= 0x20;
    for source in [BootstrapSource::File, BootstrapSource::Contract] {
        let judged = beside(source, &good.to_string()).judge();
        judged.passes().proves(ID);
        let made = format!(
            "The root keys were made by the compose document {}",
            hex::encode(own.cvm.compose_hash())
        );
        assert!(judged.detail(ID).contains(&made), "{judged}");
        let mut swapped = good.clone();
        swapped["quote"] = bootstrap(&own.cvm, &ca, &[3; 33])["quote"].clone();
        let mut short = good.clone();
        short["eventlog"] = hex::encode("[]").into();
        for (what, evidence) in [
            ("another root", other_root.meta["bootstrap_info"].clone()),
            ("another quote", swapped),
            ("a debugged VM", bootstrap(&debug, &ca, &k256)),
            ("a VM that can be migrated", bootstrap(&migratable, &ca, &k256)),
        ] {
            let judged = fails_alone(&beside(source, &evidence.to_string()), "bootstrap");
            assert!(judged.detail(ID).contains(source.words()), "{what}: {judged}");
        }
        for evidence in ["{}", "7", "", r#"{"ca_pubkey":"00","k256_pubkey":"00"}"#] {
            beside(source, evidence)
                .judge()
                .says(ID, Status::Warn, "bootstrap-undetermined");
        }
        beside(source, &short.to_string())
            .judge()
            .says(ID, Status::Warn, "bootstrap-undetermined");
        let without =
            beside(source, &good.to_string()).with(|trial| trial.kms[0].bootstraps[0].collateral = None);
        without.judge().says(ID, Status::Warn, "bootstrap-undetermined");
    }
    // How a platform is rated today says nothing about when the keys were made; what is not verified proves nothing.
    for lie in [Lie::NoMatchingTcbLevel, Lie::OldQuotingEnclave] {
        let mut old = own.cvm.clone();
        lie.apply(&mut old);
        let evidence = bootstrap(&old, &ca, &k256).to_string();
        let of_old = |trial: Trial| {
            trial.with(|trial| {
                let world = &old.world;
                trial.kms[0].bootstraps[0].collateral = collateral(world);
            })
        };
        for source in [BootstrapSource::File, BootstrapSource::Contract] {
            let judged = of_old(beside(source, &evidence)).judge();
            judged.says(ID, Status::Warn, "bootstrap-undetermined");
            let detail = judged.detail(ID);
            assert!(detail.contains("can no longer be verified"), "{judged}");
            assert!(!detail.contains("The root keys were made"), "{judged}");
        }
        let named = of_old(beside(BootstrapSource::File, &evidence)).with(|trial| {
            trial.policy.kms.bootstrap = Some(expected("kms-bootstrap-file", evidence.clone()))
        });
        is_open(&named, "bootstrap-unproven");
        // A TDX module that is not Intel's convicts, however its platform is rated.
        old.report.mr_signer_seam[0] = 1;
        let evidence = bootstrap(&old, &ca, &k256).to_string();
        let judged = beside(BootstrapSource::File, &evidence)
            .with(|trial| trial.kms[0].bootstraps[0].collateral = collateral(&old.world))
            .judge();
        judged.says(ID, Status::Fail, "bootstrap");
    }
    // An OS that is not known can write any compose hash into its log.
    let mut unknown = own.cvm.clone();
    unknown.forced.mr_td = Some([7; 48]);
    let made_elsewhere = bootstrap(&unknown, &ca, &k256).to_string();
    let judged = beside(BootstrapSource::Contract, &made_elsewhere).judge();
    judged.says(ID, Status::Warn, "bootstrap-undetermined");
    let named = beside(BootstrapSource::File, &made_elsewhere).with(|trial| {
        trial.kms[0].meta = honest(&kms()).kms[0].meta.clone();
        trial.policy.kms.bootstrap = Some(expected("kms-bootstrap-file", made_elsewhere.clone()));
    });
    is_open(&named, "bootstrap-unproven");
    // A contract names the root of the present epoch; the user named both.
    let id = simulated_kms_id(own.root);
    let both: KeyProviders = format!("kms:{id},kms:{}", simulated_kms_id(7)).parse().unwrap();
    let present = other_root.meta["bootstrap_info"].to_string();
    let epochs = beside(BootstrapSource::Contract, &present)
        .with(|trial| trial.policy.key_provider = Some(expected("--key-provider", both)));
    epochs.judge().says(ID, Status::Warn, "bootstrap-undetermined");
    // More than one of each source is not looked at.
    let flood = beside(BootstrapSource::Contract, &good.to_string()).with(|trial| {
        let one = trial.kms[0].bootstraps[0].clone();
        let bad = RecordedBootstrap {
            evidence: other_root.meta["bootstrap_info"].to_string(),
            ..one.clone()
        };
        trial.kms[0].bootstraps = vec![one.clone(), one];
        trial.kms[0].bootstraps.extend(vec![bad; 1000]);
    });
    flood.judge().proves(ID);
}

#[test]
fn t36_bootstrap_evidence_that_the_user_names_must_count() {
    let own = kms();
    let good = own.meta["bootstrap_info"].to_string();
    let named = |trial: Trial| {
        let text = good.clone();
        trial.with(|trial| trial.policy.kms.bootstrap = Some(expected("kms-bootstrap-file", text)))
    };
    named(beside(BootstrapSource::File, &good))
        .judge()
        .passes()
        .proves(ID);
    let without_host = named(Trial::healthy());
    is_open(&without_host, "no-host");
    // Nobody looked at it, or at another, or it came from the contract.
    is_open(&named(honest(&own)), "bootstrap-unproven");
    is_open(
        &named(beside(BootstrapSource::File, &format!("{good} "))),
        "bootstrap-unproven",
    );
    is_open(
        &named(beside(BootstrapSource::Contract, &good)),
        "bootstrap-unproven",
    );
    let without = named(beside(BootstrapSource::File, &good))
        .with(|trial| trial.kms[0].bootstraps[0].collateral = None);
    is_open(&without, "bootstrap-unproven");
}

/// T33: a known image on unknown ACPI tables is not told as if the log of its VM were certain.
#[test]
fn t33_bootstrap_evidence_of_a_vm_with_unverified_acpi_tables_says_so() {
    let own = kms();
    let [ca, k256] = keys_of(&own.meta["bootstrap_info"]);
    let mut altered = own.cvm.clone();
    Lie::AlteredAcpiTables.apply(&mut altered);
    let report = own.cvm.td_report([0; 64]);
    let [_, rtmr1, rtmr2, _] = report.rtmr.map(hex::encode);
    let tail = "source = \"ours\"\ndate = \"2026-10-01\"\n";
    let rows = format!(
        "updated = \"2026-10-01\"\n[[firmware]]\nname = \"ours\"\nmrtd = \"{}\"\nnote = \"ours\"\n{tail}[[image]]\nname = \
         \"our-os-1.0\"\nversion = \"1.0\"\nclass = \"production\"\nos_image_hash = \"{}\"\nfirmware = \"ours\"\nrtmr1 = \
         \"{rtmr1}\"\nrtmr2 = \"{rtmr2}\"\n{tail}",
        hex::encode(report.mr_td),
        "ab".repeat(32)
    );
    let reference = ReferenceValues::built_in().with_file("rows.toml", rows.as_bytes());
    let reference = std::sync::Arc::new(reference.unwrap());
    let caveat = "its ACPI tables are unverified";
    for (cvm, has_caveat) in [(&own.cvm, false), (&altered, true)] {
        let evidence = bootstrap(cvm, &ca, &k256).to_string();
        for source in [BootstrapSource::File, BootstrapSource::Contract] {
            let trial = beside(source, &evidence).with(|trial| {
                trial.policy.reference = std::sync::Arc::clone(&reference);
                if source == BootstrapSource::File {
                    trial.policy.kms.bootstrap = Some(expected("kms-bootstrap-file", evidence.clone()));
                }
            });
            let judged = trial.judge();
            judged.proves(ID);
            let detail = judged.detail(ID);
            assert!(detail.contains(&hex::encode(own.cvm.compose_hash())), "{judged}");
            assert_eq!(detail.contains(caveat), has_caveat, "{judged}");
            assert_eq!(
                detail.contains("The root keys were made by"),
                !has_caveat,
                "{judged}"
            );
        }
    }
}
