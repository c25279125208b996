//! Reports, chains and documents of GPUs that were changed: each is refused for its own reason.

use super::*;

/// What the reports and chains may look like, and as what they are refused: the status under `auto`, and the reason.
type Mutation = (&'static str, Status, &'static str, fn(&mut Gpus));

/// Changes one byte of the report before it is signed: the device signs what it should not.
fn signed_byte(gpus: &mut Gpus, at: usize, byte: u8) {
    gpus.devices[0]
        .before_signing
        .push(Arc::new(move |report| report[at] = byte));
}

fn chain(gpus: &mut Gpus, edit: impl Fn(&mut Vec<DeviceCertificate>) + Send + Sync + 'static) {
    gpus.devices[0].chain_edits.push(Arc::new(edit));
}

fn der(gpus: &mut Gpus, edit: impl Fn(&mut Vec<Vec<u8>>) + Send + Sync + 'static) {
    gpus.devices[0].der_edits.push(Arc::new(edit));
}

fn payload(gpus: &mut Gpus, edit: impl Fn(&mut Value) + Send + Sync + 'static) {
    gpus.payload_edits.push(Arc::new(edit));
}

const MUTATIONS: &[Mutation] = &[
    // The signature, and everything that it covers.
    ("a bit of the signature", Fail, "gpu-signature", |gpus| {
        tampered(gpus, |report| *report.last_mut().unwrap() ^= 1);
    }),
    ("a signature of zeros", Fail, "gpu-signature", |gpus| {
        tampered(gpus, |report| {
            let end = report.len();
            report[end - 96..].fill(0);
        });
    }),
    (
        "this run's nonce over old evidence",
        Fail,
        "gpu-signature",
        |gpus| {
            gpus.nonce = SignedNonce::Fixed([9; 32]);
            tampered(gpus, |report| report[4..36].copy_from_slice(&NONCE));
        },
    ),
    ("a bit of the nonce", Fail, "gpu-signature", |gpus| {
        tampered(gpus, |report| report[4] ^= 1)
    }),
    ("the slot", Fail, "gpu-signature", |gpus| {
        tampered(gpus, |report| report[36] ^= 1)
    }),
    ("the parameters of the response", Fail, "gpu-signature", |gpus| {
        tampered(gpus, |report| report[39] ^= 1);
    }),
    ("a measured value", Fail, "gpu-signature", |gpus| {
        tampered(gpus, |report| report[60] ^= 1)
    }),
    ("a measurement's type", Fail, "gpu-signature", |gpus| {
        tampered(gpus, |report| report[49] ^= 1)
    }),
    ("the device's own nonce", Fail, "gpu-signature", |gpus| {
        tampered(gpus, |report| report[45 + 64 * 55] ^= 1);
    }),
    ("the driver version", Fail, "gpu-signature", |gpus| {
        tampered(gpus, |report| {
            let at = report.windows(3).position(|window| window == b"570").unwrap();
            report[at] = b'9';
        });
    }),
    (
        "protected PCIe switched off afterwards",
        Fail,
        "gpu-signature",
        |gpus| {
            tampered(gpus, |report| {
                let end = report.len() - 97;
                report[end] ^= 0xff;
            });
        },
    ),
    (
        "a report of another device of the same kind",
        Fail,
        "gpu-signature",
        |gpus| {
            let other = Gpu::hopper(SEED, "another gpu");
            tampered(gpus, move |report| *report = other.report(&NONCE));
        },
    ),
    // The transcript.
    ("SPDM 1.2 in the request", Warn, "gpu-malformed", |gpus| {
        signed_byte(gpus, 0, 0x12)
    }),
    ("another request", Warn, "gpu-malformed", |gpus| {
        signed_byte(gpus, 1, 0xe1)
    }),
    (
        "an unsigned answer was asked for",
        Warn,
        "gpu-malformed",
        |gpus| signed_byte(gpus, 2, 0),
    ),
    ("one measurement was asked for", Warn, "gpu-malformed", |gpus| {
        signed_byte(gpus, 3, 1)
    }),
    ("SPDM 1.2 in the response", Warn, "gpu-malformed", |gpus| {
        signed_byte(gpus, 37, 0x12)
    }),
    ("another response", Warn, "gpu-malformed", |gpus| {
        signed_byte(gpus, 38, 0x61)
    }),
    ("one block fewer than there are", Warn, "gpu-malformed", |gpus| {
        signed_byte(gpus, 41, 63)
    }),
    ("one block more than there are", Warn, "gpu-malformed", |gpus| {
        signed_byte(gpus, 41, 65)
    }),
    (
        "a record that is longer than the report",
        Warn,
        "gpu-malformed",
        |gpus| {
            signed_byte(gpus, 44, 1);
        },
    ),
    (
        "another measurement specification",
        Warn,
        "gpu-malformed",
        |gpus| signed_byte(gpus, 46, 2),
    ),
    ("a measurement of another size", Warn, "gpu-malformed", |gpus| {
        gpus.devices[0].measurements[0].2.truncate(32);
    }),
    ("a measurement twice", Warn, "gpu-malformed", |gpus| {
        gpus.devices[0].measurements[1].0 = 1
    }),
    ("a measurement with index 0", Warn, "gpu-malformed", |gpus| {
        gpus.devices[0].measurements[0].0 = 0
    }),
    ("a byte too many", Warn, "gpu-malformed", |gpus| {
        gpus.devices[0]
            .before_signing
            .push(Arc::new(|report| report.push(0)));
    }),
    ("a report that was cut", Warn, "gpu-malformed", |gpus| {
        tampered(gpus, |report| report.truncate(90))
    }),
    ("a report of 65 KiB", Warn, "gpu-malformed", |gpus| {
        tampered(gpus, |report| report.resize(65 * 1024, 0));
    }),
    ("no report", Warn, "gpu-malformed", |gpus| {
        tampered(gpus, Vec::clear)
    }),
    // The opaque data.
    ("a field twice", Warn, "gpu-malformed", |gpus| {
        gpus.devices[0].opaque.push((3, b"999.0\0".to_vec()));
    }),
    (
        "a field that ends outside the data",
        Warn,
        "gpu-malformed",
        |gpus| {
            gpus.devices[0].opaque_bytes = Some(vec![3, 0, 200, 0, 1]);
        },
    ),
    ("a newer format", Warn, "gpu-opaque-unread", |gpus| {
        gpus.devices[0].opaque_bytes = Some(b"NVDAOD\0\0\x02\0\0\0 and more".to_vec());
    }),
    (
        "firmware that the certificate does not name",
        Fail,
        "gpu-fwid-mismatch",
        |gpus| {
            gpus.devices[0].set(20, [0x66; 48]);
        },
    ),
    (
        "a certificate without a firmware id",
        Fail,
        "gpu-fwid-mismatch",
        |gpus| {
            chain(gpus, |chain| chain[0].firmware = None);
        },
    ),
    // The chain.
    ("another root of the same name", Fail, "gpu-chain", |gpus| {
        gpus.devices[0].seed = 2
    }),
    ("a chain without its root", Fail, "gpu-chain", |gpus| {
        der(gpus, |chain| chain.truncate(4));
    }),
    (
        "a chain without its identity certificate",
        Fail,
        "gpu-chain",
        |gpus| {
            der(gpus, |chain| drop(chain.remove(3)));
        },
    ),
    ("two certificates swapped", Fail, "gpu-chain", |gpus| {
        der(gpus, |chain| chain.swap(1, 2))
    }),
    ("a leaf that another key signed", Fail, "gpu-chain", |gpus| {
        chain(gpus, |chain| chain[0].issuer_key = chain[0].key.clone());
    }),
    ("a changed bit of the leaf", Fail, "gpu-chain", |gpus| {
        der(gpus, |chain| {
            let at = chain[0].windows(5).position(|window| window == b"GH100").unwrap();
            chain[0][at + 2] = b'2';
        });
    }),
    ("an issuer that is not a CA", Fail, "gpu-chain", |gpus| {
        chain(gpus, |chain| chain[1].is_ca = false);
    }),
    ("an issuer whose key must not sign", Fail, "gpu-chain", |gpus| {
        chain(gpus, |chain| chain[1].may_sign = false);
    }),
    ("a leaf that names another issuer", Fail, "gpu-chain", |gpus| {
        chain(gpus, |chain| chain[0].issuer = "Somebody else".to_owned());
    }),
    ("another signature algorithm by name", Fail, "gpu-chain", |gpus| {
        chain(gpus, |chain| chain[0].algorithm = "1.2.840.10045.4.3.2");
    }),
    (
        "a certificate of the attacker's below a genuine leaf",
        Fail,
        "gpu-chain",
        |gpus| {
            chain(gpus, |chain| {
                let genuine = chain[0].clone();
                let forged = DeviceCertificate {
                    issuer_key: genuine.key.clone(),
                    issuer: genuine.subject.clone(),
                    ..genuine
                };
                chain.insert(0, forged);
            });
        },
    ),
    ("a chain that is not PEM", Warn, "gpu-malformed", |gpus| {
        payload(gpus, |payload| {
            payload["evidence_list"][0]["certificate"] = "AAAA".into()
        });
    }),
    ("the root alone", Warn, "gpu-malformed", |gpus| {
        der(gpus, |chain| drop(chain.drain(..4)))
    }),
    ("ten certificates", Warn, "gpu-malformed", |gpus| {
        der(gpus, |chain| {
            let root = chain.last().unwrap().clone();
            chain.resize(10, root);
        });
    }),
    // Which devices they are.
    ("one GPU twice", Fail, "gpu-duplicate", |gpus| {
        gpus.devices.push(gpus.devices[0].clone());
    }),
    (
        "one GPU with the keys of two firmwares",
        Fail,
        "gpu-duplicate",
        |gpus| {
            // The boot ROM's certificate is the device's; each firmware gets a key and a certificate of its own from it.
            let brom = |chain: &mut Vec<DeviceCertificate>| {
                let key = Key384::derive(SEED, "one boot ROM");
                (chain[1].key, chain[1].subject) = (key.clone(), "One boot ROM".to_owned());
                (chain[0].issuer_key, chain[0].issuer) = (key, "One boot ROM".to_owned());
            };
            for gpu in &mut gpus.devices {
                gpu.chain_edits.push(Arc::new(brom));
            }
            gpus.devices[1].set(3, b"580.95.05\0".to_vec());
        },
    ),
    (
        "a GPU that is called by another architecture",
        Warn,
        "gpu-malformed",
        |gpus| {
            gpus.devices[0].architecture = "BLACKWELL".to_owned();
        },
    ),
    ("a switch that is called a GPU", Warn, "gpu-malformed", |gpus| {
        gpus.devices[0].common_name = "LS_10 A01 FSP FMC LF".to_owned();
    }),
    ("a chip that is not known", Warn, "gpu-malformed", |gpus| {
        gpus.devices[0].common_name = "ZZ900 A01 GSP FMC LF".to_owned();
    }),
    ("17 GPUs", Warn, "gpu-malformed", |gpus| {
        *gpus = Gpus::alone(SEED, 17)
    }),
    ("a switch without GPUs", Warn, "gpu-topology", |gpus| {
        gpus.devices = vec![Gpu::switch(SEED, "switch", [1; 8])];
    }),
    // The nonce.
    ("evidence of another run", Warn, "gpu-nonce-mismatch", |gpus| {
        gpus.nonce = SignedNonce::Fixed([9; 32]);
    }),
    ("one GPU of another run", Warn, "gpu-nonce-mismatch", |gpus| {
        let mut old = Gpu::hopper(SEED, "old");
        old.before_signing.push(Arc::new(|report| report[4..36].fill(9)));
        gpus.devices.push(old);
    }),
    // The document around them.
    ("a list that is no list", Warn, "gpu-malformed", |gpus| {
        payload(gpus, |payload| payload["evidence_list"] = "none".into());
    }),
    ("a device without a certificate", Warn, "gpu-malformed", |gpus| {
        payload(gpus, |payload| {
            payload["evidence_list"][0]
                .as_object_mut()
                .unwrap()
                .remove("certificate");
        });
    }),
    ("evidence that is not base64", Warn, "gpu-malformed", |gpus| {
        payload(gpus, |payload| {
            payload["evidence_list"][0]["evidence"] = "*".into()
        });
    }),
    (
        "a number in the place of evidence",
        Warn,
        "gpu-malformed",
        |gpus| {
            payload(gpus, |payload| payload["evidence_list"][0]["evidence"] = 7.into());
        },
    ),
];

#[test]
fn t44_every_mutation_of_gpu_evidence_is_refused_for_its_own_reason() {
    assert!(MUTATIONS.len() >= 50);
    for (what, status, reason, mutate) in MUTATIONS {
        let mutated = || alone(2).with(|trial| mutate(gpus(trial)));
        let judged = mutated().judge();
        let check = judged.check(Id);
        assert!(
            (check.status, check.reason.as_deref()) == (*status, Some(*reason)),
            "{what}: {} / {reason} expected\n{judged}",
            status.as_str()
        );
        // What convicts fails; what is only not proven leaves the verdict as it is, and is never green.
        judged.concludes(if *status == Fail {
            Verdict::Fail
        } else {
            Verdict::Pass
        });
        let judged = mutated().with(required).judge();
        if *reason == "gpu-opaque-unread" {
            judged.passes().says(Id, Warn, reason);
        } else {
            judged.fails(Id, reason);
        }
    }
}
