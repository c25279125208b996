//! A signal while a named pipe is waited for: the run ends with its usual words and its exit code, whatever the command.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

#[test]
fn a_signal_while_a_pipe_is_waited_for_ends_the_run_with_its_words_and_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe").display().to_string();
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let config = format!("--config={pipe}");
    for (args, signal, verifies) in [
        (vec!["verify", &config], "-INT", true),
        (vec!["verify", &config], "-TERM", true),
        (vec!["watch", &config], "-INT", true),
        (vec!["replay", &pipe], "-INT", true),
        (vec!["pin", "https://app.example", &config], "-INT", false),
        (vec!["compose-hash", &pipe], "-INT", false),
    ] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_cvm-verify"))
            .args(&args)
            .env_clear()
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
        let waits = said.any(|line| line.unwrap().contains("note: waiting for"));
        assert!(waits, "{args:?}");
        let told = Command::new("kill")
            .args([signal, &child.id().to_string()])
            .status();
        assert!(told.unwrap().success());
        let said: Vec<String> = said.map(Result::unwrap).collect();
        let said = said.join("\n");
        assert_eq!(child.wait().unwrap().code(), Some(3), "{args:?}: {said}");
        assert!(
            said.contains("a signal ended the run while it was waited for"),
            "{args:?}: {said}"
        );
        let words = "Interrupted: there is no verdict.";
        assert_eq!(said.contains(words), verifies, "{args:?}: {said}");
    }
}
