use super::*;
use crate::config::written;
use crate::plan::target::parse_target;
use crate::render::samples;

fn settings(options: &[(&'static str, &str)]) -> Settings {
    let mut settings = Settings::default();
    for (key, text) in options {
        settings.set(key, written("--option", [(*text).to_owned()]));
    }
    settings
}

fn of(address: &str, named: &TargetNames<'_>, options: &[(&'static str, &str)]) -> Commands {
    let settings = settings(options);
    let target = parse_target(address, &settings).unwrap();
    Commands::of(&target.source, named, &settings)
}

fn typed(address: &str, options: &[(&'static str, &str)]) -> Commands {
    let named = TargetNames {
        is_typed: true,
        name: None,
        config: None,
        is_one_of_several: false,
    };
    of(address, &named, options)
}

const CHANGED: &str = "See `cvm-verify diff cvm.lock URL`. Run `cvm-verify pin URL`, or `cvm-verify pin`; `cvm-verify inspect`.";

#[test]
fn an_address_is_written_where_the_advice_says_url() {
    assert_eq!(
        typed("https://shop.example/?token=x", &[("lock", "cvm.lock")]).filled(CHANGED),
        "See `cvm-verify diff cvm.lock https://shop.example`. Run `cvm-verify pin https://shop.example`, or `cvm-verify pin \
         https://shop.example`; `cvm-verify inspect https://shop.example`. What may hold a secret is left out of the command: \
         add the query of the address."
    );
    let other = typed(
        "https://shop.example",
        &[("lock", "my lock"), ("attestation-path", "/quote")],
    );
    assert_eq!(
        other.filled("`cvm-verify pin URL --accept tcb`, `cvm-verify pin URL --output x`"),
        "`cvm-verify pin https://shop.example --attestation-path /quote --output 'my lock' --accept tcb`, `cvm-verify pin \
         https://shop.example --attestation-path /quote --output x`"
    );
}

/// What one command calls known, the next one must not call unknown.
#[test]
fn the_users_reference_values_are_in_the_commands_that_take_them() {
    let own = typed("https://shop.example", &[("reference-values", "ours.toml")]);
    assert_eq!(
        own.filled("`cvm-verify pin URL`, `cvm-verify diff cvm.lock URL`."),
        "`cvm-verify pin https://shop.example --reference-values ours.toml`, `cvm-verify diff cvm.lock https://shop.example`."
    );
    let verify = own.verify(Path::new(LOCK_NAME), true, "");
    assert_eq!(
        verify,
        "cvm-verify verify https://shop.example --reference-values ours.toml"
    );
}

#[test]
fn what_the_network_needs_is_repeated_and_a_secret_is_asked_for() {
    let network = |proxy: Option<&str>| {
        let network = NetworkOptions::default()
            .with_file("--ca-file", Some(Path::new("my root.pem")))
            .with("--proxy", proxy)
            .with("--pccs-url", None)
            .with_switch("--allow-private-network", true);
        Arc::new(network)
    };
    let advice = "`cvm-verify diff cvm.lock URL`, `cvm-verify pin URL`; `cvm-verify explain tls`.";
    assert_eq!(
        typed("https://shop.example", &[])
            .through(&network(Some("http://p:3128")))
            .filled(advice),
        "`cvm-verify diff cvm.lock https://shop.example --ca-file 'my root.pem' --proxy http://p:3128 --allow-private-network`, \
         `cvm-verify pin https://shop.example --ca-file 'my root.pem' --proxy http://p:3128 --allow-private-network`; \
         `cvm-verify explain tls`."
    );
    let secret = typed(
        "https://shop.example/?api_key=hunter2",
        &[("info-url", "https://i.example/?k=hunter2")],
    );
    let said = secret
        .through(&network(Some("http://me:hunter2@p")))
        .filled("Run `cvm-verify pin URL`.");
    assert_eq!(
        said,
        "Run `cvm-verify pin https://shop.example --ca-file 'my root.pem' --allow-private-network`. What may hold a secret is \
         left out of the command: add the query of the address and --info-url and --proxy."
    );
    // A policy file holds the address.
    let named = TargetNames {
        is_typed: false,
        name: Some("shop"),
        config: Some(Path::new("cvm-verify.toml")),
        is_one_of_several: false,
    };
    let of_file = of("https://shop.example/?api_key=hunter2", &named, &[]).through(&network(None));
    assert_eq!(
        of_file.filled("`cvm-verify diff cvm.lock URL`"),
        "`cvm-verify diff --target shop --ca-file 'my root.pem' --allow-private-network`"
    );
    assert_eq!(
        of_file.filled("`cvm-verify explain tls`"),
        "`cvm-verify explain tls`"
    );
    let verify = of_file.verify(Path::new("cvm.lock"), false, "");
    assert!(
        verify.ends_with("--allow-private-network --lock cvm.lock"),
        "{verify}"
    );
}

#[test]
fn a_target_of_a_policy_file_goes_by_its_name() {
    let named = |config: &'static str| TargetNames {
        is_typed: false,
        name: Some("shop"),
        config: Some(Path::new(config)),
        is_one_of_several: false,
    };
    assert_eq!(
        of("https://shop.example", &named("cvm-verify.toml"), &[]).filled(CHANGED),
        "See `cvm-verify diff --target shop`. Run `cvm-verify pin --target shop`, or `cvm-verify pin --target shop`; \
         `cvm-verify inspect https://shop.example`."
    );
    let other = of("https://shop.example", &named("a/b.toml"), &[("lock", "x.lock")]);
    assert_eq!(
        other.filled("`cvm-verify pin`"),
        "`cvm-verify pin --target shop --config a/b.toml`"
    );
    assert_eq!(
        other.verify(Path::new("x.lock"), true, ""),
        "cvm-verify verify --target shop --config a/b.toml"
    );
    assert_eq!(
        other.verify(Path::new("y.lock"), true, ""),
        "cvm-verify verify --target shop --config a/b.toml --lock y.lock"
    );
}

#[test]
fn each_of_several_addresses_has_a_lock_of_its_own() {
    let named = TargetNames {
        is_typed: true,
        name: None,
        config: None,
        is_one_of_several: true,
    };
    let address = "http://127.0.0.1:8080/shop";
    assert_eq!(
        of(address, &named, &[]).filled("`cvm-verify pin URL`"),
        format!("`cvm-verify pin {address} --output 127.0.0.1-8080-shop.lock`")
    );
    assert_eq!(
        of(address, &named, &[("lock", "cvm.lock")]).filled("`cvm-verify pin URL`"),
        format!("`cvm-verify pin {address}`")
    );
}

#[test]
fn an_app_id_comes_with_its_source() {
    let id = "ab".repeat(20);
    let cloud = typed(&id, &[("source", "phala-cloud")]);
    assert_eq!(
        cloud.filled("`cvm-verify diff cvm.lock URL`, `cvm-verify pin URL`"),
        format!("`cvm-verify inspect {id} --source phala-cloud`, `cvm-verify pin {id} --source phala-cloud`")
    );
    assert_eq!(
        cloud.verify(Path::new("p.lock"), false, " --freshness unchecked"),
        format!("cvm-verify verify {id} --source phala-cloud --lock p.lock --freshness unchecked")
    );
}

/// Nor can `diff` compare what the source of a policy file's target never signs.
#[test]
fn a_target_of_a_policy_file_with_an_id_is_inspected_and_not_compared() {
    let id = "ab".repeat(20);
    let target = parse_target(&id, &settings(&[("source", "phala-cloud")])).unwrap();
    let named = TargetNames {
        is_typed: false,
        name: Some("shop"),
        config: Some(Path::new(FILE_NAME)),
        is_one_of_several: false,
    };
    let commands = Commands::of(&target.source, &named, &Settings::default());
    assert_eq!(
        commands.filled("`cvm-verify diff cvm.lock URL`"),
        format!("`cvm-verify inspect {id} --source phala-cloud`")
    );
}

/// A replay and `watch` have no such option.
#[test]
fn the_option_that_waits_is_left_out_where_there_is_none() {
    for leave_out in [leave_out_waiting, leave_out_live_options] {
        let mut report = samples::fail();
        report.checks[0].fix = Some("Wait for its end (--wait 10m).".to_owned());
        leave_out(&mut report);
        assert_eq!(report.checks[0].fix.as_deref(), Some("Wait for its end."));
    }
}

#[test]
fn other_text_stays() {
    for text in [
        "",
        "`x`",
        "`cvm-verify explain tcb-status`",
        "`cvm-verify pin",
        "a `cvm-verify ",
    ] {
        assert_eq!(typed("https://a.example", &[]).filled(text), text);
    }
}

#[test]
fn what_was_not_asked_of_a_target_that_passes_keeps_its_general_advice() {
    let advice = "Run `cvm-verify pin URL`.";
    let filled = "Run `cvm-verify pin https://a.example`.";
    for (verdict, status, expected) in [
        (Verdict::Pass, Status::Skip, advice),
        (Verdict::Pass, Status::Warn, filled),
        (Verdict::Inconclusive, Status::Skip, filled),
        (Verdict::Fail, Status::Fail, filled),
    ] {
        let mut report = samples::pass();
        report.verdict = verdict;
        report.checks[0].status = status;
        report.checks[0].fix = Some(advice.to_owned());
        typed("https://a.example", &[]).fill(&mut report);
        assert_eq!(
            report.checks[0].fix.as_deref(),
            Some(expected),
            "{verdict:?} {status:?}"
        );
    }
}

/// What is judged is the recording: the address may have been deployed again since.
#[test]
fn the_commands_for_a_recording_read_its_files() {
    let files = EvidenceFiles {
        pin: "--from a.json --at 2026-06-10".to_owned(),
        diff: "a.json".to_owned(),
        inspect: "a.json".to_owned(),
    };
    let named = |name, config| TargetNames {
        is_typed: true,
        name,
        config,
        is_one_of_several: false,
    };
    let filled = |name, config, lock| {
        let commands = Commands::of_files(files.clone(), &named(name, config), &settings(&[("lock", lock)]));
        commands.filled(CHANGED)
    };
    assert_eq!(
        filled(None, None, "cvm.lock"),
        "See `cvm-verify diff cvm.lock a.json`. Run `cvm-verify pin --from a.json --at 2026-06-10`, or `cvm-verify pin --from a.json --at \
         2026-06-10`; `cvm-verify inspect a.json`."
    );
    let named_commands = Commands::of_files(files.clone(), &named(Some("shop"), None), &settings(&[]));
    assert_eq!(
        named_commands.filled("`cvm-verify plan --lock a.lock`"),
        "`cvm-verify plan --lock a.lock --target shop`"
    );
    let pin = "pin --from a.json --at 2026-06-10 --target shop --config cvm-verify.toml";
    assert_eq!(
        filled(Some("shop"), Some(Path::new("cvm-verify.toml")), "cvm.lock"),
        format!(
            "See `cvm-verify diff cvm.lock a.json --target shop`. Run `cvm-verify {pin}`, or `cvm-verify {pin}`; `cvm-verify inspect a.json`."
        )
    );
}
