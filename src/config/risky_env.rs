//! Names of variables that can change what a program does, whatever the program is.
//!
//! The compose document lists in `allowed_envs` the names that the deployer may set when the VM starts. The names are
//! measured, the values are not (threats.md T39).

/// Variables through which Phala's pre-launch script lets somebody log in as root (dstack-attestation.md §9 C4).
const ROOT_LOGIN: [&str; 3] = [
    "DSTACK_ROOT_PASSWORD",
    "DSTACK_ROOT_PUBLIC_KEY",
    "DSTACK_AUTHORIZED_KEYS",
];

/// Single names that load or find code: an interpreter's options, the shell's start-up file, the search path.
const LOADS_CODE: [&str; 3] = ["NODE_OPTIONS", "BASH_ENV", "PATH"];

/// Families by their beginning: the dynamic linker, the Docker client, Docker Compose, Python.
const FAMILIES: [&str; 4] = ["LD_", "DOCKER_", "COMPOSE_", "PYTHON"];

/// Whether a variable of this name, set by somebody else, can decide what runs, where traffic goes or who logs in.
///
/// Names are compared as a Unix process sees them, upper case apart from lower case. Proxies are the exception: both
/// `HTTP_PROXY` and `http_proxy` are read.
#[must_use]
pub fn is_risky(name: &str) -> bool {
    ROOT_LOGIN.contains(&name)
        || LOADS_CODE.contains(&name)
        || FAMILIES.iter().any(|family| name.starts_with(family))
        || name.to_ascii_uppercase().ends_with("_PROXY")
}

#[cfg(test)]
mod tests {
    use super::is_risky;

    #[test]
    fn each_family_is_risky_and_its_neighbours_are_not() {
        for name in [
            "LD_PRELOAD",
            "LD_LIBRARY_PATH",
            "HTTP_PROXY",
            "https_proxy",
            "No_Proxy",
            "DOCKER_HOST",
            "COMPOSE_FILE",
            "NODE_OPTIONS",
            "PYTHONPATH",
            "PYTHONSTARTUP",
            "BASH_ENV",
            "PATH",
            "DSTACK_ROOT_PASSWORD",
            "DSTACK_ROOT_PUBLIC_KEY",
            "DSTACK_AUTHORIZED_KEYS",
        ] {
            assert!(is_risky(name), "{name}");
        }
        for name in [
            "",
            "API_KEY",
            "OLD_NAME",
            "WORLD_",
            "PROXY",
            "PROXY_URL",
            "DSTACK_DOCKER_PASSWORD",
            "NODE_ENV",
            "MY_PATH",
            "ld_preload",
        ] {
            assert!(!is_risky(name), "{name}");
        }
    }
}
