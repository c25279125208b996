//! A lock into which `cvm-verify plan --output` writes the document of a release that does not run yet.

use std::path::{Path, PathBuf};

use crate::config::{Settings, path_of};
use crate::deploy_plan::Outlook;
use crate::env::Env;
use crate::files::{self, is_lock};
use crate::usage_error::{CommandError, UsageError};
use cvm_verify_core::compose::{ComposeForm, UnprovenDocument, compose_forms};
use cvm_verify_core::lock::{MAX_LOCK_BYTES, ReleaseLock, difference_text, with_document};
use cvm_verify_core::policy::Policy;

/// A lock with the document of this release, before it is written.
pub(crate) struct WrittenLock {
    output: PathBuf,
    /// Whether it replaces the lock that it was made from.
    is_own: bool,
    lock: ReleaseLock,
    /// The form of the document whose hash it expects.
    form: &'static str,
}

/// Refuses to choose between the hash of the file and that of the form in which the SDKs deploy it: a lock with the wrong one is met by
/// no deployment.
fn refuse_two_forms(forms: &[ComposeForm]) -> Result<(), UsageError> {
    let of = |name: &str| forms.iter().find(|form| form.name == name);
    let (Some(file), Some(sdk)) = (of("verbatim"), of("sdk")) else {
        return Ok(());
    };
    if file.hash == sdk.hash {
        return Ok(());
    }
    Err(UsageError::option(
        "--output",
        format!(
            "the compose hash depends on the tool that deploys this document, because the file is not in the form that Phala Cloud and \
             dstack's SDKs write. Say which form it is. Deployed by them: --compose-form sdk, so that the lock expects {}. Deployed exactly as the \
             file is, as vmm-cli does: --compose-form verbatim, so that it expects {}. `cvm-verify compose-hash FILE` explains all forms",
            hex::encode(sdk.hash),
            hex::encode(file.hash)
        ),
    ))
}

/// The form of this name. It must have the compose hash that is expected, if one is written down.
fn named<'f>(
    name: &str,
    forms: &'f [ComposeForm],
    expected: Option<[u8; 32]>,
) -> Result<&'f ComposeForm, UsageError> {
    let refused = |why: String| UsageError::option("--compose-form", why);
    let Some(form) = forms.iter().find(|form| form.name == name) else {
        let names: Vec<&str> = forms.iter().map(|form| form.name).collect();
        return Err(refused(format!(
            "`{}` is not a form of a compose document; write one of {}",
            name.escape_debug(),
            names.join(", ")
        )));
    };
    match expected.filter(|expected| *expected != form.hash) {
        None => Ok(form),
        Some(expected) => Err(refused(format!(
            "the form `{name}` of this document has the hash {}, and `compose-hash` expects {}; leave one of them out",
            hex::encode(form.hash),
            hex::encode(expected)
        ))),
    }
}

impl WrittenLock {
    /// Reads the lock of the settings and puts the document of `--app-compose-file` in its place.
    ///
    /// # Errors
    /// There is no lock or no document, or it is open which hash the lock must expect.
    pub fn of(
        output: &Path,
        named_form: Option<&str>,
        document: Option<&[u8]>,
        policy: &Policy,
        settings: &Settings,
        target: Option<&str>,
    ) -> Result<Self, UsageError> {
        let refused = |why: &str| UsageError::option("--output", why);
        let Some(from) = settings.one("lock").map(path_of) else {
            return Err(refused(
                "there is no lock to write the document into; name one with --lock, or make one with `cvm-verify pin`",
            ));
        };
        let read_document = |bytes| {
            let text = std::str::from_utf8(bytes).ok()?;
            Some((UnprovenDocument::read(text).ok()?, compose_forms(text).ok()?.0))
        };
        let Some((document, forms)) = document.and_then(read_document) else {
            return Err(refused(
                "a docker compose file is only a part of what is measured; give the document that you upload with --app-compose-file",
            ));
        };
        let read = |path: &Path| {
            let bytes = files::read(path, MAX_LOCK_BYTES as u64)?;
            String::from_utf8(bytes).map_err(|_| UsageError::file(path, "is not UTF-8 text"))
        };
        let is_own = output == from;
        if !is_own && output.exists() && !is_lock(&read(output)?) {
            return Err(refused(
                "the file is not a lock, so it is not replaced; name another one",
            ));
        }
        let expected = policy.compose_hash.as_ref().map(|expected| expected.value);
        let is_expected = |form: &&ComposeForm| expected.is_none_or(|hash| form.hash == hash);
        let form = match named_form {
            Some(name) => named(name, &forms, settings.one("compose-hash").and(expected))?,
            None => forms.iter().find(is_expected).ok_or_else(|| {
                refused(
                    "the expected compose hash is that of no form of --app-compose-file; `cvm-verify compose-hash FILE` shows all forms",
                )
            })?,
        };
        let path = from.display().to_string();
        let lock = with_document(&read(&from)?, &path, target, &document, &form.hash)
            .map_err(|error| UsageError::new(error.to_string()))?;
        if lock.compose_hash.is_some() && named_form.is_none() && settings.one("compose-hash").is_none() {
            refuse_two_forms(&forms)?;
        }
        Ok(Self {
            form: form.name,
            output: output.to_owned(),
            is_own,
            lock,
        })
    }

    /// Writes it, and says on standard error what changed: standard output is the plan.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, outlook: Outlook, env: &mut Env) -> Result<(), CommandError> {
        let path = self.output.display();
        if self.is_own && self.lock.changes.is_empty() {
            env.complain(&format!(
                "\n{path} already has exactly these values. Nothing was written."
            ));
            return Ok(());
        }
        files::write(&self.output, &self.lock.text)?;
        let places = match self.lock.unreviewed {
            0 => "",
            _ => " Fill in the `reason` of each of its [[places]].",
        };
        let hash = match self.lock.compose_hash {
            Some(hash) => format!(
                " It expects the compose hash {} (the form `{}`).",
                hex::encode(hash),
                self.form
            ),
            None => String::new(),
        };
        let again = match outlook {
            Outlook::Ready => "",
            Outlook::Refused | Outlook::Undetermined => {
                " This plan was judged by the lock as it was: run it again without --output."
            }
        };
        env.complain(&format!(
            "\nChanges:\n\n{}\nWrote {path}.{hash} Review it line by line, and commit it with the release.{places}{again}",
            difference_text(&self.lock.changes)
        ));
        Ok(())
    }
}
