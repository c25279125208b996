use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use simulator::gpu::device_root_der;
use simulator::{DEFAULT_NOW, Gpus, Nras};

use super::*;
use crate::evidence::{GpuReport, NrasAnswer};
use crate::verify::gpu::DeviceRoot;

const NONCE: [u8; 32] = [7; 32];

/// What an answer comes to, in a word, with the sentence.
fn word(result: Result<Vec<String>, Problem>) -> (&'static str, String) {
    match result {
        Ok(warnings) => ("approved", warnings.join(", ")),
        Err(Problem::Token(problem)) => ("token", problem),
        Err(Problem::Refused(problem)) => ("refused", problem),
        Err(Problem::Claim(problem)) => ("claim", problem),
        Err(Problem::UnknownClaim(problem)) => ("unknown claim", problem),
        Err(Problem::OpenRefusal(problem)) => ("open refusal", problem),
    }
}

pub(super) fn devices(gpus: &Gpus) -> GpuDevices {
    let reports: Vec<GpuReport> = gpus
        .devices
        .iter()
        .map(|gpu| GpuReport {
            architecture: gpu.architecture.clone(),
            transcript: gpu.report(&NONCE),
            chain: gpu.chain_pem().into_bytes(),
        })
        .collect();
    GpuDevices::verify(&reports, &DeviceRoot::Custom(device_root_der(1))).unwrap()
}

pub(super) fn judged(service: &Nras, at: u64) -> NrasVerdict {
    let gpus = Gpus::protected_pcie(1);
    let recorded = RecordedNras {
        host: "nras.example".to_owned(),
        answers: vec![
            NrasAnswer {
                kind: NrasKind::Gpu,
                body: service.answer("GPU", &gpus.devices[..8], &NONCE),
            },
            NrasAnswer {
                kind: NrasKind::Switch,
                body: Nras::approving(1).answer("SWITCH", &gpus.devices[8..], &NONCE),
            },
        ],
        keys: Some(service.key_set()),
        answered_at: None,
        problem: None,
    };
    let pinned = NrasIntermediates::Custom(Nras::approving(1).intermediate_der());
    judge(&recorded, &devices(&gpus), &NONCE, &pinned, at)
}

pub(super) fn verdict_word(verdict: &NrasVerdict) -> (&'static str, &str) {
    match verdict {
        NrasVerdict::NotAsked => ("not asked", ""),
        NrasVerdict::Unreachable(problem) => ("unreachable", problem),
        NrasVerdict::BadToken(problem) => ("token", problem),
        NrasVerdict::Refused(problem) => ("refused", problem),
        NrasVerdict::BadClaim(problem) => ("claim", problem),
        NrasVerdict::UnknownClaim(problem) => ("unknown claim", problem),
        NrasVerdict::OpenRefusal(problem) => ("open refusal", problem),
        NrasVerdict::Approved { .. } => ("approved", ""),
    }
}

#[test]
fn a_service_that_approves_of_gpus_and_switches_is_believed_under_its_pinned_intermediate_alone() {
    let service = Nras::approving(1);
    assert_eq!(
        judged(&service, DEFAULT_NOW),
        NrasVerdict::Approved { warnings: vec![] }
    );
    // A service of the attacker's, complete with a key set of its own.
    assert_eq!(verdict_word(&judged(&Nras::approving(2), DEFAULT_NOW)).0, "token");
}

type Lie = (&'static str, &'static str, &'static str, fn(&mut Nras));

const LIES: &[Lie] = &[
    ("alg none", "token", "\"none\"", |nras| {
        nras.header["alg"] = "none".into()
    }),
    ("HS256", "token", "\"HS256\"", |nras| {
        nras.header["alg"] = "HS256".into()
    }),
    ("es384 in lower case", "token", "\"es384\"", |nras| {
        nras.header["alg"] = "es384".into()
    }),
    ("no key id", "token", "names no key", |nras| {
        nras.header = serde_json::json!({"alg": "ES384"})
    }),
    ("an unknown key", "token", "exactly once", |nras| {
        nras.header["kid"] = "x".into()
    }),
    ("a key without a certificate", "token", "point", |nras| {
        nras.header["kid"] = "another".into()
    }),
    ("a key twice", "token", "exactly once", |nras| {
        nras.key_edits.push(Arc::new(|keys| {
            let key = keys["keys"][0].clone();
            keys["keys"].as_array_mut().unwrap().push(key);
        }));
    }),
    ("no chain", "token", "two certificates", |nras| {
        nras.key_edits
            .push(Arc::new(|keys| keys["keys"][0]["x5c"] = serde_json::json!([])));
    }),
    ("a chain of three", "token", "two certificates", |nras| {
        nras.key_edits.push(Arc::new(|keys| {
            let more = keys["keys"][0]["x5c"][1].clone();
            keys["keys"][0]["x5c"].as_array_mut().unwrap().push(more);
        }));
    }),
    (
        "the leaf in the place of the intermediate",
        "token",
        "not pinned",
        |nras| {
            nras.key_edits.push(Arc::new(|keys| {
                let leaf = keys["keys"][0]["x5c"][0].clone();
                keys["keys"][0]["x5c"][1] = leaf;
            }));
        },
    ),
    ("a leaf of another issuer key", "token", "not issued", |nras| {
        nras.leaf_edits
            .push(Arc::new(|leaf| leaf.issuer_key = leaf.key.clone()));
    }),
    ("a leaf of somebody else", "token", "not issued", |nras| {
        nras.leaf_edits
            .push(Arc::new(|leaf| leaf.organization = "Somebody"));
    }),
    ("a leaf that ended", "token", "in date", |nras| {
        nras.leaf_edits
            .push(Arc::new(|leaf| leaf.validity = Some((1, 2))));
    }),
    (
        "another key in the certificate",
        "token",
        "its certificate",
        |nras| {
            nras.leaf_edits.push(Arc::new(|leaf| {
                leaf.key = simulator::keys384::Key384::derive(9, "x")
            }));
        },
    ),
    ("RSA in the key set", "token", "P-384", |nras| {
        nras.key_edits
            .push(Arc::new(|keys| keys["keys"][0]["kty"] = "RSA".into()));
    }),
    ("a changed bit", "token", "not signed", |nras| {
        nras.overall_token_edits.push(Arc::new(|token| {
            let last = token.pop().unwrap();
            token.push(if last == 'A' { 'Q' } else { 'A' });
        }));
    }),
    ("claims in the place of others", "token", "not signed", |nras| {
        nras.overall_token_edits.push(Arc::new(|token| {
            let parts: Vec<&str> = token.split('.').collect();
            let claims =
                URL_SAFE_NO_PAD.encode(r#"{"iss":"https://nras.attestation.nvidia.com","iat":1790856000}"#);
            *token = format!("{}.{claims}.{}", parts[0], parts[2]);
        }));
    }),
    ("a token of two parts", "token", "three parts", |nras| {
        nras.overall_token_edits.push(Arc::new(|token| {
            *token = token.rsplit_once('.').unwrap().0.to_owned()
        }));
    }),
    ("a token of 17 KiB", "token", "characters", |nras| {
        nras.overall_token_edits
            .push(Arc::new(|token| token.push_str(&"A".repeat(17 * 1024))));
    }),
    ("another issuer", "token", "issuer", |nras| {
        nras.overall_edits
            .push(Arc::new(|claims| claims["iss"] = "https://nras.example".into()));
    }),
    ("an issuer with a slash", "token", "issuer", |nras| {
        nras.overall_edits.push(Arc::new(|claims| {
            claims["iss"] = "https://nras.attestation.nvidia.com/".into()
        }));
    }),
    ("300 s of clock skew", "token", "clock", |nras| nras.now += 300),
    ("a token that ended", "token", "ended", |nras| nras.now -= 3600),
    ("no end", "token", "`exp`", |nras| {
        nras.overall_edits
            .push(Arc::new(|claims| claims["exp"] = serde_json::Value::Null));
    }),
    ("another nonce", "token", "another nonce", |nras| {
        nras.overall_edits
            .push(Arc::new(|claims| claims["eat_nonce"] = "00".repeat(32).into()));
    }),
    ("another nonce of a device", "token", "another nonce", |nras| {
        nras.device_edits
            .push(Arc::new(|claims| claims["eat_nonce"] = "00".repeat(32).into()));
    }),
    ("a result that is a text", "unknown claim", "no result", |nras| {
        nras.overall_edits.push(Arc::new(|claims| {
            claims["x-nvidia-overall-att-result"] = "true".into()
        }));
    }),
    (
        "a refusal inside a 200",
        "refused",
        "4010 NONCE_NOT_MATCHING",
        |nras| {
            nras.overall_edits.push(Arc::new(|claims| {
                claims["x-nvidia-overall-att-result"] = false.into()
            }));
            nras.device_edits.push(Arc::new(|claims| {
                claims["x-nvidia-error-details"] =
                    serde_json::json!({"code": 4010, "message": "NONCE_NOT_MATCHING"});
            }));
        },
    ),
    (
        "a device that is refused under an overall approval",
        "refused",
        "4010",
        |nras| {
            nras.device_edits.push(Arc::new(|claims| {
                claims["x-nvidia-error-details"] =
                    serde_json::json!({"code": 4010, "message": "NONCE_NOT_MATCHING"});
            }));
        },
    ),
    ("no list of devices", "token", "lists no devices", |nras| {
        nras.overall_edits
            .push(Arc::new(|claims| claims["submods"] = serde_json::Value::Null));
    }),
    ("two devices swapped", "token", "not the one", |nras| {
        nras.tokens_edits.push(Arc::new(|tokens| {
            let (one, other) = (tokens["GPU-0"].clone(), tokens["GPU-1"].clone());
            tokens.insert("GPU-0".to_owned(), other);
            tokens.insert("GPU-1".to_owned(), one);
        }));
    }),
    ("one device left out", "token", "are not those", |nras| {
        nras.tokens_edits
            .push(Arc::new(|tokens| drop(tokens.remove("GPU-3"))));
    }),
    ("devices of another machine", "token", "another device", |nras| {
        nras.device_edits
            .push(Arc::new(|claims| claims["ueid"] = "1".into()));
    }),
    (
        "another driver than in the report",
        "token",
        "570.172.08",
        |nras| {
            nras.device_edits.push(Arc::new(|claims| {
                claims["x-nvidia-gpu-driver-version"] = "999".into()
            }));
        },
    ),
    ("secure boot off", "claim", "secboot", |nras| {
        nras.device_edits
            .push(Arc::new(|claims| claims["secboot"] = false.into()));
    }),
    ("debugging on", "claim", "dbgstat", |nras| {
        nras.device_edits
            .push(Arc::new(|claims| claims["dbgstat"] = "enabled".into()));
    }),
    (
        "measurements that were not compared",
        "unknown claim",
        "measres",
        |nras| {
            nras.device_edits
                .push(Arc::new(|claims| claims["measres"] = "not-run".into()));
        },
    ),
    (
        "measurements that were not there to be compared",
        "unknown claim",
        "measres",
        |nras| {
            nras.device_edits
                .push(Arc::new(|claims| claims["measres"] = "absent".into()));
        },
    ),
    ("measurements that differ", "claim", "measres", |nras| {
        nras.device_edits
            .push(Arc::new(|claims| claims["measres"] = "fail".into()));
    }),
    ("a claim that is absent", "unknown claim", "arch-check", |nras| {
        nras.device_edits.push(Arc::new(|claims| {
            claims.as_object_mut().unwrap().remove("x-nvidia-gpu-arch-check");
        }));
    }),
    (
        "a claim that is null",
        "unknown claim",
        "vbios-rim-fetched",
        |nras| {
            nras.device_edits.push(Arc::new(|claims| {
                claims["x-nvidia-gpu-vbios-rim-fetched"] = serde_json::Value::Null
            }));
        },
    ),
    ("a refusal of other evidence", "token", "another nonce", |nras| {
        nras.overall_edits.push(Arc::new(|claims| {
            claims["x-nvidia-overall-att-result"] = false.into();
            claims["eat_nonce"] = "00".repeat(32).into();
        }));
    }),
    (
        "an absent claim beside one that convicts",
        "claim",
        "secboot",
        |nras| {
            nras.device_edits.push(Arc::new(|claims| {
                claims.as_object_mut().unwrap().remove("measres");
                claims["secboot"] = false.into();
            }));
        },
    ),
    ("no word about revocation", "unknown claim", "ocsp", |nras| {
        nras.device_edits.push(Arc::new(|claims| {
            claims["x-nvidia-gpu-attestation-report-cert-chain"]["x-nvidia-cert-ocsp-status"] =
                "unknown".into();
        }));
    }),
    ("a revoked certificate", "claim", "ocsp", |nras| {
        nras.device_edits.push(Arc::new(|claims| {
            claims["x-nvidia-gpu-attestation-report-cert-chain"]["x-nvidia-cert-ocsp-status"] =
                "revoked".into();
        }));
    }),
    ("claims of version 9", "unknown claim", "claims-version", |nras| {
        nras.device_edits.push(Arc::new(|claims| {
            claims["x-nvidia-gpu-claims-version"] = "9.0".into()
        }));
    }),
];

#[test]
fn t44_every_lie_in_a_token_is_refused_for_its_own_reason() {
    for (what, expected, says, lie) in LIES {
        let mut service = Nras::approving(1);
        lie(&mut service);
        let verdict = judged(&service, DEFAULT_NOW);
        let (word, sentence) = verdict_word(&verdict);
        assert!(
            word == *expected && sentence.contains(says),
            "{what}: {word}: {sentence}"
        );
    }
}

#[test]
fn a_token_counts_from_its_beginning_by_a_clock_that_may_be_behind() {
    use crate::verify::age::CLOCK_SKEW;

    let service = Nras::approving(1);
    for (behind, expected) in [(CLOCK_SKEW, "approved"), (CLOCK_SKEW + 1, "token")] {
        let verdict = judged(&service, service.now - behind);
        assert_eq!(verdict_word(&verdict).0, expected, "{verdict:?}");
    }
}

#[test]
fn an_answer_is_read_up_to_its_limit() {
    let of = |size: usize| read(&" ".repeat(size)).unwrap_err();
    assert!(of(MAX_ANSWER_BYTES).contains("is not a list"));
    assert!(of(MAX_ANSWER_BYTES + 1).contains("are read"));
}

#[test]
fn a_warning_is_handed_on() {
    let mut service = Nras::approving(1);
    service.device_edits.push(Arc::new(|claims| {
        claims["x-nvidia-attestation-warning"] = "old driver".into()
    }));
    assert!(
        matches!(judged(&service, DEFAULT_NOW), NrasVerdict::Approved { warnings } if warnings.len() == 8)
    );
}

// Recorded answers of NVIDIA's own service, beside the repository.

fn vectors(path: &str) -> Option<String> {
    let path = format!("supply/{path}");
    simulator::recorded::is_present(&path).then(|| simulator::recorded::text(&path))?
}

/// The recorded answer of eight GPUs, judged at its own time with a key set.
fn recorded(answer: &str, keys: &str) -> Option<(&'static str, String)> {
    let (answer, keys) = (vectors(answer)?, vectors(keys)?);
    let nonce = hex::decode("211b20f54486162c3a447c8a88e4a6f9f6416e4c0b10d96e59d9f7fefad1c99d").unwrap();
    let keys = KeySet::parse(&keys).unwrap();
    let inputs = NrasInputs {
        keys: &keys,
        pinned: &NrasIntermediates::Nvidia,
        nonce: &nonce.try_into().unwrap(),
        at: 1_789_064_303,
    };
    Some(word(inputs.judge(&answer, None)))
}

#[test]
fn one_wrapper_of_the_python_sdk_is_opened_and_no_more() {
    let gpus = Gpus::protected_pcie(1);
    let plain = Nras::approving(1).answer("GPU", &gpus.devices[..1], &NONCE);
    let wrap = |body: &str| format!(r#"[["JWT",""],{{"REMOTE_GPU_CLAIMS":{body}}}]"#);
    let once = wrap(&plain);
    assert_eq!(read(&once).unwrap(), read(&plain).unwrap());
    assert!(
        read(&wrap(&once))
            .unwrap_err()
            .contains("not a list of an overall token")
    );
    // Each layer is read from the one around it: thousands of them must cost neither the stack nor the time.
    let layer = r#"[["JWT",""],{"REMOTE_GPU_CLAIMS":"#;
    let deep = format!("{}{plain}{}", layer.repeat(60), "}]".repeat(60));
    assert!(read(&deep).is_err());
}

#[test]
fn an_answer_of_nvidias_own_is_believed_with_its_own_keys_alone() {
    const ANSWER: &str = "voltage-verify/nras_ppcie_8xh100_2026-09-10.json";
    let Some(own) = recorded(ANSWER, "voltage-verify/nras_jwks_2026-09-12.json") else {
        return;
    };
    assert_eq!(own, ("approved", String::new()));
    let later = recorded(
        ANSWER,
        "voltage-verify/nras_jwks_2026-10-22_two_intermediates.json",
    )
    .unwrap();
    assert!(
        later.0 == "token" && later.1.contains("exactly once"),
        "{later:?}"
    );
}

#[test]
fn a_forged_answer_with_its_forged_key_set_is_refused() {
    let Some((word, sentence)) = recorded(
        "voltage-verify/forged-answer.json",
        "voltage-verify/forged-jwks.json",
    ) else {
        return;
    };
    assert!(
        word == "token" && sentence.contains("not pinned"),
        "{word}: {sentence}"
    );
}

#[test]
fn captures_end_as_their_expected_file_says() {
    let Some(expected) = vectors("nras-captures/expected.json") else {
        return;
    };
    let expected: serde_json::Map<String, Value> = serde_json::from_str(&expected).unwrap();
    let mut judged = 0;
    for (name, expected) in expected {
        let Some(answer) = vectors(&format!("nras-captures/{name}")) else {
            continue;
        };
        let (folder, _) = name.split_once('/').unwrap();
        let keys = ["0007", "0008"].iter().find_map(|number| {
            vectors(&format!(
                "nras-captures/{folder}/{number}_nras.attestation.nvidia.com_.well-known_jwks.json.body"
            ))
        });
        let keys = KeySet::parse(&keys.unwrap()).unwrap();
        let overall = &expected["overall"];
        let nonce = hex::decode(overall["eat_nonce"].as_str().unwrap()).unwrap();
        let inputs = NrasInputs {
            keys: &keys,
            pinned: &NrasIntermediates::Nvidia,
            nonce: &nonce.try_into().unwrap(),
            at: overall["iat"].as_u64().unwrap(),
        };
        let (word, sentence) = word(inputs.judge(&answer, None));
        match expected["result"].as_str().unwrap() {
            "pass" => assert_eq!(word, "approved", "{name}: {sentence}"),
            _ => assert!(
                word == "refused" && sentence.contains("4010"),
                "{name}: {word}: {sentence}"
            ),
        }
        judged += 1;
    }
    assert!(judged >= 4, "{judged}");
}
