//! Files and disks of the guest whose content the host chooses.

use super::own_variables::assignment;
use super::paths::base_name;
use super::programs::RESERVED;
use super::programs::is_wrapper;
use super::word::Word;

/// Among the names of variables: what the host hands in as a file or as a disk.
pub(in crate::compose::docker_compose) const HOST_FILES: &str = "host:";

/// Paths of what the host hands in, with what that is: files that nothing measures (dstack, `docs/security/security-best-practices.md`),
/// tables of the firmware, and disks. For mounts, and for the words of scripts.
pub(in crate::compose::docker_compose) const FROM_THE_HOST: [(&str, &str); 13] = [
    ("/dstack/.host-shared", "files that the host hands in"),
    ("/dstack/user_config", "a file that the host hands in"),
    ("/dstack/.user-config", "a file that the host hands in"),
    ("/dstack/.decrypted-env", "the environment that the host hands in"),
    (
        "/dstack/.decrypted-env.json",
        "the environment that the host hands in",
    ),
    ("/sys/firmware", "firmware tables that the host supplies"),
    ("/sys/class/dmi", "firmware tables that the host supplies"),
    (
        "/sys/devices/virtual/dmi",
        "firmware tables that the host supplies",
    ),
    ("/run/credentials", "credentials that the host can hand in"),
    ("/run/systemd", "credentials that the host can hand in"),
    ("/dev/disk", "disks that the host supplies"),
    ("/dev/block", "disks that the host supplies"),
    ("/dev/mem", "memory that the host supplies"),
];
/// Parts of such paths, wherever a script stands.
const HANDED_IN: [&str; 15] = [
    ".host-shared",
    "user_config",
    ".user-config",
    ".decrypted-env",
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
    "/proc/device-tree",
];
/// Programs that print what the firmware says, which the host supplies.
const SAY_FIRMWARE: [&str; 6] = ["acpidump", "biosdecode", "dmidecode", "hwinfo", "inxi", "lshw"];
/// File systems that are the guest's own, or are on a device whose path says whose it is.
#[rustfmt::skip]
const OF_THE_GUEST: [&str; 24] = [
    "auto", "bpf", "btrfs", "cgroup", "cgroup2", "debugfs", "devpts", "devtmpfs", "erofs", "ext2", "ext3",
    "ext4", "hugetlbfs", "iso9660", "none", "overlay", "proc", "ramfs", "squashfs", "sysfs", "tmpfs",
    "tracefs", "vfat", "xfs",
];

/// Whether a word of a script that runs in the guest itself names a file of the host.
pub(super) fn names_host_file(text: &str) -> bool {
    HANDED_IN.iter().any(|part| text.contains(part))
        || FROM_THE_HOST.iter().any(|(path, _)| text.contains(path))
}

/// Whether a command reads, or mounts, what the host supplies, though no word of it is such a path: the tables of the firmware, a share, a disk by
/// its label.
pub(super) fn takes_from_host(words: &[Word]) -> bool {
    let texts = words.iter().map(|word| word.text.as_str());
    let starts_another = |text: &&str| {
        RESERVED.contains(text)
            || is_wrapper(base_name(text))
            || assignment(text).is_some()
            || text.starts_with('-')
    };
    let mut texts = texts.skip_while(starts_another);
    let name = texts.next().map_or("", base_name);
    if SAY_FIRMWARE.contains(&name) || name.starts_with("mount.") {
        return true;
    }
    if name != "mount" {
        return false;
    }
    let mut before = "";
    texts.any(|text| {
        let kind = match before {
            "-t" | "--types" => Some(text),
            _ => text.strip_prefix("--types=").or_else(|| {
                let kind = text.strip_prefix("-t");
                kind.filter(|kind| !kind.is_empty())
            }),
        };
        before = text;
        kind.is_some_and(|kind| !OF_THE_GUEST.contains(&kind))
            || matches!(text, "-L" | "-U" | "--label" | "--uuid")
            || ["LABEL=", "UUID=", "PARTLABEL=", "PARTUUID=", "ID=", "//"]
                .iter()
                .any(|start| text.starts_with(start))
            || !text.starts_with('-') && text.contains(":/")
    })
}
