//! What was measured, in a few lines of text. Proven values only: a report holds no others.

use super::escape::{shorten, terminal};
use super::page::{Ink, TextPage};
use cvm_verify_core::report::{CheckId, ListedInstances, TargetReport, TcbRecord, TrustRootKind};
use cvm_verify_core::tiers::is_met;

/// Longest value, in characters.
const MAX_VALUE: usize = 300;
/// Where values begin.
const VALUE: usize = 18;
/// A key provider's id is shown in full up to this many characters.
const WHOLE_ID: usize = 24;

/// The block below the table: identity, platform, collateral, and where the evidence is.
pub(super) fn write(page: &mut TextPage, target: &TargetReport) {
    let lines = lines(target);
    if !lines.is_empty() {
        page.blank();
        page.paragraph(2, Ink::Bold, heading(target));
        for (label, value) in lines {
            line(page, 4, label, &value);
        }
    }
    let listed = target.instances.map(instances);
    let sha256 = target.evidence.reference_values_sha256.as_ref();
    let reference = sha256.map(|hash| format!("built-in, and the file with SHA-256 {hash}"));
    let sources = [
        ("address", &target.url),
        ("instances", &listed),
        ("evidence", &target.evidence.bundle),
        ("reference values", &reference),
    ];
    if sources.iter().any(|(_, value)| value.is_some()) {
        page.blank();
        for (label, value) in sources {
            if let Some(value) = value {
                line(page, 2, label, value);
            }
        }
    }
}

/// Identity, platform and collateral, as far as they are proven.
pub(super) fn lines(target: &TargetReport) -> Vec<(&'static str, String)> {
    let shown = &target.measurements;
    let lines = [
        ("app id", shown.app_id.as_deref().map(str::to_owned)),
        ("compose hash", shown.compose_hash.as_deref().map(str::to_owned)),
        ("OS image", shown.os_image.as_deref().map(str::to_owned)),
        ("key provider", shown.key_provider.as_deref().map(key_provider)),
        ("platform TCB", platform(&target.tcb)),
        ("collateral", collateral(&target.tcb)),
    ];
    let proven = |(label, value): (&'static str, Option<String>)| value.map(|value| (label, value));
    lines.into_iter().filter_map(proven).collect()
}

/// What else the quote signs, in full, as far as it is proven.
pub(super) fn registers(target: &TargetReport) -> Vec<(&'static str, &str)> {
    let shown = &target.measurements;
    let values = [
        ("MRTD", shown.mrtd.as_deref()),
        ("RTMR0", shown.rtmr0.as_deref()),
        ("RTMR1", shown.rtmr1.as_deref()),
        ("RTMR2", shown.rtmr2.as_deref()),
        ("RTMR3", shown.rtmr3.as_deref()),
        ("report data", shown.report_data.as_deref()),
        ("TDATTRIBUTES", shown.td_attributes.as_deref()),
        ("XFAM", shown.xfam.as_deref()),
        ("MRCONFIGID", shown.mr_config_id.as_deref()),
        ("MRSEAM", shown.mr_seam.as_deref()),
        ("instance id", shown.instance_id.as_deref()),
        ("key provider", shown.key_provider.as_deref()),
        ("FMSPC", target.tcb.fmspc.as_deref()),
        ("platform id", target.tcb.platform_id.as_deref()),
    ];
    values
        .into_iter()
        .filter_map(|(label, value)| value.map(|value| (label, value)))
        .collect()
}

/// Who vouches for the values. The boot claims are an OS's word: without a proven OS they are worth no more.
pub(super) fn heading(target: &TargetReport) -> &'static str {
    let os_is_proven = target.check(CheckId::OsImage).is_some_and(is_met);
    match target.trust_root {
        TrustRootKind::Custom => "Measured, according to a quote that Intel did not sign",
        TrustRootKind::Intel if !os_is_proven && target.measurements.app_id.is_some() => {
            "Measured; app id, compose hash and key provider by an OS that is not proven"
        }
        TrustRootKind::Intel => "Measured",
    }
}

/// What Phala Cloud lists, in words.
pub(super) fn instances(found: ListedInstances) -> String {
    let ListedInstances {
        listed,
        stopped,
        running,
    } = found;
    let others = match stopped {
        0 => String::new(),
        1 => "; 1 is stopped, and nothing was verified about it".to_owned(),
        stopped => format!("; {stopped} are stopped, and nothing was verified about those"),
    };
    format!("{running} of {listed} run, by Phala Cloud's list{others}")
}

fn line(page: &mut TextPage, indent: usize, label: &str, value: &str) {
    let label = page.ink(Ink::Dim, &format!("{label:<width$}", width = VALUE - indent));
    let lead = format!("{}{label}", " ".repeat(indent));
    page.hanging(&lead, VALUE, Ink::Plain, &terminal(&shorten(value, MAX_VALUE)));
}

/// `NAME:HEXID` with both ends of a long id.
fn key_provider(text: &str) -> String {
    let Some((name, id)) = text
        .split_once(':')
        .filter(|(_, id)| id.chars().count() > WHOLE_ID)
    else {
        return text.to_owned();
    };
    let start: String = id.chars().take(8).collect();
    let end: String = id.chars().skip(id.chars().count().saturating_sub(8)).collect();
    format!("{name}:{start}…{end}")
}

/// `UpToDate, INTEL-SA-00001, evaluation data number 17`
fn platform(tcb: &TcbRecord) -> Option<String> {
    let status = tcb.status.clone()?;
    let advisories = match tcb.advisory_ids.as_slice() {
        [] => "no advisories".to_owned(),
        ids => ids.join(", "),
    };
    let number = tcb
        .eval_data_number
        .map(|number| format!("evaluation data number {number}"));
    let parts: Vec<String> = [Some(status), Some(advisories), number]
        .into_iter()
        .flatten()
        .collect();
    Some(parts.join(", "))
}

/// `from Intel, in date until 2026-08-13T12:00:00Z`
fn collateral(tcb: &TcbRecord) -> Option<String> {
    let source = tcb
        .collateral_source
        .as_ref()
        .map(|source| format!("from {source}"));
    let end = tcb.expires_at.as_ref().map(|end| format!("in date until {end}"));
    let parts: Vec<String> = [source, end].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_key_provider_id_shows_both_ends() {
        assert_eq!(key_provider("kms:0011"), "kms:0011");
        assert_eq!(key_provider("none"), "none");
        let long = format!("kms:{}{}", "0123456789", "abcdef".repeat(9));
        assert_eq!(key_provider(&long), "kms:01234567…efabcdef");
    }
}
