//! The HTTP client of alerts where the options may not parse.

use std::path::Path;

use crate::env::Env;
use crate::env::typed::{flag, option};
use crate::files;
use crate::net::{Client, Secret, Transport};
use crate::render::escape;

/// The client that the options describe, as far as that can be said of arguments that may not parse. Without the certificates of
/// `--ca-file` where they cannot be used: they may be what is wrong, and most channels need none of them.
///
/// # Errors
/// Why there is none.
pub(super) fn client(env: &mut Env) -> Result<Client, String> {
    let named = option(env, "ca-file");
    let mut transport = Transport {
        proxy: option(env, "proxy").map(Secret::new),
        allow_private_network: flag(env, "allow-private-network"),
        ..Transport::default()
    };
    let plain = Client::new(&transport).map_err(|error| error.to_string())?;
    let Some(path) = named else {
        return Ok(plain.for_alerts());
    };
    let read = files::read(Path::new(&path), files::CERTIFICATE_LIMIT);
    let client = read.map_err(|error| error.to_string()).and_then(|pem| {
        transport.ca_file = Some(pem);
        Client::new(&transport).map_err(|error| format!("{path}: {error}"))
    });
    Ok(match client {
        Ok(client) => client.for_alerts(),
        Err(why) => {
            let line = format!("note: alerts are sent without the certificates of --ca-file: {why}");
            env.complain(&escape::terminal(&line));
            plain.for_alerts()
        }
    })
}
