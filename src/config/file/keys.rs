//! Every key of the policy file: the one table that the parser, the JSON Schema and the page of the documentation are
//! made from.
//!
//! To add a key: add its row to [`KEYS`], under the name of its option without the dashes. If a target may take it, take it
//! in `cli/policy.rs` with `settings.one("NAME")` or `settings.all("NAME")`, and hand the option's own value down in
//! `cli/settings.rs`. Then `UPDATE_GENERATED=1 cargo test --lib config::file` writes schema and documentation.

use super::shape::Shape;
use cvm_verify_core::policy::TlsBinding;
use cvm_verify_core::verify::Layout;

/// Where a key may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// In a `[[target]]` alone.
    Target,
    /// In `[defaults]` alone: it is about the whole run.
    Defaults,
    /// In both.
    Both,
}

/// A key of the policy file.
#[derive(Debug)]
pub(super) struct Key {
    /// Its name: that of the option.
    pub(super) name: &'static str,
    /// Where it may stand.
    pub(super) scope: Scope,
    /// What it may hold.
    pub(super) shape: Shape,
    /// What it says, a sentence or more, Markdown.
    #[cfg_attr(not(test), expect(dead_code, reason = "for schema and documentation"))]
    pub(super) says: &'static str,
    /// What holds where it is not given; empty where nothing does.
    #[cfg_attr(not(test), expect(dead_code, reason = "for schema and documentation"))]
    pub(super) default: &'static str,
    /// An example of its value, TOML.
    pub(super) example: &'static str,
}

/// Every key, in the order of the documentation.
pub(super) const KEYS: &[Key] = &[
    Key {
        name: "name",
        scope: Scope::Target,
        shape: Shape::Name,
        says: "What the target is called: in reports, on the command line (`--target`) and in a lock of several targets. \
               Letters, digits, `.`, `_` and `-`.",
        default: "",
        example: r#""shop""#,
    },
    Key {
        name: "url",
        scope: Scope::Target,
        shape: Shape::Url,
        says: "Where the app answers.",
        default: "",
        example: r#""https://shop.example""#,
    },
    Key {
        name: "source",
        scope: Scope::Both,
        shape: Shape::Choice(&["app", "guest-agent", "phala-cloud"]),
        says: "Whom to ask for evidence. `guest-agent` and `phala-cloud` may be reached by `app-id` or `instance-id` instead \
               of `url`; neither signs a nonce.",
        default: "`app`",
        example: r#""phala-cloud""#,
    },
    Key {
        name: "gateway-domain",
        scope: Scope::Both,
        shape: Shape::Domain,
        says: "The gateway's base domain, to reach the guest agent by an id.",
        default: "",
        example: r#""gateway.example""#,
    },
    Key {
        name: "instances",
        scope: Scope::Both,
        shape: Shape::Number,
        says: "How many instances of the app must run at least, by Phala Cloud's list. Fewer are a fail; without it stopped \
               instances are reported and fail nothing.",
        default: "",
        example: "3",
    },
    Key {
        name: "phala-api-url",
        scope: Scope::Both,
        shape: Shape::Url,
        says: "A mirror of Phala Cloud's API, to ask instead of Phala.",
        default: "",
        example: r#""https://mirror.example""#,
    },
    Key {
        name: "info-url",
        scope: Scope::Target,
        shape: Shape::Url,
        says: "Where the app's information is taken from instead of its info endpoint: the guest agent's, for an app that \
               serves none.",
        default: "",
        example: r#""https://info.example/prpc/Info?json""#,
    },
    Key {
        name: "lock",
        scope: Scope::Both,
        shape: Shape::Path,
        says: "The lock file that `cvm-verify pin` wrote. Of a lock of several targets, each takes its own block, by its name.",
        default: "",
        example: r#""cvm.lock""#,
    },
    Key {
        name: "compose-hash",
        scope: Scope::Both,
        shape: Shape::Hex(32),
        says: "SHA-256 of the compose document that must run. Replaces that of the lock; all else of the lock stays.",
        default: "",
        example: r#""3f9a0c5e8f6d1b2a4c7e9d0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d""#,
    },
    Key {
        name: "app-compose-file",
        scope: Scope::Both,
        shape: Shape::Path,
        says: "The compose document itself: its exact bytes are what must run.",
        default: "",
        example: r#""app-compose.json""#,
    },
    Key {
        name: "docker-compose",
        scope: Scope::Both,
        shape: Shape::Path,
        says: "The docker compose file of your repository: it must be inside the measured document, byte for byte, and all \
               around it as in the lock, or as Phala Cloud writes it with nothing exposed.",
        default: "",
        example: r#""docker-compose.yml""#,
    },
    Key {
        name: "also-compose-hash",
        scope: Scope::Both,
        shape: Shape::SecondHash,
        says: "A second compose hash, accepted during a roll-out, at most 90 days ahead.",
        default: "",
        example: r#""f4c8a15d6b2b4e753a7fae47661ee5a7263f0357d19647ccaf59a686bf001908:until=2026-12-31""#,
    },
    Key {
        name: "app-id",
        scope: Scope::Both,
        shape: Shape::Hex(20),
        says: "The app's id. A lock of another app is refused.",
        default: "",
        example: r#""a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0""#,
    },
    Key {
        name: "instance-id",
        scope: Scope::Both,
        shape: Shape::InstanceIds,
        says: "The ids of the instances that may answer: no other instance of the app may.",
        default: "",
        example: r#"["b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1"]"#,
    },
    Key {
        name: "platform-id",
        scope: Scope::Both,
        shape: Shape::PlatformIds,
        says: "The machines that may run the app: SHA-256 of a machine's PPID (64 hex digits), or the FMSPC of its model (12).",
        default: "",
        example: r#"["b0c06f000000"]"#,
    },
    Key {
        name: "launch-inputs",
        scope: Scope::Both,
        shape: Shape::Choice(&["warn", "required", "unchecked"]),
        says: "What becomes of variables that the deployer may set, start-up scripts and exposure settings that are neither \
               known nor in the lock.",
        default: "`warn`",
        example: r#""required""#,
    },
    Key {
        name: "os-image",
        scope: Scope::Both,
        shape: Shape::OsImage,
        says: "Accepted OS images: `known` (production images of the built-in table), `lock`, the published os_image_hash or the name \
               of an image (`HASH:until=YYYY-MM-DD` accepts a vulnerable one for a while), `mrtd=HEX,rtmr0=HEX,rtmr1=HEX,rtmr2=HEX`, or `unchecked`, a waiver that the verdict names.",
        default: "the lock's, else `known`",
        example: r#""lock""#,
    },
    Key {
        name: "os-image-files",
        scope: Scope::Both,
        shape: Shape::Path,
        says: "The published files of the OS image that must have booted: a folder or an archive, as `cvm-verify os-image` takes it. \
               They are measured in each run.",
        default: "",
        example: r#""dstack-0.5.16.tar.gz""#,
    },
    Key {
        name: "reference-values",
        scope: Scope::Both,
        shape: Shape::Path,
        says: "A file of [reference values](reference-values.md): OS images, VM shapes, KMSs, scripts and advisories in addition to the \
               built-in ones. It adds rows, and changes none.",
        default: "",
        example: r#""reference-values.toml""#,
    },
    Key {
        name: "mr-config-id",
        scope: Scope::Both,
        shape: Shape::Choice(&["auto", "required"]),
        says: "Whether MRCONFIGID may be zero. `required`: the host must have bound the compose hash at launch.",
        default: "`auto`",
        example: r#""required""#,
    },
    Key {
        name: "key-provider",
        scope: Scope::Both,
        shape: Shape::KeyProvider,
        says: "The key provider, as `NAME[:HEXID]`, or a known KMS (`phala`, `phala-base`, or one of your reference values); several with \
               commas between them, since roots rotate. `kms` without an id and `unchecked` are waivers that the verdict names.",
        default: "the lock's",
        example: r#""phala""#,
    },
    Key {
        name: "freshness",
        scope: Scope::Both,
        shape: Shape::Choice(&["required", "unchecked"]),
        says: "Whether this run's nonce must be signed. `unchecked` is a waiver that the verdict names.",
        default: "`required`",
        example: r#""required""#,
    },
    Key {
        name: "image-pins",
        scope: Scope::Both,
        shape: Shape::Choice(&["required", "unchecked"]),
        says: "Whether every image must be pinned by digest. `unchecked` is a waiver that the verdict names.",
        default: "`required`",
        example: r#""required""#,
    },
    Key {
        name: "images",
        scope: Scope::Both,
        shape: Shape::Images,
        says: "Who must have built which images, a block `[[target.images]]` for each rule: see \
               [provenance](provenance.md). The first rule that names an image holds.",
        default: "",
        example: r#"[{ image = "ghcr.io/example/web", repository = "example/shop" }]"#,
    },
    Key {
        name: "source-repository",
        scope: Scope::Both,
        shape: Shape::SourceRepository,
        says: "The repository on GitHub that every image must have been built from that neither `images` nor the lock names.",
        default: "",
        example: r#""example/shop""#,
    },
    Key {
        name: "source-workflow",
        scope: Scope::Both,
        shape: Shape::SourceWorkflow,
        says: "The workflow that must have built the images. It holds for the rules in `images` and in the lock, too: beside \
               `source-repository` for those of that repository, without it for all; so do the next two.",
        default: "any workflow of the repository",
        example: r#"".github/workflows/release.yml""#,
    },
    Key {
        name: "source-ref",
        scope: Scope::Both,
        shape: Shape::SourceRefs,
        says: "The refs that the images may have been built from.",
        default: "any branch or tag, and no pull request",
        example: r#"["refs/tags/*"]"#,
    },
    Key {
        name: "source-commit",
        scope: Scope::Both,
        shape: Shape::SourceCommit,
        says: "The commit that the images must have been built from.",
        default: "any commit",
        example: r#""95baf2766ce4c0cb4a4a2bd7b0ee4ce61f0ba012""#,
    },
    Key {
        name: "provenance-bundle",
        scope: Scope::Both,
        shape: Shape::Paths,
        says: "Files of Sigstore bundles about the images. GitHub is then asked about the other images alone.",
        default: "",
        example: r#"["web.sigstore.json"]"#,
    },
    Key {
        name: "sigstore-root",
        scope: Scope::Both,
        shape: Shape::Path,
        says: "The Sigstore instances to trust: `trusted_root.json`, or what `gh attestation trusted-root` prints.",
        default: "the built-in ones: the public instance and GitHub's",
        example: r#""trusted_root.json""#,
    },
    Key {
        name: "report-data",
        scope: Scope::Both,
        shape: Shape::Choice(&LAYOUTS),
        says: "How the app lays the nonce out in the signed report data; `auto` is exactly `raw` or exactly `ascii`.",
        default: "`auto`",
        example: r#""raw""#,
    },
    Key {
        name: "report-data-key",
        scope: Scope::Both,
        shape: Shape::Key,
        says: "What the app must have signed beside the nonce, where the layout has a place for it: the SHA-256 of its \
               public key, or for `private-ai` also its signing address of 20 bytes.",
        default: "",
        example: r#""f4c8a15d6b2b4e753a7fae47661ee5a7263f0357d19647ccaf59a686bf001908""#,
    },
    Key {
        name: "report-data-value",
        scope: Scope::Both,
        shape: Shape::HexUpTo(64),
        says: "The report data that must be signed, at most 64 bytes, padded with zeros on the right.",
        default: "",
        example: r#""68656c6c6f""#,
    },
    Key {
        name: "accept-tcb",
        scope: Scope::Both,
        shape: Shape::TcbExceptions,
        says: "Accepts hardware that Intel rates lower than UpToDate, for at most 90 days.",
        default: "",
        example: r#"["OutOfDate:until=2026-12-31:advisories=INTEL-SA-00001"]"#,
    },
    Key {
        name: "gpu",
        scope: Scope::Both,
        shape: Shape::Choice(&["auto", "required", "unchecked"]),
        says: "Whether there must be GPUs. `auto`: forged GPU evidence fails, what is not proven is a warning. `unchecked` is a \
               waiver that the verdict names.",
        default: "`auto`",
        example: r#""required""#,
    },
    Key {
        name: "gpu-count",
        scope: Scope::Both,
        shape: Shape::Number,
        says: "How many GPUs there must be, no more and no less: 0 to 16.",
        default: "",
        example: "8",
    },
    Key {
        name: "gpu-model",
        scope: Scope::Both,
        shape: Shape::GpuModels,
        says: "The models that the GPUs may be, by the chip's name in their certificates: `GH100` for H100 and H200.",
        default: "",
        example: r#"["GH100"]"#,
    },
    Key {
        name: "gpu-switches",
        scope: Scope::Both,
        shape: Shape::Choice(&["auto", "required"]),
        says: "Whether switches must be attested if the GPUs work in protected-PCIe mode, in which the links between them are \
               in clear.",
        default: "`auto`",
        example: r#""required""#,
    },
    Key {
        name: "gpu-verifier",
        scope: Scope::Defaults,
        shape: Shape::Choice(&["local", "nras", "both"]),
        says: "Who verifies GPUs. `nras` and `both` send the reports of the GPUs to NVIDIA's remote attestation service.",
        default: "`local`",
        example: r#""nras""#,
    },
    Key {
        name: "tls-binding",
        scope: Scope::Both,
        shape: Shape::Choice(&TlsBinding::NAMES),
        says: "How the key of the TLS connection must be bound to the VM. `auto` informs; a mode that is named must hold. `ingress` proves `code+endpoint-replayable` at most.",
        default: "`auto`",
        example: r#""ratls""#,
    },
    Key {
        name: "endpoint-probe",
        scope: Scope::Both,
        shape: Shape::Choice(&["auto", "never"]),
        says: "Whether the endpoint is asked once for a quote that it should refuse, if `require-assurance` asks for `endpoint`.",
        default: "`auto`",
        example: r#""never""#,
    },
    Key {
        name: "min-tcb-eval-data-number",
        scope: Scope::Both,
        shape: Shape::Number,
        says: "The lowest TCB evaluation data number to accept.",
        default: "a built-in floor that rises with time",
        example: "20",
    },
    Key {
        name: "governance",
        scope: Scope::Both,
        shape: Shape::Choice(&["required", "unchecked"]),
        says: "What becomes of an app whose contracts cannot be judged: `required` leaves the verdict open or fails, `unchecked` \
               is a waiver.",
        default: "contracts are judged that the lock or this file names",
        example: r#""required""#,
    },
    Key {
        name: "governance-chain-id",
        scope: Scope::Both,
        shape: Shape::Number,
        says: "The number of the blockchain that governs the app (EIP-155): 8453 is Base, 1 is Ethereum. The app's contract is at \
               the `app-id`. Nodes to ask are named with `--rpc-url`.",
        default: "",
        example: "8453",
    },
    Key {
        name: "governance-app-owner",
        scope: Scope::Both,
        shape: Shape::Addresses,
        says: "Who may own the app's contract: a list of addresses.",
        default: "",
        example: r#"["0x0707070707070707070707070707070707070707"]"#,
    },
    Key {
        name: "governance-kms-contract",
        scope: Scope::Both,
        shape: Shape::Hex(20),
        says: "The address of the KMS's contract, which says which KMS and which OS image may have keys.",
        default: "",
        example: r#""0x2f83172a49584c017f2b256f0fb2dca14126ba9c""#,
    },
    Key {
        name: "governance-kms-owner",
        scope: Scope::Both,
        shape: Shape::Addresses,
        says: "Who may own the KMS's contract: a list of addresses.",
        default: "",
        example: r#"["0x0808080808080808080808080808080808080808"]"#,
    },
    Key {
        name: "governance-min-signers",
        scope: Scope::Both,
        shape: Shape::Number,
        says: "How many people must sign a change of the app's contract at least: the threshold of the Safe that owns it.",
        default: "",
        example: "2",
    },
    Key {
        name: "governance-min-delay",
        scope: Scope::Both,
        shape: Shape::Number,
        says: "How long a change of the app's contract must wait at least, in seconds: the delay of the timelock that owns it.",
        default: "",
        example: "86400",
    },
    Key {
        name: "governance-upgrades",
        scope: Scope::Both,
        shape: Shape::Choice(&["disabled"]),
        says: "That the app's contract must say that it cannot be upgraded any more. Its code must be in the lock.",
        default: "",
        example: r#""disabled""#,
    },
    Key {
        name: "require-assurance",
        scope: Scope::Both,
        shape: Shape::Assurance,
        says: "How much must be proven: `hardware` (genuine hardware), `code` (that it runs the expected code), or `code+endpoint` (that \
               it serves the address, too).",
        default: "`code`",
        example: r#""code""#,
    },
    Key {
        name: "verifier",
        scope: Scope::Defaults,
        shape: Shape::Choice(&["local", "both"]),
        says: "Who verifies the quotes. `both` also asks Phala's verification API, which publishes them; it never decides for \
               a pass.",
        default: "`local`",
        example: r#""both""#,
    },
    Key {
        name: "interval",
        scope: Scope::Both,
        shape: Shape::Interval,
        says: "How often `cvm-verify watch` verifies it: a whole number with `s`, `m`, `h` or `d`, from 10 seconds to 7 days.",
        default: "`5m`",
        example: r#""1m""#,
    },
    Key {
        name: "attestation-path",
        scope: Scope::Both,
        shape: Shape::Endpoint,
        says: "Path of the app's attestation endpoint.",
        default: "`/attestation`",
        example: r#""/api/attestation""#,
    },
    Key {
        name: "info-path",
        scope: Scope::Both,
        shape: Shape::Endpoint,
        says: "Path of the app's info endpoint.",
        default: "`/info`",
        example: r#""/api/info""#,
    },
    Key {
        name: "gpu-path",
        scope: Scope::Both,
        shape: Shape::Endpoint,
        says: "Path of an endpoint of the app that serves [evidence of its GPUs](gpu.md).",
        default: "the attestation's own `nvidia_payload`",
        example: r#""/api/gpu""#,
    },
    Key {
        name: "nonce-parameter",
        scope: Scope::Both,
        shape: Shape::Name,
        says: "The query parameter that takes the nonce: `nonce` for private AI gateways.",
        default: "`reportData`",
        example: r#""nonce""#,
    },
    Key {
        name: "slack-webhook-url-env",
        scope: Scope::Both,
        shape: Shape::Variable,
        says: "The environment variable that holds the Slack webhook to tell about this target, or `none`. Never the URL itself.",
        default: "`CVM_VERIFY_SLACK_WEBHOOK_URL`",
        example: r#""CVM_VERIFY_SLACK_SHOP_TEAM""#,
    },
    Key {
        name: "discord-webhook-url-env",
        scope: Scope::Both,
        shape: Shape::Variable,
        says: "The variable that holds the Discord webhook, or `none`.",
        default: "`CVM_VERIFY_DISCORD_WEBHOOK_URL`",
        example: r#""CVM_VERIFY_SHOP_DISCORD""#,
    },
    Key {
        name: "teams-webhook-url-env",
        scope: Scope::Both,
        shape: Shape::Variable,
        says: "The variable that holds the webhook of a Microsoft Teams workflow, or `none`.",
        default: "`CVM_VERIFY_TEAMS_WEBHOOK_URL`",
        example: r#""CVM_VERIFY_SHOP_TEAMS""#,
    },
    Key {
        name: "pagerduty-routing-key-env",
        scope: Scope::Both,
        shape: Shape::Variable,
        says: "The variable that holds the routing key of a PagerDuty integration, or `none`.",
        default: "`CVM_VERIFY_PAGERDUTY_ROUTING_KEY`",
        example: r#""CVM_VERIFY_SHOP_PAGERDUTY""#,
    },
    Key {
        name: "webhook-url-env",
        scope: Scope::Both,
        shape: Shape::Variable,
        says: "The environment variable that holds the webhook to tell about this target, or `none`. Never the URL itself.",
        default: "`CVM_VERIFY_WEBHOOK_URL`",
        example: r#""CVM_VERIFY_WEBHOOK_SHOP_TEAM""#,
    },
    Key {
        name: "webhook-secret-env",
        scope: Scope::Both,
        shape: Shape::Variable,
        says: "The environment variable that holds the secret which signs what that webhook receives, or `none`. Never the secret itself.",
        default: "`CVM_VERIFY_WEBHOOK_SECRET`",
        example: r#""CVM_VERIFY_WEBHOOK_SHOP_SECRET""#,
    },
    Key {
        name: "heartbeat-url-env",
        scope: Scope::Defaults,
        shape: Shape::Variable,
        says: "The environment variable that holds the heartbeat to ping after a run, or `none`. Never the URL itself.",
        default: "`CVM_VERIFY_HEARTBEAT_URL`",
        example: r#""CVM_VERIFY_HEARTBEAT_NIGHTLY""#,
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

impl Key {
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
        self.scope != Scope::Defaults
    }

    /// Whether it may stand in `[defaults]`.
    pub(super) fn in_defaults(&self) -> bool {
        self.scope != Scope::Target
    }
}
