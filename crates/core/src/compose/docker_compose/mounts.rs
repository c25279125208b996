//! Where a path of a docker compose file leads in the guest, and what of that the host hands in.

use super::shell::FROM_THE_HOST;

/// Where the guest runs Docker Compose.
pub(super) const PROJECT_FOLDER: &str = "/dstack";

/// What a path is to the question which code runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MountSource {
    /// The guest agent's socket: what it is for.
    GuestAgent,
    /// The Docker socket, or a folder that holds it.
    DockerSocket,
    /// It equals, contains or lies in what the host hands in.
    FromTheHost(&'static str),
    /// Another path of the guest.
    Guest,
}

/// Folders that lead to others in a dstack guest.
const LINKS: [(&str, &str); 6] = [
    ("/var/run", "/run"),
    ("/var/volatile/dstack", "/dstack"),
    ("/tapp", "/dstack"),
    ("/dstack/persistent/dstack", "/dstack"),
    ("/var/lock", "/run/lock"),
    ("/tmp", "/var/volatile/tmp"),
];

/// Devices of the guest's kernel alone, and folders in `/dev` that it fills: nothing of them is a disk, a bus, a port or memory
/// that the host supplies.
#[rustfmt::skip]
const OWN_DEVICES: [&str; 30] = [
    "dri", "full", "fuse", "hugepages", "kmsg", "kvm", "log", "mqueue", "net/tun", "null", "ppp", "ptmx",
    "pts", "random", "rtc", "sgx", "sgx_enclave", "sgx_provision", "shm", "snd", "stderr", "stdin", "stdout",
    "tdx-guest", "tdx_guest", "tty", "uinput", "urandom", "vhost-net", "zero",
];

/// The guest agent's sockets, under the names of its versions.
const GUEST_AGENT: [&str; 4] = [
    "/run/dstack.sock",
    "/run/dstack",
    "/run/dstack/dstack.sock",
    "/run/tappd.sock",
];

const DOCKER_SOCKETS: [&str; 5] = [
    "/run/docker.sock",
    "/run/docker",
    "/run/containerd",
    "/run/podman",
    "/run/containerd/containerd.sock",
];

/// The path in the guest, with known links followed and without `.` and `..`. Relative ones are in the project's folder.
pub(super) fn resolve(path: &str) -> String {
    // Which folder is the home, and whether there is one, no document says: from it `..` may lead anywhere.
    if path.starts_with('~') && path.split('/').any(|step| step == "..") {
        return "/".to_owned();
    }
    let from = match path.strip_prefix('~') {
        Some(rest) => format!("/home/root{rest}"),
        None if path.starts_with('/') => path.to_owned(),
        None => format!("{PROJECT_FOLDER}/{path}"),
    };
    let mut steps: Vec<&str> = Vec::new();
    let mut resolved = String::new();
    // A link can lead to a path that begins with another, so the path is followed step by step.
    for step in from.split('/') {
        match step {
            "" | "." => continue,
            ".." => {
                resolved.truncate(resolved.rfind('/').unwrap_or(0));
                continue;
            }
            step => steps.push(step),
        }
        resolved.push('/');
        resolved.push_str(steps.pop().unwrap_or_default());
        if is_open_files(&resolved) {
            return "/".to_owned();
        }
        resolved = followed(resolved);
    }
    if resolved.is_empty() {
        "/".to_owned()
    } else {
        resolved
    }
}

fn followed(path: String) -> String {
    for (link, target) in LINKS {
        if path == link {
            return target.to_owned();
        }
    }
    // `/proc/1/root` and the like are the root folder again.
    match of_process(&path) {
        Some("root") => String::new(),
        Some("cwd") => PROJECT_FOLDER.to_owned(),
        _ => path,
    }
}

/// The one step below the folder of a process, or of one of its threads.
fn of_process(path: &str) -> Option<&str> {
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    match parts.as_slice() {
        ["proc", _, "task", _, step] | ["proc", _, step] => Some(step),
        _ => None,
    }
}

/// Whether it holds the open files of a process, which may be any.
fn is_open_files(path: &str) -> bool {
    matches!(of_process(path), Some("fd" | "map_files"))
}

/// The same for a file that a script writes, in the folder where the guest starts it. One whose path is not known may be any.
pub(super) fn resolve_written(path: &str) -> String {
    match path {
        path if path.is_empty() || path.contains('$') => "/".to_owned(),
        path => resolve(path),
    }
}

/// What a resolved path is.
pub(super) fn source(path: &str) -> MountSource {
    // What the Docker socket allows is more than what else is there.
    if path == "/run" {
        return MountSource::DockerSocket;
    }
    for (given, what) in FROM_THE_HOST {
        if overlaps(path, given) {
            return MountSource::FromTheHost(what);
        }
    }
    // What holds a link that leads there holds it, too.
    let leads_there = |target: &str| FROM_THE_HOST.iter().any(|(given, _)| overlaps(target, given));
    if LINKS
        .iter()
        .any(|(link, target)| holds(path, link) && leads_there(target))
    {
        return MountSource::FromTheHost("files that the host hands in");
    }
    if path == "/dev" || is_supplied_device(path) {
        return MountSource::FromTheHost("devices that the host supplies");
    }
    if GUEST_AGENT.contains(&path) {
        return MountSource::GuestAgent;
    }
    if DOCKER_SOCKETS.contains(&path) || path.ends_with("/docker.sock") {
        return MountSource::DockerSocket;
    }
    MountSource::Guest
}

/// Whether a device may be one that the host supplies: all but those of the kernel itself, and GPUs, whose evidence is verified.
pub(super) fn is_supplied_device(path: &str) -> bool {
    path.strip_prefix("/dev/").is_some_and(|name| {
        let is_own = |own: &&str| {
            name.strip_prefix(own)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        !name.starts_with("nvidia") && !OWN_DEVICES.iter().any(is_own)
    })
}

/// Whether one path is the other, or holds it.
pub(super) fn overlaps(one: &str, other: &str) -> bool {
    holds(one, other) || holds(other, one)
}

fn holds(outer: &str, inner: &str) -> bool {
    outer == "/"
        || inner == outer
        || inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_followed_to_where_they_lead() {
        for (path, leads) in [
            ("./data", "/dstack/data"),
            ("data", "/dstack/data"),
            ("/tapp/.host-shared", "/dstack/.host-shared"),
            ("/dstack/../dstack/x", "/dstack/x"),
            ("/var/run/docker.sock", "/run/docker.sock"),
            ("../run/docker.sock", "/run/docker.sock"),
            ("/proc/1/root/dstack", "/dstack"),
            ("/proc/self/root", "/"),
            ("/var/volatile/dstack/.host-shared", "/dstack/.host-shared"),
            ("//dstack//.host-shared/", "/dstack/.host-shared"),
            ("/../..", "/"),
            ("~/x", "/home/root/x"),
            ("~/..", "/"),
            ("~/../dstack", "/"),
        ] {
            assert_eq!(resolve(path), leads, "{path}");
        }
    }

    #[test]
    fn what_the_host_hands_in_is_told_from_the_guest() {
        let of = |path: &str| source(&resolve(path));
        for path in [
            "/",
            "/dstack",
            "/tapp",
            ".",
            "./.host-shared",
            "/dstack/../dstack",
            "/dstack/.host-shared/.user-config",
            "/sys",
            "/sys/firmware/acpi/tables",
            "/dev",
            "/dev/vdb",
            "/dev/disk/by-id/x",
            "/dev/block/254:16",
            "/dev/mmcblk0",
            "/dev/sg0",
            "/dev/ng0n1",
            "/dev/cdrom",
            "/dev/mapper/x",
            "/dev/bus/usb",
            "/dev/virtio-ports/x",
            "/dev/ttyS0",
            "/dev/vfio/1",
            "/proc/1/task/1/root/dstack/.host-shared",
            "/proc/self/fd/3",
            "/sys/class/dmi/id",
            "/sys/devices",
            "/sys/class",
            "/run/credentials/@system",
            "/run/systemd",
            "~/../dstack",
            "/proc/1/root",
            "/var/volatile",
            "/dstack/user_config",
            "/var",
        ] {
            assert!(
                matches!(of(path), MountSource::FromTheHost(_)),
                "{path}: {:?}",
                of(path)
            );
        }
        for path in [
            "/var/run/dstack.sock",
            "/run/dstack.sock",
            "/var/run/tappd.sock",
            "/var/run/dstack/dstack.sock",
        ] {
            assert_eq!(of(path), MountSource::GuestAgent, "{path}");
        }
        for path in ["/var/run/docker.sock", "/run", "/var/run", "/run/containerd"] {
            assert_eq!(of(path), MountSource::DockerSocket, "{path}");
        }
        for path in [
            "/data",
            "./data",
            "/etc/ssl",
            "/run/other.sock",
            "/dev/shm",
            "/dev/net/tun",
            "/dev/nvidia0",
            "/sys/fs/cgroup",
            "/proc/meminfo",
        ] {
            assert_eq!(of(path), MountSource::Guest, "{path}");
        }
    }
}
