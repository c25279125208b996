//! One contract against what is pinned of it.

use super::reasons::{
    IMPLEMENTATION_CHANGED, IMPLEMENTATION_NOT_PINNED, OWNER_EOA, OWNER_NOT_PINNED, OWNER_PENDING,
    OWNER_UNKNOWN,
};
use crate::checks::judgement::Judgement;
use crate::policy::{ContractPin, Expected, Origin};
use crate::verify::chain::{Contract, Owner, OwnerKind, address_text};

/// Judges code and owner of a contract. `which` is its name in sentences.
pub(super) fn judge(judgement: &mut Judgement, which: &str, contract: &Contract, pin: &ContractPin) {
    owner(judgement, which, contract, pin);
    code(judgement, which, contract, pin);
}

fn owner(judgement: &mut Judgement, which: &str, contract: &Contract, pin: &ContractPin) {
    let owners = pin.owners.as_ref();
    let is_named = |address: &[u8; 20]| owners.is_none_or(|owners| owners.value.contains(address));
    if let Some(owner) = judgement.answer(&contract.owner, &format!("{}, owner", sentence(which))) {
        if !is_named(&owner.address) {
            let detail = format!(
                "{} is owned by {}, which is not the owner that is named.",
                sentence(which),
                words(owner)
            );
            judgement.unexpected(&OWNER_UNKNOWN, detail, origin(owners));
        } else if owners.is_none() {
            judgement.warn(
                &OWNER_NOT_PINNED,
                format!(
                    "{} is owned by {}; no expectation names who it must be.",
                    sentence(which),
                    words(owner)
                ),
            );
        }
        if judgement.answer(&owner.kind, &format!("{}, kind of owner", sentence(which)))
            == Some(&OwnerKind::Key)
        {
            judgement.warn(
                &OWNER_EOA,
                format!("{} is owned by a single key.", sentence(which)),
            );
        }
    }
    if let Some(Some(pending)) = judgement.answer(
        &contract.pending_owner,
        &format!("{}, pending owner", sentence(which)),
    ) {
        let detail = format!(
            "The ownership of {which} is offered to {}.",
            address_text(pending)
        );
        if owners.is_none() {
            judgement.warn(&OWNER_PENDING, detail);
        } else if !is_named(pending) {
            judgement.unexpected(&OWNER_PENDING, detail, origin(owners));
        }
    }
}

fn code(judgement: &mut Judgement, which: &str, contract: &Contract, pin: &ContractPin) {
    let Some(implementation) = judgement.answer(
        &contract.implementation,
        &format!("{}, implementation", sentence(which)),
    ) else {
        return;
    };
    if let Some(pinned) = &pin.code
        && pinned.value != contract.code
    {
        let detail = format!(
            "The code at the address of {which} has the SHA-256 {}.",
            hex::encode(contract.code)
        );
        judgement.unexpected(&IMPLEMENTATION_CHANGED, detail, origin(Some(pinned)));
    }
    let address = implementation.map(|implementation| implementation.address);
    let code = implementation.map(|implementation| implementation.code);
    let moved = (pin.implementation.as_ref()).is_some_and(|pinned| Some(pinned.value) != address);
    let changed = (pin.implementation_code.as_ref()).is_some_and(|pinned| Some(pinned.value) != code);
    if moved || changed {
        let now = match implementation {
            Some(now) => format!(
                "{} with code of the SHA-256 {}",
                address_text(&now.address),
                hex::encode(now.code)
            ),
            None => "no proxy".to_owned(),
        };
        let by = match moved {
            true => origin(pin.implementation.as_ref()),
            false => origin(pin.implementation_code.as_ref()),
        };
        let detail = format!("The implementation of {which} is now {now}.");
        judgement.unexpected(&IMPLEMENTATION_CHANGED, detail, by);
    }
    if !is_whole(contract, pin) {
        judgement.warn(
            &IMPLEMENTATION_NOT_PINNED,
            format!("The code of {which} is not pinned."),
        );
    }
}

/// Whether all code of a contract is pinned. A contract without a call to other code is its own implementation; one that delegates,
/// and does not say where to in the slot of ERC-1967, may run anything.
pub(super) fn is_whole(contract: &Contract, pin: &ContractPin) -> bool {
    let is_implementation_pinned = match &contract.implementation {
        Ok(Some(_)) => pin.implementation_code.is_some(),
        Ok(None) => !contract.delegates,
        Err(_) => false,
    };
    pin.code.is_some() && is_implementation_pinned
}

fn origin<T>(expected: Option<&Expected<T>>) -> Option<Origin> {
    expected.map(|expected| expected.origin.clone())
}

/// The name of a contract at the beginning of a sentence.
fn sentence(which: &str) -> String {
    let mut rest = which.chars();
    rest.next()
        .map(|first| first.to_ascii_uppercase())
        .into_iter()
        .chain(rest)
        .collect()
}

/// An owner in words: address and kind.
pub(super) fn words(owner: &Owner) -> String {
    let kind = match &owner.kind {
        Ok(OwnerKind::Renounced) => return "the zero address".to_owned(),
        Ok(OwnerKind::Key) => "one key".to_owned(),
        Ok(OwnerKind::Safe {
            threshold,
            owners,
            has_modules,
        }) => {
            let modules = if *has_modules == Some(true) {
                ", with modules"
            } else {
                ""
            };
            format!("a Safe, {threshold} of {owners}{modules}")
        }
        Ok(OwnerKind::Timelock { delay }) => format!("a timelock of {delay} s"),
        Ok(OwnerKind::Contract) => "a contract".to_owned(),
        Err(_) => "of unknown kind".to_owned(),
    };
    format!("{} ({kind})", address_text(&owner.address))
}
