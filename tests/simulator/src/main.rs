//! Serves a simulated CVM and PCCS on loopback until it is stopped.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program speaks through them"
)]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::ExitCode,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use simulator::{
    AppServer, Cvm, Guest, Lie, PccsServer, QuoteFormat, World, phala_cloud,
    server::{TlsApp, TlsWay},
};

const HELP: &str = "\
Serves a simulated CVM, PCCS and Phala Cloud API on loopback, prints their URLs and writes the root CA's PEM.

Usage: simulator [OPTIONS]

Options:
  --lie NAME            What the CVM lies about; may be repeated. Default: none
  --list-lies           Prints the names of all lies and exits
  --guest VERSION       Guest generation: 0.4, 0.5.0, 0.5.1, 0.5.5 (default), 0.6.0
  --quote-format NAME   v4 (default), v5-td10, v5-td15, v5-td15ex
  --seed NUMBER         Every key and random-looking value follows from it. Default: 1
  --now SECONDS         Time of the simulated world in Unix seconds. Default: the clock
  --tls WAY             Serves the application over TLS at localhost, which ends in this way:
                          gateway  before the CVM, with a certificate of a test CA; nothing binds its key
                          ratls    in the application, with a certificate of the CVM's KMS that carries a quote of its key
                          app-key  in the application, with a certificate of a test CA; the quote for the nonce holds its key
                          ingress  in dstack-ingress in the CVM, with a certificate of a test CA and /evidences/
  --relay               With --tls: another server answers, with a key of its own, and hands on what the CVM shows
  --https               The same as --tls gateway
  --any-folder          Serves the application below any folder: http://…/1, http://…/2, …
  --out FOLDER          Where root-ca.pem (and tls-ca.pem) are written. Default: the current folder
  --stop-after SECONDS  Ends by itself. Default: never
  --help                Prints this help
";

struct Options {
    lies: Vec<Lie>,
    guest: Guest,
    format: QuoteFormat,
    seed: u64,
    now: u64,
    tls: Option<TlsWay>,
    relay: bool,
    any_folder: bool,
    out: PathBuf,
    stop_after: Option<u64>,
}

fn main() -> ExitCode {
    match parse(env::args().skip(1)) {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(options)) => match serve(&options) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("simulator: {error}");
                ExitCode::FAILURE
            }
        },
        Err(error) => {
            eprintln!("simulator: {error}; see --help");
            ExitCode::from(2)
        }
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let clock = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_err(|error| error.to_string())?;
    let mut options = Options {
        lies: vec![],
        guest: Guest::V0_5_5,
        format: QuoteFormat::V4,
        seed: 1,
        now: clock.as_secs(),
        tls: None,
        relay: false,
        any_folder: false,
        out: PathBuf::from("."),
        stop_after: None,
    };
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .ok_or_else(|| format!("{argument} needs a value"))
        };
        match argument.as_str() {
            "--help" | "-h" => {
                print!("{HELP}");
                return Ok(None);
            }
            "--list-lies" => {
                for lie in Lie::ALL {
                    println!("{:<26} {}", lie.name(), lie.about());
                }
                return Ok(None);
            }
            "--lie" => options.lies.push(value()?.parse()?),
            "--guest" => options.guest = guest(&value()?)?,
            "--quote-format" => options.format = quote_format(&value()?)?,
            "--seed" => options.seed = number(&value()?)?,
            "--now" => options.now = number(&value()?)?,
            "--https" => options.tls = Some(TlsWay::Gateway),
            "--tls" => options.tls = Some(value()?.parse()?),
            "--relay" => options.relay = true,
            "--any-folder" => options.any_folder = true,
            "--out" => options.out = value()?.into(),
            "--stop-after" => options.stop_after = Some(number(&value()?)?),
            _ => return Err(format!("unknown option {argument:?}")),
        }
    }
    if options.relay && options.tls.is_none() {
        return Err("--relay needs --tls: it shows a TLS key of its own".to_owned());
    }
    Ok(Some(options))
}

fn serve(options: &Options) -> std::io::Result<()> {
    let world = World::new(options.seed, options.now);
    let named = |path: &Path, error: std::io::Error| {
        let said = format!("{}: cannot be written: {error}", path.display());
        std::io::Error::new(error.kind(), said)
    };
    let root_path = options.out.join("root-ca.pem");
    fs::create_dir_all(&options.out).map_err(|error| named(&options.out, error))?;
    fs::write(&root_path, world.root_pem()).map_err(|error| named(&root_path, error))?;

    let mut cvm = Cvm::of_generation(&world, options.guest);
    cvm.quote.format = options.format;
    for lie in &options.lies {
        lie.apply(&mut cvm);
    }
    let pccs = PccsServer::http(cvm.world.clone());
    println!("compose-hash: {}", hex::encode(cvm.compose_hash()));
    println!("app-id: {}", hex::encode(cvm.app_id_bytes()));
    let (list_path, list) = phala_cloud_list(&cvm);
    println!("key-provider: {}", cvm.key_provider_option());
    println!("root-ca: {}", root_path.display());
    let (app, url) = match options.tls {
        None => {
            let app = AppServer::http(cvm);
            let url = app.url();
            (app, url)
        }
        Some(way) => {
            let TlsApp { server, ca_pem } = way.serve(cvm, options.now, options.relay);
            if let Some(pem) = ca_pem {
                let tls_path = options.out.join("tls-ca.pem");
                fs::write(&tls_path, pem).map_err(|error| named(&tls_path, error))?;
                println!("tls-ca: {}", tls_path.display());
            }
            let url = server.localhost_url();
            (server, url)
        }
    };
    if options.any_folder {
        app.in_any_folder();
    }
    app.serve_file(&list_path, "application/json", list);
    println!("app: {url}");
    println!("phala-api: {url}");
    println!("pccs: {}", pccs.url());

    match options.stop_after {
        Some(seconds) => thread::sleep(Duration::from_secs(seconds)),
        None => loop {
            thread::park();
        },
    }
    Ok(())
}

/// Where Phala Cloud's API lists the instances of this CVM's app, and what it answers: this one instance.
fn phala_cloud_list(cvm: &Cvm) -> (String, String) {
    let app_id = cvm.app_id_bytes();
    let instances = [Some(cvm.clone())];
    let answer = phala_cloud::answer(&app_id, phala_cloud::InstanceShape::New, &instances);
    (phala_cloud::path(&app_id), answer)
}

fn guest(name: &str) -> Result<Guest, String> {
    Ok(match name {
        "0.4" => Guest::V0_4,
        "0.5.0" => Guest::V0_5_0,
        "0.5.1" => Guest::V0_5_1,
        "0.5.5" => Guest::V0_5_5,
        "0.6.0" => Guest::V0_6_0,
        _ => return Err(format!("unknown guest generation {name:?}")),
    })
}

fn quote_format(name: &str) -> Result<QuoteFormat, String> {
    Ok(match name {
        "v4" => QuoteFormat::V4,
        "v5-td10" => QuoteFormat::V5Td10,
        "v5-td15" => QuoteFormat::V5Td15,
        "v5-td15ex" => QuoteFormat::V5Td15Ex,
        _ => return Err(format!("unknown quote format {name:?}")),
    })
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text:?} is not a number"))
}
