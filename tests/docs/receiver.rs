//! The Python receiver of docs/alerts.md believes what the program signs, and nothing else.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::{read, repository};

const SECRET: &str = "It's a Secret to Everybody";

/// The known answer that src/alert/webhook.rs is tested against, and what is one step away from it.
const KNOWN_ANSWER: &str = r#"
from webhook_receiver import genuine
key, body, at = b"It's a Secret to Everybody", b'{"a":1}', 1786622400
good = "v1=874de5f1bfb569b843934735b4a515fad6a15e5374fd5b9e906cec564f5e88a0"
assert genuine(key, str(at), good, body, at + 299)
assert not genuine(key, str(at), good, body, at + 301)
assert not genuine(key, str(at), good, body, at - 301)
assert not genuine(key, str(at + 1), good, body, at)
assert not genuine(key, str(at), good, body + b" ", at)
assert not genuine(b"another", str(at), good, body, at)
assert not genuine(key, str(at), good[3:], body, at)
for timestamp in ["", "-1", "1e9", "\u0661", "9" * 5000]:
    assert not genuine(key, timestamp, good, body, at)
"#;

fn python() -> Command {
    let mut python = Command::new("python3");
    python.arg("-B").current_dir(repository("docs"));
    python
}

#[test]
fn the_receiver_knows_the_known_answer() {
    let output = python().args(["-c", KNOWN_ANSWER]).output();
    let output = output.unwrap_or_else(|error| panic!("python3 is needed for this test: {error}"));
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Stops the receiver however the test ends.
struct Stopped(Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_receiver_takes_what_the_program_signs_with_the_same_secret_only() {
    let child = python()
        .args(["webhook_receiver.py", "0"])
        .env("WEBHOOK_SECRET", SECRET)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut receiver = Stopped(child.unwrap_or_else(|error| panic!("python3: {error}")));
    let mut lines = BufReader::new(receiver.0.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    let port: u16 = first.rsplit(' ').next().unwrap().parse().unwrap();
    let send = |secret: &str| {
        Command::new(env!("CARGO_BIN_EXE_cvm-verify"))
            .args(["alert", "test", "--allow-private-network"])
            .env_clear()
            .env("CVM_VERIFY_WEBHOOK_URL", format!("http://127.0.0.1:{port}/"))
            .env("CVM_VERIFY_WEBHOOK_SECRET", secret)
            .output()
            .unwrap()
    };
    let accepted = send(SECRET);
    assert!(accepted.status.success(), "{accepted:?}");
    assert!(lines.next().unwrap().unwrap().starts_with("test "));
    assert_eq!(send("another").status.code(), Some(1));
}

#[test]
fn the_function_in_the_page_is_the_one_in_the_receiver() {
    let page = read("docs/alerts.md");
    let shown = page.split("```python\n").nth(1).unwrap();
    let shown = shown.split("```").next().unwrap();
    assert!(read("docs/webhook_receiver.py").contains(shown));
}

#[test]
fn the_alert_in_the_page_is_the_one_of_the_snapshot() {
    let page = read("docs/alerts.md");
    let shown = page.split("```json\n").nth(1).unwrap();
    let shown: serde_json::Value = serde_json::from_str(shown.split("```").next().unwrap()).unwrap();
    let snapshot = read("src/alert/snapshots/cvm_verify__alert__webhook__tests__a_failure_as_alert_v1.snap");
    let sent: serde_json::Value = serde_json::from_str(snapshot.splitn(3, "---").nth(2).unwrap()).unwrap();
    assert_eq!(shown, sent);
}
