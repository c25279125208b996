//! The command line. Every help text is a sentence that a newcomer understands.

mod alerts;
mod chain;
mod deferred;
mod deploy_plan;
mod expect;
mod gpu;
mod keys;
mod loose;
mod network;
mod os_image;
mod output;
mod policy_file;
mod reference;
mod run;
mod statement;
mod trust_root;
mod watch;

use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use alerts::{AlertArgs, AlertCommand, AlertStateArgs, AlertTestArgs};
pub use chain::ChainArgs;
use deferred::Deferred;
pub use deploy_plan::{DeployPlanArgs, PLAN_CODES, PlanFormat};
pub use expect::ExpectArgs;
pub use gpu::GpuArgs;
pub use keys::SourceArgs;
use keys::{KeyArgs, LiveOptions, PinOptions, ReplayOptions};
pub use loose::LooseArgs;
pub use network::{CacheArgs, CollateralAgeArgs, HttpArgs, TransportArgs, TrustArgs};
pub use os_image::{OsImageArgs, OsImageFormat};
pub use output::{Color, FailOn, Format, OutputArgs};
pub use policy_file::{ConfigArgs, TargetArgs};
pub use reference::{CompletionsArgs, ReferenceArgs, ReferenceTable};
pub use run::RunArgs;
pub use statement::{StatementArgs, StatementCheckArgs, StatementCommand};
pub use trust_root::{BuiltInRoot, ReplacedRoot};
pub use watch::WatchArgs;

use cvm_verify_core::policy::ReportMaxAge;
use cvm_verify_core::report::Shard;

/// After the options of every command.
pub const ENVIRONMENT: &str = "Every long option can also be set in the environment: --output-dir as CVM_VERIFY_OUTPUT_DIR \
                           (an empty variable counts as unset; an option that can be repeated takes one value per \
                           line). --insecure-trust-root cannot.\n\n\
                           Exit codes: 0 pass, 1 fail, 2 usage error, 3 inconclusive.";

/// After the options of `pin`.
const PINNING: &str = "Every long option can also be set in the environment: --output as CVM_VERIFY_OUTPUT. \
                       --insecure-trust-root cannot.\n\n\
                       Exit codes: 0 written, or nothing changed, 1 refused: something that was found is not \
                       accepted, 2 usage error, \
                       3 nothing could be determined.";

/// After the options of `inspect`.
const INSPECTING: &str = "Every long option can also be set in the environment: --app-compose as CVM_VERIFY_APP_COMPOSE. \
                          --insecure-trust-root cannot.\n\n\
                          Exit codes: 0 shown, 2 usage error, or a file that cannot be read, 3 nothing answered.";

/// After the options of `watch`.
const WATCHING: &str = "watch reads the policy file, and the files that it names, again when they change (or on \
    SIGHUP), and keeps the old policy if the new one is not valid. SIGTERM and Ctrl-C end it within 5 seconds.\n\n\
                        Every long option can also be set in the environment: --interval as CVM_VERIFY_INTERVAL. \
                        --insecure-trust-root cannot.\n\n\
                        Exit codes: 0 ended by a signal, 2 usage error; with --once those of verify, and 3 if a \
                        signal ended it early.";

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
    Verify(Deferred<VerifyArgs>),
    /// Verify all targets again and again, and alert when something changes.
    #[command(after_help = WATCHING)]
    Watch(Deferred<WatchArgs>),
    /// Verify recorded evidence, offline.
    #[command(after_help = ENVIRONMENT)]
    Replay(Deferred<ReplayArgs>),
    /// Verify what can be verified, then write the measured identity to a lock file.
    #[command(after_help = PINNING)]
    Pin(Deferred<PinArgs>),
    /// Show and explain every field of evidence, without a verdict.
    #[command(after_help = INSPECTING)]
    Inspect(Deferred<InspectArgs>),
    /// Say what changed between two deployments: locks, evidence bundles and live addresses, in any pairing.
    #[command(after_help = DIFF_CODES)]
    Diff(Deferred<DiffArgs>),
    /// Print the hash of a compose document, and the hash that each deploy tool would give it.
    ComposeHash(Deferred<ComposeHashArgs>),
    /// Measure the published files of an OS image: compute the registers of a VM that booted it.
    #[command(after_help = os_image::OS_IMAGE_CODES)]
    OsImage(Deferred<OsImageArgs>),
    /// Say what a check proves, which attack it prevents, why it fails and how to fix it.
    Explain(Deferred<ExplainArgs>),
    /// List the reference values: OS images, key management services, scripts, with dates and where to compare them.
    Reference(Deferred<ReferenceArgs>),
    /// Join the reports of several runs into one.
    #[command(after_help = ENVIRONMENT)]
    Merge(Deferred<MergeArgs>),
    /// Say before a deployment what will be measured, who built the images, and what the policy would refuse.
    #[command(after_help = PLAN_CODES)]
    Plan(Deferred<DeployPlanArgs>),
    /// Verify a signed result.
    Statement(StatementArgs),
    /// Try the alert channels.
    Alert(AlertArgs),
    /// Print the completion script of a shell.
    Completions(Deferred<CompletionsArgs>),
}

impl Command {
    /// Whether the command verifies: then it reports variables of the environment whose names are unknown.
    pub fn reads_options_of_a_run(&self) -> bool {
        matches!(self, Self::Verify(_) | Self::Watch(_) | Self::Replay(_))
    }

    /// Whether the user wants to hear nothing but what is wrong.
    pub fn is_quiet(&self) -> bool {
        match self {
            Self::Verify(args) => args.output.is_quiet(),
            Self::Replay(args) => args.output.is_quiet(),
            Self::Merge(args) => args.output.is_quiet(),
            Self::Watch(args) => args.quiet,
            _ => false,
        }
    }

    /// Whether the command judges evidence or results, or writes down what evidence proves. Made on a machine that the adversary can
    /// change, that proves nothing.
    pub fn judges(&self) -> bool {
        match self {
            Self::Verify(_)
            | Self::Watch(_)
            | Self::Replay(_)
            | Self::Pin(_)
            | Self::Diff(_)
            | Self::Merge(_)
            | Self::Plan(_)
            | Self::Statement(_) => true,
            Self::Inspect(_)
            | Self::ComposeHash(_)
            | Self::OsImage(_)
            | Self::Explain(_)
            | Self::Alert(_)
            | Self::Reference(_)
            | Self::Completions(_) => false,
        }
    }
}

/// A number of a range.
fn whole_number<N>(least: N, most: N) -> impl Fn(&str) -> Result<N, String> + Clone
where
    N: Copy + FromStr + PartialOrd + fmt::Display,
{
    move |text| {
        let number = text.trim().parse().ok();
        let number = number.filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| format!("write a whole number from {least} to {most}"))
    }
}

/// At least one.
fn concurrency(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.trim().parse().map_err(|_| "write a whole number from 1 on")
}

/// What is verified, and by which policy.
#[derive(Debug, Clone, Args)]
pub struct PlanArgs {
    /// Addresses of the apps, https://HOST[:PORT][/PATH]. With another --source, ids are allowed too: see --source.
    /// Without an address, the targets of the policy file are verified.
    #[arg(value_name = "URL", help_heading = None::<&'static str>)]
    pub url: Vec<String>,
    #[command(flatten)]
    pub config: ConfigArgs,
    #[command(flatten)]
    pub source: SourceArgs,
    #[command(flatten)]
    pub expect: ExpectArgs,
    /// Do not use the cvm.lock of the working folder. Without this option, `verify` with one URL uses that lock if no
    /// other expected value is given and the lock was made from that address.
    #[arg(long, help_heading = "Expectations")]
    pub no_lock: bool,
    #[command(flatten)]
    pub live: KeyArgs<LiveOptions>,
    /// Ask this server for the second verification instead of Phala's: a mirror, or a test server.
    #[arg(long, value_name = "URL", help_heading = "Second opinion")]
    pub phala_verifier_url: Option<String>,
    #[command(flatten)]
    pub chain: ChainArgs,
    #[command(flatten)]
    pub collateral_age: CollateralAgeArgs,
}

#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Print every request with the time that it took, to standard error.
    #[arg(long, short, help_heading = "Output")]
    pub verbose: bool,
    /// Verify a part of the targets, such as 2/5 for the second of five runs; `cvm-verify merge` joins their reports.
    #[arg(long, value_name = "I/N", help_heading = "Run")]
    pub shard: Option<Shard>,
    #[command(flatten)]
    pub run: RunArgs,
    /// How many targets are verified at the same time.
    #[arg(long, value_name = "NUMBER", default_value = "32", value_parser = concurrency)]
    pub concurrency: NonZeroUsize,
    /// Repeat until the expected code is live and passes, or until this time is over: 90s, 10m, 1h. In a monitor,
    /// inconclusive:5m repeats only while the result is inconclusive, such as during a restart; a failure ends it.
    #[arg(long, value_name = "DURATION")]
    pub wait: Option<String>,
    /// How long the whole run may take: 90s, 10m, 1h. Targets that are not verified by then are inconclusive; the
    /// report is written and alerts are sent. Default: 10m, or --wait plus 2m if that is longer.
    #[arg(long, value_name = "DURATION")]
    pub deadline: Option<String>,
    #[command(flatten)]
    pub plan: PlanArgs,
    #[command(flatten)]
    pub transport: TransportArgs,
    #[command(flatten)]
    pub trust: TrustArgs,
    #[command(flatten)]
    pub alert_state: AlertStateArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    /// Write the evidence to this file, to replay it later. With several targets, this is a folder.
    #[arg(long, value_name = "PATH", help_heading = "Output")]
    pub evidence: Option<PathBuf>,
    /// Write a statement about each target that passes into this folder, to be signed: statement.json (in-toto, with SLSA's
    /// verification summary), predicate.json and the subject, app-compose.json. Default: the folder of --output-dir.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub statement: Option<PathBuf>,
    #[command(flatten)]
    pub cache: CacheArgs,
}

#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// An evidence bundle, as `verify --evidence` writes it; or a body of /attestation, a quote (binary, hex or base64) or a
    /// versioned attestation. `-` reads standard input.
    #[arg(value_name = "BUNDLE|QUOTE")]
    pub bundle: Option<PathBuf>,
    #[command(flatten)]
    pub loose: LooseArgs,
    /// Fetch the collateral for the quote from Intel, or from --pccs-url. Without this option a replay sends no request.
    #[arg(long, help_heading = "Loose files")]
    pub fetch_collateral: bool,
    /// Fetch collateral from this PCCS only.
    #[arg(long, value_name = "URL", help_heading = "Loose files")]
    pub pccs_url: Option<String>,
    /// Write loose files, and the collateral that was fetched for them, as one evidence bundle to this file.
    #[arg(long, value_name = "FILE", help_heading = "Loose files")]
    pub evidence: Option<PathBuf>,
    /// Verify as of this time (RFC 3339). Default: the time of capture; for loose files, now.
    #[arg(long, value_name = "TIME", help_heading = None::<&'static str>)]
    pub at: Option<String>,
    /// Send alerts through the configured channels, as `verify` does. Without this option a replay alerts nobody.
    #[arg(long, help_heading = "Alerts")]
    pub alert: bool,
    #[command(flatten)]
    pub config: TargetArgs,
    #[command(flatten)]
    pub expect: ExpectArgs,
    #[command(flatten)]
    pub keys: KeyArgs<ReplayOptions>,
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
    /// Address of the app, https://HOST[:PORT][/PATH]; an id with another --source. Without an address, every target of the
    /// policy file is pinned.
    #[arg(value_name = "URL")]
    pub url: Option<String>,
    /// Pin from an evidence bundle instead of a live deployment.
    #[arg(long, value_name = "BUNDLE", conflicts_with = "url")]
    pub from: Option<PathBuf>,
    /// Where to write the lock; `-` prints it. Default: the lock of the target in the policy file, else cvm.lock.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Pin even though the deployment has these findings, which do not fit production: development-image,
    /// vulnerable-image, unknown-image, acpi-change, image-hash, tcb, td-attributes, key-provider, no-nonce,
    /// other-kms, other-app, unread-compose, no-longer-shown. Separate several with commas. Findings that the existing
    /// lock already accepts need not be named again. Each is written into the lock, and a verdict that relies on one
    /// says so. After tcb and no-nonce `verify` also needs --accept-tcb and --freshness unchecked: pin prints the command.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub accept: Vec<String>,
    /// Pin whatever the findings are: the same as all names of --accept.
    #[arg(long)]
    pub accept_observed: bool,
    /// Ask Phala Cloud's API where the KMS of the app answers and which contract governs it, if neither the policy
    /// file nor the lock says so. The answer is the statement of the API's operator, not evidence: review it before
    /// you commit the lock.
    #[arg(long)]
    pub phala_hints: bool,
    /// Replace a lock file that cannot be read. Without this option it stays unchanged. A file that is not a lock is never
    /// replaced.
    #[arg(long)]
    pub force: bool,
    /// Verify recorded evidence as of this time (RFC 3339). Default: the time of capture; for loose files, now.
    #[arg(long, value_name = "TIME", conflicts_with = "url")]
    pub at: Option<String>,
    #[command(flatten)]
    pub keys: KeyArgs<PinOptions>,
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
    #[command(flatten)]
    pub loose: LooseArgs,
}

#[derive(Debug, Args)]
pub struct InspectArgs {
    /// An evidence bundle, an /attestation body, a bare quote, a versioned attestation, a certificate of the guest agent (PEM), a
    /// compose document, GPU evidence, tokens of NVIDIA's remote attestation service, or the address of an app (with another --source also its id).
    #[arg(value_name = "FILE|URL")]
    pub what: String,
    /// The measured compose document, for evidence that does not contain it.
    #[arg(long, value_name = "FILE")]
    pub app_compose: Option<PathBuf>,
    /// Ask Phala Cloud's API where the KMS of the app answers and which contract governs it, and show the answers.
    /// They are statements of the API's operator, not evidence.
    #[arg(long)]
    pub phala_hints: bool,
    /// What to print.
    #[arg(long, value_enum, default_value_t = InspectFormat::Text)]
    pub format: InspectFormat,
    #[command(flatten)]
    pub source: SourceArgs,
    #[command(flatten)]
    pub chain: ChainArgs,
    #[command(flatten)]
    pub transport: TransportArgs,
    #[command(flatten)]
    pub trust: TrustArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InspectFormat {
    /// For people.
    Text,
    /// With a schema, cvm-verify/inspection/v1: all values at full length.
    Json,
}

/// After the help of `diff`.
const DIFF_CODES: &str = "Exit codes: 0 the same, 1 different, or the evidence is refused, 2 usage error, 3 could not be \
                          determined.";

#[derive(Debug, Args)]
pub struct DiffArgs {
    /// Before: a lock file, an evidence bundle, or the address of an app. Without A and B, --target names a target of the policy
    /// file: its lock, and what runs.
    #[arg(value_name = "A", required_unless_present = "target")]
    pub before: Option<String>,
    /// After: the same. Loose files can be given instead.
    #[arg(value_name = "B")]
    pub after: Option<String>,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Print nothing: the exit code says whether they differ.
    #[arg(long, short)]
    pub quiet: bool,
    /// How the app arranges the nonce in the report data: auto (raw, ascii, or the nonce with a key of the TLS connection), or a
    /// named layout.
    #[arg(long, value_name = "LAYOUT", default_value = "auto")]
    pub report_data: String,
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
    #[command(flatten)]
    pub loose: LooseArgs,
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
    /// Refuse a report whose run ended longer ago than this: 1s to 30d. Default: 1h if the run has no name, else 24h.
    /// A shard of a named run that is too old is left out and counts as missing.
    #[arg(long, value_name = "DURATION", help_heading = "Run")]
    pub max_age: Option<ReportMaxAge>,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The name of a check or of a reason, or CHECK/REASON as a report shows them. Without a name, all checks are listed.
    #[arg(value_name = "CHECK|REASON")]
    pub check: Option<String>,
}
