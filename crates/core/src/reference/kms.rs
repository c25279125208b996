//! Key management services whose root key is known.

use super::row::{ReferenceRow, RowReader, read_row};
use super::value::Text;
use super::{ReferenceValues, RowOrigin};

/// A KMS whose root key is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsRow {
    /// The name that users write.
    pub name: Text,
    /// What it is.
    pub what: Text,
    /// DER SubjectPublicKeyInfo of its root CA, hex, lower case.
    pub id: Text,
    /// Who decides which code gets keys, where that is known: `operator`, or `CHAIN:ADDRESS` of a contract.
    pub governance: Option<Text>,
    /// Where it was read.
    pub source: Text,
    /// When.
    pub date: Text,
    /// Whose row it is.
    pub origin: RowOrigin,
}

/// Who decides which code gets keys of a KMS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GovernedBy {
    /// Anyone who runs it.
    Operator,
    /// A contract.
    Contract {
        /// The chain's number (EIP-155).
        chain_id: u64,
        /// The contract's address, 20 bytes.
        address: [u8; 20],
    },
}

impl GovernedBy {
    fn parse(text: &str) -> Option<Self> {
        if text == "operator" {
            return Some(Self::Operator);
        }
        let (chain_id, address) = text.split_once(':')?;
        Some(Self::Contract {
            chain_id: chain_id.parse().ok()?,
            address: hex::decode(address.strip_prefix("0x")?).ok()?.try_into().ok()?,
        })
    }
}

impl ReferenceRow for KmsRow {
    const TABLE: &'static str = "kms";

    fn read(row: &mut RowReader<'_, '_>) -> Option<Self> {
        let read = read_row!(row:
            name = required("name"),
            what = required("what"),
            id = required("id"),
            governance = optional("governance");
            origin = RowOrigin::BuiltIn
        );
        row.whole(read, |read| &read.name, Self::problem)
    }
}

impl KmsRow {
    /// Who decides which code gets its keys, where that is known.
    #[doc(hidden)]
    #[must_use]
    pub fn governed_by(&self) -> Option<GovernedBy> {
        GovernedBy::parse(self.governance.as_ref()?.as_str())
    }

    /// What is wrong with the row.
    fn problem(&self) -> Option<&'static str> {
        let is_name = self
            .name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        let is_hex = self
            .id
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        if !is_name || ["kms", "local", "local-sgx", "tpm", "none", "unchecked"].contains(&self.name.as_str())
        {
            Some("`name` is of lower-case letters, digits and `-`, and is not the name of a kind of provider")
        } else if !is_hex || !self.id.len().is_multiple_of(2) || self.id.len() < 40 {
            Some("`id` is the root key of the KMS in lower-case hex")
        } else if self.governance.is_some() && self.governed_by().is_none() {
            Some(
                "`governance` is `operator`, or number of the chain and address of the contract as `8453:0x…`",
            )
        } else {
            None
        }
    }
}

#[doc(hidden)]
impl ReferenceValues {
    /// All of them.
    #[must_use]
    pub fn kms(&self) -> &[KmsRow] {
        &self.kms
    }

    /// The KMS of a name.
    #[must_use]
    pub fn kms_named(&self, name: &str) -> Option<&KmsRow> {
        self.kms.iter().find(|row| row.name.as_str() == name)
    }

    /// The KMS of a root key, hex in lower case.
    #[must_use]
    pub fn kms_by_id(&self, id: &str) -> Option<&KmsRow> {
        self.kms.iter().find(|row| row.id.as_str() == id)
    }
}
