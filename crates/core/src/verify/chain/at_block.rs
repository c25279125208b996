//! What the contracts that govern an app answer at one block.

use super::abi::{self, AbiError, Address, AppBootInfo, KmsInfo};
use super::call::{APP_AUTH, Call, EPOCH_AUTH_0_6_4, EPOCH_AUTH_0_6_5, EPOCH_FUNCTIONS, NEWEST_VERSION};
use super::contracts::{AppContract, Contract, Implementation, KmsContract, Owner, OwnerKind};
use super::rpc::Request;
use super::subject::GovernanceSubject;
use super::transcript::{NodeAnswer, RpcTranscript, Unanswered};
use crate::verify::digest::sha256;

/// Questions at one block.
pub(super) struct At<'t, 'r> {
    pub(super) transcript: &'t mut RpcTranscript<'r>,
    pub(super) block: u64,
}

impl At<'_, '_> {
    pub(super) fn app(
        &mut self,
        address: &Address,
        subject: &GovernanceSubject,
    ) -> NodeAnswer<Option<AppContract>> {
        let Some(code) = self.deployed(address)? else {
            return Ok(None);
        };
        let any_device = self.bool(address, &Call::AnyDevice);
        let contract = self.contract(address, &code);
        Ok(Some(AppContract {
            is_app: self.bool(address, &Call::Interface(APP_AUTH)),
            has_epochs: self.has_epochs(address, &code, &contract),
            contract,
            compose_allowed: self.allowed(address, &Call::ComposeAllowed(subject.boot.compose_hash)),
            device_allowed: self.device_allowed(address, subject, &any_device),
            requires_tcb: self.bool(address, &Call::TcbDemanded),
            upgrades_disabled: self.upgrades_disabled(address, &any_device),
            any_device,
        }))
    }

    pub(super) fn kms(
        &mut self,
        address: &Address,
        subject: &GovernanceSubject,
    ) -> NodeAnswer<Option<KmsContract>> {
        let Some(code) = self.deployed(address)? else {
            return Ok(None);
        };
        let contract = self.contract(address, &code);
        Ok(Some(KmsContract {
            has_epochs: self.has_epochs(address, &code, &contract),
            contract,
            os_image_allowed: subject
                .os_image_hash()
                .map(|hash| self.allowed(address, &Call::OsImageAllowed(hash))),
            kms_allowed: subject
                .mr_kms
                .map(|build| self.allowed(address, &Call::KmsAllowed(build))),
            live_builds: subject
                .live_builds
                .iter()
                .map(|build| (*build, self.bool(address, &Call::KmsAllowed(*build))))
                .collect(),
            info: self.call(address, &Call::KmsInfo, KmsInfo::decode),
            boot_allowed: subject
                .os_image_hash()
                .map(|_| self.boot_allowed(address, subject)),
        }))
    }

    fn device_allowed(
        &mut self,
        address: &Address,
        subject: &GovernanceSubject,
        any: &NodeAnswer<bool>,
    ) -> NodeAnswer<bool> {
        let now = Call::DeviceAllowed(subject.boot.device_id);
        let old = Call::DeviceAllowed(subject.old_device_id);
        let (is_now, is_old) = (self.bool(address, &now), self.bool(address, &old));
        if is_now? || is_old? {
            return Ok(true);
        }
        if *any == Ok(false) {
            for call in [Call::AnyDevice, now, old] {
                self.not_at_head(address, &call)?;
            }
        }
        Ok(false)
    }

    /// Whether a contract allows something at the block. What it does not allow is asked again at the newest block: a change that
    /// was just made is not final yet, and is not a failure.
    fn allowed(&mut self, to: &Address, call: &Call) -> NodeAnswer<bool> {
        let is_allowed = self.bool(to, call)?;
        if !is_allowed {
            self.not_at_head(to, call)?;
        }
        Ok(is_allowed)
    }

    /// That both nodes say no at their newest block, too, or that the contract refuses the question there.
    fn not_at_head(&mut self, to: &Address, call: &Call) -> NodeAnswer<()> {
        let answer = self
            .transcript
            .bytes(Request::call_at_head(to, call))
            .and_then(|bytes| abi::decode_bool(&bytes).map_err(Unanswered::Abi));
        match answered(answer)? {
            Some(true) => Err(Unanswered::NotFinal),
            Some(false) | None => Ok(()),
        }
    }

    fn boot_allowed(&mut self, kms: &Address, subject: &GovernanceSubject) -> NodeAnswer<(bool, String)> {
        let of_device = |device_id| AppBootInfo {
            device_id,
            ..subject.boot.clone()
        };
        let mut ask = |boot| self.call(kms, &Call::Boot(Box::new(boot)), abi::decode_boot_answer);
        let now = ask(subject.boot.clone());
        let old = ask(of_device(subject.old_device_id));
        match (now?, old?) {
            (now @ (true, _), _) => Ok(now),
            (_, old @ (true, _)) => Ok(old),
            (now, _) => Ok(now),
        }
    }

    fn contract(&mut self, address: &Address, code: &[u8]) -> Contract {
        Contract {
            code: sha256(code),
            delegates: delegates(code),
            implementation: self.implementation(address),
            owner: self.owner(address),
            pending_owner: self.pending_owner(address),
        }
    }

    /// Contracts that were deployed up to early 2026 have no such function: their ownership is supplied in one step.
    fn pending_owner(&mut self, of: &Address) -> NodeAnswer<Option<Address>> {
        let offered = if_it_has(self.call(of, &Call::PendingOwner, abi::decode_address))?;
        Ok(offered.filter(|address| *address != [0; 20]))
    }

    fn implementation(&mut self, proxy: &Address) -> NodeAnswer<Option<Implementation>> {
        let slot = self
            .transcript
            .bytes(Request::implementation(proxy, self.block))?;
        let address = abi::decode_address(&slot).map_err(Unanswered::Abi)?;
        if address == [0; 20] {
            return Ok(None);
        }
        let code = self.code(&address)?;
        let code = code.ok_or(Unanswered::NoImplementation)?;
        Ok(Some(Implementation { address, code }))
    }

    fn owner(&mut self, of: &Address) -> NodeAnswer<Owner> {
        let address = self.call(of, &Call::Owner, abi::decode_address)?;
        Ok(Owner {
            address,
            kind: self.owner_kind(&address),
        })
    }

    fn owner_kind(&mut self, address: &Address) -> NodeAnswer<OwnerKind> {
        if *address == [0; 20] {
            return Ok(OwnerKind::Renounced);
        }
        let code = self.transcript.bytes(Request::code(address, self.block))?;
        if is_key(&code) {
            return Ok(OwnerKind::Key);
        }
        let threshold = self.call(address, &Call::SafeThreshold, abi::decode_u64);
        let owners = self.call(address, &Call::SafeOwners, abi::decode_addresses);
        let modules = self.call(address, &Call::SafeModules, abi::decode_page_is_filled);
        let delay = self.call(address, &Call::TimelockDelay, abi::decode_u64);
        if let (Some(threshold), Some(owners)) = (answered(threshold)?, answered(owners)?) {
            return Ok(OwnerKind::Safe {
                threshold,
                owners: owners.len(),
                has_modules: answered(modules)?,
            });
        }
        Ok(match answered(delay)? {
            Some(delay) => OwnerKind::Timelock { delay },
            None => OwnerKind::Contract,
        })
    }

    /// Whether a contract answers for either of the two interfaces with epochs. One that is older refuses the question. One that
    /// answers for neither, and is of a later generation by its code or its version, is not understood.
    fn has_epochs(&mut self, address: &Address, code: &[u8], contract: &Contract) -> NodeAnswer<bool> {
        let first = self.bool(address, &Call::Interface(EPOCH_AUTH_0_6_4));
        let second = self.bool(address, &Call::Interface(EPOCH_AUTH_0_6_5));
        if if_it_has(first)?.unwrap_or(false) || if_it_has(second)?.unwrap_or(false) {
            return Ok(true);
        }
        let behind = match contract.implementation.clone()? {
            Some(implementation) => self.runtime(&implementation.address)?.unwrap_or_default(),
            None => Vec::new(),
        };
        let version = if_it_has(self.call(address, &Call::Version, abi::decode_u64))?;
        let is_later = version.is_some_and(|version| version > NEWEST_VERSION)
            || EPOCH_FUNCTIONS
                .iter()
                .any(|function| pushes(code, function) || pushes(&behind, function));
        match is_later {
            true => Err(Unanswered::OtherGeneration),
            false => Ok(false),
        }
    }

    /// Whether an app's contract says in its storage that it can no longer be upgraded (dstack, `kms/auth-eth/contracts`): the
    /// lowest byte of a slot, next to a byte that says whether any device is allowed. That is slot 1, or slot 2 of a contract of
    /// mid-2025 and before. The other one of both is the head of a mapping, which is always zero. Where neither slot agrees with
    /// what the contract answers, the layout is another.
    fn upgrades_disabled(
        &mut self,
        address: &Address,
        any_device: &NodeAnswer<bool>,
    ) -> NodeAnswer<Option<bool>> {
        let mut slot = |number| {
            self.transcript
                .bytes(Request::storage(address, number, self.block))
        };
        let slots = [slot("0x1")?, slot("0x2")?];
        let any_device = u8::from(any_device.clone()?);
        if let Some(slot) = slots.iter().find(|slot| slot.len() != 32) {
            return Err(Unanswered::Abi(AbiError::Length(slot.len(), "storage slot")));
        }
        let mut filled = slots.iter().filter(|slot| slot.iter().any(|byte| *byte != 0));
        Ok(match (filled.next(), filled.next()) {
            // Zero in both layouts.
            (None, _) => (any_device == 0).then_some(false),
            (Some(slot), None) => match slot.as_slice() {
                [zeros @ .., second, lowest @ (0 | 1)]
                    if *second == any_device && zeros.iter().all(|byte| *byte == 0) =>
                {
                    Some(*lowest == 1)
                }
                _ => None,
            },
            (Some(_), Some(_)) => None,
        })
    }

    /// The code of a contract; absent if there is none, at the newest block either.
    fn deployed(&mut self, address: &Address) -> NodeAnswer<Option<Vec<u8>>> {
        let code = self.runtime(address)?;
        if code.is_none() && !self.transcript.bytes(Request::code_at_head(address))?.is_empty() {
            return Err(Unanswered::NotFinal);
        }
        Ok(code)
    }

    /// The code at an address; absent if there is none.
    fn runtime(&mut self, address: &Address) -> NodeAnswer<Option<Vec<u8>>> {
        let code = self.transcript.bytes(Request::code(address, self.block))?;
        Ok((!code.is_empty()).then_some(code))
    }

    /// Its SHA-256.
    fn code(&mut self, address: &Address) -> NodeAnswer<Option<[u8; 32]>> {
        Ok(self.runtime(address)?.map(|code| sha256(&code)))
    }

    fn bool(&mut self, to: &Address, call: &Call) -> NodeAnswer<bool> {
        self.call(to, call, abi::decode_bool)
    }

    fn call<T>(
        &mut self,
        to: &Address,
        call: &Call,
        decode: impl FnOnce(&[u8]) -> Result<T, AbiError>,
    ) -> NodeAnswer<T> {
        let answer = self.transcript.bytes(Request::call(to, call, self.block))?;
        decode(&answer).map_err(|error| match error {
            // What a contract without the function and with a fallback answers.
            AbiError::Empty => Unanswered::Reverted,
            error => Unanswered::Abi(error),
        })
    }
}

/// An answer, or none where the contract does not have the function. An answer in another form is an error.
fn if_it_has<T>(answer: NodeAnswer<T>) -> NodeAnswer<Option<T>> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(Unanswered::Reverted) => Ok(None),
        Err(unanswered) => Err(unanswered),
    }
}

/// An answer, or none where the contract does not have the function. What it answers in another form is not its answer either.
fn answered<T>(answer: NodeAnswer<T>) -> NodeAnswer<Option<T>> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(Unanswered::Reverted | Unanswered::Abi(_)) => Ok(None),
        Err(unanswered) => Err(unanswered),
    }
}

/// Whether EVM code holds an instruction that runs the code of another address: `CALLCODE` (f2) or `DELEGATECALL` (f4). Data behind
/// the code may look like one: that errs on the side of a warning.
pub(super) fn delegates(code: &[u8]) -> bool {
    is_delegation(code) || instructions(code).any(|(instruction, _)| matches!(instruction, 0xf2 | 0xf4))
}

/// Whether EVM code compares with the selector of a function, so that it may have that function (`PUSH4`, 63).
fn pushes(code: &[u8], selector: &[u8; 4]) -> bool {
    instructions(code).any(|(instruction, carried)| instruction == 0x63 && carried == selector)
}

/// The instructions of EVM code, and the bytes that each carries: `PUSH1` to `PUSH32` (60 to 7f) carry 1 to 32.
fn instructions(code: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = code;
    std::iter::from_fn(move || {
        let (instruction, after) = rest.split_first()?;
        let carried = match instruction {
            0x60..=0x7f => usize::from(instruction - 0x5f),
            _ => 0,
        };
        let (carried, after) = after.split_at(carried.min(after.len()));
        rest = after;
        Some((*instruction, carried))
    })
}

/// Whether an address is that of a key: no code, or a delegation that its key alone decides (EIP-7702: `ef0100` and an
/// address).
fn is_key(code: &[u8]) -> bool {
    code.is_empty() || is_delegation(code)
}

/// The delegation of a key's address to the code at another one (EIP-7702).
fn is_delegation(code: &[u8]) -> bool {
    code.len() == 23 && code.starts_with(&[0xef, 0x01, 0x00])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_23_bytes_that_begin_as_a_delegation_are_one() {
        let code = |prefix: [u8; 3], size: usize| {
            let mut code = prefix.to_vec();
            code.resize(size, 7);
            code
        };
        assert!(is_key(&[]));
        assert!(is_key(&code([0xef, 1, 0], 23)));
        for other in [
            code([0xef, 1, 0], 22),
            code([0xef, 1, 0], 24),
            code([0xef, 1, 1], 23),
        ] {
            assert!(!is_key(&other), "{other:?}");
        }
    }
}
