//! Which OS images are accepted.

use std::sync::Arc;

use super::known_by::KnownBy;
use crate::evidence::parse_user_hex;
use crate::reference::{OsClass, OsImageRow, ReferenceValues};

/// Which OS images are accepted.
#[derive(Debug, Clone)]
pub enum OsImagePolicy {
    /// Any production row of the built-in table, with a listed RTMR0.
    Known,
    /// One row of the built-in table.
    Row(Arc<OsImageRow>),
    /// Exact registers, from the command line.
    Tuple(OsTuple),
    /// Exact registers, from a lock.
    Lock {
        /// The registers.
        tuple: OsTuple,
        /// Until when a row with a published vulnerability is accepted, Unix seconds.
        vulnerable_until: Option<u64>,
        /// How the image was known when it was locked.
        known_by: Option<KnownBy>,
        /// What was accepted in writing of another RTMR0 than the one that was locked before, one sentence.
        acpi_change: Option<String>,
        /// The lock's path.
        lock: String,
    },
    /// Waived in writing.
    Unchecked,
}

/// The registers that identify OS image and VM shape. 48 bytes each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OsTuple {
    /// MRTD.
    pub mrtd: [u8; 48],
    /// RTMR0 to RTMR2.
    pub rtmr: [[u8; 48]; 3],
}

impl OsTuple {
    /// The four registers with their names, in the order in which they are shown.
    #[must_use]
    pub const fn named(&self) -> [(&'static str, &[u8; 48]); 4] {
        let [rtmr0, rtmr1, rtmr2] = &self.rtmr;
        [
            ("mrtd", &self.mrtd),
            ("rtmr0", rtmr0),
            ("rtmr1", rtmr1),
            ("rtmr2", rtmr2),
        ]
    }
}

/// Why a value of `--os-image` is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OsImageError {
    /// It is none of the forms.
    #[error(
        "{0:?} is none of: lock, known, unchecked, an os_image_hash of the built-in table, \
         mrtd=HEX,rtmr0=HEX,rtmr1=HEX,rtmr2=HEX"
    )]
    Form(String),
    /// A hash that is in no row.
    #[error(
        "no image of the reference values has the os_image_hash {0}; pin the registers with `cvm-verify pin`, or add the image with \
         --reference-values FILE"
    )]
    UnknownHash(String),
    /// A row that is not for production.
    #[error(
        "{0} is not a production image and cannot be accepted by its hash; to accept it anyway, lock it with \
         `cvm-verify pin --accept development-image` or give its registers"
    )]
    NotProduction(String),
    /// A register that is missing, given twice or not 48 bytes of hex.
    #[error("the register {register} {problem}")]
    Register {
        /// Which.
        register: String,
        /// What is wrong.
        problem: String,
    },
}

/// What `--os-image` says.
#[derive(Debug, Clone)]
pub enum OsImageOption {
    /// `lock`: the lock must have the registers.
    Lock,
    /// Anything else.
    Policy(Box<OsImagePolicy>),
}

/// Parses a value of `--os-image` with the built-in table.
///
/// # Errors
/// [`OsImageError`].
pub fn parse_os_image(text: &str) -> Result<OsImageOption, OsImageError> {
    parse_os_image_of(text, ReferenceValues::built_in())
}

/// Parses a value of `--os-image`.
///
/// # Errors
/// [`OsImageError`].
pub fn parse_os_image_of(text: &str, reference: &ReferenceValues) -> Result<OsImageOption, OsImageError> {
    let text = text.trim();
    Ok(OsImageOption::Policy(Box::new(match text {
        "lock" => return Ok(OsImageOption::Lock),
        "known" => OsImagePolicy::Known,
        "unchecked" => OsImagePolicy::Unchecked,
        _ if text.contains('=') => OsImagePolicy::Tuple(parse_tuple(text)?),
        _ => match parse_user_hex::<32>(text) {
            Ok(hash) => OsImagePolicy::Row(row_of(&hash, reference)?),
            Err(_) => return Err(OsImageError::Form(text.chars().take(80).collect())),
        },
    })))
}

fn row_of(hash: &[u8; 32], reference: &ReferenceValues) -> Result<Arc<OsImageRow>, OsImageError> {
    let row = reference
        .image_by_hash(hash)
        .ok_or_else(|| OsImageError::UnknownHash(hex::encode(hash)))?;
    if row.class != OsClass::Production {
        return Err(OsImageError::NotProduction(row.name.to_string()));
    }
    Ok(Arc::clone(row))
}

fn parse_tuple(text: &str) -> Result<OsTuple, OsImageError> {
    let mut registers: [Option<[u8; 48]>; 4] = [None; 4];
    const NAMES: [&str; 4] = ["mrtd", "rtmr0", "rtmr1", "rtmr2"];
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let bad = |problem: String| OsImageError::Register {
            register: name.chars().take(16).collect(),
            problem,
        };
        let slot = NAMES
            .iter()
            .zip(&mut registers)
            .find_map(|(known, slot)| known.eq_ignore_ascii_case(name.trim()).then_some(slot))
            .ok_or_else(|| bad("is unknown; mrtd, rtmr0, rtmr1 and rtmr2 are needed".to_owned()))?;
        if slot.is_some() {
            return Err(bad("is given twice".to_owned()));
        }
        *slot = Some(parse_user_hex(value).map_err(|error| bad(error.to_string()))?);
    }
    let missing = NAMES
        .iter()
        .zip(&registers)
        .find(|(_, value)| value.is_none())
        .map(|(name, _)| (*name).to_owned());
    match (registers, missing) {
        ([Some(mrtd), Some(rtmr0), Some(rtmr1), Some(rtmr2)], _) => Ok(OsTuple {
            mrtd,
            rtmr: [rtmr0, rtmr1, rtmr2],
        }),
        (_, missing) => Err(OsImageError::Register {
            register: missing.unwrap_or_default(),
            problem: "is missing; mrtd, rtmr0, rtmr1 and rtmr2 are needed".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_understood_and_each_mistake_is_named() {
        assert!(matches!(parse_os_image("lock"), Ok(OsImageOption::Lock)));
        let policy = |text: &str| match parse_os_image(text) {
            Ok(OsImageOption::Policy(policy)) => Some(*policy),
            _ => None,
        };
        assert!(matches!(policy("known"), Some(OsImagePolicy::Known)));
        assert!(matches!(parse_os_image("latest"), Err(OsImageError::Form(_))));
        assert!(matches!(
            parse_os_image(&"0".repeat(64)),
            Err(OsImageError::UnknownHash(_))
        ));
        let dev = "7d47512fda31dc5a7318f72ae1869a3c76323981eea21fc30cafd0f79668642c";
        assert_eq!(
            parse_os_image(dev).unwrap_err(),
            OsImageError::NotProduction("dstack-dev-0.5.8".to_owned())
        );
        let prod = "0X6427F4F5DED88B72D326BD973E581C1689C5080C6444A0CF90FEC7D9E4C8B92A";
        assert!(matches!(policy(prod), Some(OsImagePolicy::Row(_))));
        let register = "ab".repeat(48);
        let tuple = format!("mrtd={register},rtmr0={register},rtmr1={register},rtmr2={register}");
        assert!(matches!(policy(&tuple), Some(OsImagePolicy::Tuple(_))));
        for bad in [
            format!("mrtd={register}"),
            format!("{tuple},mrtd={register}"),
            "mrtd=xx".to_owned(),
            "rtmr3=00".to_owned(),
        ] {
            assert!(
                matches!(parse_os_image(&bad), Err(OsImageError::Register { .. })),
                "{bad}"
            );
        }
    }
}
