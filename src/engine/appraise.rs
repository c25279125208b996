//! What was collected of a deployment, as reports.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::collected::internal;
use super::{Collected, Collection, Deployment, Session};
use cvm_verify_core::appraise::{Subject, appraise};
use cvm_verify_core::checks::EvidenceFailure;
use cvm_verify_core::evidence::Bundle;
use cvm_verify_core::policy::Policy;
use cvm_verify_core::report::TargetReport;
use cvm_verify_core::verify::Claims;

/// The reports on one deployment.
pub struct Appraised {
    /// One, or one for each instance where the source lists several, and one for what is missing.
    pub instances: Vec<AppraisedInstance>,
    /// Whether the source lists several.
    pub several: bool,
    /// What the user should know next to the reports.
    pub note: Option<String>,
}

/// The report on one deployment or on one instance of it.
pub struct AppraisedInstance {
    /// Which instance of the source's list, from 1.
    pub number: Option<usize>,
    /// Verdict and reasons. Its `evidence.bundle` is absent: who writes the bundle to a file fills it in.
    pub report: TargetReport,
    /// The evidence for a later replay.
    pub bundle: Option<Bundle>,
    /// The measured compose document, if it is proven: the subject of a statement about the result.
    pub app_compose: Option<String>,
}

impl Session {
    /// Appraises what was collected of a deployment by its policy.
    #[must_use]
    pub fn appraise(&self, deployment: &Deployment, collection: Collection) -> Appraised {
        let collection = collection.with_at_least(deployment.policy.min_instances, (self.now)());
        let several = collection.instances.len() > 1;
        let collected: Vec<Collected> = collection
            .instances
            .into_iter()
            .chain(collection.missing)
            .collect();
        let names = names(&deployment.name, &collected);
        let policy = deployment.expected();
        let instances = names.into_iter().zip(collected);
        Appraised {
            instances: instances
                .map(|(name, collected)| self.appraise_one(deployment, &policy, name, collected))
                .collect(),
            several,
            note: collection.note,
        }
    }

    fn appraise_one(
        &self,
        deployment: &Deployment,
        policy: &Policy,
        name: String,
        collected: Collected,
    ) -> AppraisedInstance {
        let subject = Subject {
            name,
            url: Some(deployment.source.url().to_owned()),
            root: self.roots.quote.clone(),
            at: collected.at,
            bundle: None,
        };
        AppraisedInstance {
            number: collected.instance,
            report: TargetReport {
                instances: collected.listed,
                ..guarded(collected.claims.as_deref(), policy, &subject)
            },
            bundle: collected.bundle,
            app_compose: collected
                .claims
                .ok()
                .and_then(|claims| claims.compose.ok())
                .map(|compose| compose.text().to_owned()),
        }
    }
}

/// Appraises claims. A panic is that target's error: the others go on, and the alert is sent.
pub(super) fn guarded(
    claims: Result<&Claims, &EvidenceFailure>,
    policy: &Policy,
    subject: &Subject,
) -> TargetReport {
    catch_unwind(AssertUnwindSafe(|| appraise(claims, policy, subject)))
        .unwrap_or_else(|_| appraise(Err(&internal()), policy, subject))
}

/// What is reported of each is called so: by the target's name, and for instances by the id that each has proven. Anyone who lists
/// them chooses their order, and so must not choose which of them has recovered.
///
/// One that has proven no id, or one that another has proven too, goes by its place in the list, from 1.
fn names(name: &str, collected: &[Collected]) -> Vec<String> {
    let mut given = BTreeSet::new();
    let name_of = |one: &Collected| {
        let Some(number) = one.instance else {
            return name.to_owned();
        };
        let id = one.boot().and_then(|boot| boot.instance_id()).map(hex::encode);
        let instance = id
            .filter(|id| given.insert(id.clone()))
            .unwrap_or_else(|| number.to_string());
        format!("{name} instance {instance}")
    };
    collected.iter().map(name_of).collect()
}
