//! The values of a report that checks compare.

use super::TargetReport;

/// A proven value of a [`TargetReport`] that a check compares with an expectation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeasuredValue {
    /// `measurements.compose_hash`.
    ComposeHash,
    /// `measurements.mrtd`.
    Mrtd,
    /// `measurements.rtmr0`.
    Rtmr0,
    /// `measurements.rtmr1`.
    Rtmr1,
    /// `measurements.rtmr2`.
    Rtmr2,
    /// `measurements.key_provider`.
    KeyProvider,
    /// `measurements.app_id`.
    AppId,
    /// `measurements.instance_id`.
    InstanceId,
    /// `measurements.mr_config_id`.
    MrConfigId,
    /// `measurements.td_attributes`.
    TdAttributes,
    /// `measurements.xfam`.
    Xfam,
    /// `tcb.platform_id`.
    PlatformId,
}

impl MeasuredValue {
    /// The value in a report; absent if it is not proven.
    #[must_use]
    pub fn of(self, report: &TargetReport) -> Option<&str> {
        let measured = &report.measurements;
        match self {
            Self::ComposeHash => measured.compose_hash.as_deref(),
            Self::Mrtd => measured.mrtd.as_deref(),
            Self::Rtmr0 => measured.rtmr0.as_deref(),
            Self::Rtmr1 => measured.rtmr1.as_deref(),
            Self::Rtmr2 => measured.rtmr2.as_deref(),
            Self::KeyProvider => measured.key_provider.as_deref(),
            Self::AppId => measured.app_id.as_deref(),
            Self::InstanceId => measured.instance_id.as_deref(),
            Self::MrConfigId => measured.mr_config_id.as_deref(),
            Self::TdAttributes => measured.td_attributes.as_deref(),
            Self::Xfam => measured.xfam.as_deref(),
            Self::PlatformId => report.tcb.platform_id.as_deref(),
        }
    }
}
