//! What Intel says of the platform's patch level: as the VM was launched, and as it runs now.

use dcap_qvl::TcbStatus;

/// What Intel says of the platform's patch level, for a quote that verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TcbVerdict {
    /// The worst of all ratings, by [`severity`].
    pub status: TcbStatus,
    /// Intel's security advisories that apply to any of the ratings, each once.
    pub advisory_ids: Vec<String>,
    /// The lower of the evaluation data numbers of TCB info and QE identity.
    pub eval_data_number: u32,
    /// Each rating by itself: that of the launch, and of a TD of 1.5 that of now (TEE_TCB_SVN2). Each that is not
    /// `UpToDate` needs an exception of its own.
    pub ratings: Vec<TcbRating>,
}

/// One rating by Intel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TcbRating {
    /// What is rated.
    pub moment: TcbMoment,
    /// Intel's word.
    pub status: TcbStatus,
    /// Intel's security advisories that apply.
    pub advisory_ids: Vec<String>,
}

/// Which patch level is rated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TcbMoment {
    /// Platform, TDX module and quoting enclave when the VM was launched (TEE_TCB_SVN).
    Launch,
    /// Platform and TDX module when the quote was made (TEE_TCB_SVN2), of a TD of 1.5 alone. The module can be replaced under
    /// a VM that runs, by a newer one and by an older one.
    Current,
}

impl TcbVerdict {
    /// From the rating of the launch and, of a TD of 1.5, that of now.
    pub(super) fn new(launch: TcbRating, current: Option<TcbRating>, eval_data_number: u32) -> Self {
        let (launch, current) = match current {
            Some(current) if is_named_by(launch.status, current.status) => {
                (launch.with(current.advisory_ids), None)
            }
            current => (launch, current),
        };
        let worst = current
            .as_ref()
            .filter(|current| severity(current.status) > severity(launch.status))
            .unwrap_or(&launch);
        let status = worst.status;
        let ratings: Vec<TcbRating> = [launch].into_iter().chain(current).collect();
        let mut advisory_ids: Vec<String> = Vec::new();
        for id in ratings.iter().flat_map(|rating| &rating.advisory_ids) {
            if !advisory_ids.contains(id) {
                advisory_ids.push(id.clone());
            }
        }
        Self {
            status,
            advisory_ids,
            eval_data_number,
            ratings,
        }
    }
}

impl TcbRating {
    /// With more advisories, each once.
    fn with(mut self, advisory_ids: Vec<String>) -> Self {
        for id in advisory_ids {
            if !self.advisory_ids.contains(&id) {
                self.advisory_ids.push(id);
            }
        }
        self
    }
}

/// Whether the rating of the launch names that of now, too: Intel's word for a TD to be relaunched is about both.
const fn is_named_by(launch: TcbStatus, current: TcbStatus) -> bool {
    matches!(
        (launch, current),
        (
            TcbStatus::TDRelaunchAdvised | TcbStatus::TDRelaunchAdvisedConfigurationNeeded,
            TcbStatus::UpToDate
        ) | (
            TcbStatus::TDRelaunchAdvisedConfigurationNeeded,
            TcbStatus::ConfigurationNeeded
        )
    )
}

/// How bad a status is, the higher the worse: a total order, so that of two ratings there is always a worse one.
///
/// What must be patched is worse than what must be configured, and that is worse than what software must mitigate. A TD that
/// should be relaunched was launched out of date and is not so any more, so it is between the two.
#[must_use]
pub const fn severity(status: TcbStatus) -> u8 {
    match status {
        TcbStatus::UpToDate => 0,
        TcbStatus::SWHardeningNeeded => 1,
        TcbStatus::ConfigurationNeeded => 2,
        TcbStatus::ConfigurationAndSWHardeningNeeded => 3,
        TcbStatus::TDRelaunchAdvised => 4,
        TcbStatus::TDRelaunchAdvisedConfigurationNeeded => 5,
        TcbStatus::OutOfDate => 6,
        TcbStatus::OutOfDateConfigurationNeeded => 7,
        TcbStatus::Revoked => 8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [TcbStatus; 9] = [
        TcbStatus::UpToDate,
        TcbStatus::SWHardeningNeeded,
        TcbStatus::ConfigurationNeeded,
        TcbStatus::ConfigurationAndSWHardeningNeeded,
        TcbStatus::TDRelaunchAdvised,
        TcbStatus::TDRelaunchAdvisedConfigurationNeeded,
        TcbStatus::OutOfDate,
        TcbStatus::OutOfDateConfigurationNeeded,
        TcbStatus::Revoked,
    ];

    fn rating(moment: TcbMoment, status: TcbStatus, advisory: &str) -> TcbRating {
        TcbRating {
            moment,
            status,
            advisory_ids: vec!["INTEL-SA-1".to_owned(), advisory.to_owned()],
        }
    }

    #[test]
    fn the_worse_of_any_two_ratings_counts_whichever_comes_first() {
        for (place, launch) in ALL.into_iter().enumerate() {
            assert_eq!(usize::from(severity(launch)), place);
            for (other, current) in ALL.into_iter().enumerate() {
                let verdict = TcbVerdict::new(
                    rating(TcbMoment::Launch, launch, "INTEL-SA-2"),
                    Some(rating(TcbMoment::Current, current, "INTEL-SA-3")),
                    1,
                );
                assert_eq!(verdict.status, ALL[place.max(other)]);
                assert_eq!(verdict.advisory_ids, ["INTEL-SA-1", "INTEL-SA-2", "INTEL-SA-3"]);
                let ratings = if is_named_by(launch, current) { 1 } else { 2 };
                assert_eq!(verdict.ratings.len(), ratings);
            }
        }
    }
}
