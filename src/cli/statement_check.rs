//! `cvm-verify statement check`: a signed result, verified as its reader must. Opens no socket.

use sha2::{Digest as _, Sha256};

use super::args::StatementCheckArgs;
use crate::env::Env;
use crate::files;
use crate::render::escape;
use crate::statement_check::{ExpectedSigner, ExpectedStatement, check};
use crate::usage_error::UsageError;
use cvm_verify_core::evidence::{MAX_STATEMENT_FILE, StatementFile, parse_user_hex};
use cvm_verify_core::policy::{ExpectedSource, Origin, WrittenRule};
use cvm_verify_core::verify::provenance::SigstoreRoots;

pub(super) fn run(args: &StatementCheckArgs, env: &mut Env) -> anyhow::Result<u8> {
    let digest = digest(args)?;
    let bytes = files::read(&args.file, MAX_STATEMENT_FILE as u64)?;
    let file = StatementFile::parse(&args.file.display().to_string(), &bytes)
        .map_err(|error| UsageError::file(&args.file, error))?;
    let roots = match &args.sigstore_root {
        None => SigstoreRoots::built_in(),
        Some(path) => SigstoreRoots::of_file(&files::read(path, files::CERTIFICATE_LIMIT)?)
            .map(std::sync::Arc::new)
            .map_err(|error| UsageError::file(path, error))?,
    };
    let signer = WrittenRule {
        image: "*".to_owned(),
        repository: Some(args.signer_repository.clone()),
        workflow: Some(args.signer_workflow.clone()),
        refs: args.signer_ref.clone(),
        runner: Some(args.signer_runner.clone()),
        issuer: args.signer_issuer.clone(),
        ..WrittenRule::default()
    };
    let signer = signer
        .rule(Origin::Option("--signer-repository"))
        .map_err(|error| {
            let option = match error.key {
                "repository" => "--signer-repository",
                "workflow" => "--signer-workflow",
                "runner" => "--signer-runner",
                "issuer" => "--signer-issuer",
                _ => "--signer-ref",
            };
            UsageError::option(option, format!("the value {}", error.problem))
        })?;
    let ExpectedSource::Built(signer) = signer.expected else {
        return Err(UsageError::option("--signer-repository", "names no repository").into());
    };
    let now = (env.now)();
    let expected = ExpectedStatement {
        resource: &args.resource,
        levels: &args.level,
        accepts_waivers: args.accept_waivers,
        max_age: args.max_age.duration().as_secs(),
        now,
    };
    let signer = ExpectedSigner {
        source: &signer,
        name: &format!("{} of {}", args.signer_workflow, args.signer_repository),
    };
    let bundles = file.bundles_about(&digest);
    let path = args.file.display();
    Ok(match check(bundles, &digest, &roots, &signer, &expected) {
        Ok(said) => {
            env.print(&format!("PASSED: {}\n", escape::terminal(&said)));
            0
        }
        Err(refusal) => {
            let problem = refusal.unwrap_or_else(|| {
                format!(
                    "{path} holds no statement about sha256:{}; give the document that was measured (app-compose.json)",
                    hex::encode(digest)
                )
            });
            let problem = escape::terminal(problem.trim_end_matches('.')).into_owned();
            env.print(&format!("FAILED: {problem}.\n"));
            super::FAIL
        }
    })
}

fn digest(args: &StatementCheckArgs) -> Result<[u8; 32], UsageError> {
    match (&args.subject, &args.subject_digest) {
        (Some(path), _) => Ok(Sha256::digest(files::read(path, files::COMPOSE_LIMIT)?).into()),
        (None, Some(text)) => {
            let hex = text.trim().strip_prefix("sha256:").unwrap_or(text.trim());
            parse_user_hex(hex)
                .map_err(|error| UsageError::option("--subject-digest", format!("the value {error}")))
        }
        (None, None) => Err(UsageError::new(
            "there is no subject; give the measured compose document (--subject app-compose.json) or its hash \
             (--subject-digest)",
        )),
    }
}
