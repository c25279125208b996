//! Collateral outside its dates, and a suspicious clock: T25. Never a pass, and never a `fail`: the deployment is not
//! to blame.

use cvm_verify_core::report::{CheckId, Status, Verdict};
use cvm_verify_core::verify::{CollateralServers, UnusableCollateral};
use simulator::{Lie, Window, World};

use crate::judge::{Judged, Trial};

/// A part of the collateral, and how to date it.
type Part = (&'static str, fn(&mut World, Window));

const PARTS: [Part; 8] = [
    ("TCB info", |world, window| {
        world.tcb_info.issued_after = window.from;
        world.tcb_info.expires_after = window.to;
    }),
    ("QE identity", |world, window| {
        world.qe_identity.issued_after = window.from;
        world.qe_identity.expires_after = window.to;
    }),
    ("root CA CRL", |world, window| world.pki.root_crl = window),
    ("PCK CRL", |world, window| world.pki.pck_crl = window),
    ("root CA certificate", |world, window| world.pki.root = window),
    ("PCK CA certificate", |world, window| world.pki.pck_ca = window),
    ("PCK certificate", |world, window| world.pki.pck = window),
    ("TCB signing certificate", |world, window| {
        world.pki.tcb_signing = window;
    }),
];

/// A healthy CVM one part of whose collateral is good from 100 seconds ago for 200 seconds, judged that many seconds
/// from now.
fn judged_at(part: Part, seconds: i64) -> Judged {
    let mut world = World::default();
    part.1(&mut world, Window { from: -100, to: 100 });
    let at = world.now.checked_add_signed(seconds).unwrap();
    Trial::of(simulator::Cvm::healthy(&world))
        .with(|trial| trial.at = at)
        .judge()
}

/// The machine's own certificate is not renewed by Intel's next set: it has a reason of its own.
fn ends_soon((part, _): Part) -> &'static str {
    match part {
        "PCK certificate" => "platform-certificate-ends-soon",
        _ => "ends-soon",
    }
}

#[test]
fn the_healthy_baseline_passes() {
    Trial::healthy().judge().passes().proves(CheckId::Collateral);
}

#[test]
fn t25_each_part_is_good_from_its_first_to_its_last_second() {
    for part in PARTS {
        for seconds in [-100, -99, 0, 99] {
            let judged = judged_at(part, seconds);
            judged
                .passes()
                .says(CheckId::Collateral, Status::Warn, ends_soon(part));
            assert!(judged.detail(CheckId::Collateral).contains(part.0), "{judged}");
        }
    }
}

#[test]
fn t25_the_last_second_itself_is_never_the_deployments_fault() {
    // The parts differ in whether their last second still counts: nextUpdate of a CRL does not.
    for part in PARTS {
        let judged = judged_at(part, 100);
        if part.0.ends_with("CRL") {
            judged.leaves_open(CheckId::Collateral, "expired");
        } else {
            judged.passes();
        }
    }
}

#[test]
fn t25_each_part_is_expired_a_second_after_its_end() {
    for part in PARTS {
        for seconds in [101, 3600] {
            let judged = judged_at(part, seconds);
            judged.leaves_open(CheckId::Collateral, "expired");
            judged.says(CheckId::QuoteSignature, Status::Error, "quote-not-proven");
            let detail = judged.detail(CheckId::Collateral);
            assert!(detail.contains(part.0), "{detail}");
        }
    }
    for lie in [Lie::ExpiredTcbInfo, Lie::ExpiredCrl] {
        Trial::lying(|cvm| lie.apply(cvm))
            .judge()
            .leaves_open(CheckId::Collateral, "expired");
    }
}

#[test]
fn t25_each_part_is_not_yet_valid_a_second_before_its_beginning() {
    for part in PARTS {
        for seconds in [-101, -3600] {
            let judged = judged_at(part, seconds);
            judged.leaves_open(CheckId::Collateral, "not-yet-valid");
            judged.says(CheckId::QuoteSignature, Status::Error, "quote-not-proven");
            let detail = judged.detail(CheckId::Collateral);
            assert!(detail.contains(part.0), "{detail}");
        }
    }
    Trial::lying(|cvm| Lie::FutureTcbInfo.apply(cvm))
        .judge()
        .leaves_open(CheckId::Collateral, "not-yet-valid");
}

#[test]
fn t25_documents_that_ended_before_the_crls_were_issued_are_expired() {
    // A PCCS that renews its CRLs and not the rest: no moment lies inside all windows.
    let judged = Trial::lying(|cvm| {
        let stale = Window {
            from: -3600,
            to: -1800,
        };
        let fresh = Window { from: -60, to: 3600 };
        PARTS[0].1(&mut cvm.world, stale);
        PARTS[1].1(&mut cvm.world, stale);
        PARTS[2].1(&mut cvm.world, fresh);
        PARTS[3].1(&mut cvm.world, fresh);
    })
    .judge();
    judged.leaves_open(CheckId::Collateral, "expired");
}

#[test]
fn t25_expired_collateral_excuses_no_forged_quote() {
    // Else a host that serves old collateral turns every `fail` into a harmless `error`.
    for lie in [
        Lie::BrokenSignature,
        Lie::BrokenQeSignature,
        Lie::ForeignAttestationKey,
        Lie::ForeignQe,
        Lie::RevokedPck,
        Lie::DebugTd,
        Lie::NoMatchingTcbLevel,
        Lie::RevokedTcb,
    ] {
        for seconds in [-3600, 3600] {
            let judged = Trial::lying(|cvm| {
                lie.apply(cvm);
                PARTS[3].1(&mut cvm.world, Window { from: -100, to: 100 });
            })
            .with(|trial| trial.at = trial.at.checked_add_signed(seconds).unwrap())
            .judge();
            judged.concludes(cvm_verify_core::report::Verdict::Fail);
            assert_eq!(
                judged.status(CheckId::QuoteSignature),
                Status::Fail,
                "{lie}\n{judged}"
            );
        }
    }
}

#[test]
fn t25_a_clock_before_the_programs_own_commit_is_an_error() {
    let at_floor = |before: u64| {
        Trial::healthy()
            .with(|trial| trial.clock_floor = trial.at + before)
            .judge()
    };
    at_floor(0).passes();
    at_floor(1).leaves_open(CheckId::Collateral, "clock");
    // What is refused without a clock stays refused.
    Trial::lying(|cvm| Lie::TrailingBytes.apply(cvm))
        .with(|trial| trial.clock_floor = trial.at + 1)
        .judge()
        .fails(CheckId::QuoteSignature, "trailing-bytes")
        .says(CheckId::Collateral, Status::Error, "clock");
}

#[test]
fn t25_the_end_of_time_is_expired_and_does_not_overflow() {
    for at in [u64::MAX, u64::MAX - 1, i64::MAX as u64] {
        Trial::healthy()
            .with(|trial| trial.at = at)
            .judge()
            .leaves_open(CheckId::Collateral, "expired");
    }
    Trial::healthy()
        .with(|trial| trial.at = 0)
        .judge()
        .leaves_open(CheckId::Collateral, "not-yet-valid");
}

#[test]
fn t25_a_warning_comes_14_days_before_the_first_end() {
    let fortnight = 14 * 86_400;
    // Healthy collateral ends 29 days from now.
    let end = World::default().now + 29 * 86_400;
    for (at, warns) in [(end - fortnight, false), (end - fortnight + 1, true)] {
        let judged = Trial::healthy().with(|trial| trial.at = at).judge();
        judged.passes();
        if warns {
            judged.says(CheckId::Collateral, Status::Warn, "ends-soon");
        } else {
            judged.proves(CheckId::Collateral);
        }
    }
}

#[test]
fn each_gap_has_a_reason_of_its_own() {
    let gaps = [
        UnusableCollateral::Missing,
        UnusableCollateral::Unreachable {
            problem: String::new(),
            servers: CollateralServers::Public,
        },
        UnusableCollateral::Expired { what: "", ended: 0 },
        UnusableCollateral::NotYetValid { what: "", begins: 0 },
        UnusableCollateral::Malformed {
            document: "",
            problem: String::new(),
        },
        UnusableCollateral::NotSignedByIntel {
            document: "",
            problem: String::new(),
        },
        UnusableCollateral::WrongPlatform {
            document: "",
            problem: String::new(),
        },
        UnusableCollateral::Clock { now: 0 },
        UnusableCollateral::TooOld { fetched: 0, at: 0 },
        UnusableCollateral::FetchedAhead { fetched: 1, at: 0 },
    ];
    let count = gaps.len();
    let reasons: std::collections::BTreeSet<_> = gaps
        .into_iter()
        .map(|gap| Trial::healthy().with(|trial| trial.collateral = Err(gap)).judge())
        .map(|judged| judged.check(CheckId::Collateral).reason.clone())
        .collect();
    assert_eq!(reasons.len(), count);
}

/// The healthy CVM with collateral that was fetched that many seconds before it was judged.
fn fetched_before(seconds: u64) -> Trial {
    Trial::healthy().with(|trial| trial.collateral_fetched_at = Some(trial.at - seconds))
}

const DAY: u64 = 24 * 60 * 60;

/// Collateral that is in date for weeks says nothing of what was revoked since it was fetched.
#[test]
fn collateral_that_was_fetched_long_ago_warns_after_a_day_and_proves_nothing_after_a_week() {
    for age in [0, DAY] {
        fetched_before(age).judge().passes().proves(CheckId::Collateral);
    }
    for age in [DAY + 1, 7 * DAY] {
        fetched_before(age)
            .judge()
            .passes()
            .says(CheckId::Collateral, Status::Warn, "not-refetched");
    }
    fetched_before(7 * DAY + 1)
        .judge()
        .leaves_open(CheckId::Collateral, "too-old");
    // Without a time of fetching, the dates alone are judged.
    Trial::healthy().judge().proves(CheckId::Collateral);
}

/// Whoever can write the file of a cache, or sets a clock, would hide what was revoked for as long as the dates allow.
#[test]
fn t25_collateral_that_was_fetched_in_the_future_has_no_age() {
    let ahead =
        |seconds: u64| Trial::healthy().with(|trial| trial.collateral_fetched_at = Some(trial.at + seconds));
    // Clocks of two machines differ.
    ahead(60).judge().passes().proves(CheckId::Collateral);
    for seconds in [61, 3600, 365 * DAY] {
        ahead(seconds)
            .judge()
            .leaves_open(CheckId::Collateral, "fetch-time-ahead");
        // A longer age that the user allows is an age.
        ahead(seconds)
            .with(|trial| trial.policy.collateral_max_age = "7d".parse().unwrap())
            .judge()
            .leaves_open(CheckId::Collateral, "fetch-time-ahead");
    }
    // What convicts is authentic, whenever it was fetched.
    ahead(3600)
        .with(|trial| trial.cvm.edit_quote(|quote| quote[60] ^= 1))
        .judge()
        .concludes(Verdict::Fail);
}

#[test]
fn another_age_can_be_asked_for_and_the_week_stays() {
    let judged = |age: u64, max: &str| {
        fetched_before(age)
            .with(|trial| trial.policy.collateral_max_age = max.parse().unwrap())
            .judge()
    };
    judged(3601, "1h")
        .passes()
        .says(CheckId::Collateral, Status::Warn, "not-refetched");
    judged(3 * DAY, "7d").passes().proves(CheckId::Collateral);
    judged(7 * DAY + 1, "7d").leaves_open(CheckId::Collateral, "too-old");
}

/// No newer set renews the machine's own certificate: that it was not fetched is not what to act on then.
#[test]
fn of_old_collateral_the_machines_certificate_is_named_where_it_ends_first() {
    for part in PARTS {
        let mut world = World::default();
        let soon = i64::try_from(DAY).unwrap();
        part.1(&mut world, Window { from: -100, to: soon });
        let judged = Trial::of(simulator::Cvm::healthy(&world))
            .with(|trial| trial.collateral_fetched_at = Some(trial.at - 2 * DAY))
            .judge();
        let reason = match part.0 {
            "PCK certificate" => "platform-certificate-ends-soon",
            _ => "not-refetched",
        };
        judged.passes().says(CheckId::Collateral, Status::Warn, reason);
    }
}

/// What is wrong with the quote itself is said although the collateral is too old.
#[test]
fn collateral_that_is_too_old_hides_no_lie_that_needs_none() {
    let judged = fetched_before(30 * DAY)
        .with(|trial| simulator::Lie::SgxQuote.apply(&mut trial.cvm))
        .judge();
    judged.fails(CheckId::QuoteSignature, "not-tdx");
}

#[test]
fn what_to_do_about_a_gap_depends_on_whose_server_was_asked() {
    let fix = |gap: UnusableCollateral| {
        let judged = Trial::healthy().with(|trial| trial.collateral = Err(gap)).judge();
        judged.check(CheckId::Collateral).fix.clone().unwrap()
    };
    for servers in [CollateralServers::Public, CollateralServers::Named] {
        let problem = || "status 502".to_owned();
        for gap in [
            UnusableCollateral::Unreachable {
                problem: problem(),
                servers,
            },
            UnusableCollateral::NotServed {
                problem: problem(),
                servers,
            },
        ] {
            let fix = fix(gap);
            let is_named = servers == CollateralServers::Named;
            assert_eq!(fix.contains("leave that option out"), is_named, "{fix}");
            assert_eq!(fix.to_lowercase().contains("name a pccs"), !is_named, "{fix}");
        }
    }
    let ended = |what| fix(UnusableCollateral::Expired { what, ended: 0 });
    assert!(!ended("PCK certificate").contains("--pccs-url"));
    assert!(ended("TCB info").contains("--pccs-url"));
}
