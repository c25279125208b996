//! `[tls]`: how the VM bound the TLS key of its address when the lock was taken.

use super::keyed_section::{self, in_section};
use super::said::OBSERVED;
use super::{LockMistake, LockProblem};
use crate::evidence::parse_user_hex_up_to;
use crate::policy::{LockedBinding, TlsBinding};
use crate::toml_text::literal::quoted;
use crate::toml_text::{FoundMistakes, TomlEntry, TomlTable};
use crate::verify::{BindingMode, BoundChannel, Claims, Issuer};

/// Most bytes of a SubjectPublicKeyInfo in a lock. That of P-256 has 91.
const MAX_KEY: usize = 1024;

/// How the VM bound the TLS key of its address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockedTls {
    /// In which way: never `auto`.
    pub binding: Option<TlsBinding>,
    /// The key at the end of the certificate's chain: the KMS's SubjectPublicKeyInfo, DER in hex, lower case.
    pub kms: Option<String>,
}

/// The keys of the section, in the order of the file, and what a change of each means.
pub(super) const KEYS: keyed_section::Keys<2> = [
    (
        "tls.binding",
        "the VM binds the TLS key of its address in another way",
    ),
    ("tls.kms", "another KMS issued the certificate of the address"),
];

/// The line that begins the section.
pub(super) const SECTION: &str = "[tls]";

pub(super) const HEADER: &str = "
# Who serves the address: how the VM bound its TLS key (ratls, app-key or ingress), and the KMS key that its certificate chains
# up to. `verify` requires both of a connection to the app.
[tls]
";

impl LockedTls {
    /// What is proven of the live connection; nothing of a recording.
    pub(super) fn of(claims: &Claims) -> Self {
        let Some(tls) = &claims.tls else {
            return Self::default();
        };
        let binding = match (&tls.ra_tls, &tls.app_key, &tls.ingress) {
            (Ok(_), _, _) => TlsBinding::RaTls,
            (_, Ok(_), _) => TlsBinding::AppKey,
            (_, _, Ok(_)) => TlsBinding::Ingress,
            _ => return Self::default(),
        };
        let bound = tls.ra_tls.as_ref().map(BoundChannel::mode);
        let is_chained = bound == Ok(BindingMode::RaTls(Issuer::Kms));
        let kms = claims.boot.as_ref().ok().filter(|_| is_chained);
        Self {
            binding: Some(binding),
            kms: kms.map(|boot| boot.key_provider().id.to_ascii_lowercase()),
        }
    }

    /// The values in the order of [`KEYS`], as text.
    pub(super) fn values(&self) -> [Option<String>; KEYS.len()] {
        [
            self.binding.map(|binding| binding.as_str().to_owned()),
            self.kms.clone(),
        ]
    }

    /// The section of the file.
    pub(super) fn write(&self) -> String {
        keyed_section::written(HEADER, KEYS, self.values(), |_, value| {
            format!("{} # {OBSERVED}", quoted(&value))
        })
    }

    /// Reads the section.
    pub(super) fn read(mut section: TomlTable<'_>, mistakes: &mut FoundMistakes<LockProblem>) -> Self {
        let kms = section.take("kms");
        let binding = section.take("binding");
        if binding.is_none() {
            mistakes.note(section.missing("binding", LockProblem::Missing));
        }
        let binding = binding.and_then(|entry| mistakes.keep(mode(&entry)));
        if let (Some(entry), Some(binding)) = (&kms, binding)
            && binding != TlsBinding::RaTls
        {
            mistakes.note(entry.error(LockProblem::KmsWithoutChain));
        }
        let locked = Self {
            binding,
            kms: kms.and_then(|entry| mistakes.keep(key(&entry))),
        };
        mistakes.add(section.finish(&in_section(KEYS)));
        locked
    }

    /// What a verification expects.
    pub(super) fn policy(&self) -> Option<LockedBinding> {
        Some(LockedBinding {
            mode: self.binding?,
            kms: self.kms.clone(),
        })
    }
}

fn mode(entry: &TomlEntry<'_>) -> Result<TlsBinding, LockMistake> {
    match entry.string()?.trim().parse() {
        Ok(TlsBinding::Auto) | Err(_) => Err(entry.error(LockProblem::TlsBinding)),
        Ok(mode) => Ok(mode),
    }
}

fn key(entry: &TomlEntry<'_>) -> Result<String, LockMistake> {
    parse_user_hex_up_to(entry.string()?, MAX_KEY)
        .map(hex::encode)
        .map_err(|error| entry.error(error.into()))
}
