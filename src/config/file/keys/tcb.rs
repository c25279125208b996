//! Which hardware is accepted.

use super::{KeyScope, OptionGroup, PolicyKey, Typed};
use crate::config::file::shape::Shape;

/// Which TCB levels.
pub(super) const KEYS: &[PolicyKey] = &[PolicyKey {
    name: "accept-tcb",
    scope: KeyScope::Both,
    shape: Shape::TcbExceptions,
    says: "Accepts hardware that Intel rates lower than UpToDate, until a date at most 90 days ahead.",
    default: "",
    example: r#"["OutOfDate:until=2026-12-31:advisories=INTEL-SA-00001"]"#,
    option: Some(Typed {
        flag: "--accept-tcb",
        group: OptionGroup::Expectations,
        value: "EXCEPTION",
        help: "Accept another TCB status until a date: STATUS:until=YYYY-MM-DD[:advisories=INTEL-SA-00001,…]. Repeatable",
        values: &[],
        expects: false,
    }),
}];

/// The minimum version of the data by which TCB levels are rated.
pub(super) const EVALUATION: &[PolicyKey] = &[PolicyKey {
    name: "min-tcb-eval-data-number",
    scope: KeyScope::Both,
    shape: Shape::Number(0, u32::MAX),
    says: "The lowest TCB evaluation data number to accept.",
    default: "a built-in minimum that rises at fixed dates",
    example: "20",
    option: Some(Typed {
        flag: "--min-tcb-eval-data-number",
        group: OptionGroup::Expectations,
        value: "NUMBER",
        help: "The lowest TCB evaluation data number to accept",
        values: &[],
        expects: false,
    }),
}];
