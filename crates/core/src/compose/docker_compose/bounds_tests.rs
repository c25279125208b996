//! Documents that are longer than any of a deployment: the work is bounded, and what is not judged decides code.

use serde_json::{Map, json};

use super::{LaunchScript, read_document};

const DIGEST: &str = "@sha256:5618a93a78c9ac9173e7ebf7c8af173bd675be6832a2f8c2a9a7149ac2678f54";

#[test]
fn lists_beyond_a_number_of_words_are_not_judged() {
    let places = |lists: usize| {
        let words = ["app"]
            .into_iter()
            .chain(["--port", "${X}"].into_iter().cycle().take(240));
        let words: Vec<&str> = words.collect();
        let service = json!({ "image": format!("x/y{DIGEST}"), "entrypoint": words });
        let services: Map<String, _> = (0..lists).map(|at| (format!("s{at}"), service.clone())).collect();
        let compose = json!({ "services": services });
        let members = json!({
            "runner": "docker-compose",
            "allowed_envs": ["X"],
            "docker_compose_file": compose.to_string(),
        });
        let file = read_document(members.as_object().unwrap(), LaunchScript::None)
            .unwrap()
            .unwrap();
        (file.outside.count(), file.unmeasured.count())
    };
    assert_eq!(places(4), (480, 0));
    let (outside, unmeasured) = places(15);
    assert_eq!((outside + unmeasured, unmeasured), (15 * 120, 2 * 120));
}

/// A script in a config is told what the containers say that mount it, and of too many names what any container says.
#[test]
fn configs_beyond_a_number_of_addresses_are_told_all_of_them() {
    let executes = |names: usize, is_own: bool| {
        let entries: Map<String, _> = (0..names)
            .map(|at| (format!("U{at}"), json!("http://x.example.com/i.sh")))
            .collect();
        let image = format!("x/y{DIGEST}");
        let mounted: Vec<String> = (0..300).map(|at| format!("c{at}")).collect();
        let own = if is_own { vec!["start"] } else { Vec::new() };
        let mounted: Vec<&str> = mounted.iter().map(String::as_str).chain(own).collect();
        let compose = json!({
            "services": {
                "one": { "image": image, "environment": entries, "configs": mounted },
                "two": { "image": image, "configs": ["start"], "command": ["sh", "/start"] },
            },
            "configs": { "start": { "content": "curl -s $$U1 | sh\n" } },
        });
        let members = json!({ "runner": "docker-compose", "docker_compose_file": compose.to_string() });
        let file = read_document(members.as_object().unwrap(), LaunchScript::None)
            .unwrap()
            .unwrap();
        file.unmeasured.count()
    };
    assert_eq!(executes(200, false), 0);
    assert_eq!(executes(200, true), 1, "a container that mounts it says it");
    assert_eq!(executes(300, false), 1, "too many names");
}
