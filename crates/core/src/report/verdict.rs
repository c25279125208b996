//! The verdict.

use serde::{Deserialize, Serialize};

crate::word_enum! {
    /// The answer to the one question that the program asks.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
    #[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
    #[serde(rename_all = "lowercase")]
    pub enum Verdict {
        /// Everything that was required is proven or waived in writing.
        Pass = "pass",
        /// Something is wrong with the deployment.
        Fail = "fail",
        /// It could not be determined, or an expectation is missing.
        Inconclusive = "inconclusive",
    }
}

impl Verdict {
    /// The exit code of the verdict: 0 pass, 1 fail, 3 inconclusive (2 is for usage errors).
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Fail => 1,
            Self::Inconclusive => 3,
        }
    }

    /// The worst of several: fail, then inconclusive, then pass. None at all is inconclusive.
    #[must_use]
    pub fn worst(verdicts: impl IntoIterator<Item = Self>) -> Self {
        verdicts
            .into_iter()
            .reduce(|a, b| match (a, b) {
                (Self::Fail, _) | (_, Self::Fail) => Self::Fail,
                (Self::Inconclusive, _) | (_, Self::Inconclusive) => Self::Inconclusive,
                (Self::Pass, Self::Pass) => Self::Pass,
            })
            .unwrap_or(Self::Inconclusive)
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict::{self, Fail, Inconclusive, Pass};

    #[test]
    fn the_worst_verdict_wins_and_none_is_inconclusive() {
        assert_eq!(Verdict::worst([]), Inconclusive);
        assert_eq!(Verdict::worst([Pass, Pass]), Pass);
        assert_eq!(Verdict::worst([Pass, Inconclusive]), Inconclusive);
        assert_eq!(Verdict::worst([Inconclusive, Fail, Pass]), Fail);
    }

    #[test]
    fn only_pass_exits_with_zero() {
        assert_eq!([Pass, Fail, Inconclusive].map(Verdict::exit_code), [0, 1, 3]);
    }
}
