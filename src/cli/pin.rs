//! `cvm-verify pin`: what its options say.

use std::path::PathBuf;

use super::args::PinArgs;
use super::replay;
use super::transport::{network_options, session_of_one};
use super::trust_roots::trust_roots;
use crate::config::{Settings, path_of, written};
use crate::env::Env;
use crate::pin::{self, PinRequest};
use crate::plan::{named_files, policy_file};
use crate::recorded::bundle::from_bundle;
use crate::recorded::evidence::Recorded;
use crate::recorded::loose;
use crate::usage_error::UsageError;
use cvm_verify_core::lock::{AcceptName, Accepting};
use cvm_verify_core::policy::{OsImageOption, OsImagePolicy, PublishedImage, parse_os_image_of};
use cvm_verify_core::reference::ReferenceValues;

pub(super) fn run(args: &PinArgs, env: &mut Env) -> anyhow::Result<u8> {
    let roots = trust_roots(&args.trust)?;
    let accepting = accepting(args)?;
    let at = args.at.as_deref().map(replay::parse_time).transpose()?;
    let request = PinRequest {
        options: options(args),
        recorded: recorded(args)?,
        bundle: args.from.clone(),
        policy_file: policy_file(args, env),
        target: args.config.target.clone(),
        output: args.output.clone(),
        at,
        accepting,
        force: args.force,
        phala_hints: args.phala_hints,
        network: network_options(&args.transport).into(),
        image: &|reference| named(args, reference),
        session: &|env| session_of_one(&args.transport, &roots, &args.chain, env),
        roots: roots.clone(),
    };
    Ok(pin::run(&request, env)?.exit_code())
}

/// What was given by option, and the address.
fn options(args: &PinArgs) -> Settings {
    let mut options = args.keys.settings.over(&args.source.settings);
    options.set("url", written("URL", args.url.clone()));
    options
}

/// The policy file. That of the working folder is for what names nothing else.
fn policy_file(args: &PinArgs, env: &mut Env) -> Option<PathBuf> {
    let given = args.config.config.as_deref();
    match args.url.is_some() || args.from.is_some() || args.loose.files().has_quote() {
        true => given.map(PathBuf::from),
        false => policy_file::found(given, false, env),
    }
}

/// The evidence in files, where the options name some.
fn recorded(args: &PinArgs) -> Result<Option<Recorded>, UsageError> {
    let two = |first| {
        let problem =
            format!("{first} and --attestation or --quote-hex name two pieces of evidence; give one");
        Err(UsageError::new(problem))
    };
    match (&args.url, &args.from) {
        (Some(_), _) if args.loose.files().has_quote() => two("a URL"),
        (_, Some(_)) if args.loose.files().has_quote() => two("--from"),
        (_, Some(path)) => from_bundle(path, args.loose.collateral.as_deref()).map(Some),
        (_, None) => loose::recorded(&args.loose.files()),
    }
}

/// What is accepted by option.
fn accepting(args: &PinArgs) -> Result<Accepting, UsageError> {
    let names = args.accept.iter().map(|name| {
        let parsed = name.parse::<AcceptName>();
        parsed.map_err(|error| UsageError::option("--accept", error))
    });
    Ok(Accepting {
        all: args.accept_observed,
        names: names.collect::<Result<_, _>>()?,
    })
}

/// The image that the user says runs, by its hash, its name or its files.
fn named(args: &PinArgs, reference: &ReferenceValues) -> Result<Option<PublishedImage>, UsageError> {
    let given = &args.keys.settings;
    let named = match given.one("os-image") {
        None => None,
        Some(value) => match parse_os_image_of(&value.text, reference) {
            Ok(OsImageOption::Policy(policy)) => match *policy {
                OsImagePolicy::Published(named) => Some(named),
                _ => return Err(UsageError::option("--os-image", PINNED_BY)),
            },
            Ok(OsImageOption::Lock) => return Err(UsageError::option("--os-image", PINNED_BY)),
            Err(error) => return Err(UsageError::option("--os-image", error)),
        },
    };
    let Some(path) = given.one("os-image-files").map(path_of) else {
        return Ok(named);
    };
    let files = named_files::image_files(&path)?;
    match named {
        None => Ok(Some(PublishedImage::of_files(files, reference))),
        Some(named) => named
            .with_files(files)
            .map(Some)
            .map_err(|error| UsageError::option("--os-image-files", error)),
    }
}

const PINNED_BY: &str =
    "pin takes an os_image_hash or the name of an image; to pin anything else that runs, use --accept";
