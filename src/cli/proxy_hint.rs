//! A hint for a user behind a proxy: the environment's proxy settings are not used.

use super::args::HttpArgs;
use crate::env::{Env, PROXY_VARIABLES};
use cvm_verify_core::report::{CheckId, Status, TargetReport};

/// The hint, if an address could not be reached, a variable names a proxy and `--proxy` is not given. The variable's value may hold a
/// password: it is not shown.
pub(super) fn of(reports: &[TargetReport], args: &HttpArgs, env: &Env) -> Option<String> {
    let is_out_of_reach = |report: &TargetReport| {
        let checks = [CheckId::Evidence, CheckId::Collateral].into_iter();
        checks
            .filter_map(|id| report.check(id))
            .any(|check| check.status == Status::Error && check.reason.as_deref() == Some("unreachable"))
    };
    if args.proxy.is_some() || !reports.iter().any(is_out_of_reach) {
        return None;
    }
    let is_set = |name: &str| {
        let value = env.variables.get(name);
        value.is_some_and(|value| !value.trim().is_empty())
    };
    let name = PROXY_VARIABLES.into_iter().find(|name| is_set(name))?;
    Some(format!(
        "{name} is set here and is not used. If requests must go through that proxy, name it with --proxy URL"
    ))
}
