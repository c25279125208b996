//! Advice that is accepted where it is followed.

use super::*;

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
