//! Which hardware is accepted.

use super::PolicyKey;
use crate::config::file::shape::ValueShape;

/// Which TCB levels.
pub(super) const KEYS: &[PolicyKey] = &[PolicyKey::new("accept-tcb", ValueShape::TcbExceptions)
    .says(
        "Accepts hardware that Intel rates lower than UpToDate, until a date at most 90 days ahead: \
           `STATUS:until=YYYY-MM-DD[:advisories=INTEL-SA-00001,…]`.",
    )
    .example(r#"["OutOfDate:until=2026-12-31:advisories=INTEL-SA-00001"]"#)
    .option("--accept-tcb", "EXCEPTION")];

/// The minimum version of the data by which TCB levels are rated.
pub(super) const EVALUATION: &[PolicyKey] = &[PolicyKey::new("min-tcb-eval-data-number", ValueShape::U32)
    .says("The lowest TCB evaluation data number to accept, if it is higher than the built-in minimum.")
    .default("a built-in minimum that rises at fixed dates")
    .example("20")
    .option("--min-tcb-eval-data-number", "NUMBER")];
