//! Sigstore bundles beside an image, from the image's registry, bounded and unverified.
//!
//! A registry lists what refers to a digest (<https://github.com/opencontainers/distribution-spec>, referrers), or under the tag
//! `sha256-HEX` where it keeps no lists. Lists are hints: a bundle counts for what it proves. What the digest of the image
//! vouches for comes along: its index, and what BuildKit attests about the image.

pub mod challenge;
mod credentials;
pub mod referrers;
mod repository;
mod session;

use std::time::Duration;

use serde_json::value::RawValue;
use tokio::time::Instant;

use super::next_page::NextPage;
use super::{Found, StatementBudget};
use crate::net::Client;
use cvm_verify_core::evidence::{LookupProblem, LookupProblemKind as Kind, MAX_STATEMENTS, StatementSource};
use cvm_verify_core::verify::oci::{Index, MAX_DOCUMENT, provenance_layer};
use cvm_verify_core::verify::provenance::MAX_BUNDLE;
use referrers::{NamedManifest, candidates, named};
use repository::Repository;
use session::{RegistrySession, reference};

pub use credentials::{CredentialsError, REGISTRY_CREDENTIALS, RegistryCredentials};

/// Endings of the tags under which cosign kept signatures before version 3.
const LEGACY: [&str; 2] = ["sig", "att"];
/// Most pages of a list that are read. A page that says nothing costs a request, too.
const MAX_PAGES: usize = 8;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct InRegistry<'a> {
    /// The image's name, without tag and digest.
    pub image: &'a str,
    /// The digest by which it is pinned.
    pub digest: &'a [u8; 32],
    /// Whether statements about BuildKit's attestation are wanted.
    pub via_buildkit: bool,
    /// The user's credentials, by registry.
    pub credentials: &'a RegistryCredentials,
}

impl InRegistry<'_> {
    /// The address of the image's manifest, for people.
    #[must_use]
    pub fn shown(&self) -> Option<String> {
        let url = Repository::of(self.image)?.url("manifests", &reference(self.digest))?;
        Some(url.into())
    }

    /// Asks, within this time. One attempt; what went wrong says whether another may help.
    pub async fn fetch(&self, client: &Client, time: Duration, budget: StatementBudget) -> Found {
        let mut found = Found::new(StatementSource::Registry, budget);
        let Some(repository) = Repository::of(self.image) else {
            found.problem = Some(LookupProblem {
                kind: Kind::MalformedAnswer,
                detail: "the image's name is not one that a registry can have".to_owned(),
            });
            return found;
        };
        let login = self.credentials.of(repository.registry());
        let mut session = RegistrySession::new(client, &repository, login, Instant::now() + time);
        if let Err(problem) = self.all(&mut session, &mut found).await {
            found.problem.get_or_insert(problem);
        }
        found
    }

    async fn all(&self, session: &mut RegistrySession<'_>, found: &mut Found) -> Result<(), LookupProblem> {
        let subjects = self.subjects(session, found).await?;
        for subject in &subjects {
            about(session, subject, found).await?;
        }
        if found.bundles.is_empty() && found.problem.is_none() {
            for ending in LEGACY {
                let tag = format!("{}.{ending}", tag(self.digest));
                found.legacy_signature |= session.has_tag(&tag).await?;
            }
        }
        Ok(())
    }

    /// What a statement may be about: the image, the manifest in its index for the guest's platform, BuildKit's attestation.
    async fn subjects(
        &self,
        session: &mut RegistrySession<'_>,
        found: &mut Found,
    ) -> Result<Vec<[u8; 32]>, LookupProblem> {
        let mut subjects = vec![*self.digest];
        let Some(document) = session.manifest(self.digest, MAX_DOCUMENT).await? else {
            found.problem = Some(session.not_shown());
            return Ok(subjects);
        };
        let Some(index) = Index::read(&document) else {
            return Ok(subjects);
        };
        found.add_document(document)?;
        subjects.push(index.image);
        if let (true, Some(attestation)) = (self.via_buildkit, index.attestation)
            && let Some(manifest) = session.manifest(&attestation, MAX_DOCUMENT).await?
        {
            if let Some(layer) = provenance_layer(&manifest) {
                let layer = session.blob(&layer, MAX_DOCUMENT).await?;
                found.add_document(manifest)?;
                found.add_document(layer)?;
            }
            subjects.push(attestation);
        }
        Ok(subjects)
    }
}

/// What a registry lists of a subject.
#[derive(Debug, Default)]
struct ListedManifests {
    digests: Vec<[u8; 32]>,
    /// Why some may be missing.
    problem: Option<LookupProblem>,
}

/// The bundles about one subject.
async fn about(
    session: &mut RegistrySession<'_>,
    subject: &[u8; 32],
    found: &mut Found,
) -> Result<(), LookupProblem> {
    let ListedManifests { digests, problem } = listed(session, subject).await?;
    if let Some(problem) = problem {
        found.problem.get_or_insert(problem);
    }
    for manifest in digests {
        if found.bundles.len() >= MAX_STATEMENTS {
            return Err(LookupProblem::too_many(StatementSource::Registry));
        }
        // One wrong entry hides no other, and is not forgotten.
        match bundle(session, &manifest, subject).await {
            Ok(Some(bundle)) => found.add_bundle(bundle)?,
            Ok(None) => {}
            Err(problem) if problem.kind == Kind::MalformedAnswer => {
                found.problem.get_or_insert(problem);
            }
            Err(problem) => return Err(problem),
        }
    }
    Ok(())
}

/// What may be bundles about a digest: from the list of referrers, and where that is empty or missing, from the tag.
async fn listed(
    session: &mut RegistrySession<'_>,
    subject: &[u8; 32],
) -> Result<ListedManifests, LookupProblem> {
    if let Some(first) = session.referrers(&reference(subject), MAX_DOCUMENT).await? {
        let mut found = ListedManifests::default();
        found.add(session, &first.body)?;
        let mut next = first.next;
        for _ in 1..MAX_PAGES {
            let NextPage::At(url) = &next else { break };
            if found.problem.is_some() {
                break;
            }
            let page = session.further(url, MAX_DOCUMENT).await?;
            found.add(session, &page.body)?;
            next = page.next;
        }
        let cut = match next {
            NextPage::None => None,
            NextPage::At(_) => Some(LookupProblem::too_many(StatementSource::Registry)),
            NextPage::Elsewhere => {
                Some(session.malformed("names something else as the next page of its list of referrers"))
            }
        };
        found.problem = found.problem.or(cut);
        if found.problem.is_some() || !found.digests.is_empty() {
            return Ok(found);
        }
    }
    let tag = tag(subject);
    if !session.has_tag(&tag).await? {
        return Ok(ListedManifests::default());
    }
    match session.tagged(&tag, MAX_DOCUMENT).await? {
        Some(response) => {
            let mut found = ListedManifests::default();
            found.add(session, &response.body)?;
            Ok(found)
        }
        None => Ok(ListedManifests::default()),
    }
}

impl ListedManifests {
    /// What a page lists, each once.
    fn add(&mut self, session: &RegistrySession<'_>, page: &[u8]) -> Result<(), LookupProblem> {
        let listed = candidates(page);
        let listed = listed
            .ok_or_else(|| session.malformed("answers with something else than a list of manifests"))?;
        for digest in listed {
            if self.digests.contains(&digest) {
                continue;
            }
            if self.digests.len() >= MAX_STATEMENTS {
                self.problem = Some(LookupProblem::too_many(StatementSource::Registry));
                break;
            }
            self.digests.push(digest);
        }
        Ok(())
    }
}

/// The bundle of a manifest that a list names, if it is one.
async fn bundle(
    session: &mut RegistrySession<'_>,
    manifest: &[u8; 32],
    subject: &[u8; 32],
) -> Result<Option<Box<RawValue>>, LookupProblem> {
    let Some(text) = session.manifest(manifest, MAX_DOCUMENT).await? else {
        return Err(session.malformed("lists a manifest that it does not have"));
    };
    let digest = match named(&text, subject) {
        Some(NamedManifest::Bundle(digest)) => digest,
        Some(NamedManifest::Other) => return Ok(None),
        Some(NamedManifest::OtherSubject) => {
            return Err(session.malformed("lists a manifest that is about another digest"));
        }
        None => return Err(session.malformed("lists something that is not a manifest")),
    };
    let text = session.blob(&digest, MAX_BUNDLE).await?;
    let bundle = RawValue::from_string(text);
    bundle
        .map(Some)
        .map_err(|_| session.malformed("holds a bundle that is not JSON"))
}

/// The tag under which a registry without lists keeps what refers to a digest.
fn tag(digest: &[u8; 32]) -> String {
    format!("sha256-{}", hex::encode(digest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::loopback;

    async fn asked(url: &url::Url, time: Duration) -> Found {
        let image = format!("127.0.0.1:{}/example/web", url.port().unwrap());
        let asked = InRegistry {
            image: &image,
            digest: &[1; 32],
            via_buildkit: true,
            credentials: &RegistryCredentials::default(),
        };
        asked
            .fetch(&loopback::client(), time, StatementBudget::default())
            .await
    }

    #[tokio::test]
    async fn a_registry_that_hangs_costs_the_time_that_it_has() {
        let url = loopback::raw(|_, stream| async move {
            tokio::time::sleep(Duration::from_secs(60)).await;
            drop(stream);
        });
        let problem = asked(&url.await, Duration::from_millis(200))
            .await
            .problem
            .unwrap();
        assert_eq!(problem.kind, Kind::Unreachable);
        assert!(problem.detail.contains("no answer in time"), "{}", problem.detail);
    }

    #[tokio::test]
    async fn what_is_larger_than_the_limit_is_not_read() {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", MAX_DOCUMENT + 1);
        let url = loopback::bytes(head).await;
        let problem = asked(&url, Duration::from_secs(5)).await.problem.unwrap();
        assert_eq!(problem.kind, Kind::MalformedAnswer);
    }

    #[tokio::test]
    async fn what_is_no_name_of_an_image_is_not_asked_for() {
        let asked = InRegistry {
            image: "ghcr.io/../web",
            digest: &[1; 32],
            via_buildkit: false,
            credentials: &RegistryCredentials::default(),
        };
        let found = asked
            .fetch(
                &loopback::client(),
                Duration::from_secs(5),
                StatementBudget::default(),
            )
            .await;
        assert_eq!(found.problem.unwrap().kind, Kind::MalformedAnswer);
        assert_eq!(asked.shown(), None);
    }
}
