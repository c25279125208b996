//! Which level of the TCB info the platform reaches.

use dcap_qvl::intel::PckExtension;
use dcap_qvl::tcb_info::SvnComponent;
use dcap_qvl::{TcbInfo, TcbLevel, TcbStatus};

use crate::inspect::page::Page;
use crate::inspect::quote::TdReport;

/// Advisories of a level that are named.
const MAX_ADVISORIES: usize = 40;

/// Missing versions that are named.
const MAX_SHORTFALLS: usize = 16;

/// Shows the level of the module that launched the VM and, for TDX 1.5, of the one that runs now.
pub(super) fn show(page: &mut Page, info: &TcbInfo, platform: &PckExtension, report: &TdReport) {
    show_for(page, "at launch", info, platform, &report.tee_tcb_svn);
    if let Some(td15) = &report.td15 {
        show_for(page, "now", info, platform, &td15.tee_tcb_svn2);
    }
}

fn show_for(page: &mut Page, when: &str, info: &TcbInfo, platform: &PckExtension, svn: &[u8; 16]) {
    let reaches = |level: &&TcbLevel| {
        level
            .shortfalls(&platform.cpu_svn, platform.pce_svn, Some(svn))
            .is_ok_and(|short| short.is_empty())
    };
    let name = format!("Platform {when}");
    match info.tcb_levels.iter().find(reaches) {
        Some(level) => show_rating(
            page,
            &name,
            level.tcb_status,
            &level.tcb_date,
            &level.advisory_ids,
        ),
        None => {
            page.field(&name, "below every level")
                .mark("Its security versions are older than everything that Intel still rates.");
        }
    }
    if let Some(best) = info.tcb_levels.first().filter(|level| !reaches(level)) {
        missing(page, best, platform, svn);
    }
    show_module(page, &format!("TDX module {when}"), info, svn);
}

/// Modules of generation 1 and later are rated apart from the platform.
fn show_module(page: &mut Page, name: &str, info: &TcbInfo, svn: &[u8; 16]) {
    let module = match info.tdx_module_identity(svn) {
        Ok(Some(module)) => module,
        Ok(None) => return,
        Err(error) => {
            page.field(name, "not rated").mark(error.to_string());
            return;
        }
    };
    let level = module
        .tcb_levels
        .iter()
        .find(|level| level.shortfall(svn).is_none());
    match level {
        Some(level) => show_rating(page, name, level.tcb_status, &level.tcb_date, &level.advisory_ids),
        None => {
            page.field(name, "below every level")
                .mark("The TDX module is older than everything that Intel still rates.");
        }
    }
}

/// Shows a status that Intel gives.
pub(super) fn show_rating(page: &mut Page, name: &str, status: TcbStatus, date: &str, advisories: &[String]) {
    page.field(name, format!("{status}, of {date}")).note_or_mark(
        status != TcbStatus::UpToDate,
        format!("Unproven. {}", meaning(status)),
    );
    if !advisories.is_empty() {
        let named: Vec<&str> = advisories
            .iter()
            .take(MAX_ADVISORIES)
            .map(String::as_str)
            .collect();
        page.note(format!("Intel's advisories: {}.", named.join(", ")));
        page.more(advisories.len().saturating_sub(MAX_ADVISORIES));
    }
}

const fn meaning(status: TcbStatus) -> &'static str {
    match status {
        TcbStatus::UpToDate => "Every security fix that Intel knows of is installed.",
        TcbStatus::SWHardeningNeeded => {
            "Up to date, but software in the VM needs hardening against a known weakness."
        }
        TcbStatus::ConfigurationNeeded => {
            "Up to date, but a setting of the machine leaves a known weakness open."
        }
        TcbStatus::ConfigurationAndSWHardeningNeeded => {
            "Up to date, but a setting of the machine and hardening of software in the VM are needed."
        }
        TcbStatus::OutOfDate => "Security fixes are missing: the operator must update the machine.",
        TcbStatus::OutOfDateConfigurationNeeded => {
            "Security fixes are missing, and a setting leaves a weakness open."
        }
        TcbStatus::Revoked => "Intel no longer trusts this level at all.",
        TcbStatus::TDRelaunchAdvised => "The machine was updated since the VM was launched: launch it again.",
        TcbStatus::TDRelaunchAdvisedConfigurationNeeded => {
            "The machine was updated since the VM was launched, and a setting leaves a weakness open."
        }
    }
}

fn missing(page: &mut Page, best: &TcbLevel, platform: &PckExtension, svn: &[u8; 16]) {
    let Ok(short) = best.shortfalls(&platform.cpu_svn, platform.pce_svn, Some(svn)) else {
        page.mark("The TCB info does not have 16 components.");
        return;
    };
    let named: Vec<String> = short
        .iter()
        .take(MAX_SHORTFALLS)
        .map(|short| {
            let component = match short.component {
                SvnComponent::Sgx(place) => format!("CPUSVN component {place}"),
                SvnComponent::Tdx(place) => format!("TEE_TCB_SVN component {place}"),
                SvnComponent::PceSvn => "PCESVN".to_owned(),
                SvnComponent::TdxModuleIsvSvn => "TDX module".to_owned(),
            };
            format!("{component} is {} and should be {}", short.have, short.needs)
        })
        .collect();
    page.note(format!("To reach the first level: {}.", named.join("; ")));
}
