//! `cvm-verify statement check`: a signed result, verified as its reader must. Opens no socket.

use sha2::{Digest as _, Sha256};

use super::args::StatementCheckArgs;
use crate::env::Env;
use crate::files;
use crate::render::escape;
use crate::statement_check::{ExpectedStatement, judge};
use crate::usage_error::UsageError;
use cvm_verify_core::checks::signer_problem;
use cvm_verify_core::evidence::{MAX_STATEMENT_FILE, StatementFile, parse_user_hex};
use cvm_verify_core::policy::{ExpectedSource, Origin, WrittenRule};
use cvm_verify_core::verify::provenance::{SignerClaims, SigstoreRoots, verify};

pub(super) fn run(args: &StatementCheckArgs, env: &mut Env) -> anyhow::Result<u8> {
    let digest = digest(args)?;
    let path = args.file.display().to_string();
    let bytes = files::read(&args.file, MAX_STATEMENT_FILE as u64)?;
    let file = StatementFile::parse(&path, &bytes).map_err(|error| UsageError::file(&args.file, error))?;
    let roots = match &args.sigstore_root {
        None => SigstoreRoots::shared(),
        Some(path) => SigstoreRoots::of_file(&files::read(path, files::CERTIFICATE_LIMIT)?)
            .map(std::sync::Arc::new)
            .map_err(|error| UsageError::file(path, error))?,
    };
    let signer = WrittenRule {
        image: "*".to_owned(),
        repository: Some(args.signer_repository.clone()),
        workflow: Some(args.signer_workflow.clone()),
        refs: args.signer_ref.clone(),
        ..WrittenRule::default()
    };
    let signer = signer
        .rule(Origin::Option("--signer-repository"))
        .map_err(|error| {
            let option = match error.key {
                "repository" => "--signer-repository",
                "workflow" => "--signer-workflow",
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
    let recorded = file.about("the statement", &digest, String::new());
    let mut problem = format!(
        "{path} holds no statement about sha256:{}; give the document that was measured (app-compose.json)",
        hex::encode(digest)
    );
    let mut furthest = 0;
    for bundle in &recorded.bundles {
        let judged = verify(bundle.get().as_bytes(), &digest, &roots, now)
            .map_err(|refusal| (1, format!("the statement proves nothing: {refusal}")))
            .and_then(|signed| {
                if let Some(problem) = signer_problem(signed.signer(), &signer) {
                    return Err((2, problem));
                }
                let said = judge(&signed, &expected).map_err(|problem| (3, problem))?;
                Ok(format!("{said} {}", signed_by(args, signed.signer(), &roots)))
            });
        match judged {
            Ok(said) => {
                env.print(&format!("PASSED: {}\n", escape::terminal(&said)));
                return Ok(0);
            }
            Err((progress, found)) if progress > furthest => (furthest, problem) = (progress, found),
            Err(_) => {}
        }
    }
    env.print(&format!(
        "FAILED: {}.\n",
        escape::terminal(problem.trim_end_matches('.'))
    ));
    Ok(super::FAIL)
}

/// Who signed, a sentence: what was expected, the ref and commit of the certificate, and other roots than the built-in ones.
fn signed_by(args: &StatementCheckArgs, signer: &SignerClaims, roots: &SigstoreRoots) -> String {
    let on = signer.git_ref().map(|git_ref| format!(" on {git_ref}"));
    let commit = signer.commit().map(|commit| format!(", commit {commit}"));
    let under = roots.sha256().map(|sha256| {
        format!(
            ", under the Sigstore roots of a file (SHA-256 {}) and not those that are built in",
            hex::encode(sha256)
        )
    });
    format!(
        "Signed by {} of {}{}{}{}.",
        args.signer_workflow,
        args.signer_repository,
        on.unwrap_or_default(),
        commit.unwrap_or_default(),
        under.unwrap_or_default()
    )
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
