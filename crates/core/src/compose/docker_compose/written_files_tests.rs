//! Files that a script before the containers writes, where a container mounts them.

use serde_json::json;

use super::{ComposeFile, LaunchScript, read_document};

const DIGEST: &str = "@sha256:5618a93a78c9ac9173e7ebf7c8af173bd675be6832a2f8c2a9a7149ac2678f54";

fn with_mount(script: &str, mount: &str) -> ComposeFile {
    let compose = json!({ "services": { "a": { "image": format!("x/y{DIGEST}"), "volumes": [mount] } } });
    let members = json!({
        "runner": "docker-compose",
        "allowed_envs": ["X"],
        "init_script": [script],
        "docker_compose_file": compose.to_string(),
    });
    read_document(members.as_object().unwrap(), LaunchScript::None)
        .unwrap()
        .unwrap()
}

#[test]
fn a_mounted_file_of_a_script_holds_what_it_is_written_with() {
    for (script, mount, says) in [
        (
            "cp /dstack/user_config /dstack/run.sh",
            "/dstack/run.sh:/run.sh",
            "the host hands in",
        ),
        (
            "cp /dstack/user_config /dstack/app.json",
            "./app.json:/app.json",
            "the host hands in",
        ),
        ("cp user_config run.sh", "./run.sh:/run.sh", "the host hands in"),
        (
            "ln -s /dstack/.host-shared /dstack/data",
            "/dstack/data:/data",
            "the host hands in",
        ),
        (
            "mkdir x; mount --bind /dstack/.host-shared /dstack/x",
            "/tapp/x:/x",
            "the host hands in",
        ),
        ("mount -t virtiofs s /mnt", "/mnt/app:/app", "the host hands in"),
        (
            "echo \"$X\" > /dstack/run.sh",
            "/dstack/run.sh:/run.sh",
            "what `X` holds",
        ),
        (
            "echo \"$X\" > /dstack/app/run",
            "/dstack/app:/app",
            "what `X` holds",
        ),
        (
            "sh -c 'echo \"$X\" > /dstack/app/run'",
            "./app:/app",
            "what `X` holds",
        ),
        (
            "F=/dstack/run.py; echo \"$X\" > $F",
            "/dstack/run.py:/run.py",
            "what `X` holds",
        ),
        (
            "F=$(cat name); echo \"$X\" > $F",
            "/opt/app:/app",
            "what `X` holds",
        ),
        ("echo \"$X\" > \"$(cat name)\"", "/opt/app:/app", "what `X` holds"),
        (
            "aria2c -d /opt/app -o run \"$X\"",
            "/opt/app:/app",
            "what `X` holds",
        ),
        (
            "curl --output-dir /opt/app -o run \"$X\"",
            "/opt/app:/app",
            "what `X` holds",
        ),
        (
            "curl --outp /opt/app/run \"$X\"",
            "/opt/app:/app",
            "what `X` holds",
        ),
        (
            "F=$(mktemp -p /opt/app); echo \"$X\" > $F",
            "/opt/app:/app",
            "what `X` holds",
        ),
        (
            "curl -fsS \"$X\" -o /opt/app/run",
            "/opt/app:/app",
            "what `X` holds",
        ),
        (
            "curl -fsSLo /opt/app/run \"$X\"",
            "/opt/app:/app",
            "what `X` holds",
        ),
        (
            "cd /opt/app && curl -O \"https://x.example/$X\"",
            "/opt/app:/app",
            "what `X` holds",
        ),
        ("wget -qO /opt/app/run \"$X\"", "/opt/app:/app", "what `X` holds"),
        (
            "wget -q -P /opt/app \"https://x.example/$X\"",
            "/opt/app:/app",
            "what `X` holds",
        ),
    ] {
        let file = with_mount(script, mount);
        let place = file
            .unmeasured
            .iter()
            .find(|place| place.path == "services.a.volumes[0]");
        assert!(
            place.is_some_and(|place| place.says.contains(says)),
            "{script}: {place:?}"
        );
    }
    for (script, mount) in [
        ("echo \"$X\" > /dstack/run.sh", "/dstack/other:/run.sh"),
        ("echo \"$X\" > /dstack/app/config.json", "/dstack/app:/app"),
        (
            "printf '%s' \"$X\" > /dstack/secrets/db_password",
            "/dstack/secrets:/run/secrets:ro",
        ),
        ("echo \"KEY=$X\" > /dstack/app.env", "./app.env:/app/.env"),
        (
            "echo fixed > /dstack/run.sh; app \"$X\"",
            "/dstack/run.sh:/run.sh",
        ),
        ("echo \"$X\" > /dev/null", "/dev/shm:/x"),
        ("F=$(mktemp); echo \"$X\" > $F", "/opt/app:/app"),
        ("F=\"$(mktemp -d)\"; echo \"$X\" > \"$F/run\"", "/opt/app:/app"),
        (
            "curl -fsS -H \"Authorization: Bearer $X\" https://api.example > /dev/null",
            "/var/run/dstack.sock:/var/run/dstack.sock",
        ),
        ("curl -fsS -X POST \"$X\"", "/dstack/data:/data"),
        (
            "curl -fsS -H \"x: $X\" https://api.example -o /dstack/x.json",
            "/dstack/data:/data",
        ),
        ("wget -qO- \"$X\"", "/dstack/data:/data"),
        ("jq -r .name user_config", "/dstack/data:/data"),
    ] {
        let file = with_mount(script, mount);
        let places: Vec<_> = file.unmeasured.iter().collect();
        assert!(
            places.iter().all(|place| place.path != "services.a.volumes[0]"),
            "{script}: {places:?}"
        );
    }
}
