//! What is wrong with an answer or a connection, as the problem of a look-up.

use crate::net::NetError;
use cvm_verify_core::evidence::{LookupProblem, LookupProblemKind as Kind};

/// Why something is not asked beside the evidence.
pub(crate) const NO_TIME: &str = "it was not asked: no time was left for it";

pub(super) fn unreachable_with(status: u16) -> LookupProblem {
    LookupProblem {
        kind: Kind::Unreachable,
        detail: format!("GitHub's API answered with status {status}"),
    }
}

pub(super) fn malformed(detail: &str) -> LookupProblem {
    LookupProblem {
        kind: Kind::MalformedAnswer,
        detail: detail.to_owned(),
    }
}

pub(super) fn of_net(what: &str, error: &NetError) -> LookupProblem {
    LookupProblem {
        kind: match error {
            NetError::TooLarge { .. } | NetError::HeadersTooLarge { .. } => Kind::MalformedAnswer,
            _ => Kind::Unreachable,
        },
        detail: format!("{what}: {}", error.to_string().trim_end_matches('.')),
    }
}
