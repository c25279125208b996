//! Network options in, HTTP client and collateral sources out.

use url::Url;

use super::args::{HttpArgs, TransportArgs};
use super::error::UsageError;
use super::files;
use crate::collateral::Sources;
use crate::net::{Client, Secret, Transport};

/// The HTTP client and where to fetch collateral.
pub(super) struct Network {
    pub client: Client,
    pub sources: Sources,
}

/// Builds both.
pub(super) fn network(args: &TransportArgs) -> Result<Network, UsageError> {
    let sources = match &args.pccs_url {
        None => Sources::default_public(),
        Some(text) => Sources::only(&parse_url("--pccs-url", text)?),
    };
    Ok(Network {
        client: client(&args.http)?,
        sources,
    })
}

/// Builds the HTTP client.
pub(super) fn client(args: &HttpArgs) -> Result<Client, UsageError> {
    let ca_file = args
        .ca_file
        .as_deref()
        .map(|path| files::read(path, files::CERTIFICATE_LIMIT))
        .transpose()?;
    Client::new(&Transport {
        proxy: args.proxy.clone().map(Secret::new),
        ca_file,
        allow_private_network: args.allow_private_network,
        ..Transport::default()
    })
    .map_err(|error| match &args.ca_file {
        Some(path) => UsageError::file(path, error),
        None => UsageError::option("--proxy", error),
    })
}

/// Parses an address; a missing scheme is the usual mistake.
pub(super) fn parse_url(option: &str, text: &str) -> Result<Url, UsageError> {
    let text = text.trim();
    if !text.contains("://") {
        return Err(UsageError::option(
            option,
            format!("{text:?} is no URL; write https://{text}"),
        ));
    }
    let url = Url::parse(text)
        .map_err(|error| UsageError::option(option, format!("{text:?} is no URL: {error}")))?;
    if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none() {
        return Err(UsageError::option(option, format!("{text:?} is no https URL")));
    }
    Ok(url)
}
