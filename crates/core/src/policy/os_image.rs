//! Which OS images are accepted.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::expected::Expected;
use super::known_by::KnownBy;
use super::lock_origin::LockOrigin;
use super::tcb::{MAX_EXCEPTION_DAYS, end_of_day, is_too_far};
use super::vulnerable_acceptance::VulnerableAcceptance;
use crate::evidence::parse_user_hex;
use crate::reference::{OsImageRow, ReferenceValues, ReleaseVersion};
use crate::verify::MeasuredImage;

/// Which OS images are accepted.
#[derive(Debug, Clone)]
pub enum OsImagePolicy {
    /// Any production row of the built-in table, with a listed RTMR0.
    Known,
    /// One published image.
    Published(PublishedImage),
    /// Exact registers, from the command line.
    Tuple(OsTuple),
    /// Exact registers, from a lock.
    Lock {
        /// The registers.
        tuple: OsTuple,
        /// Until when, and as what, an image with a published vulnerability is accepted.
        vulnerable: Option<VulnerableAcceptance>,
        /// How the image was known when it was locked.
        known_by: Option<KnownBy>,
        /// What was accepted in writing of another RTMR0 than the one that was locked before, one sentence.
        acpi_change: Option<String>,
        /// Whether it accepts in writing that the image is a development image.
        accepts_development: bool,
        /// The lock.
        lock: LockOrigin,
    },
    /// The registers of an image from a lock that does not hold RTMR0 yet.
    LockedImage {
        /// The registers.
        registers: ImageRegisters,
        /// Until when, and as what, an image with a published vulnerability is accepted.
        vulnerable: Option<VulnerableAcceptance>,
        /// How the image was known when it was locked.
        known_by: Option<KnownBy>,
        /// Whether it accepts in writing that the image is a development image.
        accepts_development: bool,
        /// The lock.
        lock: LockOrigin,
    },
    /// Waived in writing.
    Unchecked,
}

/// RTMR0 of a lock, beside an OS image that is expected in another way: a VM shape with ACPI tables that somebody reviewed.
#[derive(Debug, Clone)]
pub struct LockedShape {
    /// RTMR0, 48 bytes.
    pub rtmr0: Expected<[u8; 48]>,
    /// What was accepted in writing of another RTMR0 than the one that was locked before, one sentence.
    pub acpi_change: Option<String>,
}

/// An image that the user named, by its published hash or its official name.
#[derive(Debug, Clone)]
pub struct PublishedImage {
    /// SHA-256 of the image's checksum file, as its release page shows it; 32 bytes.
    pub os_image_hash: [u8; 32],
    /// What is known of it; absent if the hash is in no row.
    pub row: Option<Arc<OsImageRow>>,
    /// Whether it was named by the name of the row, which says the hash.
    pub is_by_name: bool,
    /// Until when it is accepted although it has a published vulnerability, Unix seconds.
    pub vulnerable_until: Option<u64>,
    /// What its files were measured as, where the user gave them.
    pub files: Option<Arc<MeasuredFiles>>,
}

/// The files of an image that the user gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeasuredFiles {
    /// What they are measured as.
    pub image: MeasuredImage,
    /// Where they are.
    pub path: String,
}

/// The registers that identify an OS image, whatever the shape of the VM. 48 bytes each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageRegisters {
    /// MRTD.
    pub mrtd: [u8; 48],
    /// RTMR1.
    pub rtmr1: [u8; 48],
    /// RTMR2.
    pub rtmr2: [u8; 48],
}

impl PublishedImage {
    /// The image of files that the user gave.
    #[must_use]
    pub fn of_files(files: MeasuredFiles, reference: &ReferenceValues) -> Self {
        let os_image_hash = files.image.os_image_hash;
        Self {
            os_image_hash,
            row: reference.image_by_hash(&os_image_hash).cloned(),
            is_by_name: false,
            vulnerable_until: None,
            files: Some(Arc::new(files)),
        }
    }

    /// The version that its row has or, without one, that its files name.
    #[must_use]
    pub fn version(&self) -> Option<Cow<'_, ReleaseVersion>> {
        let of_row = self.row.as_ref().and_then(|row| row.version.as_ref());
        let of_files = || self.files.as_ref()?.image.version.parse().ok();
        of_row.map(Cow::Borrowed).or_else(|| of_files().map(Cow::Owned))
    }

    /// With its files.
    ///
    /// # Errors
    /// [`OsImageError::OtherFiles`]: they are those of another image.
    pub fn with_files(self, files: MeasuredFiles) -> Result<Self, OsImageError> {
        if files.image.os_image_hash != self.os_image_hash {
            return Err(OsImageError::OtherFiles {
                path: files.path,
                found: hex::encode(files.image.os_image_hash),
                named: self.to_string(),
            });
        }
        Ok(Self {
            files: Some(Arc::new(files)),
            ..self
        })
    }

    /// Whether the files that the user gave say that it is a development image.
    #[must_use]
    pub fn is_development(&self) -> bool {
        self.files
            .as_ref()
            .is_some_and(|files| files.image.is_development)
    }

    /// Refuses an end that is too far ahead of the time that is judged at, Unix seconds.
    ///
    /// # Errors
    /// [`OsImageError::TooFar`].
    pub fn check_end(&self, at: u64) -> Result<(), OsImageError> {
        match self.vulnerable_until {
            Some(until) if is_too_far(until, at) => Err(OsImageError::TooFar),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for PublishedImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.row {
            Some(row) => f.write_str(row.name.as_str()),
            None => f.write_str(&hex::encode(self.os_image_hash)),
        }
    }
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
        "{0:?} is none of: lock, known, unchecked, the name of an image (cvm-verify reference os-images), an os_image_hash (64 hex \
         digits, from the release page), HASH:until=YYYY-MM-DD, mrtd=HEX,rtmr0=HEX,rtmr1=HEX,rtmr2=HEX"
    )]
    Form(String),
    /// A date that is none.
    #[error("{0:?} is not a date: write until=YYYY-MM-DD")]
    Until(String),
    /// Files of another image than the named one.
    #[error("the files in {path} are those of the image {found}, not of {named}")]
    OtherFiles {
        /// Where they are.
        path: String,
        /// Hex of their hash.
        found: String,
        /// The named image.
        named: String,
    },
    /// Files beside an expectation that they cannot serve.
    #[error(
        "the files of an image say which one is expected: leave `os-image` out, or name the image by its hash or its name"
    )]
    NeedlessFiles,
    /// An end that is too far ahead.
    #[error("the image is accepted for at most {MAX_EXCEPTION_DAYS} days ahead")]
    TooFar,
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
        _ => match parse_published(text, reference)? {
            Some(named) => OsImagePolicy::Published(named),
            None if text.contains('=') => OsImagePolicy::Tuple(parse_tuple(text)?),
            None => return Err(OsImageError::Form(text.chars().take(80).collect())),
        },
    })))
}

/// `HASH`, `NAME`, or one of them with `:until=DATE`.
fn parse_published(text: &str, reference: &ReferenceValues) -> Result<Option<PublishedImage>, OsImageError> {
    let (name, until) = match text.split_once(":until=") {
        Some((name, date)) => (name, Some(date)),
        None => (text, None),
    };
    let (os_image_hash, row, is_by_name) = match parse_user_hex::<32>(name) {
        Ok(hash) => (hash, reference.image_by_hash(&hash), false),
        Err(_) => match reference.image_by_name(name) {
            Some((hash, row)) => (hash, Some(row), true),
            None => return Ok(None),
        },
    };
    let vulnerable_until = until
        .map(|date| end_of_day(date).ok_or_else(|| OsImageError::Until(date.chars().take(20).collect())))
        .transpose()?;
    Ok(Some(PublishedImage {
        os_image_hash,
        row: row.cloned(),
        is_by_name,
        vulnerable_until,
        files: None,
    }))
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
        let unknown = "0".repeat(64);
        assert!(matches!(
            policy(&unknown),
            Some(OsImagePolicy::Published(PublishedImage {
                row: None,
                vulnerable_until: None,
                ..
            }))
        ));
        assert!(matches!(
            policy(&format!("{unknown}:until=2026-12-31")),
            Some(OsImagePolicy::Published(PublishedImage {
                vulnerable_until: Some(_),
                ..
            }))
        ));
        assert_eq!(
            parse_os_image(&format!("{unknown}:until=2026-02-30")).unwrap_err(),
            OsImageError::Until("2026-02-30".to_owned())
        );
        for named in [
            "0X6427F4F5DED88B72D326BD973E581C1689C5080C6444A0CF90FEC7D9E4C8B92A",
            "dstack-0.5.8",
        ] {
            assert!(
                matches!(policy(named), Some(OsImagePolicy::Published(image)) if image.to_string() == "dstack-0.5.8"),
                "{named}"
            );
        }
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
