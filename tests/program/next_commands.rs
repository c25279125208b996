//! The commands that the program prints can be run as they stand: those that a finding advises, and the one behind `pin`.

use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use simulator::phala_cloud::{self, InstanceShape};
use simulator::{AppServer, Cvm, Lie, PccsServer, World};
use tempfile::TempDir;

/// Two deployments of today, since the program's own clock judges them.
struct Lab {
    world: World,
    shop: AppServer,
    api: AppServer,
    pccs: PccsServer,
    folder: TempDir,
}

impl Lab {
    fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let world = World::new(1, now);
        let lab = Self {
            shop: AppServer::http(Cvm::healthy(&world)),
            api: AppServer::http(Cvm::healthy(&world)),
            pccs: PccsServer::http(world.clone()),
            folder: tempfile::tempdir().unwrap(),
            world,
        };
        std::fs::write(lab.path("root.pem"), lab.world.root_pem()).unwrap();
        lab
    }

    /// With a policy file of both.
    fn with_policy(name: &str) -> Self {
        let lab = Self::new();
        let target =
            |name: &str, app: &AppServer| format!("[[target]]\nname = \"{name}\"\nurl = \"{}\"\n", app.url());
        let text = format!(
            "[defaults]\nlock = \"multi.lock\"\n{}{}",
            target("shop", &lab.shop),
            target("api", &lab.api)
        );
        std::fs::write(lab.path(name), text).unwrap();
        lab
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a command line as a shell splits it; its exit code, and what it said.
    fn run(&self, command: &str) -> (i32, String) {
        let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
        // What a command that was advised does not say: the root of trust, and the network of a command that is begun here.
        let root = format!("--insecure-trust-root={}", self.path("root.pem").display());
        let pccs = format!("--pccs-url {}", self.pccs.url());
        let network = match rest.contains("--pccs-url") {
            true => String::new(),
            false => format!("{pccs} --allow-private-network"),
        };
        let accepting = match name {
            "pin" if !rest.contains("--accept") => "--accept-observed",
            _ => "",
        };
        let script = format!("exec \"$0\" {name} {rest} {network} '{root}' {accepting}");
        let output = Command::new("sh")
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .args(["-c", &script, env!("CARGO_BIN_EXE_cvm-verify")])
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.code().unwrap(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    }

    #[track_caller]
    fn ends_with(&self, code: i32, command: &str) -> String {
        let (found, said) = self.run(command);
        assert_eq!(found, code, "cvm-verify {command}\n{said}");
        said
    }

    /// Runs what stands behind "Then: " in what was said: it must pass.
    #[track_caller]
    fn goes_on(&self, said: &str) -> String {
        let behind = said
            .split_once("Then: cvm-verify ")
            .unwrap_or_else(|| panic!("{said}"))
            .1;
        let command = behind.lines().next().unwrap();
        self.ends_with(0, command);
        command.to_owned()
    }

    /// The commands that the findings of a run advise.
    fn advised(&self, verify: &str) -> Vec<String> {
        self.run(&format!("{verify} --report-json=report.json"));
        let report = std::fs::read_to_string(self.path("report.json")).unwrap();
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        let targets = report["targets"].as_array().unwrap();
        let checks = targets
            .iter()
            .flat_map(|target| target["checks"].as_array().unwrap());
        let mut commands: Vec<String> = checks
            .filter_map(|check| check["fix"].as_str())
            .flat_map(|fix| fix.split('`').skip(1).step_by(2))
            .filter_map(|text| text.strip_prefix("cvm-verify "))
            .map(str::to_owned)
            .collect();
        commands.sort_unstable();
        commands.dedup();
        commands
    }

    /// Every advised command runs: what it finds is another matter.
    #[track_caller]
    fn all_run(&self, commands: &[String]) {
        assert!(!commands.is_empty(), "nothing was advised");
        for command in commands {
            let is_example = ["…", "FILE", "OWNER", "explain"]
                .iter()
                .any(|part| command.contains(part));
            if !is_example {
                let (code, said) = self.run(command);
                assert!(code == 0 || code == 1, "cvm-verify {command}: {code}\n{said}");
            }
        }
    }
}

fn swapped(world: &World) -> Cvm {
    let mut cvm = Cvm::healthy(world);
    Lie::SwappedImage.apply(&mut cvm);
    cvm
}

#[test]
fn every_command_that_a_finding_of_a_policy_file_advises_runs() {
    let lab = Lab::with_policy("cvm-verify.toml");
    lab.ends_with(0, "pin");
    lab.ends_with(0, "verify");
    lab.shop.replace(swapped(&lab.world));
    let commands = lab.advised("verify");
    // As the run reached the network; what replaces the trust root is never advised.
    for command in commands.iter().filter(|command| command.contains("--target")) {
        for option in ["--pccs-url http", "--allow-private-network"] {
            assert!(command.contains(option), "{command}");
        }
        assert!(!command.contains("--insecure-trust-root"), "{command}");
    }
    for wanted in ["diff --target shop", "pin --target shop"] {
        let wanted = format!("{wanted} --pccs-url {} --allow-private-network", lab.pccs.url());
        assert!(commands.contains(&wanted), "{commands:?}");
    }
    assert!(
        lab.ends_with(1, "diff --target shop").contains("images.web"),
        "{commands:?}"
    );
    lab.all_run(&commands);
    // That pinned it.
    lab.ends_with(0, "verify");
    lab.ends_with(0, "diff --target shop");
    lab.ends_with(0, "diff multi.lock multi.lock --target api");
    let url = lab.shop.url();
    lab.ends_with(0, &format!("diff multi.lock {url} --target shop"));
    assert!(
        lab.ends_with(2, &format!("diff multi.lock {url}"))
            .contains("--target NAME")
    );
    let missing = lab.ends_with(2, "diff --target shop --config nowhere.toml");
    assert!(missing.contains("nowhere.toml: cannot be read"), "{missing}");
    let both = format!("diff multi.lock {url} --target shop --config cvm-verify.toml");
    let both = lab.ends_with(2, &both);
    assert!(
        both.contains("a policy file is read for a comparison without A and B"),
        "{both}"
    );
}

#[test]
fn every_command_that_a_finding_of_an_address_advises_runs() {
    for lock in ["cvm.lock", "my lock"] {
        let lab = Lab::new();
        let url = lab.shop.url();
        let url = url.trim_end_matches('/');
        lab.ends_with(0, &format!("pin {url} --output '{lock}'"));
        lab.shop.replace(swapped(&lab.world));
        let verify = format!("verify {url} --lock '{lock}'");
        let commands = lab.advised(&verify);
        assert!(
            commands.iter().any(|command| command.starts_with("diff ")),
            "{commands:?}"
        );
        lab.all_run(&commands);
        lab.ends_with(0, &verify);
        let elsewhere = lock != "cvm.lock" && Path::new(&lab.path("cvm.lock")).exists();
        assert!(!elsewhere, "another lock was written");
    }
}

#[test]
fn what_pin_says_next_passes() {
    let lab = Lab::new();
    let url = lab.shop.url();
    for (pin, next) in [
        (format!("pin {url}"), "verify http"),
        (format!("pin {url} --output other.lock"), "verify http"),
        (
            format!("pin {url} --output several.lock --target shop"),
            "verify http",
        ),
    ] {
        let said = lab.ends_with(0, &pin);
        assert!(
            said.contains("\nAdd the --insecure-trust-root of this run to it.\n"),
            "{said}"
        );
        let command = lab.goes_on(&said);
        assert!(command.starts_with(next), "{command}");
    }
    for name in ["cvm-verify.toml", "other.toml"] {
        let lab = Lab::with_policy(name);
        let config = format!("--config {name}");
        let said = lab.ends_with(0, &format!("pin --target shop {config}"));
        let command = lab.goes_on(&said);
        assert_eq!(command.contains("--config"), name == "other.toml", "{command}");
        let said = lab.ends_with(0, &format!("pin --target api {config} --output own.lock"));
        lab.goes_on(&said);
    }
}

#[test]
fn what_pin_says_next_names_the_source_and_the_waiver() {
    let lab = Lab::new();
    let cvm = Cvm::healthy(&lab.world);
    let id = cvm.app_id_bytes();
    let answer = phala_cloud::answer(&id, InstanceShape::New, &[Some(cvm.clone())]);
    lab.shop
        .serve_file(&phala_cloud::path(&id), "application/json", answer);
    let api = format!("--phala-api-url {}", lab.shop.url());
    let id = hex::encode(id);
    let pin = format!("pin {id} --source phala-cloud {api} --output p.lock");
    let refused = lab.run(&format!("{pin} --accept tcb")).1;
    assert!(
        refused.contains("`verify` also needs --freshness unchecked"),
        "{refused}"
    );
    let command = lab.goes_on(&lab.ends_with(0, &pin));
    assert!(
        command.contains("--source phala-cloud") && command.contains("--freshness unchecked"),
        "{command}"
    );

    lab.shop
        .serve_guest_agent(&cvm, simulator::guest_agent::INFO_PATHS[0]);
    let pin = format!("pin {} --source guest-agent --output g.lock", lab.shop.url());
    lab.goes_on(&lab.ends_with(0, &pin));
    // Recorded evidence does not always say where it is from.
    let (_, said) = lab.run(&format!(
        "verify {id} --source phala-cloud {api} --evidence e.json"
    ));
    let said = [said, lab.ends_with(0, "pin --from e.json --output r.lock")].concat();
    // What was pinned is in the recording: the app may run something else by now.
    let next = "Then: cvm-verify replay e.json --lock r.lock --freshness unchecked\n";
    assert!(said.contains(next), "{said}");
    let output = Command::new(env!("CARGO_BIN_EXE_cvm-verify"))
        .current_dir(lab.folder.path())
        .env_clear()
        .args(next.trim().split(' ').skip(2))
        .arg(format!(
            "--insecure-trust-root={}",
            lab.path("root.pem").display()
        ))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn what_pin_says_next_accepts_a_platform_that_is_not_up_to_date() {
    let lab = Lab::new();
    let mut cvm = Cvm::healthy(&lab.world);
    Lie::OutOfDatePlatform.apply(&mut cvm);
    lab.shop.replace(cvm);
    let url = lab.shop.url();
    let refused = lab.ends_with(1, &format!("pin {url} --accept no-nonce"));
    for said in [
        "`verify` also needs --accept-tcb OutOfDate:until=20",
        "a lock does not accept a TCB status, which needs an end date",
    ] {
        assert!(refused.contains(said), "{refused}");
    }
    let pinned = lab.ends_with(0, &format!("pin {url}"));
    let command = lab.goes_on(&pinned);
    assert!(command.contains(" --accept-tcb OutOfDate:until=20"), "{command}");
    let lock = std::fs::read_to_string(lab.path("cvm.lock")).unwrap();
    assert!(
        lock.contains("`tcb` and `no-nonce` are only notes: `verify` needs"),
        "{lock}"
    );
    // The lock alone does not.
    lab.ends_with(1, &format!("verify {url}"));
    // A policy file that accepts it needs nothing more.
    let exception = command.split_once("--accept-tcb ").unwrap().1;
    let exception = exception.split(' ').next().unwrap();
    let text = format!(
        "[[target]]\nname = \"shop\"\nurl = \"{url}\"\nlock = \"own.lock\"\naccept-tcb = [\"{exception}\"]\n"
    );
    std::fs::write(lab.path("cvm-verify.toml"), text).unwrap();
    let command = lab.goes_on(&lab.ends_with(0, "pin --target shop"));
    assert!(!command.contains("accept-tcb"), "{command}");
}

#[test]
fn pin_names_the_layout_of_a_nonce_that_is_signed_in_another_one() {
    let lab = Lab::with_policy("cvm-verify.toml");
    let mut cvm = Cvm::healthy(&lab.world);
    Lie::NonceInSecondHalf.apply(&mut cvm);
    lab.shop.replace(cvm);
    let url = lab.shop.url();
    let refused = lab.ends_with(1, &format!("pin {url} --accept unknown-image"));
    for said in [
        "The quote signs the nonce that was sent in the layout `left-padded`",
        "name it: --report-data left-padded",
    ] {
        assert!(refused.contains(said), "{refused}");
    }
    for unsaid in ["--accept no-nonce", "--freshness unchecked", "at any time"] {
        assert!(!refused.contains(unsaid), "{refused}");
    }
    for pin in [
        format!("pin {url} --output l.lock"),
        "pin --target shop".to_owned(),
    ] {
        let said = lab.ends_with(0, &format!("{pin} --report-data left-padded"));
        let command = lab.goes_on(&said);
        assert!(command.contains("--report-data left-padded"), "{command}");
    }
}
