//! What the simulator makes is accepted by dcap-qvl with no special case, and each knob does what its name says.

use dcap_qvl::{Policy, QuoteClaims, TcbStatus, verify::QuoteVerifier};
use simulator::{
    Certificate, Cvm, DAY, Echo, Event, EventLogForm, EventVersion, Guest, MrConfigId, Nested, PckCa,
    QuoteEncoding, QuoteFormat, ReportDataLayout, Window, World, event_log::replay,
    world::TEE_TCB_SVN_OUT_OF_DATE,
};

const NONCE: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

struct AnyStatus;

impl Policy for AnyStatus {
    fn validate(&self, _: &QuoteClaims) -> anyhow::Result<()> {
        Ok(())
    }
}

fn claims(cvm: &Cvm) -> Result<QuoteClaims, String> {
    let world = &cvm.world;
    QuoteVerifier::new(world.root_der())
        .verify_with_policy(&cvm.quote_bytes(NONCE), world.collateral(), world.now, &AnyStatus)
        .map_err(|error| format!("{error:#}"))
}

fn status(cvm: &Cvm) -> TcbStatus {
    claims(cvm).expect("the quote verifies").tcb.status
}

#[test]
fn every_generation_and_quote_format_verifies_and_is_up_to_date() {
    let world = World::default();
    for guest in Guest::ALL {
        for format in QuoteFormat::ALL {
            let mut cvm = Cvm::of_generation(&world, guest);
            cvm.quote.format = format;
            let report = QuoteVerifier::new(world.root_der())
                .verify(&cvm.quote_bytes(NONCE), &world.collateral(), world.now)
                .unwrap_or_else(|error| panic!("{guest:?} {format:?}: {error:#}"));
            assert_eq!(report.status, "UpToDate", "{guest:?} {format:?}");
            assert!(report.advisory_ids.is_empty());
            assert_eq!(report.ppid, world.platform.ppid);
        }
    }
}

#[test]
fn the_log_replays_to_the_registers_of_the_quote() {
    for guest in Guest::ALL {
        for version in [EventVersion::V1, EventVersion::V2] {
            let mut cvm = Cvm::of_generation(&World::default(), guest);
            cvm.event_version = version;
            cvm.body.stripped_log = false;
            cvm.app_events
                .push(("LIUM_MINER_HOTKEY".into(), b"5D335".to_vec()));
            let evidence = cvm.evidence(NONCE);
            let quote = dcap_qvl::quote::Quote::parse(&evidence.quote).expect("a quote");
            let td = quote.report.as_td10().expect("a TD report");
            let registers = [td.rt_mr0, td.rt_mr1, td.rt_mr2, td.rt_mr3];
            for (imr, register) in (0..).zip(registers) {
                assert_eq!(
                    replay(&evidence.event_log, imr),
                    register,
                    "{guest:?} {version:?} RTMR{imr}"
                );
            }
            assert_eq!(hex::encode(&td.report_data[..32]), NONCE);
            assert_eq!(td.report_data[32..], [0; 32]);
        }
    }
}

#[test]
fn the_boot_events_are_those_of_the_generation() {
    let names = |guest| -> Vec<String> {
        let cvm = Cvm::of_generation(&World::default(), guest);
        cvm.emitted_log()
            .into_iter()
            .filter(|event| event.imr == 3)
            .map(|event| event.event)
            .collect()
    };
    let counts = |imr| {
        Cvm::healthy(&World::default())
            .emitted_log()
            .iter()
            .filter(|event| event.imr == imr)
            .count()
    };
    assert_eq!([counts(0), counts(1), counts(2)], [13, 5, 2]);
    assert_eq!(
        names(Guest::V0_4).join(" "),
        "system-preparing rootfs-hash app-id compose-hash instance-id boot-mr-done key-provider system-ready"
    );
    assert_eq!(
        names(Guest::V0_5_5).join(" "),
        "system-preparing app-id compose-hash instance-id boot-mr-done mr-kms os-image-hash key-provider storage-fs system-ready"
    );
    assert_eq!(
        names(Guest::V0_6_0).join(" "),
        "system-preparing app-id compose-hash gpu-policy-hash instance-id boot-mr-done os-image-hash key-provider storage-fs system-ready"
    );
}

#[test]
fn a_stripped_log_keeps_names_and_payloads_of_runtime_events() {
    let cvm = Cvm::of_generation(&World::default(), Guest::V0_6_0);
    let log = cvm.emitted_log();
    assert!(
        log.iter()
            .filter(|event| event.imr == 3)
            .all(|event| event.digest.is_empty())
    );
    let payloads = log
        .iter()
        .filter(|event| event.imr < 3 && !event.payload.is_empty());
    assert_eq!(
        payloads.map(|event| event.event.as_str()).collect::<Vec<_>>(),
        ["acpi-loader", "acpi-rsdp", "acpi-tables"]
    );
    // With the digests computed again it replays to the same RTMR3.
    let full: Vec<_> = log
        .iter()
        .filter(|event| event.imr == 3)
        .map(|event| Event::runtime(&event.event, &event.payload))
        .collect();
    assert_eq!(replay(&full, 3), cvm.td_report([0; 64]).rtmr[3]);
}

#[test]
fn each_tcb_status_comes_out_as_set() {
    for expected in [
        TcbStatus::UpToDate,
        TcbStatus::OutOfDate,
        TcbStatus::SWHardeningNeeded,
        TcbStatus::ConfigurationNeeded,
        TcbStatus::OutOfDateConfigurationNeeded,
        TcbStatus::ConfigurationAndSWHardeningNeeded,
    ] {
        let mut cvm = Cvm::healthy(&World::default());
        cvm.world
            .tcb_info
            .land_on(&expected.to_string(), &["INTEL-SA-01245"]);
        let claims = claims(&cvm).expect("the quote verifies");
        assert_eq!(claims.tcb.status, expected);
        assert_eq!(claims.tcb.advisory_ids, ["INTEL-SA-01245"]);
    }
}

#[test]
fn a_platform_that_fell_behind_is_out_of_date() {
    let mut cvm = Cvm::healthy(&World::default());
    cvm.world.fall_behind();
    let claims = claims(&cvm).expect("the quote verifies");
    assert_eq!(claims.tcb.status, TcbStatus::OutOfDate);
    assert!(claims.tcb.advisory_ids.contains(&"INTEL-SA-01312".to_owned()));
}

#[test]
fn an_updated_module_advises_a_relaunch() {
    let mut cvm = Cvm::healthy(&World::default());
    cvm.quote.format = QuoteFormat::V5Td15;
    cvm.report.tee_tcb_svn = TEE_TCB_SVN_OUT_OF_DATE;
    assert_eq!(status(&cvm), TcbStatus::TDRelaunchAdvised);
    cvm.world.tcb_info.land_on("ConfigurationNeeded", &[]);
    assert_eq!(status(&cvm), TcbStatus::TDRelaunchAdvisedConfigurationNeeded);
    cvm.report.tee_tcb_svn2 = TEE_TCB_SVN_OUT_OF_DATE;
    cvm.world.tcb_info.land_on("UpToDate", &[]);
    assert_eq!(status(&cvm), TcbStatus::OutOfDate);
}

#[test]
fn an_out_of_date_quoting_enclave_counts() {
    let mut cvm = Cvm::healthy(&World::default());
    cvm.world.qe_identity.enclave_isv_svn = 3;
    cvm.world.qe_identity.eval_data_number = 19;
    let claims = claims(&cvm).expect("the quote verifies");
    assert_eq!(claims.tcb.status, TcbStatus::OutOfDate);
    assert_eq!(claims.tcb.advisory_ids, ["INTEL-SA-00837"]);
    assert_eq!(
        (claims.tcb.eval_data_number, claims.qe.tcb_eval_data_number),
        (19, 19)
    );
}

#[test]
fn claims_carry_the_platform() {
    let mut cvm = Cvm::healthy(&World::new(7, 1_800_000_000));
    cvm.world.pki.pck_crl_number = 300;
    let claims = claims(&cvm).expect("the quote verifies");
    let platform = &cvm.world.platform;
    assert_eq!(claims.platform.pck.ppid, platform.ppid);
    assert_eq!(claims.platform.pck.fmspc, platform.fmspc);
    assert_eq!(claims.platform.pck.cpu_svn, platform.cpu_svn);
    assert_eq!(claims.platform.pck.pce_svn, platform.pce_svn);
    assert_eq!(claims.platform.pck.pce_id, platform.pce_id);
    assert_eq!(
        (claims.platform.root_ca_crl_num, claims.platform.pck_crl_num),
        (1, 300)
    );
    assert_eq!(claims.latest_issue_date, cvm.world.now - DAY as u64);
    let flags = [
        claims.platform.pck.dynamic_platform,
        claims.platform.pck.cached_keys,
        claims.platform.pck.smt_enabled,
    ];
    assert_eq!(flags, [dcap_qvl::PckCertFlag::True; 3]);
}

#[test]
fn the_processor_ca_works_too() {
    let mut cvm = Cvm::healthy(&World::default());
    cvm.world.platform.pck_ca = PckCa::Processor;
    assert_eq!(status(&cvm), TcbStatus::UpToDate);
    let quote = dcap_qvl::quote::Quote::parse(&cvm.quote_bytes(NONCE)).expect("a quote");
    assert_eq!(
        dcap_qvl::intel::quote_ca(&quote).expect("a CA").as_id_str(),
        "processor"
    );
}

#[test]
fn revocations_and_dates_are_refused() {
    let refused = |change: fn(&mut Cvm)| {
        let mut cvm = Cvm::healthy(&World::default());
        change(&mut cvm);
        claims(&cvm).expect_err("refused")
    };
    let revoke = |certificate| {
        let mut cvm = Cvm::healthy(&World::default());
        cvm.world.pki.revoked.insert(certificate);
        claims(&cvm).expect_err("refused")
    };
    for certificate in [
        Certificate::Root,
        Certificate::PckCa,
        Certificate::Pck,
        Certificate::TcbSigning,
    ] {
        assert!(
            revoke(certificate).contains("CertRevoked"),
            "{certificate:?}: {}",
            revoke(certificate)
        );
    }
    assert!(refused(|cvm| cvm.world.pki.pck_crl.to = -1).contains("CrlExpired"));
    assert!(refused(|cvm| cvm.world.pki.root_crl.to = -1).contains("CrlExpired"));
    assert!(refused(|cvm| cvm.world.pki.pck.to = -1).contains("CertExpired"));
    assert!(refused(|cvm| cvm.world.pki.pck = Window { from: 1, to: DAY }).contains("CertNotValidYet"));
    assert!(refused(|cvm| cvm.world.tcb_info.expires_after = -1).contains("TCBInfo expired"));
    assert!(refused(|cvm| cvm.world.tcb_info.issued_after = 1).contains("future"));
    assert!(refused(|cvm| cvm.world.qe_identity.expires_after = -1).contains("QE Identity expired"));
}

#[test]
fn the_world_is_a_function_of_its_seed() {
    let bytes = |seed| {
        let cvm = Cvm::healthy(&World::new(seed, 1_800_000_000));
        (
            cvm.attestation_body(NONCE),
            cvm.info_body(),
            cvm.world.collateral_json(),
        )
    };
    assert_eq!(bytes(3), bytes(3));
    assert_ne!(bytes(3).0, bytes(4).0);
}

#[test]
fn the_collateral_json_reads_back() {
    let world = World::default();
    let read: dcap_qvl::QuoteCollateralV3 =
        serde_json::from_str(&world.collateral_json()).expect("collateral JSON");
    assert_eq!(read, world.collateral());
}

#[test]
fn the_signed_quote_can_be_edited() {
    let mut cvm = Cvm::healthy(&World::default());
    let honest = cvm.quote_bytes(NONCE);
    cvm.edit_quote(|quote| quote[600] ^= 1);
    assert_eq!(cvm.quote_bytes(NONCE)[..600], honest[..600]);
    assert!(
        claims(&cvm)
            .expect_err("refused")
            .contains("signature is invalid")
    );
}

#[test]
fn mr_config_id_follows_the_knob() {
    let mut cvm = Cvm::healthy(&World::default());
    let id = |cvm: &Cvm| cvm.td_report([0; 64]).mr_config_id;
    assert_eq!((id(&cvm)[0], &id(&cvm)[1..33]), (1, &cvm.compose_hash()[..]));
    cvm.mr_config_id = MrConfigId::Tag03("{}".into());
    assert_eq!((id(&cvm)[0], &id(&cvm)[33..]), (3, &[0; 15][..]));
    assert_eq!(cvm.vm_config()["mr_config"], "{}");
    cvm.mr_config_id = MrConfigId::Zero;
    assert_eq!(id(&cvm), [0; 48]);
    assert_eq!(
        Cvm::of_generation(&World::default(), Guest::V0_5_0)
            .td_report([0; 64])
            .mr_config_id,
        [0; 48]
    );
}

#[test]
fn the_app_certificate_ends_in_the_kms_root() {
    let cvm = Cvm::healthy(&World::default());
    let info: serde_json::Value = serde_json::from_str(&cvm.info_body()).expect("JSON");
    let chain = info["app_cert"].as_str().expect("PEM");
    let last = chain
        .split("-----BEGIN CERTIFICATE-----")
        .last()
        .expect("a certificate");
    let base64: String = last
        .lines()
        .take_while(|line| !line.starts_with("-----"))
        .collect();
    let der = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, base64).expect("base64");
    let id = simulator::cvm::simulated_kms_id(cvm.world.seed);
    assert!(hex::encode(der).contains(&id));
    assert_eq!(
        info["key_provider_info"],
        format!(r#"{{"name":"kms","id":"{id}"}}"#)
    );
}

#[test]
fn report_data_layouts_put_the_nonce_where_they_say() {
    let nonce = hex::decode(NONCE).expect("hex");
    assert_eq!(ReportDataLayout::Ascii.apply(NONCE), NONCE.as_bytes());
    assert_eq!(
        ReportDataLayout::AsciiUpper.apply(NONCE),
        NONCE.to_uppercase().as_bytes()
    );
    assert_eq!(ReportDataLayout::LeftPadded.apply(NONCE)[32..], nonce);
    assert_eq!(ReportDataLayout::LeftPadded.apply("abcd")[62..], [0xab, 0xcd]);
    assert_eq!(
        ReportDataLayout::KeyThenNonce([7; 32]).apply(NONCE),
        *[&[7; 32][..], &nonce].concat()
    );
    assert_eq!(
        ReportDataLayout::NonceThenKey([7; 32]).apply(NONCE),
        *[&nonce, &[7; 32][..]].concat()
    );
    assert_eq!(ReportDataLayout::AsciiWith0x.apply(NONCE)[..4], *b"0x00");
}

#[test]
fn bodies_take_every_shape() {
    let mut cvm = Cvm::of_generation(&World::default(), Guest::V0_4);
    let body = |cvm: &Cvm| -> serde_json::Value {
        serde_json::from_str(&cvm.attestation_body(NONCE)).expect("JSON")
    };
    assert_eq!(body(&cvm)["hash_algorithm"], "raw");
    assert_eq!(body(&cvm)["vm_config"], serde_json::Value::Null);
    cvm.body.quote = QuoteEncoding::Base64;
    cvm.body.event_log = EventLogForm::ArraySpeltTogether;
    cvm.body.vm_config = Nested::Object;
    cvm.echo = Echo::Absent;
    assert!(body(&cvm)["quote"].as_str().expect("text").starts_with("BAACAIE"));
    assert_eq!(body(&cvm)["eventlog"].as_array().expect("an array").len(), 28);
    assert_eq!(body(&cvm)["vm_config"]["cpu_count"], 4);
    assert!(body(&cvm).get("report_data").is_none());
    cvm.body.attestation_members_first.push(r#""quote":"00""#.into());
    assert_eq!(cvm.attestation_body(NONCE).matches(r#""quote":"#).count(), 2);
    cvm.body.edit_info(|body| body["app_name"] = "\n::error::".into());
    let info: serde_json::Value = serde_json::from_str(&cvm.info_body()).expect("JSON");
    assert_eq!(info["app_name"], "\n::error::");
    cvm.body.info_override = Some("null".into());
    assert_eq!(cvm.info_body(), "null");
}

#[test]
fn lite_material_is_consistent_with_the_registers() {
    use sha2::{Digest as _, Sha256};
    let cvm = Cvm::lite(&World::default());
    assert_eq!(status(&cvm), TcbStatus::UpToDate);
    let vm_config = cvm.vm_config();
    let decode = |member: &str| {
        let text = vm_config["tdx_measurement"][member].as_str().expect("base64");
        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text).expect("base64")
    };
    let (checksums, measurement) = (decode("checksum_file"), decode("measurement"));
    assert_eq!(
        vm_config["os_image_hash"],
        hex::encode(Sha256::digest(&checksums))
    );
    let line = format!(
        "{}  measurement.tdx.cbor\n",
        hex::encode(Sha256::digest(&measurement))
    );
    assert_eq!(checksums, line.as_bytes());
    // The real document of the recorded 0.6 guest has 384 bytes: the same keys with the same widths, but for the member
    // of the kernel's header, which newer documents have (a head of two bytes, the name, a boolean).
    let of_the_header = 2 + "kernel_header_normalized".len() + 1;
    assert_eq!(measurement.len(), 384 + of_the_header);
    let contains = |digest: &[u8]| measurement.windows(48).any(|window| window == digest);
    assert!(contains(&cvm.td_report([0; 64]).mr_td));
    for event in cvm
        .measured_log()
        .iter()
        .filter(|event| event.imr == 2 || event.event_type == 0x8000_0003)
    {
        assert!(contains(&event.digest));
    }
}

#[test]
fn a_gpu_attestation_stands_after_boot_mr_done_or_before_the_instance_id() {
    let mut cvm = Cvm::of_generation(&World::default(), Guest::V0_6_0);
    cvm.gpu_attestation = Some(r#"{"devices":1}"#.into());
    for (early, neighbours) in [
        (false, ("os-image-hash", "key-provider")),
        (true, ("gpu-policy-hash", "instance-id")),
    ] {
        cvm.early_gpu_attestation = early;
        let log = cvm.emitted_log();
        let at = log
            .iter()
            .position(|event| event.event == "gpu-attestation")
            .expect("the event");
        assert_eq!(
            (log[at - 1].event.as_str(), log[at + 1].event.as_str()),
            neighbours
        );
    }
}
