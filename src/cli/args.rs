//! What can be typed. Every help text is a sentence that a newcomer understands.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::report::Shard;

/// Behind the options of every command.
const ENVIRONMENT: &str = "Every long option can also be set in the environment: --compose-hash as CVM_VERIFY_COMPOSE_HASH \
                           (empty means unset; one value per line where an option repeats). --insecure-trust-root cannot.\n\n\
                           Exit codes: 0 pass, 1 fail, 2 usage error, 3 inconclusive.";

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
    /// Say what a check proves, which attack it prevents, why it fails and how to fix it.
    Explain(ExplainArgs),
    /// Join the reports of several runs into one.
    #[command(after_help = ENVIRONMENT)]
    Merge(MergeArgs),
    /// Try the alert channels.
    Alert(AlertArgs),
}

#[derive(Debug, Args)]
pub struct VerifyArgs {
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
    #[command(flatten)]
    pub transport: TransportArgs,
    #[command(flatten)]
    pub verifier: VerifierArgs,
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
    /// Verify a part of the targets, as 2/5 for the second of five runs; `cvm-verify merge` joins their reports.
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,
    /// How many targets are verified at the same time.
    #[arg(long, value_name = "NUMBER", default_value = "32")]
    pub concurrency: NonZeroUsize,
    /// Repeat until the expected code is live and passes, or this time is up: 90s, 10m, 1h.
    #[arg(long, value_name = "DURATION")]
    pub wait: Option<String>,
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
    /// Pin although something is not as a production deployment should be: a development or unknown OS image, a key
    /// provider other than a KMS, a TCB other than UpToDate, evidence without a nonce. Each leaves a comment.
    #[arg(long)]
    pub accept_observed: bool,
    /// Judge a bundle at this time (RFC 3339) instead of the time of capture.
    #[arg(long, value_name = "TIME", requires = "from")]
    pub at: Option<String>,
    /// How the app lays the nonce out in the report data: auto (default, raw or ascii), or a named layout.
    #[arg(long, value_name = "LAYOUT")]
    pub report_data: Option<String>,
    #[command(flatten)]
    pub config: TargetArgs,
    #[command(flatten)]
    pub source: SourceArgs,
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
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A check's name; without one, all are listed.
    #[arg(value_name = "CHECK")]
    pub check: Option<String>,
}

/// Behind the help of everything that alerts.
const CHANNELS: &str = "Alert channels are set in the environment, never on the command line: \
                        CVM_VERIFY_SLACK_WEBHOOK_URL, CVM_VERIFY_DISCORD_WEBHOOK_URL, CVM_VERIFY_TEAMS_WEBHOOK_URL, \
                        CVM_VERIFY_PAGERDUTY_ROUTING_KEY (and CVM_VERIFY_PAGERDUTY_URL in the EU), \
                        CVM_VERIFY_GITHUB_TOKEN (keeps an issue), CVM_VERIFY_WEBHOOK_URL (signed with \
                        CVM_VERIFY_WEBHOOK_SECRET), CVM_VERIFY_HEARTBEAT_URL (pinged on a pass, and /fail otherwise).";

#[derive(Debug, Args)]
pub struct AlertArgs {
    #[command(subcommand)]
    pub command: AlertCommand,
}

#[derive(Debug, Subcommand)]
pub enum AlertCommand {
    /// Send a marked test message through every configured channel and say what each answered.
    #[command(after_help = CHANNELS)]
    Test(AlertTestArgs),
}

#[derive(Debug, Args)]
pub struct AlertTestArgs {
    /// The GitHub repository whose issues are used. Default: the one that the workflow runs in.
    #[arg(long, value_name = "OWNER/REPO")]
    pub github_issue: Option<String>,
    #[command(flatten)]
    pub http: HttpArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Alerts")]
pub struct MemoryArgs {
    /// Remember in this file what was told, so that a failure is told once and its end too. Without it every run that
    /// does not pass alerts.
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// With --state: tell of an inconclusive target only after so many inconclusive runs in a row.
    #[arg(long, value_name = "NUMBER", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub inconclusive_after: u32,
    /// Keep an issue in this GitHub repository for each target that does not pass; CVM_VERIFY_GITHUB_TOKEN may write
    /// issues there. With the token alone: in the repository that the workflow runs in.
    #[arg(long, value_name = "OWNER/REPO")]
    pub github_issue: Option<String>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Source")]
pub struct SourceArgs {
    /// Whom to ask for evidence. Only the app can sign this run's nonce: evidence of the other two is not fresh, so that
    /// the verdict stays inconclusive unless --freshness unchecked waives it.
    #[arg(long, value_enum)]
    pub source: Option<SourceKind>,
    /// The gateway's base domain, to reach the guest agent by app or instance id: https://ID-8090.DOMAIN.
    #[arg(long, value_name = "DOMAIN")]
    pub gateway_domain: Option<String>,
    /// Ask this mirror of Phala Cloud's API instead of Phala.
    #[arg(long, value_name = "URL")]
    pub phala_api_url: Option<String>,
    /// Take the app's information from this address instead of the info endpoint: the guest agent's, for an app that
    /// serves none, https://ID-8090.DOMAIN/prpc/Info?json.
    #[arg(long, value_name = "URL")]
    pub info_url: Option<String>,
    /// Path of the app's attestation endpoint, by default /attestation; `reportData=<nonce>` is appended.
    #[arg(long, value_name = "PATH")]
    pub attestation_path: Option<String>,
    /// Path of the app's info endpoint, by default /info.
    #[arg(long, value_name = "PATH")]
    pub info_path: Option<String>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Policy file")]
pub struct ConfigArgs {
    /// The policy file. Default: cvm-verify.toml in the working folder, where it exists and no URL is given.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Verify this target of the policy file only. Repeatable. With one URL: which target of policy file and lock that
    /// URL is.
    #[arg(long, value_name = "NAME")]
    pub target: Vec<String>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Policy file")]
pub struct TargetArgs {
    /// The policy file that describes the target.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Which target it is: its name in the policy file, and in a lock of several targets.
    #[arg(long, value_name = "NAME")]
    pub target: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SourceKind {
    /// The app's own endpoints, by URL.
    App,
    /// The guest agent on port 8090, by its URL or by app or instance id: a quote over a key of the app, from 0.5.6 on.
    GuestAgent,
    /// Phala Cloud's API, by app id: the quotes that all instances made when they started.
    PhalaCloud,
}

#[derive(Debug, Args)]
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
    /// Accepted OS images: `known` (default: production images of the built-in table), `lock`, an os_image_hash of the
    /// table, `mrtd=HEX,rtmr0=HEX,rtmr1=HEX,rtmr2=HEX`, or `unchecked` (a waiver).
    #[arg(long, value_name = "IMAGE")]
    pub os_image: Option<String>,
    /// The key provider: NAME[:HEXID], or a known KMS (phala, phala-base).
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
    /// Accept another TCB status for a while: STATUS:until=YYYY-MM-DD[:advisories=INTEL-SA-00001,…]. Repeatable.
    #[arg(long, value_name = "EXCEPTION")]
    pub accept_tcb: Vec<String>,
    /// The lowest TCB evaluation data number to accept.
    #[arg(long, value_name = "NUMBER")]
    pub min_tcb_eval_data_number: Option<u32>,
    /// How much must be proven: genuine hardware, or that it runs the expected code, which is the default.
    #[arg(long, value_enum)]
    pub require_assurance: Option<Assurance>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Requirement {
    /// It must.
    Required,
    /// It need not: a waiver, which the verdict names.
    Unchecked,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Assurance {
    /// A fresh quote of genuine, patched hardware.
    Hardware,
    /// That, and the expected OS and compose document.
    Code,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Second opinion")]
pub struct VerifierArgs {
    /// Who verifies the quote: `local` by default. `both` also asks Phala's verification API. That publishes the quote: anybody can read it
    /// there. With --wait, each attempt has a quote of its own, and all are published. The API never decides for a pass.
    #[arg(long, value_enum)]
    pub verifier: Option<Verifier>,
    /// Ask this server for the second verification instead of Phala's: a mirror, or a test's.
    #[arg(long, value_name = "URL")]
    pub phala_verifier_url: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Verifier {
    /// This program.
    Local,
    /// This program and, in addition, Phala's verification API.
    Both,
}

impl From<Verifier> for crate::config::Verifier {
    fn from(verifier: Verifier) -> Self {
        match verifier {
            Verifier::Local => Self::Local,
            Verifier::Both => Self::Both,
        }
    }
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub struct TransportArgs {
    /// Fetch collateral from this PCCS only. Default: Intel's PCS, then Phala's PCCS.
    #[arg(long, value_name = "URL")]
    pub pccs_url: Option<String>,
    #[command(flatten)]
    pub http: HttpArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub struct HttpArgs {
    /// Send everything through this HTTP proxy. The environment's proxy settings are never used.
    #[arg(long, value_name = "URL")]
    pub proxy: Option<String>,
    /// Trust the certificates in this PEM file, beside the public ones, for TLS (not for quotes).
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Allow private and loopback addresses, and plain http to loopback.
    #[arg(long)]
    pub allow_private_network: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub struct CacheArgs {
    /// Keep collateral in this folder between runs, as long as its own dates allow. Default: the user's cache folder.
    #[arg(long, value_name = "DIR", conflicts_with = "no_cache")]
    pub cache_dir: Option<PathBuf>,
    /// Keep nothing between runs.
    #[arg(long)]
    pub no_cache: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Tests")]
pub struct TrustArgs {
    /// Trust this root certificate instead of Intel's. For simulators: proves nothing about hardware, and every output
    /// says so in its first line.
    #[arg(long, value_name = "FILE")]
    pub insecure_trust_root: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Write the report as JSON to this file.
    #[arg(long, value_name = "FILE")]
    pub report_json: Option<PathBuf>,
    /// Append the report as Markdown to this file.
    #[arg(long, value_name = "FILE")]
    pub summary: Option<PathBuf>,
    /// Write the report as JUnit XML to this file.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write verdict, failed checks and the like as NAME=VALUE to this file, for GitLab's dotenv report. The names begin
    /// with CVM_VERIFY_RESULT_.
    #[arg(long, value_name = "FILE")]
    pub dotenv: Option<PathBuf>,
    /// Write everything into this folder: report.json, report.txt, summary.md, junit.xml, result.env and, for live
    /// deployments, the evidence.
    #[arg(long, value_name = "DIR")]
    pub output_dir: Option<PathBuf>,
    /// Also speak to GitHub Actions: job summary, outputs and annotations.
    #[arg(long)]
    pub github: bool,
    /// Print the verdict only.
    #[arg(long, short)]
    pub quiet: bool,
    /// Whether to use colour. `auto` asks whether this is a terminal, and heeds NO_COLOR.
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    /// Which verdicts make the exit code non-zero. The report keeps its own.
    #[arg(long, value_enum, default_value_t = FailOn::Inconclusive)]
    pub fail_on: FailOn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// With a schema: cvm-verify/report/v1, of `diff` cvm-verify/difference/v1.
    Json,
    /// For a comment or a page.
    Markdown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// `inconclusive` and `fail`.
    Inconclusive,
    /// `fail` alone.
    Fail,
    /// None.
    Never,
}
