//! `cvm-verify alert test`: what its options say.

use std::path::{Path, PathBuf};

use super::args::{AlertArgs, AlertCommand, AlertTestArgs};
use super::transport;
use crate::alert::alerting::Alerting;
use crate::alert::incident::Rules;
use crate::alert_test::test_channels;
use crate::config::file::FILE_NAME;
use crate::env::Env;
use crate::render::escape::terminal;

/// `cvm-verify alert test`.
pub(super) fn run(args: &AlertArgs, env: &mut Env) -> anyhow::Result<u8> {
    let AlertCommand::Test(args) = &args.command;
    let alerting = Alerting::new(args.github_issue.as_deref(), Rules::default(), env)?;
    let file = file(args, env);
    let tested = test_channels(&alerting, file.as_deref(), &|| transport::client(&args.http), env)?;
    let mut code = 0;
    for (is_delivered, line) in tested {
        let word = if is_delivered { "delivered" } else { "FAILED" };
        env.print(&format!("{word:9}  {}\n", terminal(&line)));
        if !is_delivered {
            code = super::FAIL;
        }
    }
    Ok(code)
}

/// The policy file: that of a `verify` without an address, so not the one of the working folder where the environment has one.
fn file(args: &AlertTestArgs, env: &Env) -> Option<PathBuf> {
    let has_address = env
        .variables
        .get("CVM_VERIFY_URL")
        .is_some_and(|url| !url.trim().is_empty());
    let found = || {
        let path = Path::new(FILE_NAME);
        (!args.no_config && !has_address && (env.exists)(path)).then(|| path.to_owned())
    };
    args.config.clone().or_else(found)
}
