//! Every key of the policy file: the one table that the parser, the JSON Schema and the page of the documentation are
//! made from.
//!
//! To add a key: add its row to [`KEYS`], and read it in `plan/policy.rs` with `settings.one("NAME")` or `settings.all("NAME")`.
//! With `option`, the row is also the option `--NAME`, its variable `CVM_VERIFY_NAME`, and their help: `cli/args/keys.rs` declares
//! it from the row. Then `cargo xtask docs` writes schema, documentation and help.

use super::shape::Shape;
use cvm_verify_core::policy::TlsBinding;
use cvm_verify_core::verify::Layout;

/// Where a key may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyScope {
    /// In a `[[target]]` alone.
    Target,
    /// In `[defaults]` alone: it is about the whole run.
    Defaults,
    /// In both.
    Both,
}

/// A key of the policy file.
#[derive(Debug)]
pub(crate) struct PolicyKey {
    /// Its name: that of the option.
    pub(crate) name: &'static str,
    /// Where it may stand.
    pub(super) scope: KeyScope,
    /// What it may hold.
    pub(crate) shape: Shape,
    /// What it says, a sentence or more, Markdown.
    #[cfg_attr(not(test), expect(dead_code, reason = "for schema and documentation"))]
    pub(super) says: &'static str,
    /// What holds where it is not given; empty where nothing does.
    #[cfg_attr(not(test), expect(dead_code, reason = "for schema and documentation"))]
    pub(super) default: &'static str,
    /// An example of its value, TOML.
    pub(super) example: &'static str,
    /// The option of this name; `None` for what the policy file alone can say, or an option declares in another form.
    pub(crate) option: Option<Typed>,
}

/// A key as an option of the command line, and so as a variable of the environment.
#[derive(Debug)]
pub(crate) struct Typed {
    /// As it is typed: the key's name behind two dashes.
    pub(crate) flag: &'static str,
    /// The heading of the help below which it stands.
    pub(crate) heading: &'static str,
    /// What the help calls its value.
    pub(crate) value: &'static str,
    /// What the help says, without a full stop.
    pub(crate) help: &'static str,
    /// What each word of a choice means, in the order of the words. Empty if the help names no words.
    pub(crate) values: &'static [&'static str],
    /// Whether it says what must run. Then no lock in the working folder is looked for.
    pub(crate) expects: bool,
}

/// Every key, in the order of the documentation.
pub(crate) const KEYS: &[PolicyKey] = &[
    PolicyKey {
        name: "name",
        scope: KeyScope::Target,
        shape: Shape::Name,
        says: "What the target is called: in reports, on the command line (`--target`) and in a lock of several targets. \
               Letters, digits, `.`, `_` and `-`.",
        default: "",
        example: r#""shop""#,
        option: None,
    },
    PolicyKey {
        name: "url",
        scope: KeyScope::Target,
        shape: Shape::Url,
        says: "Where the app answers.",
        default: "",
        example: r#""https://shop.example""#,
        option: None,
    },
    PolicyKey {
        name: "source",
        scope: KeyScope::Both,
        shape: Shape::Choice(&["app", "guest-agent", "phala-cloud"]),
        says: "Whom to ask for evidence. `guest-agent` and `phala-cloud` may be reached by `app-id` or `instance-id` instead \
               of `url`; neither signs a nonce.",
        default: "`app`",
        example: r#""phala-cloud""#,
        option: Some(Typed {
            flag: "--source",
            heading: "Source",
            value: "SOURCE",
            help: "Whom to ask for evidence. Only the app can sign this run's nonce: evidence of the other two is not \
                    fresh, so that the verdict stays inconclusive unless --freshness unchecked waives it",
            values: &[
                "The app's own endpoints, by URL",
                "The guest agent on port 8090, by its URL or by app or instance id: a quote over a key of the app, from \
                    0.5.6 on",
                "Phala Cloud's API, by app id: the quotes that all instances made when they started",
            ],
            expects: false,
        }),
    },
    PolicyKey {
        name: "gateway-domain",
        scope: KeyScope::Both,
        shape: Shape::Domain,
        says: "The gateway's base domain, to reach the guest agent by an id.",
        default: "",
        example: r#""gateway.example""#,
        option: Some(Typed {
            flag: "--gateway-domain",
            heading: "Source",
            value: "DOMAIN",
            help: "The gateway's base domain, to reach the guest agent by app or instance id: https://ID-8090.DOMAIN",
            values: &[],
            expects: false,
        }),
    },
    PolicyKey {
        name: "instances",
        scope: KeyScope::Both,
        shape: Shape::Number,
        says: "How many instances of the app must run at least, by Phala Cloud's list. Fewer are a fail; without it stopped \
               instances are reported and fail nothing.",
        default: "",
        example: "3",
        option: None,
    },
    PolicyKey {
        name: "phala-api-url",
        scope: KeyScope::Both,
        shape: Shape::Url,
        says: "A mirror of Phala Cloud's API, to ask instead of Phala.",
        default: "",
        example: r#""https://mirror.example""#,
        option: Some(Typed {
            flag: "--phala-api-url",
            heading: "Source",
            value: "URL",
            help: "Ask this mirror of Phala Cloud's API instead of Phala",
            values: &[],
            expects: false,
        }),
    },
    PolicyKey {
        name: "info-url",
        scope: KeyScope::Target,
        shape: Shape::Url,
        says: "Where the app's information is taken from instead of its info endpoint: the guest agent's, for an app that \
               serves none.",
        default: "",
        example: r#""https://info.example/prpc/Info?json""#,
        option: Some(Typed {
            flag: "--info-url",
            heading: "Source",
            value: "URL",
            help: "Take the app's information from this address instead of the info endpoint: the guest agent's, for an app \
                    that serves none, https://ID-8090.DOMAIN/prpc/Info?json",
            values: &[],
            expects: false,
        }),
    },
    PolicyKey {
        name: "lock",
        scope: KeyScope::Both,
        shape: Shape::Path,
        says: "The lock file that `cvm-verify pin` wrote. Of a lock of several targets, each takes its own block, by its name.",
        default: "",
        example: r#""cvm.lock""#,
        option: Some(Typed {
            flag: "--lock",
            heading: "Expectations",
            value: "FILE",
            help: "The lock file that `cvm-verify pin` wrote",
            values: &[],
            expects: true,
        }),
    },
    PolicyKey {
        name: "compose-hash",
        scope: KeyScope::Both,
        shape: Shape::Hex(32),
        says: "SHA-256 of the compose document that must run. Replaces that of the lock; all else of the lock stays.",
        default: "",
        example: r#""3f9a0c5e8f6d1b2a4c7e9d0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d""#,
        option: Some(Typed {
            flag: "--compose-hash",
            heading: "Expectations",
            value: "HEX",
            help: "SHA-256 of the compose document, 32 bytes of hex",
            values: &[],
            expects: true,
        }),
    },
    PolicyKey {
        name: "app-compose-file",
        scope: KeyScope::Both,
        shape: Shape::Path,
        says: "The compose document itself: its exact bytes are what must run.",
        default: "",
        example: r#""app-compose.json""#,
        option: Some(Typed {
            flag: "--app-compose-file",
            heading: "Expectations",
            value: "FILE",
            help: "The compose document itself: its exact bytes are what must run",
            values: &[],
            expects: true,
        }),
    },
    PolicyKey {
        name: "docker-compose",
        scope: KeyScope::Both,
        shape: Shape::Path,
        says: "The docker compose file of your repository: it must be inside the measured document, byte for byte, and all \
               around it as in the lock, or as Phala Cloud writes it with nothing exposed.",
        default: "",
        example: r#""docker-compose.yml""#,
        option: Some(Typed {
            flag: "--docker-compose",
            heading: "Expectations",
            value: "FILE",
            help: "The docker compose file of your repository: it must be inside the measured document, byte for byte, and \
                    all around it as in the lock, or as Phala Cloud writes it with nothing exposed",
            values: &[],
            expects: true,
        }),
    },
    PolicyKey {
        name: "also-compose-hash",
        scope: KeyScope::Both,
        shape: Shape::SecondHash,
        says: "A second compose hash, accepted during a roll-out, at most 90 days ahead.",
        default: "",
        example: r#""f4c8a15d6b2b4e753a7fae47661ee5a7263f0357d19647ccaf59a686bf001908:until=2026-12-31""#,
        option: Some(Typed {
            flag: "--also-compose-hash",
            heading: "Expectations",
            value: "HEX:until=DATE",
            help: "A second compose hash, accepted during a roll-out: HEX:until=YYYY-MM-DD, at most 90 days ahead",
            values: &[],
            expects: true,
        }),
    },
    PolicyKey {
        name: "app-id",
        scope: KeyScope::Both,
        shape: Shape::Hex(20),
        says: "The app's id. A lock of another app is refused.",
        default: "",
        example: r#""a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0""#,
        option: Some(Typed {
            flag: "--app-id",
            heading: "Expectations",
            value: "HEX",
            help: "The app's id, 20 bytes of hex",
            values: &[],
            expects: true,
        }),
    },
    PolicyKey {
        name: "instance-id",
        scope: KeyScope::Both,
        shape: Shape::InstanceIds,
        says: "The ids of the instances that may answer: no other instance of the app may.",
        default: "",
        example: r#"["b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1"]"#,
        option: Some(Typed {
            flag: "--instance-id",
            heading: "Expectations",
            value: "HEX",
            help: "The instance's id, 20 bytes of hex. Repeatable: any of them may answer",
            values: &[],
            expects: true,
        }),
    },
    PolicyKey {
        name: "platform-id",
        scope: KeyScope::Both,
        shape: Shape::PlatformIds,
        says: "The machines that may run the app: SHA-256 of a machine's PPID (64 hex digits), or the FMSPC of its model (12).",
        default: "",
        example: r#"["b0c06f000000"]"#,
        option: Some(Typed {
            flag: "--platform-id",
            heading: "Expectations",
            value: "HEX",
            help: "A machine that may run the app: SHA-256 of its PPID (64 hex digits), or the FMSPC of its model (12). \
                    Repeatable",
            values: &[],
            expects: true,
        }),
    },
    PolicyKey {
        name: "launch-inputs",
        scope: KeyScope::Both,
        shape: Shape::Choice(&["warn", "required", "unchecked"]),
        says: "What becomes of variables that the deployer may set, start-up scripts and exposure settings that are neither \
               known nor in the lock.",
        default: "`warn`",
        example: r#""required""#,
        option: Some(Typed {
            flag: "--launch-inputs",
            heading: "Expectations",
            value: "LAUNCH_INPUTS",
            help: "What becomes of variables that the deployer may set, start-up scripts and exposure settings that are \
                    neither known nor in the lock: `warn` by default",
            values: &[
                "They warn",
                "They fail",
                "Nobody looks: a waiver, which the verdict names",
            ],
            expects: false,
        }),
    },
    PolicyKey {
        name: "os-image",
        scope: KeyScope::Both,
        shape: Shape::OsImage,
        says: "Accepted OS images: `known` (production images of the built-in table), `lock`, the published os_image_hash or the name \
               of an image (`HASH:until=YYYY-MM-DD` accepts a vulnerable one for a while), `mrtd=HEX,rtmr0=HEX,rtmr1=HEX,rtmr2=HEX`, or `unchecked`, a waiver that the verdict names.",
        default: "the lock's, else `known`",
        example: r#""lock""#,
        option: Some(Typed {
            flag: "--os-image",
            heading: "Expectations",
            value: "IMAGE",
            help: "Accepted OS images: `known` (default: production images of the built-in table), `lock`, the published \
                    os_image_hash or the name of an image (`HASH:until=YYYY-MM-DD` accepts a vulnerable one for a while), \
                    `mrtd=HEX,rtmr0=HEX,rtmr1=HEX,rtmr2=HEX`, or `unchecked` (a waiver)",
            values: &[],
            expects: true,
        }),
    },
    PolicyKey {
        name: "os-image-files",
        scope: KeyScope::Both,
        shape: Shape::Path,
        says: "The published files of the OS image that must have booted: a folder or an archive, as `cvm-verify os-image` takes it. \
               They are measured in each run.",
        default: "",
        example: r#""dstack-0.5.16.tar.gz""#,
        option: Some(Typed {
            flag: "--os-image-files",
            heading: "Expectations",
            value: "DIR|TAR",
            help: "The published files of the OS image that must have booted: a folder or an archive, as `cvm-verify \
                    os-image` takes it. They are measured in this run",
            values: &[],
            expects: true,
        }),
    },
    PolicyKey {
        name: "reference-values",
        scope: KeyScope::Both,
        shape: Shape::Path,
        says: "A file of [reference values](reference-values.md): OS images, VM shapes, KMSs, scripts and advisories in addition to the \
               built-in ones. It adds rows, and changes none.",
        default: "",
        example: r#""reference-values.toml""#,
        option: Some(Typed {
            flag: "--reference-values",
            heading: "Expectations",
            value: "FILE",
            help: "A file of reference values (TOML): OS images, VM shapes, KMSs, scripts and advisories in addition to the \
                    built-in ones. It adds rows, and changes none",
            values: &[],
            expects: false,
        }),
    },
    PolicyKey {
        name: "mr-config-id",
        scope: KeyScope::Both,
        shape: Shape::Choice(&["auto", "required"]),
        says: "Whether MRCONFIGID may be zero. `required`: the host must have bound the compose hash at launch.",
        default: "`auto`",
        example: r#""required""#,
        option: Some(Typed {
            flag: "--mr-config-id",
            heading: "Expectations",
            value: "MR_CONFIG_ID",
            help: "Whether MRCONFIGID may be zero: `auto` (default), or `required`: the host must have bound the compose \
                    hash at launch",
            values: &["It may be zero; otherwise it must be true", "It must not be zero"],
            expects: false,
        }),
    },
    PolicyKey {
        name: "key-provider",
        scope: KeyScope::Both,
        shape: Shape::KeyProvider,
        says: "The key provider, as `NAME[:HEXID]`, or a known KMS (`phala`, `phala-base`, or one of your reference values); several with \
               commas between them, since roots rotate. `kms` without an id and `unchecked` are waivers that the verdict names.",
        default: "the lock's",
        example: r#""phala""#,
        option: Some(Typed {
            flag: "--key-provider",
            heading: "Expectations",
            value: "PROVIDER",
            help: "The key provider: NAME[:HEXID], or a known KMS (phala, phala-base); several with commas between them. \
                    `kms` without an id and `unchecked` are waivers",
            values: &[],
            expects: true,
        }),
    },
    PolicyKey {
        name: "freshness",
        scope: KeyScope::Both,
        shape: Shape::Choice(&["required", "unchecked"]),
        says: "Whether this run's nonce must be signed. `unchecked` is a waiver that the verdict names.",
        default: "`required`",
        example: r#""required""#,
        option: Some(Typed {
            flag: "--freshness",
            heading: "Expectations",
            value: "FRESHNESS",
            help: "Whether this run's nonce must be signed: `required` by default",
            values: &["It must", "It need not: a waiver, which the verdict names"],
            expects: false,
        }),
    },
    PolicyKey {
        name: "image-pins",
        scope: KeyScope::Both,
        shape: Shape::Choice(&["required", "unchecked"]),
        says: "Whether every image must be pinned by digest. `unchecked` is a waiver that the verdict names.",
        default: "`required`",
        example: r#""required""#,
        option: Some(Typed {
            flag: "--image-pins",
            heading: "Expectations",
            value: "IMAGE_PINS",
            help: "Whether every image must be pinned by digest: `required` by default",
            values: &["It must", "It need not: a waiver, which the verdict names"],
            expects: false,
        }),
    },
    PolicyKey {
        name: "images",
        scope: KeyScope::Both,
        shape: Shape::Images,
        says: "Who must have built which images, a block `[[target.images]]` for each rule: see \
               [provenance](provenance.md). The first rule that names an image holds.",
        default: "",
        example: r#"[{ image = "ghcr.io/example/web", repository = "example/shop" }]"#,
        option: None,
    },
    PolicyKey {
        name: "source-repository",
        scope: KeyScope::Both,
        shape: Shape::SourceRepository,
        says: "The repository on GitHub that every image must have been built from that neither `images` nor the lock names.",
        default: "",
        example: r#""example/shop""#,
        option: Some(Typed {
            flag: "--source-repository",
            heading: "Expectations",
            value: "OWNER/NAME",
            help: "The repository on GitHub that every image must have been built from that neither the policy file nor the \
                    lock names: OWNER/NAME. Images that are not yours need a rule in `[[target.images]]` of the policy file",
            values: &[],
            expects: false,
        }),
    },
    PolicyKey {
        name: "source-workflow",
        scope: KeyScope::Both,
        shape: Shape::SourceWorkflow,
        says: "The workflow that must have built the images. It holds for the rules in `images` and in the lock, too: beside \
               `source-repository` for those of that repository, without it for all; so do the next two.",
        default: "any workflow of the repository",
        example: r#"".github/workflows/release.yml""#,
        option: Some(Typed {
            flag: "--source-workflow",
            heading: "Expectations",
            value: "PATH",
            help: "The workflow that must have built the images: .github/workflows/FILE of that repository, or \
                    OWNER/NAME/.github/workflows/FILE for a reusable one",
            values: &[],
            expects: false,
        }),
    },
    PolicyKey {
        name: "source-ref",
        scope: KeyScope::Both,
        shape: Shape::SourceRefs,
        says: "The refs that the images may have been built from.",
        default: "any branch or tag, and no pull request",
        example: r#"["refs/tags/*"]"#,
        option: Some(Typed {
            flag: "--source-ref",
            heading: "Expectations",
            value: "REF",
            help: "The ref that the images must have been built from: refs/tags/v1.2.0, refs/tags/*, refs/heads/main. \
                    Repeatable: any of them",
            values: &[],
            expects: false,
        }),
    },
    PolicyKey {
        name: "source-commit",
        scope: KeyScope::Both,
        shape: Shape::SourceCommit,
        says: "The commit that the images must have been built from.",
        default: "any commit",
        example: r#""95baf2766ce4c0cb4a4a2bd7b0ee4ce61f0ba012""#,
        option: Some(Typed {
            flag: "--source-commit",
            heading: "Expectations",
            value: "COMMIT",
            help: "The commit that the images must have been built from, 40 hex digits. Like workflow and ref it holds for \
                    the rules of the policy file and the lock, too: for those of --source-repository, or for all",
            values: &[],
            expects: false,
        }),
    },
    PolicyKey {
        name: "provenance-bundle",
        scope: KeyScope::Both,
        shape: Shape::Paths,
        says: "Files of Sigstore bundles about the images. GitHub is then asked about the other images alone.",
        default: "",
        example: r#"["web.sigstore.json"]"#,
        option: Some(Typed {
            flag: "--provenance-bundle",
            heading: "Expectations",
            value: "FILE",
            help: "A file of Sigstore bundles about the images: one, a list, JSON lines, or an answer of GitHub's API. \
                    Repeatable. GitHub is then asked about the other images alone",
            values: &[],
            expects: false,
        }),
    },
    PolicyKey {
        name: "sigstore-root",
        scope: KeyScope::Both,
        shape: Shape::Path,
        says: "The Sigstore instances to trust: `trusted_root.json`, or what `gh attestation trusted-root` prints.",
        default: "the built-in ones: the public instance and GitHub's",
        example: r#""trusted_root.json""#,
        option: Some(Typed {
            flag: "--sigstore-root",
            heading: "Expectations",
            value: "FILE",
            help: "The Sigstore instances to trust, instead of the built-in ones: trusted_root.json, or what `gh \
                    attestation trusted-root` prints",
            values: &[],
            expects: false,
        }),
    },
    PolicyKey {
        name: "report-data",
        scope: KeyScope::Both,
        shape: Shape::Choice(&LAYOUTS),
        says: "How the app lays the nonce out in the signed report data; `auto` is exactly `raw` or exactly `ascii`.",
        default: "`auto`",
        example: r#""raw""#,
        option: Some(Typed {
            flag: "--report-data",
            heading: "Expectations",
            value: "LAYOUT",
            help: "How the app lays the nonce out in the report data: auto (default, raw or ascii), raw, ascii, \
                    left-padded, app-data-raw, app-data-ascii, sha256-raw, sha256-ascii, hex-sha256-raw, hex-sha256-ascii; \
                    or, with 32 bytes of the app's own beside it, nonce-then-key, key-then-nonce, private-ai",
            values: &[],
            expects: false,
        }),
    },
    PolicyKey {
        name: "report-data-key",
        scope: KeyScope::Both,
        shape: Shape::Key,
        says: "What the app must have signed beside the nonce, where the layout has a place for it: the SHA-256 of its \
               public key, or for `private-ai` also its signing address of 20 bytes.",
        default: "",
        example: r#""f4c8a15d6b2b4e753a7fae47661ee5a7263f0357d19647ccaf59a686bf001908""#,
        option: Some(Typed {
            flag: "--report-data-key",
            heading: "Expectations",
            value: "HEX",
            help: "What the app must have signed beside the nonce, where the layout has a place for it: the SHA-256 of its \
                    public key, 32 bytes of hex; for private-ai also its signing address, 20 bytes",
            values: &[],
            expects: false,
        }),
    },
    PolicyKey {
        name: "report-data-value",
        scope: KeyScope::Both,
        shape: Shape::HexUpTo(64),
        says: "The report data that must be signed, at most 64 bytes, padded with zeros on the right.",
        default: "",
        example: r#""68656c6c6f""#,
        option: Some(Typed {
            flag: "--report-data-value",
            heading: "Expectations",
            value: "HEX",
            help: "The report data that must be signed, at most 64 bytes of hex, padded with zeros on the right",
            values: &[],
            expects: false,
        }),
    },
    PolicyKey {
        name: "accept-tcb",
        scope: KeyScope::Both,
        shape: Shape::TcbExceptions,
        says: "Accepts hardware that Intel rates lower than UpToDate, for at most 90 days.",
        default: "",
        example: r#"["OutOfDate:until=2026-12-31:advisories=INTEL-SA-00001"]"#,
        option: Some(Typed {
            flag: "--accept-tcb",
            heading: "Expectations",
            value: "EXCEPTION",
            help: "Accept another TCB status for a while: STATUS:until=YYYY-MM-DD[:advisories=INTEL-SA-00001,…]. Repeatable",
            values: &[],
            expects: false,
        }),
    },
    PolicyKey {
        name: "gpu",
        scope: KeyScope::Both,
        shape: Shape::Choice(&["auto", "required", "unchecked"]),
        says: "Whether there must be GPUs. `auto`: forged GPU evidence fails, what is not proven is a warning. `unchecked` is a \
               waiver that the verdict names.",
        default: "`auto`",
        example: r#""required""#,
        option: Some(Typed {
            flag: "--gpu",
            heading: "GPUs",
            value: "GPU",
            help: "Whether there must be GPUs: `auto` by default. A GPU is proven by a report that it signed over this \
                    run's nonce. That it is in this machine is not proven",
            values: &[
                "Forged GPU evidence fails; what is not proven is a warning",
                "There must be GPUs, and they must be proven",
                "Nobody looks: a waiver, which the verdict names",
            ],
            expects: false,
        }),
    },
    PolicyKey {
        name: "gpu-count",
        scope: KeyScope::Both,
        shape: Shape::Number,
        says: "How many GPUs there must be, no more and no less: 0 to 16.",
        default: "",
        example: "8",
        option: Some(Typed {
            flag: "--gpu-count",
            heading: "GPUs",
            value: "NUMBER",
            help: "How many GPUs there must be, no more and no less: 0 to 16",
            values: &[],
            expects: false,
        }),
    },
    PolicyKey {
        name: "gpu-model",
        scope: KeyScope::Both,
        shape: Shape::GpuModels,
        says: "The models that the GPUs may be, by the chip's name in their certificates: `GH100` for H100 and H200.",
        default: "",
        example: r#"["GH100"]"#,
        option: Some(Typed {
            flag: "--gpu-model",
            heading: "GPUs",
            value: "CHIP",
            help: "A model that the GPUs may be, by the chip's name in their certificates, such as GH100 for H100 and H200, \
                    or GB100. Repeatable",
            values: &[],
            expects: false,
        }),
    },
    PolicyKey {
        name: "gpu-switches",
        scope: KeyScope::Both,
        shape: Shape::Choice(&["auto", "required"]),
        says: "Whether switches must be attested if the GPUs work in protected-PCIe mode, in which the links between them are \
               in clear.",
        default: "`auto`",
        example: r#""required""#,
        option: Some(Typed {
            flag: "--gpu-switches",
            heading: "GPUs",
            value: "GPU_SWITCHES",
            help: "Whether switches must be attested if the GPUs work in protected-PCIe mode, in which the links between \
                    them are in clear: `auto` by default",
            values: &[
                "Switches that are not attested are a warning",
                "They are a failure",
            ],
            expects: false,
        }),
    },
    PolicyKey {
        name: "gpu-verifier",
        scope: KeyScope::Defaults,
        shape: Shape::Choice(&["local", "nras", "both"]),
        says: "Who verifies GPUs. `nras` and `both` send the reports of the GPUs to NVIDIA's remote attestation service.",
        default: "`local`",
        example: r#""nras""#,
        option: Some(Typed {
            flag: "--gpu-verifier",
            heading: "GPUs",
            value: "GPU_VERIFIER",
            help: "Who verifies GPUs: `local` by default. The others also send the reports of the GPUs to NVIDIA's remote \
                    attestation service (NRAS), which compares them with golden values and revocation lists: they name the \
                    GPUs, their firmware and driver, and NVIDIA limits what it may be used for. A replay takes the answers \
                    from the bundle",
            values: &[
                "This program",
                "This program and NVIDIA's service: both must approve",
                "This program; a refusal by NVIDIA's service fails, and a service that does not answer is a warning",
            ],
            expects: false,
        }),
    },
    PolicyKey {
        name: "tls-binding",
        scope: KeyScope::Both,
        shape: Shape::Choice(&TlsBinding::NAMES),
        says: "How the key of the TLS connection must be bound to the VM. `auto` informs; a mode that is named must hold. `ingress` proves `code+endpoint-replayable` at most.",
        default: "`auto`",
        example: r#""ratls""#,
        option: Some(Typed {
            flag: "--tls-binding",
            heading: "Expectations",
            value: "TLS_BINDING",
            help: "How the key of the TLS connection must be bound to the VM: `auto` (default: whatever is found, for \
                    information), `ratls` (the certificate carries the VM's quote), `app-key` (the app quotes the hash of \
                    its key beside the nonce), or `ingress` (the evidence of dstack-ingress lists the certificate; \
                    replayable, so it proves `code+endpoint-replayable` at most). A mode that is named must hold",
            values: &[
                "Whatever is found",
                "The certificate carries the VM's quote of its key",
                "The app's quote holds the hash of its key",
                "The evidence of dstack-ingress lists the certificate",
            ],
            expects: false,
        }),
    },
    PolicyKey {
        name: "endpoint-probe",
        scope: KeyScope::Both,
        shape: Shape::Choice(&["auto", "never"]),
        says: "Whether the endpoint is asked once for a quote that it should refuse, if `require-assurance` asks for `endpoint`.",
        default: "`auto`",
        example: r#""never""#,
        option: None,
    },
    PolicyKey {
        name: "min-tcb-eval-data-number",
        scope: KeyScope::Both,
        shape: Shape::Number,
        says: "The lowest TCB evaluation data number to accept.",
        default: "a built-in floor that rises with time",
        example: "20",
        option: Some(Typed {
            flag: "--min-tcb-eval-data-number",
            heading: "Expectations",
            value: "NUMBER",
            help: "The lowest TCB evaluation data number to accept",
            values: &[],
            expects: false,
        }),
    },
    PolicyKey {
        name: "kms",
        scope: KeyScope::Both,
        shape: Shape::Choice(&["required", "unchecked"]),
        says: "What becomes of an app whose [KMS](governance.md#the-kms) cannot be judged: `required` (`--require-kms`) leaves the \
               verdict open or fails, `unchecked` is a waiver.",
        default: "a KMS is judged that the lock or this file names",
        example: r#""required""#,
        option: None,
    },
    PolicyKey {
        name: "kms-host",
        scope: KeyScope::Both,
        shape: Shape::KmsHosts,
        says: "Where the KMS answers that gives the app its keys: its host, with a port if it is not 443; several replicas as a \
               list of at most 4. Take it from your own deployment, not from the app that answers.",
        default: "the lock's",
        example: r#"["kms.example:12001"]"#,
        option: None,
    },
    PolicyKey {
        name: "kms-compose-hash",
        scope: KeyScope::Both,
        shape: Shape::Hashes,
        says: "SHA-256 of the compose documents that the KMS may run.",
        default: "the lock's",
        example: r#"["5070b43503b10a3b061ca1c1e73a0565d424cdbcff368d40a8ba30747066efd2"]"#,
        option: None,
    },
    PolicyKey {
        name: "kms-build",
        scope: KeyScope::Both,
        shape: Shape::Hashes,
        says: "The builds that the KMS may be, by `mr_aggregated`, as the KMS contract lists them. Compared with the KMS that answers, \
               and with `mr-kms` in the app's event log (dstack 0.4.2 to 0.5).",
        default: "",
        example: r#"["2e6aeb6a3318ee37eb226207ad3077ad55b8e3b78cf41b98b5aadf80366c3c6d"]"#,
        option: None,
    },
    PolicyKey {
        name: "kms-os-image",
        scope: KeyScope::Both,
        shape: Shape::OsImage,
        says: "The OS image that the KMS may run on, as `os-image`, without `lock` and `unchecked`.",
        default: "`known`",
        example: r#""known""#,
        option: None,
    },
    PolicyKey {
        name: "kms-key-provider",
        scope: KeyScope::Both,
        shape: Shape::KeyProvider,
        says: "Who may give the KMS's own VM its keys, as `key-provider`.",
        default: "dstack's local key provider",
        example: r#""local-sgx:1b7a49378403249b6986a907844cab0921eca32dd47e657f3c10311ccaeccf8b""#,
        option: None,
    },
    PolicyKey {
        name: "governance",
        scope: KeyScope::Both,
        shape: Shape::Choice(&["required", "unchecked"]),
        says: "What becomes of an app whose contracts cannot be judged: `required` leaves the verdict open or fails, `unchecked` \
               is a waiver.",
        default: "contracts are judged that the lock or this file names",
        example: r#""required""#,
        option: Some(Typed {
            flag: "--governance",
            heading: "Expectations",
            value: "GOVERNANCE",
            help: "What becomes of an app whose contracts cannot be judged: `required` leaves the verdict open or fails, \
                    `unchecked` is a waiver. By default contracts are judged that the lock or the policy file names",
            values: &["It must", "It need not: a waiver, which the verdict names"],
            expects: false,
        }),
    },
    PolicyKey {
        name: "governance-chain-id",
        scope: KeyScope::Both,
        shape: Shape::Number,
        says: "The number of the blockchain that governs the app (EIP-155): 8453 is Base, 1 is Ethereum. The app's contract is at \
               the `app-id`. Nodes to ask are named with `--rpc-url`.",
        default: "",
        example: "8453",
        option: None,
    },
    PolicyKey {
        name: "rpc-url-env",
        scope: KeyScope::Both,
        shape: Shape::Variable,
        says: "The environment variable that holds the two RPC URLs of this target's chain, one per line, or `none`. Never a URL \
               itself: it may hold a key.",
        default: "`CVM_VERIFY_RPC_URL`",
        example: r#""CVM_VERIFY_BASE_NODES""#,
        option: None,
    },
    PolicyKey {
        name: "governance-app-owner",
        scope: KeyScope::Both,
        shape: Shape::Addresses,
        says: "Who may own the app's contract: a list of addresses.",
        default: "",
        example: r#"["0x0707070707070707070707070707070707070707"]"#,
        option: None,
    },
    PolicyKey {
        name: "governance-kms-contract",
        scope: KeyScope::Both,
        shape: Shape::Hex(20),
        says: "The address of the KMS's contract, which says which KMS and which OS image may have keys.",
        default: "",
        example: r#""0x2f83172a49584c017f2b256f0fb2dca14126ba9c""#,
        option: None,
    },
    PolicyKey {
        name: "governance-kms-owner",
        scope: KeyScope::Both,
        shape: Shape::Addresses,
        says: "Who may own the KMS's contract: a list of addresses.",
        default: "",
        example: r#"["0x0808080808080808080808080808080808080808"]"#,
        option: None,
    },
    PolicyKey {
        name: "governance-min-signers",
        scope: KeyScope::Both,
        shape: Shape::Number,
        says: "How many people must sign a change of the app's contract at least: the threshold of the Safe that owns it.",
        default: "",
        example: "2",
        option: None,
    },
    PolicyKey {
        name: "governance-min-delay",
        scope: KeyScope::Both,
        shape: Shape::Number,
        says: "How long a change of the app's contract must wait at least, in seconds: the delay of the timelock that owns it.",
        default: "",
        example: "86400",
        option: None,
    },
    PolicyKey {
        name: "governance-upgrades",
        scope: KeyScope::Both,
        shape: Shape::Choice(&["disabled"]),
        says: "That the app's contract must say that it cannot be upgraded any more. Its code must be in the lock.",
        default: "",
        example: r#""disabled""#,
        option: None,
    },
    PolicyKey {
        name: "require-assurance",
        scope: KeyScope::Both,
        shape: Shape::Assurance,
        says: "How much must be proven: `hardware` (genuine hardware), `code` (that it runs the expected code), or `code+endpoint` (that \
               it serves the address, too).",
        default: "`code`",
        example: r#""code""#,
        option: Some(Typed {
            flag: "--require-assurance",
            heading: "Expectations",
            value: "ASSURANCE",
            help: "How much must be proven: `hardware` (a fresh quote of genuine, patched hardware), `code` (default: that, \
                    and the expected OS and compose document), `code+endpoint` (that, and that the VM serves this address), \
                    or `code+endpoint-replayable` (that, and that the VM quoted the address's TLS key at some time)",
            values: &[],
            expects: false,
        }),
    },
    PolicyKey {
        name: "verifier",
        scope: KeyScope::Defaults,
        shape: Shape::Choice(&["local", "both"]),
        says: "Who verifies the quotes. `both` also asks Phala's verification API, which publishes them; it never decides for \
               a pass.",
        default: "`local`",
        example: r#""both""#,
        option: None,
    },
    PolicyKey {
        name: "interval",
        scope: KeyScope::Both,
        shape: Shape::Interval,
        says: "How often `cvm-verify watch` verifies it: a whole number with `s`, `m`, `h` or `d`, from 10 seconds to 7 days.",
        default: "`5m`",
        example: r#""1m""#,
        option: None,
    },
    PolicyKey {
        name: "attestation-path",
        scope: KeyScope::Both,
        shape: Shape::Endpoint,
        says: "Path of the app's attestation endpoint.",
        default: "`/attestation`",
        example: r#""/api/attestation""#,
        option: Some(Typed {
            flag: "--attestation-path",
            heading: "Source",
            value: "PATH",
            help: "Path of the app's attestation endpoint, by default /attestation; `reportData=<nonce>` is appended",
            values: &[],
            expects: false,
        }),
    },
    PolicyKey {
        name: "info-path",
        scope: KeyScope::Both,
        shape: Shape::Endpoint,
        says: "Path of the app's info endpoint.",
        default: "`/info`",
        example: r#""/api/info""#,
        option: Some(Typed {
            flag: "--info-path",
            heading: "Source",
            value: "PATH",
            help: "Path of the app's info endpoint, by default /info",
            values: &[],
            expects: false,
        }),
    },
    PolicyKey {
        name: "gpu-path",
        scope: KeyScope::Both,
        shape: Shape::Endpoint,
        says: "Path of an endpoint of the app that serves [evidence of its GPUs](gpu.md).",
        default: "the attestation's own `nvidia_payload`",
        example: r#""/api/gpu""#,
        option: Some(Typed {
            flag: "--gpu-path",
            heading: "Source",
            value: "PATH",
            help: "Path of an endpoint of the app that serves evidence of its GPUs; `nonce=<nonce>` is appended. By default \
                    the evidence is taken from the attestation (`nvidia_payload`)",
            values: &[],
            expects: false,
        }),
    },
    PolicyKey {
        name: "nonce-parameter",
        scope: KeyScope::Both,
        shape: Shape::Name,
        says: "The query parameter that takes the nonce: `nonce` for private AI gateways.",
        default: "`reportData`",
        example: r#""nonce""#,
        option: Some(Typed {
            flag: "--nonce-parameter",
            heading: "Source",
            value: "NAME",
            help: "The query parameter that takes the nonce, by default reportData. Private AI gateways call it nonce, and \
                    answer with `intel_quote` and `info` in one body",
            values: &[],
            expects: false,
        }),
    },
    PolicyKey {
        name: "slack-webhook-url-env",
        scope: KeyScope::Both,
        shape: Shape::Variable,
        says: "The environment variable that holds the Slack webhook to tell about this target, or `none`. Never the URL itself.",
        default: "`CVM_VERIFY_SLACK_WEBHOOK_URL`",
        example: r#""CVM_VERIFY_SLACK_SHOP_TEAM""#,
        option: None,
    },
    PolicyKey {
        name: "discord-webhook-url-env",
        scope: KeyScope::Both,
        shape: Shape::Variable,
        says: "The variable that holds the Discord webhook, or `none`.",
        default: "`CVM_VERIFY_DISCORD_WEBHOOK_URL`",
        example: r#""CVM_VERIFY_SHOP_DISCORD""#,
        option: None,
    },
    PolicyKey {
        name: "teams-webhook-url-env",
        scope: KeyScope::Both,
        shape: Shape::Variable,
        says: "The variable that holds the webhook of a Microsoft Teams workflow, or `none`.",
        default: "`CVM_VERIFY_TEAMS_WEBHOOK_URL`",
        example: r#""CVM_VERIFY_SHOP_TEAMS""#,
        option: None,
    },
    PolicyKey {
        name: "pagerduty-routing-key-env",
        scope: KeyScope::Both,
        shape: Shape::Variable,
        says: "The variable that holds the routing key of a PagerDuty integration, or `none`.",
        default: "`CVM_VERIFY_PAGERDUTY_ROUTING_KEY`",
        example: r#""CVM_VERIFY_SHOP_PAGERDUTY""#,
        option: None,
    },
    PolicyKey {
        name: "webhook-url-env",
        scope: KeyScope::Both,
        shape: Shape::Variable,
        says: "The environment variable that holds the webhook to tell about this target, or `none`. Never the URL itself.",
        default: "`CVM_VERIFY_WEBHOOK_URL`",
        example: r#""CVM_VERIFY_WEBHOOK_SHOP_TEAM""#,
        option: None,
    },
    PolicyKey {
        name: "webhook-secret-env",
        scope: KeyScope::Both,
        shape: Shape::Variable,
        says: "The environment variable that holds the secret which signs what that webhook receives, or `none`. Never the secret itself.",
        default: "`CVM_VERIFY_WEBHOOK_SECRET`",
        example: r#""CVM_VERIFY_WEBHOOK_SHOP_SECRET""#,
        option: None,
    },
    PolicyKey {
        name: "heartbeat-url-env",
        scope: KeyScope::Defaults,
        shape: Shape::Variable,
        says: "The environment variable that holds the heartbeat to ping after a run, or `none`. Never the URL itself.",
        default: "`CVM_VERIFY_HEARTBEAT_URL`",
        example: r#""CVM_VERIFY_HEARTBEAT_NIGHTLY""#,
        option: None,
    },
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

impl PolicyKey {
    /// The secret that this key names a variable of: what its name would be if the file could hold it.
    pub(super) fn secret(&self) -> Option<&'static str> {
        match self.shape {
            Shape::Variable => self.name.strip_suffix("-env"),
            _ => None,
        }
    }

    /// The key of this name, where it exists at all.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        KEYS.iter().find(|key| key.name == name)
    }

    /// Whether it may stand in a `[[target]]`.
    pub(super) fn in_target(&self) -> bool {
        self.scope != KeyScope::Defaults
    }

    /// Whether it may stand in `[defaults]`.
    pub(super) fn in_defaults(&self) -> bool {
        self.scope != KeyScope::Target
    }
}
