//! What the report data must hold.

use super::PolicyKey;
use crate::config::file::shape::ValueShape;
use cvm_verify_core::verify::Layout;

pub(super) const KEYS: &[PolicyKey] = &[
    PolicyKey::new("report-data", ValueShape::Choice(&LAYOUTS))
        .says("How the app arranges the nonce in the signed report data: `auto` (`raw`, `ascii`, or the nonce with a \
               key that `tls-binding` compares), `raw`, `ascii`, `left-padded`, `app-data-raw`, `app-data-ascii`, \
               `sha256-raw`, `sha256-ascii`, `hex-sha256-raw`, `hex-sha256-ascii`; or, with 32 further bytes of the \
               app, `nonce-then-key`, `key-then-nonce`, `private-ai`.")
        .default("`auto`")
        .example(r#""raw""#)
        .option("--report-data", "LAYOUT"),
    PolicyKey::new("report-data-key", ValueShape::Key)
        .says("The value that the app must have signed with the nonce, if the layout has a place for it: the SHA-256 of \
               its public key, 32 bytes of hex; for `private-ai` also its signing address, 20 bytes.")
        .example(r#""f4c8a15d6b2b4e753a7fae47661ee5a7263f0357d19647ccaf59a686bf001908""#)
        .option("--report-data-key", "HEX"),
    PolicyKey::new("report-data-value", ValueShape::HexUpTo(64))
        .says("The report data that must be signed, at most 64 bytes of hex, padded with zeros on the right.")
        .example(r#""68656c6c6f""#)
        .option("--report-data-value", "HEX"),
];

/// `auto`, and every named layout.
#[expect(
    clippy::indexing_slicing,
    reason = "the compiler evaluates it: an index out of bounds would not build"
)]
const LAYOUTS: [&str; Layout::ALL.len() + 1] = {
    let mut names = ["auto"; Layout::ALL.len() + 1];
    let mut at = 0;
    while at < Layout::ALL.len() {
        names[at + 1] = Layout::ALL[at].as_str();
        at += 1;
    }
    names
};
