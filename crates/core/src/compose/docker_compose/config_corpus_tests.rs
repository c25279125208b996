//! The corpora of configs in `fixtures/compose`: what ordinary deployments mount, and what executes a value.

use serde_json::{Value, json};

use super::{ComposeFile, LaunchScript, read_document};

const DIGEST: &str = "@sha256:5618a93a78c9ac9173e7ebf7c8af173bd675be6832a2f8c2a9a7149ac2678f54";

/// Each config of a corpus with its line.
fn corpus(name: &str) -> Vec<(String, ComposeFile)> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/compose")
        .join(name);
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with("# "));
    lines.map(|line| (line.to_owned(), file(line))).collect()
}

fn file(line: &str) -> ComposeFile {
    let mut parts = line.splitn(3, " | ");
    let (target, list, content) = (
        parts.next().unwrap(),
        parts.next().unwrap(),
        parts.next().unwrap(),
    );
    let content = content.replace("\\n", "\n").replace('$', "$$");
    let mut service = json!({
        "image": format!("example/app{DIGEST}"),
        "environment": { "E": "${E}" },
        "configs": [{ "source": "c", "target": target }],
    });
    if list != "-" {
        service["entrypoint"] = serde_json::from_str::<Value>(list).unwrap();
    }
    let compose = json!({ "services": { "a": service }, "configs": { "c": { "content": content } } });
    let members = json!({
        "runner": "docker-compose",
        "allowed_envs": ["E"],
        "docker_compose_file": compose.to_string(),
    });
    read_document(members.as_object().unwrap(), LaunchScript::None)
        .unwrap()
        .unwrap()
}

#[test]
fn configs_that_execute_a_value_are_refused() {
    let configs = corpus("executing-configs.txt");
    assert!(configs.len() > 90, "{} configs", configs.len());
    let missed: Vec<&String> = configs
        .iter()
        .filter(|(_, file)| file.deciding_count() == 0)
        .map(|(line, _)| line)
        .collect();
    assert!(missed.is_empty(), "{missed:#?}");
    for (line, file) in &configs {
        let place = file.deciding().next().unwrap();
        assert!(
            place.path == "configs.c.content" && place.says.contains("write"),
            "{line}: {place:?}"
        );
    }
}

#[test]
fn ordinary_configs_decide_no_code() {
    let configs = corpus("ordinary-configs.txt");
    assert!(configs.len() > 30, "{} configs", configs.len());
    let says = |file: &ComposeFile| {
        file.deciding()
            .map(|place| place.says.clone())
            .collect::<Vec<_>>()
    };
    let wrong = configs.iter().filter(|(_, file)| file.deciding_count() != 0);
    let wrong: Vec<_> = wrong.map(|(line, file)| (line, says(file))).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
