//! The contract of the KMS: the OS image and the KMS build that it allows, its owner, its code, and whose KMS it governs.

use super::answer::{is_required, not_allowed};
use super::contract;
use super::reasons::{
    BOOT_CHECK, KMS_CONTRACT_DIFFERS, KMS_INFO, KMS_NOT_ALLOWED, KMS_NOT_LINKED, OS_NOT_ALLOWED,
    OS_NOT_ASKED, UNSUPPORTED,
};
use crate::checks::judgement::Judgement;
use crate::checks::{named_os_image, own_reference_values};
use crate::policy::Policy;
use crate::reference::GovernedBy;
use crate::verify::chain::{KmsContract, address_text};
use crate::verify::{BootClaims, Claims};

/// Characters of a contract's own words that are shown.
const MAX_WORDS: usize = 120;

/// Checks what the KMS contract allows, its owner and its code.
pub(super) fn judge(
    judgement: &mut Judgement,
    kms: &KmsContract,
    claims: &Claims,
    boot: &BootClaims,
    policy: &Policy,
) {
    if let Some(answer) = &kms.boot_allowed
        && let Some((false, words)) = judgement.answer(answer, "isAppAllowed")
    {
        let words: String = words.chars().take(MAX_WORDS).collect();
        judgement.open(
            is_required(policy),
            &BOOT_CHECK,
            format!("The KMS's contract would refuse this boot: {words:?}."),
        );
    }
    let has_epochs = judgement.answer(&kms.has_epochs, "supportsInterface of the KMS's contract");
    if has_epochs == Some(&true) {
        let detail = "The KMS's contract decides by epochs; what it allows is read only for epoch 0.";
        judgement.open(is_required(policy), &UNSUPPORTED, detail.to_owned());
    }
    match &kms.os_image_allowed {
        None => judgement.open(
            is_required(policy),
            &OS_NOT_ASKED,
            "The OS image has no known hash and was not asked about.".to_owned(),
        ),
        Some(answer) => {
            if judgement.answer(answer, "allowedOsImages") == Some(&false) {
                let what = "The KMS's contract does not allow the OS image";
                match is_vouched_for(claims, policy) {
                    true => not_allowed(judgement, &OS_NOT_ALLOWED, what, has_epochs),
                    false => judgement.error(
                        &OS_NOT_ALLOWED,
                        format!("{what} of the guest's measurement document. Nobody signed the document, and no row and no expectation names its hash."),
                    ),
                }
            }
        }
    }
    if let (Some(answer), Some(build)) = (&kms.kms_allowed, boot.mr_kms())
        && judgement.answer(answer, "kmsAllowedAggregatedMrs") == Some(&false)
    {
        let what = format!(
            "The KMS's contract does not allow the KMS build {} (mr-kms)",
            hex::encode(build)
        );
        not_allowed(judgement, &KMS_NOT_ALLOWED, &what, has_epochs);
    }
    contract::judge(
        judgement,
        "the KMS's contract",
        &kms.contract,
        &policy.governance.kms,
    );
}

/// Whether a row or the user says which hash the OS image has. The measurement document alone proves none: anyone who relays the
/// evidence can make one for any hash.
fn is_vouched_for(claims: &Claims, policy: &Policy) -> bool {
    let reference = &policy.reference;
    let os = claims.os(reference);
    let documented = claims.shown_document.booted_image();
    os.is_some_and(|os| os.row().os_image_hash.is_some())
        || named_os_image(claims, policy).is_some()
        || documented.is_some_and(|hash| reference.image_by_hash(hash).is_some())
}

/// Whether the contract at `named` (chain and address) is that of the KMS with this key-provider id: the reference values say so, or
/// the contract holds its root key.
pub(in crate::checks) fn is_contract_of(
    kms: &KmsContract,
    named: (u64, &[u8; 20]),
    id: &str,
    policy: &Policy,
) -> bool {
    let row = policy.reference.kms_by_id(id).and_then(|row| row.governed_by());
    match row {
        Some(GovernedBy::Contract { chain_id, address }) => (chain_id, &address) == named,
        _ => kms
            .info
            .as_ref()
            .is_ok_and(|info| !info.ca_public_key.is_empty() && hex::encode(&info.ca_public_key) == id),
    }
}

/// Whether the contract is that of the app's KMS.
pub(super) fn judge_link(
    judgement: &mut Judgement,
    kms: &KmsContract,
    named: (u64, &[u8; 20]),
    boot: &BootClaims,
    policy: &Policy,
) {
    let by = || {
        let named = policy.governance.kms_contract.as_ref();
        named.map(|named| named.origin.clone())
    };
    let id = &boot.key_provider().id;
    let row = policy.reference.kms_by_id(id);
    let is_known = match row.and_then(|row| row.governed_by()) {
        Some(GovernedBy::Contract { chain_id, address }) => {
            if (chain_id, &address) != named {
                let detail = format!(
                    "The app's KMS is governed by {} on chain {chain_id}, not by {} on chain {}, which was named.",
                    address_text(&address),
                    address_text(named.1),
                    named.0
                );
                judgement.unexpected(&KMS_CONTRACT_DIFFERS, detail, by());
            }
            true
        }
        _ => false,
    };
    let Some(info) = judgement.answer(&kms.info, "kmsInfo") else {
        return;
    };
    let key = &info.ca_public_key;
    if key.is_empty() {
        match row.filter(|_| is_known) {
            // The row alone links them.
            Some(row) => {
                let what = format!("the contract of the KMS {}", row.name);
                judgement.accept(own_reference_values(row.origin, &what, policy));
            }
            None => {
                let detail = "The KMS's contract does not say which KMS it governs.";
                judgement.open(is_required(policy), &KMS_NOT_LINKED, detail.to_owned());
            }
        }
    } else if hex::encode(key) != *id {
        let detail = "The CA key in the KMS's contract is not the app's key-provider id.";
        match &kms.has_epochs {
            Ok(false) => judgement.unexpected(&KMS_INFO, detail.to_owned(), by()),
            // `kmsInfo` is about the root of epoch 0.
            Ok(true) if policy.key_provider_ids().any(|root| root == hex::encode(key)) => judgement.open(
                is_required(policy),
                &KMS_NOT_LINKED,
                "The KMS's contract holds another root that you named; whether it governs the root of the app's keys cannot be asked."
                    .to_owned(),
            ),
            Ok(true) => judgement.error(
                &UNSUPPORTED,
                format!("{detail} It is the root of epoch 0; the app's may be that of a later one, which cannot be asked."),
            ),
            // Said above.
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::ReferenceValues;
    use crate::report::{AcceptedKind, CheckId};
    use crate::verify::chain::{Contract, KmsInfo, Unanswered};

    fn answering(info: Result<&str, Unanswered>) -> KmsContract {
        let none = || Unanswered::NotRecorded;
        KmsContract {
            contract: Contract {
                code: [0; 32],
                delegates: false,
                implementation: Ok(None),
                owner: Err(none()),
                pending_owner: Err(none()),
            },
            has_epochs: Ok(false),
            os_image_allowed: None,
            kms_allowed: None,
            live_builds: Vec::new(),
            info: info.map(|key| KmsInfo {
                k256_public_key: Vec::new(),
                ca_public_key: hex::decode(key).unwrap(),
                quote: Vec::new(),
                event_log: Vec::new(),
            }),
            boot_allowed: None,
        }
    }

    /// A contract that a KMS is not governed by says nothing of it, whatever it allows.
    #[test]
    fn the_contract_of_a_kms_holds_its_key_or_is_that_of_its_row() {
        let id = "ab".repeat(40);
        let named = (1, &[7; 20]);
        let policy = Policy::default();
        for (info, is_its) in [
            (Ok(id.as_str()), true),
            (Ok("cd"), false),
            (Ok(""), false),
            (Err(Unanswered::Reverted), false),
        ] {
            let kms = answering(info);
            assert_eq!(
                is_contract_of(&kms, named, &id, &policy),
                is_its,
                "{:?}",
                kms.info
            );
        }
        // No key is not the key of a KMS without an id.
        assert!(!is_contract_of(&answering(Ok("")), named, "", &policy));
        let address = hex::encode([7; 20]);
        let rows = format!(
            "updated = \"2026-11-25\"\n[[kms]]\nname = \"mine\"\nwhat = \"a KMS\"\nid = \"{id}\"\ngovernance = \"1:0x{address}\"\n\
             source = \"test\"\ndate = \"2026-11-25\"\n"
        );
        let reference = ReferenceValues::built_in()
            .with_file("rows.toml", rows.as_bytes())
            .unwrap();
        let policy = Policy {
            reference: reference.into(),
            ..Policy::default()
        };
        // Where a row says it, the contract's own word is not needed, and does not count.
        for (named, is_its) in [
            ((1, &[7; 20]), true),
            ((2, &[7; 20]), false),
            ((1, &[8; 20]), false),
        ] {
            for info in [Ok(id.as_str()), Ok("cd"), Err(Unanswered::Reverted)] {
                assert_eq!(
                    is_contract_of(&answering(info), named, &id, &policy),
                    is_its,
                    "{named:?}"
                );
            }
        }
    }

    /// A contract that holds no key is linked by the row alone: whose row it is, the verdict names.
    #[test]
    fn a_link_by_a_row_of_the_users_file_is_accepted_by_it() {
        let claims = crate::checks::claims_for_tests::healthy();
        let boot = claims.boot.as_ref().unwrap();
        let id = &boot.key_provider().id;
        let address = hex::encode([7; 20]);
        let rows = format!(
            "updated = \"2026-11-25\"\n[[kms]]\nname = \"mine\"\nwhat = \"a KMS\"\nid = \"{id}\"\ngovernance = \"1:0x{address}\"\n\
             source = \"test\"\ndate = \"2026-11-25\"\n"
        );
        let built_in = ReferenceValues::built_in();
        let with_row = built_in.with_file("rows.toml", rows.as_bytes()).unwrap();
        let of = |reference: ReferenceValues, key: &str| {
            let policy = Policy {
                reference: reference.into(),
                ..Policy::default()
            };
            let mut judgement = Judgement::default();
            judge_link(&mut judgement, &answering(Ok(key)), (1, &[7; 20]), boot, &policy);
            let finding = judgement.finding("");
            let accepted: Vec<_> = finding
                .accepted
                .iter()
                .map(|one| one.of(CheckId::Governance).what)
                .collect();
            (finding.reason.map(|reason| reason.id), accepted)
        };
        let built_in = || ReferenceValues::clone(built_in);
        assert_eq!(of(built_in(), ""), (Some("kms-not-linked"), Vec::new()));
        assert_eq!(
            of(with_row.clone(), ""),
            (None, vec![AcceptedKind::ReferenceValues])
        );
        // Its own key links it.
        assert_eq!(of(with_row, id), (None, Vec::new()));
    }
}
