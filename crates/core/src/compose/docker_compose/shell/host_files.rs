//! Files and disks of the guest whose content the host chooses.

/// Among the names of variables: what the host hands in as a file or as a disk.
pub(in crate::compose::docker_compose) const HOST_FILES: &str = "host:";

/// Parts of the paths of what the host hands in: the shared folder and what is copied from it (dstack,
/// `docs/security/security-best-practices.md`), the encrypted environment, the tables of the firmware, and disks.
const HANDED_IN: [&str; 16] = [
    ".host-shared",
    "user_config",
    ".user-config",
    ".decrypted-env",
    "/sys/firmware",
    "/dev/disk/",
    "/dev/fd0",
    "/dev/hd",
    "/dev/mmcblk",
    "/dev/nvme",
    "/dev/pmem",
    "/dev/sd",
    "/dev/sr",
    "/dev/vd",
    "/dev/virtio-ports",
    "/dev/xvd",
];

/// Whether a word of a script that runs in the guest itself names a file of the host.
pub(super) fn names_host_file(text: &str) -> bool {
    HANDED_IN.iter().any(|part| text.contains(part))
}
