//! Versions of OS images: `0.5.4.1`, `0.6.0-rc2`.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// Numbers of a version, at most.
const MAX_NUMBERS: usize = 6;

/// A version of an OS image: numbers, and the name of a pre-release. A pre-release comes before its release.
#[derive(Debug, Clone)]
pub struct ReleaseVersion {
    pub(super) numbers: Cow<'static, [u32]>,
    pub(super) pre_release: Option<Cow<'static, str>>,
}

/// A text that is not a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a version: numbers with dots between them, then `-` and the name of a pre-release where it is one"
)]
pub struct VersionError(String);

impl ReleaseVersion {
    /// A version of the built-in rows, which was read from their document.
    pub(super) const fn fixed(numbers: &'static [u32], pre_release: Option<&'static str>) -> Self {
        Self {
            numbers: Cow::Borrowed(numbers),
            pre_release: match pre_release {
                Some(name) => Some(Cow::Borrowed(name)),
                None => None,
            },
        }
    }

    /// Whether it is of a line: `0.6` is 0.6.0, its pre-releases and 0.6.1.
    #[must_use]
    pub(crate) fn is_of_line(&self, line: &Self) -> bool {
        self.numbers.starts_with(&line.numbers)
    }
}

impl FromStr for ReleaseVersion {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let error = || VersionError(text.chars().take(40).collect());
        let (numbers, pre_release) = match text.split_once('-') {
            Some((numbers, pre_release)) => (numbers, Some(pre_release)),
            None => (text, None),
        };
        let is_name = |name: &str| {
            (1..=32).contains(&name.len())
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
        };
        if pre_release.is_some_and(|name| !is_name(name)) {
            return Err(error());
        }
        let number = |text: &str| -> Option<u32> {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse().ok()).flatten()
        };
        let numbers: Option<Vec<u32>> = numbers.split('.').take(MAX_NUMBERS + 1).map(number).collect();
        match numbers {
            Some(numbers) if (2..=MAX_NUMBERS).contains(&numbers.len()) => Ok(Self {
                numbers: Cow::Owned(numbers),
                pre_release: pre_release.map(|name| Cow::Owned(name.to_owned())),
            }),
            _ => Err(error()),
        }
    }
}

impl TryFrom<String> for ReleaseVersion {
    type Error = VersionError;

    fn try_from(text: String) -> Result<Self, VersionError> {
        text.parse()
    }
}

impl Ord for ReleaseVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        let length = self.numbers.len().max(other.numbers.len());
        let padded = |version: &Self| -> Vec<u32> {
            let zeros = std::iter::repeat(0);
            version
                .numbers
                .iter()
                .copied()
                .chain(zeros)
                .take(length)
                .collect()
        };
        padded(self)
            .cmp(&padded(other))
            .then_with(|| match (&self.pre_release, &other.pre_release) {
                (None, None) => Ordering::Equal,
                (None, Some(_)) => Ordering::Greater,
                (Some(_), None) => Ordering::Less,
                (Some(one), Some(other)) => one.cmp(other),
            })
    }
}

impl PartialOrd for ReleaseVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for ReleaseVersion {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for ReleaseVersion {}

impl fmt::Display for ReleaseVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.numbers.iter().map(u32::to_string).collect();
        f.write_str(&numbers.join("."))?;
        match &self.pre_release {
            Some(name) => write!(f, "-{name}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(text: &str) -> ReleaseVersion {
        text.parse().expect("a version")
    }

    #[test]
    fn versions_are_in_the_order_of_their_releases() {
        let order = [
            "0.4.0",
            "0.5.3",
            "0.5.4",
            "0.5.4.1",
            "0.5.9",
            "0.5.13",
            "0.6.0-pre",
            "0.6.0-rc0",
            "0.6.0",
            "0.6.1",
        ];
        for pair in order.windows(2) {
            assert!(version(pair[0]) < version(pair[1]), "{pair:?}");
        }
        assert_eq!(version("0.6"), version("0.6.0"));
    }

    #[test]
    fn a_line_has_its_pre_releases_and_no_other_line() {
        let line = version("0.6");
        for (text, expected) in [
            ("0.6.0", true),
            ("0.6.0-rc1", true),
            ("0.6.12", true),
            ("0.5.16", false),
            ("0.60.0", false),
        ] {
            assert_eq!(version(text).is_of_line(&line), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_a_version_is_refused() {
        for text in [
            "",
            "1",
            "0.5.",
            ".5",
            "0.5.x",
            "0.5-",
            "v0.5.1",
            "0.5.1-rc 1",
            "0.5.-1",
            "99999999999.0",
            "1.2.3.4.5.6.7",
        ] {
            assert!(text.parse::<ReleaseVersion>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(text in "[0-9]{1,3}(\\.[0-9]{1,3}){1,3}(-[a-z0-9]{1,5})?") {
            let read = version(&text);
            prop_assert_eq!(version(&read.to_string()), read);
        }

        #[test]
        fn no_text_panics(text in ".{0,60}") {
            let _ = text.parse::<ReleaseVersion>();
        }
    }
}
