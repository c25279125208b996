//! Variables that change what a program is, not only what it is told (threats.md T39).
//!
//! `allowed_envs` of a compose document lists names only: whoever deploys, and the host that stores the encrypted
//! values, chooses what is in them, and nothing measures it. This list is the second line: a name in `allowed_envs` that the
//! docker compose file refers to is acceptable only if it is not here.

/// Beginnings of risky names: the loader, Docker Compose, containerd's tools, BuildKit, Python, shells, allocators, and what
/// decides where language runtimes and package managers find code.
const PREFIXES: [&str; 34] = [
    "BASH_",
    "BUILDKIT_",
    "BUILDX_",
    "BUNDLE_",
    "CARGO_",
    "COMPOSE_",
    "CONTAINERD_",
    "CORECLR_",
    "COR_ENABLE_",
    "COR_PROFILER",
    "DOCKER_CLI_",
    "DOCKER_CONTENT_TRUST",
    "DOCKER_TLS",
    "ELECTRON_",
    "ERL_",
    "GCONV_",
    "GEM_",
    "GIT_CONFIG",
    "GIT_SSH",
    "GIT_SSL",
    "GLIBC_",
    "JULIA_",
    "LD_",
    "LUA_",
    "NERDCTL_",
    "NPM_CONFIG_",
    "OPENSSL_",
    "PERL5",
    "PERL_",
    "PHP_INI",
    "PIP_",
    "PYTHON",
    "UV_",
    "YARN_",
];

/// Ends of risky names: proxies, which may be in lower case, and options that runtimes add to their command lines.
const SUFFIXES: [&str; 3] = ["_PROXY", "_JAVA_OPTIONS", "_TOOL_OPTIONS"];

/// Risky names: how interpreters, shells and libraries find code (Docker its plugins, by `HOME`) and whom they trust, what
/// Docker's own client reads, what dstack's start script reads, and what Phala's pre-launch script makes root's password and
/// root's authorized keys of (dstack-attestation.md §9 C4).
const NAMES: [&str; 82] = [
    "APP_COMPOSE_FILE",
    "AWS_CONFIG_FILE",
    "AWS_DATA_PATH",
    "AWS_PROFILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "BASHOPTS",
    "CDPATH",
    "CLASSPATH",
    "CURL_CA_BUNDLE",
    "CURL_HOME",
    "DOCKER_API_VERSION",
    "DOCKER_AUTH_CONFIG",
    "DOCKER_BUILDKIT",
    "DOCKER_CERT_PATH",
    "DOCKER_CONFIG",
    "DOCKER_CONTEXT",
    "DOCKER_CUSTOM_HEADERS",
    "DOCKER_DEFAULT_PLATFORM",
    "DOCKER_HOST",
    "DOCKER_RAMDISK",
    "DOTNET_ADDITIONAL_DEPS",
    "DOTNET_ROOT",
    "DOTNET_SHARED_STORE",
    "DOTNET_STARTUP_HOOKS",
    "DSTACK_AUTHORIZED_KEYS",
    "DSTACK_ROOT_PASSWORD",
    "DSTACK_ROOT_PUBLIC_KEY",
    "ELIXIR_ERL_OPTIONS",
    "ENV",
    "GIT_ASKPASS",
    "GIT_EDITOR",
    "GIT_EXEC_PATH",
    "GIT_EXTERNAL_DIFF",
    "GIT_PAGER",
    "GIT_PROXY_COMMAND",
    "GIT_TEMPLATE_DIR",
    "GODEBUG",
    "GOFLAGS",
    "GOPATH",
    "GOPROXY",
    "GOROOT",
    "HOME",
    "HOSTALIASES",
    "IFS",
    "JAVA_OPTS",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "JQ_LIBRARY_PATH",
    "LESSOPEN",
    "LOCALDOMAIN",
    "LOCPATH",
    "NIX_LD",
    "NODE_EXTRA_CA_CERTS",
    "NODE_OPTIONS",
    "NODE_PATH",
    "NODE_REPL_EXTERNAL_MODULE",
    "NODE_TLS_REJECT_UNAUTHORIZED",
    "PATH",
    "PERLLIB",
    "PHPRC",
    "PROMPT_COMMAND",
    "PROXY",
    "PS4",
    "REQUESTS_CA_BUNDLE",
    "RES_OPTIONS",
    "RUBYLIB",
    "RUBYOPT",
    "RUBYSHELL",
    "RUSTC",
    "RUSTFLAGS",
    "SHELL",
    "SHELLOPTS",
    "SSLKEYLOGFILE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "WGETRC",
    "XDG_CONFIG_DIRS",
    "XDG_CONFIG_HOME",
    "XDG_DATA_DIRS",
    "XDG_DATA_HOME",
    "ZDOTDIR",
    "_JAVA_OPTIONS",
];

/// Whether a variable of this name can change what runs or who may log in. Capitals do not matter.
#[must_use]
pub fn is_risky(name: &str) -> bool {
    let name = name.trim().to_ascii_uppercase();
    NAMES.contains(&name.as_str())
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
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
        ] {
            assert!(!is_risky(name), "{name}");
        }
    }
}
