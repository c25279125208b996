//! One deployment to verify, with what a person runs next and who is told.

use std::borrow::Cow;
use std::sync::Arc;

use super::next_commands::Commands;
use crate::alert::alerting::AlertedTarget;
use crate::alert::incident::{AskedAt, PolicyFileId};
use crate::alert::variables::ChannelVariables;
use crate::config::Interval;
use crate::engine::Deployment;
use cvm_verify_core::policy::Policy;

/// One deployment to verify.
pub(crate) struct Job {
    pub deployment: Arc<Deployment>,
    /// What a person runs next.
    pub commands: Commands,
    /// Who is told.
    pub alerts: ChannelVariables,
    /// How often `watch` verifies it.
    pub interval: Interval,
}

impl Job {
    /// What reports call it.
    pub fn name(&self) -> &str {
        &self.deployment.name
    }

    /// What it is appraised against.
    pub fn policy(&self) -> Cow<'_, Policy> {
        self.deployment.expected()
    }

    /// What alerts need to know of it; `file` is the policy file that it is of.
    pub fn alerted(&self, file: Option<PolicyFileId>) -> AlertedTarget<'_> {
        AlertedTarget {
            name: self.name(),
            variables: &self.alerts,
            policy: self.policy().fingerprint(),
            asked: Some(AskedAt::of(&self.deployment.source)),
            is_reported: false,
            file,
        }
    }

    /// Whether it is the same deployment, and the same is expected of it. What is believed may differ: the plan that was read
    /// last is the one to use.
    pub fn is_same(&self, other: &Self) -> bool {
        let Self {
            deployment,
            commands: _,
            alerts,
            interval,
        } = self;
        let Deployment {
            name,
            source,
            policy: _,
            compose_file,
            nodes,
        } = &**deployment;
        let before = &other.deployment;
        (name, source, compose_file, nodes)
            == (&before.name, &before.source, &before.compose_file, &before.nodes)
            && (alerts, interval) == (&other.alerts, &other.interval)
            && self.policy().fingerprint() == other.policy().fingerprint()
    }
}
