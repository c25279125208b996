//! Wrong files, wrong options, hostile documents: a report or a usage error, one clear sentence, no panic.

use cvm_verify_core::report::CheckId::*;
use cvm_verify_core::report::Status::*;
use simulator::{Cvm, World};

use super::run::{Ran, run, run_in};

fn replay_text(name: &str, text: &[u8], option: &str) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    let path = path.display().to_string();
    let args: Vec<&str> = if option.is_empty() {
        vec!["replay", &path]
    } else {
        vec!["replay", option, &path]
    };
    run(&[&args[..], &["--format=json"]].concat())
}

#[test]
fn files_that_are_no_evidence_are_usage_errors() {
    for (text, says) in [
        (&b""[..], "is empty"),
        (b"<html></html>", "is not an evidence bundle"),
        (br#"{"quote":"#, "ends too early"),
        (b"{}", "has no `schema`"),
        (
            br#"{"schema":"cvm-verify/evidence/v2"}"#,
            "Use the version of cvm-verify that wrote it",
        ),
        (br#"{"schema":"cvm-verify/evidence/v1"}"#, "is missing"),
        (b"\xff\xfe", "is not an evidence bundle"),
    ] {
        replay_text("bundle.json", text, "").assert_usage_error(says);
    }
    for (text, says) in [
        (&b""[..], "is empty"),
        (b"<html></html>", "HTML"),
        (br#"{"quote":"#, "ends too early"),
    ] {
        replay_text("attestation.json", text, "--attestation").assert_usage_error(says);
    }
    run(&["replay", "/"]).assert_usage_error("is a folder");
    run(&["replay", "no-such-file.json"]).assert_usage_error("cannot be read");
    run(&["replay"]).assert_usage_error("there is nothing to replay");
    run(&["verify"]).assert_usage_error("there is nothing to verify");
    run(&["verify", "app.example"]).assert_usage_error("write https://app.example");
    run(&["verify", "cvm.lock"]).assert_usage_error("a lock is given with --lock FILE");
    run(&["pin", "--lock", "cvm.lock", "https://a.example"])
        .assert_usage_error("pin writes the lock to --output FILE (default: cvm.lock)");
    run(&["verify", "ftp://app.example"]).assert_usage_error("is not an https URL");
    run(&["verify", "https://a.example", "--no-such-option"]).assert_usage_error("unexpected argument");
}

/// A picture and a text of another encoding: no CVM sent them, so nobody is accused.
#[test]
fn a_wrong_file_is_a_usage_error_by_each_way_to_it() {
    let picture =
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89".as_slice();
    let latin = b"services:\n  web:\n    image: gr\xf6\xdfe\n".as_slice();
    let icon = b"\0\0\x01\0\x01\0\x10\x10\0\0\x01\0\x20\0\x68\x04\0\0\x16\0\0\0".as_slice();
    for file in [picture, latin, icon] {
        for option in ["", "--attestation"] {
            replay_text("file", file, option).assert_usage_error("file: ");
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file").display().to_string();
        std::fs::write(&path, file).unwrap();
        run(&["inspect", &path]).assert_usage_error("is not an evidence bundle");
    }
    // What begins like a versioned attestation is judged, damaged or not.
    for option in ["", "--attestation"] {
        let damaged = replay_text("file", b"\x83\xa7version\x01\xa8platform", option);
        assert_eq!(damaged.code, 1, "{damaged:#?}");
        damaged.assert(Evidence, Fail, Some("malformed-field"));
    }
}

/// The deployment is not to blame for a wrong file of the user.
#[test]
fn what_is_no_compose_document_is_a_usage_error_wherever_one_is_given() {
    let cvm = Cvm::healthy(&World::default());
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name).display().to_string();
        std::fs::write(&path, text).unwrap();
        path
    };
    let attestation = write("attestation.json", &cvm.attestation_body(&"ab".repeat(32)));
    let attestation = format!("--attestation={attestation}");
    let info = write("info.json", &cvm.info_body());
    let package = write("package.json", "{\"name\":\"app\",\"version\":\"1.0.0\"}");
    let cut = write("app-compose.json", &cvm.app_compose[..cvm.app_compose.len() / 2]);
    for (file, says) in [
        (&info, "The document is the text of `tcb_info.app_compose` in it"),
        (&package, "it has none of the fields docker_compose_file"),
        (&cut, "it is not JSON"),
    ] {
        let verify = ["verify", "https://app.example", "--no-lock"];
        let given = format!("--app-compose-file={file}");
        run(&[&verify[..], &[&given]].concat()).assert_usage_error(says);
        run(&["plan", &given]).assert_usage_error(says);
        let loose = format!("--app-compose={file}");
        run(&["replay", &attestation, &loose]).assert_usage_error(says);
    }
    let html = write("info.html", "<html></html>");
    let info = |file: &str| run(&["replay", &attestation, &format!("--info={file}")]);
    info(&html).assert_usage_error("HTML");
    info(&package).assert_usage_error("is not an answer of /info");
}

/// The file does not choose how long what is said of it is.
#[test]
fn a_certificate_without_evidence_is_the_wrong_file_and_that_is_said_shortly() {
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let long = format!("{broken}-----BEGIN {}\n", "A".repeat(20_000));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.pem").display().to_string();
    for text in [broken, &long, "-----BEGIN CERTIFICATE-----\n!"] {
        std::fs::write(&path, text).unwrap();
        for command in [
            &["inspect"][..],
            &["replay"],
            &["replay", "--attestation"],
            &["pin", "--attestation"],
        ] {
            let ran = run(&[command, &[&path]].concat());
            ran.assert_usage_error("chain.pem: the certificate is refused: ");
            assert!(ran.stderr.len() < 1000, "{command:?}: {} bytes", ran.stderr.len());
        }
    }
}

#[test]
fn a_file_of_another_kind_is_not_taken_for_one_of_another_version() {
    let evidence = "fixtures/simulated/healthy.evidence.json";
    run(&["merge", evidence]).assert_usage_error("give the files of --report-json");
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let report = file("report.json", r#"{"schema":"cvm-verify/report/v1"}"#);
    let bare = file("statement.json", r#"{"_type":"https://in-toto.io/Statement/v1"}"#);
    for command in [
        &["replay"][..],
        &["inspect"],
        &["pin", "--from"],
        &["diff", &report],
    ] {
        run(&[command, &[&report]].concat())
            .assert_usage_error("not an evidence bundle; `verify --evidence FILE` writes one");
    }
    run(&["replay", "--attestation", &report]).assert_usage_error("so it is not an evidence bundle");
    run(&["replay", "--attestation", evidence])
        .assert_usage_error("is an evidence bundle; give it without --attestation");
    run(&["diff", &bare, evidence]).assert_usage_error("`replay --attestation FILE` reads a bare");
    let lock = file("cvm.lock", "# a lock\nschema = 1\n");
    run(&["inspect", &lock]).assert_usage_error("is not an evidence bundle, an /attestation body");
    let page = file("docker-compose.yml", "<html></html>");
    run(&["plan", "--docker-compose", &page]).assert_usage_error("it has no `services`");
    let page = file("docker-compose.yml", "services: [");
    run(&["plan", "--docker-compose", &page])
        .assert_usage_error("the docker compose file of --docker-compose cannot be read");
}

#[test]
fn a_hostile_answer_is_a_result_with_its_field_named() {
    let cases = [
        (
            r#"{"quote":"z%z"}"#.to_owned(),
            Fail,
            "malformed-field",
            "`quote`",
        ),
        (
            r#"{"quote":"abc"}"#.to_owned(),
            Fail,
            "malformed-field",
            "odd number",
        ),
        (
            format!(r#"{{"quote":"{}"}}"#, "00".repeat(20_000)),
            Error,
            "too-large",
            "`quote`",
        ),
        (
            r#"{"quote":"00","quote":"01"}"#.to_owned(),
            Fail,
            "duplicate-field",
            "`quote`",
        ),
        (
            r#"{"quote":"00","event_log":{}}"#.to_owned(),
            Error,
            "other-type",
            "a list of events expected",
        ),
        (
            r#"{"quote":"00","event_log":"nothing"}"#.to_owned(),
            Error,
            "other-type",
            "`event_log` holds a text that is not JSON",
        ),
        (
            r#"{"quote":"00","event_log":"[{]"}"#.to_owned(),
            Error,
            "other-type",
            "`event_log` cannot be read as a list: it is not JSON at line 1 column 3",
        ),
        (
            r#"{"quote":"00","event_log":[{"imr":9}]}"#.to_owned(),
            Fail,
            "malformed-field",
            "`event_log[0].imr`",
        ),
        (
            format!(r#"{{"quote":"00","event_log":[{}]}}"#, vec!["{}"; 4097].join(",")),
            Error,
            "too-large",
            "4097 events",
        ),
        (
            r#"{"error":"not found"}"#.to_owned(),
            Error,
            "no-quote",
            "`quote`",
        ),
    ];
    for (text, status, reason, says) in cases {
        let ran = replay_text("attestation.json", text.as_bytes(), "--attestation");
        ran.assert(Evidence, status, Some(reason));
        ran.assert_detail(Evidence, says);
        assert_eq!(ran.code, if status == Fail { 1 } else { 3 });
    }
}

#[test]
fn a_quote_of_zeros_is_malformed_and_an_sgx_quote_is_not_tdx() {
    let zeros = format!(r#"{{"quote":"{}"}}"#, "00".repeat(5000));
    replay_text("a.json", zeros.as_bytes(), "--attestation").assert(QuoteSignature, Fail, Some("malformed"));
    let mut cvm = Cvm::healthy(&World::default());
    simulator::Lie::SgxQuote.apply(&mut cvm);
    let body = cvm.attestation_body(&"ab".repeat(32));
    replay_text("a.json", body.as_bytes(), "--attestation").assert(QuoteSignature, Fail, Some("not-tdx"));
}

#[test]
fn a_bare_quote_is_understood_in_every_encoding() {
    use base64::Engine as _;
    let quote = Cvm::healthy(&World::default()).quote_bytes(&"ab".repeat(32));
    let folder = tempfile::tempdir().unwrap();
    let (root, file) = (folder.path().join("root.pem"), folder.path().join("quote.bin"));
    std::fs::write(&root, World::default().root_pem()).unwrap();
    let base64 = base64::engine::general_purpose::STANDARD.encode(&quote);
    for bytes in [
        quote.clone(),
        hex::encode(&quote).into_bytes(),
        base64.into_bytes(),
    ] {
        std::fs::write(&file, &bytes).unwrap();
        let ran = run(&[
            "replay".to_owned(),
            "--format=json".to_owned(),
            format!("--attestation={}", file.display()),
            format!("--insecure-trust-root={}", root.display()),
        ]);
        assert_eq!(ran.code, 3);
        ran.assert(Evidence, Pass, None);
        ran.assert(Collateral, Error, Some("missing"));
    }
}

#[test]
fn a_yaml_bomb_as_compose_file_is_an_error_of_image_pins() {
    let mut cvm = Cvm::healthy(&World::default());
    let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\\n".to_owned();
    for level in 1..20 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(",");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\\n"));
    }
    cvm.app_compose = format!(r#"{{"runner":"docker-compose","docker_compose_file":"{bomb}"}}"#);
    let deployment = super::deployment::Deployment::of(cvm);
    let ran = deployment.verify_with(&[], &[]);
    assert_eq!(ran.code, 3);
    ran.assert(ImagePins, Error, Some("unreadable-compose"));
}

#[test]
fn options_that_contradict_or_cannot_be_are_usage_errors() {
    let url = "https://a.example";
    let verify = |more: &[&str]| run(&[&["verify", url][..], more].concat());
    verify(&["--compose-hash", "12"])
        .assert_usage_error("--compose-hash: the value has 2 hex digits; 64 expected (32 bytes)");
    verify(&["--app-id", ""]).assert_usage_error("--app-id");
    verify(&["--os-image", "lock"]).assert_usage_error("there is no lock");
    verify(&["--os-image", "newest"]).assert_usage_error("is none of");
    verify(&["--key-provider", "kms:"]).assert_usage_error("its id is empty");
    verify(&["--key-provider", "kms:ab,kms"])
        .assert_usage_error("`kms` accepts more than the other values of this list");
    verify(&["--key-provider", "unchecked,phala"])
        .assert_usage_error("`unchecked` accepts more than the other values of this list");
    verify(&["--accept-tcb", "OutOfDate"]).assert_usage_error("needs an end date");
    verify(&["--accept-tcb", "OutOfDate:until=2030-01-01"]).assert_usage_error("more than 90 days ahead");
    verify(&["--report-data", "backwards"]).assert_usage_error("there is no report-data layout");
    verify(&["--report-data-value", "zz"]).assert_usage_error("is not hex");
    verify(&["--instances", "x"]).assert_usage_error("write a whole number from 1 to 10000");
    verify(&["--pccs-url", "pccs.example"]).assert_usage_error("write https://pccs.example");
    verify(&["--insecure-trust-root", "Cargo.toml"]).assert_usage_error("not one X.509 certificate");
    verify(&["--ca-file", "Cargo.toml"]).assert_usage_error("Cargo.toml");
    verify(&["--app-compose-file", "Cargo.toml"]).assert_usage_error("give it with --docker-compose");
    verify(&["--app-compose-file", "schemas/report-v1.json"]).assert_usage_error("is not a compose document");
}

#[test]
fn a_key_beside_the_nonce_needs_a_layout_that_has_one() {
    let key = format!("--report-data-key={}", "07".repeat(32));
    run(&["verify", "https://a.example", &key])
        .assert_usage_error("nonce-then-key, key-then-nonce, private-ai");
    let with = |layout: &str, value: &str| {
        let (layout, value) = (
            format!("--report-data={layout}"),
            format!("--report-data-key={value}"),
        );
        run(&["verify", "https://a.example", &layout, &value])
    };
    with("raw", &"07".repeat(32)).assert_usage_error("the layout has no place for a key");
    with("key-then-nonce", &"07".repeat(20)).assert_usage_error("has 40 hex digits; 64 expected");
    with("nonce-then-key", "zz").assert_usage_error("is not hex");
    with("private-ai", &"07".repeat(19)).assert_usage_error("has 38 hex digits; 64 expected");
}

#[test]
fn what_is_nearly_an_address_is_told_what_it_is() {
    let id = "ab".repeat(20);
    for text in [id.clone(), format!("app_{id}"), id.to_uppercase()] {
        let ran = run(&["verify", &text]);
        ran.assert_usage_error(&format!("{id} is the id of an app or instance, not an address"));
        assert!(
            ran.stderr.contains("--source phala-cloud") && ran.stderr.contains("--gateway-domain"),
            "{}",
            ran.stderr
        );
    }
    for (url, base, option) in [
        (
            "https://a.example/attestation",
            "https://a.example",
            "--attestation-path",
        ),
        (
            "https://a.example/app/attestation/?x=1",
            "https://a.example/app",
            "--attestation-path",
        ),
        ("https://a.example/info", "https://a.example", "--info-path"),
    ] {
        let ran = run(&["verify", url]);
        ran.assert_usage_error(&format!("which is added to it: give {base}. If"));
        ran.assert_stderr(option);
        assert!(
            !ran.stderr.contains("x=1"),
            "a query may hold a secret: {}",
            ran.stderr
        );
    }
    run(&["verify", "http://a.example"]).assert_usage_error("is plain http");
}

#[test]
fn a_hash_may_be_written_as_that_of_a_file_and_a_bundle_is_no_compose_document() {
    let hash = format!("sha256:{}", "ab".repeat(32));
    let ran = run(&[
        "verify",
        "https://a.example:1",
        "--timeout=1s",
        "--compose-hash",
        &hash,
    ]);
    assert_ne!(ran.code, 2, "{ran:#?}");
    let bundle = "fixtures/simulated/healthy.evidence.json";
    run(&["compose-hash", bundle]).assert_usage_error("is a document of cvm-verify (cvm-verify/evidence/v1)");
    run(&["verify", "https://a.example", "--app-compose-file", bundle])
        .assert_usage_error("is a document of cvm-verify (cvm-verify/evidence/v1)");
    let ran = run(&["compose-hash", "schemas/report-v1.json"]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert_stderr("has none of the fields of a compose document");
}

#[test]
fn a_variable_that_is_nearly_an_option_is_refused_and_others_are_noted() {
    let args = ["replay", "fixtures/simulated/healthy.evidence.json"];
    run_in(&args, &[("CVM_VERIFY_LOK", "cvm.lock")], |_| {}).assert_usage_error(
        "the environment has CVM_VERIFY_LOK, which no option reads; did you mean CVM_VERIFY_LOCK?",
    );
    let ran = run_in(&args, &[("CVM_VERIFY_SHOP_TEAM", "secret")], |_| {});
    ran.assert_stderr("note: no option reads CVM_VERIFY_SHOP_TEAM");
    assert!(!ran.stderr.contains("secret"), "{}", ran.stderr);
    // Who wants to hear only what is wrong hears nothing of it.
    let quiet = [&args[..], &["-q"]].concat();
    let ran = run_in(&quiet, &[("CVM_VERIFY_SHOP_TEAM", "secret")], |_| {});
    assert!(!ran.stderr.contains("CVM_VERIFY_SHOP_TEAM"), "{}", ran.stderr);
    // What the policy file names is read.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.toml");
    let policy = "[[target]]\nname = \"a\"\nurl = \"https://127.0.0.1:1\"\napp-id = \"0102030405060708090a0b0c0d0e0f1011121314\"\n\
                  slack-webhook-url-env = \"CVM_VERIFY_SHOP_TEAM\"\n";
    std::fs::write(&file, policy).unwrap();
    let config = format!("--config={}", file.display());
    let env = [
        ("CVM_VERIFY_SHOP_TEAM", "secret"),
        ("CVM_VERIFY_SHOP_TEEM", "secret"),
    ];
    let ran = run_in(&["verify", &config], &env, |_| {});
    ran.assert_stderr("note: no option reads CVM_VERIFY_SHOP_TEEM, and no policy file of this run names it.");
    assert!(!ran.stderr.contains("CVM_VERIFY_SHOP_TEAM"), "{}", ran.stderr);
    // The command that says whether the channels work says that one was misspelt.
    let ran = run_in(
        &["alert", "test"],
        &[("CVM_VERIFY_SLACK_WEBHOOK", "secret")],
        |_| {},
    );
    ran.assert_stderr("For CVM_VERIFY_SLACK_WEBHOOK, did you mean CVM_VERIFY_SLACK_WEBHOOK_URL?");
    assert!(!ran.stderr.contains("secret"), "{}", ran.stderr);
}
