//! What verifying costs in this process, beside dcap-qvl's own `verify` of the same quote in the same run.
//!
//! `cargo bench --bench prove`. Simulated evidence always; recorded evidence of real hardware where it is present
//! (`CVM_VERIFY_VECTORS`, or `../shared/vectors`). It prints a ratio for each and never fails because of time.

mod case;
mod gpu;
mod leaf;

use std::hint::black_box;
use std::io::Write as _;
use std::time::{Duration, Instant};

use criterion::Criterion;
use cvm_verify::render;
use cvm_verify_core::evidence::{Attestation, Bundle, Info};
use cvm_verify_core::verify::SignatureCache;

use case::{Case, SIMULATED_BUNDLE};

/// What parsing, proving and appraising may cost, as a multiple of dcap-qvl's `verify`.
const LIMIT: f64 = 1.3;

/// Rounds of the comparison. Both sides run in turn, so that what else the machine does hits both.
const ROUNDS: usize = 400;

fn main() {
    let mut criterion = Criterion::default()
        .without_plots()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let cases = [Some(Case::simulated()), Case::near_mpc()];
    for case in cases.iter().flatten() {
        verification(&mut criterion, case);
        parts(&mut criterion, case);
    }
    files(&mut criterion);
    let simulated = Case::simulated();
    gpu::benchmark(&mut criterion, &simulated);
    leaf::benchmark(&mut criterion, &simulated);
    criterion.final_summary();
    // `cargo test --benches` runs each benchmark once; comparing takes a real run.
    if std::env::args().any(|arg| arg == "--bench") {
        cases.iter().flatten().for_each(compare);
        gpu::compare(&simulated);
        leaf::compare(&simulated);
    }
}

/// The two that the project compares.
fn verification(criterion: &mut Criterion, case: &Case) {
    let mut group = criterion.benchmark_group(case.name);
    group.bench_function("dcap-qvl verify", |bencher| {
        bencher.iter(|| black_box(case.dcap_qvl()));
    });
    group.bench_function("parse, prove and appraise", |bencher| {
        bencher.iter_custom(|rounds| {
            (0..rounds)
                .map(|_| first(|signatures| case.whole(signatures)))
                .sum()
        });
    });
    group.finish();
}

/// Where the time goes.
fn parts(criterion: &mut Criterion, case: &Case) {
    let evidence = case.parse();
    let claims = case.prove(&evidence, &SignatureCache::default());
    let report = case.report();
    let mut bare = evidence.clone();
    bare.attestation.event_log = None;
    bare.info = None;
    let mut group = criterion.benchmark_group(case.name);
    group.bench_function("parse the attestation", |bencher| {
        bencher.iter(|| black_box(Attestation::parse(&case.attestation)));
    });
    if let Some(info) = &case.info {
        group.bench_function("parse the info", |bencher| {
            bencher.iter(|| black_box(Info::parse(info)));
        });
    }
    group.bench_function("prove the quote alone", |bencher| {
        bencher.iter_custom(|rounds| {
            (0..rounds)
                .map(|_| first(|signatures| case.prove(&bare, signatures)))
                .sum()
        });
    });
    // The difference to the quote alone is the replay of the log, its boot events and the compose document's hash.
    group.bench_function("prove everything", |bencher| {
        bencher.iter_custom(|rounds| {
            (0..rounds)
                .map(|_| first(|signatures| case.prove(&evidence, signatures)))
                .sum()
        });
    });
    group.bench_function("appraise", |bencher| {
        bencher.iter_custom(|rounds| (0..rounds).map(|_| first(|_| case.appraise(&claims))).sum());
    });
    group.bench_function("render text", |bencher| {
        bencher.iter(|| black_box(render::text(&report, render::TextStyle::default())));
    });
    group.bench_function("render JSON", |bencher| {
        bencher.iter(|| black_box(render::json(&report)));
    });
    group.finish();
}

/// What a replay reads from disk beside the evidence.
fn files(criterion: &mut Criterion) {
    let bundle = Bundle::parse(SIMULATED_BUNDLE).unwrap();
    let text = bundle.collateral.unwrap();
    let mut group = criterion.benchmark_group("files");
    group.bench_function("bundle", |bencher| {
        bencher.iter(|| black_box(Bundle::parse(SIMULATED_BUNDLE)));
    });
    group.bench_function("collateral", |bencher| {
        bencher.iter(|| {
            black_box(cvm_verify_core::evidence::collateral::parse(
                text.get().as_bytes(),
            ))
        });
    });
    group.finish();
}

/// Prints how the whole compares with dcap-qvl's `verify`, the two in turn. The medians are compared.
fn compare(case: &Case) {
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        theirs.push(time(|| drop(black_box(case.dcap_qvl()))));
        ours.push(first(|signatures| case.whole(signatures)));
    }
    let (theirs, ours) = (median(theirs), median(ours));
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    let verdict = if ratio <= LIMIT { "within" } else { "MISSES" };
    let _ = writeln!(
        std::io::stdout(),
        "{}: dcap-qvl verify {theirs:.2?}; parse, prove and appraise {ours:.2?}; ratio {ratio:.2}, {verdict} {LIMIT}",
        case.name
    );
}

/// How long work takes for the first of many targets: what the targets of one platform and of one release have in common is
/// known neither to a new thread nor to a new cache.
fn first<T>(work: impl FnOnce(&SignatureCache) -> T + Send) -> Duration {
    let timed = || {
        let signatures = SignatureCache::default();
        time(|| drop(black_box(work(&signatures))))
    };
    std::thread::scope(|scope| scope.spawn(timed).join().unwrap())
}

fn time(work: impl FnOnce()) -> Duration {
    let started = Instant::now();
    work();
    started.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
