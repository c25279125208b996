//! The address of a target, and which source to ask for evidence.

use super::{KeyScope, OptionGroup, PolicyKey};
use crate::config::file::shape::ValueShape;
use crate::source::{SOURCE_LINES, SOURCE_NAMES};

pub(super) const KEYS: &[PolicyKey] = &[
    PolicyKey::new("name", ValueShape::Name)
        .scope(KeyScope::Target)
        .says("What the target is called: in reports, on the command line (`--target`) and in a lock of several targets. \
               Letters, digits, `.`, `_` and `-`.")
        .example(r#""shop""#),
    PolicyKey::new("url", ValueShape::Url)
        .scope(KeyScope::Target)
        .says("Where the app answers.")
        .example(r#""https://shop.example""#),
    PolicyKey::new("source", ValueShape::Choice(SOURCE_NAMES))
        .says("Which source to ask for evidence. Only the app can sign this run's nonce: evidence from the others is \
               not fresh, and `verify` is inconclusive with it, unless `freshness` is `unchecked`. The others may be \
               addressed by `app-id` or `instance-id` instead of a URL.")
        .default("`app`")
        .example(r#""phala-cloud""#)
        .option("--source", "SOURCE")
        .group(OptionGroup::Source)
        .values(SOURCE_LINES),
    PolicyKey::new("gateway-domain", ValueShape::Domain)
        .says("The gateway's base domain, to reach the guest agent by app or instance id: `https://ID-8090.DOMAIN`.")
        .example(r#""gateway.example""#)
        .option("--gateway-domain", "DOMAIN")
        .group(OptionGroup::Source),
    PolicyKey::new("phala-api-url", ValueShape::Url)
        .says("The address of a mirror of Phala Cloud's API, which is asked instead of Phala.")
        .example(r#""https://mirror.example""#)
        .option("--phala-api-url", "URL")
        .group(OptionGroup::Source),
    PolicyKey::new("info-url", ValueShape::Url)
        .scope(KeyScope::Target)
        .says("The address to take the app's information from instead of its info endpoint: that of the guest agent, \
               for an app without info endpoint (`https://ID-8090.DOMAIN/prpc/Info?json`).")
        .example(r#""https://info.example/prpc/Info?json""#)
        .option("--info-url", "URL")
        .group(OptionGroup::Source),
];
