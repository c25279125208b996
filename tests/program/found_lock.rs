//! The `cvm.lock` of the working folder, in a process of its own: the working folder is one of the process.

use std::path::Path;
use std::process::{Command, Output};
use std::time::{SystemTime, UNIX_EPOCH};

use simulator::{AppServer, Cvm, PccsServer, World};
use tempfile::TempDir;

/// A deployment of today, since the program's own clock judges it.
struct Today {
    app: AppServer,
    pccs: PccsServer,
    folder: TempDir,
}

impl Today {
    fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let world = World::new(1, now);
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("root.pem"), world.root_pem()).unwrap();
        Self {
            app: AppServer::http(Cvm::healthy(&world)),
            pccs: PccsServer::http(world),
            folder,
        }
    }

    fn run_in(&self, folder: &Path, command: &str, more: &[&str]) -> Ran {
        let output = Command::new(env!("CARGO_BIN_EXE_cvm-verify"))
            .current_dir(folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .arg(command)
            .args(more)
            .arg("--allow-private-network")
            .arg(format!("--pccs-url={}", self.pccs.url()))
            .arg(format!(
                "--insecure-trust-root={}",
                self.folder.path().join("root.pem").display()
            ))
            .output()
            .unwrap();
        Ran::of(&output)
    }

    fn run(&self, command: &str, more: &[&str]) -> Ran {
        self.run_in(self.folder.path(), command, more)
    }

    fn url(&self) -> String {
        self.app.url().to_string()
    }

    fn lock(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("cvm.lock")).unwrap()
    }

    fn write_lock(&self, text: &str) {
        std::fs::write(self.folder.path().join("cvm.lock"), text).unwrap();
    }
}

#[derive(Debug)]
struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Ran {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self {
            code: output.status.code().unwrap(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    #[track_caller]
    fn says(&self, code: i32, what: &str) {
        assert_eq!(self.code, code, "{self:#?}");
        let both = format!("{}{}", self.stdout, self.stderr);
        assert!(both.contains(what), "{what:?} is not in {both}");
    }
}

#[test]
fn pin_and_then_verify_in_the_same_folder_is_green_and_says_why() {
    let today = Today::new();
    let url = today.url();
    let pinned = today.run("pin", &[&url, "--accept-observed"]);
    pinned.says(0, "Then: cvm-verify verify http://127.0.0.1:");
    let origin = url.trim_end_matches('/');
    assert!(
        today.lock().contains(&format!("origin = \"{origin}\"")),
        "{}",
        today.lock()
    );
    let verified = today.run("verify", &[&url]);
    verified.says(0, "accepted by cvm.lock");
    assert!(
        verified
            .stderr
            .starts_with("No expected values were given: using cvm.lock of this folder"),
        "{}",
        verified.stderr
    );
    let watched = today.run("watch", &[&url, "--once"]);
    watched.says(0, "using cvm.lock of this folder");
    // A path below the same address is the same origin; another port is another.
    let elsewhere = Today::new();
    let other = today.run("verify", &[&elsewhere.url()]);
    other.says(
        3,
        &format!("There is a cvm.lock here for {origin}. It is not used for "),
    );
    // Nothing is taken where something else is expected, another folder is meant or --no-lock says so.
    let refused = today.run("verify", &[&url, "--no-lock"]);
    refused.says(3, "No compose hash is expected");
    assert!(!refused.stderr.contains("cvm.lock"), "{}", refused.stderr);
    let given = today.run("verify", &[&url, "--app-id", &"ab".repeat(20)]);
    given.says(1, "app-id");
    assert!(!given.stderr.contains("using cvm.lock"), "{}", given.stderr);
    given.says(
        1,
        "It is not used, because other expected values were given. To use it as well: --lock cvm.lock",
    );
    // As Phala Cloud shows it.
    let shown = format!("app_{}", "ab".repeat(20));
    today.run("verify", &[&url, "--app-id", &shown]).says(1, "app-id");
    for silent in [&["--quiet"][..], &["--no-lock"]] {
        let ran = today.run(
            "verify",
            &[&[url.as_str(), "--app-id", &shown][..], silent].concat(),
        );
        assert!(!ran.stderr.contains("There is a cvm.lock here"), "{}", ran.stderr);
    }
    let below = today.folder.path().join("below");
    std::fs::create_dir(&below).unwrap();
    let climbed = today.run_in(&below, "verify", &[&url]);
    climbed.says(3, "No compose hash is expected");
    assert!(!climbed.stderr.contains("cvm.lock"), "{}", climbed.stderr);
}

#[test]
fn a_lock_that_cannot_be_read_or_names_no_address_is_never_passed_over_in_silence() {
    let today = Today::new();
    let url = today.url();
    today
        .run("pin", &[&url, "--accept-observed"])
        .says(0, "Wrote cvm.lock");
    let good = today.lock();
    let without: String = good
        .lines()
        .filter(|line| !line.starts_with("origin"))
        .map(|line| format!("{line}\n"))
        .collect();
    today.write_lock(&without);
    today.run("verify", &[&url]).says(
        3,
        "There is a cvm.lock here that does not name the address that it was made from.",
    );
    today.write_lock("schema = 1\n");
    today
        .run("verify", &[&url])
        .says(2, "To verify without it: --no-lock");
    today
        .run("verify", &[&url, "--no-lock"])
        .says(3, "No compose hash is expected");
    // pin says how the file is replaced, and replaces it then alone.
    let broken = format!("{good}[unclosed\n");
    today.write_lock(&broken);
    today
        .run("pin", &[&url, "--accept-observed"])
        .says(2, "cvm-verify pin --force");
    assert_eq!(today.lock(), broken);
    today
        .run("pin", &[&url, "--accept-observed", "--force"])
        .says(0, "Wrote cvm.lock");
    assert_eq!(today.lock(), good);
    let conflict = good.replacen("app_id", "<<<<<<< HEAD\n=======\n>>>>>>> other\napp_id", 1);
    today.write_lock(&conflict);
    today
        .run("pin", &[&url, "--accept-observed"])
        .says(2, "git checkout --ours cvm.lock (or --theirs)");
    // Nor are the values of other targets.
    today
        .run(
            "pin",
            &[
                &url,
                "--accept-observed",
                "--force",
                "--target",
                "api",
                "--output",
                "fleet.lock",
            ],
        )
        .says(0, "Wrote fleet.lock");
    let fleet = std::fs::read_to_string(today.folder.path().join("fleet.lock")).unwrap();
    let broken = fleet.replacen("mrtd = \"", "mrtd = \"zz", 1);
    today.write_lock(&broken);
    for more in [&["--force"][..], &["--force", "--target", "shop"]] {
        let ran = today.run("pin", &[&[url.as_str(), "--accept-observed"][..], more].concat());
        ran.says(
            2,
            "cvm.lock also has the values of api, which pin does not replace, not even with --force.",
        );
        assert_eq!(today.lock(), broken);
    }
    today
        .run("pin", &[&url, "--accept-observed", "--force", "--target", "api"])
        .says(0, "Wrote cvm.lock");
    assert_eq!(today.lock(), fleet);
    // What is not a lock is nobody's to replace.
    for other in ["services: {}\n", "schema = 1\n", "print('schema')\n"] {
        today.write_lock(other);
        for force in [&[][..], &["--force"]] {
            let ran = today.run("pin", &[&[url.as_str(), "--accept-observed"][..], force].concat());
            ran.says(2, "so pin does not replace it, not even with --force");
            assert!(!ran.stderr.contains("pin --force"), "{}", ran.stderr);
        }
        assert_eq!(today.lock(), other);
    }
    for nothing in ["\n", ""] {
        today.write_lock(nothing);
        today
            .run("pin", &[&url, "--accept-observed"])
            .says(2, "cvm-verify pin --force");
        today
            .run("pin", &[&url, "--accept-observed", "--force"])
            .says(0, "Wrote cvm.lock");
    }
}

#[test]
fn what_git_does_not_hold_is_said() {
    let today = Today::new();
    let url = today.url();
    let git = |args: &[&str]| {
        Command::new("git")
            .current_dir(today.folder.path())
            .args(["-c", "user.name=a", "-c", "user.email=a@example.org"])
            .args(args)
            .output()
            .is_ok_and(|output| output.status.success())
    };
    if !git(&["init", "-q"]) {
        // Without git nothing is said of it, as the other tests see.
        return;
    }
    today.run("pin", &[&url, "--accept-observed"]).says(0, "Wrote");
    today
        .run("verify", &[&url])
        .says(0, "note: git does not track cvm.lock");
    assert!(git(&["add", "cvm.lock"]) && git(&["commit", "-q", "-m", "Lock"]));
    let committed = today.run("verify", &[&url]);
    assert!(!committed.stderr.contains("note:"), "{}", committed.stderr);
    today.write_lock(&format!("{}# changed\n", today.lock()));
    today
        .run("verify", &[&url])
        .says(0, "note: cvm.lock differs from the last commit");
    let quiet = today.run("verify", &[&url, "--quiet"]);
    assert!(!quiet.stderr.contains("cvm.lock"), "{}", quiet.stderr);
}

#[test]
fn comments_of_people_survive_and_nothing_is_written_where_nothing_changes() {
    let today = Today::new();
    let url = today.url();
    today.run("pin", &[&url, "--accept-observed"]).says(0, "Wrote");
    let commented = today
        .lock()
        .replacen("app_id = ", "# Reviewed by Anna.\napp_id = ", 1);
    today.write_lock(&commented);
    today.run("pin", &[&url, "--accept-observed"]).says(
        0,
        "cvm.lock already has exactly these values. Nothing was written.",
    );
    assert_eq!(today.lock(), commented);
    today.app.change(|cvm| simulator::Lie::SwappedImage.apply(cvm));
    let changed = today.run("verify", &[&url]);
    changed.says(1, "What changed: a new image for service `web`");
    changed.says(
        1,
        &format!("cvm-verify diff cvm.lock {}", url.trim_end_matches('/')),
    );
    today
        .run("pin", &[&url, "--accept-observed"])
        .says(0, "Changes in cvm.lock");
    // It was written about another app id.
    assert!(
        today
            .lock()
            .contains("# Of the value before this one: Reviewed by Anna.\napp_id = "),
        "{}",
        today.lock()
    );
}

#[test]
fn pin_without_an_address_pins_every_target_of_the_policy_file() {
    let today = Today::new();
    let policy = format!(
        "[[target]]\nname = \"one\"\nurl = \"{url}\"\n[[target]]\nname = \"two\"\nurl = \"{url}\"\nlock = \"two.lock\"\n",
        url = today.url()
    );
    std::fs::write(today.folder.path().join("cvm-verify.toml"), policy).unwrap();
    let ran = today.run("pin", &["--accept-observed"]);
    ran.says(0, "Wrote two.lock");
    ran.says(0, "Wrote cvm.lock");
    // One that cannot be pinned does not stop the others, and decides the exit code.
    let policy = format!(
        "[[target]]\nname = \"gone\"\nurl = \"http://127.0.0.1:1\"\n[[target]]\nname = \"one\"\nurl = \"{}\"\n",
        today.url()
    );
    std::fs::write(today.folder.path().join("cvm-verify.toml"), policy).unwrap();
    std::fs::remove_file(today.folder.path().join("cvm.lock")).unwrap();
    let ran = today.run("pin", &["--accept-observed", "--timeout=1s"]);
    ran.says(3, "Nothing was pinned");
    assert!(today.lock().contains("[target.one]"), "{}", today.lock());
}

#[test]
fn a_lock_beside_several_addresses_is_named_and_no_advice_replaces_it() {
    let today = Today::new();
    let other = Today::new();
    assert_eq!(today.run("pin", &[&today.url(), "--accept-observed"]).code, 0);
    let lock = today.lock();
    let ran = today.run("verify", &[&today.url(), &other.url()]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(
        ran.stderr
            .contains("There is a cvm.lock here. It is not used for 2 addresses."),
        "{ran:?}"
    );
    for app in [&today, &other] {
        let name = app.url().replace("http://", "").replace(':', "-");
        let advised = format!("--output {}.lock", name.trim_end_matches('/'));
        assert!(ran.stdout.contains(&advised), "{advised}\n{ran:?}");
    }
    assert_eq!(today.lock(), lock);
    let quiet = today.run("verify", &[&today.url(), &other.url(), "--quiet"]);
    assert!(!quiet.stderr.contains("cvm.lock here"), "{quiet:?}");
}

/// What `verify` refuses behind the deploy, `plan` refuses before it.
#[test]
fn a_plan_is_made_by_the_policy_file_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let compose = format!(
        "services:\n  web:\n    image: ghcr.io/example/web@sha256:{}\n",
        "ab".repeat(32)
    );
    std::fs::write(folder.path().join("docker-compose.yml"), compose).unwrap();
    let plan = |more: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_cvm-verify"))
            .current_dir(folder.path())
            .env_clear()
            .args(["plan", "--docker-compose=docker-compose.yml"])
            .args(more)
            .output()
            .unwrap();
        Ran::of(&output)
    };
    plan(&[]).says(0, "READY");
    let rule = |name: &str| {
        format!(
            "[[target]]\nname = \"{name}\"\nurl = \"https://{name}.example\"\n[[target.images]]\nimage = \"*\"\nrepository = \
             \"example/shop\"\nfrom = [\"registry\"]\n"
        )
    };
    let policy = folder.path().join("cvm-verify.toml");
    std::fs::write(
        &policy,
        rule("shop").replace("from = [\"registry\"]\n", "commit = [\"x\"]\n"),
    )
    .unwrap();
    plan(&[]).says(2, "cvm-verify.toml:4:1: `images` is refused");
    plan(&["--no-config"]).says(0, "READY");
    std::fs::write(&policy, rule("shop") + &rule("again")).unwrap();
    plan(&[]).says(
        2,
        "cvm-verify.toml has several targets; choose one with --target NAME",
    );
    plan(&["--no-config"]).says(0, "READY");
}

/// A policy file is read where nothing is typed, or where it is named: that it is not is said, since it may expect more.
#[test]
fn a_policy_file_of_the_typed_address_is_not_passed_over_in_silence() {
    let today = Today::new();
    let url = today.url();
    today.run("pin", &[&url, "--accept-observed"]).says(0, "Then: ");
    let policy = |url: &str| {
        let text = format!(
            "[[target]]\nname = \"shop\"\nurl = \"{url}\"\nlock = \"cvm.lock\"\ngpu = \"required\"\n"
        );
        std::fs::write(today.folder.path().join("cvm-verify.toml"), text).unwrap();
    };
    policy(&url);
    let says = "There is a cvm-verify.toml here, and this is the address of its target shop. It is not used, because a URL was given.";
    today.run("verify", &[&url]).says(0, says);
    today
        .run("verify", &["--config=cvm-verify.toml", &url])
        .says(1, "gpu/gpu-unverified");
    today.run("verify", &[]).says(1, "gpu/gpu-unverified");
    let silent = |more: &[&str]| {
        let ran = today.run("verify", &[&[url.as_str()], more].concat());
        assert!(
            !ran.stderr.contains("There is a cvm-verify.toml"),
            "{more:?}: {}",
            ran.stderr
        );
    };
    silent(&["--quiet"]);
    silent(&["--no-config"]);
    policy("https://other.example");
    silent(&[]);
    std::fs::write(today.folder.path().join("cvm-verify.toml"), "[[target").unwrap();
    silent(&[]);
}
