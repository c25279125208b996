//! What is expected of the report data and of the TCB of a quote.

use super::encoding::Encoding;
use crate::policy::appraisal::ReportDataPolicy;
use crate::policy::tcb::{TcbException, TcbPolicy};

impl Encoding {
    pub(super) fn report_data(&mut self, policy: &ReportDataPolicy) {
        let ReportDataPolicy { layout, key, value } = policy;
        if let Some(layout) = layout {
            self.word("report-data", layout.as_str());
        }
        self.optional("report-data-key", key.as_ref());
        self.optional("report-data-value", value.as_ref());
    }

    pub(super) fn tcb(&mut self, policy: &TcbPolicy) {
        let TcbPolicy {
            exceptions,
            min_eval_data_number,
        } = policy;
        let encoded = |exception: &TcbException| {
            let TcbException {
                status,
                ends,
                advisories,
                origin: _,
            } = exception;
            let mut one = Self(Vec::new());
            one.bytes(status.to_string().as_bytes());
            one.0.extend_from_slice(&ends.to_be_bytes());
            if let Some(advisories) = advisories {
                one.set("advisories", advisories.iter().map(|id| id.as_bytes().to_vec()));
            }
            one.0
        };
        if !exceptions.is_empty() {
            self.set("accept-tcb", exceptions.iter().map(encoded));
        }
        if let Some(number) = min_eval_data_number {
            self.entry("min-tcb-eval-data-number", [number.to_be_bytes().as_slice()]);
        }
    }
}
