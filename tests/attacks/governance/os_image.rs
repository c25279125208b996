//! By which hash the contract of the KMS is asked about the OS image.

use super::*;

/// A deployment that a lock pins without reference values, so that no row knows its OS image; each contract question is required. The
/// line of the lock that says how the image is known is this one.
fn locked(known_by: &str) -> Trial {
    let mut trial = Trial::new();
    trial.policy.retain(|line| !line.starts_with("reference-values"));
    let mut trial = trial.pinned();
    let path = trial.deployment.path("cvm.lock");
    let lock = std::fs::read_to_string(&path).unwrap();
    let line = "known_by = \"unknown\"";
    assert!(lock.contains(line), "{lock}");
    std::fs::write(&path, lock.replace(line, &format!("known_by = \"{known_by}\""))).unwrap();
    trial.policy.push("governance = \"required\"".to_owned());
    trial
}

/// Verified without the strict user's `--os-image`, which takes the place of the lock's and the policy's.
fn verify(trial: &Trial) -> Ran {
    let deployment = &trial.deployment;
    let config = format!("--config={}", trial.config());
    let mut args = deployment.network_args(&["verify", &config, "--format=json"]);
    let others = |option: &&String| !option.starts_with("--os-image");
    args.extend(deployment.expect().iter().filter(others).cloned());
    args.extend(trial.urls());
    run(&args)
}

/// A guest that shows the measurement document of its image, which no row knows; with lines of the policy.
fn documented(lines: &[String]) -> (Trial, [u8; 32]) {
    let cvm = Cvm::lite(&World::default());
    let hash = cvm.boot.os_image_hash();
    let mut trial = Trial::of(Deployment::of(cvm));
    trial.policy.retain(|line| !line.starts_with("reference-values"));
    trial.policy.extend_from_slice(lines);
    trial.policy.push("governance = \"required\"".to_owned());
    (trial.both(|chain| chain.allow_os_image(hash, true)), hash)
}

/// No row has the registers, and whoever relays the evidence can leave the document out. The hash that the lock names is asked about.
#[test]
fn t46_an_image_that_the_contract_does_not_allow_convicts_by_the_hash_of_the_lock() {
    for word in ["published-hash", "files"] {
        let known_by = format!("{word} {}", hex::encode(OS_IMAGE));
        verify(&locked(&known_by)).assert(Governance, Pass, None);
        let refusing = locked(&known_by).both(|chain| chain.allow_os_image(OS_IMAGE, false));
        verify(&refusing).assert(Governance, Fail, Some("os-not-allowed"));
    }
}

#[test]
fn t46_an_image_that_the_contract_does_not_allow_convicts_by_the_hash_that_the_user_named() {
    let hash = hex::encode(Cvm::lite(&World::default()).boot.os_image_hash());
    let (trial, _) = documented(&[format!("os-image = \"{hash}\"")]);
    let ran = verify(&trial);
    ran.assert(Governance, Warn, Some("implementation-not-pinned"));
    assert!(
        !ran.check(Governance).detail.contains("was not asked about"),
        "{ran:#?}"
    );
    let (trial, hash) = documented(&[format!("os-image = \"{hash}\"")]);
    let refusing = trial.both(|chain| chain.allow_os_image(hash, false));
    verify(&refusing).assert(Governance, Fail, Some("os-not-allowed"));
}

/// Nobody signed the document. A contract that does not allow the hash in it leaves the question open.
#[test]
fn t46_a_hash_that_the_document_alone_says_convicts_nobody() {
    let (trial, _) = documented(&[]);
    verify(&trial).assert(Governance, Warn, Some("implementation-not-pinned"));
    let (trial, hash) = documented(&[]);
    let ran = verify(&trial.both(|chain| chain.allow_os_image(hash, false)));
    ran.assert(Governance, Error, Some("os-not-allowed"));
    ran.assert_detail(Governance, "measurement document");
}

#[test]
fn t46_an_image_without_a_hash_is_an_open_question_where_each_is_required() {
    let ran = verify(&locked("unknown"));
    ran.assert(Governance, Error, Some("os-not-asked"));
    assert_eq!(ran.code, 3, "{ran:#?}");
}
