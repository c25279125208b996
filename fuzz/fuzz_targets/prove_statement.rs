//! Statements of who built an image, changed in some bytes (`fuzz/src/edits.rs`): what is signed is what the workflow signed.
//!
//! The parts: a bundle; bundles of another commit, of another repository, and about another image.
#![cfg_attr(feature = "libfuzzer", no_main)]

use std::cell::LazyCell;

use cvm_verify_core::verify::provenance::{SignedStatement, SigstoreRoots, verify};
use cvm_verify_fuzz::edits::apply;
use simulator::{DEFAULT_NOW, Sigstore, Workflow};

const DIGEST: [u8; 32] = [0x5d; 32];

struct Known {
    roots: SigstoreRoots,
    parts: [Vec<u8>; 4],
    honest: Vec<SignedStatement>,
}

impl Known {
    fn new() -> Self {
        let instance = Sigstore::new(1, DEFAULT_NOW - 3600);
        let signed = |workflow: &Workflow, digest: &[u8; 32]| {
            let statement = workflow.provenance("web", &hex::encode(digest));
            instance.sign(workflow, &statement).to_string().into_bytes()
        };
        let workflow = Workflow::default();
        let other_commit = Workflow {
            commit: "00".repeat(20),
            ..Workflow::default()
        };
        let other_repository = Workflow {
            repository: "other/shop".to_owned(),
            workflow_repository: "other/shop".to_owned(),
            repository_id: 7,
            ..Workflow::default()
        };
        let roots = SigstoreRoots::of_file(instance.trusted_root().to_string().as_bytes()).expect("roots");
        let parts = [
            signed(&workflow, &DIGEST),
            signed(&other_commit, &DIGEST),
            signed(&other_repository, &DIGEST),
            signed(&workflow, &[0xcc; 32]),
        ];
        let verified = |part: usize| verify(&parts[part], &DIGEST, &roots, DEFAULT_NOW);
        assert!(verified(3).is_err(), "it is about another image");
        Self {
            honest: (0..3)
                .map(|part| verified(part).expect("an honest bundle"))
                .collect(),
            roots,
            parts,
        }
    }
}

thread_local! {
    static KNOWN: LazyCell<Known> = LazyCell::new(Known::new);
}

cvm_verify_fuzz::fuzz_target!(|edits: &[u8]| {
    KNOWN.with(|known| {
        let mut parts = known.parts.clone();
        apply(edits, &mut parts);
        let Ok(found) = verify(&parts[0], &DIGEST, &known.roots, DEFAULT_NOW) else {
            return;
        };
        let same = |honest: &SignedStatement| {
            honest.signer() == found.signer()
                && honest.predicate_type() == found.predicate_type()
                && honest.predicate() == found.predicate()
                && honest.subjects() == found.subjects()
                && honest.signed_at() == found.signed_at()
                && honest.log() == found.log()
        };
        assert!(known.honest.iter().any(same), "this was not signed: {found:?}");
    });
});
