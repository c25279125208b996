//! Keys that are options of a command for which the option means something else, so that it has its own help text.

use super::OptionGroup;

/// A key as an option of such a command.
#[derive(Debug)]
pub(crate) struct RewordedOption {
    /// The key's name.
    pub(crate) key: &'static str,
    /// The heading of the help below which it is listed; `None` for the general options.
    pub(crate) heading: Option<&'static str>,
    /// What the help calls its value.
    pub(crate) value: &'static str,
    /// What the help says, without a full stop.
    pub(crate) help: &'static str,
}

/// Of `cvm-verify replay`, which sends no request.
pub(crate) const REPLAY_OPTIONS: &[RewordedOption] = &[RewordedOption {
    key: "verifier",
    heading: OptionGroup::SecondOpinion.heading(),
    value: "VERIFIER",
    help: "Whether the bundle must contain an answer of Phala's verification API that agrees: `local` by default. A replay \
           sends no request",
}];

/// Of `cvm-verify pin`, for which they say what is written into the lock. In the order of the help.
pub(crate) const PIN_OPTIONS: &[RewordedOption] = &[
    RewordedOption {
        key: "report-data",
        heading: None,
        value: "LAYOUT",
        help: "How the app arranges the nonce in the report data: auto (default: raw, ascii, or the nonce with a key that `tls-binding` compares), or a named layout",
    },
    RewordedOption {
        key: "os-image",
        heading: None,
        value: "HASH|NAME",
        help: "The image that runs, by its published os_image_hash or its name: pinned only if a row of the reference values \
               or its measurement document proves it",
    },
    RewordedOption {
        key: "os-image-files",
        heading: None,
        value: "DIR|TAR",
        help: "The published files of the image that runs (a folder or an archive, see `cvm-verify os-image`): pinned only if \
               their measurements are those of the quote",
    },
    RewordedOption {
        key: "reference-values",
        heading: None,
        value: "FILE",
        help: "A file of reference values (TOML): OS images and advisories in addition to the built-in ones",
    },
    RewordedOption {
        key: "source-repository",
        heading: None,
        value: "OWNER/NAME",
        help: "The repository on GitHub that the images must have been built from: OWNER/NAME. Who built each is written into \
               the lock",
    },
    RewordedOption {
        key: "source-workflow",
        heading: None,
        value: "PATH",
        help: "The workflow that must have built them: .github/workflows/FILE",
    },
    RewordedOption {
        key: "sigstore-root",
        heading: None,
        value: "FILE",
        help: "The Sigstore instances to trust, instead of the built-in ones",
    },
];
