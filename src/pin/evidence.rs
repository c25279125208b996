//! What a target proves, live or recorded, and the address that it was taken from.

use std::sync::Arc;

use super::PinRequest;
use super::selection::PinTarget;
use crate::config::WrittenValue;
use crate::engine::{Described, Session, describe};
use crate::env::Env;
use crate::plan::kms_and_contracts::{further_questions, phala_hints};
use crate::plan::next_commands::{Commands, TargetNames};
use crate::plan::nodes;
use crate::plan::selection::address;
use crate::plan::setting_problem::settings_error;
use crate::plan::target::target_of_settings;
use crate::runtime::runtime;
use crate::usage_error::{CommandError, UsageError};
use cvm_verify_core::checks::EvidenceFailure;
use cvm_verify_core::evidence::PhalaKms;
use cvm_verify_core::lock::Said;
use cvm_verify_core::reference::ReferenceValues;
use cvm_verify_core::verify::Claims;

/// What was proven of a deployment, and the address that it was taken from.
pub(super) struct PinEvidence {
    pub claims: Result<Claims, EvidenceFailure>,
    pub origin: Option<String>,
    /// What a person runs next, where it is known how the target is reached.
    pub commands: Option<Commands>,
    /// What Phala Cloud's API said of its KMS.
    pub hint: Option<Result<PhalaKms, String>>,
    /// What is locked on its word.
    pub said: Said,
}

/// Proves what can be proven of a target.
pub(super) fn claims(
    request: &PinRequest<'_>,
    target: &PinTarget,
    reference: &Arc<ReferenceValues>,
    env: &Env,
) -> Result<PinEvidence, CommandError> {
    match (address(None, &target.settings).as_ref(), &request.recorded) {
        (Some(url), None) => live(url, request, target, reference, env),
        (_, Some(_)) if request.phala_hints => Err(UsageError::option(
            "--phala-hints",
            "Phala Cloud's API is asked only about a live deployment; recorded evidence contains the answers of its own run",
        )
        .into()),
        (_, Some(recorded)) => {
            let at = request
                .at
                .or(recorded.captured_at)
                .unwrap_or_else(env.now);
            Ok(PinEvidence {
                claims: recorded.describe(&request.roots, at, &target.sources, reference),
                origin: recorded.origin.clone(),
                commands: Commands::of_recorded(
                    recorded.origin.as_deref(),
                    &named(request, target),
                    &target.settings,
                ),
                hint: None,
                said: Said::default(),
            })
        }
        _ => Err(UsageError::new(
            "there is nothing to pin; give an address (cvm-verify pin https://…), a bundle (--from BUNDLE), loose files (--attestation FILE …) or a target of a policy file (--target NAME)",
        )
        .into()),
    }
}

fn live(
    url: &WrittenValue,
    request: &PinRequest<'_>,
    target: &PinTarget,
    reference: &Arc<ReferenceValues>,
    env: &Env,
) -> Result<PinEvidence, CommandError> {
    let mut settings = target.settings.clone();
    let hints = request.phala_hints.then(|| phala_hints(&mut settings));
    let refused = |problem| settings_error(vec![problem]);
    let source = target_of_settings(url, &settings).map_err(refused)?.source;
    let nodes = nodes::asked(&target.settings, &nodes::variables(&env.variables)).map_err(refused)?;
    let questions = further_questions(
        &target.settings,
        target.kms.clone(),
        hints.transpose()?,
        reference,
    );
    let session = (request.session)(env)?;
    let session = Arc::new(Session {
        nodes: nodes.or_of(session.nodes.as_ref()).cloned(),
        ..session
    });
    let Described { claims, hint, said } = runtime()?
        .block_on(Box::pin(describe(&session, &source, questions, &target.sources)))
        .map_err(|several| {
            UsageError::new(format!(
                "{several}, and a lock describes one; write their evidence with `verify --evidence FOLDER` and pin from one \
                 bundle with --from"
            ))
        })?;
    match &claims {
        Ok(found) if session.nodes.is_some() && found.boot.is_ok() && found.chain.is_none() => {
            Err(UsageError::option(
                "--rpc-url",
                "the app's KMS is not known to be governed on chain, so there is no contract to ask. If it is, write \
                 `governance-chain-id` and `governance-kms-contract` into the policy file; if it is not, leave --rpc-url out",
            )
            .into())
        }
        _ => Ok(PinEvidence {
            claims,
            origin: source.origin(),
            commands: Some(
                Commands::of(&source, &named(request, target), &target.settings).through(&request.network),
            ),
            hint,
            said,
        }),
    }
}

/// Where the target was named.
fn named<'a>(request: &'a PinRequest<'_>, target: &'a PinTarget) -> TargetNames<'a> {
    let config = request.policy_file.as_deref();
    TargetNames {
        is_typed: request.options.one("url").is_some() || config.is_none(),
        name: target.name.as_deref(),
        config,
        is_one_of_several: false,
    }
}
