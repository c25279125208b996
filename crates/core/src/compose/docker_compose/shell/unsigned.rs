//! What nobody has signed: packages that are named by their addresses, and files on a share.

use super::addresses::Addresses;
use super::machines::{is_machine_of_address, is_unprotected};
use super::packages::fetches;
use super::word::Word;

/// Package managers that check who signed what they bring, whatever the address, unless an option says otherwise.
pub(super) const CHECK_SIGNATURES: [&str; 8] = [
    "apk", "apt", "apt-get", "dnf", "dpkg", "microdnf", "yum", "zypper",
];

/// Package managers that check the signature of a package which is named by its address only where `localpkg_gpgcheck` says so (dnf,
/// `doc/conf_ref.rst`).
const CHECK_NO_NAMED_PACKAGE: [&str; 3] = ["dnf", "microdnf", "yum"];
/// Their setting for that.
const CHECKS_NAMED_PACKAGES: &str = "localpkg_gpgcheck";

/// Whether a setting, in lower case with `-` for `_`, is the one by which they check such a package.
pub(super) fn sets_check_of_named_packages(setting: &str) -> bool {
    setting == CHECKS_NAMED_PACKAGES.replace('_', "-")
}

impl Addresses {
    /// Marks packages that are named by their addresses, where nobody looks at their signatures, with the name of who sends them.
    pub(super) fn mark_named_packages(&self, name: &str, arguments: &mut [Word], source: &str) {
        let has = |text: &str| arguments.iter().any(|word| word.text.contains(text));
        let is_checked = self.checks_named_packages
            || has(&format!("{CHECKS_NAMED_PACKAGES}=1"))
            || has(&format!("{CHECKS_NAMED_PACKAGES}=True"));
        let adds_repository = has("config-manager") || has("--add-repo");
        if !CHECK_NO_NAMED_PACKAGE.contains(&name)
            || is_checked
            || adds_repository
            || !fetches(name, arguments)
        {
            return;
        }
        for word in arguments.iter_mut() {
            let starts_with_scheme = word.text.split_once("://").is_some_and(|(scheme, _)| {
                !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric())
            });
            if starts_with_scheme && is_unprotected(&word.text) {
                word.names.insert(source.to_owned());
            }
        }
    }
}

/// Whether `mount` gets a share that another machine or the host serves: `nfs.example.com:/e`, `//192.0.2.1/e`, the kinds of QEMU.
pub(super) fn mounts_a_share(name: &str, arguments: &[Word]) -> bool {
    let mounts = name == "mount" || name.starts_with("mount.");
    mounts && arguments.iter().any(|word| is_share(&word.text))
}

fn is_share(text: &str) -> bool {
    let of_machine = text.strip_prefix("//").and_then(|rest| rest.split('/').next());
    let host = of_machine.or_else(|| text.split_once(":/").map(|(host, _)| host));
    let is_address = text.contains("://");
    matches!(text, "9p" | "virtiofs") || !is_address && host.is_some_and(is_machine_of_address)
}
