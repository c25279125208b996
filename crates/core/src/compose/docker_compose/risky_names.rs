//! Variables that change what a program is, not only what it is told (threats.md T39).
//!
//! `allowed_envs` of a compose document lists names only: whoever deploys, and the host that stores the encrypted
//! values, chooses what is in them, and nothing measures it. This list is the second line: a name in `allowed_envs` that the
//! docker compose file refers to is acceptable only if it is not here. The names are those of the built-in reference values.

use crate::reference::ReferenceValues;

/// Whether a variable of this name can change what runs or who may log in. Capitals do not matter.
#[must_use]
pub fn is_risky(name: &str) -> bool {
    ReferenceValues::built_in().risky_name(name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t39_what_changes_a_program_is_risky_in_any_case() {
        for name in [
            "LD_PRELOAD",
            "LD_LIBRARY_PATH",
            "HTTP_PROXY",
            "https_proxy",
            "ALL_PROXY",
            "PROXY",
            "DOCKER_HOST",
            "DOCKER_CONFIG",
            "DOCKER_TLS_VERIFY",
            "COMPOSE_FILE",
            "APP_COMPOSE_FILE",
            "NERDCTL_NAMESPACE",
            "NODE_OPTIONS",
            "PYTHONPATH",
            "BASH_ENV",
            "SHELLOPTS",
            "BASHOPTS",
            "PS4",
            "PHPRC",
            "PHP_INI_SCAN_DIR",
            "LUA_INIT",
            "PERLLIB",
            "PERL5OPT",
            "ERL_FLAGS",
            "CORECLR_PROFILER_PATH",
            "GIT_SSH_COMMAND",
            "CURL_HOME",
            "XDG_CONFIG_HOME",
            "GODEBUG",
            "AWS_CONFIG_FILE",
            "AWS_PROFILE",
            "DSTACK_ROOT_PASSWORD",
            "DSTACK_ROOT_PUBLIC_KEY",
            "DSTACK_AUTHORIZED_KEYS",
            "_JAVA_OPTIONS",
            "CLASSPATH",
            "DOTNET_STARTUP_HOOKS",
            "OPENSSL_CONF",
            "GCONV_PATH",
            "CURL_CA_BUNDLE",
            "REQUESTS_CA_BUNDLE",
            "RUBYLIB",
            "HOME",
            " path ",
            "CNI_PATH",
            "NETCONFPATH",
            "CNI_NETCONFPATH",
            "CONTAINER_HOST",
            "UVICORN_APP_DIR",
            "UVICORN_RELOAD_DIR",
            "UWSGI_PLUGINS",
            "UWSGI_PYTHONPATH",
            "UWSGI_ATTACH_DAEMON",
        ] {
            assert!(is_risky(name), "{name}");
        }
    }

    #[test]
    fn t39_what_an_app_is_told_is_not() {
        for name in [
            "",
            "API_KEY",
            "DATABASE_URL",
            "DOCKER_TAG",
            "DOCKER_USERNAME",
            "DOCKER_PASSWORD",
            "DSTACK_DOCKER_USERNAME",
            "DSTACK_DOCKER_PASSWORD",
            "DSTACK_AWS_REGION",
            "AWS_ACCESS_KEY_ID",
            "AWS_REGION",
            "PROXY_URL",
            "HOMEPAGE",
            "BUILD_ID",
            "WORLD_NAME",
            "NODE_ENV",
            "GIT_COMMIT",
            "DOTNET_ENVIRONMENT",
            "GITHUB_TOKEN",
            "PGPASSWORD",
            "UVICORN_PORT",
            "UVICORN_HOST",
            "UVICORN_WORKERS",
            "UVICORN_LOG_LEVEL",
            "UWSGI_PROCESSES",
            "UWSGI_CHEAPER",
            "DJANGO_SETTINGS_MODULE",
        ] {
            assert!(!is_risky(name), "{name}");
        }
    }
}
