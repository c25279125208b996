//! `sample`: a check that `tests/samples/run` adds to a copy of the repository.

use super::{Check, Finding, Required, reasons};
use crate::report::CheckId;

pub(super) const CHECK: Check = Check {
    id: CheckId::Sample,
    title: "Sample",
    proves: "A check can be added by one file and two lines.",
    prevents: "Lists of checks that are kept by hand.",
    reasons: REASONS,
    required: Required::Never,
    run: |_, _| Finding::skip(&ALWAYS, "A sample decides nothing."),
    ..Check::BASE
};

reasons! {
    REASONS:
    ALWAYS "always"
        "A sample decides nothing."
        "Remove it.";
}
