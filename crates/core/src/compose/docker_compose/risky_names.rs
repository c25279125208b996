//! Variables that change what a program is, not only what it is told (docs/threats.md, T39).
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

/// Whether the guest itself reads a variable of this name: its shell, its container engine or its tools.
#[must_use]
pub fn is_risky_in_guest(name: &str) -> bool {
    ReferenceValues::built_in().risky_name_of_guest(name).is_some()
}

/// Whether a script that sets a variable of this name may change what a program is that it starts. Shells read `ENV` where they are
/// interactive, which a script does not show.
pub(super) fn is_risky_in_script(name: &str) -> bool {
    name == ENV || ReferenceValues::built_in().risky_name_of_programs(name).is_some()
}

/// Names the file that an interactive shell executes when it starts (POSIX, `sh`).
pub(super) const ENV: &str = "ENV";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::RiskyNameMatch;

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
            "LD_AUDIT",
            "GLIBC_TUNABLES",
            "DYLD_INSERT_LIBRARIES",
            "PYTHONSTARTUP",
            "PYTHONHOME",
            "PYTHONWARNINGS",
            "UV_INDEX_URL",
            "UV_PYTHON",
            "UV_PROJECT",
            "BUNDLE_GEMFILE",
            "GEM_PATH",
            "KAFKA_OPTS",
            "CATALINA_OPTS",
            "ES_JAVA_OPTS",
            "MAVEN_OPTS",
            "KAFKA_HEAP_OPTS",
            "GUNICORN_CMD_ARGS",
            "POSTGRES_INITDB_ARGS",
            "GF_INSTALL_PLUGINS",
            "NEO4J_PLUGINS",
            "VLLM_PLUGINS",
            "RSYNC_RSH",
            "SSH_ASKPASS",
            "YARN_RC_FILENAME",
            "CARGO_HOME",
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER",
            "PERL5LIB",
            "LUA_PATH",
            "JULIA_LOAD_PATH",
            "ERL_AFLAGS",
            "OPENSSL_MODULES",
            "CUDA_INJECTION64_PATH",
            "DOCKER_MODS",
            "WORDPRESS_CONFIG_EXTRA",
            "PIPELINES_URLS",
        ] {
            assert!(is_risky(name), "{name}");
        }
    }

    fn listed(file: &str) -> Vec<String> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/compose");
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.flat_map(str::split_whitespace).map(str::to_owned).collect()
    }

    #[test]
    fn t39_names_that_start_programs_or_load_code_are_risky() {
        let names = listed("risky-names.txt");
        assert!(names.len() > 100, "{} names", names.len());
        let missed: Vec<&String> = names.iter().filter(|name| !is_risky(name)).collect();
        assert!(missed.is_empty(), "{missed:?}");
    }

    /// Names that ordinary deployments have. One that becomes risky turns deployments red: a change is written into CHANGELOG.md.
    #[test]
    fn t39_ordinary_names_are_not_risky() {
        let names = listed("ordinary-names.txt");
        assert!(names.len() > 400, "{} names", names.len());
        let risky: Vec<&String> = names.iter().filter(|name| is_risky(name)).collect();
        assert!(risky.is_empty(), "{risky:?}");
    }

    /// A beginning or an end covers what no row names as a whole, and an exception is of one name alone.
    #[test]
    fn t39_names_that_no_row_names_are_covered_by_their_beginning_or_end() {
        for name in [
            "PYTHONTOMORROW",
            "LD_TOMORROW",
            "UV_TOMORROW",
            "BUNDLE_TOMORROW",
            "PERL_TOMORROW",
            "OPENSSL_TOMORROW",
            "GIT_SSH_TOMORROW",
            "MY_PROXY",
            "MY_OPTS",
            "MY_PLUGINS",
            "MY_MODULES",
            "MY_INDEX_URL",
            "MY_MIRROR",
            "MY_WRAPPER",
            "MY_PRELOAD",
            "MY_COMMAND",
            "MY_STARTUP_SCRIPT",
            "MY_EXTRA_ARGS",
            "LD_SDK_KEY2",
            "LD_SDK_KEYS",
            "PYTHONUNBUFFEREDX",
            "XN8N_TRUST_PROXY",
            "SPRING_APPLICATION_JSON",
            "CMD",
        ] {
            assert!(is_risky(name), "{name}");
        }
        let values = ReferenceValues::built_in();
        for (name, matches) in values.risky_names() {
            if matches!(
                matches,
                RiskyNameMatch::Data | RiskyNameMatch::OrdinaryPrefix | RiskyNameMatch::OrdinarySuffix
            ) {
                continue;
            }
            let is_ordinary = matches.excepts();
            assert_ne!(is_risky(name), is_ordinary, "{name}");
            // One that nothing covers excepts nothing.
            let is_covered = is_risky(&format!("X{name}")) || is_risky(&format!("{name}X"));
            assert!(!is_ordinary || is_covered, "{name}");
        }
        for name in ["ARGS", "CMD", "START_COMMAND"] {
            assert!(
                is_risky(name) && !is_risky_in_script(name) && !is_risky_in_guest(name),
                "{name}"
            );
        }
        assert!(is_risky_in_script("ENV") && !is_risky("ENV"));
    }

    #[test]
    fn t39_what_the_guest_reads_is_less_than_what_containers_read() {
        for name in [
            "LD_PRELOAD",
            "https_proxy",
            "BASH_ENV",
            "DOCKER_HOST",
            "COMPOSE_FILE",
            "PATH",
            "GODEBUG",
            "DSTACK_ROOT_PASSWORD",
            // The AWS client of a start script, which logs in to a registry.
            "AWS_CONFIG_FILE",
            "AWS_DATA_PATH",
            "AWS_PAGER",
            "AWS_PROFILE",
            "AWS_SHARED_CREDENTIALS_FILE",
            "REQUESTS_CA_BUNDLE",
        ] {
            assert!(is_risky_in_guest(name), "{name}");
        }
        for name in [
            "NODE_OPTIONS",
            "PYTHONPATH",
            "JAVA_TOOL_OPTIONS",
            "GUNICORN_CMD_ARGS",
            "FLASK_APP",
            "NEO4J_PLUGINS",
            "HF_ENDPOINT",
        ] {
            assert!(is_risky(name) && !is_risky_in_guest(name), "{name}");
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
