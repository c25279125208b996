//! What a source of statements has about an image, within the memory that a deployment may take.

use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use cvm_verify_core::evidence::{LookupProblem, LookupProblemKind, RecordedStatements, StatementSource};

/// Time for everything that one source is asked about one image.
pub const TIME: Duration = Duration::from_secs(30);

/// MiB of statements that are held for one deployment (docs/threats.md, T85). A bundle has about 12 KiB.
const MAX_HELD_MIB: usize = 64;

/// The memory that is left for the statements about the images of one deployment. Clones share it.
#[derive(Debug, Clone)]
pub struct StatementBudget(Arc<Semaphore>);

impl Default for StatementBudget {
    /// 64 MiB.
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_HELD_MIB * 1024 * 1024)))
    }
}

impl StatementBudget {
    /// Takes this many bytes, which come back when the permit is dropped.
    pub(crate) fn take(
        &self,
        source: StatementSource,
        bytes: usize,
    ) -> Result<OwnedSemaphorePermit, LookupProblem> {
        let taken = u32::try_from(bytes).ok();
        let taken = taken.and_then(|bytes| Arc::clone(&self.0).try_acquire_many_owned(bytes).ok());
        taken.ok_or_else(|| LookupProblem {
            kind: LookupProblemKind::TooManyStatements,
            detail: format!(
                "{} has more about it than is read: all statements about the images of a deployment may have {MAX_HELD_MIB} MiB \
                 together",
                source.words()
            ),
        })
    }
}

/// The bundles of a source, what vouches for their subjects, and why it may be that some are missing.
#[derive(Debug)]
pub struct Found {
    /// JSON as received.
    pub bundles: Vec<Box<RawValue>>,
    /// Documents of a registry that the digest of the image vouches for.
    pub documents: Vec<String>,
    /// Whether a registry has a signature of cosign's old format.
    pub legacy_signature: bool,
    /// What could not be had.
    pub problem: Option<LookupProblem>,
    source: StatementSource,
    budget: StatementBudget,
    /// What bundles and documents take of the budget, until they are dropped.
    held: Vec<OwnedSemaphorePermit>,
}

impl Found {
    /// Nothing yet of a source.
    #[must_use]
    pub const fn new(source: StatementSource, budget: StatementBudget) -> Self {
        Self {
            bundles: Vec::new(),
            documents: Vec::new(),
            legacy_signature: false,
            problem: None,
            source,
            budget,
            held: Vec::new(),
        }
    }

    pub(super) fn add_bundle(&mut self, bundle: Box<RawValue>) -> Result<(), LookupProblem> {
        self.hold(bundle.get().len())?;
        self.bundles.push(bundle);
        Ok(())
    }

    pub(super) fn add_document(&mut self, document: String) -> Result<(), LookupProblem> {
        self.hold(document.len())?;
        self.documents.push(document);
        Ok(())
    }

    fn hold(&mut self, bytes: usize) -> Result<(), LookupProblem> {
        self.held.push(self.budget.take(self.source, bytes)?);
        Ok(())
    }

    /// Nothing, for a reason.
    pub(crate) fn failed(source: StatementSource, problem: LookupProblem) -> Self {
        Self {
            problem: Some(problem),
            ..Self::new(source, StatementBudget::default())
        }
    }

    /// Records what was found about an image, at an address and a time. It counts until its deployment is done.
    pub(crate) fn keep(self, image: String, url: Option<String>, fetched_at: String) -> RecordedStatements {
        self.held.into_iter().for_each(OwnedSemaphorePermit::forget);
        RecordedStatements {
            image,
            from: self.source,
            url,
            fetched_at,
            bundles: self.bundles,
            documents: self.documents,
            legacy_signature: self.legacy_signature,
            problem: self.problem,
        }
    }
}
