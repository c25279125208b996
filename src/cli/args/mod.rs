//! What can be typed. Every help text is a sentence that a newcomer understands.

mod alerts;
mod chain;
mod expect;
mod gpu;
mod network;
mod os_image;
mod output;
mod policy_file;
mod run;
mod source;
mod trust_root;
mod verifier;
mod watch;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use alerts::{AlertArgs, AlertCommand, MemoryArgs};
pub use chain::ChainArgs;
pub use expect::ExpectArgs;
pub use gpu::GpuArgs;
pub use network::{CacheArgs, CollateralAgeArgs, HttpArgs, TransportArgs, TrustArgs};
pub use os_image::{OsImageArgs, OsImageFormat};
pub use output::{Color, FailOn, Format, OutputArgs};
pub use policy_file::{ConfigArgs, TargetArgs};
pub use run::RunArgs;
pub use source::{SourceArgs, SourceKind};
pub use trust_root::{BuiltInRoot, ReplacedRoot};
pub use verifier::{Verifier, VerifierArgs};
pub use watch::WatchArgs;

use cvm_verify_core::policy::ReportMaxAge;
use cvm_verify_core::report::Shard;

/// Behind the options of every command.
const ENVIRONMENT: &str = "Every long option can also be set in the environment: --compose-hash as CVM_VERIFY_COMPOSE_HASH \
                           (empty means unset; one value per line where an option repeats). --insecure-trust-root cannot.\n\n\
                           Exit codes: 0 pass, 1 fail, 2 usage error, 3 inconclusive.";

/// Behind the options of `watch`.
const WATCHING: &str = "It reads the policy file, and the files that it names, again when they change (or on SIGHUP), and keeps \
                        the old policy where the new one is wrong. SIGTERM and Ctrl-C end it within 5 seconds.\n\n\
                        Every long option can also be set in the environment: --interval as CVM_VERIFY_INTERVAL.\n\n\
                        Exit codes: 0 ended by a signal, 2 usage error; with --once those of verify, and 3 where a signal \
                        ended it early.";

/// Proves that a confidential VM (Phala Cloud / dstack on Intel TDX) runs exactly the code that was released,
/// on genuine hardware, now.
#[derive(Debug, Parser)]
#[command(
    name = "cvm-verify",
    version,
    max_term_width = 110,
    arg_required_else_help = true
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Verify live deployments.
    #[command(after_help = ENVIRONMENT)]
    Verify(VerifyArgs),
    /// Verify all targets again and again, and alert when something changes.
    #[command(after_help = WATCHING)]
    Watch(WatchArgs),
    /// Verify recorded evidence, offline.
    #[command(after_help = ENVIRONMENT)]
    Replay(ReplayArgs),
    /// Verify what can be verified, then write the measured identity to a lock file.
    #[command(after_help = ENVIRONMENT)]
    Pin(PinArgs),
    /// Show every field of evidence, explained. Gives no verdict.
    #[command(after_help = ENVIRONMENT)]
    Inspect(InspectArgs),
    /// Say what changed between two deployments: locks, evidence bundles and live addresses, in any pairing.
    #[command(after_help = DIFF_CODES)]
    Diff(DiffArgs),
    /// Print the compose hashes that a compose document has, by the tool that writes it.
    ComposeHash(ComposeHashArgs),
    /// Measure the published files of an OS image: the registers that a VM shows that booted it.
    #[command(after_help = os_image::OS_IMAGE_CODES)]
    OsImage(OsImageArgs),
    /// Say what a check proves, which attack it prevents, why it fails and how to fix it.
    Explain(ExplainArgs),
    /// Join the reports of several runs into one.
    #[command(after_help = ENVIRONMENT)]
    Merge(MergeArgs),
    /// Try the alert channels.
    Alert(AlertArgs),
}

/// What is verified, and by which policy.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Addresses of the apps, https://HOST[:PORT][/PATH]. With another --source also ids: see there. Without any, the
    /// targets of the policy file are verified.
    #[arg(value_name = "URL")]
    pub url: Vec<String>,
    #[command(flatten)]
    pub config: ConfigArgs,
    #[command(flatten)]
    pub source: SourceArgs,
    #[command(flatten)]
    pub expect: ExpectArgs,
    /// How many instances of the app must run at least, by Phala Cloud's list: fewer are a fail. With --source phala-cloud.
    #[arg(long, value_name = "NUMBER", help_heading = "Expectations", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub instances: Option<u32>,
    #[command(flatten)]
    pub verifier: VerifierArgs,
    #[command(flatten)]
    pub chain: ChainArgs,
    #[command(flatten)]
    pub collateral_age: CollateralAgeArgs,
}

#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Verify a part of the targets, as 2/5 for the second of five runs; `cvm-verify merge` joins their reports.
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,
    #[command(flatten)]
    pub run: RunArgs,
    /// How many targets are verified at the same time.
    #[arg(long, value_name = "NUMBER", default_value = "32")]
    pub concurrency: NonZeroUsize,
    /// Repeat until the expected code is live and passes, or this time is up: 90s, 10m, 1h.
    #[arg(long, value_name = "DURATION")]
    pub wait: Option<String>,
    /// How long the whole run may take: 90s, 10m, 1h. What is not verified then is inconclusive; the report is written and
    /// alerts are sent. Default: the larger of 10m and --wait and 2m more.
    #[arg(long, value_name = "DURATION")]
    pub deadline: Option<String>,
    #[command(flatten)]
    pub plan: PlanArgs,
    #[command(flatten)]
    pub transport: TransportArgs,
    #[command(flatten)]
    pub trust: TrustArgs,
    #[command(flatten)]
    pub memory: MemoryArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    /// Write the evidence to this file, to replay it later; a folder where there are several targets.
    #[arg(long, value_name = "PATH", help_heading = "Output")]
    pub evidence: Option<PathBuf>,
    #[command(flatten)]
    pub cache: CacheArgs,
}

#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// An evidence bundle, as `verify --evidence` writes it.
    #[arg(value_name = "BUNDLE")]
    pub bundle: Option<PathBuf>,
    /// The body of /attestation; or a bare quote (binary, hex or base64) or versioned attestation (binary or hex).
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Loose files",
        conflicts_with = "bundle"
    )]
    pub attestation: Option<PathBuf>,
    /// The body of /info.
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Loose files",
        requires = "attestation"
    )]
    pub info: Option<PathBuf>,
    /// The compose document as it was measured, exact bytes.
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Loose files",
        requires = "attestation"
    )]
    pub app_compose: Option<PathBuf>,
    /// Collateral: the JSON form of dcap-qvl's QuoteCollateralV3, byte fields in hex.
    #[arg(long, value_name = "FILE", help_heading = "Loose files")]
    pub collateral: Option<PathBuf>,
    /// The nonce that the evidence was asked for with, 32 bytes of hex.
    #[arg(
        long,
        value_name = "HEX",
        help_heading = "Loose files",
        requires = "attestation"
    )]
    pub nonce: Option<String>,
    /// Judge at this time (RFC 3339) instead of the time of capture; loose files are judged now.
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// Alert through the configured channels, as `verify` does. Nothing else is sent anywhere.
    #[arg(long)]
    pub alert: bool,
    #[command(flatten)]
    pub config: TargetArgs,
    #[command(flatten)]
    pub expect: ExpectArgs,
    /// Whether the bundle must hold a second opinion of Phala's API that agrees. A replay asks nobody.
    #[arg(long, value_enum, default_value_t = Verifier::Local)]
    pub verifier: Verifier,
    #[command(flatten)]
    pub collateral_age: CollateralAgeArgs,
    #[command(flatten)]
    pub http: HttpArgs,
    #[command(flatten)]
    pub trust: TrustArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub struct PinArgs {
    /// Address of the app, https://HOST[:PORT][/PATH]; an id with another --source.
    #[arg(value_name = "URL")]
    pub url: Option<String>,
    /// Pin from an evidence bundle instead of a live deployment.
    #[arg(long, value_name = "BUNDLE", conflicts_with = "url")]
    pub from: Option<PathBuf>,
    /// Where to write the lock; `-` prints it. Default: the lock of the target in the policy file, else cvm.lock.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Pin although something is not as a production deployment should be, by name: development-image, vulnerable-image,
    /// unknown-image, acpi-change, tcb, td-attributes, key-provider, no-nonce, unread-compose. Several with commas between
    /// them. What the lock that is there holds already need not be named again. Each is written into the lock, and a verdict
    /// that rests on it says so.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub accept: Vec<String>,
    /// Pin whatever is not as a production deployment should be: all names of --accept.
    #[arg(long)]
    pub accept_observed: bool,
    /// Judge a bundle at this time (RFC 3339) instead of the time of capture.
    #[arg(long, value_name = "TIME", requires = "from")]
    pub at: Option<String>,
    /// How the app lays the nonce out in the report data: auto (default, raw or ascii), or a named layout.
    #[arg(long, value_name = "LAYOUT")]
    pub report_data: Option<String>,
    /// The image that runs, by its published os_image_hash or its name: pinned only if a row or its measurement document proves it.
    #[arg(long, value_name = "HASH|NAME")]
    pub os_image: Option<String>,
    /// The published files of the image that runs (a folder or an archive, see `cvm-verify os-image`): pinned only if they are
    /// measured as what the quote shows.
    #[arg(long, value_name = "DIR|TAR")]
    pub os_image_files: Option<PathBuf>,
    /// A file of reference values (TOML): OS images and advisories in addition to the built-in ones.
    #[arg(long, value_name = "FILE")]
    pub reference_values: Option<PathBuf>,
    #[command(flatten)]
    pub config: TargetArgs,
    #[command(flatten)]
    pub source: SourceArgs,
    #[command(flatten)]
    pub chain: ChainArgs,
    #[command(flatten)]
    pub transport: TransportArgs,
    #[command(flatten)]
    pub trust: TrustArgs,
}

#[derive(Debug, Args)]
pub struct InspectArgs {
    /// An evidence bundle, an /attestation body, a bare quote, a versioned attestation, or the address of an app (with
    /// another --source also its id).
    #[arg(value_name = "FILE|URL")]
    pub what: String,
    #[command(flatten)]
    pub source: SourceArgs,
    #[command(flatten)]
    pub transport: TransportArgs,
}

/// Behind the help of `diff`.
const DIFF_CODES: &str = "Exit codes: 0 the same, 1 different, or evidence that is refused, 2 usage error, 3 could not be \
                          determined.";

#[derive(Debug, Args)]
pub struct DiffArgs {
    /// Before: a lock file, an evidence bundle, or the address of an app.
    #[arg(value_name = "A")]
    pub before: String,
    /// After: the same.
    #[arg(value_name = "B")]
    pub after: String,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// How the app lays the nonce out in the report data: auto (raw or ascii), or a named layout.
    #[arg(long, value_name = "LAYOUT", default_value = "auto")]
    pub report_data: String,
    #[command(flatten)]
    pub source: SourceArgs,
    #[command(flatten)]
    pub transport: TransportArgs,
    #[command(flatten)]
    pub trust: TrustArgs,
}

#[derive(Debug, Args)]
pub struct ComposeHashArgs {
    /// A compose document: the JSON text that a VM is given (app-compose.json).
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// What to print.
    #[arg(long, value_enum, default_value_t = ComposeHashFormat::Text)]
    pub format: ComposeHashFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ComposeHashFormat {
    /// For people.
    Text,
    /// cvm-verify/compose-hash/v1.
    Json,
}

#[derive(Debug, Args)]
pub struct MergeArgs {
    /// Reports, as `verify --report-json` writes them.
    #[arg(value_name = "REPORT", required = true)]
    pub report: Vec<PathBuf>,
    #[command(flatten)]
    pub run: RunArgs,
    /// Refuse a report whose run ended longer ago: 1s to 30d. Default: 1h where the run has no name, else any age.
    #[arg(long, value_name = "DURATION", help_heading = "Shards")]
    pub max_age: Option<ReportMaxAge>,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A check's name; without one, all are listed.
    #[arg(value_name = "CHECK")]
    pub check: Option<String>,
}
