//! `[kms]`: where the KMS of the app answers, and the code that it ran when the lock was taken.

use std::collections::BTreeSet;

use super::LockProblem;
use super::keyed_section::{self, in_section, list};
use super::said::{Said, provenance_of};
use crate::evidence::MAX_KMS;
use crate::evidence::parse_user_hex;
use crate::policy::{Expected, KmsHost, KmsPolicy, LockOrigin};
use crate::toml_text::literal::{one_line, quoted};
use crate::toml_text::{FoundMistakes, TomlTable};
use crate::verify::Claims;
use crate::verify::kms::{KmsAnswer, KmsProblem};

/// The KMS that the app's keys come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockedKms {
    /// Where it answers; empty where that is not locked.
    pub hosts: Vec<KmsHost>,
    /// SHA-256 of the compose documents that it may run; empty where that is not locked.
    pub compose_hashes: Vec<[u8; 32]>,
}

/// Most compose documents of KMSs in a lock.
const MAX_HASHES: usize = 16;

/// The keys of the section, in the order of the file, and what a change of each means.
pub(super) const KEYS: keyed_section::Keys<2> = [
    ("kms.host", "the KMS is asked at another address"),
    (
        "kms.compose_hash",
        "the KMS runs other code: it decides who gets the app's keys",
    ),
];

/// The line that begins the section.
pub(super) const SECTION: &str = "[kms]";

const HEADER: &str = "
# The KMS that gives the app its keys. host: where it answers; several with commas between them. compose_hash: the code that it
# ran, one or several. Its operator can read the app's keys if this code allows it.
[kms]
";

impl LockedKms {
    /// What was proven of the KMSs that were asked for an app with these keys.
    ///
    /// # Errors
    /// Why one of them cannot be locked, a sentence without a full stop.
    pub fn of(answers: &[KmsAnswer<Claims>], key_provider_id: &str) -> Result<Self, String> {
        let mut locked = Self::default();
        let mut hashes = BTreeSet::new();
        for answer in answers {
            let host = answer.host();
            let refused = |why: &str| format!("the KMS at {host} {why}");
            let (kms, own) = answer.attested().map_err(|problem| match problem {
                KmsProblem::Unreachable(why) => refused(&format!("did not answer: {why}")),
                _ => format!("the server at {host} is not attested"),
            })?;
            if !answer.has_root(key_provider_id) {
                return Err(format!(
                    "the server at {host} has no certificate of the app's KMS, so it is not proven to be that KMS"
                ));
            }
            let meta = kms
                .meta()
                .map_err(|why| refused(&format!("answers about itself what cannot be read: {why}")))?;
            if meta.is_development() {
                return Err(refused(
                    "runs with rules for development and gives keys to any code",
                ));
            }
            let name = host
                .parse()
                .map_err(|_| refused("has no host name that a lock can hold"))?;
            locked.hosts.push(name);
            hashes.extend(own.boot.as_ref().ok().map(|boot| *boot.compose_hash()));
        }
        locked.compose_hashes = hashes.into_iter().collect();
        Ok(locked)
    }

    /// The values in the order of [`KEYS`], as text.
    pub(super) fn values(&self) -> [Option<String>; KEYS.len()] {
        let hosts: Vec<String> = self.hosts.iter().map(KmsHost::to_string).collect();
        let hashes: Vec<String> = self.compose_hashes.iter().map(hex::encode).collect();
        [hosts, hashes].map(|list| (!list.is_empty()).then(|| list.join(",")))
    }

    /// The section of the file.
    pub(super) fn write(&self, said: Said, known_images: &[String]) -> String {
        keyed_section::written(HEADER, KEYS, self.values(), |key, value| {
            let provenance = provenance_of(said.kms_host && key == "host");
            let images = known_images.iter().filter(|_| key == "compose_hash");
            let images: String = images.map(|text| format!("; {}", one_line(text))).collect();
            format!("{} # {provenance}{images}", quoted(&value))
        })
    }

    /// Reads the section.
    pub(super) fn read(mut section: TomlTable<'_>, mistakes: &mut FoundMistakes<LockProblem>) -> Self {
        let host = |text: &str| text.parse().map_err(|_| LockProblem::KmsHost);
        let hash = |text: &str| parse_user_hex(text).map_err(LockProblem::from);
        let hosts = section.read("host", mistakes, |entry| {
            list(entry, MAX_KMS, LockProblem::Repeated, host)
        });
        let hashes = section.read("compose_hash", mistakes, |entry| {
            list(entry, MAX_HASHES, LockProblem::Repeated, hash)
        });
        let kms = Self {
            hosts: hosts.unwrap_or_default(),
            compose_hashes: hashes.unwrap_or_default(),
        };
        mistakes.add(section.finish(&in_section(KEYS)));
        kms
    }

    /// Fills in what the policy leaves open.
    pub(super) fn apply(&self, lock: &LockOrigin, policy: KmsPolicy) -> KmsPolicy {
        KmsPolicy {
            hosts: policy.hosts.or_else(|| expected(&self.hosts, lock, "host")),
            compose_hashes: policy
                .compose_hashes
                .or_else(|| expected(&self.compose_hashes, lock, "compose_hash")),
            ..policy
        }
    }
}

fn expected<T: Clone>(values: &[T], lock: &LockOrigin, key: &str) -> Option<Expected<Vec<T>>> {
    (!values.is_empty()).then(|| Expected {
        value: values.to_vec(),
        origin: lock.key(&["kms", key]),
    })
}
