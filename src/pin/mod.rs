//! `cvm-verify pin`: what a deployment was measured to be, written down for review.
//!
//! `selection` says which targets are pinned and where their locks go, `evidence` proves what a target runs, `outlook` says what
//! `verify` will say of it, `lock_file` shows what changes in the lock that is there and writes it. `target` does all that for one target.
//! `written_lock` writes the document of a release into a lock before it is deployed.

mod beyond_the_lock;
mod evidence;
mod lock_file;
mod outlook;
mod selection;
mod target;
mod written_lock;

pub(crate) use written_lock::WrittenLock;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::Settings;
use crate::engine::TrustRoots;
use crate::env::Env;
use crate::plan::LiveSession;
use crate::plan::next_commands::NetworkOptions;
use crate::recorded::evidence::Recorded;
use crate::render::escape;
use crate::usage_error::{CommandError, UsageError};
use cvm_verify_core::lock::Accepting;
use cvm_verify_core::policy::PublishedImage;
use cvm_verify_core::reference::ReferenceValues;
use cvm_verify_core::report::Verdict;

/// Where the lock is printed instead of written.
const STANDARD_OUTPUT: &str = "-";

/// Finds the image that the user says runs, if one is named.
pub(crate) type NamedImage<'a> = &'a dyn Fn(&ReferenceValues) -> Result<Option<PublishedImage>, UsageError>;

/// What is pinned, and how.
pub(crate) struct PinRequest<'a> {
    /// What was given by option, the address too: over the policy file.
    pub options: Settings,
    /// The policy file, if it is read.
    pub policy_file: Option<PathBuf>,
    /// The name of the target in the policy file, and in a lock of several targets.
    pub target: Option<String>,
    /// Where to write the lock, if not where the policy file says.
    pub output: Option<PathBuf>,
    /// Evidence from files. Without it a live deployment is asked.
    pub recorded: Option<Recorded>,
    /// The bundle that it is of, where it is one.
    pub bundle: Option<PathBuf>,
    /// When recorded evidence is judged, Unix seconds, if not at the time of capture.
    pub at: Option<u64>,
    /// What is accepted although a production deployment should not have it.
    pub accepting: Accepting,
    /// Whether Phala Cloud's API is asked where the KMS and its contract are.
    pub phala_hints: bool,
    /// Through which network a live deployment is asked: what the next command needs too.
    pub network: Arc<NetworkOptions>,
    /// Whether a lock that cannot be read is replaced.
    pub force: bool,
    pub image: NamedImage<'a>,
    pub roots: TrustRoots,
    pub session: LiveSession<'a>,
}

/// Pins what the request names: pass if every lock says what runs.
///
/// # Errors
/// Settings, a file that is read, or a lock that cannot be written.
pub(crate) fn run(request: &PinRequest<'_>, env: &mut Env) -> Result<Verdict, CommandError> {
    let mut targets = selection::targets(request)?;
    let several = targets.len() > 1;
    let mut verdicts = vec![Verdict::Pass];
    let mut refused = Vec::new();
    for (index, one) in targets.iter_mut().enumerate() {
        if let Some(name) = one.name.as_deref().filter(|_| several) {
            let blank = if index == 0 { "" } else { "\n" };
            env.say(&format!("{blank}{name}:\n"));
        }
        let verdict = target::pin(request, one, env)?;
        if verdict != Verdict::Pass {
            refused.extend(one.name.clone());
        }
        verdicts.push(verdict);
    }
    if several && !refused.is_empty() {
        let line = format!("Not pinned: {}. The reason of each is above.", refused.join(", "));
        env.complain(&escape::terminal(&line));
    }
    Ok(Verdict::worst(verdicts))
}

/// Whether a lock is printed instead of written.
fn is_printed(output: &Path) -> bool {
    output == Path::new(STANDARD_OUTPUT)
}
