//! What settings expect of the contracts that govern an app.

use super::reader::SettingsReader;
use cvm_verify_core::evidence::parse_user_hex;
use cvm_verify_core::policy::{ContractPin, Expected, GovernanceMode, GovernancePolicy};

impl SettingsReader<'_> {
    pub(super) fn governance(&mut self) -> GovernancePolicy {
        let number = |text: &str| match text.parse() {
            Ok(0) | Err(_) => Err("write a whole number from 1 on"),
            Ok(number) => Ok(number),
        };
        GovernancePolicy {
            mode: self.word("governance", GovernanceMode::of_word),
            asks: false,
            chain_id: self.expected("governance-chain-id", number),
            app: ContractPin {
                owners: self.addresses("governance-app-owner"),
                ..ContractPin::default()
            },
            kms_contract: self.hex("governance-kms-contract"),
            kms: ContractPin {
                owners: self.addresses("governance-kms-owner"),
                ..ContractPin::default()
            },
            min_signers: self.parsed("governance-min-signers", number),
            min_delay: self.parsed("governance-min-delay", number),
            upgrades_disabled: self.is("governance-upgrades", "disabled"),
        }
    }

    fn addresses(&mut self, key: &str) -> Option<Expected<Vec<[u8; 20]>>> {
        self.list(key, |text| {
            parse_user_hex(text).map_err(|error| format!("the value {error}"))
        })
    }
}
