//! Ways beyond the container.

use super::*;

#[test]
fn t75_a_weak_gpu_policy_is_named() {
    for (policy, named) in [
        (json!({"attest_gpu": false}), "`attest_gpu` is false"),
        (json!({"allow_devtools": true}), "`allow_devtools` is true"),
        (json!({"allow_debug": true}), "`allow_debug` is true"),
        (
            json!({"allow_insecure_boot": true}),
            "`allow_insecure_boot` is true",
        ),
        (json!({"allow_debug": "no"}), "`allow_debug` is set"),
        (json!({"rego": "package policy"}), "`rego` is set"),
        (json!({"tomorrow": 1}), "`tomorrow` is set"),
    ] {
        let judged = running_with(
            &service("gpus: all"),
            &json!({"requirements": {"gpu_policy": policy}}),
        );
        judged
            .passes()
            .says(CheckId::LaunchInputs, Status::Warn, "weak-gpu-policy");
        let detail = judged.detail(CheckId::LaunchInputs);
        assert!(detail.contains(named), "{named}: {detail}");
    }
    for policy in [
        json!({}),
        json!(null),
        json!({"attest_gpu": true, "allow_devtools": false, "allow_debug": false, "allow_insecure_boot": false}),
    ] {
        running_with(
            &service("gpus: all"),
            &json!({"requirements": {"gpu_policy": policy}}),
        )
        .passes()
        .proves(CheckId::LaunchInputs);
    }
}

#[test]
fn t76_every_way_beyond_the_container_is_named_beside_an_image_that_is_not_pinned() {
    for (lines, place) in [
        ("privileged: true", "privileged"),
        ("cap_add: [SYS_ADMIN]", "cap_add"),
        ("devices: ['/dev/tdx_guest:/dev/tdx_guest']", "devices[0]"),
        (
            "devices: [{ source: /dev/kvm, target: /dev/kvm }]",
            "devices[0].source",
        ),
        ("device_cgroup_rules: ['a *:* rwm']", "device_cgroup_rules"),
        ("security_opt: ['seccomp=unconfined']", "security_opt[0]"),
        ("security_opt: ['no-new-privileges:false']", "security_opt[0]"),
        ("pid: host", "pid"),
        ("pid: 'container:other'", "pid"),
        ("ipc: host", "ipc"),
        ("uts: host", "uts"),
        ("cgroup: host", "cgroup"),
        ("cgroup_parent: /", "cgroup_parent"),
        ("userns_mode: host", "userns_mode"),
        ("network_mode: host", "network_mode"),
        ("network_mode: 'container:other'", "network_mode"),
        ("volumes: ['/var/run/docker.sock:/s']", "volumes[0]"),
        ("volumes: ['../run/docker.sock:/s']", "volumes[0]"),
        ("volumes: ['/run:/s']", "volumes[0]"),
        ("volumes: ['/etc:/s']", "volumes[0]"),
        ("use_api_socket: true", "use_api_socket"),
        (
            "post_start: [{ command: 'true', privileged: true }]",
            "post_start[0].privileged",
        ),
        (
            "pre_start: [{ command: 'true', privileged: true }]",
            "pre_start[0].privileged",
        ),
        (
            "deploy: { resources: { reservations: { devices: [{ driver: other, capabilities: [x] }] } } }",
            "deploy.resources.reservations.devices[0].driver",
        ),
        (
            "deploy: { resources: { reservations: { devices: [{ capabilities: [tpu] }] } } }",
            "deploy.resources.reservations.devices[0]",
        ),
        (
            "gpus: [{ driver: cdi, device_ids: ['vendor.example/net=a'] }]",
            "gpus[0].driver",
        ),
        ("gpus: [{ capabilities: [tpu] }]", "gpus[0]"),
    ] {
        reaches(&is_fixed(&service(lines)), &format!("services.web.{place}"));
        let judged = running(&service(lines).replace(PINNED, "nginx:latest"));
        decides(&judged, "unpinned-image", "services.web.image");
        reaches(&judged, &format!("services.web.{place}"));
    }
    reaches(
        &is_fixed(&format!(
            "{}networks:\n  a: {{ driver: host }}\n",
            service("tty: true")
        )),
        "networks.a.driver",
    );
    for lines in [
        "gpus: all",
        "runtime: nvidia",
        "privileged: false",
        "cap_add: []",
        "security_opt: ['no-new-privileges:true']",
        "network_mode: none",
        "network_mode: 'service:other'",
        "ipc: shareable",
        "devices: ['/dev/nvidia0:/dev/nvidia0', 'nvidia.com/gpu=all']",
        "deploy: { resources: { reservations: { devices: [{ driver: nvidia, count: all, capabilities: [gpu] }] } } }",
    ] {
        is_fixed(&service(lines)).proves(CheckId::LaunchInputs);
    }
    is_unmeasured(&service("runtime: /usr/bin/evil"), "services.web.runtime");
}

#[test]
fn t77_a_label_decides_code_where_a_container_holds_the_docker_socket() {
    let proxy = |volumes: &str| {
        format!(
            "{}  proxy:\n    image: {PINNED}\n    volumes: ['{volumes}:/s']\n",
            service("labels: ['rule=${X}']")
        )
    };
    for socket in ["/var/run/docker.sock", "/run", "/"] {
        is_unmeasured(&proxy(socket), "services.web.labels[0]");
    }
    is_fixed(&proxy("data"));
    is_unmeasured(
        &format!(
            "{}  proxy: {{ image: '{PINNED}', use_api_socket: true }}\n",
            service("deploy: { labels: { a: '${X}' } }")
        ),
        "services.web.deploy.labels.a",
    );
}

#[test]
fn t90_a_container_with_the_docker_socket_starts_no_image_without_a_digest() {
    let launcher = |command: &str| {
        service(&format!(
            "entrypoint: ['sh', '-c', '{command}']\nvolumes: ['/var/run/docker.sock:/var/run/docker.sock']"
        ))
    };
    for command in [
        "docker run -d web:latest",
        "docker build -t a .",
        "docker compose -f /x.yml up -d",
    ] {
        is_unpinned(&launcher(command), "services.web.entrypoint");
    }
    is_fixed(&launcher(&format!("docker run -d {PINNED}; docker ps")));
}
