//! The options of `cvm-verify pin` that are keys, too: there they say what is written down, so their help has words of its own.

/// A key as an option of `pin`.
#[derive(Debug)]
pub(crate) struct PinOption {
    /// The key's name.
    pub(crate) key: &'static str,
    /// What the help calls its value.
    pub(crate) value: &'static str,
    /// What the help says, without a full stop.
    pub(crate) help: &'static str,
}

/// In the order of the help.
pub(crate) const PIN_OPTIONS: &[PinOption] = &[
    PinOption {
        key: "report-data",
        value: "LAYOUT",
        help: "How the app lays the nonce out in the report data: auto (default, raw or ascii), or a named layout",
    },
    PinOption {
        key: "os-image",
        value: "HASH|NAME",
        help: "The image that runs, by its published os_image_hash or its name: pinned only if a row or its measurement document \
               proves it",
    },
    PinOption {
        key: "os-image-files",
        value: "DIR|TAR",
        help: "The published files of the image that runs (a folder or an archive, see `cvm-verify os-image`): pinned only if \
               they are measured as what the quote shows",
    },
    PinOption {
        key: "reference-values",
        value: "FILE",
        help: "A file of reference values (TOML): OS images and advisories in addition to the built-in ones",
    },
    PinOption {
        key: "source-repository",
        value: "OWNER/NAME",
        help: "The repository on GitHub that the images must have been built from: OWNER/NAME. Who built each is written into \
               the lock",
    },
    PinOption {
        key: "source-workflow",
        value: "PATH",
        help: "The workflow that must have built them: .github/workflows/FILE",
    },
    PinOption {
        key: "sigstore-root",
        value: "FILE",
        help: "The Sigstore instances to trust, instead of the built-in ones",
    },
];
