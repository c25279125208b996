//! Options and lock in, policy out.

use sha2::{Digest as _, Sha256};

use super::args::{Assurance, ExpectArgs, LaunchInputs, Requirement};
use super::error::UsageError;
use super::{files, release};
use crate::config::{
    Expected, Freshness, ImagePinsPolicy, KeyProviderPin, LaunchInputsPolicy, Origin, OsImageOption,
    PlatformError, PlatformList, Policy, ReportDataPolicy, TcbException, TcbPolicy, parse_os_image,
};
use crate::evidence::parse_user_hex;
use crate::prove::Layout;
use crate::report::Tier;

/// What the user expects, and the compose document where it was given as a file.
pub(super) struct Expectations {
    pub policy: Policy,
    pub compose_file: Option<Vec<u8>>,
}

/// Builds the policy that a deployment is judged against at a time, Unix seconds.
pub(super) fn expectations(args: &ExpectArgs, at: u64) -> Result<Expectations, UsageError> {
    let compose_file = args
        .app_compose_file
        .as_deref()
        .map(|path| files::read(path, files::COMPOSE_LIMIT))
        .transpose()?;
    let mut policy = Policy {
        compose_hash: compose_hash(args, compose_file.as_deref())?,
        second_compose_hash: release::second_hash(args.also_compose_hash.as_deref(), at)?,
        docker_compose: release::docker_compose(args.docker_compose.as_deref(), compose_file.as_deref())?,
        app_id: hex_option("--app-id", args.app_id.as_deref())?,
        instance_ids: instance_ids(&args.instance_id)?,
        platforms: platforms(&args.platform_id)?,
        launch_inputs: match args.launch_inputs {
            LaunchInputs::Warn => LaunchInputsPolicy::Warn,
            LaunchInputs::Required => LaunchInputsPolicy::Required,
            LaunchInputs::Unchecked => LaunchInputsPolicy::Unchecked,
        },
        key_provider: key_provider(args.key_provider.as_deref())?,
        freshness: match args.freshness {
            Requirement::Required => Freshness::Required,
            Requirement::Unchecked => Freshness::Unchecked,
        },
        image_pins: match args.image_pins {
            Requirement::Required => ImagePinsPolicy::Required,
            Requirement::Unchecked => ImagePinsPolicy::Unchecked,
        },
        report_data: ReportDataPolicy {
            layout: layout(&args.report_data)?,
            key: report_data_key(layout(&args.report_data)?, args.report_data_key.as_deref())?,
            value: args
                .report_data_value
                .as_deref()
                .map(report_data_value)
                .transpose()?,
        },
        tcb: tcb(args, at)?,
        required: match args.require_assurance {
            Assurance::Hardware => Tier::Hardware,
            Assurance::Code => Tier::Code,
        },
        ..Policy::default()
    };
    let os_image = args
        .os_image
        .as_deref()
        .map(|text| parse_os_image(text).map_err(|error| UsageError::option("--os-image", error)))
        .transpose()?;
    policy = match &args.lock {
        None => without_lock(os_image, policy)?,
        Some(path) => {
            let lock = files::read_lock(path)?;
            let path = path.display().to_string();
            lock.check_end(&path, at)
                .and_then(|()| lock.apply(&path, os_image, policy))
                .map_err(|error| UsageError::new(error.to_string()))?
        }
    };
    release::check(&policy)?;
    Ok(Expectations { policy, compose_file })
}

fn without_lock(os_image: Option<OsImageOption>, policy: Policy) -> Result<Policy, UsageError> {
    match os_image {
        None => Ok(policy),
        Some(OsImageOption::Policy(os_image)) => Ok(Policy {
            os_image: *os_image,
            ..policy
        }),
        Some(OsImageOption::Lock) => Err(UsageError::option(
            "--os-image lock",
            "there is no lock; give one with --lock, or make one with `cvm-verify pin`",
        )),
    }
}

fn compose_hash(args: &ExpectArgs, file: Option<&[u8]>) -> Result<Option<Expected<[u8; 32]>>, UsageError> {
    let option = hex_option::<32>("--compose-hash", args.compose_hash.as_deref())?;
    let of_file = file.map(|bytes| Expected {
        value: Sha256::digest(bytes).into(),
        origin: Origin::Option("--app-compose-file"),
    });
    match (option, of_file) {
        (Some(option), Some(file)) if option.value != file.value => Err(UsageError::new(format!(
            "--compose-hash and --app-compose-file contradict each other: the file's SHA-256 is {}",
            hex::encode(file.value)
        ))),
        (option, file) => Ok(option.or(file)),
    }
}

fn hex_option<const N: usize>(
    option: &'static str,
    text: Option<&str>,
) -> Result<Option<Expected<[u8; N]>>, UsageError> {
    text.map(|text| {
        parse_user_hex(text)
            .map(|value| Expected {
                value,
                origin: Origin::Option(option),
            })
            .map_err(|error| UsageError::option(option, format!("the value {error}")))
    })
    .transpose()
}

fn instance_ids(texts: &[String]) -> Result<Option<Expected<Vec<[u8; 20]>>>, UsageError> {
    const OPTION: &str = "--instance-id";
    let value = texts
        .iter()
        .map(|text| {
            parse_user_hex(text).map_err(|error| UsageError::option(OPTION, format!("the value {error}")))
        })
        .collect::<Result<Vec<[u8; 20]>, UsageError>>()?;
    Ok((!value.is_empty()).then_some(Expected {
        value,
        origin: Origin::Option(OPTION),
    }))
}

fn platforms(texts: &[String]) -> Result<Option<Expected<PlatformList>>, UsageError> {
    const OPTION: &str = "--platform-id";
    if texts.is_empty() {
        return Ok(None);
    }
    texts
        .iter()
        .map(|text| text.parse())
        .collect::<Result<Vec<_>, PlatformError>>()
        .and_then(PlatformList::new)
        .map(|value| {
            Some(Expected {
                value,
                origin: Origin::Option(OPTION),
            })
        })
        .map_err(|error| UsageError::option(OPTION, error))
}

fn key_provider(text: Option<&str>) -> Result<Option<Expected<KeyProviderPin>>, UsageError> {
    text.map(|text| {
        text.parse()
            .map(|value| Expected {
                value,
                origin: Origin::Option("--key-provider"),
            })
            .map_err(|error| UsageError::option("--key-provider", error))
    })
    .transpose()
}

/// `auto` is no layout of its own: exactly raw or exactly ascii.
pub(super) fn layout(text: &str) -> Result<Option<Layout>, UsageError> {
    match text {
        "auto" => Ok(None),
        name => name
            .parse()
            .map(Some)
            .map_err(|error| UsageError::option("--report-data", error)),
    }
}

/// 32 bytes; an address of Private AI may have 20, and is padded as its app pads it.
fn report_data_key(layout: Option<Layout>, text: Option<&str>) -> Result<Option<[u8; 32]>, UsageError> {
    const OPTION: &str = "--report-data-key";
    let Some(text) = text else {
        return Ok(None);
    };
    let has_key = |layout: &Layout| layout.has_key();
    let Some(layout) = layout.filter(has_key) else {
        let known: Vec<&str> = Layout::ALL
            .iter()
            .filter(|l| l.has_key())
            .map(|l| l.as_str())
            .collect();
        return Err(UsageError::option(
            OPTION,
            format!(
                "the layout has no place for a key; name one that has with --report-data: {}",
                known.join(", ")
            ),
        ));
    };
    let mut key = [0; 32];
    match parse_user_hex::<20>(text) {
        Ok(address) if layout == Layout::PrivateAi => {
            key.iter_mut().zip(address).for_each(|(to, from)| *to = from);
        }
        _ => {
            key = parse_user_hex(text)
                .map_err(|error| UsageError::option(OPTION, format!("the value {error}")))?;
        }
    }
    Ok(Some(key))
}

fn report_data_value(text: &str) -> Result<[u8; 64], UsageError> {
    let digits = text.trim().trim_start_matches("0x").trim_start_matches("0X");
    let bytes = hex::decode(digits).map_err(|error| {
        UsageError::option("--report-data-value", format!("the value is not hex: {error}"))
    })?;
    if bytes.is_empty() || bytes.len() > 64 {
        return Err(UsageError::option(
            "--report-data-value",
            format!("the value is {} bytes; 1 to 64 bytes expected", bytes.len()),
        ));
    }
    let mut value = [0; 64];
    value.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    Ok(value)
}

fn tcb(args: &ExpectArgs, at: u64) -> Result<TcbPolicy, UsageError> {
    let exceptions = args
        .accept_tcb
        .iter()
        .map(|text| {
            let exception: TcbException = text.parse()?;
            exception.check_end(at)?;
            Ok(exception)
        })
        .collect::<Result<_, crate::config::ExceptionError>>()
        .map_err(|error| UsageError::option("--accept-tcb", error))?;
    Ok(TcbPolicy {
        exceptions,
        min_eval_data_number: args.min_tcb_eval_data_number,
    })
}
