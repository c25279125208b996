//! Options that say what is expected of a deployment.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::GpuArgs;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Expectations")]
pub struct ExpectArgs {
    /// The lock file that `cvm-verify pin` wrote.
    #[arg(long, value_name = "FILE")]
    pub lock: Option<PathBuf>,
    /// SHA-256 of the compose document, 32 bytes of hex.
    #[arg(long, value_name = "HEX")]
    pub compose_hash: Option<String>,
    /// The compose document itself: its exact bytes are what must run.
    #[arg(long, value_name = "FILE")]
    pub app_compose_file: Option<PathBuf>,
    /// The docker compose file of your repository: it must be inside the measured document, byte for byte, and all around
    /// it as in the lock, or as Phala Cloud writes it with nothing exposed.
    #[arg(long, value_name = "FILE")]
    pub docker_compose: Option<PathBuf>,
    /// A second compose hash, accepted during a roll-out: HEX:until=YYYY-MM-DD, at most 90 days ahead.
    #[arg(long, value_name = "HEX:until=DATE")]
    pub also_compose_hash: Option<String>,
    /// The app's id, 20 bytes of hex.
    #[arg(long, value_name = "HEX")]
    pub app_id: Option<String>,
    /// The instance's id, 20 bytes of hex. Repeatable: any of them may answer.
    #[arg(long, value_name = "HEX")]
    pub instance_id: Vec<String>,
    /// Accepted OS images: `known` (default: production images of the built-in table), `lock`, the published os_image_hash or the
    /// name of an image (`HASH:until=YYYY-MM-DD` accepts a vulnerable one for a while),
    /// `mrtd=HEX,rtmr0=HEX,rtmr1=HEX,rtmr2=HEX`, or `unchecked` (a waiver)
    #[arg(long, value_name = "IMAGE")]
    pub os_image: Option<String>,
    /// The published files of the OS image that must have booted: a folder or an archive, as `cvm-verify os-image` takes it. They are
    /// measured in this run.
    #[arg(long, value_name = "DIR|TAR")]
    pub os_image_files: Option<PathBuf>,
    /// A file of reference values (TOML): OS images, VM shapes, KMSs, scripts and advisories in addition to the built-in ones. It adds rows,
    /// and changes none.
    #[arg(long, value_name = "FILE")]
    pub reference_values: Option<PathBuf>,
    /// Whether MRCONFIGID may be zero: `auto` (default), or `required`: the host must have bound the compose hash at launch.
    #[arg(long, value_enum)]
    pub mr_config_id: Option<MrConfigId>,
    /// The key provider: NAME[:HEXID], or a known KMS (phala, phala-base); several with commas between them. `kms` without
    /// an id and `unchecked` are waivers.
    #[arg(long, value_name = "PROVIDER")]
    pub key_provider: Option<String>,
    /// Whether this run's nonce must be signed: `required` by default.
    #[arg(long, value_enum)]
    pub freshness: Option<Requirement>,
    /// Whether every image must be pinned by digest: `required` by default.
    #[arg(long, value_enum)]
    pub image_pins: Option<Requirement>,
    /// What becomes of variables that the deployer may set, start-up scripts and exposure settings that are neither known
    /// nor in the lock: `warn` by default.
    #[arg(long, value_enum)]
    pub launch_inputs: Option<LaunchInputs>,
    /// A machine that may run the app: SHA-256 of its PPID (64 hex digits), or the FMSPC of its model (12). Repeatable.
    #[arg(long, value_name = "HEX")]
    pub platform_id: Vec<String>,
    /// The repository on GitHub that every image must have been built from that neither the policy file nor the lock names:
    /// OWNER/NAME. Images that are not yours need a rule in `[[target.images]]` of the policy file.
    #[arg(long, value_name = "OWNER/NAME")]
    pub source_repository: Option<String>,
    /// The workflow that must have built the images: .github/workflows/FILE of that repository, or
    /// OWNER/NAME/.github/workflows/FILE for a reusable one.
    #[arg(long, value_name = "PATH")]
    pub source_workflow: Option<String>,
    /// The ref that the images must have been built from: refs/tags/v1.2.0, refs/tags/*, refs/heads/main. Repeatable: any of
    /// them.
    #[arg(long, value_name = "REF")]
    pub source_ref: Vec<String>,
    /// The commit that the images must have been built from, 40 hex digits. Like workflow and ref it holds for the rules of the
    /// policy file and the lock, too: for those of --source-repository, or for all.
    #[arg(long, value_name = "COMMIT")]
    pub source_commit: Option<String>,
    /// A file of Sigstore bundles about the images: one, a list, JSON lines, or an answer of GitHub's API. Repeatable. GitHub is
    /// then asked about the other images alone.
    #[arg(long, value_name = "FILE")]
    pub provenance_bundle: Vec<PathBuf>,
    /// The Sigstore instances to trust, instead of the built-in ones: trusted_root.json, or what `gh attestation trusted-root`
    /// prints.
    #[arg(long, value_name = "FILE")]
    pub sigstore_root: Option<PathBuf>,
    /// How the app lays the nonce out in the report data: auto (default, raw or ascii), raw, ascii, left-padded, app-data-raw,
    /// app-data-ascii, sha256-raw, sha256-ascii, hex-sha256-raw, hex-sha256-ascii; or, with 32 bytes of the app's own
    /// beside it, nonce-then-key, key-then-nonce, private-ai.
    #[arg(long, value_name = "LAYOUT")]
    pub report_data: Option<String>,
    /// What the app must have signed beside the nonce, where the layout has a place for it: the SHA-256 of its public
    /// key, 32 bytes of hex; for private-ai also its signing address, 20 bytes.
    #[arg(long, value_name = "HEX")]
    pub report_data_key: Option<String>,
    /// The report data that must be signed, at most 64 bytes of hex, padded with zeros on the right.
    #[arg(long, value_name = "HEX")]
    pub report_data_value: Option<String>,
    /// How the key of the TLS connection must be bound to the VM: `auto` (default: whatever is found, for information), `ratls`
    /// (the certificate carries the VM's quote), `app-key` (the app quotes the hash of its key beside the nonce), or `ingress`
    /// (the evidence of dstack-ingress lists the certificate; replayable, so it proves `code+endpoint-replayable` at most). A
    /// mode that is named must hold.
    #[arg(long, value_enum)]
    pub tls_binding: Option<TlsBinding>,
    /// Accept another TCB status for a while: STATUS:until=YYYY-MM-DD[:advisories=INTEL-SA-00001,…]. Repeatable.
    #[arg(long, value_name = "EXCEPTION")]
    pub accept_tcb: Vec<String>,
    /// The lowest TCB evaluation data number to accept.
    #[arg(long, value_name = "NUMBER")]
    pub min_tcb_eval_data_number: Option<u32>,
    #[command(flatten)]
    pub gpu: GpuArgs,
    /// What becomes of an app whose contracts cannot be judged: `required` leaves the verdict open or fails, `unchecked` is a
    /// waiver. By default contracts are judged that the lock or the policy file names.
    #[arg(long, value_enum)]
    pub governance: Option<Requirement>,
    /// How much must be proven: `hardware` (a fresh quote of genuine, patched hardware), `code` (default: that, and the
    /// expected OS and compose document), `code+endpoint` (that, and that the VM serves this address), or
    /// `code+endpoint-replayable` (that, and that the VM quoted the address's TLS key at some time).
    #[arg(long, value_name = "ASSURANCE")]
    pub require_assurance: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Requirement {
    /// It must.
    Required,
    /// It need not: a waiver, which the verdict names.
    Unchecked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MrConfigId {
    /// It may be zero; otherwise it must be true.
    Auto,
    /// It must not be zero.
    Required,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TlsBinding {
    /// Whatever is found.
    Auto,
    /// The certificate carries the VM's quote of its key.
    Ratls,
    /// The app's quote holds the hash of its key.
    AppKey,
    /// The evidence of dstack-ingress lists the certificate.
    Ingress,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LaunchInputs {
    /// They warn.
    Warn,
    /// They fail.
    Required,
    /// Nobody looks: a waiver, which the verdict names.
    Unchecked,
}
