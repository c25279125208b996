//! In which JSON form a document is deployed, and which hash the lock of a plan expects.

use simulator::{Cvm, World};

use super::run::run;

/// The hash of a readable file is not that of what the SDKs deploy: which of them a lock expects is the user's choice, and is said.
#[test]
fn a_plan_writes_no_hash_that_the_user_did_not_choose() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let document = Cvm::healthy(&World::default()).app_compose;
    let value: serde_json::Value = serde_json::from_str(&document).unwrap();
    let pretty = serde_json::to_string_pretty(&value).unwrap();
    let hash = |text: &str| hex::encode(<sha2::Sha256 as sha2::Digest>::digest(text));
    std::fs::write(path("pretty.json"), &pretty).unwrap();
    let before = format!(
        "schema = \"cvm-verify/lock/v1\"\ncompose_hash = \"{}\"\n",
        "aa".repeat(32)
    );
    let lock = path("cvm.lock");
    let (given, named, output) = (
        format!("--app-compose-file={}", path("pretty.json")),
        format!("--lock={lock}"),
        format!("--output={lock}"),
    );
    std::fs::write(&lock, &before).unwrap();
    let plan = |more: &[&str]| run(&[&["plan", &given, &named, &output], more].concat());
    let refused = plan(&[]);
    for (form, text) in [("sdk", &document), ("verbatim", &pretty)] {
        refused.assert_usage_error(&format!("--compose-form {form}, so that"));
        refused.assert_usage_error(&hash(text));
    }
    assert_eq!(std::fs::read_to_string(&lock).unwrap(), before);
    let other = format!("--compose-hash={}", "bb".repeat(32));
    plan(&[&other]).assert_usage_error("no form of the document has the other hash");
    plan(&["--compose-form=neat"]).assert_usage_error("write one of verbatim, sdk,");
    let both = ["--compose-form=sdk", &format!("--compose-hash={}", hash(&pretty))];
    plan(&both).assert_usage_error("leave one of them out");
    let by_hash = format!("--compose-hash={}", hash(&document));
    for (text, form, choice) in [
        (&document, "sdk", "--compose-form=sdk"),
        (&pretty, "verbatim", "--compose-form=verbatim"),
        (&document, "sdk", &by_hash),
    ] {
        let chosen = plan(&[choice]);
        chosen.assert_stderr(&format!(
            "expects the compose hash {} (the form `{form}`)",
            hash(text)
        ));
        let written = std::fs::read_to_string(&lock).unwrap();
        assert!(written.contains(&hash(text)), "{written}");
    }
}
