//! The address of a target, and which source to ask for evidence.

use super::{KeyScope, OptionGroup, PolicyKey, Typed};
use crate::config::file::shape::Shape;
use crate::source::{SOURCE_LINES, SOURCE_NAMES};

pub(super) const KEYS: &[PolicyKey] = &[
    PolicyKey {
        name: "name",
        scope: KeyScope::Target,
        shape: Shape::Name,
        says: "What the target is called: in reports, on the command line (`--target`) and in a lock of several targets. \
               Letters, digits, `.`, `_` and `-`.",
        example: r#""shop""#,
        ..PolicyKey::BASE
    },
    PolicyKey {
        name: "url",
        scope: KeyScope::Target,
        shape: Shape::Url,
        says: "Where the app answers.",
        example: r#""https://shop.example""#,
        ..PolicyKey::BASE
    },
    PolicyKey {
        name: "source",
        shape: Shape::Choice(SOURCE_NAMES),
        says: "Which source to ask for evidence. `guest-agent` and `phala-cloud` may be addressed by `app-id` or \
               `instance-id` instead of `url`; neither signs a nonce.",
        default: "`app`",
        example: r#""phala-cloud""#,
        option: Some(Typed {
            flag: "--source",
            group: OptionGroup::Source,
            value: "SOURCE",
            help: "Which source to ask for evidence. Only the app can sign this run's nonce. Evidence from the other two is \
                   not fresh: the verdict is inconclusive unless --freshness unchecked waives freshness",
            values: SOURCE_LINES,
            ..Typed::BASE
        }),
        ..PolicyKey::BASE
    },
    PolicyKey {
        name: "gateway-domain",
        shape: Shape::Domain,
        says: "The gateway's base domain, to reach the guest agent by an id.",
        example: r#""gateway.example""#,
        option: Some(Typed {
            flag: "--gateway-domain",
            group: OptionGroup::Source,
            value: "DOMAIN",
            help: "The gateway's base domain, to reach the guest agent by app or instance id: https://ID-8090.DOMAIN",
            ..Typed::BASE
        }),
        ..PolicyKey::BASE
    },
    PolicyKey {
        name: "phala-api-url",
        shape: Shape::Url,
        says: "The address of a mirror of Phala Cloud's API, which is asked instead of Phala.",
        example: r#""https://mirror.example""#,
        option: Some(Typed {
            flag: "--phala-api-url",
            group: OptionGroup::Source,
            value: "URL",
            help: "Ask this mirror of Phala Cloud's API instead of Phala",
            ..Typed::BASE
        }),
        ..PolicyKey::BASE
    },
    PolicyKey {
        name: "info-url",
        scope: KeyScope::Target,
        shape: Shape::Url,
        says: "The address to take the app's information from instead of its info endpoint: that of the guest agent, for an \
               app without info endpoint.",
        example: r#""https://info.example/prpc/Info?json""#,
        option: Some(Typed {
            flag: "--info-url",
            group: OptionGroup::Source,
            value: "URL",
            help: "Take the app's information from this address instead of its info endpoint: that of the guest agent, for an \
                   app without info endpoint: https://ID-8090.DOMAIN/prpc/Info?json",
            ..Typed::BASE
        }),
        ..PolicyKey::BASE
    },
];
