//! Every place of a docker compose file and what it can decide: Docker Compose's whole schema as one table.
//!
//! A key that the table does not have decides code. `tests/action/test_compose_places.py` compares the table with the `compose-spec.json` of the
//! Compose Specification; `docs/compose-places.md` is made from it.

/// What a place of a docker compose file is to the question which code runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// A literal is fixed by the document. A variable decides code.
    Fixed,
    /// A literal is fixed by the document. A variable decides code where its value may make the name that of another container.
    Name,
    /// No value decides code. A variable is set from outside.
    Outside,
    /// Whatever stands here decides code.
    Decides,
    /// Whatever stands here, unless it is false or empty, reaches beyond the container. A variable decides code.
    HostAccess,
    /// Environment entries: a value with a variable is set from outside; under a risky name it decides code.
    Environment,
    /// An image reference: fixed with a digest, otherwise it decides code.
    Image,
    /// `build` decides code. Every other value needs a digest in `image`, which `image` is judged for.
    PullPolicy,
    /// Arguments of a program: a variable in an item of a list may be set from outside where no interpreter executes the item. All else is
    /// fixed, and `$$NAME` decides code where a shell executes it and NAME is set from outside.
    Command,
    /// As [`Rule::Command`], in the form of a health check.
    HealthTest,
    /// A hook that runs inside the container: a list of mappings.
    Hooks,
    /// A container of its own that runs before the service.
    PreStart,
    /// The text of a file: as [`Rule::Command`] for the containers that mount it.
    Content,
    /// Mounts.
    Volumes,
    /// Another service's mounts are fixed; those of a container outside the document decide code.
    VolumesFrom,
    /// A namespace: `host`, and another container's, reach beyond the container.
    Namespace,
    /// Devices: GPUs are not host access, disks that the host supplies decide code, others are host access.
    Devices,
    /// Device reservations and GPUs by driver.
    Gpus,
    /// Options that weaken the container's isolation are host access.
    SecurityOpt,
    /// The runtimes that the guest has are fixed; others decide code.
    Runtime,
    /// Set from outside, unless a container holds the Docker socket: then it reads them and they decide code.
    Labels,
    /// The driver of a named volume: `local` is fixed, others decide code.
    VolumeDriver,
    /// Options of a named volume: a file system in memory is fixed, a network or a bind decides code.
    VolumeOptions,
    /// The driver of a network: `host` and those that attach to a device of the VM are host access.
    NetworkDriver,
    /// `false` is nothing. Everything else names something that exists outside the document and decides code.
    External,
}

impl Rule {
    /// The class in the words of the documentation.
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Fixed => "fixed; a variable decides code",
            Self::Name => "fixed; a variable decides code if it may be the name of another container",
            Self::Outside => "no value decides code; a variable is set from outside",
            Self::Decides => "decides code",
            Self::HostAccess => "host access; a variable decides code",
            Self::Environment => "environment",
            Self::Image => "fixed with a digest, otherwise decides code",
            Self::PullPolicy => "fixed, `build` decides code",
            Self::Command | Self::HealthTest => {
                "fixed, but for an item of a list that is an argument; `$$NAME` decides code where a shell executes it"
            }
            Self::Content => "fixed; a variable decides code, and so does `$$NAME` where a shell executes it",
            Self::Hooks => "by its keys",
            Self::PreStart => "as a service",
            Self::Volumes => "by its source",
            Self::VolumesFrom => "fixed; `container:` decides code",
            Self::Namespace => "fixed; `host` and `container:` are host access",
            Self::Devices => "host access; a GPU is fixed, a disk of the host decides code",
            Self::Gpus => "fixed for GPUs, otherwise host access",
            Self::SecurityOpt => "fixed where it strengthens, otherwise host access",
            Self::Runtime => "fixed for the guest's runtimes, otherwise decides code",
            Self::Labels => "as `ports`; decides code if a container holds the Docker socket",
            Self::VolumeDriver => "fixed for `local`, otherwise decides code",
            Self::VolumeOptions => "fixed for `tmpfs`, otherwise decides code",
            Self::NetworkDriver => "fixed for `bridge`, otherwise host access",
            Self::External => "decides code unless false",
        }
    }
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ComposeRow {
    /// Its keys joined by dots. `service` stands for each service, job and `pre_start` container; `*` for any name; a list
    /// has no step of its own.
    pub(crate) path: &'static str,
    /// What it is.
    pub(crate) rule: Rule,
    /// Keys of mappings that stand here, judged by the same rule. `*` is any key.
    pub(crate) keys: &'static [&'static str],
    /// A few words for the documentation.
    pub(crate) says: &'static str,
}

const fn row(
    path: &'static str,
    rule: Rule,
    keys: &'static [&'static str],
    says: &'static str,
) -> ComposeRow {
    ComposeRow {
        path,
        rule,
        keys,
        says,
    }
}

const ANY: &[&str] = &["*"];
const NONE: &[&str] = &[];
const RATE: &[&str] = &["path", "rate"];
const LIMITS: &[&str] = &["cpus", "memory", "pids"];
const UPDATE: &[&str] = &[
    "parallelism",
    "delay",
    "failure_action",
    "monitor",
    "max_failure_ratio",
    "order",
];
const DEVICE_RESERVATION: &[&str] = &["capabilities", "count", "device_ids", "driver", "options"];
const FILE_MOUNT: &[&str] = &["source", "target", "uid", "gid", "mode"];
const BUILD: &[&str] = &[
    "context",
    "dockerfile",
    "dockerfile_inline",
    "entitlements",
    "args",
    "ssh",
    "labels",
    "cache_from",
    "cache_to",
    "no_cache",
    "no_cache_filter",
    "additional_contexts",
    "network",
    "provenance",
    "sbom",
    "pull",
    "target",
    "shm_size",
    "extra_hosts",
    "isolation",
    "privileged",
    "secrets",
    "tags",
    "ulimits",
    "platforms",
];

/// The table, in the order of the documentation.
#[rustfmt::skip]
pub(crate) const TABLE: &[ComposeRow] = &[
    // Which code runs.
    row("service.image", Rule::Image, NONE, "the image"),
    row("service.build", Rule::Decides, BUILD, "the image is built in the VM, from files that are not in the document"),
    row("service.pull_policy", Rule::PullPolicy, NONE, "when the image is fetched"),
    row("service.pull_refresh_after", Rule::Outside, NONE, "when a tag is fetched anew"),
    row("service.provider", Rule::Decides, &["type", "options"], "a program of the VM runs instead of a container"),
    row("service.models", Rule::Decides, ANY, "AI models are fetched by name"),
    row("service.extends", Rule::Decides, &["service", "file"], "another service is merged in: write its keys out or use a YAML anchor"),
    row("service.develop", Rule::Decides, &["watch"], "files are copied into the container while it runs"),
    row("service.command", Rule::Command, NONE, "arguments of the program"),
    row("service.entrypoint", Rule::Command, NONE, "the program"),
    row("service.healthcheck", Rule::Fixed, NONE, "the health check"),
    row("service.healthcheck.test", Rule::HealthTest, NONE, "a program that runs inside the container"),
    row("service.healthcheck.disable", Rule::Outside, NONE, "whether it runs"),
    row("service.healthcheck.interval", Rule::Outside, NONE, "when it runs"),
    row("service.healthcheck.retries", Rule::Outside, NONE, "how often it may fail"),
    row("service.healthcheck.timeout", Rule::Outside, NONE, "how long it may take"),
    row("service.healthcheck.start_period", Rule::Outside, NONE, "when it first counts"),
    row("service.healthcheck.start_interval", Rule::Outside, NONE, "when it runs at first"),
    row("service.pre_start", Rule::PreStart, NONE, "containers that run before the service"),
    row("service.per_replica", Rule::Fixed, NONE, "of a `pre_start` container: how often it runs"),
    row("service.post_start", Rule::Hooks, NONE, "programs that run inside the container"),
    row("service.pre_stop", Rule::Hooks, NONE, "programs that run inside the container"),
    row("hook.command", Rule::Command, NONE, "the program"),
    row("hook.user", Rule::Fixed, NONE, "who runs it"),
    row("hook.privileged", Rule::HostAccess, NONE, "all rights over the VM"),
    row("hook.working_dir", Rule::Fixed, NONE, "where it runs"),
    row("hook.environment", Rule::Environment, ANY, "its environment"),
    row("service.user", Rule::Fixed, NONE, "who runs the program"),
    row("service.group_add", Rule::Fixed, NONE, "who runs the program"),
    row("service.working_dir", Rule::Fixed, NONE, "where relative programs are found"),
    row("service.runtime", Rule::Runtime, NONE, "what starts the container; `nvidia` is how GPU apps run"),
    row("service.platform", Rule::Fixed, NONE, "which image of an index runs"),
    row("service.isolation", Rule::Fixed, NONE, "Windows containers"),
    row("service.profiles", Rule::Fixed, NONE, "whether the service starts"),
    row("service.init", Rule::Fixed, NONE, "whether an init process starts the program"),
    row("service.triggers", Rule::Fixed, &["manual"], "of a job: when it runs"),
    row("service.triggers.schedule", Rule::Fixed, &["cron", "timezone", "concurrency", "missed_fires"], "of a job: when it runs"),

    // What the program is told.
    row("service.environment", Rule::Environment, ANY, "the container's environment"),
    row("service.env_file", Rule::Decides, &["path", "format", "required"], "a file that is not in the document"),
    row("service.label_file", Rule::Decides, NONE, "a file that is not in the document"),
    row("service.labels", Rule::Labels, ANY, "read by programs with the Docker socket"),
    row("service.annotations", Rule::Fixed, ANY, "read by the runtime"),
    row("service.configs", Rule::Fixed, FILE_MOUNT, "files of the document"),
    row("service.secrets", Rule::Fixed, FILE_MOUNT, "files of the document"),
    row("service.credential_spec", Rule::Decides, &["config", "file", "registry"], "a file that is not in the document"),

    // Mounts.
    row("service.volumes", Rule::Volumes, &["type", "source", "target", "read_only", "consistency"], "mounts"),
    row("service.volumes.bind", Rule::Fixed, &["propagation", "create_host_path", "recursive", "selinux"], "how a folder is mounted"),
    row("service.volumes.volume", Rule::Fixed, &["nocopy", "subpath"], "how a volume is mounted"),
    row("service.volumes.volume.labels", Rule::Labels, ANY, "labels of the volume"),
    row("service.volumes.tmpfs", Rule::Fixed, &["size", "mode"], "memory"),
    row("service.volumes.image", Rule::Fixed, &["subpath"], "how an image is mounted"),
    row("service.volumes_from", Rule::VolumesFrom, NONE, "another container's mounts"),
    row("service.tmpfs", Rule::Fixed, NONE, "memory; hides what the image has there"),
    row("service.storage_opt", Rule::Fixed, ANY, "size of the container's disk"),
    row("service.read_only", Rule::Fixed, NONE, "whether the image can be written to"),

    // What reaches beyond the container.
    row("service.privileged", Rule::HostAccess, NONE, "all rights over the VM"),
    row("service.use_api_socket", Rule::HostAccess, NONE, "the Docker socket"),
    row("service.cap_add", Rule::HostAccess, NONE, "rights over the VM"),
    row("service.cap_drop", Rule::Fixed, NONE, "fewer rights"),
    row("service.cgroup", Rule::Namespace, NONE, "the VM's control groups"),
    row("service.cgroup_parent", Rule::HostAccess, NONE, "the VM's control groups"),
    row("service.device_cgroup_rules", Rule::HostAccess, NONE, "the VM's devices"),
    row("service.devices", Rule::Devices, &["source", "target", "permissions"], "the VM's devices"),
    row("service.gpus", Rule::Gpus, DEVICE_RESERVATION, "GPUs"),
    row("service.gpus.options", Rule::Fixed, ANY, "GPUs"),
    row("service.security_opt", Rule::SecurityOpt, NONE, "the container's isolation"),
    row("service.pid", Rule::Namespace, NONE, "whose processes it sees"),
    row("service.ipc", Rule::Namespace, NONE, "whose memory it shares"),
    row("service.uts", Rule::Namespace, NONE, "whose host name it has"),
    row("service.userns_mode", Rule::Namespace, NONE, "whose users it has"),
    row("service.network_mode", Rule::Namespace, NONE, "whose network it has"),
    row("service.sysctls", Rule::Fixed, ANY, "kernel settings of its own namespaces"),

    // Network.
    row("service.ports", Rule::Outside, &["name", "mode", "host_ip", "target", "published", "protocol", "app_protocol"], "which ports are reachable"),
    row("service.expose", Rule::Outside, NONE, "which ports other containers reach"),
    row("service.networks", Rule::Fixed, NONE, "networks of the document"),
    row("service.networks.*", Rule::Fixed, &["interface_name", "ipv4_address", "ipv6_address", "link_local_ips", "mac_address", "priority", "gw_priority", "use_service_name_alias"], "under which names and addresses others reach it"),
    row("service.networks.*.aliases", Rule::Name, NONE, "under which names others reach it"),
    row("service.networks.*.driver_opts", Rule::Fixed, ANY, "options of the driver"),
    row("service.links", Rule::Fixed, NONE, "names of other services"),
    row("service.external_links", Rule::Fixed, NONE, "names of other containers"),
    row("service.extra_hosts", Rule::Fixed, ANY, "to which addresses names lead"),
    row("service.dns", Rule::Fixed, NONE, "who resolves names"),
    row("service.dns_opt", Rule::Fixed, NONE, "how names are resolved"),
    row("service.dns_search", Rule::Fixed, NONE, "how names are resolved"),
    row("service.hostname", Rule::Fixed, NONE, "under which name others reach it, and what it takes for its own name"),
    row("service.domainname", Rule::Fixed, NONE, "under which name others reach it"),
    row("service.mac_address", Rule::Outside, NONE, "its own address"),

    row("service.container_name", Rule::Name, NONE, "under which name others reach it"),

    // No value of these decides code.
    row("service.restart", Rule::Outside, NONE, "when it starts again"),
    row("service.attach", Rule::Outside, NONE, "whose output is shown"),
    row("service.logging", Rule::Outside, &["driver"], "where its output goes"),
    row("service.logging.options", Rule::Outside, ANY, "where its output goes"),
    row("service.stdin_open", Rule::Outside, NONE, "terminal"),
    row("service.tty", Rule::Outside, NONE, "terminal"),
    row("service.stop_grace_period", Rule::Outside, NONE, "how it is stopped"),
    row("service.stop_signal", Rule::Outside, NONE, "how it is stopped"),
    row("service.shm_size", Rule::Outside, NONE, "size of shared memory"),
    row("service.umask", Rule::Outside, NONE, "rights of new files"),
    row("service.ulimits", Rule::Outside, ANY, "limits"),
    row("service.ulimits.*", Rule::Outside, &["hard", "soft"], "limits"),
    row("service.blkio_config", Rule::Outside, &["weight"], "limits"),
    row("service.blkio_config.device_read_bps", Rule::Outside, RATE, "limits"),
    row("service.blkio_config.device_read_iops", Rule::Outside, RATE, "limits"),
    row("service.blkio_config.device_write_bps", Rule::Outside, RATE, "limits"),
    row("service.blkio_config.device_write_iops", Rule::Outside, RATE, "limits"),
    row("service.blkio_config.weight_device", Rule::Outside, &["path", "weight"], "limits"),
    row("service.cpu_count", Rule::Outside, NONE, "limits"),
    row("service.cpu_percent", Rule::Outside, NONE, "limits"),
    row("service.cpu_shares", Rule::Outside, NONE, "limits"),
    row("service.cpu_quota", Rule::Outside, NONE, "limits"),
    row("service.cpu_period", Rule::Outside, NONE, "limits"),
    row("service.cpu_rt_period", Rule::Outside, NONE, "limits"),
    row("service.cpu_rt_runtime", Rule::Outside, NONE, "limits"),
    row("service.cpus", Rule::Outside, NONE, "limits"),
    row("service.cpuset", Rule::Outside, NONE, "limits"),
    row("service.mem_limit", Rule::Outside, NONE, "limits"),
    row("service.mem_reservation", Rule::Outside, NONE, "limits"),
    row("service.mem_swappiness", Rule::Outside, NONE, "limits"),
    row("service.memswap_limit", Rule::Outside, NONE, "limits"),
    row("service.oom_kill_disable", Rule::Outside, NONE, "limits"),
    row("service.oom_score_adj", Rule::Outside, NONE, "limits"),
    row("service.pids_limit", Rule::Outside, NONE, "limits"),

    // Order and deployment.
    row("service.scale", Rule::Fixed, NONE, "how many there are: none where it is 0"),
    row("service.depends_on", Rule::Fixed, NONE, "in which order services start"),
    row("service.depends_on.*", Rule::Fixed, &["restart", "required", "condition"], "in which order services start"),
    row("service.deploy", Rule::Fixed, &["mode", "endpoint_mode", "replicas"], "how many there are: none where it is 0"),
    row("service.deploy.labels", Rule::Labels, ANY, "labels of the service"),
    row("service.deploy.rollback_config", Rule::Outside, UPDATE, "how it is replaced"),
    row("service.deploy.update_config", Rule::Outside, UPDATE, "how it is replaced"),
    row("service.deploy.restart_policy", Rule::Outside, &["condition", "delay", "max_attempts", "window"], "when it starts again"),
    row("service.deploy.placement", Rule::Outside, &["constraints", "max_replicas_per_node"], "where it runs"),
    row("service.deploy.placement.preferences", Rule::Outside, &["spread"], "where it runs"),
    row("service.deploy.resources", Rule::Outside, NONE, "limits"),
    row("service.deploy.resources.limits", Rule::Outside, LIMITS, "limits"),
    row("service.deploy.resources.reservations", Rule::Outside, &["cpus", "memory"], "limits"),
    row("service.deploy.resources.reservations.devices", Rule::Gpus, DEVICE_RESERVATION, "GPUs"),
    row("service.deploy.resources.reservations.devices.options", Rule::Fixed, ANY, "GPUs"),
    row("service.deploy.resources.reservations.generic_resources", Rule::Outside, NONE, "limits"),
    row("service.deploy.resources.reservations.generic_resources.discrete_resource_spec", Rule::Outside, &["kind", "value"], "limits"),

    // Outside the services.
    row("version", Rule::Fixed, NONE, "without effect"),
    row("name", Rule::Fixed, NONE, "name of the project"),
    row("include", Rule::Decides, &["path", "env_file", "project_directory"], "another file"),
    row("models", Rule::Decides, ANY, "AI models are fetched by name"),
    row("networks.*", Rule::Fixed, &["name", "internal", "enable_ipv4", "enable_ipv6", "attachable"], "a network"),
    row("networks.*.driver", Rule::NetworkDriver, NONE, "what the network is attached to"),
    row("networks.*.driver_opts", Rule::Fixed, ANY, "options of the driver"),
    row("networks.*.external", Rule::Fixed, &["name"], "a network that exists already"),
    row("networks.*.ipam", Rule::Fixed, &["driver"], "addresses"),
    row("networks.*.ipam.config", Rule::Fixed, &["subnet", "ip_range", "gateway"], "addresses"),
    row("networks.*.ipam.config.aux_addresses", Rule::Fixed, ANY, "addresses"),
    row("networks.*.ipam.options", Rule::Fixed, ANY, "addresses"),
    row("networks.*.labels", Rule::Labels, ANY, "labels"),
    row("volumes.*", Rule::Fixed, &["name"], "a named volume"),
    row("volumes.*.driver", Rule::VolumeDriver, NONE, "what the volume is"),
    row("volumes.*.driver_opts", Rule::VolumeOptions, ANY, "what the volume is"),
    row("volumes.*.external", Rule::External, &["name"], "a volume that exists already"),
    row("volumes.*.labels", Rule::Labels, ANY, "labels"),
    row("configs.*", Rule::Fixed, &["name"], "a file of the document"),
    row("configs.*.content", Rule::Content, NONE, "its text"),
    row("configs.*.environment", Rule::Decides, NONE, "its text comes from a variable"),
    row("configs.*.file", Rule::Decides, NONE, "its text comes from a file that is not in the document"),
    row("configs.*.external", Rule::External, &["name"], "a config that exists already"),
    row("configs.*.labels", Rule::Labels, ANY, "labels"),
    row("configs.*.template_driver", Rule::Decides, NONE, "its text is made elsewhere"),
    row("secrets.*", Rule::Fixed, &["name"], "a secret"),
    row("secrets.*.environment", Rule::Decides, NONE, "its text comes from a variable"),
    row("secrets.*.file", Rule::Decides, NONE, "its text comes from a file that is not in the document"),
    row("secrets.*.external", Rule::External, &["name"], "a secret that exists already"),
    row("secrets.*.labels", Rule::Labels, ANY, "labels"),
    row("secrets.*.driver", Rule::Decides, NONE, "its text comes from elsewhere"),
    row("secrets.*.driver_opts", Rule::Decides, ANY, "its text comes from elsewhere"),
    row("secrets.*.template_driver", Rule::Decides, NONE, "its text is made elsewhere"),
];

/// Every key of the table with its class and a few words, the keys that share a row as rows of their own.
pub fn compose_places() -> impl Iterator<Item = (String, &'static str, &'static str)> {
    TABLE.iter().flat_map(|row| {
        let own = std::iter::once(row.path.to_owned());
        let keys = row.keys.iter().map(|key| format!("{}.{key}", row.path));
        own.chain(keys).map(|path| (path, row.rule.class(), row.says))
    })
}

/// The row of a path.
pub(super) fn find(path: &str) -> Option<&'static ComposeRow> {
    TABLE.iter().find(|row| row.path == path)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_row_stands_once_and_below_one_that_is_there() {
        let paths: BTreeSet<&str> = TABLE.iter().map(|row| row.path).collect();
        assert_eq!(paths.len(), TABLE.len());
        let roots = [
            "service",
            "hook",
            "networks.*",
            "volumes.*",
            "configs.*",
            "secrets.*",
        ];
        for row in TABLE {
            let parent = row.path.rsplit_once('.').map_or("", |(parent, _)| parent);
            assert!(
                parent.is_empty()
                    || roots.contains(&parent)
                    || paths.contains(parent)
                    || roots.contains(&row.path),
                "{}",
                row.path
            );
        }
    }
}
