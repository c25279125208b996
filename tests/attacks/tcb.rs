//! The platform's patch level: T24, and the rollback part of T25.

use cvm_verify_core::policy::{ExceptionError, MAX_EXCEPTION_DAYS, TcbException};
use cvm_verify_core::report::{AcceptedKind, Assurance, CheckId, Status};
use cvm_verify_core::verify::built_in_eval_floor;
use simulator::world::TEE_TCB_SVN_OUT_OF_DATE;
use simulator::{Cvm, Lie, QuoteFormat, World};

use crate::judge::Trial;

/// 2026-10-01T12:00:00Z, the time of the default world.
const NOW: u64 = simulator::DEFAULT_NOW;

fn rated(status: &str, advisories: &[&str]) -> Trial {
    Trial::lying(|cvm| cvm.world.tcb_info.land_on(status, advisories))
}

fn excepting(trial: Trial, exceptions: &[&str]) -> Trial {
    trial.with(|trial| {
        trial.policy.tcb.exceptions = exceptions.iter().map(|text| text.parse().unwrap()).collect();
    })
}

/// A TD of 1.5 that was launched under an old module, which has been updated since.
fn relaunch(status: &str) -> Trial {
    rated(status, &[]).with(|trial| {
        trial.cvm.quote.format = QuoteFormat::V5Td15;
        trial.cvm.report.tee_tcb_svn = TEE_TCB_SVN_OUT_OF_DATE;
    })
}

#[test]
fn the_healthy_baseline_passes() {
    Trial::healthy().judge().passes().proves(CheckId::TcbStatus);
}

/// Every status that a quote can verify with, beside `UpToDate`.
fn statuses() -> Vec<(&'static str, Trial)> {
    let mut all: Vec<_> = [
        "OutOfDate",
        "OutOfDateConfigurationNeeded",
        "ConfigurationNeeded",
        "ConfigurationAndSWHardeningNeeded",
        "SWHardeningNeeded",
    ]
    .into_iter()
    .map(|status| (status, rated(status, &["INTEL-SA-00001"])))
    .collect();
    all.push(("TDRelaunchAdvised", relaunch("UpToDate")));
    all.push((
        "TDRelaunchAdvisedConfigurationNeeded",
        relaunch("ConfigurationNeeded"),
    ));
    all
}

#[test]
fn t24_every_status_but_up_to_date_fails() {
    for (status, trial) in statuses() {
        let judged = trial.judge();
        judged.fails(CheckId::TcbStatus, "not-up-to-date");
        judged.proves(CheckId::QuoteSignature);
        assert_eq!(judged.0.tcb.status.as_deref(), Some(status), "{judged}");
    }
    for lie in [
        Lie::OutOfDatePlatform,
        Lie::ConfigurationNeeded,
        Lie::SwHardeningNeeded,
        Lie::RelaunchAdvised,
    ] {
        Trial::lying(|cvm| lie.apply(cvm))
            .judge()
            .fails(CheckId::TcbStatus, "not-up-to-date");
    }
}

/// Another host helps against one status, and not against another.
#[test]
fn t24_each_status_says_what_helps_against_it() {
    for (exception, says) in [
        (None, "To continue until then"),
        (Some("2026-12-01"), "Before the exception ends: "),
        (Some("2026-09-01"), "renew the exception"),
    ] {
        let mut seen = std::collections::BTreeSet::new();
        for (status, trial) in statuses() {
            let helps = match status {
                "OutOfDate" => "edeploy on a patched host:",
                "OutOfDateConfigurationNeeded" => "patched and set up",
                "ConfigurationNeeded" => "it is patched, and nothing inside the VM helps",
                "ConfigurationAndSWHardeningNeeded" => "and redeploy with a newer OS image",
                "SWHardeningNeeded" => "another host does not help",
                "TDRelaunchAdvised" => "Restarting the containers is not enough",
                _ => "start it again on this host, whose TDX module",
            };
            let exception = exception.map(|day| format!("{status}:until={day}"));
            let given: Vec<&str> = exception.as_deref().into_iter().collect();
            let judged = excepting(trial, &given).judge();
            let check = judged.0.check(CheckId::TcbStatus).unwrap();
            let fix = check.fix.as_deref().unwrap_or_default();
            assert!(fix.contains(helps) && fix.contains(says), "{status}: {fix}");
            seen.insert(helps);
        }
        assert_eq!(seen.len(), 7);
    }
}

/// The user wrote an exception: it is named as the one that misses something, and nothing wider is advised.
#[test]
fn t24_an_exception_that_misses_an_advisory_is_named_with_what_it_misses() {
    let trial = || {
        rated(
            "OutOfDate",
            &["INTEL-SA-00001", "INTEL-SA-00002", "INTEL-SA-00003"],
        )
    };
    let judged = excepting(
        trial(),
        &[
            "OutOfDate:until=2026-12-01:advisories=INTEL-SA-00009",
            "OutOfDate:until=2026-12-01:advisories=INTEL-SA-00001",
        ],
    )
    .judge();
    judged.fails(CheckId::TcbStatus, "not-up-to-date");
    let check = judged.check(CheckId::TcbStatus);
    let lacks = "The exception of --accept-tcb does not cover INTEL-SA-00002, INTEL-SA-00003.";
    assert!(check.detail.contains(lacks), "{judged}");
    let fix = check.fix.as_deref().unwrap();
    assert!(fix.contains("`advisories=`") && !fix.contains(":until="), "{fix}");
    // One of another status has nothing to do with it.
    let judged = excepting(
        trial(),
        &["SWHardeningNeeded:until=2026-12-01:advisories=INTEL-SA-00001"],
    )
    .judge();
    let check = judged.check(CheckId::TcbStatus);
    assert!(!check.detail.contains("does not cover"), "{judged}");
    assert!(
        check
            .fix
            .as_deref()
            .unwrap()
            .contains("--accept-tcb OutOfDate:until=")
    );
}

#[test]
fn t24_an_out_of_date_module_or_quoting_enclave_counts() {
    let changes: [fn(&mut Cvm); 3] = [
        |cvm| cvm.report.tee_tcb_svn = TEE_TCB_SVN_OUT_OF_DATE,
        |cvm| cvm.world.qe_identity.enclave_isv_svn = 2,
        // Updated at launch, rolled back since.
        |cvm| {
            cvm.quote.format = QuoteFormat::V5Td15;
            cvm.report.tee_tcb_svn = TEE_TCB_SVN_OUT_OF_DATE;
            cvm.report.tee_tcb_svn2 = TEE_TCB_SVN_OUT_OF_DATE;
        },
    ];
    for change in changes {
        let judged = Trial::lying(change).judge();
        judged.fails(CheckId::TcbStatus, "not-up-to-date");
        assert_eq!(judged.0.tcb.status.as_deref(), Some("OutOfDate"), "{judged}");
    }
}

#[test]
fn t24_a_module_rolled_back_since_launch_is_not_up_to_date() {
    // The launch TCB is current, the TCB of now is not.
    let judged = Trial::lying(|cvm| {
        cvm.quote.format = QuoteFormat::V5Td15;
        cvm.report.tee_tcb_svn2 = TEE_TCB_SVN_OUT_OF_DATE;
    })
    .judge();
    judged.fails(CheckId::TcbStatus, "not-up-to-date");
}

/// Launched where software must mitigate, and rolled back to an older module since.
fn worse_now() -> Trial {
    rated("SWHardeningNeeded", &["INTEL-SA-00002"]).with(|trial| {
        trial.cvm.quote.format = QuoteFormat::V5Td15;
        trial.cvm.report.tee_tcb_svn2 = TEE_TCB_SVN_OUT_OF_DATE;
    })
}

#[test]
fn t24_an_exception_for_the_launch_does_not_hide_a_worse_rating_of_now() {
    let judged = worse_now().judge();
    judged.fails(CheckId::TcbStatus, "not-up-to-date");
    assert_eq!(judged.0.tcb.status.as_deref(), Some("OutOfDate"), "{judged}");
    let launch = "SWHardeningNeeded:until=2026-12-01";
    let now = "OutOfDate:until=2026-11-15";
    for one in [launch, now] {
        excepting(worse_now(), &[one])
            .judge()
            .fails(CheckId::TcbStatus, "not-up-to-date");
    }
    // An exception of each is needed, and each is named.
    let judged = excepting(worse_now(), &[launch, now]).judge();
    judged
        .says(CheckId::TcbStatus, Status::Warn, "accepted-exception")
        .passes();
    let accepted: Vec<_> = judged
        .0
        .accepted
        .iter()
        .filter(|one| one.check == CheckId::TcbStatus)
        .map(|one| (one.what, one.by.as_str(), one.until.as_deref()))
        .collect();
    assert_eq!(
        accepted,
        [
            (AcceptedKind::Tcb, "--accept-tcb", Some("2026-11-16T00:00:00Z")),
            (AcceptedKind::Tcb, "--accept-tcb", Some("2026-12-02T00:00:00Z")),
        ]
    );
    assert_eq!(judged.0.assurance, Assurance::None);
    // The first to end ends it.
    let ended = excepting(worse_now(), &[launch, "OutOfDate:until=2026-09-15"]).judge();
    ended.fails(CheckId::TcbStatus, "exception-ended");
    let check = ended
        .0
        .checks
        .iter()
        .find(|check| check.id == CheckId::TcbStatus)
        .unwrap();
    // The day as it was written.
    assert!(
        check
            .detail
            .contains("the exception of --accept-tcb ended with 2026-09-15."),
        "{}",
        check.detail
    );
}

#[test]
fn t24_revoked_fails_wherever_it_stands_and_cannot_be_excepted() {
    let changes: [fn(&mut Cvm); 4] = [
        |cvm| Lie::RevokedTcb.apply(cvm),
        |cvm| cvm.world.tcb_info.modules[1].levels[0].status = "Revoked".into(),
        |cvm| cvm.world.qe_identity.levels[0].status = "Revoked".into(),
        |cvm| {
            cvm.quote.format = QuoteFormat::V5Td15;
            cvm.report.tee_tcb_svn2 = TEE_TCB_SVN_OUT_OF_DATE;
            for level in &mut cvm.world.tcb_info.modules[1].levels[1..] {
                level.status = "Revoked".into();
            }
        },
    ];
    for change in changes {
        Trial::lying(change)
            .judge()
            .fails(CheckId::QuoteSignature, "revoked");
    }
    assert!(matches!(
        "Revoked:until=2026-10-20".parse::<TcbException>(),
        Err(ExceptionError::Status(_))
    ));
}

#[test]
fn t24_no_matching_level_fails_in_each_component() {
    let changes: [fn(&mut Cvm); 5] = [
        |cvm| Lie::NoMatchingTcbLevel.apply(cvm),
        |cvm| cvm.world.platform.pce_svn = 10,
        |cvm| cvm.report.tee_tcb_svn[2] = 0,
        |cvm| cvm.report.tee_tcb_svn[0] = 0,
        |cvm| {
            cvm.quote.format = QuoteFormat::V5Td15;
            cvm.report.tee_tcb_svn2[2] = 0;
        },
    ];
    for change in changes {
        Trial::lying(change)
            .judge()
            .fails(CheckId::QuoteSignature, "no-matching-tcb-level");
    }
}

#[test]
fn t24_a_status_that_nobody_knows_is_the_collaterals_fault() {
    for status in ["", "uptodate", "UpToDate ", "Fine", "TDRelaunchAdvised"] {
        rated(status, &[])
            .judge()
            .leaves_open(CheckId::Collateral, "malformed");
    }
}

#[test]
fn t24_an_advisory_beside_up_to_date_warns() {
    let judged = rated("UpToDate", &["INTEL-SA-00001"]).judge();
    judged.says(CheckId::TcbStatus, Status::Warn, "advisory").passes();
}

#[test]
fn t24_a_dated_exception_accepts_its_own_status_alone() {
    for (status, _) in statuses() {
        for (other, trial) in statuses() {
            let judged = excepting(trial, &[&format!("{status}:until=2026-10-20")]).judge();
            if status == other {
                judged.says(CheckId::TcbStatus, Status::Warn, "accepted-exception");
                judged.passes();
            } else {
                judged.fails(CheckId::TcbStatus, "not-up-to-date");
            }
        }
    }
}

#[test]
fn t24_an_exception_holds_to_the_end_of_its_day_and_then_no_more() {
    let end = 1_790_899_200; // 2026-10-02T00:00:00Z
    let judged = |at| {
        excepting(rated("OutOfDate", &[]), &["OutOfDate:until=2026-10-01"])
            .with(|trial| trial.at = at)
            .judge()
    };
    judged(end - 1).passes();
    judged(end).fails(CheckId::TcbStatus, "exception-ended");
    judged(end + 1).fails(CheckId::TcbStatus, "exception-ended");
}

#[test]
fn t24_an_exception_that_ends_within_14_days_says_so() {
    let end = 1_792_540_800; // 2026-10-21T00:00:00Z
    for (at, reason) in [
        (end - 14 * 86_400, "accepted-exception"),
        (end - 14 * 86_400 + 1, "exception-ends-soon"),
    ] {
        excepting(rated("OutOfDate", &[]), &["OutOfDate:until=2026-10-20"])
            .with(|trial| trial.at = at)
            .judge()
            .passes()
            .says(CheckId::TcbStatus, Status::Warn, reason);
    }
}

#[test]
fn t24_an_exception_with_advisories_covers_exactly_those() {
    let trial = || rated("OutOfDate", &["INTEL-SA-00001", "INTEL-SA-00002"]);
    let until = |advisories: &str| format!("OutOfDate:until=2026-10-20:advisories={advisories}");
    for covering in [
        "INTEL-SA-00001,INTEL-SA-00002",
        "INTEL-SA-00002, INTEL-SA-00001, INTEL-SA-00003",
    ] {
        excepting(trial(), &[&until(covering)]).judge().passes();
    }
    for short in [
        "INTEL-SA-00001",
        "INTEL-SA-0000",
        "intel-sa-00001,intel-sa-00002",
        "*",
    ] {
        excepting(trial(), &[&until(short)])
            .judge()
            .fails(CheckId::TcbStatus, "not-up-to-date");
    }
    // Two halves do not make a whole.
    let halves = [until("INTEL-SA-00001"), until("INTEL-SA-00002")];
    excepting(trial(), &[&halves[0], &halves[1]])
        .judge()
        .fails(CheckId::TcbStatus, "not-up-to-date");
}

#[test]
fn t24_an_exception_too_far_ahead_is_refused() {
    let day = 86_400;
    let exception: TcbException = "OutOfDate:until=2026-12-30".parse().unwrap();
    let last_noon = exception.ends - day / 2;
    assert_eq!(exception.check_end(last_noon - MAX_EXCEPTION_DAYS * day), Ok(()));
    assert!(matches!(
        exception.check_end(last_noon - (MAX_EXCEPTION_DAYS + 1) * day),
        Err(ExceptionError::TooFar(_))
    ));
    for text in [
        "OutOfDate",
        "UpToDate:until=2026-10-20",
        "OutOfDate:until=2026-13-01",
    ] {
        assert!(text.parse::<TcbException>().is_err(), "{text}");
    }
}

#[test]
fn t25_an_evaluation_data_number_below_the_users_minimum_is_never_a_pass_and_accuses_the_collateral() {
    let judged = |tcb_info, qe_identity, minimum| {
        Trial::lying(|cvm| {
            cvm.world.tcb_info.eval_data_number = tcb_info;
            cvm.world.qe_identity.eval_data_number = qe_identity;
        })
        .with(|trial| trial.policy.tcb.min_eval_data_number = minimum)
        .judge()
    };
    judged(20, 20, Some(20)).passes();
    // The lower of the two counts.
    for (tcb_info, qe_identity) in [(20, 20), (21, 20), (20, 21)] {
        judged(tcb_info, qe_identity, Some(21)).leaves_open(CheckId::TcbStatus, "eval-data-number-too-low");
    }
    // A minimum of the user's does not lower the built-in floor.
    judged(15, 20, Some(1)).leaves_open(CheckId::TcbStatus, "eval-data-number-too-low");
    judged(20, 15, None).leaves_open(CheckId::TcbStatus, "eval-data-number-too-low");
    Trial::lying(|cvm| Lie::OldTcbInfo.apply(cvm))
        .judge()
        .leaves_open(CheckId::TcbStatus, "eval-data-number-too-low")
        .leaves_open(CheckId::Collateral, "old-set");
}

#[test]
fn t25_the_built_in_floor_rises_on_its_dates() {
    let november_8 = 1_794_096_000;
    assert_eq!(built_in_eval_floor(november_8 - 1), 19);
    assert_eq!(built_in_eval_floor(november_8), 20);
    for (at, passes) in [(november_8 - 1, true), (november_8, false)] {
        let mut cvm = Cvm::healthy(&World::new(1, at));
        cvm.world.tcb_info.eval_data_number = 19;
        let judged = Trial::of(cvm).judge();
        if passes {
            judged.passes();
        } else {
            judged.leaves_open(CheckId::TcbStatus, "eval-data-number-too-low");
        }
    }
}

#[test]
fn t25_an_exception_does_not_lower_the_floor() {
    let trial = rated("OutOfDate", &[]).with(|trial| {
        trial.cvm.world.tcb_info.eval_data_number = built_in_eval_floor(NOW) - 1;
    });
    excepting(trial, &["OutOfDate:until=2026-10-20"])
        .judge()
        .leaves_open(CheckId::TcbStatus, "eval-data-number-too-low");
}
