//! The clock jumps in mid-run.

use std::cell::Cell;
use std::sync::Arc;

use simulator::{Cvm, World};

use super::shim::Plan;
use super::{Scene, Source, assert_sound, lying};

thread_local! {
    /// How often this thread looked at the clock, at which look it jumps, and where to.
    static LOOKS: Cell<usize> = const { Cell::new(0) };
    static JUMP: Cell<(usize, u64)> = const { Cell::new((usize::MAX, 0)) };
}

fn clock() -> u64 {
    let look = LOOKS.get() + 1;
    LOOKS.set(look);
    let (at, to) = JUMP.get();
    if look >= at { to } else { simulator::DEFAULT_NOW }
}

/// A run whose clock says `to` from the look of this number on; and how often it was looked at.
fn run(cvm: Cvm, at: usize, to: u64, what: &str) -> (u8, usize) {
    LOOKS.set(0);
    JUMP.set((at, to));
    let scene = Scene::new(Source::App, cvm);
    let outcome = scene.run_with(&Arc::new(Plan::honest()), |env| {
        env.now = clock;
        env.clock_floor = simulator::DEFAULT_NOW - 1000;
    });
    assert_sound(&outcome, what);
    (outcome.ran.code, LOOKS.get())
}

#[test]
fn a_clock_that_jumps_at_any_look_passes_no_lie_and_accuses_nobody() {
    const YEAR: u64 = 365 * 86_400;
    let honest = || Cvm::healthy(&World::default());
    let (code, looks) = run(honest(), usize::MAX, 0, "no jump");
    assert_eq!(code, 0);
    assert!(looks > 0);
    for at in 1..=looks {
        for to in [
            0,
            simulator::DEFAULT_NOW - YEAR,
            simulator::DEFAULT_NOW - 5000,
            simulator::DEFAULT_NOW + 5000,
            simulator::DEFAULT_NOW + 20 * YEAR,
            u64::MAX,
        ] {
            let what = format!("look {at}, to {to}");
            assert_ne!(run(honest(), at, to, &what).0, 1, "{what}");
            assert_ne!(run(lying(), at, to, &what).0, 0, "{what}");
        }
    }
}
