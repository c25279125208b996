//! The demo: a simulated CVM and PCCS on loopback, and the real verifier on them.
//!
//! `cargo run --release --example demo`

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use cvm_verify::cli;
use cvm_verify::cli::Env;
use simulator::{AppServer, Cvm, Lie, PccsServer, ReportDataLayout, TlsIdentity, TlsMode, World};

/// What is shown: a title, the lie that the simulated host tells, and the exit code that it must end with.
const SCENES: [(&str, Lie, u8); 5] = [
    ("A healthy deployment", Lie::None, 0),
    (
        "A swapped image: the host deployed another compose document",
        Lie::SwappedImage,
        1,
    ),
    (
        "A replayed quote: yesterday's evidence for today's question",
        Lie::ReplayedQuote,
        1,
    ),
    (
        "A forged event log: the right compose hash, in a log that nobody measured",
        Lie::ForgedEventLog,
        1,
    ),
    (
        "An out-of-date platform: Intel knows holes in it",
        Lie::OutOfDatePlatform,
        1,
    ),
];

fn main() -> ExitCode {
    match demo() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn demo() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let now = (Env::of_process().now)();
    let healthy = Cvm::healthy(&World::new(1, now));
    let root = folder.path().join("root.pem");
    std::fs::write(&root, healthy.world.root_pem())?;
    say(
        "cvm-verify, run on simulated machines: their root certificate is not Intel's, and each report says so.\n",
    )?;
    let mut ended = Vec::new();
    for (title, lie, expected) in SCENES {
        let code = scene(title, lie, &healthy, &root, now)?;
        if code != expected {
            return Err(format!("{title}: exit code {code}, {expected} expected").into());
        }
        ended.push((title, code));
    }
    let title =
        "A release of today: no table has its OS image, and its user copied the hash from the release page";
    let code = released_today(title, &root, now)?;
    if code != 0 {
        return Err(format!("{title}: exit code {code}, 0 expected").into());
    }
    ended.push((title, code));
    let title = "A relay: it hands on what a healthy VM answers, and holds another TLS key";
    let code = relay(title, &healthy, &root, now)?;
    if code != 1 {
        return Err(format!("{title}: exit code {code}, 1 expected").into());
    }
    ended.push((title, code));
    say(&format!("\n{}", table(&ended)))?;
    say("All seven ended as they should: two PASSes, five FAILs.\n")
}

/// The verdicts of all scenes, by their exit codes.
fn table(ended: &[(&str, u8)]) -> String {
    let row = |(title, code): &(&str, u8)| {
        let verdict = match code {
            0 => "PASS",
            1 => "FAIL",
            _ => "INCONCLUSIVE",
        };
        let (what, why) = title.split_once(": ").unwrap_or((title, ""));
        format!("  {verdict}  {what:<24}  {why}\n")
    };
    ended.iter().map(row).chain(["\n".to_owned()]).collect()
}

/// A guest that boots an image which was released after the program: it shows the image's measurement document, and the VM has a
/// listed shape.
fn released_today(title: &str, root: &Path, now: u64) -> Result<u8, Box<dyn std::error::Error>> {
    let cvm = Cvm::released_today(&World::new(1, now));
    let [rtmr0, ..] = cvm.td_report([0; 64]).rtmr.map(hex::encode);
    let shapes = root.with_file_name("shapes.toml");
    std::fs::write(
        &shapes,
        format!(
            "updated = \"2026-11-25\"\n[[rtmr0]]\nvalue = \"{rtmr0}\"\nshape = \"4 CPUs, 2 GiB\"\nsource = \"the demo\"\n\
             date = \"2026-11-25\"\n"
        ),
    )?;
    let os_image = hex::encode(cvm.boot.os_image_hash());
    let compose_hash = hex::encode(cvm.compose_hash());
    let pccs = PccsServer::http(cvm.world.clone());
    let app = AppServer::http(cvm);
    verify(
        title,
        &[
            app.url().to_string(),
            format!("--compose-hash={compose_hash}"),
            format!("--os-image={os_image}"),
            format!("--reference-values={}", shapes.display()),
            format!("--key-provider=kms:{}", simulator::cvm::simulated_kms_id(1)),
            format!("--pccs-url={}", pccs.url()),
            format!("--insecure-trust-root={}", root.display()),
            "--allow-private-network".to_owned(),
        ],
    )
}

/// An app that ends TLS itself and quotes its key beside the nonce, behind a server with a certificate of its own for the name.
fn relay(title: &str, healthy: &Cvm, root: &Path, now: u64) -> Result<u8, Box<dyn std::error::Error>> {
    let own = TlsIdentity::new(1, now, TlsMode::TestCa);
    let relay = TlsIdentity::new(2, now, TlsMode::TestCa);
    let ca = root.with_file_name("relay-ca.pem");
    std::fs::write(&ca, relay.ca_pem())?;
    let mut cvm = healthy.clone();
    cvm.report_data = ReportDataLayout::KeyThenNonce(own.key_hash());
    let pccs = PccsServer::http(cvm.world.clone());
    let app = AppServer::https(cvm, &relay);
    let mut args = expected(healthy, &app.localhost_url(), &pccs.url(), root);
    args.extend([
        format!("--ca-file={}", ca.display()),
        "--tls-binding=app-key".to_owned(),
        "--require-assurance=code+endpoint".to_owned(),
    ]);
    verify(title, &args)
}

/// Starts a machine that tells a lie, and verifies it as its user would: with the identity of a healthy one.
fn scene(
    title: &str,
    lie: Lie,
    healthy: &Cvm,
    root: &Path,
    now: u64,
) -> Result<u8, Box<dyn std::error::Error>> {
    let mut cvm = Cvm::healthy(&World::new(1, now));
    lie.apply(&mut cvm);
    let pccs = PccsServer::http(cvm.world.clone());
    let app = AppServer::http(cvm);
    verify(title, &expected(healthy, &app.url(), &pccs.url(), root))
}

/// The address, and everything that the user of a healthy machine expects of it.
fn expected(healthy: &Cvm, app: &str, pccs: &str, root: &Path) -> Vec<String> {
    let mut args = vec![
        app.to_owned(),
        format!("--pccs-url={pccs}"),
        format!("--insecure-trust-root={}", root.display()),
        "--allow-private-network".to_owned(),
    ];
    args.extend(healthy.expectations());
    args
}

/// Runs `verify` with these arguments under a title.
fn verify(title: &str, args: &[String]) -> Result<u8, Box<dyn std::error::Error>> {
    let mut env = Env::of_process();
    env.variables.clear();
    env.args = ["cvm-verify", "verify"]
        .into_iter()
        .map(Into::into)
        .chain(args.iter().map(Into::into))
        .collect();
    say(&format!(
        "\n{}\n{title}\n{}\n\n",
        "━".repeat(title.chars().count()),
        "━".repeat(title.chars().count())
    ))?;
    let code = cli::run(&mut env);
    say(&format!("\nexit code {code}\n"))?;
    Ok(code)
}

fn say(text: &str) -> Result<(), Box<dyn std::error::Error>> {
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}
