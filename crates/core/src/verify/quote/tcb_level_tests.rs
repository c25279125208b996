//! What a machine is said to be short of, and whose TDX module is refused.

use dcap_qvl::quote::Report;
use serde_json::{Value, json};
use simulator::{Cvm, World};

use super::super::layout::QuoteLayout;
use super::super::own_signatures::{self, SelfProven};
use super::*;
use crate::verify::TrustRoot;

fn proven(world: &World) -> SelfProven {
    let bytes = Cvm::healthy(world).quote_bytes("");
    let root = TrustRoot::custom(world.root_pem().as_bytes()).unwrap();
    own_signatures::check(&bytes, QuoteLayout::of(&bytes).unwrap(), &root).unwrap()
}

fn tcb_info(world: &World) -> TcbInfo {
    serde_json::from_str(&world.collateral().tcb_info).unwrap()
}

/// SGX components 1 and 6 of the healthy machine have the versions 4 and 1.
#[test]
fn below_every_level_the_nearest_and_the_best_are_named_once_each() {
    let of = |levels: &[(usize, u8)], names: Value| {
        let mut world = World::default();
        let healthy = world.tcb_info.levels[0].clone();
        let rows = [("UpToDate", "2025-08-13"), ("OutOfDate", "2025-05-14")];
        let rows = rows
            .iter()
            .zip(levels)
            .map(|((status, date), (component, needs))| {
                let mut level = healthy.clone();
                level.sgx[*component] = *needs;
                (level.status, level.date) = ((*status).to_owned(), format!("{date}T00:00:00Z"));
                level
            });
        world.tcb_info.levels = rows.collect();
        let own = proven(&world);
        let text = json!({"tcbLevels": [{"tcb": {"sgxtcbcomponents": names}}]}).to_string();
        let machine = own.machine.as_ref().unwrap();
        refused(&tcb_info(&world), &text, machine, &own.quote)
    };
    let one = "SGX component 1 has version 4 and needs 6 (level UpToDate of 2025-08-13)";
    let both = "SGX component 1 has version 4 and needs 6 (level OutOfDate of 2025-05-14); SGX component 6 has version 1 and needs 4 (level UpToDate of 2025-08-13)";
    let named = |name: &str| one.replace("component 1", &format!("component 1 ({name})"));
    for (levels, names, expected) in [
        (&[(0, 6)][..], json!([]), one.to_owned()),
        (&[(5, 4), (0, 6)], json!([]), both.to_owned()),
        (&[(0, 6)], json!([{}]), one.to_owned()),
        (
            &[(0, 6)],
            json!([{"category": "BIOS", "type": "Early"}]),
            named("BIOS, Early"),
        ),
        (&[(0, 6)], json!([{"type": "SINIT"}]), named("SINIT")),
    ] {
        let expected = Some(QuoteRefusal::NoMatchingTcbLevel(expected));
        assert_eq!(of(levels, names), expected);
    }
}

#[test]
fn an_up_to_date_machine_is_short_of_nothing() {
    let mut world = World::default();
    // Exactly what the newest level needs.
    world.qe_identity.enclave_isv_svn = world.qe_identity.levels[0].isv_svn;
    let (own, collateral) = (proven(&world), world.collateral());
    let machine = own.machine.as_ref().unwrap();
    let short = short_of_up_to_date(
        &collateral.tcb_info,
        &collateral.qe_identity,
        machine,
        &own.quote,
        &own.qe,
    );
    assert_eq!(short, []);
}

/// The identity of the module has a mask of the first byte of its attributes.
#[test]
fn a_module_is_intels_by_its_signer_and_by_each_bit_of_its_attributes() {
    let world = World::default();
    for (signer, attributes, mask, is_refused) in [
        (0, 0, "FF", false),
        (0, 0, "0F", false),
        (1, 0, "FF", true),
        (0, 1, "FF", true),
        (0, 1, "0F", true),
        (0, 0x10, "0F", true),
    ] {
        let mut quote = proven(&world).quote;
        let Report::TD10(report) = &mut quote.report else {
            panic!("a report of another version");
        };
        (report.mr_signer_seam[0], report.seam_attributes[0]) = (signer, attributes);
        let mut document = tcb_info(&world);
        for module in &mut document.tdx_module_identities {
            module.attributes_mask.replace_range(..2, mask);
        }
        let refusal = refused_module_identity(&document, &quote);
        assert_eq!(refusal.is_some(), is_refused, "{signer} {attributes} {mask}");
    }
}
