//! The guest agent as a source.

use super::*;

#[test]
fn a_guest_agents_evidence_is_not_fresh_and_so_inconclusive_unless_waived() {
    for info_path in INFO_PATHS {
        let deployment = Deployment::healthy();
        deployment.app.serve_guest_agent(&healthy(), info_path);
        let url = deployment.app.url();
        let ran = verify(&deployment, "guest-agent", &[&url]);
        assert_eq!(ran.code, 3, "{ran:#?}");
        ran.assert(Freshness, Skip, Some("no-nonce"));
        for id in [
            Evidence,
            QuoteSignature,
            EventLog,
            ComposeHash,
            ImagePins,
            ReportData,
        ] {
            ran.assert(id, Pass, None);
        }
        let ran = verify(&deployment, "guest-agent", &[&url, "--freshness=unchecked"]);
        assert_eq!(ran.code, 0, "{ran:#?}");
        assert_eq!(ran.report().targets[0].waived, [Freshness]);
        assert_eq!(
            deployment.app.count("/attestation"),
            0,
            "the app itself is not asked"
        );
    }
}

#[test]
fn a_guest_agent_without_a_quote_says_what_it_is_good_for() {
    let deployment = Deployment::healthy();
    deployment
        .app
        .serve_file(INFO_PATHS[0], JSON, healthy().info_body());
    let ran = verify(&deployment, "guest-agent", &[&deployment.app.url()]);
    assert_eq!(ran.code, 3);
    ran.assert(Evidence, Error, Some("no-quote"));
    ran.assert_detail(Evidence, "--info-url");
}

#[test]
fn a_guest_agents_lie_fails() {
    let deployment = Deployment::healthy();
    let mut cvm = healthy();
    Lie::ForgedEventLog.apply(&mut cvm);
    deployment.app.serve_guest_agent(&cvm, INFO_PATHS[0]);
    let ran = verify(&deployment, "guest-agent", &[&deployment.app.url()]);
    assert_eq!(ran.code, 1, "{ran:#?}");
    assert_eq!(ran.check(EventLog).status, Fail);
}

#[test]
fn p11_a_guest_agent_of_another_instance_is_noticed() {
    let deployment = Deployment::healthy();
    deployment.app.serve_guest_agent(&healthy(), INFO_PATHS[0]);
    deployment
        .app
        .serve_file(INFO_PATHS[0], JSON, instance(0x77).info_body());
    let url = deployment.app.url();
    let ran = verify(&deployment, "guest-agent", &[&url]);
    assert_eq!(ran.code, 3);
    ran.assert(Evidence, Error, Some("two-instances"));
    ran.assert(ImagePins, Error, Some("no-compose-document"));
    assert_eq!(deployment.app.count(APP_KEY_PATH), 1);
    assert_eq!(deployment.app.count(INFO_PATHS[0]), 3, "it was asked again");
}

#[test]
fn an_app_without_info_is_described_by_the_guest_agent() {
    let deployment = Deployment::healthy();
    deployment.app.behave(AppEndpoint::Info, Behaviour::Status(404));
    deployment
        .app
        .serve_file("/prpc/Info", JSON, healthy().info_body());
    let url = deployment.app.url();
    let info = format!("--info-url={url}/prpc/Info?json");
    let ran = verify(&deployment, "app", &[&url, &info]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert(Freshness, Pass, None);
    ran.assert(ImagePins, Pass, None);
    // P11: of another instance it says nothing.
    deployment
        .app
        .serve_file("/prpc/Info", JSON, instance(0x77).info_body());
    let ran = verify(&deployment, "app", &[&url, &info]);
    assert_eq!(ran.code, 3);
    ran.assert(Evidence, Error, Some("two-instances"));
}

#[test]
fn what_attest_answers_is_verified_live_and_replays() {
    for form in [VersionedForm::Scale, VersionedForm::Msgpack] {
        let deployment = Deployment::healthy();
        deployment.app.change(|cvm| cvm.body.attest(form));
        let bundle = deployment.path("bundle.json");
        let ran = deployment.verify(&["--evidence", &bundle]);
        assert_eq!(ran.code, 0, "{ran:#?}");
        ran.assert(Freshness, Pass, None);
        let again = replay(&deployment, &bundle, &[]);
        assert_eq!(again.found(), ran.found());
    }
}

#[test]
fn the_address_of_a_guest_agent_is_made_of_the_id_that_is_expected() {
    let id = "0123456789abcdef0123456789abcdef01234567";
    let ran = run(&[
        "verify",
        "--source=guest-agent",
        "--format=json",
        "--gateway-domain=gateway.invalid",
        &format!("--instance-id={id}"),
        "--app-id=ffffffffffffffffffffffffffffffffffffffff",
    ]);
    assert_eq!(ran.code, 3);
    ran.assert(Evidence, Error, Some("unreachable"));
    let target = ran.report().targets[0].clone();
    assert_eq!(target.name, format!("{id}-8090.gateway.invalid"));
    assert_eq!(
        target.url.as_deref(),
        Some(format!("https://{id}-8090.gateway.invalid/").as_str())
    );
}
