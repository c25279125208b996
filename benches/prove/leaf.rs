//! What a TLS certificate with the VM's own quote costs beside one quote.

use std::hint::black_box;
use std::io::Write as _;

use criterion::{BatchSize, Criterion};
use cvm_verify_core::evidence::{IngressSeen, Probe, Seen, TlsChain, TlsHost, TlsSession};
use cvm_verify_core::verify::{Claims, SignatureCache};
use simulator::{Cvm, TlsIdentity, World};

use crate::case::Case;
use crate::{median, time};

/// Rounds of the comparison. Both sides run in turn, so that what else the machine does hits both.
const ROUNDS: usize = 200;

/// The connection to the simulated CVM of [`Case::simulated`], whose certificate carries its quote and event log.
fn session() -> TlsSession {
    let world = World::default();
    let cvm = Cvm::healthy(&world);
    TlsSession {
        chain: TlsChain::new(TlsIdentity::ra_tls(1, world.now, &cvm).chain_der()).unwrap(),
        other_keys: 0,
        has_trusted_ca: false,
        host: TlsHost::Other,
        seen: Seen::Live,
        probe: Probe::NotSent,
        ingress: IngressSeen::NotAsked,
    }
}

/// The facts of the app's own evidence, and what of the signatures is known then: both quotes are of one platform.
fn of_app(case: &Case) -> (Claims, SignatureCache) {
    let signatures = SignatureCache::default();
    let claims = case.prove(&case.parse(), &signatures);
    (claims, signatures)
}

fn with_leaf(case: &Case, session: &TlsSession, claims: Claims, signatures: &SignatureCache) -> Claims {
    claims.with_tls(session, &case.inputs(signatures))
}

pub fn benchmark(criterion: &mut Criterion, case: &Case) {
    let session = session();
    let (claims, signatures) = of_app(case);
    let tls = with_leaf(case, &session, claims, &signatures).tls.unwrap();
    assert!(tls.ra_tls.is_ok(), "{:?}", tls.ra_tls);
    criterion.bench_function("prove a certificate's own quote", |bencher| {
        bencher.iter_batched(
            || of_app(case),
            |(claims, signatures)| black_box(with_leaf(case, &session, claims, &signatures)),
            BatchSize::PerIteration,
        );
    });
}

/// Prints how a certificate's own quote compares with dcap-qvl's `verify` of one quote. The medians are compared.
pub fn compare(case: &Case) {
    let session = session();
    let (mut quote, mut leaf) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        quote.push(time(|| drop(black_box(case.dcap_qvl()))));
        let (claims, signatures) = of_app(case);
        leaf.push(time(|| {
            drop(black_box(with_leaf(case, &session, claims, &signatures)));
        }));
    }
    let (quote, leaf) = (median(quote), median(leaf));
    let ratio = leaf.as_secs_f64() / quote.as_secs_f64();
    let _ = writeln!(
        std::io::stdout(),
        "a certificate's own quote {leaf:.2?}; dcap-qvl verify of one quote {quote:.2?}; ratio {ratio:.2}"
    );
}
