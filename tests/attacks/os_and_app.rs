//! The OS image: T30 to T34. (The compose file, T38, has a module of its own.)

use cvm_verify::config::{OsImagePolicy, OsTuple};
use cvm_verify::prove::listed_rtmr0;
use cvm_verify::report::{Assurance, CheckId, Status, Verdict};
use serde::Deserialize;
use simulator::{Cvm, Guest, Lie, Nested, World};

use crate::judge::{Judged, Trial, os_image, registers};

/// The rows of the built-in table, with the registers that its types keep to themselves.
#[derive(Deserialize)]
struct Table {
    firmware: Vec<Firmware>,
    image: Vec<Row>,
    rtmr0: Vec<Rtmr0>,
}

#[derive(Deserialize)]
struct Firmware {
    name: String,
    mrtd: String,
}

#[derive(Deserialize)]
struct Row {
    name: String,
    class: String,
    os_image_hash: Option<String>,
    firmware: String,
    rtmr1: String,
    rtmr2: String,
    #[serde(default)]
    vulnerabilities: Vec<String>,
}

#[derive(Deserialize)]
struct Rtmr0 {
    value: String,
}

impl Table {
    fn read() -> Self {
        toml::from_str(include_str!("../../src/prove/os_image/os-images.toml")).unwrap()
    }

    /// The registers of a row with the first listed RTMR0.
    fn tuple(&self, row: &Row) -> OsTuple {
        let firmware = self
            .firmware
            .iter()
            .find(|firmware| firmware.name == row.firmware);
        OsTuple {
            mrtd: register(&firmware.unwrap().mrtd),
            rtmr: [
                register(&self.rtmr0[0].value),
                register(&row.rtmr1),
                register(&row.rtmr2),
            ],
        }
    }

    fn row(&self, name: &str) -> &Row {
        self.image.iter().find(|row| row.name == name).unwrap()
    }
}

fn register(hex: &str) -> [u8; 48] {
    hex::decode(hex).unwrap().try_into().unwrap()
}

/// A quote that shows these registers. No log gives real ones, so that `event-log` fails beside whatever `os-image`
/// says.
fn showing(tuple: &OsTuple, policy: OsImagePolicy) -> Judged {
    Trial::lying(|cvm| {
        cvm.forced.mr_td = Some(tuple.mrtd);
        let [rtmr0, rtmr1, rtmr2] = tuple.rtmr.map(Some);
        cvm.forced.rtmr = [rtmr0, rtmr1, rtmr2, None];
    })
    .with(|trial| trial.policy.os_image = policy)
    .judge()
}

#[test]
fn the_healthy_baseline_passes() {
    let judged = Trial::healthy().judge();
    judged.passes().proves(CheckId::OsImage);
    assert_eq!(judged.0.assurance, Assurance::Code);
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
    assert_ne!(shown, Some(hex::encode(honest.mrtd)));
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
    let known = Table::read().row("dstack-0.5.8").os_image_hash.clone().unwrap();
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
}

#[test]
fn t32_the_measured_os_image_hash_event_is_never_believed() {
    // The guest itself extends the hash of a production image: that proves nothing of what booted.
    let known = Table::read().row("dstack-0.5.8").os_image_hash.clone().unwrap();
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
    showing(&tuple, OsImagePolicy::Known).proves(CheckId::OsImage);
    tuple.rtmr[0][0] ^= 1;
    assert_eq!(listed_rtmr0(&tuple.rtmr[0]), None);
    let judged = showing(&tuple, OsImagePolicy::Known);
    judged.says(CheckId::OsImage, Status::Warn, "acpi-unverified");
    assert_ne!(judged.0.assurance, Assurance::Code);
    judged.concludes(Verdict::Fail);
}

#[test]
fn t34_each_row_of_the_table_is_judged_by_its_class() {
    let table = Table::read();
    for row in &table.image {
        let tuple = table.tuple(row);
        let judged = showing(&tuple, OsImagePolicy::Known);
        match row.class.as_str() {
            "development" => judged.says(CheckId::OsImage, Status::Fail, "development-image"),
            "observed" => judged.says(CheckId::OsImage, Status::Skip, "no-reference"),
            _ if !row.vulnerabilities.is_empty() => {
                judged.says(CheckId::OsImage, Status::Fail, "vulnerable-image")
            }
            _ => judged.proves(CheckId::OsImage),
        };
    }
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

#[test]
fn t34_a_development_image_is_accepted_only_as_exact_registers() {
    let table = Table::read();
    let row = table.row("dstack-dev-0.5.8");
    let tuple = table.tuple(row);
    showing(&tuple, OsImagePolicy::Tuple(tuple.clone())).proves(CheckId::OsImage);
    let by_hash = cvm_verify::config::parse_os_image(row.os_image_hash.as_ref().unwrap());
    assert!(by_hash.is_err());
    // A production row, by its hash, while the development image runs.
    let production = table.row("dstack-0.5.8").os_image_hash.clone().unwrap();
    showing(&tuple, os_image(&production)).says(CheckId::OsImage, Status::Fail, "register-mismatch");
}

#[test]
fn t34_a_vulnerable_image_is_accepted_only_by_a_lock_with_an_end_date() {
    let table = Table::read();
    let row = table.row("dstack-0.5.3");
    let tuple = table.tuple(row);
    let now = World::default().now;
    let locked = |vulnerable_until| OsImagePolicy::Lock {
        tuple: tuple.clone(),
        vulnerable_until,
        lock: "cvm.lock".to_owned(),
    };
    for policy in [
        OsImagePolicy::Tuple(tuple.clone()),
        os_image(row.os_image_hash.as_ref().unwrap()),
        locked(None),
        locked(Some(now)),
    ] {
        showing(&tuple, policy).says(CheckId::OsImage, Status::Fail, "vulnerable-image");
    }
    let fortnight = 14 * 86_400;
    for (until, reason) in [
        (now + 1, "image-exception-ends-soon"),
        (now + fortnight - 1, "image-exception-ends-soon"),
        (now + fortnight, "vulnerable-image"),
    ] {
        showing(&tuple, locked(Some(until))).says(CheckId::OsImage, Status::Warn, reason);
    }
}
