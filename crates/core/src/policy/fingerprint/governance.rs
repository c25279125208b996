//! What is expected of the contracts that govern an app.

use super::encoding::Encoding;
use crate::policy::expected::Expected;
use crate::policy::governance::{ContractPin, GovernancePolicy};

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
        self.mode("governance", mode);
        if let Some(Expected { value, origin: _ }) = chain_id {
            self.entry("governance-chain-id", [value.to_be_bytes().as_slice()]);
        }
        self.contract("governance-app", app);
        self.expected("governance-kms-contract", kms_contract.as_ref());
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
        self.expected_set(&format!("{name}-owner"), owners.as_ref());
        self.expected(&format!("{name}-code"), code.as_ref());
        self.expected(&format!("{name}-implementation"), implementation.as_ref());
        self.expected(
            &format!("{name}-implementation-code"),
            implementation_code.as_ref(),
        );
    }
}
