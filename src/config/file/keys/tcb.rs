//! Which hardware is accepted.

use super::{KeyScope, OptionGroup, PolicyKey, Typed};
use crate::config::file::shape::Shape;

/// Which TCB levels.
pub(super) const KEYS: &[PolicyKey] = &[PolicyKey {
    name: "accept-tcb",
    scope: KeyScope::Both,
    shape: Shape::TcbExceptions,
    says: "Accepts hardware that Intel rates lower than UpToDate, for at most 90 days.",
    default: "",
    example: r#"["OutOfDate:until=2026-12-31:advisories=INTEL-SA-00001"]"#,
    option: Some(Typed {
        flag: "--accept-tcb",
        group: OptionGroup::Expectations,
        value: "EXCEPTION",
        help: "Accept another TCB status for a while: STATUS:until=YYYY-MM-DD[:advisories=INTEL-SA-00001,…]. Repeatable",
        values: &[],
        expects: false,
    }),
}];

/// How new the data must be that they are rated by.
pub(super) const EVALUATION: &[PolicyKey] = &[PolicyKey {
    name: "min-tcb-eval-data-number",
    scope: KeyScope::Both,
    shape: Shape::Number(0, u32::MAX),
    says: "The lowest TCB evaluation data number to accept.",
    default: "a built-in floor that rises with time",
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
