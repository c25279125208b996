//! What is expected of the contracts that govern an app.

use super::encoding::Encoding;
use crate::policy::expected::Expected;
use crate::policy::governance::{ContractPin, GovernanceMode, GovernancePolicy};

impl Encoding {
    pub(super) fn governance(&mut self, policy: &GovernancePolicy) {
        let GovernancePolicy {
            mode,
            // Where to ask is not what is expected.
            asks: _,
            chain_id,
            app,
            kms_contract,
            kms,
            min_signers,
            min_delay,
            upgrades_disabled,
        } = policy;
        match mode {
            GovernanceMode::Named => {}
            GovernanceMode::Required => self.word("governance", "required"),
            GovernanceMode::Unchecked => self.word("governance", "unchecked"),
        }
        if let Some(Expected { value, origin: _ }) = chain_id {
            self.entry("governance-chain-id", [value.to_be_bytes().as_slice()]);
        }
        self.contract("governance-app", app);
        if let Some(Expected { value, origin: _ }) = kms_contract {
            self.entry("governance-kms-contract", [value.as_slice()]);
        }
        self.contract("governance-kms", kms);
        let numbers = [
            ("governance-min-signers", min_signers),
            ("governance-min-delay", min_delay),
        ];
        for (name, number) in numbers {
            if let Some(number) = number {
                self.entry(name, [number.to_be_bytes().as_slice()]);
            }
        }
        if *upgrades_disabled {
            self.word("governance-upgrades", "disabled");
        }
    }

    pub(super) fn contract(&mut self, name: &str, pin: &ContractPin) {
        let ContractPin {
            owners,
            code,
            implementation,
            implementation_code,
        } = pin;
        if let Some(Expected { value, origin: _ }) = owners {
            self.set(&format!("{name}-owner"), value.iter().map(|owner| owner.to_vec()));
        }
        if let Some(Expected { value, origin: _ }) = code {
            self.entry(&format!("{name}-code"), [value.as_slice()]);
        }
        if let Some(Expected { value, origin: _ }) = implementation {
            self.entry(&format!("{name}-implementation"), [value.as_slice()]);
        }
        if let Some(Expected { value, origin: _ }) = implementation_code {
            self.entry(&format!("{name}-implementation-code"), [value.as_slice()]);
        }
    }
}
