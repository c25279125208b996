use proptest::prelude::*;
use serde_json::json;

use super::*;

const DIGEST: &str = "@sha256:5618a93a78c9ac9173e7ebf7c8af173bd675be6832a2f8c2a9a7149ac2678f54";

/// A file around which the deployer may set X, and nothing else.
fn file(yaml: &str) -> ComposeFile {
    document(yaml, json!({"allowed_envs": ["X"]}))
}

fn document(yaml: &str, mut members: Value) -> ComposeFile {
    members["docker_compose_file"] = yaml.into();
    members["runner"] = "docker-compose".into();
    read_document(members.as_object().unwrap(), LaunchScript::None)
        .unwrap()
        .unwrap()
}

fn service(yaml: &str) -> ComposeFile {
    file(&format!(
        "services:\n  api:\n    {}\n",
        yaml.replace('\n', "\n    ")
    ))
}

fn paths(places: &ComposePlaces) -> Vec<&str> {
    places.iter().map(|place| place.path.as_str()).collect()
}

#[test]
fn a_digest_pins_with_or_without_a_tag() {
    for image in [
        format!("nginx{DIGEST}"),
        format!("r.io:5000/a/nginx:1.27{DIGEST}"),
        format!("${{A:-nginx{DIGEST}}}"),
    ] {
        assert!(service(&format!("image: {image}")).unpinned.is_empty(), "{image}");
    }
}

#[test]
fn tags_variables_comments_and_short_digests_do_not_pin() {
    for image in [
        "nginx:1.27".to_owned(),
        "nginx:${X}".to_owned(),
        "nginx:${A:-1.27}".to_owned(),
        format!("${{X}}{DIGEST}"),
        format!("nginx:1.27 # {DIGEST}"),
        "nginx@sha256:5618".to_owned(),
        format!("nginx{DIGEST}00"),
        format!("${{X:-nginx{DIGEST}}}"),
    ] {
        let file = service(&format!("image: {image}"));
        assert_eq!(paths(&file.unpinned), ["services.api.image"], "{image}");
    }
}

#[test]
fn an_anchor_is_followed_to_what_it_stands_for() {
    for text in [
        "x-image: &image nginx:latest\nservices:\n  api:\n    image: *image\n",
        "x-base: &base\n  image: nginx:latest\nservices:\n  api:\n    <<: *base\n",
    ] {
        let file = file(text);
        let place = file.unpinned.iter().next().unwrap();
        assert_eq!(place.path, "services.api.image");
        assert_eq!(place.says, "`nginx:latest` has no digest: write name@sha256:…");
        assert_eq!(place.sha256, crate::verify::digest::sha256(b"nginx:latest"));
    }
}

#[test]
fn the_hash_of_a_place_is_that_of_its_text() {
    let file = service(&format!(
        "image: nginx{DIGEST}\ncommand: 'run ${{X}}'\nbuild: {{ context: . }}"
    ));
    let places: Vec<(&str, [u8; 32])> = file
        .deciding()
        .map(|place| (place.path.as_str(), place.sha256))
        .collect();
    let sha = |text: &str| crate::verify::digest::sha256(text.as_bytes());
    assert_eq!(
        places,
        [
            ("services.api.build", sha("{\"context\":\".\"}")),
            ("services.api.command", sha("run ${X}"))
        ]
    );
}

#[test]
fn what_the_file_refers_to_is_listed() {
    let file = file(&format!(
        "services:\n  api:\n    image: nginx{DIGEST}\n    environment: [A, 'B=${{C:-$D}}']\n    ports: ['${{E}}:80']\n    env_file: ${{F}}\n\
         configs:\n  a: {{ environment: G }}\n"
    ));
    let names: Vec<&str> = file.references.iter().map(String::as_str).collect();
    assert_eq!(names, ["A", "C", "D", "E", "F", "G"]);
}

#[test]
fn many_places_are_counted_and_not_all_kept() {
    let groups = "  - '${X}'\n".repeat(2 * MAX_PLACES);
    let file = service(&format!(
        "image: nginx{DIGEST}\ngroup_add:\n{}",
        groups.trim_end()
    ));
    assert_eq!(file.unmeasured.iter().count(), MAX_PLACES);
    assert_eq!(file.deciding_count(), 2 * MAX_PLACES);
}

#[test]
fn a_file_that_nothing_surrounds_may_be_filled_everywhere() {
    let file = ComposeFile::read_unproven(&format!(
        "services:\n  api:\n    image: nginx{DIGEST}\n    command: $A\n"
    ))
    .unwrap();
    assert_eq!(paths(&file.unmeasured), ["services.api.command"]);
}

#[test]
fn duplicate_keys_and_bombs_are_refused() {
    let error = |text: &str| ComposeFile::read_unproven(text).unwrap_err().to_string();
    assert!(error("services:\n  api:\n    image: a\n    image: b\n").contains("not plain YAML"));
    let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(",");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    assert!(error(&bomb).contains("not plain YAML"));
    assert!(error(&format!("a: {}{}", "[".repeat(100), "]".repeat(100))).contains("not plain YAML"));
}

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
    // What is no text is no script that anybody could review.
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
        assert_eq!(field_problem(field, &value, None), Some(FieldProblem::Unknown));
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
        assert_eq!(field_problem(field, &value, None), Some(FieldProblem::Unknown));
    }
    // The guest takes its default.
    assert_eq!(field_problem("a_hook", &json!(null), None), None);
}

#[test]
fn fields_that_guests_read_are_quiet_as_long_as_they_hold_what_guests_read() {
    let compose = json!("docker-compose");
    for (field, value) in [
        ("docker_config", json!({ "x": "y" })),
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
    }
    for (field, value) in [
        ("snapshotter", json!("stargz\n")),
        ("key_provider", json!("kms\n")),
        ("kms_enabled", json!("true")),
        ("features", json!("kms")),
        ("name", json!(1)),
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

/// The places that decide code before and after a user does what the finding says. Nothing else of the service changes: its entrypoint,
/// its user and its health check stay.
#[test]
fn the_advice_for_a_variable_is_accepted_where_it_is_followed() {
    for (before, says, after) in [
        (
            "command: vllm serve --model ${X:-Qwen/Q} --tensor-parallel-size 8",
            "write a list, `[\"vllm\",\"serve\",\"--model\",\"${X:-Qwen/Q}\",\"--tensor-parallel-size\",\"8\"]`",
            "command: [\"vllm\",\"serve\",\"--model\",\"${X:-Qwen/Q}\",\"--tensor-parallel-size\",\"8\"]",
        ),
        (
            "command: postgres -c max_connections=${X:-200} -c 'log_line_prefix=%m '",
            "write a list, `[\"postgres\",\"-c\",\"max_connections=${X:-200}\",\"-c\",\"log_line_prefix=%m \"]`",
            "command: [\"postgres\",\"-c\",\"max_connections=${X:-200}\",\"-c\",\"log_line_prefix=%m \"]",
        ),
        (
            "command: --port ${X:-80}",
            "write a list, `[\"--port\",\"${X:-80}\"]`, behind the image's own entrypoint",
            "entrypoint: [vllm, serve]\ncommand: [\"--port\",\"${X:-80}\"]",
        ),
        (
            "command: [--model, '${X:-Qwen/Q}']",
            "write that entrypoint into `entrypoint`",
            "entrypoint: [vllm, serve]\ncommand: [--model, '${X:-Qwen/Q}']",
        ),
        (
            "command: uvicorn main:app --port ${X:-8000}",
            "(uvicorn reads UVICORN_HOST, UVICORN_PORT and UVICORN_WORKERS)",
            "command: uvicorn main:app\nenvironment:\n  UVICORN_PORT: ${X:-8000}",
        ),
        (
            "command: tunnel run --token ${X}",
            "(cloudflared reads TUNNEL_TOKEN)",
            "command: tunnel run\nenvironment:\n  TUNNEL_TOKEN: ${X}",
        ),
        (
            "command: [python, '${X}']",
            "`python` may execute it: write the value",
            "command: [python, app.py]",
        ),
        (
            "command: [\"sh\", \"-c\", \"exec app --port ${X}\"]",
            "or `$$X` if the container's own environment has it",
            "command: [\"sh\", \"-c\", \"exec app --port $$X\"]\nenvironment:\n  X: ${X}",
        ),
        (
            "healthcheck:\n  test: curl localhost:${X}",
            "or `$$X` if the container's own environment has it",
            "healthcheck:\n  test: curl localhost:$$X\nenvironment:\n  X: ${X}",
        ),
    ] {
        let file = service(&format!("image: nginx{DIGEST}\n{before}"));
        let place = file.unmeasured.iter().next().unwrap();
        assert!(place.says.contains(says), "{before}: {}", place.says);
        let file = service(&format!("image: nginx{DIGEST}\n{after}"));
        assert_eq!(file.deciding_count(), 0, "{after}: {:?}", file.unmeasured);
    }
    for (before, says, after) in [
        (
            "sed \"s/KEY/$$X/\" /t > /f; exec app",
            "`envsubst '$$X' < TEMPLATE > FILE`",
            "envsubst '$$X' < /t > /f; exec app",
        ),
        (
            "sed -i \"s|__API_URL__|$$X|g\" /usr/share/nginx/html/env.js && exec nginx -g 'daemon off;'",
            "`envsubst '$$X' < TEMPLATE > FILE`",
            "envsubst '$$X' < /t > /usr/share/nginx/html/env.js; exec nginx -g 'daemon off;'",
        ),
        (
            "echo \"//registry.npmjs.org/:_authToken=$$X\" > ~/.npmrc; exec npm start",
            "`'//HOST/:_authToken=$${X}'` in single quotes",
            "echo '//registry.npmjs.org/:_authToken=$${X}' > ~/.npmrc; exec npm start",
        ),
        (
            "[[ \"$$X\" -gt 1024 ]] && exec app",
            "`[ \"$$X\" -gt … ]`",
            "[ \"$$X\" -gt 1024 ] && exec app",
        ),
        (
            "find /d -mtime +$$X -delete; exec app",
            "write `\"$$X\"` in quotes",
            "find /d -mtime +\"$$X\" -delete; exec app",
        ),
        (
            "curl -fsSL \"$$X\" -o /m; exec app",
            "write the address",
            "curl -fsSL https://x.example/m -o /m; exec app",
        ),
        (
            "exec $$X",
            "hand it to a program, in quotes",
            "exec app --port \"$$X\"",
        ),
    ] {
        let run = |script: &str| {
            let command = json!(["bash", "-c", script]);
            service(&format!(
                "image: nginx{DIGEST}\nenvironment: ['X=${{X}}']\ncommand: {command}"
            ))
        };
        let file = run(before);
        let place = file.unmeasured.iter().next().unwrap();
        assert!(place.says.contains(says), "{before}: {}", place.says);
        assert_eq!(run(after).deciding_count(), 0, "{after}");
    }
    let config = |content: &str| {
        file(&format!(
            "services:\n  api:\n    image: caddy{DIGEST}\n    environment:\n      X: ${{X}}\nconfigs:\n  caddy:\n    content: |\n      {content}\n"
        ))
    };
    let place = config("${X} {\n        reverse_proxy app:80\n      }")
        .unmeasured
        .iter()
        .next()
        .unwrap()
        .says
        .clone();
    assert!(place.contains("`{$$X}` in a Caddyfile"), "{place}");
    assert_eq!(
        config("{$$X} {\n        reverse_proxy app:80\n      }").deciding_count(),
        0
    );
    assert_eq!(config("server_name $${X};").deciding_count(), 0);
}

#[test]
fn who_may_log_in_is_not_for_a_key_of_a_network_to_say() {
    let of = |arguments: &str| {
        service(&format!(
            "image: tailscale/tailscale{DIGEST}\nenvironment:\n  TS_AUTHKEY: ${{X}}\n  TS_EXTRA_ARGS: {arguments}"
        ))
    };
    assert_eq!(of("--hostname=a").deciding_count(), 0);
    assert_eq!(
        paths(&of("--ssh").unmeasured),
        ["services.api.environment.TS_AUTHKEY"]
    );
}

#[test]
fn what_a_server_replaces_before_it_reads_is_said() {
    let of = |target: &str, content: &str| {
        file(&format!(
            "services:\n  api:\n    image: x{DIGEST}\n    environment:\n      X: ${{X}}\n    configs: [{{ source: c, target: {target} }}]\nconfigs:\n  c:\n    \
             content: |\n      {content}\n"
        ))
    };
    for (target, content, says) in [
        ("/etc/caddy/Caddyfile", "{$$X} { }", "`{env.X}` is one value"),
        (
            "/etc/nginx/templates/a.conf.template",
            "server_name $$X;",
            "may add directives",
        ),
    ] {
        let file = of(target, content);
        assert_eq!(file.deciding_count(), 0);
        assert!(
            file.outside.iter().any(|place| place.says.contains(says)),
            "{:?}",
            file.outside
        );
    }
}

/// What the script of Phala's exports, as far as these fixtures refer to it.
const PHALA: LaunchScript = LaunchScript::Known {
    version: "0.0.19",
    exports: &["DSTACK_APP_DOMAIN", "DSTACK_APP_ID", "DSTACK_GATEWAY_DOMAIN"],
    registry_login: &[
        "DSTACK_DOCKER_PASSWORD",
        "DSTACK_DOCKER_REGISTRY",
        "DSTACK_DOCKER_USERNAME",
    ],
};

/// Each file begins with what surrounds it (`allowed`, `script`) and which places it has (`decides`, `host`, `outside`), in
/// comments of one line.
#[test]
fn each_docker_compose_file_of_the_fixtures_has_the_places_that_it_says() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/compose");
    let mut count = 0;
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yml") {
            continue;
        }
        count += 1;
        let yaml = std::fs::read_to_string(&path).unwrap();
        let said = |key: &str| -> Vec<&str> {
            let start = format!("# {key}: ");
            let line = yaml.lines().find_map(|line| line.strip_prefix(start.as_str()));
            line.map(|line| line.split(' ').collect()).unwrap_or_default()
        };
        let mut members = json!({ "allowed_envs": said("allowed"), "runner": "docker-compose" });
        members["docker_compose_file"] = yaml.as_str().into();
        let script = match said("script").as_slice() {
            ["phala"] => PHALA,
            _ => LaunchScript::None,
        };
        let file = read_document(members.as_object().unwrap(), script)
            .unwrap()
            .unwrap();
        let sorted = |mut paths: Vec<&str>| {
            paths.sort_unstable();
            paths.join(" ")
        };
        let decides = file.deciding().map(|place| place.path.as_str()).collect();
        for (key, found) in [
            ("decides", sorted(decides)),
            ("host", sorted(paths(&file.host_access))),
            ("outside", sorted(paths(&file.outside))),
        ] {
            let expected = sorted(said(key));
            if found != expected {
                wrong.push(format!(
                    "{}: {key}\n  expected {expected}\n  found    {found}",
                    path.display()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 60, "{count} files");
}
