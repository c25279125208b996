//! Values of options and of keys of the policy file: what is shown of a value can be given, and no refusal acts in a terminal.
#![cfg_attr(feature = "libfuzzer", no_main)]

use std::fmt::{Debug, Display};
use std::str::FromStr;

use cvm_verify::address::{parse_address, shown_address, shown_text};
use cvm_verify::alert::incident::Share;
use cvm_verify::config::Interval;
use cvm_verify_core::lock::AcceptName;
use cvm_verify_core::policy::{
    CollateralMaxAge, GpuModel, KeyProviders, KmsHost, KnownBy, PlatformId, ReportMaxAge, TlsBinding,
};
use cvm_verify_core::reference::ReleaseVersion;
use cvm_verify_core::report::{Assurance, CheckId, RequiredAssurance, RunId};
use cvm_verify_core::verify::Layout;
use cvm_verify_fuzz::printed::assert_harmless;

/// The value; a refusal of it is harmless text.
fn read<T: FromStr<Err: Display>>(text: &str) -> Option<T> {
    text.parse()
        .inspect_err(|error: &T::Err| assert_harmless(&error.to_string()))
        .ok()
}

fn can_be_given_again<T: FromStr<Err: Display + Debug> + Display + Debug + PartialEq>(text: &str) {
    if let Some(value) = read::<T>(text) {
        let shown = value.to_string();
        assert_harmless(&shown);
        assert_eq!(shown.parse::<T>().expect("what is shown can be given"), value);
    }
}

cvm_verify_fuzz::fuzz_target!(|text: &str| {
    can_be_given_again::<KmsHost>(text);
    can_be_given_again::<KnownBy>(text);
    can_be_given_again::<GpuModel>(text);
    can_be_given_again::<TlsBinding>(text);
    can_be_given_again::<ReleaseVersion>(text);
    can_be_given_again::<Assurance>(text);
    can_be_given_again::<RequiredAssurance>(text);
    can_be_given_again::<CheckId>(text);
    can_be_given_again::<RunId>(text);
    can_be_given_again::<Layout>(text);
    can_be_given_again::<CollateralMaxAge>(text);
    can_be_given_again::<ReportMaxAge>(text);
    can_be_given_again::<Interval>(text);
    can_be_given_again::<Share>(text);
    can_be_given_again::<KeyProviders>(text);
    // These two are shown in words.
    let _ = (read::<AcceptName>(text), read::<PlatformId>(text));
    if let Ok(url) = parse_address(text) {
        assert!(["http", "https"].contains(&url.scheme()) && url.host().is_some());
        assert!(
            url.username().is_empty() && url.password().is_none(),
            "no secret in an address"
        );
        let shown = shown_address(&url);
        assert_harmless(&shown);
        assert!(!shown.contains(['?', '#']), "a query may hold a secret");
    }
    // Who shows it escapes it.
    assert!(
        !shown_text(text).contains(['?', '#']),
        "a query may hold a secret"
    );
});
