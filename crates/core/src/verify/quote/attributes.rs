//! The attributes of a TD that dcap-qvl refuses (TDX module ABI 348551-008US, table 3.23).

use dcap_qvl::quote::{Quote, TDAttributes};

use crate::verify::QuoteRefusal;

/// Why the TD's attributes are refused, if they are. Meant for a quote whose signature holds: of another one nobody knows
/// how the TD was started.
pub(super) fn refused(quote: &Quote) -> Option<QuoteRefusal> {
    let attributes = TDAttributes::parse(quote.report.as_td10()?.td_attributes).ok()?;
    let service_td = quote
        .report
        .as_td15()
        .is_some_and(|report| report.mr_service_td != [0; 48]);
    let found = [
        (
            attributes.tud & 0x01 != 0,
            "DEBUG: the host can read and change the VM's memory",
        ),
        (
            attributes.tud & 0x70 != 0,
            "profiling bits: the host can observe the VM's execution",
        ),
        (attributes.reserved != 0, "reserved bits are set"),
        (
            attributes.sec.migratable,
            "MIGRATABLE: the host can move the VM's memory elsewhere",
        ),
        (
            attributes.sec.servtd_ext,
            "SERVTD_EXT: service TDs may be bound to the VM",
        ),
        (!attributes.sec.sept_ve_disable, "SEPT_VE_DISABLE is not set"),
        (
            service_td,
            "MRSERVICETD is not zero: a service TD is bound to the VM",
        ),
    ];
    found
        .into_iter()
        .find(|(refused, _)| *refused)
        .map(|(_, what)| QuoteRefusal::AttributesRefused(what.to_owned()))
}
