//! Configs, secrets, mounts and volumes.

use super::*;

#[test]
fn t62_a_config_or_secret_from_outside_the_document_decides_code() {
    for (entry, key) in [
        ("{ environment: NOBODY_SETS_IT }", "environment"),
        ("{ environment: X }", "environment"),
        ("{ file: ./run.sh }", "file"),
        ("{ file: /dstack/.host-shared/.user-config }", "file"),
        ("{ external: true }", "external"),
        ("{ external: { name: other } }", "external"),
        ("{ content: 'a', template_driver: golang }", "template_driver"),
    ] {
        for section in ["configs", "secrets"] {
            if section == "secrets" && key == "template_driver" {
                continue;
            }
            let file = format!(
                "{}{section}:\n  a: {entry}\n",
                service(&format!("{section}: [a]"))
            );
            is_unmeasured(&file, &format!("{section}.a.{key}"));
        }
    }
    is_fixed(&format!(
        "{}configs:\n  a: {{ content: 'fixed' }}\n",
        service("configs:\n  - source: a\n    target: /a\n    mode: 0444")
    ));
}

#[test]
fn t69_a_mount_of_what_the_host_hands_in_decides_code_and_is_host_access() {
    for source in [
        "/",
        "/dstack",
        "/dstack/",
        "/tapp",
        ".",
        "./.host-shared",
        "/dstack/.host-shared",
        "/dstack/.host-shared/.user-config",
        "/dstack/../dstack",
        "/tapp/.host-shared",
        "../dstack/.host-shared",
        "/var/volatile/dstack/.host-shared",
        "/var",
        "/proc/1/root/dstack",
        "/sys/firmware/qemu_fw_cfg",
        "/sys",
        "/dev",
        "/dev/vdb",
        "/dev/disk/by-id",
        "/dev/block/254:16",
        "/dstack/user_config",
        "~/..",
        "~/../dstack",
    ] {
        let judged = running(&service(&format!("volumes: ['{source}:/x:ro']")));
        decides(&judged, "unmeasured-input", "services.web.volumes[0]");
        reaches(&judged, "services.web.volumes[0]");
        let judged = running(&service(&format!(
            "volumes: [{{ type: bind, source: '{source}', target: /x }}]"
        )));
        decides(&judged, "unmeasured-input", "services.web.volumes[0].source");
        reaches(&judged, "services.web.volumes[0].source");
    }
    for device in ["/dev/vda", "/dev/block/254:16", "/dev/mmcblk0"] {
        let judged = running(&service(&format!("devices: ['{device}:/dev/vda']")));
        decides(&judged, "unmeasured-input", "services.web.devices[0]");
        reaches(&judged, "services.web.devices[0]");
    }
    for source in ["/data", "./data", "/etc/ssl/certs"] {
        reaches(
            &is_fixed(&service(&format!("volumes: ['{source}:/x']"))),
            "services.web.volumes[0]",
        );
    }
    let judged = is_fixed(&service("volumes: [{ type: bind, source: data, target: /app }]"));
    reaches(&judged, "services.web.volumes[0].source");
    for source in ["/var/run/dstack.sock", "/run/dstack.sock", "/var/run/tappd.sock"] {
        is_fixed(&service(&format!("volumes: ['{source}:{source}']"))).proves(CheckId::LaunchInputs);
    }
}

#[test]
fn t70_a_volume_that_is_filled_elsewhere_decides_code() {
    for (volume, place) in [
        (
            "{ driver_opts: { type: nfs, o: 'addr=10.0.2.2', device: ':/x' } }",
            "driver_opts",
        ),
        (
            "{ driver_opts: { type: cifs, device: //10.0.2.2/x } }",
            "driver_opts",
        ),
        (
            "{ driver_opts: { type: none, o: bind, device: /data } }",
            "driver_opts",
        ),
        ("{ driver_opts: { type: ext4, device: /dev/vdb } }", "driver_opts"),
        ("{ driver: rclone }", "driver"),
        ("{ external: true }", "external"),
    ] {
        let file = format!("{}volumes:\n  a: {volume}\n", service("volumes: ['a:/a']"));
        is_unmeasured(&file, &format!("volumes.a.{place}"));
    }
    is_unmeasured(
        &service("volumes_from: ['container:other']"),
        "services.web.volumes_from[0]",
    );
    for volume in [
        "{}",
        "{ driver: local }",
        "{ name: a }",
        "{ driver_opts: { type: tmpfs, device: tmpfs } }",
        "",
    ] {
        is_fixed(&format!(
            "{}volumes:\n  a: {volume}\n",
            service("volumes: ['a:/a', /b]")
        ))
        .proves(CheckId::LaunchInputs);
    }
    is_fixed(&service("volumes_from: ['other:ro']"));
}

/// The document binds the content of a verified volume by its hash, and nobody can read there what the content is.
#[test]
fn t74_a_verified_volume_decides_code() {
    let root = "ab".repeat(32);
    let volume = |root: Value, target: Value| json!({"source": "a", "verity_root": root, "target": target});
    let volumes = |volume: Value| json!({ "verity_volumes": [volume] });
    for odd in [
        json!(null),
        json!(""),
        json!("ab"),
        json!(root.to_uppercase()),
        json!([root]),
        json!(format!("0x{root}")),
    ] {
        let judged = running_with(&service("tty: true"), &volumes(volume(odd, json!("/a"))));
        decides(&judged, "unmeasured-input", "verity_volumes[0]");
        let detail = judged.detail(CheckId::ImagePins);
        assert!(detail.contains("nothing binds what the volume holds"), "{detail}");
    }
    decides(
        &running_with(&service("tty: true"), &json!({"verity_volumes": {"source": "a"}})),
        "unmeasured-input",
        "verity_volumes",
    );
    for target in [
        json!("/usr/bin"),
        json!("/var/lib/docker"),
        json!("docker"),
        json!("/run/models"),
        json!(null),
    ] {
        let judged = running_with(
            &service("tty: true"),
            &volumes(volume(json!(root), target.clone())),
        );
        decides(&judged, "unmeasured-input", "verity_volumes[0]");
        judged.says(CheckId::LaunchInputs, Status::Warn, "verity-volume");
        for check in [CheckId::ImagePins, CheckId::LaunchInputs] {
            let detail = judged.detail(check);
            assert!(
                detail.contains(target.as_str().unwrap_or("no target")),
                "{detail}"
            );
        }
    }
    for none in [json!([]), json!(null)] {
        let judged = running_with(&service("tty: true"), &json!({ "verity_volumes": none }));
        judged.passes().proves(CheckId::ImagePins);
        judged.proves(CheckId::LaunchInputs);
    }
}
