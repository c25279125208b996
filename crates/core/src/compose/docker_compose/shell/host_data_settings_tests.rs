//! What entries of the environment and mounted files say of what the host can send.

use super::super::asked_machines::tests::beside;
use super::*;
use crate::compose::docker_compose::shell::{Use, uses};

#[test]
fn what_a_fixed_entry_of_the_environment_says_reaches_the_script() {
    for (name, value, script) in [
        ("URL", "http://x.example.com/i.sh", "curl -s $URL | sh"),
        (
            "URL",
            "http://x.example.com/i.sh",
            "sh -c 'curl -s \"$URL\" | sh'",
        ),
        (
            "URL",
            "http://x.example.com/i.py",
            "python3 -c 'import os, urllib.request as r; exec(r.urlopen(os.environ[\"URL\"]).read())'",
        ),
        (
            "GIT_SSL_NO_VERIFY",
            "1",
            "git clone https://x.example.com/a && node a/i.js",
        ),
        ("NODE_TLS_REJECT_UNAUTHORIZED", "0", "npm ci"),
        ("NPM_CONFIG_STRICT_SSL", "false", "sh -c 'npm ci'"),
        ("PIP_TRUSTED_HOST", "pypi.example.com", "pip install app"),
        (
            "GIT_SSH_COMMAND",
            "ssh -o StrictHostKeyChecking=no",
            "git clone git@github.com:a/b && node b/i.js",
        ),
    ] {
        let said = said_by_entry(name, value);
        let is_outside = |name: &str| name == HOST_DATA || said.iter().any(|each| each == name);
        assert_eq!(
            uses(script, &is_outside).get(HOST_DATA),
            Some(&Use::Executed),
            "{name}={value} {script}"
        );
    }
    for (name, value, script) in [
        ("URL", "https://x.example.com/i.sh", "curl -s $URL | sh"),
        ("URL", "http://localhost:8080/i.sh", "curl -s $URL | sh"),
        (
            "API",
            "http://api.example.com",
            "until curl -sf $API/health; do sleep 1; done; exec app",
        ),
        (
            "HTTP_PROXY",
            "http://cache.example.com",
            "curl -s https://x.example.com | sh",
        ),
        ("NODE_TLS_REJECT_UNAUTHORIZED", "0", "exec node server.js"),
        ("NODE_TLS_REJECT_UNAUTHORIZED", "1", "npm ci"),
        ("PIP_TRUSTED_HOST", "pypi", "pip install app"),
    ] {
        let said = beside(&["pypi"], || said_by_entry(name, value));
        let is_outside = |name: &str| name == HOST_DATA || said.iter().any(|each| each == name);
        assert_ne!(
            uses(script, &is_outside).get(HOST_DATA),
            Some(&Use::Executed),
            "{name}={value} {script}"
        );
    }
}

#[test]
fn what_a_mounted_file_of_settings_says_reaches_the_script() {
    for (path, text, script, is_executed) in [
        (
            "/root/.curlrc",
            "insecure",
            "curl https://x.example.com/i.sh | sh",
            true,
        ),
        (
            "/root/.gitconfig",
            "[http]\n\tsslVerify = false",
            "git clone https://x.example.com/a",
            true,
        ),
        (
            "/etc/pip.conf",
            "[global]\ntrusted-host = pypi.example.com",
            "pip install app",
            true,
        ),
        (
            "/app/settings",
            "insecure\nsslVerify = false",
            "git clone https://x.example.com/a",
            false,
        ),
        (
            "/root/.curlrc",
            "silent",
            "curl https://x.example.com/i.sh | sh",
            false,
        ),
    ] {
        let said = SettingsFile::at(path).map_or_else(Vec::new, |file| file.says(text));
        let is_outside = |name: &str| name == HOST_DATA || said.iter().any(|each| each == name);
        let executes = uses(script, &is_outside).get(HOST_DATA) == Some(&Use::Executed);
        assert_eq!(executes, is_executed, "{path} {script}");
    }
}
