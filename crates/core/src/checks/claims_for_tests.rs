//! Claims of simulated CVMs and made-up contracts, for the tests of checks.

use simulator::{Cvm, World};

use crate::evidence::Contracts;
use crate::policy::{Expected, GovernancePolicy, Origin, Policy};
use crate::reference::{OsClass, OsImageRow, ReferenceValues};
use crate::verify::Claims;
use crate::verify::chain::{
    AppContract, Block, Contract, Governance, Implementation, KmsContract, KmsInfo, NodeAnswer, Owner,
    OwnerKind, Unanswered,
};
use crate::verify::gpu::DeviceRoot;
use crate::verify::simulated_for_tests::{NONCE, evidence_of, proven};

/// The owner of each contract.
pub(super) const OWNER: [u8; 20] = [0x0f; 20];
/// The address of the KMS's contract.
pub(super) const KMS: [u8; 20] = [0x2f; 20];
/// The code of each contract, and of what stands behind it; SHA-256.
const CODE: [u8; 32] = [0xc0; 32];

/// What is proven of a CVM.
pub(crate) fn of(cvm: &Cvm) -> Claims {
    of_root(cvm, &DeviceRoot::Nvidia)
}

/// The same, with another root of its GPUs.
pub(super) fn of_root(cvm: &Cvm, devices: &DeviceRoot) -> Claims {
    let evidence = evidence_of(cvm, Some(&cvm.info_body()), Some(NONCE));
    let claims = proven(cvm, &evidence);
    claims.with_device_root(&evidence, devices)
}

/// Of a healthy CVM.
pub(crate) fn healthy() -> Claims {
    of(&Cvm::healthy(&World::default()))
}

/// Of a CVM whose quote shows the registers of an image of the table and this RTMR0. No log gives them.
pub(crate) fn of_image(row: &OsImageRow, rtmr0: [u8; 48]) -> Claims {
    let registers = row.registers.as_ref().unwrap();
    let mut cvm = Cvm::healthy(&World::default());
    cvm.forced.mr_td = Some(ReferenceValues::built_in().mrtds_of(row)[0]);
    cvm.forced.rtmr = [
        Some(rtmr0),
        Some(registers.rtmr1.0),
        Some(registers.rtmr2.0),
        None,
    ];
    of(&cvm)
}

/// A listed RTMR0.
pub(crate) fn listed_shape() -> [u8; 48] {
    ReferenceValues::built_in().shapes()[0].value.0
}

/// An image of the table that has registers, of a class, with or without a hole through which the host alone comes in.
pub(crate) fn listed_image(class: OsClass, has_hole: bool) -> &'static OsImageRow {
    let table = ReferenceValues::built_in();
    let is_wanted = |row: &&std::sync::Arc<OsImageRow>| {
        let holes = table.host_alone(row.version.as_ref());
        let is_known = row.registers.is_some() && !row.is_third_party();
        row.class == class && is_known && holes.is_empty() != has_hole
    };
    table.images().iter().find(is_wanted).unwrap()
}

/// A value that an option gives.
pub(crate) fn expected<T>(option: &'static str, value: T) -> Expected<T> {
    Expected {
        value,
        origin: Origin::Option(option),
    }
}

/// A contract that is pinned as a whole by [`policy`].
pub(super) fn contract(kind: NodeAnswer<OwnerKind>) -> Contract {
    Contract {
        code: CODE,
        delegates: true,
        implementation: Ok(Some(Implementation {
            address: [0x1a; 20],
            code: CODE,
        })),
        owner: Ok(Owner { address: OWNER, kind }),
        pending_owner: Ok(None),
    }
}

/// An app's contract that allows everything.
pub(super) fn app() -> AppContract {
    AppContract {
        contract: contract(Ok(OwnerKind::Contract)),
        is_app: Ok(true),
        has_epochs: Ok(false),
        compose_allowed: Ok(true),
        any_device: Ok(true),
        device_allowed: Ok(true),
        requires_tcb: Ok(false),
        upgrades_disabled: Ok(Some(false)),
    }
}

/// The contract of the KMS that the app of these claims has its keys of; it allows everything.
pub(super) fn kms(claims: &Claims) -> KmsContract {
    KmsContract {
        contract: contract(Ok(OwnerKind::Contract)),
        has_epochs: Ok(false),
        os_image_allowed: Some(Ok(true)),
        kms_allowed: Some(Ok(true)),
        live_builds: Vec::new(),
        info: Ok(KmsInfo {
            k256_public_key: Vec::new(),
            ca_public_key: hex::decode(&claims.boot.as_ref().unwrap().key_provider().id).unwrap(),
            quote: Vec::new(),
            event_log: Vec::new(),
        }),
        boot_allowed: Some(Ok((true, String::new()))),
    }
}

/// The contracts of the app of these claims and of its KMS.
pub(super) fn contracts(claims: &Claims) -> Contracts {
    Contracts {
        chain_id: 8453,
        app: *claims.boot.as_ref().unwrap().app_id(),
        kms: Some(KMS),
    }
}

/// What two nodes answer at a block that was made `age` seconds before the time of appraisal.
pub(super) fn chain(claims: &Claims, age: i64, kms: KmsContract) -> Governance {
    let block = Block {
        number: 77,
        hash: [0xbb; 32],
        timestamp: claims.at.checked_add_signed(-age).unwrap(),
    };
    Governance::made_up(contracts(claims), block, Ok(Some(app())), Some(Ok(Some(kms))))
}

/// A policy that names these contracts, their owner and their code.
pub(super) fn policy(claims: &Claims) -> Policy {
    let pin = crate::policy::ContractPin {
        owners: Some(expected("governance-app-owner", vec![OWNER])),
        code: Some(expected("governance-app-code", CODE)),
        implementation: None,
        implementation_code: Some(expected("governance-app-implementation-code", CODE)),
    };
    let named = contracts(claims);
    Policy {
        app_id: Some(expected("app-id", named.app)),
        governance: GovernancePolicy {
            chain_id: Some(expected("governance-chain-id", named.chain_id)),
            kms_contract: Some(expected("governance-kms-contract", KMS)),
            app: pin.clone(),
            kms: pin,
            ..GovernancePolicy::default()
        },
        ..Policy::default()
    }
}

/// No answer.
pub(super) fn unanswered<T>() -> NodeAnswer<T> {
    Err(Unanswered::NotRecorded)
}
