//! The commands in the documentation do what they say: each is run as it stands, against the simulator.
//!
//! Only names are exchanged: the address, the hash and the dates of the examples. What the simulator needs beside them (its root,
//! its PCCS, and `--accept-observed`, for its OS image is in no table) is added.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use simulator::{AppServer, Cvm, PccsServer, World};
use tempfile::TempDir;

use crate::{read, repository};

/// The pages, and the commands in them that cannot be run here, by their beginning: a channel, a server, another machine's path.
const PAGES: [(&str, &[&str]); 6] = [
    ("README.md", &[]),
    ("docs/concepts.md", &[]),
    ("docs/policy-file.md", &[]),
    ("docs/quick-start.md", &[]),
    ("docs/recipes.md", &[]),
    (
        "docs/watch.md",
        &[
            "alert test",
            "watch --state state.json --listen",
            "watch --log-format json |",
        ],
    ),
];

/// Commands that end with another code than 0.
const FAILING: [(&str, i32); 1] = [("replay $s/swapped-image", 1)];

/// How many commands there are at least: a page that changes its form must not switch the test off.
const AT_LEAST: usize = 20;

struct Lab {
    folder: TempDir,
    app: AppServer,
    pccs: PccsServer,
    compose_hash: String,
    until: String,
}

impl Lab {
    fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let world = World::new(1, now);
        let cvm = Cvm::healthy(&world);
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("root.pem"), world.root_pem()).unwrap();
        let document: serde_json::Value = serde_json::from_str(&cvm.app_compose).unwrap();
        for name in ["one", "several/deploy"] {
            std::fs::create_dir_all(path(name)).unwrap();
        }
        let compose = document["docker_compose_file"].as_str().unwrap();
        std::fs::write(path("one/docker-compose.yml"), compose).unwrap();
        std::fs::write(path("one/app-compose.json"), &cvm.app_compose).unwrap();
        std::os::unix::fs::symlink(repository("fixtures"), path("one/fixtures")).unwrap();
        let days = i64::try_from(now / 86_400).unwrap() + 30;
        let until = chrono::NaiveDate::default() + chrono::Days::new(u64::try_from(days).unwrap());
        let lab = Self {
            compose_hash: hex::encode(cvm.compose_hash()),
            app: AppServer::http(cvm),
            pccs: PccsServer::http(world),
            until: until.to_string(),
            folder,
        };
        let policy = |lock: &str| {
            format!(
                "[defaults]\nlock = \"{lock}\"\n[[target]]\nname = \"shop\"\nurl = \"{url}\"\n[[target]]\nname = \"api\"\nurl = \
                 \"{url}\"\n",
                url = lab.app.url()
            )
        };
        std::fs::write(lab.path("several/cvm-verify.toml"), policy("cvm.lock")).unwrap();
        std::fs::write(lab.path("several/deploy/cvm-verify.toml"), policy("../cvm.lock")).unwrap();
        // What a reader of a later page has by then.
        for command in [
            "pin https://your-app.example",
            "verify https://your-app.example --evidence old.evidence.json",
            "verify https://your-app.example --evidence new.evidence.json",
            "pin",
        ] {
            assert_eq!(lab.run(command).0, 0, "{command}: {}", lab.run(command).1);
        }
        for name in ["main.lock", "release.lock"] {
            std::fs::copy(lab.path("one/cvm.lock"), lab.path("one").join(name)).unwrap();
        }
        lab
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a command of a page; its exit code, and what it said.
    fn run(&self, command: &str) -> (i32, String) {
        let url = self.app.url().to_string();
        let command = command
            .replace("https://your-app.example", url.trim_end_matches('/'))
            .replace("https://app.example", url.trim_end_matches('/'))
            .replace("3f9a…", &self.compose_hash)
            .replace("2026-12-31", &self.until)
            .replace("$s/", "fixtures/simulated/");
        let mut args: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
        let name = args[0].clone();
        let is_of_policy_file = (["verify", "watch", "pin"].contains(&name.as_str())
            || command.starts_with("diff --target"))
            && !args.iter().any(|arg| arg.contains("://") || arg == "--from");
        if ["verify", "watch", "pin", "replay", "diff", "inspect"].contains(&name.as_str())
            && !command.contains("--insecure-trust-root")
        {
            args.push(format!(
                "--insecure-trust-root={}",
                self.path("root.pem").display()
            ));
        }
        if name == "pin" && !command.contains("--accept") {
            args.push("--accept-observed".to_owned());
        }
        let folder = if is_of_policy_file { "several" } else { "one" };
        let output = Command::new(env!("CARGO_BIN_EXE_cvm-verify"))
            .current_dir(self.path(folder))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("CVM_VERIFY_ALLOW_PRIVATE_NETWORK", "true")
            .env("CVM_VERIFY_PCCS_URL", self.pccs.url())
            .args(&args)
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.code().unwrap(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    }
}

/// The commands of a page, without the program's name and the remark behind them.
fn commands(page: &str) -> Vec<String> {
    read(page)
        .lines()
        .filter_map(|line| line.trim().strip_prefix("$ cvm-verify "))
        .map(|line| line.split(" #").next().unwrap_or_default().trim().to_owned())
        .collect()
}

#[test]
fn the_commands_of_the_documentation_do_what_they_say() {
    let lab = Lab::new();
    let mut ran = 0;
    for (page, left_out) in PAGES {
        for command in commands(page) {
            if left_out.iter().any(|start| command.starts_with(start)) {
                continue;
            }
            let failing = FAILING.iter().find(|(start, _)| command.starts_with(start));
            let expected = failing.map_or(0, |(_, code)| *code);
            let (code, said) = lab.run(&command);
            assert_eq!(code, expected, "{page}: cvm-verify {command}\n{said}");
            assert!(
                !said.contains("Nothing was verified"),
                "{page}: {command}\n{said}"
            );
            ran += 1;
        }
    }
    assert!(ran >= AT_LEAST, "{ran} commands");
    assert!(
        Path::new(&lab.path("one/bundle.json")).exists(),
        "the recipes write one"
    );
}
