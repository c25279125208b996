//! What the value of a key may be.

use crate::address::{AddressProblem, parse_address, shown_text};
use crate::config::Interval;
use cvm_verify_core::evidence::parse_user_hex;
use cvm_verify_core::policy::{
    GpuModel, KeyProviders, KmsHost, Origin, OsImageError, PlatformId, SecondHash, TcbException, WrittenRule,
    parse_os_image,
};
use cvm_verify_core::report::{MAX_NAME, RequiredAssurance, is_name};
use cvm_verify_core::toml_text::literal::{one_line, quoted};

/// Most entries of a list.
pub(super) const MAX_LIST: usize = 100;

/// What the names of environment variables begin with that are looked at.
const VARIABLE_PREFIX: &str = "CVM_VERIFY_";

/// What the value of a key may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueShape {
    /// A target's name.
    Name,
    /// An address, https.
    Url,
    /// A file, relative to the policy file.
    Path,
    /// Hex of so many bytes.
    Hex(usize),
    /// Hex of 1 to so many bytes.
    HexUpTo(usize),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// What `--also-compose-hash` takes.
    SecondHash,
    /// What `--os-image` takes.
    OsImage,
    /// What `--key-provider` takes.
    KeyProvider,
    /// A list of what `--accept-tcb` takes.
    TcbExceptions,
    /// Blocks of `[[target.images]]`.
    Images,
    /// `OWNER/NAME`.
    SourceRepository,
    /// A workflow file.
    SourceWorkflow,
    /// A list of refs.
    SourceRefs,
    /// A commit.
    SourceCommit,
    /// A list of files, relative to the policy file.
    Paths,
    /// A list of hex of 20 bytes.
    InstanceIds,
    /// A list of what `--platform-id` takes.
    PlatformIds,
    /// A list of what `--gpu-model` takes.
    GpuModels,
    /// A list of addresses of 20 bytes.
    Addresses,
    /// A list of hosts of KMSs.
    KmsHosts,
    /// A list of hashes of 32 bytes.
    Hashes,
    /// 32 bytes of hex, or 20.
    Key,
    /// A domain name.
    Domain,
    /// A whole number from one to another.
    Number(u64, u64),
    /// What `--require-assurance` takes.
    Assurance,
    /// What `--interval` takes.
    Interval,
    /// The path of an endpoint, that begins with a slash.
    Endpoint,
    /// The name of an environment variable.
    Variable,
}

/// What is wrong with a value: goes on after the key's name, without a full stop.
pub(super) type ValueProblem = String;

impl ValueShape {
    /// A number that fits into 32 bits.
    pub(super) const U32: Self = Self::Number(0, 0xFFFF_FFFF);
    /// The number of a chain (EIP-155). TOML's numbers end here.
    pub(super) const CHAIN_ID: Self = Self::Number(1, 0x7FFF_FFFF_FFFF_FFFF);

    /// Whether it is a list of texts.
    pub(crate) fn is_list(self) -> bool {
        matches!(
            self,
            Self::TcbExceptions
                | Self::InstanceIds
                | Self::PlatformIds
                | Self::Images
                | Self::SourceRefs
                | Self::Paths
                | Self::GpuModels
                | Self::Addresses
                | Self::KmsHosts
                | Self::Hashes
        )
    }

    /// Judges a text, or a number in decimal.
    pub(super) fn check(self, text: &str) -> Result<(), ValueProblem> {
        if text.trim().is_empty() {
            return Err("is empty".to_owned());
        }
        match self {
            Self::Name if is_name(text) => Ok(()),
            Self::Name => Err(format!("is {}, which is not a name for a target", shown(text))),
            Self::Url => url(text),
            Self::Images => images_block(text),
            Self::SourceRepository => rule(|rule| rule.repository = Some(text.to_owned())),
            Self::SourceWorkflow => rule(|rule| rule.workflow = Some(text.to_owned())),
            Self::SourceRefs => rule(|rule| rule.refs = vec![text.to_owned()]),
            Self::SourceCommit => rule(|rule| rule.commits = vec![text.to_owned()]),
            Self::Path | Self::Paths if text.contains('\0') => Err("is not a path".to_owned()),
            Self::Path | Self::Paths => Ok(()),
            Self::Hex(32) => hex::<32>(text),
            Self::Hex(_) => hex::<20>(text),
            Self::HexUpTo(limit) => hex_up_to(text, limit),
            Self::Choice(words) if words.contains(&text) => Ok(()),
            Self::Choice(_) => Err(format!("is {}, which is none of its values", shown(text))),
            Self::SecondHash => checked(text.parse::<SecondHash>()),
            // A file of reference values, which the policy may name, can know more images and services.
            Self::OsImage => match parse_os_image(text) {
                Err(OsImageError::Form(_)) if may_be_a_name(text) => Ok(()),
                other => checked(other),
            },
            Self::KeyProvider => match text.parse::<KeyProviders>() {
                Err(error) if error.may_be_a_name() => Ok(()),
                other => checked(other),
            },
            Self::TcbExceptions => checked(text.parse::<TcbException>()),
            Self::InstanceIds | Self::Addresses => hex::<20>(text),
            Self::KmsHosts => checked(text.parse::<KmsHost>()),
            Self::Hashes => hex::<32>(text),
            Self::PlatformIds => checked(text.parse::<PlatformId>()),
            Self::GpuModels => checked(text.parse::<GpuModel>()),
            Self::Key => hex::<20>(text).or_else(|_| hex::<32>(text)),
            Self::Domain => checked(url::Host::parse(text)),
            Self::Number(least, most) => match text.parse::<u64>() {
                Ok(number) if (least..=most).contains(&number) => Ok(()),
                _ => Err(format!("is not a whole number from {least} to {most}")),
            },
            Self::Assurance => checked(text.parse::<RequiredAssurance>()),
            Self::Interval if text.parse::<Interval>().is_ok() => Ok(()),
            Self::Interval => Err(format!("is {}, which is not a time from 10s to 7d", shown(text))),
            Self::Endpoint if text.starts_with('/') => Ok(()),
            Self::Endpoint => Err(format!("is {}, which does not begin with a slash", shown(text))),
            Self::Variable => variable(text),
        }
    }

    /// What to write instead, a phrase after "write".
    pub(super) fn form(self) -> String {
        match self {
            Self::Name => format!("1 to {MAX_NAME} letters, digits, `.`, `_` and `-`, as \"shop\""),
            Self::Url => "the whole address, as \"https://shop.example\"".to_owned(),
            Self::Path => "a path in quotes, relative to this file".to_owned(),
            Self::Paths => "a list of paths, as [\"web.sigstore.json\"]".to_owned(),
            Self::Images => {
                "a block [[target.images]] for each rule, with `image` and `repository`".to_owned()
            }
            Self::SourceRepository => "the repository, as \"example/shop\"".to_owned(),
            Self::SourceWorkflow => "the workflow file, as \".github/workflows/release.yml\"".to_owned(),
            Self::SourceRefs => "a list, as [\"refs/tags/*\"]".to_owned(),
            Self::SourceCommit => "the 40 hex digits of the commit, in quotes".to_owned(),
            Self::Hex(bytes) => format!("{} hex digits in quotes", bytes * 2),
            Self::HexUpTo(bytes) => format!("2 to {} hex digits in quotes", bytes * 2),
            Self::Choice(words) => one_of(words),
            Self::SecondHash => "64 hex digits and a day, as \"HEX:until=2026-12-31\"".to_owned(),
            Self::OsImage => {
                "\"known\", \"lock\", \"unchecked\", an os_image_hash or the four registers".to_owned()
            }
            Self::KeyProvider => "\"NAME:HEXID\" or a known KMS, as \"phala\"".to_owned(),
            Self::TcbExceptions => "a list, as [\"OutOfDate:until=2026-12-31\"]".to_owned(),
            Self::InstanceIds => "a list of 40 hex digits each, as [\"b1b1…\"]".to_owned(),
            Self::PlatformIds => "a list of 64 or 12 hex digits each, as [\"b0c06f000000\"]".to_owned(),
            Self::GpuModels => "a list of chips, as [\"GH100\"]".to_owned(),
            Self::Addresses => "a list of addresses, as [\"0x0707…\"]".to_owned(),
            Self::KmsHosts => "a list of hosts, as [\"kms.example\"]".to_owned(),
            Self::Hashes => "a list of 64 hex digits each, as [\"5070…\"]".to_owned(),
            Self::Key => "64 hex digits in quotes, or 40".to_owned(),
            Self::Domain => "a domain, as \"gateway.example\"".to_owned(),
            Self::Number(..) => "a whole number without quotes, such as 20".to_owned(),
            Self::Assurance => {
                "\"hardware\", \"code\", \"code+endpoint\", \"code+source\" or \"code+endpoint+source\""
                    .to_owned()
            }
            Self::Interval => "a number with its unit in quotes, as \"5m\"".to_owned(),
            Self::Endpoint => "a path, as \"/attestation\"".to_owned(),
            Self::Variable => {
                format!("the name of an environment variable that begins with {VARIABLE_PREFIX}, or \"none\"")
            }
        }
    }
}

/// The start of a text in quotes, fit for a terminal.
pub(super) fn shown(text: &str) -> String {
    quoted(&text.chars().take(60).collect::<String>())
}

/// `"a", "b" or "c"`.
fn one_of(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => format!("\"{one}\""),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(|word| format!("\"{word}\"")).collect();
            format!("{} or \"{last}\"", first.join(", "))
        }
    }
}

/// What a value's own parser says.
fn checked<T, E: std::fmt::Display>(parsed: Result<T, E>) -> Result<(), ValueProblem> {
    let refused = |error: E| format!("is refused: {}", one_line(&error.to_string()));
    parsed.map(drop).map_err(refused)
}

/// Judges a rule that is right otherwise.
fn rule(change: impl Fn(&mut WrittenRule)) -> Result<(), ValueProblem> {
    let mut written = WrittenRule {
        image: "*".to_owned(),
        repository: Some("any/any".to_owned()),
        ..WrittenRule::default()
    };
    change(&mut written);
    let judged = written.rule(Origin::Option("--images"));
    judged.map(drop).map_err(|error| error.problem)
}

/// A block as JSON.
fn images_block(text: &str) -> Result<(), ValueProblem> {
    let written: WrittenRule = json_problem(serde_json::from_str(text))?;
    checked(written.rule(Origin::Option("--images")))
}

fn json_problem<T>(parsed: Result<T, serde_json::Error>) -> Result<T, ValueProblem> {
    parsed.map_err(|error| {
        let text = error.to_string();
        let text = text.split(" at line ").next().unwrap_or_default();
        format!("is refused: {}", one_line(text))
    })
}

fn hex<const N: usize>(text: &str) -> Result<(), ValueProblem> {
    parse_user_hex::<N>(text)
        .map(drop)
        .map_err(|error| error.to_string())
}

fn hex_up_to(text: &str, limit: usize) -> Result<(), ValueProblem> {
    cvm_verify_core::evidence::parse_user_hex_up_to(text, limit)
        .map(drop)
        .map_err(|error| error.to_string())
}

fn url(text: &str) -> Result<(), ValueProblem> {
    let shown = || shown(shown_text(text));
    parse_address(text).map(drop).map_err(|problem| match problem {
        AddressProblem::Empty => "is empty".to_owned(),
        AddressProblem::WhiteSpace => format!("is {}, which holds white space", shown()),
        AddressProblem::NoScheme => format!("is {}, which is not a URL", shown()),
        AddressProblem::NotAUrl(error) => format!("is {}, which is not a URL: {error}", shown()),
        AddressProblem::NotHttps => format!("is {}, which is not an https URL", shown()),
        AddressProblem::PlainHttp => format!(
            "is {}, and over plain http any host on the way could answer",
            shown()
        ),
        AddressProblem::Credentials => {
            "holds a name or a password, and this file must not hold a secret".to_owned()
        }
    })
}

/// What looks like a secret is not repeated.
fn variable(text: &str) -> Result<(), ValueProblem> {
    let is_variable = text.strip_prefix(VARIABLE_PREFIX).is_some_and(|rest| {
        (1..=MAX_NAME).contains(&rest.len())
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    });
    match text {
        "none" => Ok(()),
        _ if is_variable => Ok(()),
        _ if text.contains("://") => Err("holds a URL, and this file must not hold a secret".to_owned()),
        _ => Err("is not the name of a variable that cvm-verify looks at".to_owned()),
    }
}
/// Whether a text could be the name of an image that a user's file of reference values adds.
fn may_be_a_name(text: &str) -> bool {
    text.contains('-')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}
