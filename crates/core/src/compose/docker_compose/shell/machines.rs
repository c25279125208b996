//! Which words name another machine, and one at which nobody shows who answers.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::super::names_in_reach::is_container;

/// Whether a word is an address at which nobody shows who answers: no TLS, and a machine that is not this one or a container beside it.
pub(in crate::compose::docker_compose) fn is_unprotected(word: &str) -> bool {
    address(word).is_some_and(|(scheme, host)| is_unprotected_scheme(&scheme) && is_machine_of_address(host))
}

/// Whether a scheme is one without TLS.
pub(super) fn is_unprotected_scheme(scheme: &str) -> bool {
    const SCHEMES: [&str; 9] = [
        "dict", "ftp", "git", "gopher", "http", "rsync", "svn", "tftp", "ws",
    ];
    SCHEMES.contains(&scheme)
}

/// Whether a word is an address of which no variable says the scheme.
pub(super) fn names_its_scheme(word: &str) -> bool {
    let before = word.split_once("://").map(|(before, _)| before);
    before.is_some_and(|before| !before.contains(['$', '`']))
}

/// Whether a word is an address of another machine, whatever its scheme.
pub(super) fn is_at_a_machine(word: &str) -> bool {
    address(word).is_some_and(|(_, host)| is_machine_of_address(host))
}

/// The scheme, in lower case, and the host of the first address in a word.
pub(super) fn address(word: &str) -> Option<(String, &str)> {
    let (before, rest) = word.split_once("://")?;
    let start = before
        .rfind(|c: char| !c.is_ascii_alphanumeric())
        .map_or(0, |at| at + 1);
    let scheme = before.get(start..)?.to_ascii_lowercase();
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = match host.strip_prefix('[') {
        Some(host) => host.split(']').next()?,
        None => host.split(':').next()?,
    };
    Some((scheme, host))
}

/// `curl example.com/x`: without a scheme it is `http`. `rsync example.com::module`. Of a word of which it is not known whether the program
/// takes it for an address.
pub(super) fn is_machine_without_scheme(name: &str, text: &str) -> bool {
    if let ("rsync", Some((host, _))) = (name, text.split_once("::")) {
        return is_machine_of_address(host.rsplit('@').next().unwrap_or_default());
    }
    let (host, path) = text.split_once('/').unwrap_or((text, ""));
    let host = host.split([':', '?']).next().unwrap_or_default();
    let is_of_letters = |last: &str| last.len() > 1 && last.bytes().all(|byte| byte.is_ascii_alphabetic());
    let ends_as_a_name = host.contains('.') && host.rsplit('.').next().is_some_and(is_of_letters);
    matches!(name, "curl" | "wget")
        && !path.starts_with('/')
        && (ends_as_a_name || host.parse::<Ipv4Addr>().is_ok())
        && is_machine(host)
}

/// Whether a word is the name of another machine than the VM and its containers, or its address: a name with a dot that no container has,
/// or an address that is neither of this machine nor of a network of containers. A variable may hold any. A word without a dot may be no
/// name at all.
pub(in crate::compose::docker_compose) fn is_machine(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    // `printf 'http://%s/'` fills in what follows.
    if host.contains(['$', '%']) {
        return true;
    }
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        // 10.0.2.0/24 is the network in which QEMU itself answers.
        let is_of_qemu = address.octets().starts_with(&[10, 0, 2]);
        return is_of_qemu || !(address.is_loopback() || address.is_private() || address.is_unspecified());
    }
    if let Ok(address) = host.parse::<Ipv6Addr>() {
        return !(address.is_loopback() || address.is_unspecified() || address.is_unique_local());
    }
    host.contains('.') && !host.starts_with('.') && !host.contains("..") && !is_container(&host)
}

/// The same of a host in an address: one number is an address, too, and a name without a dot is one for which Docker's name server asks the
/// host, unless a container of the document has it.
pub(super) fn is_machine_of_address(host: &str) -> bool {
    let is_number =
        host.starts_with("0x") || !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_digit());
    is_number || is_machine(host) || is_name_of_a_machine(host)
}

/// Whether a host is a name without a dot that no container has.
pub(super) fn is_name_of_a_machine(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    is_label(&host) && host != "localhost" && !is_container(&host)
}

/// Whether a text may be a name without a dot.
pub(super) fn is_label(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Whether an address without a scheme is one without TLS where curl takes this scheme for it.
pub(super) fn is_without_tls_by_default(scheme: &str) -> bool {
    !matches!(
        scheme.to_ascii_lowercase().as_str(),
        "ftps" | "https" | "imaps" | "scp" | "sftp"
    )
}

/// Whether a name is one of a proxy, which only passes on what is authenticated by itself. `GOPROXY` and `PYPI_PROXY` say from where code
/// comes.
pub(in crate::compose::docker_compose) fn is_of_proxy(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_part = |c: char| c.is_ascii_alphanumeric();
    let of = name
        .strip_suffix("proxy")
        .map(|of| of.trim_end_matches(|c| !is_part(c)));
    let of = of.and_then(|of| of.rsplit(|c| !is_part(c)).next());
    matches!(
        of,
        Some("" | "all" | "config" | "ftp" | "global" | "http" | "https" | "no" | "socks" | "socks5")
    )
}
