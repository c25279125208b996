//! `--reference-values`, `--mr-config-id`: as options, in the environment and in the policy file.

use cvm_verify_core::report::{AcceptedKind, Assurance, CheckId, Status};

use super::run::{Ran, run, run_in};

fn file(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reference.toml");
    std::fs::write(&path, text).unwrap();
    (folder, path.display().to_string())
}

fn simulated() -> (tempfile::TempDir, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let world = simulator::World::default();
    let mut cvm = simulator::Cvm::healthy(&world);
    cvm.mr_config_id = simulator::MrConfigId::Zero;
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let nonce = "5a".repeat(32);
    let collateral = serde_json::to_string(&world.collateral()).unwrap();
    let args = vec![
        "replay".to_owned(),
        "--format=json".to_owned(),
        format!("--attestation={}", write("a.json", cvm.attestation_body(&nonce))),
        format!("--info={}", write("i.json", cvm.info_body())),
        format!("--collateral={}", write("c.json", collateral)),
        format!("--nonce={nonce}"),
        format!("--insecure-trust-root={}", write("root.pem", world.root_pem())),
        "--at=2026-10-01T12:00:00Z".to_owned(),
    ];
    (folder, args)
}

fn with(args: &[String], more: &[String]) -> Ran {
    run(&[args, more].concat())
}

/// The registers and the KMS of the simulated machine, in a file of one's own.
fn own_reference() -> String {
    let cvm = simulator::Cvm::healthy(&simulator::World::default());
    let report = cvm.td_report([0; 64]);
    let [rtmr0, rtmr1, rtmr2, _] = report.rtmr.map(hex::encode);
    let provider: serde_json::Value = serde_json::from_str(&cvm.key_provider).unwrap();
    let tail = "source = \"the simulator\"\ndate = \"2026-10-01\"\n";
    format!(
        "updated = \"2026-10-01\"\n\
         [[firmware]]\nname = \"ours\"\nmrtd = \"{}\"\nnote = \"ours\"\n{tail}\
         [[image]]\nname = \"ours-1.0\"\nversion = \"1.0\"\nclass = \"production\"\nos_image_hash = \"{}\"\nfirmware = \"ours\"\n\
         rtmr1 = \"{rtmr1}\"\nrtmr2 = \"{rtmr2}\"\n{tail}\
         [[rtmr0]]\nvalue = \"{rtmr0}\"\nshape = \"a simulated shape\"\n{tail}\
         [[kms]]\nname = \"our-kms\"\nwhat = \"our KMS\"\nid = \"{}\"\n{tail}",
        hex::encode(report.mr_td),
        "ab".repeat(32),
        provider["id"].as_str().unwrap(),
    )
}

#[test]
fn a_file_makes_an_image_and_a_kms_known_and_its_hash_is_in_the_report() {
    let (_folder, args) = simulated();
    let ran = with(&args, &[]);
    ran.assert(CheckId::OsImage, Status::Skip, Some("no-reference"));
    assert_eq!(ran.report().targets[0].evidence.reference_values_sha256, None);
    let text = own_reference();
    let (_reference, path) = file(&text);
    let option = format!("--reference-values={path}");
    let hash = format!("--os-image={}", "ab".repeat(32));
    for more in [
        vec![option.clone()],
        vec![option.clone(), "--key-provider=our-kms".to_owned()],
        vec![option.clone(), hash],
    ] {
        let ran = with(&args, &more);
        ran.assert(CheckId::OsImage, Status::Pass, None);
        ran.assert(CheckId::KeyProvider, Status::Pass, None);
        let target = &ran.report().targets[0];
        assert_eq!(target.measurements.os_image.as_deref(), Some("ours-1.0"));
        let sha256 = target.evidence.reference_values_sha256.clone().unwrap();
        use sha2::Digest as _;
        assert_eq!(sha256, hex::encode(sha2::Sha256::digest(text.as_bytes())));
        // The verdict says whose word that is.
        let own = |id: CheckId| {
            let mut accepted = target.accepted.iter();
            accepted.any(|one| one.check == id && one.what == AcceptedKind::ReferenceValues)
        };
        assert!(own(CheckId::OsImage), "{:?}", target.accepted);
        // A KMS that the user named is no row's word.
        let is_named = more.iter().any(|arg| arg.starts_with("--key-provider"));
        assert_eq!(own(CheckId::KeyProvider), !is_named, "{:?}", target.accepted);
        assert_ne!(target.assurance, Assurance::CODE);
    }
    // The environment and the policy file say the same.
    let ran = run_in(&args, &[("CVM_VERIFY_REFERENCE_VALUES", &path)], |_| {});
    ran.assert(CheckId::OsImage, Status::Pass, None);
    let policy = tempfile::tempdir().unwrap();
    let config = policy.path().join("cvm-verify.toml");
    std::fs::copy(&path, policy.path().join("own.toml")).unwrap();
    std::fs::write(
        &config,
        "[[target]]\nname = \"a\"\nurl = \"https://a.example\"\nreference-values = \"own.toml\"\nkey-provider = \"our-kms\"\n",
    )
    .unwrap();
    let ran = with(
        &args,
        &[format!("--config={}", config.display()), "--target=a".to_owned()],
    );
    ran.assert(CheckId::OsImage, Status::Pass, None);
}

#[test]
fn the_hash_of_the_file_is_shown_to_people_too() {
    use sha2::Digest as _;
    let (_folder, args) = simulated();
    let text = own_reference();
    let (_reference, path) = file(&text);
    let sha256 = hex::encode(sha2::Sha256::digest(text.as_bytes()));
    for format in ["text", "markdown"] {
        let args: Vec<String> = args
            .iter()
            .filter(|arg| !arg.starts_with("--format"))
            .cloned()
            .chain([format!("--format={format}"), format!("--reference-values={path}")])
            .collect();
        let ran = run(&args);
        let shown: String = ran.stdout.split_whitespace().collect();
        assert!(shown.contains(&sha256), "{format}: {}", ran.stdout);
    }
}

#[test]
fn a_file_that_contradicts_a_built_in_row_is_a_usage_error() {
    let (_folder, args) = simulated();
    let weaker = "updated = \"2026-10-01\"\n[[advisory]]\nid = \"CVE-2025-59054\"\ngrade = \"needs-more\"\nwhat = \"x\"\ngain = \"x\"\n\
                  affected = [{ before = \"0.5.4\" }]\nsource = \"x\"\ndate = \"2026-10-01\"\n";
    let (_reference, path) = file(weaker);
    let ran = with(&args, &[format!("--reference-values={path}")]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(
        ran.stderr.contains("CVE-2025-59054") && ran.stderr.contains("remove the row"),
        "{}",
        ran.stderr
    );
    let (_reference, path) = file("updated = 1");
    let ran = with(&args, &[format!("--reference-values={path}")]);
    assert_eq!(ran.code, 2);
    ran.assert_stderr(&path);
    let ran = with(&args, &["--reference-values=nowhere.toml".to_owned()]);
    assert_eq!(ran.code, 2);
    ran.assert_stderr("nowhere.toml");
}

#[test]
fn a_name_that_nothing_knows_is_a_usage_error_with_or_without_a_file() {
    let (_folder, args) = simulated();
    for value in ["--key-provider=our-kms", "--os-image=our-image-1.0"] {
        let ran = with(&args, &[value.to_owned()]);
        assert_eq!(ran.code, 2, "{value}: {ran:?}");
    }
    // In a policy file it is told with its line.
    let policy = tempfile::tempdir().unwrap();
    let config = policy.path().join("cvm-verify.toml");
    std::fs::write(
        &config,
        "[[target]]\nname = \"a\"\nurl = \"https://a.example\"\nkey-provider = \"our-kms\"\n",
    )
    .unwrap();
    let ran = with(
        &args,
        &[format!("--config={}", config.display()), "--target=a".to_owned()],
    );
    assert_eq!(ran.code, 2);
    ran.assert_stderr(":4");
}

#[test]
fn a_binding_at_launch_can_be_required() {
    let (_folder, args) = simulated();
    with(&args, &[]).assert(CheckId::MrConfigId, Status::Skip, Some("unbound"));
    with(&args, &["--mr-config-id=auto".to_owned()]).assert(
        CheckId::MrConfigId,
        Status::Skip,
        Some("unbound"),
    );
    let ran = with(&args, &["--mr-config-id=required".to_owned()]);
    ran.assert(CheckId::MrConfigId, Status::Fail, Some("binding-required"));
    assert_eq!(ran.code, 1);
    let ran = run_in(&args, &[("CVM_VERIFY_MR_CONFIG_ID", "required")], |_| {});
    ran.assert(CheckId::MrConfigId, Status::Fail, Some("binding-required"));
    assert_eq!(with(&args, &["--mr-config-id=always".to_owned()]).code, 2);
}
