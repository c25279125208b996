//! Evidence from a bundle or from loose files, and the collateral that is fetched for it.

pub(crate) mod bundle;
pub(crate) mod collateral;
pub(crate) mod evidence;
pub(crate) mod loose;

use std::path::Path;

use crate::usage_error::UsageError;
use cvm_verify_core::evidence::{Bundle, BundleError};
use evidence::Recorded;
use loose::LooseFiles;

/// What a user names: a bundle, a file that is recognised as a quote or as a body of `/attestation`, or loose files.
pub(crate) fn named(file: Option<&Path>, loose: &LooseFiles) -> Result<Recorded, UsageError> {
    let Some(path) = file else {
        return loose::recorded(loose)?.ok_or_else(|| {
            UsageError::new(
                "there is nothing to replay; give a bundle (cvm-verify replay BUNDLE.json), a quote (cvm-verify replay QUOTE) or \
                 loose files (--attestation FILE …)",
            )
        });
    };
    if loose.has_quote() {
        return Err(UsageError::new(format!(
            "{} and --attestation or --quote-hex name two pieces of evidence; give one",
            path.display()
        )));
    }
    let bytes = loose::read(path)?;
    let path = loose::named(path);
    match Bundle::parse(&bytes) {
        Ok(bundle) => match loose.needs_a_quote() {
            Some(option) => Err(UsageError::option(
                option,
                "a bundle contains its own; this option is only for loose files",
            )),
            None => bundle::of_bundle(path, &bundle, loose.collateral.as_deref()),
        },
        Err(BundleError::NotABundle | BundleError::Unreadable(_)) => {
            let recognised = loose::recognised(path, &bytes, loose)?;
            recognised.ok_or_else(|| match Bundle::parse(&bytes) {
                Err(error) => UsageError::file(path, error),
                Ok(_) => UsageError::file(path, "is a bundle"),
            })
        }
        Err(error) => Err(UsageError::file(path, error)),
    }
}
