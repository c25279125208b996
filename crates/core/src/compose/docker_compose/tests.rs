mod advice;
mod start_scripts;

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

/// A reason in a lock is bound to the text of the place: where a name stands nowhere, it is the script that executes it.
#[test]
fn what_a_script_executes_without_naming_it_is_a_place_of_the_script() {
    let script = "envsubst < /app/t.sh > /app/run.sh; sh /app/run.sh";
    let file = service(&format!(
        "image: nginx{DIGEST}\nenvironment: [X]\nentrypoint: {}",
        json!(["sh", "-c", script])
    ));
    let place = file.unmeasured.iter().next().unwrap();
    assert_eq!(place.path, "services.api.entrypoint[2]");
    assert_eq!(place.sha256, crate::verify::digest::sha256(script.as_bytes()));
}

/// No other word of the list is the place, whatever variables it reads: under a reason for that one the script could change.
#[test]
fn the_place_of_what_a_list_executes_is_the_script_that_does_it() {
    for script in [
        "curl http://x.example.com/i.sh | sh",
        "envsubst </t | sh",
        "envsubst < /app/t.sh > /app/run.sh; sh /app/run.sh",
        "eval \"$$X\"",
    ] {
        for behind in [
            vec!["x", "an env"],
            vec!["x", "echo $$X"],
            vec!["$$X is shown"],
            vec![],
        ] {
            let list: Vec<&str> = ["sh", "-c", script].into_iter().chain(behind).collect();
            let places = executed_in(&list);
            assert!(
                places.contains(&("services.api.entrypoint[2]".to_owned(), hash(script))),
                "{list:?}"
            );
        }
    }
}

/// Each word that executes a name is a place: with a reason for one of them the other cannot change.
#[test]
fn each_script_of_a_list_is_a_place() {
    let (one, other) = (
        "curl http://x.example.com/a | sh",
        "curl http://x.example.com/b | sh",
    );
    let places = executed_in(&["run", "-c", one, "--", other]);
    assert_eq!(
        places,
        [
            ("services.api.entrypoint[2]".to_owned(), hash(one)),
            ("services.api.entrypoint[4]".to_owned(), hash(other)),
        ]
    );
}

#[test]
fn what_no_word_of_a_list_executes_alone_is_a_place_of_the_whole_list() {
    for list in [
        ["awk", "BEGIN { system(ENVIRON[\"X\"]) }", ";", "an env"],
        ["lua", "-e", "os.execute(os.getenv('X'))", "an env"],
        ["Rscript", "-e", "system(Sys.getenv('X'))", "an env"],
    ] {
        let places = executed_in(&list);
        let whole = (
            "services.api.entrypoint".to_owned(),
            hash(&json!(list).to_string()),
        );
        assert_eq!(places, [whole], "{list:?}");
    }
    let code = "import os; exec(os.environ['X'])";
    let places = executed_in(&["python3", "-c", code, "an env"]);
    assert_eq!(places, [("services.api.entrypoint[2]".to_owned(), hash(code))]);
}

fn hash(text: &str) -> [u8; 32] {
    crate::verify::digest::sha256(text.as_bytes())
}

/// The places of an entrypoint of a container in which X is set from outside.
fn executed_in(list: &[&str]) -> Vec<(String, [u8; 32])> {
    let file = service(&format!(
        "image: nginx{DIGEST}\nenvironment: [X]\nentrypoint: {}",
        json!(list)
    ));
    let places = file.unmeasured.iter();
    places.map(|place| (place.path.clone(), place.sha256)).collect()
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
