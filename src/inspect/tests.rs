use proptest::prelude::*;
use simulator::cvm::PHALA_KMS_ID;
use simulator::{Cvm, QuoteFormat, World};

use super::*;
use cvm_verify_core::evidence::Attestation;

const NONCE: [u8; 32] = [0xab; 32];

fn evidence_of(cvm: &Cvm) -> Evidence {
    Evidence::parse(
        cvm.attestation_body(&hex::encode(NONCE)).as_bytes(),
        Some(cvm.info_body().as_bytes()),
        None,
        Some(NONCE),
    )
    .unwrap()
}

fn text_of(cvm: &Cvm) -> String {
    inspect(
        &Inspected {
            evidence: &evidence_of(cvm),
            collateral: Some(&cvm.world.collateral()),
            bundle: None,
            simulated: false,
        },
        110,
    )
}

fn without_collateral(evidence: &Evidence) -> String {
    inspect(
        &Inspected {
            evidence,
            collateral: None,
            bundle: None,
            simulated: false,
        },
        110,
    )
}

/// The lines of one section.
fn section<'a>(text: &'a str, title: &str) -> &'a str {
    let start = text.find(&format!("\n{title}\n")).unwrap();
    let rest = &text[start + 1..];
    rest.split("\n\n").next().unwrap()
}

/// Whether a text says something, wherever its lines break.
fn says(text: &str, words: &str) -> bool {
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    one_line(text).replace(" ! ", " ").contains(&one_line(words))
}

fn marks(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.starts_with('!')).collect()
}

#[test]
fn a_healthy_cvm_is_explained_from_end_to_end() {
    insta::assert_snapshot!(text_of(&Cvm::healthy(&World::default())));
}

#[test]
fn the_first_line_says_that_nothing_is_verified() {
    let text = text_of(&Cvm::healthy(&World::default()));
    assert_eq!(text.lines().next().unwrap(), NOT_VERIFIED);
}

#[test]
fn a_hostile_cvm_is_marked_wherever_it_is_odd() {
    let mut world = World::default();
    world.fall_behind();
    let mut cvm = Cvm::healthy(&world);
    cvm.report.td_attributes = [1, 0, 0, 0x20, 0, 0, 0, 0];
    cvm.report.mr_owner = [7; 48];
    cvm.report.xfam = [0xe7, 2, 6, 0, 0, 1, 0, 0];
    cvm.set_key_provider("none", "");
    cvm.app_events.push(("compose-hash".to_owned(), vec![0xab; 32]));
    cvm.app_compose = serde_json::json!({
        "manifest_version": 2,
        "runner": "docker-compose",
        "allowed_envs": ["API_KEY", "LD_PRELOAD", "DSTACK_ROOT_PASSWORD"],
        "docker_compose_file":
            "services:\n  a:\n    image: nginx:latest\n    privileged: true\n    volumes: ['/var/run/docker.sock:/s']\n",
        "pre_launch_script": "echo \"Running Phala Cloud Pre-Launch Script v0.0.99\"",
        "public_logs": true,
        "brand_new": 1,
    })
    .to_string();
    cvm.edit_log_after_quote(|log| log[0].digest = vec![0; 48]);
    insta::assert_snapshot!(marks(&text_of(&cvm)).join("\n"));
}

#[test]
fn a_quote_of_tdx_1_5_shows_its_own_fields() {
    let mut cvm = Cvm::healthy(&World::default());
    cvm.quote.format = QuoteFormat::V5Td15Ex;
    let text = text_of(&cvm);
    insta::assert_snapshot!(section(&text, "QUOTE: TDX 1.5"));
    assert!(says(&text, "4, an extended TDX 1.5 report, 885 bytes"));
    assert!(says(&text, "TDX module now"));
}

#[test]
fn every_guest_generation_replays() {
    for guest in simulator::Guest::ALL {
        for version in [simulator::EventVersion::V1, simulator::EventVersion::V2] {
            let mut cvm = Cvm::of_generation(&World::default(), guest);
            cvm.event_version = version;
            let text = text_of(&cvm);
            assert_eq!(
                text.matches("Replays to the register").count(),
                4,
                "{guest:?} {version:?}"
            );
            assert_eq!(marks(section(&text, "EVENT LOG")), Vec::<&str>::new());
        }
    }
}

/// A bundle that records nothing beside its source.
fn empty_bundle() -> Bundle {
    let from = cvm_verify_core::evidence::BundleSource {
        kind: "app".to_owned(),
        url: Some("https://app.example".to_owned()),
    };
    Bundle {
        nonce: Some(NONCE),
        collateral_source: Some("https://pccs.example".to_owned()),
        collateral_fetched_at: Some(1_790_852_400),
        ..Bundle::new(1_790_856_000, from, serde_json::value::to_raw_value(&()).unwrap())
    }
}

#[test]
fn a_bundle_shows_where_it_comes_from() {
    let cvm = Cvm::healthy(&World::default());
    let bundle = empty_bundle();
    let text = inspect(
        &Inspected {
            evidence: &evidence_of(&cvm),
            collateral: None,
            bundle: Some(&bundle),
            simulated: false,
        },
        110,
    );
    insta::assert_snapshot!(section(&text, "BUNDLE"));
}

/// A GPU and a switch, and what NVIDIA's service says of the GPU: each field with its meaning.
#[test]
fn reports_of_gpus_and_tokens_are_explained_field_by_field() {
    use cvm_verify_core::evidence::{NrasAnswer, NrasKind, RecordedGpu, RecordedNras};
    let mut gpus = simulator::Gpus::protected_pcie(1);
    gpus.devices.drain(1..8);
    gpus.devices.truncate(2);
    let answer = simulator::Nras::approving(1).answer("GPU", &gpus.devices[..1], &NONCE);
    let mut cvm = Cvm::healthy(&World::default());
    cvm.gpus = Some(gpus);
    let bundle = Bundle {
        gpu: Some(RecordedGpu {
            nras: Some(RecordedNras {
                answers: vec![NrasAnswer {
                    kind: NrasKind::Gpu,
                    body: answer,
                }],
                ..RecordedNras::default()
            }),
            ..RecordedGpu::default()
        }),
        ..empty_bundle()
    };
    let text = inspect(
        &Inspected {
            evidence: &evidence_of(&cvm),
            collateral: None,
            bundle: Some(&bundle),
            simulated: false,
        },
        110,
    );
    insta::assert_snapshot!(section(&text, "GPU REPORTS"));
}

/// What stands in the place of evidence of a GPU and cannot be read is marked, and nothing else of the page is lost.
#[test]
fn broken_reports_of_gpus_are_marked() {
    let mut gpus = simulator::Gpus::alone(1, 2);
    gpus.devices[0]
        .after_signing
        .push(std::sync::Arc::new(|report| report.truncate(50)));
    gpus.devices[1].opaque_bytes = Some(b"NVDAOD\0\0\x02\0\0\0".to_vec());
    gpus.devices[1].architecture = "BLACKWELL".to_owned();
    let mut cvm = Cvm::healthy(&World::default());
    cvm.gpus = Some(gpus);
    let text = text_of(&cvm);
    let found = marks(section(&text, "GPU REPORTS"));
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(says(
        &text,
        "A newer format (NVDAOD) that this version does not read."
    ));
}

#[test]
fn a_known_kms_is_named() {
    let mut cvm = Cvm::healthy(&World::default());
    cvm.set_key_provider("kms", PHALA_KMS_ID);
    assert!(says(
        &text_of(&cvm),
        "Phala Cloud's off-chain KMS; `--key-provider phala` names it."
    ));
}

#[test]
fn the_fields_around_a_docker_compose_file_say_what_can_be_set_from_outside() {
    let text = |around: &str| {
        let mut cvm = Cvm::healthy(&World::default());
        cvm.app_compose = format!(
            "{{\"docker_compose_file\":\"services:\\n  a:\\n    image: x/y:${{TAG}}\\n\",{around}\"manifest_version\":2,\
             \"runner\":\"docker-compose\"}}"
        );
        text_of(&cvm)
    };
    let allowed = text("\"allowed_envs\":[\"TAG\"],");
    assert!(says(&allowed, "TAG is in `allowed_envs`"), "{allowed}");
    for shown in [&allowed, &text("")] {
        assert!(!says(shown, "no `allowed_envs` to read"), "{shown}");
    }
    assert!(says(&text("\"allowed_envs\":1,"), "no `allowed_envs` to read"));
}

#[test]
fn an_sgx_quote_and_a_cut_one_are_shown_as_far_as_they_go() {
    let cvm = Cvm::healthy(&World::default());
    let whole = cvm.quote_bytes(&hex::encode(NONCE));
    let mut sgx = whole.clone();
    sgx[0] = 3;
    sgx[4] = 0;
    for (bytes, expected) in [
        (sgx, "Intel SGX: an enclave, not a confidential VM."),
        (
            whole[..700].to_vec(),
            "Only 64 bytes are there: the quote was cut.",
        ),
        (whole[..60].to_vec(), "end inside its TD report"),
        (vec![], "0 bytes"),
    ] {
        let quote = cvm_verify_core::evidence::QuoteBytes::new(bytes).unwrap();
        let evidence = Evidence {
            attestation: Attestation::bare(quote),
            info: None,
            info_problem: None,
            gpu: None,
            compose_copies: Vec::new(),
            nonce: None,
        };
        let text = without_collateral(&evidence);
        assert!(says(&text, expected), "{expected}\n{text}");
        assert!(says(&text, "Events               none"));
    }
}

#[test]
fn hostile_names_leave_no_control_characters_and_no_workflow_commands() {
    let mut cvm = Cvm::healthy(&World::default());
    let name = "\u{1b}[2J\r\n::error::x\u{202e}##[group]\u{200b}";
    cvm.app_events.push((name.to_owned(), name.as_bytes().to_vec()));
    cvm.key_provider = serde_json::json!({ "name": name, "id": name }).to_string();
    cvm.app_compose = serde_json::json!({
        "allowed_envs": [name],
        "docker_compose_file": serde_json::json!({"services": {name: {"image": name}}}).to_string(),
        "name": name,
        name: name,
    })
    .to_string();
    let text = text_of(&cvm);
    assert!(says(&text, "\\u{1b}[2J"));
    for c in text.chars() {
        assert!(c == '\n' || !c.is_control(), "{c:?}");
        assert!(!matches!(c, '\u{202e}' | '\u{200b}'));
    }
    assert!(!says(&text, "##["));
    for line in text.lines() {
        assert!(!line.trim_start().starts_with("::"), "{line}");
    }
}

#[test]
fn long_lists_are_cut_and_say_so() {
    let mut cvm = Cvm::healthy(&World::default());
    for index in 0..300 {
        cvm.app_events.push((format!("app-{index}"), vec![]));
    }
    let names: Vec<String> = (0..500).map(|index| format!("V{index}")).collect();
    cvm.app_compose = serde_json::json!({ "allowed_envs": names }).to_string();
    let text = text_of(&cvm);
    assert!(
        says(&text, "… and 210 more") && says(&text, "… and 400 more"),
        "{text}"
    );
}

#[test]
fn another_nonce_is_marked_and_half_a_nonce_is_named() {
    let cvm = Cvm::healthy(&World::default());
    let mut evidence = evidence_of(&cvm);
    evidence.nonce = Some([1; 32]);
    assert!(says(&without_collateral(&evidence), "It is not the nonce 0101"));
    evidence.nonce = Some([0; 32]);
    assert!(says(
        &without_collateral(&evidence),
        "Its second half is the nonce"
    ));
}

#[test]
fn a_real_cvm_of_near_is_explained() {
    let Some(folder) = simulator::recorded::folder().map(|folder| folder.join("near-mpc-0.5.8")) else {
        return;
    };
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let evidence = Evidence::parse(&read("attestation.json"), Some(&read("info.json")), None, None).unwrap();
    let collateral: QuoteCollateralV3 = serde_json::from_slice(&read("collateral.json")).unwrap();
    let text = inspect(
        &Inspected {
            evidence: &evidence,
            collateral: Some(&collateral),
            bundle: None,
            simulated: false,
        },
        110,
    );
    for line in [
        "This is the value of TDX module 1.5.16.",
        "bit 28 SEPT_VE_DISABLE",
        "A listed value: 8 CPUs, 64 GiB, QEMU 8.2.",
        "Tag 01: the SHA-256 of the compose document follows.",
        "FMSPC                b0c06f000000",
        "Who signed the quoting enclave: Intel's value.",
        "The SHA-256 of the attestation key and the authentication data, as it must be.",
        "Platform at launch   UpToDate",
        "2911e1f733466216dedb862d6d669e11256ee7a34ce4dbc66c4b807ba7a9c895",
        "name: local-sgx",
        "mpc-image-digest",
        ": the Docker socket",
    ] {
        assert!(says(&text, line), "{line}\n{text}");
    }
    assert_eq!(text.matches("Replays to the register").count(), 4);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_quote_panics(
        start in prop_oneof![Just(vec![4u8, 0, 2, 0, 0x81, 0, 0, 0]), Just(vec![5u8, 0, 2, 0, 0x81, 0, 0, 0]), Just(vec![])],
        rest in proptest::collection::vec(any::<u8>(), 0..1600),
        nonce in any::<Option<[u8; 32]>>(),
    ) {
        let quote = cvm_verify_core::evidence::QuoteBytes::new([start, rest].concat()).unwrap();
        let _ = without_collateral(&Evidence { attestation: Attestation::bare(quote), info: None, info_problem: None, compose_copies: Vec::new(), nonce, gpu: None });
    }

    #[test]
    fn no_flipped_byte_of_a_quote_panics(place in 0usize..5000, byte in any::<u8>()) {
        let cvm = Cvm::healthy(&World::default());
        let mut quote = cvm.quote_bytes(&hex::encode(NONCE));
        if let Some(at) = quote.get_mut(place) {
            *at = byte;
        }
        let mut evidence = evidence_of(&cvm);
        evidence.attestation.quote = cvm_verify_core::evidence::QuoteBytes::new(quote).unwrap();
        let _ = inspect(&Inspected { evidence: &evidence, collateral: Some(&cvm.world.collateral()), bundle: None, simulated: false }, 110);
    }

    #[test]
    fn no_collateral_panics(text in ".{0,200}", bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let cvm = Cvm::healthy(&World::default());
        let mut collateral = cvm.world.collateral();
        collateral.tcb_info = collateral.tcb_info.replacen("UpToDate", &text, 1).replace("2026", &text);
        collateral.qe_identity = text.clone();
        collateral.root_ca_crl = bytes;
        collateral.pck_certificate_chain = Some(text);
        let shown = inspect(&Inspected { evidence: &evidence_of(&cvm), collateral: Some(&collateral), bundle: None, simulated: false }, 110);
        prop_assert!(shown.chars().all(|c| c == '\n' || !c.is_control()));
    }

    #[test]
    fn no_events_and_no_compose_text_panic(
        events in proptest::collection::vec((0u8..4, any::<u32>(), ".{0,20}", proptest::collection::vec(any::<u8>(), 0..60)), 0..40),
        compose in ".{0,200}",
    ) {
        let events: Vec<_> = events
            .into_iter()
            .map(|(imr, kind, name, payload)| serde_json::json!({
                "imr": imr,
                "event_type": if kind % 2 == 0 { 0x0800_0001 } else { kind },
                "event": name,
                "event_payload": hex::encode(payload),
            }))
            .collect();
        let body = serde_json::json!({ "quote": "00", "event_log": events }).to_string();
        let evidence = Evidence::parse(body.as_bytes(), None, Some(compose.as_bytes()), None).unwrap();
        let text = without_collateral(&evidence);
        prop_assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
    }
}

#[test]
fn the_texts_of_the_document_are_shown_whole_and_act_on_no_terminal() {
    let mut cvm = Cvm::healthy(&World::default());
    cvm.app_compose = cvm
        .app_compose
        .replacen("services:", "services: # \\u001b[2J\\u202e\\nQUOTE\\n", 1);
    let text = text_of(&cvm);
    let (_, shown) = text.split_once("\nTEXTS OF THE COMPOSE DOCUMENT\n").unwrap();
    for needle in [
        "docker_compose_file:",
        "pre_launch_script:",
        "  | services: # \\u{1b}[2J\\u{202e}",
        "  | QUOTE",
    ] {
        assert!(shown.contains(needle), "{needle:?} is not in\n{shown}");
    }
    assert_eq!(
        text.matches("\nQUOTE\n").count(),
        1,
        "no line of a stranger's begins a section"
    );
}

#[test]
fn the_same_for_machines_holds_whole_values_and_says_what_it_is() {
    let cvm = Cvm::healthy(&World::default());
    let document = inspect_json(&Inspected {
        evidence: &evidence_of(&cvm),
        collateral: Some(&cvm.world.collateral()),
        bundle: None,
        simulated: true,
    });
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["schema"], SCHEMA);
    assert_eq!(document["simulated"], true);
    assert!(document["note"].as_str().unwrap().starts_with("Not verified"));
    let sections = document["sections"].as_array().unwrap();
    let texts = sections
        .iter()
        .find(|section| section["title"] == "TEXTS OF THE COMPOSE DOCUMENT")
        .unwrap();
    assert_eq!(texts["fields"][0]["name"], "docker_compose_file");
    assert!(
        texts["fields"][0]["values"][0]
            .as_str()
            .unwrap()
            .contains("services:")
    );
    let titles: Vec<&str> = sections
        .iter()
        .filter_map(|section| section["title"].as_str())
        .collect();
    let text = text_of(&cvm);
    assert!(
        titles.iter().all(|title| text.contains(&format!("\n{title}\n"))),
        "{titles:?}"
    );
}

#[test]
fn bytes_that_are_not_a_quote_are_told_from_one() {
    let bare = |bytes: Vec<u8>| {
        let attestation = Attestation::of_bytes(&bytes).unwrap().unwrap();
        begins_like_quote(&Evidence::of_quote(attestation, None, None, None).unwrap())
    };
    let cvm = Cvm::healthy(&World::default());
    assert!(bare(evidence_of(&cvm).attestation.quote.as_bytes().to_vec()));
    assert!(!bare(vec![0x9c; 5000]));
}
