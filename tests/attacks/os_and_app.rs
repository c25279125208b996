//! The OS image: T30 to T34. (The compose file, T38, has a module of its own.)

mod in_writing;

use cvm_verify_core::policy::{OsImagePolicy, OsTuple, VulnerableAcceptance};
use cvm_verify_core::reference::{OsClass, OsImageRow, ReferenceValues};
use cvm_verify_core::report::{Assurance, CheckId, Status, Verdict};
use simulator::{Cvm, Guest, Lie, Nested, World};

use crate::judge::{Judged, Trial, os_image, registers};

/// The built-in reference values.
struct Table(&'static ReferenceValues);

impl Table {
    fn read() -> Self {
        Self(ReferenceValues::built_in())
    }

    /// The registers of a row with the first listed RTMR0.
    fn tuple(&self, row: &OsImageRow) -> OsTuple {
        let registers = row.registers.as_ref().unwrap();
        OsTuple {
            mrtd: self.0.mrtds_of(row)[0],
            rtmr: [self.0.shapes()[0].value.0, registers.rtmr1.0, registers.rtmr2.0],
        }
    }

    fn row(&self, name: &str) -> &'static OsImageRow {
        self.0
            .images()
            .iter()
            .find(|row| row.name.as_str() == name)
            .unwrap()
    }

    fn hash(&self, name: &str) -> String {
        self.row(name).os_image_hash.unwrap().to_string()
    }
}

/// A quote that shows these registers. No log gives real ones, so that `event-log` fails beside whatever `os-image`
/// says.
fn showing(tuple: &OsTuple, policy: OsImagePolicy) -> Judged {
    showing_of(tuple, policy, ReferenceValues::clone(ReferenceValues::built_in()))
}

fn showing_of(tuple: &OsTuple, policy: OsImagePolicy, reference: ReferenceValues) -> Judged {
    let mut trial = Trial::healthy();
    show(&mut trial, tuple);
    trial.policy.os_image = policy;
    trial.policy.reference = reference.into();
    trial.judge()
}

fn show(trial: &mut Trial, tuple: &OsTuple) {
    trial.cvm.forced.mr_td = Some(tuple.mrtd);
    let [rtmr0, rtmr1, rtmr2] = tuple.rtmr.map(Some);
    trial.cvm.forced.rtmr = [rtmr0, rtmr1, rtmr2, None];
}

#[test]
fn the_healthy_baseline_passes() {
    let judged = Trial::healthy().judge();
    judged.passes().proves(CheckId::OsImage);
    assert_eq!(judged.0.assurance, Assurance::CODE);
}

#[test]
fn t30_each_mutated_register_fails_os_image() {
    let honest = registers(&Trial::healthy().cvm);
    for bit in [0, 7, 200, 383] {
        let flip = |register: &[u8; 48]| {
            let mut flipped = *register;
            flipped[bit / 8] ^= 1 << (bit % 8);
            flipped
        };
        let judged = Trial::lying(|cvm| cvm.forced.mr_td = Some(flip(&honest.mrtd))).judge();
        judged.fails(CheckId::OsImage, "register-mismatch");
        // MRTD is in no log: nothing else notices.
        judged.proves(CheckId::EventLog);
        for (imr, register) in honest.rtmr.iter().enumerate() {
            Trial::lying(|cvm| cvm.forced.rtmr[imr] = Some(flip(register)))
                .judge()
                .fails(CheckId::OsImage, "register-mismatch")
                .fails(CheckId::EventLog, "rtmr-mismatch");
        }
        let rtmr3 = Trial::healthy().cvm.td_report([0; 64]).rtmr[3];
        Trial::lying(|cvm| cvm.forced.rtmr[3] = Some(flip(&rtmr3)))
            .judge()
            .fails(CheckId::EventLog, "rtmr-mismatch");
    }
}

#[test]
fn t30_another_os_that_records_the_expected_claims_fails_os_image() {
    // Everything else is right, logs included: any OS can write any label.
    for change in [
        (|cvm: &mut Cvm| cvm.boot.os_image = "an operator's own".into()) as fn(&mut Cvm),
        |cvm| cvm.boot.memory_size = 4 << 30,
        |cvm| cvm.boot.hardware = "128 vCPU".into(),
        |cvm| Lie::DevelopmentImage.apply(cvm),
    ] {
        let judged = Trial::lying(change).judge();
        judged.fails(CheckId::OsImage, "register-mismatch");
        judged.proves(CheckId::EventLog).proves(CheckId::ComposeHash);
    }
}

#[test]
fn t30_without_a_reference_the_verdict_is_inconclusive() {
    let judged = Trial::healthy()
        .with(|trial| trial.policy.os_image = OsImagePolicy::Known)
        .judge();
    judged.says(CheckId::OsImage, Status::Skip, "no-reference");
    judged.concludes(Verdict::Inconclusive);
    assert_eq!(judged.0.assurance, Assurance::Hardware);
}

#[test]
fn t30_unchecked_passes_but_is_named_and_keeps_the_assurance_low() {
    let judged = Trial::lying(|cvm| Lie::DevelopmentImage.apply(cvm))
        .with(|trial| trial.policy.os_image = os_image("unchecked"))
        .judge();
    judged.passes();
    assert_eq!(judged.0.waived, [CheckId::OsImage]);
    assert_eq!(judged.0.assurance, Assurance::Hardware);
}

#[test]
fn t31_good_registers_in_the_info_do_not_help_a_bad_quote() {
    let judged = Trial::lying(|cvm| Lie::LyingTcbInfo.apply(cvm)).judge();
    judged.fails(CheckId::OsImage, "register-mismatch");
    judged.says(CheckId::Evidence, Status::Error, "two-instances");
    let shown = judged.0.measurements.mrtd.clone();
    let honest = registers(&Trial::healthy().cvm);
    assert_ne!(shown, Some(hex::encode(honest.mrtd).into()));
}

#[test]
fn t31_bad_registers_in_the_info_beside_a_good_quote_are_another_instance() {
    for name in ["mrtd", "rtmr0", "rtmr1", "rtmr2"] {
        Trial::lying(|cvm| {
            cvm.body.tcb_info = Nested::Object;
            cvm.body
                .edit_info(move |info| info["tcb_info"][name] = "66".repeat(48).into());
        })
        .judge()
        .leaves_open(CheckId::Evidence, "two-instances");
    }
    Trial::lying(|cvm| {
        cvm.body
            .edit_info(|info| info["instance_id"] = "66".repeat(20).into());
    })
    .judge()
    .leaves_open(CheckId::Evidence, "two-instances");
}

#[test]
fn t32_the_os_image_hash_of_vm_config_is_never_believed() {
    // The hash of a production image, where the host writes it; the registers are of an unknown one.
    let known = Table::read().hash("dstack-0.5.8");
    let claim = move |body: &mut serde_json::Value| {
        body["os_image_hash"] = known.clone().into();
        body["vm_config"] = format!(r#"{{"os_image_hash":"{known}","image":"dstack-0.5.8"}}"#).into();
    };
    let also = claim.clone();
    let judged = Trial::lying(|cvm| {
        cvm.body.edit_attestation(claim);
        cvm.body.edit_info(also);
    })
    .with(|trial| trial.policy.os_image = OsImagePolicy::Known)
    .judge();
    judged.says(CheckId::OsImage, Status::Skip, "no-reference");
    judged.concludes(Verdict::Inconclusive);
    assert_eq!(judged.0.measurements.os_image, None);
    let fix = judged.check(CheckId::OsImage).fix.as_deref().unwrap();
    assert!(
        fix.starts_with("The host says that it is dstack-0.5.8, which proves nothing by itself."),
        "{fix}"
    );
}

#[test]
fn t32_the_measured_os_image_hash_event_is_never_believed() {
    // The guest itself extends the hash of a production image: that proves nothing of what booted.
    let known = Table::read().hash("dstack-0.5.8");
    let judged = Trial::lying(|cvm| {
        cvm.edit_log_before_quote(move |log| {
            let event = log
                .iter_mut()
                .find(|event| event.event == "os-image-hash")
                .unwrap();
            *event = simulator::Event::runtime("os-image-hash", &hex::decode(&known).unwrap());
        });
    })
    .with(|trial| trial.policy.os_image = OsImagePolicy::Known)
    .judge();
    judged.says(CheckId::OsImage, Status::Skip, "no-reference");
    judged.concludes(Verdict::Inconclusive);
}

#[test]
fn t32_a_manifest_with_a_line_too_many_gives_no_reference() {
    let trial =
        Trial::of(Cvm::lite(&World::default())).with(|trial| trial.policy.os_image = OsImagePolicy::Known);
    let appended = trial.with(|trial| Lie::AppendedManifestLine.apply(&mut trial.cvm));
    let judged = appended.judge();
    judged.says(CheckId::OsImage, Status::Skip, "no-reference");
    judged.concludes(Verdict::Inconclusive);
}

#[test]
fn t33_altered_acpi_tables_fail_an_exact_reference() {
    for guest in Guest::ALL {
        let trial = Trial::of(Cvm::of_generation(&World::default(), guest));
        let judged = trial
            .with(|trial| Lie::AlteredAcpiTables.apply(&mut trial.cvm))
            .judge();
        judged.fails(CheckId::OsImage, "register-mismatch");
        assert!(judged.detail(CheckId::OsImage).starts_with("RTMR0 "), "{judged}");
        // The host's digest replays, as the host's digests do.
        judged.proves(CheckId::EventLog);
    }
}

#[test]
fn t33_a_known_image_with_unknown_acpi_tables_does_not_meet_code() {
    let table = Table::read();
    let mut tuple = table.tuple(table.row("dstack-0.5.8"));
    showing(&tuple, OsImagePolicy::Known).says(CheckId::OsImage, Status::Warn, "advisory");
    tuple.rtmr[0][0] ^= 1;
    assert_eq!(table.0.shape_of(&tuple.rtmr[0]), None);
    let judged = showing(&tuple, OsImagePolicy::Known);
    judged.says(CheckId::OsImage, Status::Warn, "acpi-unverified");
    assert_ne!(judged.0.assurance, Assurance::CODE);
    judged.concludes(Verdict::Fail);
}

#[test]
fn t34_each_row_of_the_table_is_judged_by_its_class() {
    let table = Table::read();
    let mut judged_rows = 0;
    for row in table.0.images().iter().filter(|row| row.registers.is_some()) {
        judged_rows += 1;
        let tuple = table.tuple(row);
        let judged = showing(&tuple, OsImagePolicy::Known);
        match row.class {
            // A hole wins over every class.
            _ if !table.0.host_alone(row.version.as_ref()).is_empty() => {
                judged.says(CheckId::OsImage, Status::Fail, "vulnerable-image")
            }
            OsClass::Development => judged.says(CheckId::OsImage, Status::Fail, "development-image"),
            OsClass::Observed | OsClass::Prerelease => {
                judged.says(CheckId::OsImage, Status::Skip, "no-reference")
            }
            OsClass::Production if row.is_third_party() => {
                judged.says(CheckId::OsImage, Status::Skip, "no-reference")
            }
            OsClass::Production if !table.0.advisories_of(row.version.as_ref()).is_empty() => {
                judged.says(CheckId::OsImage, Status::Warn, "advisory")
            }
            OsClass::Production => judged.proves(CheckId::OsImage),
        };
    }
    assert!(judged_rows >= 20, "{judged_rows}");
}

/// A production image that only the table of one third party has, and that no advisory concerns, is not accepted silently.
#[test]
fn t34_registers_that_one_third_party_read_are_named_and_are_not_enough() {
    let text = "updated = \"2026-11-25\"\n[[firmware]]\nname = \"f\"\nmrtd = \"MRTD\"\nnote = \"n\"\nsource = \"s\"\ndate = \"2026-11-25\"\n\
                [[image]]\nname = \"dstack-0.7.0\"\nversion = \"0.7.0\"\nclass = \"production\"\nos_image_hash = \"HASH\"\nfirmware = \"f\"\n\
                rtmr1 = \"MRTD\"\nrtmr2 = \"MRTD\"\nregisters = \"third-party\"\nsource = \"somebody's page\"\ndate = \"2026-11-25\"\n"
        .replace("MRTD", &"5a".repeat(48))
        .replace("HASH", &"5a".repeat(32));
    let reference = ReferenceValues::built_in()
        .with_file("x", text.as_bytes())
        .unwrap();
    let tuple = OsTuple {
        mrtd: [0x5a; 48],
        rtmr: [reference.shapes()[0].value.0, [0x5a; 48], [0x5a; 48]],
    };
    let judged = showing_of(&tuple, OsImagePolicy::Known, reference);
    judged.says(CheckId::OsImage, Status::Skip, "no-reference");
    let detail = judged.detail(CheckId::OsImage);
    assert!(
        detail.contains("dstack-0.7.0") && detail.contains("somebody's page"),
        "{detail}"
    );
}

/// The warning is dated, says what an attacker gains, and names the lowest version of the line to upgrade to.
#[test]
fn an_image_with_milder_advisories_is_accepted_with_a_dated_warning() {
    let table = Table::read();
    for (name, fixed) in [("dstack-0.5.9", "0.5.13"), ("dstack-nvidia-0.5.5", "0.5.13")] {
        let tuple = table.tuple(table.row(name));
        for policy in [OsImagePolicy::Known, OsImagePolicy::Tuple(tuple.clone())] {
            let judged = showing(&tuple, policy);
            judged.says(CheckId::OsImage, Status::Warn, "advisory");
            let detail = judged.detail(CheckId::OsImage);
            for part in [
                "as of 2026-11-25",
                "a host could have stood in for the KMS (#1522); 0.5.13 closes it",
                "needs more than the host",
            ] {
                assert!(detail.contains(part), "{part}: {detail}");
            }
            let fix = judged.check(CheckId::OsImage).fix.clone().unwrap();
            assert_eq!(fix, format!("Upgrade the OS image to dstack {fixed} or later."));
        }
    }
    let judged = showing(&table.tuple(table.row("dstack-0.6.0")), OsImagePolicy::Known);
    judged.fails(CheckId::OsImage, "vulnerable-image");
    let fix = judged.check(CheckId::OsImage).fix.clone().unwrap();
    assert!(
        fix.starts_with("Upgrade the OS image to dstack 0.6.3 or later."),
        "{fix}"
    );
    assert!(judged.detail(CheckId::OsImage).contains("GHSA-c79w-3x5w-gmm5"));
}

/// QEMU 10.2 and later leave another kernel header: RTMR1 of an image that is not normalised differs. Nobody is accused.
#[test]
fn another_rtmr1_of_a_known_image_is_explained_and_accuses_nobody() {
    let table = Table::read();
    let mut tuple = table.tuple(table.row("dstack-0.5.9"));
    tuple.rtmr[1] = [0x5a; 48];
    let judged = showing(&tuple, OsImagePolicy::Known);
    judged.says(CheckId::OsImage, Status::Skip, "no-reference");
    let detail = judged.detail(CheckId::OsImage);
    assert!(
        detail.contains("dstack-0.5.9") && detail.contains("QEMU 10.2"),
        "{detail}"
    );
}

/// The time of appraisal, half a year after the table was made.
#[test]
fn old_reference_values_are_a_harmless_note() {
    let text = "updated = \"2020-01-01\"\n[[firmware]]\nname = \"f\"\nmrtd = \"MRTD\"\nnote = \"n\"\nsource = \"s\"\ndate = \"2026-11-25\"\n\
                [[image]]\nname = \"dstack-0.7.0\"\nversion = \"0.7.0\"\nclass = \"production\"\nos_image_hash = \"HASH\"\nfirmware = \"f\"\n\
                rtmr1 = \"MRTD\"\nrtmr2 = \"MRTD\"\nsource = \"s\"\ndate = \"2026-11-25\"\n"
        .replace("MRTD", &"5a".repeat(48))
        .replace("HASH", &"5a".repeat(32));
    let reference = ReferenceValues::built_in()
        .with_file("x", text.as_bytes())
        .unwrap();
    let updated = reference
        .updated()
        .and_time(chrono::NaiveTime::MIN)
        .and_utc()
        .timestamp() as u64;
    let tuple = OsTuple {
        mrtd: [0x5a; 48],
        rtmr: [reference.shapes()[0].value.0, [0x5a; 48], [0x5a; 48]],
    };
    for (days, status) in [(180, Status::Pass), (181, Status::Warn)] {
        let world = World {
            now: updated + days * 86_400,
            ..World::default()
        };
        let mut trial = Trial::of(Cvm::healthy(&world));
        show(&mut trial, &tuple);
        trial.policy.os_image = OsImagePolicy::Known;
        trial.policy.reference = reference.clone().into();
        let judged = trial.judge();
        assert_eq!(
            judged.check(CheckId::OsImage).status,
            status,
            "{days} days: {judged}"
        );
        if status == Status::Warn {
            judged.says(CheckId::OsImage, Status::Warn, "old-reference-values");
        }
    }
}

/// Hosts that upgrade to 0.6 change RTMR0 of every VM. It stays a failure, and is explained only where the value is known.
fn in_lock(tuple: &OsTuple) -> OsImagePolicy {
    OsImagePolicy::Lock {
        tuple: tuple.clone(),
        vulnerable: None,
        known_by: None,
        acpi_change: None,
        accepts_development: false,
        lock: "cvm.lock".into(),
    }
}

#[test]
fn another_rtmr0_is_told_as_an_upgrade_only_where_the_value_is_of_a_listed_shape() {
    let table = Table::read();
    let locked = table.tuple(table.row("dstack-0.5.9"));
    let policy = in_lock;
    let mut listed = locked.clone();
    listed.rtmr[0] = table.0.shapes()[1].value.0;
    let mut other = locked.clone();
    other.rtmr[0] = [0x5a; 48];
    let judged = showing(&listed, policy(&locked));
    judged.fails(CheckId::OsImage, "register-mismatch");
    let detail = judged.detail(CheckId::OsImage).to_owned();
    assert!(
        detail.contains("listed VM shape") && detail.contains("its host was upgraded"),
        "{detail}"
    );
    let judged = showing(&other, policy(&locked));
    judged.fails(CheckId::OsImage, "register-mismatch");
    let detail = judged.detail(CheckId::OsImage).to_owned();
    assert!(detail.contains("look alike"), "{detail}");
    assert!(!detail.contains("listed VM shape"), "{detail}");
    let fix = judged.check(CheckId::OsImage).fix.clone().unwrap();
    assert!(
        fix.contains("--accept acpi-change") && fix.contains("operator"),
        "{fix}"
    );
    // With another register beside it, it is no upgrade of the host.
    other.rtmr[2] = [0x5a; 48];
    let judged = showing(&other, policy(&locked));
    assert!(!judged.detail(CheckId::OsImage).contains("look alike"));
}

#[test]
fn t34_the_registers_of_two_images_do_not_mix() {
    let table = Table::read();
    let production = table.tuple(table.row("dstack-0.5.8"));
    let development = table.tuple(table.row("dstack-dev-0.5.9"));
    let old_firmware = table.tuple(table.row("unnamed image of about 0.4.0"));
    for mixed in [
        OsTuple {
            rtmr: [production.rtmr[0], development.rtmr[1], production.rtmr[2]],
            ..production.clone()
        },
        OsTuple {
            rtmr: [production.rtmr[0], production.rtmr[1], development.rtmr[2]],
            ..production.clone()
        },
        OsTuple {
            mrtd: old_firmware.mrtd,
            ..production.clone()
        },
    ] {
        showing(&mixed, OsImagePolicy::Known).says(CheckId::OsImage, Status::Skip, "no-reference");
    }
}
