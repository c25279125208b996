//! Which variables hold the secrets of the alert channels.

use super::{KeyScope, PolicyKey};
use crate::config::file::shape::ValueShape;

pub(super) const KEYS: &[PolicyKey] = &[
    PolicyKey::new("slack-webhook-url-env", ValueShape::Variable)
        .says("The name of the environment variable that holds the URL of the Slack webhook for alerts about this target, or \
               `none`. Never the URL itself.")
        .default("`CVM_VERIFY_SLACK_WEBHOOK_URL`")
        .example(r#""CVM_VERIFY_SLACK_SHOP_TEAM""#),
    PolicyKey::new("discord-webhook-url-env", ValueShape::Variable)
        .says("The name of the environment variable that holds the URL of the Discord webhook, or `none`.")
        .default("`CVM_VERIFY_DISCORD_WEBHOOK_URL`")
        .example(r#""CVM_VERIFY_SHOP_DISCORD""#),
    PolicyKey::new("teams-webhook-url-env", ValueShape::Variable)
        .says("The name of the environment variable that holds the URL of a Microsoft Teams workflow's webhook, or `none`.")
        .default("`CVM_VERIFY_TEAMS_WEBHOOK_URL`")
        .example(r#""CVM_VERIFY_SHOP_TEAMS""#),
    PolicyKey::new("pagerduty-routing-key-env", ValueShape::Variable)
        .says("The name of the environment variable that holds the routing key of a PagerDuty integration, or `none`.")
        .default("`CVM_VERIFY_PAGERDUTY_ROUTING_KEY`")
        .example(r#""CVM_VERIFY_SHOP_PAGERDUTY""#),
    PolicyKey::new("webhook-url-env", ValueShape::Variable)
        .says("The name of the environment variable that holds the URL of the webhook for alerts about this target, or \
               `none`. Never the URL itself.")
        .default("`CVM_VERIFY_WEBHOOK_URL`")
        .example(r#""CVM_VERIFY_WEBHOOK_SHOP_TEAM""#),
    PolicyKey::new("webhook-secret-env", ValueShape::Variable)
        .says("The name of the environment variable that holds the secret with which messages to that webhook are signed, or \
               `none`. Never the secret itself.")
        .default("`CVM_VERIFY_WEBHOOK_SECRET`")
        .example(r#""CVM_VERIFY_WEBHOOK_SHOP_SECRET""#),
    PolicyKey::new("heartbeat-url-env", ValueShape::Variable)
        .scope(KeyScope::Defaults)
        .says("The name of the environment variable that holds the URL of the heartbeat to ping after a run, or `none`. Never \
               the URL itself.")
        .default("`CVM_VERIFY_HEARTBEAT_URL`")
        .example(r#""CVM_VERIFY_HEARTBEAT_NIGHTLY""#),
];
