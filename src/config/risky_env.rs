//! Variables that change what a program is, not only what it is told (threats.md T39).
//!
//! `allowed_envs` of a compose document lists names only: whoever deploys, and the host that stores the encrypted
//! values, chooses what is in them, and nothing measures it.

/// Beginnings of risky names: the loader, Docker's own settings, Python's.
const PREFIXES: [&str; 6] = ["LD_", "DOCKER_", "COMPOSE_", "PYTHON", "BASH_", "GLIBC_"];

/// Ends of risky names: proxies, which may be in lower case.
const SUFFIXES: [&str; 1] = ["_PROXY"];

/// Risky names: how interpreters, shells and libraries find code (Docker its plugins, by `HOME`) and whom they trust, and
/// what Phala's pre-launch script makes root's password and root's authorized keys of (dstack-attestation.md §9 C4).
const NAMES: [&str; 28] = [
    "CLASSPATH",
    "CURL_CA_BUNDLE",
    "DOTNET_STARTUP_HOOKS",
    "DSTACK_AUTHORIZED_KEYS",
    "DSTACK_ROOT_PASSWORD",
    "DSTACK_ROOT_PUBLIC_KEY",
    "ENV",
    "GCONV_PATH",
    "HOME",
    "IFS",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "NODE_EXTRA_CA_CERTS",
    "NODE_OPTIONS",
    "NODE_PATH",
    "NODE_TLS_REJECT_UNAUTHORIZED",
    "OPENSSL_CONF",
    "OPENSSL_ENGINES",
    "OPENSSL_MODULES",
    "PATH",
    "PERL5LIB",
    "PERL5OPT",
    "REQUESTS_CA_BUNDLE",
    "RUBYLIB",
    "RUBYOPT",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
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
            "DOCKER_HOST",
            "COMPOSE_FILE",
            "NODE_OPTIONS",
            "PYTHONPATH",
            "BASH_ENV",
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
            "DSTACK_DOCKER_USERNAME",
            "DSTACK_DOCKER_PASSWORD",
            "PROXY_URL",
            "HOMEPAGE",
            "BUILD_ID",
            "WORLD_NAME",
        ] {
            assert!(!is_risky(name), "{name}");
        }
    }
}
