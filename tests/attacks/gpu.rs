//! GPU evidence: T44 of the threat list. The simulator's own GPUs, signed under a root of their own, and every way in which
//! their evidence can be wrong, each refused for its own reason.

mod mutations;
mod unread;

use std::sync::Arc;

use cvm_verify_core::evidence::GpuProblem;
use cvm_verify_core::lock::{Lock, Notes, pin};
use cvm_verify_core::policy::{Freshness, GpuMode, GpuVerifier, LockedGpus, Policy};
use cvm_verify_core::reference::ReferenceValues;
use cvm_verify_core::report::CheckId::Gpu as Id;
use cvm_verify_core::report::Status::{Error, Fail, Pass, Skip, Warn};
use cvm_verify_core::report::{DeviceRootKind, Status, TrustRootKind, Verdict};
use cvm_verify_core::verify::gpu::DeviceRoot;
use cvm_verify_core::verify::{Inputs, SignatureCache, TrustRoot, prove};
use serde_json::Value;
use simulator::gpu::device_root_der;
use simulator::gpu_pki::DeviceCertificate;
use simulator::keys384::Key384;
use simulator::{Cvm, Gpu, Gpus, Guest, ReportDataLayout, SignedNonce, World};

use crate::judge::{NONCE, Trial, expected};

const SEED: u64 = 1;

const UNREAD: &[u8] = b"NVDAOD\0\0\x02\0\0\0 and more";

/// A healthy CVM with these GPUs, under the root of the simulated devices.
fn with_gpus(gpus: Gpus) -> Trial {
    let mut cvm = Cvm::healthy(&World::default());
    cvm.gpus = Some(gpus);
    Trial::of(cvm).with(|trial| trial.device_root = Some(DeviceRoot::Custom(device_root_der(SEED))))
}

fn alone(count: usize) -> Trial {
    with_gpus(Gpus::alone(SEED, count))
}

fn gpus(trial: &mut Trial) -> &mut Gpus {
    trial.cvm.gpus.as_mut().unwrap()
}

fn required(trial: &mut Trial) {
    trial.policy.gpu.mode = GpuMode::Required;
}

/// Changes the report after it was signed.
fn tampered(gpus: &mut Gpus, edit: impl Fn(&mut Vec<u8>) + Send + Sync + 'static) {
    gpus.devices[0].after_signing.push(Arc::new(edit));
}

#[test]
fn t44_gpus_that_answer_this_runs_nonce_pass_and_the_words_say_what_is_not_proven() {
    for mode in [GpuMode::Auto, GpuMode::Required] {
        let judged = alone(2).with(|trial| trial.policy.gpu.mode = mode).judge();
        judged.passes().proves(Id);
        let detail = judged.detail(Id);
        for word in [
            "2 × GH100, driver 570.172.08",
            "not NVIDIA's",
            "golden values, revocation and location are not checked",
        ] {
            assert!(detail.contains(word), "{detail}");
        }
    }
}

#[test]
fn t44_eight_gpus_and_four_switches_pass_with_their_topology() {
    let judged = with_gpus(Gpus::protected_pcie(SEED))
        .with(|trial| {
            required(trial);
            trial.policy.gpu.switches_required = true;
            trial.policy.gpu.count = Some(expected("--gpu-count", 8));
            trial.policy.gpu.models = Some(expected("--gpu-model", vec!["GH100".parse().unwrap()]));
        })
        .judge();
    judged.passes().proves(Id);
    assert!(judged.detail(Id).contains("4 × NVSwitch"), "{judged}");
}

#[test]
fn no_gpu_is_never_green() {
    let judged = Trial::healthy().judge();
    judged.passes().says(Id, Skip, "no-gpu");
    Trial::healthy()
        .with(required)
        .judge()
        .fails(Id, "gpu-unverified");
    let judged = Trial::lying(|cvm| cvm.claimed_gpus = Some(8)).judge();
    judged.passes().says(Id, Warn, "gpu-unverified");
    assert!(judged.detail(Id).contains("claims: 8"), "{judged}");
    let waived = alone(1)
        .with(|trial| trial.policy.gpu.mode = GpuMode::Unchecked)
        .judge();
    waived.passes().says(Id, Skip, "unchecked");
    assert!(waived.0.waived.contains(&Id), "{waived}");
}

#[test]
fn t44_simulated_gpus_are_forged_under_nvidias_root_and_the_report_says_which_root_was_replaced() {
    let judged = alone(1).with(|trial| trial.device_root = None).judge();
    judged.fails(Id, "gpu-chain");
    assert_eq!(judged.0.device_root, DeviceRootKind::Nvidia);
    let mut target = alone(1).judge().0;
    assert_eq!(target.device_root, DeviceRootKind::Custom);
    assert!(
        target
            .simulated()
            .unwrap()
            .contains("neither Intel's root nor NVIDIA's")
    );
    target.trust_root = TrustRootKind::Intel;
    assert!(target.simulated().unwrap().contains("not NVIDIA's root"));
}

#[test]
fn t44_an_echoed_nonce_counts_for_nothing() {
    // The simulated gateway always echoes the nonce that was asked for.
    let stale = alone(1).with(|trial| gpus(trial).nonce = SignedNonce::Fixed([9; 32]));
    assert_eq!(gpus(&mut alone(1)).payload(&NONCE)["nonce"], hex::encode(NONCE));
    let judged = stale.judge();
    judged.passes().says(Id, Warn, "gpu-nonce-mismatch");
    assert!(judged.detail(Id).contains(&hex::encode([9; 32])), "{judged}");
}

#[test]
fn t44_a_nonce_that_is_derived_from_this_runs_counts() {
    let judged = alone(1)
        .with(|trial| {
            required(trial);
            gpus(trial).nonce = SignedNonce::Derived;
        })
        .judge();
    judged.passes().proves(Id);
    assert!(judged.detail(Id).contains("derived"), "{judged}");
}

#[test]
fn t44_gpus_are_bound_by_the_quotes_nonce_in_every_layout_and_not_without_it() {
    use cvm_verify_core::verify::Layout;
    let private_ai = alone(1)
        .with(|trial| {
            required(trial);
            trial.cvm.report_data = ReportDataLayout::KeyThenNonce([7; 32]);
            trial.policy.report_data.layout = Some(Layout::PrivateAi);
        })
        .judge();
    private_ai.passes().proves(Id);
    // A layout that the policy does not name is not an old quote: `freshness` says what to do, and nobody is accused.
    let unnamed = alone(1)
        .with(|trial| {
            required(trial);
            trial.cvm.report_data = ReportDataLayout::KeyThenNonce([7; 32]);
        })
        .judge();
    unnamed.leaves_open(Id, "gpu-nonce-mismatch");
    assert!(!unnamed.detail(Id).contains("the quote does not"), "{unnamed}");
    // The GPUs are fresh and the quote is not: whoever relays the nonce to a GPU elsewhere proves nothing.
    let stale_quote = alone(1)
        .with(|trial| {
            trial.policy.freshness = Freshness::Unchecked;
            trial.cvm.report_data = ReportDataLayout::Fixed([3; 64]);
        })
        .judge();
    stale_quote.passes().says(Id, Warn, "gpu-nonce-mismatch");
    let mut no_nonce = alone(1);
    no_nonce.policy.freshness = Freshness::Unchecked;
    let mut evidence = no_nonce.evidence().unwrap();
    evidence.nonce = None;
    let judged = no_nonce.judge_evidence(Ok(evidence.clone()));
    judged.says(Id, Warn, "gpu-nonce-mismatch");
    // No deployment answers a nonce that it was not sent: required GPUs are not proven, and nobody is accused.
    required(&mut no_nonce);
    no_nonce
        .judge_evidence(Ok(evidence))
        .leaves_open(Id, "gpu-nonce-mismatch");
}

/// The option, and what it sets.
type Expectation = (&'static str, fn(&mut Trial));

/// What a user can say of the GPUs, each by itself. All of it says that there are GPUs.
const EXPECTATIONS: [Expectation; 5] = [
    ("--gpu-count", |trial| {
        trial.policy.gpu.count = Some(expected("--gpu-count", 2))
    }),
    ("--gpu-model", |trial| {
        trial.policy.gpu.models = Some(expected("--gpu-model", vec!["GH100".parse().unwrap()]));
    }),
    ("--gpu-switches", |trial| {
        trial.policy.gpu.switches_required = true
    }),
    ("--gpu-verifier", |trial| {
        trial.policy.gpu.verifier = GpuVerifier::Nras
    }),
    ("a lock", |trial| {
        trial.policy.gpu.pins = Some(LockedGpus {
            pins: Vec::new(),
            lock: "cvm.lock".into(),
        });
    }),
];

#[test]
fn t44_reports_that_prove_nothing_meet_no_expectation() {
    for (what, expectation) in EXPECTATIONS {
        for (reason, spoil) in [
            (
                "gpu-nonce-mismatch",
                (|gpus| gpus.nonce = SignedNonce::Fixed([9; 32])) as fn(&mut Gpus),
            ),
            ("gpu-malformed", |gpus| tampered(gpus, Vec::clear)),
        ] {
            let judged = alone(2)
                .with(|trial| spoil(gpus(trial)))
                .with(expectation)
                .judge();
            let check = judged.check(Id);
            assert_eq!(
                (check.status, check.reason.as_deref()),
                (Fail, Some(reason)),
                "{what}\n{judged}"
            );
            judged.concludes(Verdict::Fail);
        }
    }
}

#[test]
fn t44_what_the_guest_recorded_while_booting_shows_neither_model_nor_lock_nor_switches() {
    const RECORD: &str = r#"{"version":3,"provider":"nvidia","devices":2,"cc_mode":"on","devtools":false,"dbgstat":"disabled","secboot":true,"evidence_sha256":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}"#;
    let booted = || {
        let mut cvm = Cvm::of_generation(&World::default(), Guest::V0_6_0);
        cvm.gpu_attestation = Some(RECORD.to_owned());
        Trial::of(cvm)
    };
    assert!(booted().judge().detail(Id).contains("2 GPUs"));
    for (what, expectation) in EXPECTATIONS {
        let judged = booted().with(expectation).judge();
        if what == "--gpu-count" {
            // The event says how many. Without a proven OS image nobody knows who wrote it.
            judged.passes().proves(Id);
            let unchecked = |trial: &mut Trial| trial.policy.os_image = crate::judge::os_image("unchecked");
            let judged = booted().with(expectation).with(unchecked).judge();
            judged.fails(Id, "gpu-unverified");
            assert!(judged.detail(Id).contains("OS image is not proven"), "{judged}");
            continue;
        }
        let check = judged.check(Id);
        assert_eq!(
            (check.status, check.reason.as_deref()),
            (Fail, Some("gpu-unverified")),
            "{what}\n{judged}"
        );
        judged.concludes(Verdict::Fail);
    }
}

#[test]
fn t44_what_stands_beside_proven_reports_leaves_no_gpu_unproven() {
    // Evidence of a form that this version does not read, beside reports of one that it does.
    let beside = |trial: &Trial| {
        let mut evidence = trial.evidence().unwrap();
        let gpu = evidence.gpu.as_mut().unwrap().as_mut().unwrap();
        gpu.problem_beside = Some(GpuProblem::Unreachable("it has another format".to_owned()));
        trial.judge_evidence(Ok(evidence))
    };
    beside(&alone(2).with(required)).leaves_open(Id, "gpu-malformed");
    beside(&alone(2)).passes().says(Id, Warn, "gpu-malformed");
    let forged = alone(2).with(required).with(|trial| trial.device_root = None);
    forged.judge().concludes(Verdict::Fail);
    beside(&forged).concludes(Verdict::Fail);
    // A policy that asks for no attestation at boot.
    let with_policy = |mut trial: Trial| {
        let mut compose: Value = serde_json::from_str(&trial.cvm.app_compose).unwrap();
        compose["requirements"] = serde_json::json!({ "gpu_policy": { "attest_gpu": false } });
        trial.cvm.app_compose = compose.to_string();
        let (policy, world) = (trial.policy.gpu.clone(), trial.device_root.clone());
        let mut trial = Trial::of(trial.cvm);
        (trial.policy.gpu, trial.device_root) = (policy, world);
        trial
    };
    let of_guest = |gpus: Option<Gpus>| {
        let mut cvm = Cvm::of_generation(&World::default(), Guest::V0_6_0);
        cvm.gpus = gpus;
        Trial::of(cvm).with(|trial| {
            trial.device_root = Some(DeviceRoot::Custom(device_root_der(SEED)));
            required(trial);
        })
    };
    with_policy(of_guest(Some(Gpus::alone(SEED, 2))))
        .judge()
        .says(Id, Warn, "gpu-policy");
    with_policy(of_guest(None)).judge().says(Id, Fail, "gpu-policy");
}

#[test]
fn t44_without_any_evidence_no_expectation_is_met() {
    for (what, expectation) in EXPECTATIONS {
        let judged = Trial::healthy().with(expectation).judge();
        let reason = if what == "--gpu-count" {
            "gpu-count"
        } else {
            "gpu-unverified"
        };
        let check = judged.check(Id);
        assert_eq!(
            (check.status, check.reason.as_deref()),
            (Fail, Some(reason)),
            "{what}\n{judged}"
        );
    }
}

#[test]
fn counts_and_models_are_exact() {
    for (count, passes) in [(1, false), (2, true), (3, false)] {
        let judged = alone(2)
            .with(|trial| trial.policy.gpu.count = Some(expected("--gpu-count", count)))
            .judge();
        if passes {
            judged.passes().proves(Id);
        } else {
            judged.fails(Id, "gpu-count");
        }
    }
    Trial::healthy()
        .with(|trial| trial.policy.gpu.count = Some(expected("--gpu-count", 8)))
        .judge()
        .fails(Id, "gpu-count");
    // That there are none is what is expected.
    let none = Trial::healthy()
        .with(|trial| trial.policy.gpu.count = Some(expected("--gpu-count", 0)))
        .judge();
    assert_ne!(none.passes().status(Id), Fail, "{none}");
    for (model, passes) in [("GH100", true), ("gh100", true), ("GB100", false), ("GH1", false)] {
        let judged = alone(1)
            .with(|trial| {
                trial.policy.gpu.models = Some(expected("--gpu-model", vec![model.parse().unwrap()]));
            })
            .judge();
        if passes {
            judged.passes().proves(Id);
        } else {
            judged.fails(Id, "gpu-model");
        }
    }
}

#[test]
fn t44_switches_are_those_that_the_gpus_see() {
    let protected = |change: fn(&mut Gpus)| {
        let mut gpus = Gpus::protected_pcie(SEED);
        change(&mut gpus);
        with_gpus(gpus)
    };
    let without_switches = || protected(|gpus| gpus.devices.truncate(8));
    without_switches()
        .judge()
        .passes()
        .says(Id, Warn, "gpu-switches-missing");
    without_switches()
        .with(|trial| trial.policy.gpu.switches_required = true)
        .judge()
        .fails(Id, "gpu-switches-missing");
    for change in [
        // One switch is missing, one is foreign, one is too many.
        (|gpus| drop(gpus.devices.pop())) as fn(&mut Gpus),
        |gpus| gpus.devices[11] = Gpu::switch(SEED, "foreign", [0x66; 8]),
        |gpus| gpus.devices.push(Gpu::switch(SEED, "fifth", [0x66; 8])),
        // A GPU of another machine, which sees no switch, stands beside the others.
        |gpus| gpus.devices[7] = Gpu::hopper(SEED, "elsewhere"),
    ] {
        protected(change).judge().fails(Id, "gpu-topology");
    }
    let stale_switch = protected(|gpus| {
        gpus.devices[8]
            .before_signing
            .push(Arc::new(|report| report[4..36].fill(9)));
    });
    stale_switch.judge().passes().says(Id, Warn, "gpu-nonce-mismatch");
}

#[test]
fn pinned_gpus_must_measure_the_same_and_another_kind_is_for_a_person() {
    let lock = |trial: &Trial| {
        let collateral = trial.cvm.world.collateral();
        let evidence = trial.evidence().unwrap();
        let root = TrustRoot::Custom(trial.cvm.world.root_der());
        let claims = prove(
            &evidence,
            &Inputs {
                collateral: Ok(&collateral),
                collateral_fetched_at: None,
                signatures: &SignatureCache::default(),
                root: &root,
                at: trial.at,
                clock_floor: 0,
            },
        );
        let claims = claims.with_device_root(&evidence, trial.device_root.as_ref().unwrap());
        let pinned = pin(
            &claims,
            true,
            TrustRootKind::Custom,
            ReferenceValues::built_in(),
            None,
        )
        .unwrap();
        pinned.observed().clone()
    };
    let taken = lock(&alone(2));
    assert_eq!(taken.gpus.len(), 1, "two GPUs of one kind");
    let text = taken.to_toml(&Notes::default());
    assert!(text.contains("[[gpus]]") && text.contains("570.172.08"), "{text}");
    let read = Lock::parse(&text, "cvm.lock").unwrap();
    assert_eq!(read.gpus, taken.gpus);
    let pinned = |change: fn(&mut Gpus)| {
        alone(2)
            .with(|trial| {
                trial.policy = Policy {
                    gpu: cvm_verify_core::policy::GpuExpectations {
                        pins: Some(LockedGpus {
                            pins: taken.gpus.clone(),
                            lock: "cvm.lock".into(),
                        }),
                        ..Default::default()
                    },
                    ..trial.policy.clone()
                };
                change(gpus(trial));
            })
            .judge()
    };
    pinned(|_| {}).passes().proves(Id);
    pinned(|gpus| gpus.devices[1].measurements[5].2[0] ^= 1).fails(Id, "gpu-pins");
    // One that describes itself in a format that is not read is not known to be another.
    pinned(|gpus| gpus.devices[1].opaque_bytes = Some(UNREAD.to_vec())).leaves_open(Id, "gpu-pins");
    // Nor does it hide what another one shows, in whatever order the host lists them.
    for at in [0, 1] {
        let set = [
            |gpus: &mut Gpus| {
                gpus.devices[0].opaque_bytes = Some(UNREAD.to_vec());
                gpus.devices[1].measurements[5].2[0] ^= 1;
            },
            |gpus: &mut Gpus| {
                gpus.devices[1].opaque_bytes = Some(UNREAD.to_vec());
                gpus.devices[0].measurements[5].2[0] ^= 1;
            },
        ];
        pinned(set[at]).fails(Id, "gpu-pins");
        let set = [
            |gpus: &mut Gpus| {
                gpus.devices[0].opaque_bytes = Some(UNREAD.to_vec());
                gpus.devices[1].set(3, b"580.1\0".to_vec());
            },
            |gpus: &mut Gpus| {
                gpus.devices[1].opaque_bytes = Some(UNREAD.to_vec());
                gpus.devices[0].set(3, b"580.1\0".to_vec());
            },
        ];
        let judged = pinned(set[at]);
        judged.leaves_open(Id, "gpu-pins");
        assert!(judged.detail(Id).contains("differs in: driver"), "{judged}");
    }
    let other = pinned(|gpus| gpus.devices[1].set(3, b"580.1\0".to_vec()));
    other.passes().says(Id, Warn, "gpu-pins");
    assert!(other.detail(Id).contains("differs in: driver"), "{other}");
    // GPUs that answered another run are nobody's to pin.
    let stale = alone(1).with(|trial| gpus(trial).nonce = SignedNonce::Fixed([9; 32]));
    assert!(lock(&stale).gpus.is_empty());
}

#[test]
fn a_quote_that_is_not_proven_proves_no_gpu() {
    let judged = alone(1)
        .with(|trial| simulator::Lie::BrokenSignature.apply(&mut trial.cvm))
        .judge();
    judged.says(Id, Error, "quote-not-proven");
    assert_ne!(judged.status(Id), Pass);
}
