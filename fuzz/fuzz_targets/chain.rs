//! What the nodes of a blockchain answer: a body of JSON-RPC, and a recording of a bundle.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify_core::evidence::{RecordedChain, RpcOutcome};
use cvm_verify_core::verify::chain::{AppBootInfo, GovernanceSubject, MAX_ROUNDS, outcome, read};

cvm_verify_fuzz::fuzz_target!(|body: &[u8]| {
    for method in ["eth_call", "eth_getBlockByNumber"] {
        // A result is hex, a block or nothing; an error's words are bounded.
        match outcome(1, method, body) {
            RpcOutcome::Result(value) => assert!(value.is_string() || value.is_object() || value.is_null()),
            RpcOutcome::Error(fault) => assert!(fault.message.chars().count() <= 200),
            RpcOutcome::Problem(_) => {}
        }
    }
    let Ok(mut record) = serde_json::from_slice::<RecordedChain>(body) else {
        return;
    };
    let contracts = record.contracts;
    let subject = GovernanceSubject {
        boot: AppBootInfo {
            app_id: contracts.app,
            compose_hash: [1; 32],
            instance_id: [2; 20],
            device_id: [3; 32],
            mr_aggregated: [4; 32],
            mr_system: [5; 32],
            os_image_hash: [6; 32],
            tcb_status: "UpToDate".to_owned(),
            advisory_ids: Vec::new(),
        },
        old_device_id: [7; 32],
        mr_kms: Some([8; 32]),
        live_builds: vec![[9; 32]],
    };
    let first = read(&contracts, &subject, &record);
    assert_eq!(
        first,
        read(&contracts, &subject, &record),
        "the same answers are read alike"
    );
    // Whatever is answered, the questions end.
    let mut asked = 0;
    for _ in 0..MAX_ROUNDS {
        let open = read(&contracts, &subject, &record).1;
        asked += open.len();
        for request in open {
            record
                .exchanges
                .push(cvm_verify_core::evidence::RecordedExchange {
                    method: request.method.to_owned(),
                    params: request.params,
                    answers: [
                        RpcOutcome::Problem(String::new()),
                        RpcOutcome::Problem(String::new()),
                    ],
                });
        }
    }
    assert!(asked < 96 && read(&contracts, &subject, &record).1.is_empty());
});
