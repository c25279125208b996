//! Which level of Intel's a machine reaches, and what it is short of.
//!
//! dcap-qvl decides the status; this module says why, in terms that the operator of the host can act on: the component,
//! what it has and needs, and which level would do.

use std::fmt;

use dcap_qvl::quote::Quote;
use dcap_qvl::tcb_info::{SvnComponent, SvnShortfall, TcbLevel};
use dcap_qvl::{QeIdentity, TcbInfo, TcbStatus};
use serde::Deserialize;

use super::documents::bounded;
use super::own_signatures::Machine;
use super::qe_report::QeReport;
use crate::report::and_more;
use crate::verify::{QeShortfall, QuoteRefusal, Revocation};

/// Most components that a sentence names.
const NAMED: usize = 3;

/// What a machine is short of to reach a level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShortOf {
    /// The level's status, as Intel spells it.
    pub status: String,
    /// When Intel set the level, RFC 3339.
    pub tcb_date: String,
    /// Each component that is too low. Empty if there is no such level to compare with.
    pub components: Vec<Component>,
}

/// A component whose security version is too low.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// What it is, with Intel's own name for it.
    pub name: String,
    /// Its security version number.
    pub have: u16,
    /// The number that the level needs.
    pub needs: u16,
}

impl fmt::Display for ShortOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, component) in self.components.iter().take(NAMED).enumerate() {
            let Component { name, have, needs } = component;
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{name} has version {have} and needs {needs}")?;
        }
        f.write_str(&and_more("", self.components.len().saturating_sub(NAMED)))?;
        write!(f, " (level {} of {})", self.status, date(&self.tcb_date))
    }
}

/// The day of an RFC 3339 time.
fn date(time: &str) -> String {
    bounded(time.split('T').next().unwrap_or(time))
}

/// Security versions of a TD at one moment.
struct TdSvns {
    /// TEE_TCB_SVN or TEE_TCB_SVN2, 16 bytes.
    svn: [u8; 16],
    /// Which moment, after the name of what has the version; empty if it does not matter.
    when: &'static str,
}

/// At launch, and for TD 1.5 now.
fn tee_tcb_svns(quote: &Quote) -> Vec<TdSvns> {
    let launch = quote.report.as_td10().map(|report| report.tee_tcb_svn);
    let current = quote.report.as_td15().map(|report| report.tee_tcb_svn2);
    let differ = current.is_some() && launch != current;
    let of = |svn, when| TdSvns {
        svn,
        when: if differ { when } else { "" },
    };
    let launch = launch.map(|svn| of(svn, " at launch"));
    let current = current.filter(|_| differ).map(|svn| of(svn, " now"));
    launch.into_iter().chain(current).collect()
}

/// A TCB info and the machine that it rates.
struct Rating<'a> {
    levels: Vec<&'a TcbLevel>,
    tcb_info: &'a TcbInfo,
    machine: &'a Machine,
    names: Names,
}

impl<'a> Rating<'a> {
    fn new(tcb_info: &'a TcbInfo, text: &str, machine: &'a Machine) -> Self {
        let mut levels: Vec<&TcbLevel> = tcb_info.tcb_levels.iter().collect();
        // The order in which Intel's library and dcap-qvl look at them, whatever the order in the document.
        levels.sort_by(|a, b| {
            let key = |level: &TcbLevel| {
                let tcb = &level.tcb;
                (
                    tcb.sgx_components.clone(),
                    tcb.pce_svn,
                    tcb.tdx_components.clone(),
                )
            };
            key(b).cmp(&key(a))
        });
        Self {
            levels,
            tcb_info,
            machine,
            names: Names::of(text),
        }
    }

    fn shortfalls(&self, level: &TcbLevel, of: &TdSvns) -> Vec<SvnShortfall> {
        let pck = &self.machine.extension;
        level
            .shortfalls(&pck.cpu_svn, pck.pce_svn, Some(&of.svn))
            .unwrap_or_default()
    }

    fn reached(&self, svn: &TdSvns) -> Option<&'a TcbLevel> {
        self.levels
            .iter()
            .copied()
            .find(|level| self.shortfalls(level, svn).is_empty())
    }

    /// The level of those that `counts` accepts that is the easiest to reach.
    fn nearest(&self, svn: &TdSvns, counts: impl Fn(&TcbLevel) -> bool) -> Option<ShortOf> {
        let of = |level: &&'a TcbLevel| {
            let short = self.shortfalls(level, svn);
            let deficit: u32 = short.iter().map(|one| u32::from(one.needs - one.have)).sum();
            (short.len(), deficit)
        };
        let level = self
            .levels
            .iter()
            .copied()
            .filter(|level| counts(level))
            .min_by_key(of)?;
        let components = self.shortfalls(level, svn);
        Some(ShortOf {
            status: level.tcb_status.to_string(),
            tcb_date: level.tcb_date.clone(),
            components: components
                .iter()
                .map(|short| self.names.component(short, svn.when))
                .collect(),
        })
    }
}

/// Why the machine is refused, if it is: below every level, or at one that Intel revoked.
pub(super) fn refused(
    tcb_info: &TcbInfo,
    text: &str,
    machine: &Machine,
    quote: &Quote,
) -> Option<QuoteRefusal> {
    let rating = Rating::new(tcb_info, text, machine);
    let svns = tee_tcb_svns(quote);
    let refusals = svns
        .iter()
        .map(|svn| refused_level(&rating, svn).or_else(|| refused_module(&rating, svn)));
    let refusals: Vec<_> = refusals.collect();
    if let [Some(QuoteRefusal::NoMatchingTcbLevel(short)), None] = refusals.as_slice() {
        return Some(QuoteRefusal::LaunchedBelowEveryLevel(short.clone()));
    }
    refusals.into_iter().flatten().next()
}

fn refused_level(rating: &Rating<'_>, svn: &TdSvns) -> Option<QuoteRefusal> {
    let Some(level) = rating.reached(svn) else {
        let lowest = rating.nearest(svn, |_| true);
        let best = rating.nearest(svn, |level| level.tcb_status == TcbStatus::UpToDate);
        return Some(QuoteRefusal::NoMatchingTcbLevel(match (lowest, best) {
            (Some(lowest), Some(best)) if lowest != best => format!("{lowest}; {best}"),
            (Some(lowest), _) => lowest.to_string(),
            (None, _) => "the TCB info has no levels".to_owned(),
        }));
    };
    (level.tcb_status == TcbStatus::Revoked).then(|| {
        QuoteRefusal::Revoked(Revocation::Level {
            of: "platform",
            date: date(&level.tcb_date),
        })
    })
}

/// The version of the TDX module, at launch or now, that is newer than every one that the TCB info lists: it was issued before
/// Intel rated that module, and says nothing about it.
pub(super) fn newer_module(tcb_info: &TcbInfo, quote: &Quote) -> Option<u8> {
    let svns = tee_tcb_svns(quote);
    svns.iter()
        .find_map(|TdSvns { svn, .. }| is_newer(tcb_info, svn).then_some(svn[1]))
}

fn is_newer(tcb_info: &TcbInfo, svn: &[u8; 16]) -> bool {
    let listed = tcb_info.tdx_module_identities.iter().filter_map(|module| {
        let (prefix, version) = module.id.split_at_checked(4)?;
        prefix
            .eq_ignore_ascii_case("TDX_")
            .then(|| u8::from_str_radix(version, 16).ok())?
    });
    tcb_info.tdx_module_identity(svn).is_err() && listed.max().is_none_or(|newest| newest < svn[1])
}

fn refused_module(rating: &Rating<'_>, of: &TdSvns) -> Option<QuoteRefusal> {
    let svn = &of.svn;
    let identity = match rating.tcb_info.tdx_module_identity(svn) {
        Ok(identity) => identity?,
        Err(_) if is_newer(rating.tcb_info, svn) => return None,
        Err(_) => {
            let ([_, version, ..], when) = (svn, of.when);
            return Some(QuoteRefusal::NoMatchingTcbLevel(format!(
                "Intel rates no TDX module of version {version}, which the VM has{when}"
            )));
        }
    };
    let reached = identity
        .tcb_levels
        .iter()
        .find(|level| level.shortfall(svn).is_none());
    let Some(level) = reached else {
        let nearest = identity.tcb_levels.iter().min_by_key(|level| level.tcb.isvsvn);
        return Some(QuoteRefusal::NoMatchingTcbLevel(nearest.map_or_else(
            || "the TDX module's identity has no levels".to_owned(),
            |level| module_short_of(level, of, &rating.names).to_string(),
        )));
    };
    (level.tcb_status == TcbStatus::Revoked).then(|| {
        QuoteRefusal::Revoked(Revocation::Level {
            of: "TDX module",
            date: date(&level.tcb_date),
        })
    })
}

fn module_short_of(level: &dcap_qvl::tcb_info::TdxModuleTcbLevel, of: &TdSvns, names: &Names) -> ShortOf {
    ShortOf {
        status: level.tcb_status.to_string(),
        tcb_date: level.tcb_date.clone(),
        components: level
            .shortfall(&of.svn)
            .iter()
            .map(|short| names.component(short, of.when))
            .collect(),
    }
}

/// Why the quoting enclave is refused, if it is: not Intel's, below every level, or at one that Intel revoked. An identity that
/// has `ended` knows Intel's signer, and not what else a later enclave of Intel's is recognised by.
pub(super) fn refused_quoting_enclave(
    identity: &QeIdentity,
    qe: &QeReport,
    ended: bool,
) -> Option<QuoteRefusal> {
    let masked = |value: &[u8], mask: &[u8]| -> Vec<u8> {
        value.iter().zip(mask).map(|(value, mask)| value & mask).collect()
    };
    let same = |own: &[u8], theirs: &[u8], mask: &[u8]| masked(own, mask) == masked(theirs, mask);
    let is_intels = qe.mr_signer == identity.mrsigner
        && qe.isv_prod_id == identity.isvprodid
        && same(&qe.attributes, &identity.attributes, &identity.attributes_mask)
        && same(
            &qe.misc_select.to_le_bytes(),
            &identity.miscselect,
            &identity.miscselect_mask,
        );
    if !is_intels && ended && qe.mr_signer == identity.mrsigner {
        return None;
    }
    if !is_intels {
        return Some(QuoteRefusal::NotVerified(
            "the enclave that signed it is not Intel's quoting enclave".to_owned(),
        ));
    }
    let reached = identity
        .tcb_levels
        .iter()
        .find(|level| level.tcb.isvsvn <= qe.isv_svn);
    match reached {
        Some(level) if level.tcb_status == TcbStatus::Revoked => {
            Some(QuoteRefusal::Revoked(Revocation::Level {
                of: "quoting enclave",
                date: date(&level.tcb_date),
            }))
        }
        Some(_) => None,
        None => identity.tcb_levels.last().map(|level| {
            QuoteRefusal::QeOutOfDate(QeShortfall {
                have: qe.isv_svn,
                needs: level.tcb.isvsvn,
                date: date(&level.tcb_date),
            })
        }),
    }
}

/// Why the TDX module is refused, if it is: it is not the one that the TCB info names (Intel's signer, no attributes).
pub(super) fn refused_module_identity(tcb_info: &TcbInfo, quote: &Quote) -> Option<QuoteRefusal> {
    let report = quote.report.as_td10()?;
    let base = tcb_info.tdx_module.as_ref()?;
    let named = tcb_info.tdx_module_identity(&report.tee_tcb_svn).ok().flatten();
    let (signer, attributes, mask) = match named {
        Some(module) => (&module.mrsigner, &module.attributes, &module.attributes_mask),
        None => (&base.mrsigner, &base.attributes, &base.attributes_mask),
    };
    let (signer, attributes, mask) = (
        hex::decode(signer).ok()?,
        hex::decode(attributes).ok()?,
        hex::decode(mask).ok()?,
    );
    let own = report.seam_attributes.iter();
    let as_named = own
        .zip(attributes.iter().zip(&mask))
        .all(|(own, (named, mask))| own & mask == named & mask && own & !mask == 0);
    if signer == report.mr_signer_seam && as_named {
        return None;
    }
    Some(QuoteRefusal::NotVerified(
        "its TDX module is not Intel's: MRSIGNERSEAM or SEAMATTRIBUTES are not those that Intel names"
            .to_owned(),
    ))
}

/// What a machine whose quote verified is short of to be up to date; empty if nothing is too old.
pub(super) fn short_of_up_to_date(
    tcb_info_text: &str,
    qe_identity_text: &str,
    machine: &Machine,
    quote: &Quote,
    qe: &QeReport,
) -> Vec<ShortOf> {
    let (Ok(tcb_info), Ok(identity)) = (
        serde_json::from_str::<TcbInfo>(tcb_info_text),
        serde_json::from_str::<QeIdentity>(qe_identity_text),
    ) else {
        return Vec::new();
    };
    let rating = Rating::new(&tcb_info, tcb_info_text, machine);
    let mut found = Vec::new();
    for svn in tee_tcb_svns(quote) {
        found.extend(rating.nearest(&svn, |level| level.tcb_status == TcbStatus::UpToDate));
        let module = tcb_info.tdx_module_identity(&svn.svn).ok().flatten();
        let newest = module.and_then(|module| {
            let current = module.tcb_levels.iter();
            current
                .filter(|level| level.tcb_status == TcbStatus::UpToDate)
                .min_by_key(|level| level.tcb.isvsvn)
        });
        found.extend(newest.map(|level| module_short_of(level, &svn, &rating.names)));
    }
    let current = identity.tcb_levels.iter();
    let newest = current
        .filter(|level| level.tcb_status == TcbStatus::UpToDate)
        .min_by_key(|level| level.tcb.isvsvn);
    found.extend(newest.map(|level| {
        ShortOf {
            status: level.tcb_status.to_string(),
            tcb_date: level.tcb_date.clone(),
            components: (qe.isv_svn < level.tcb.isvsvn)
                .then(|| Component {
                    name: "the quoting enclave".to_owned(),
                    have: qe.isv_svn,
                    needs: level.tcb.isvsvn,
                })
                .into_iter()
                .collect(),
        }
    }));
    let mut named: Vec<ShortOf> = Vec::new();
    for short in found {
        if !short.components.is_empty() && !named.contains(&short) {
            named.push(short);
        }
    }
    named
}

/// Intel's names of the components: `category` and `type` next to the numbers, which not every TCB info has.
#[derive(Default)]
struct Names {
    sgx: Vec<Option<String>>,
    tdx: Vec<Option<String>>,
}

#[derive(Deserialize)]
struct NamedLevels {
    #[serde(rename = "tcbLevels")]
    levels: Vec<NamedLevel>,
}

#[derive(Deserialize)]
struct NamedLevel {
    tcb: NamedTcb,
}

#[derive(Deserialize)]
struct NamedTcb {
    #[serde(rename = "sgxtcbcomponents", default)]
    sgx: Vec<NamedComponent>,
    #[serde(rename = "tdxtcbcomponents", default)]
    tdx: Vec<NamedComponent>,
}

#[derive(Deserialize)]
struct NamedComponent {
    category: Option<String>,
    r#type: Option<String>,
}

impl NamedComponent {
    fn name(self) -> Option<String> {
        match (self.category, self.r#type) {
            (Some(category), Some(kind)) => Some(bounded(&format!("{category}, {kind}"))),
            (Some(name), None) | (None, Some(name)) => Some(bounded(&name)),
            (None, None) => None,
        }
    }
}

impl Names {
    fn of(text: &str) -> Self {
        let Ok(named) = serde_json::from_str::<NamedLevels>(text) else {
            return Self::default();
        };
        let Some(first) = named.levels.into_iter().next() else {
            return Self::default();
        };
        let names =
            |components: Vec<NamedComponent>| components.into_iter().map(NamedComponent::name).collect();
        Self {
            sgx: names(first.tcb.sgx),
            tdx: names(first.tcb.tdx),
        }
    }

    /// `when` the TD had it: the machine's own versions are those of now.
    fn component(&self, short: &SvnShortfall, when: &str) -> Component {
        let numbered = |kind: &str, index: u8, names: &[Option<String>]| {
            let number = u16::from(index) + 1;
            match names.get(usize::from(index)) {
                Some(Some(name)) => format!("{kind} component {number} ({name})"),
                _ => format!("{kind} component {number}"),
            }
        };
        Component {
            name: match short.component {
                SvnComponent::Sgx(index) => numbered("SGX", index, &self.sgx),
                SvnComponent::Tdx(index) => format!("{}{when}", numbered("TDX", index, &self.tdx)),
                SvnComponent::PceSvn => "the provisioning certification enclave (PCESVN)".to_owned(),
                SvnComponent::TdxModuleIsvSvn => format!("the TDX module{when}"),
            },
            have: short.have,
            needs: short.needs,
        }
    }
}

#[cfg(test)]
#[path = "tcb_level_tests.rs"]
mod tests;
