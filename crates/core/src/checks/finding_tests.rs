//! What each check says where its inputs differ a little: claims of a simulated CVM that are changed by hand.

mod app_and_instance;
mod collateral;
mod compose_document;
mod governance_without_contract;
mod gpus;
mod key_provider;
mod locked_compose;
mod phala_api;
mod platform;
mod report_data;
mod tcb_status;

use simulator::{Cvm, Lie, World};

use super::claims_for_tests::of;
use super::{Check, Finding};
use crate::policy::Policy;
use crate::report::{CheckId, Status};
use crate::verify::Claims;

/// What a check finds.
fn found(id: CheckId, claims: &Claims, policy: &Policy) -> Finding {
    (Check::of(id).run)(claims, policy)
}

/// Its outcome with the reason, and its sentence.
fn said(id: CheckId, claims: &Claims, policy: &Policy) -> ((Status, Option<&'static str>), String) {
    let finding = found(id, claims, policy);
    (
        (finding.status, finding.reason.map(|reason| reason.id)),
        finding.detail,
    )
}

/// What is proven of a CVM that tells this lie.
fn lying(lie: Lie) -> Claims {
    let mut cvm = Cvm::healthy(&World::default());
    lie.apply(&mut cvm);
    of(&cvm)
}
