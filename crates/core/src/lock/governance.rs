//! `[governance]`: the contracts that govern the app, as they were when the lock was taken.

use toml::de::DeValue;

use super::apply::expected;
use super::hex_value::hex;
use super::keyed_section::{self, in_section, list};
use super::said::{Said, provenance_of};
use super::{LockMistake, LockProblem};
use crate::evidence::parse_user_hex;
use crate::policy::{ContractPin, Expected, GovernancePolicy, LockOrigin};
use crate::toml_text::literal::quoted;
use crate::toml_text::{FoundMistakes, TomlEntry, TomlTable};
use crate::verify::chain::{self, Governance, Unanswered, address_text};

/// Most owners of a contract in a lock.
const MAX_OWNERS: usize = 20;

/// The contracts that govern the app.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockedGovernance {
    /// The chain's number (EIP-155).
    pub chain_id: Option<u64>,
    /// The app's contract.
    pub app: LockedContract,
    /// The address of the KMS's contract.
    pub kms_contract: Option<[u8; 20]>,
    /// The KMS's contract.
    pub kms: LockedContract,
}

/// One contract.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockedContract {
    /// Who may own it; empty where that is not locked.
    pub owners: Vec<[u8; 20]>,
    /// SHA-256 of the runtime code at its address.
    pub code: Option<[u8; 32]>,
    /// The address of the implementation behind the proxy.
    pub implementation: Option<[u8; 20]>,
    /// SHA-256 of the implementation's runtime code.
    pub implementation_code: Option<[u8; 32]>,
}

/// The keys of the section, in the order of the file, and what a change of each means.
pub(super) const KEYS: keyed_section::Keys<10> = [
    ("governance.chain_id", "the contracts are on another chain"),
    (
        "governance.app_owner",
        "the owner of the app's contract is now another address: who may allow code has changed",
    ),
    (
        "governance.app_code",
        "the code at the address of the app's contract changed",
    ),
    (
        "governance.app_implementation",
        "the app's contract was upgraded: another implementation decides what it answers",
    ),
    (
        "governance.app_implementation_code",
        "the code of the app's implementation changed",
    ),
    (
        "governance.kms_contract",
        "another contract decides which KMS and which OS images get keys",
    ),
    (
        "governance.kms_owner",
        "the owner of the KMS's contract is now another address: who may allow a KMS or an OS image has changed",
    ),
    (
        "governance.kms_code",
        "the code at the address of the KMS's contract changed",
    ),
    (
        "governance.kms_implementation",
        "the KMS's contract was upgraded: another implementation decides what it answers",
    ),
    (
        "governance.kms_implementation_code",
        "the code of the implementation of the KMS's contract changed",
    ),
];

/// The line that begins the section.
pub(super) const SECTION: &str = "[governance]";

const HEADER: &str = "
# The contracts that say which code, KMS and OS image may have the app's keys, as two nodes answered. The app's contract is
# at the app id. *_owner: who may change it; several with commas between them. *_code: SHA-256 of the runtime code.
[governance]
";

impl LockedGovernance {
    /// What two nodes say of the contracts.
    ///
    /// # Errors
    /// An answer that a lock needs is missing, or there is no contract.
    #[doc(hidden)]
    pub fn of(found: &Governance) -> Result<Self, GovernanceNotLocked> {
        let contracts = found.contracts();
        let app = found.app().map_err(GovernanceNotLocked::unanswered)?;
        let app = app.ok_or_else(|| {
            GovernanceNotLocked(format!(
                "there is no contract at the app id {} on chain {}",
                address_text(&contracts.app),
                contracts.chain_id
            ))
        })?;
        let kms = match found.kms() {
            None => LockedContract::default(),
            Some(answer) => match answer.map_err(GovernanceNotLocked::unanswered)? {
                Some(kms) => LockedContract::of(&kms.contract)?,
                None => {
                    return Err(GovernanceNotLocked(format!(
                        "there is no contract of a KMS at {} on chain {}",
                        contracts.kms.map(|kms| address_text(&kms)).unwrap_or_default(),
                        contracts.chain_id
                    )));
                }
            },
        };
        Ok(Self {
            chain_id: Some(contracts.chain_id),
            app: LockedContract::of(&app.contract)?,
            kms_contract: contracts.kms,
            kms,
        })
    }

    /// The values in the order of [`KEYS`], as text.
    pub(super) fn values(&self) -> [Option<String>; KEYS.len()] {
        let contract = |contract: &LockedContract| {
            let owners: Vec<String> = contract.owners.iter().map(address_text).collect();
            [
                (!owners.is_empty()).then(|| owners.join(",")),
                contract.code.map(hex::encode),
                contract.implementation.as_ref().map(address_text),
                contract.implementation_code.map(hex::encode),
            ]
        };
        let [app_owner, app_code, app_implementation, app_implementation_code] = contract(&self.app);
        let [kms_owner, kms_code, kms_implementation, kms_implementation_code] = contract(&self.kms);
        [
            self.chain_id.map(|id| id.to_string()),
            app_owner,
            app_code,
            app_implementation,
            app_implementation_code,
            self.kms_contract.as_ref().map(address_text),
            kms_owner,
            kms_code,
            kms_implementation,
            kms_implementation_code,
        ]
    }

    /// The section of the file.
    pub(super) fn write(&self, said: Said) -> String {
        keyed_section::written(HEADER, KEYS, self.values(), |key, value| {
            // The number of a chain is a number.
            let shown = if key == "chain_id" { value } else { quoted(&value) };
            let is_said = said.kms_contract && matches!(key, "chain_id" | "kms_contract");
            format!("{shown} # {}", provenance_of(is_said))
        })
    }

    /// Reads the section.
    pub(super) fn read(mut section: TomlTable<'_>, mistakes: &mut FoundMistakes<LockProblem>) -> Self {
        let governance = Self {
            chain_id: section.read("chain_id", mistakes, chain_id),
            app: LockedContract::read(&mut section, "app", mistakes),
            kms_contract: section.read("kms_contract", mistakes, hex),
            kms: LockedContract::read(&mut section, "kms", mistakes),
        };
        mistakes.add(section.finish(&in_section(KEYS)));
        governance
    }

    /// Fills in what the policy leaves open. What the lock says of the KMS's contract is not said of another one.
    pub(super) fn apply(&self, lock: &LockOrigin, policy: GovernancePolicy) -> GovernancePolicy {
        let is_other =
            |named: &Expected<[u8; 20]>| self.kms_contract.is_some_and(|locked| locked != named.value);
        let kms = match policy.kms_contract.as_ref().is_some_and(is_other) {
            true => policy.kms,
            false => self.kms.apply(lock, "kms", policy.kms),
        };
        GovernancePolicy {
            chain_id: policy.chain_id.or_else(|| of(self.chain_id, lock, "chain_id")),
            app: self.app.apply(lock, "app", policy.app),
            kms_contract: policy
                .kms_contract
                .or_else(|| of(self.kms_contract, lock, "kms_contract")),
            kms,
            ..policy
        }
    }
}

/// Why contracts cannot be locked, a sentence without a full stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct GovernanceNotLocked(String);

impl GovernanceNotLocked {
    fn unanswered(unanswered: &Unanswered) -> Self {
        Self(format!("the chain could not be read: {unanswered}"))
    }
}

impl LockedContract {
    fn of(contract: &chain::Contract) -> Result<Self, GovernanceNotLocked> {
        let owner = contract.owner.as_ref().map_err(GovernanceNotLocked::unanswered)?;
        let implementation = contract.implementation.as_ref();
        let implementation = implementation.map_err(GovernanceNotLocked::unanswered)?.as_ref();
        Ok(Self {
            owners: vec![owner.address],
            code: Some(contract.code),
            implementation: implementation.map(|implementation| implementation.address),
            implementation_code: implementation.map(|implementation| implementation.code),
        })
    }

    /// Reads the keys that begin with `which`.
    fn read(section: &mut TomlTable<'_>, which: &str, mistakes: &mut FoundMistakes<LockProblem>) -> Self {
        let key = |name: &str| format!("{which}_{name}");
        Self {
            owners: section.read(&key("owner"), mistakes, owners).unwrap_or_default(),
            code: section.read(&key("code"), mistakes, hex),
            implementation: section.read(&key("implementation"), mistakes, hex),
            implementation_code: section.read(&key("implementation_code"), mistakes, hex),
        }
    }

    /// Fills in what the policy leaves open. `which` begins the names of the keys.
    fn apply(&self, lock: &LockOrigin, which: &str, pin: ContractPin) -> ContractPin {
        let key = |name: &str| format!("{which}_{name}");
        let owners = (!self.owners.is_empty()).then(|| self.owners.clone());
        let (implementation, code) = (self.implementation, self.implementation_code);
        ContractPin {
            owners: pin.owners.or_else(|| of(owners, lock, &key("owner"))),
            code: pin.code.or_else(|| of(self.code, lock, &key("code"))),
            implementation: (pin.implementation).or_else(|| of(implementation, lock, &key("implementation"))),
            implementation_code: (pin.implementation_code)
                .or_else(|| of(code, lock, &key("implementation_code"))),
        }
    }
}

fn of<T>(value: Option<T>, lock: &LockOrigin, key: &str) -> Option<Expected<T>> {
    expected(value, lock, &["governance", key])
}

fn chain_id(entry: &TomlEntry<'_>) -> Result<u64, LockMistake> {
    let number = match entry.value() {
        DeValue::Integer(number) if number.radix() == 10 => number.as_str().parse().ok(),
        _ => None,
    };
    number
        .filter(|id| *id > 0)
        .ok_or_else(|| entry.type_error("the number of a chain, such as 8453"))
}

/// Addresses with commas between them.
fn owners(entry: &TomlEntry<'_>) -> Result<Vec<[u8; 20]>, LockMistake> {
    list(entry, MAX_OWNERS, LockProblem::Owners, |text| {
        parse_user_hex(text).map_err(Into::into)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Origin;

    #[test]
    fn what_is_said_of_a_contract_is_not_said_of_another() {
        let contract = LockedContract {
            owners: vec![[7; 20]],
            code: Some([8; 32]),
            ..LockedContract::default()
        };
        let locked = LockedGovernance {
            chain_id: Some(8453),
            app: contract.clone(),
            kms_contract: Some([1; 20]),
            kms: contract,
        };
        for (named, is_same) in [(None, true), (Some([1; 20]), true), (Some([2; 20]), false)] {
            let origin = Origin::Option("--any");
            let policy = GovernancePolicy {
                kms_contract: named.map(|value| Expected { value, origin }),
                ..GovernancePolicy::default()
            };
            let policy = locked.apply(&LockOrigin::from("cvm.lock"), policy);
            assert_eq!((policy.app.is_empty(), policy.kms.is_empty()), (false, !is_same));
        }
    }
}
