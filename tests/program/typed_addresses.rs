//! An address that is typed beside a policy file with targets: it is the target that it leads to, however it is spelt, and what is no
//! target is said to be none, because less is expected of it.

use cvm_verify_core::report::CheckId::AppId;
use cvm_verify_core::report::Status::{Fail, Skip};
use simulator::{AppServer, Cvm, World};

use super::config::expectations;
use super::deployment::Deployment;
use super::run::{Ran, run};

/// Verifies a typed address beside a file whose only target, at `url`, expects another app.
fn typed(deployment: &Deployment, url: &str, typed: &str, more: &[&str]) -> Ran {
    let expect = expectations(deployment);
    let app_id = "00".repeat(20);
    let file = deployment.path("p.toml");
    let text =
        format!("[defaults]\n{expect}[[target]]\nname = \"prod\"\nurl = \"{url}\"\napp-id = \"{app_id}\"\n");
    std::fs::write(&file, text).unwrap();
    let mut args = deployment.network_args(&["verify", typed, "--format=json", "--config", &file]);
    args.extend(more.iter().map(|one| (*one).to_owned()));
    run(&args)
}

#[test]
fn an_address_that_is_spelt_in_another_way_is_that_of_the_target() {
    let deployment = Deployment::healthy();
    let port = deployment.app.port();
    let url = format!("http://localhost:{port}");
    for spelt in ["localhost", "localhost.", "LocalHost", "LOCALHOST."] {
        for end in ["", "/"] {
            let ran = typed(&deployment, &url, &format!("http://{spelt}:{port}{end}"), &[]);
            assert_eq!(ran.report().targets[0].name, "prod", "{spelt}{end}: {ran:#?}");
            ran.assert(AppId, Fail, Some("app-id-mismatch"));
            assert!(!ran.stderr.contains("[defaults]"), "{}", ran.stderr);
        }
    }
}

#[test]
fn an_address_of_no_target_is_said_to_have_the_defaults_alone() {
    let deployment = Deployment::healthy();
    let url = deployment.app.url().to_string();
    let ran = typed(&deployment, &url, &format!("{url}?secret=1"), &[]);
    ran.assert(AppId, Skip, Some("no-expectation"));
    ran.assert_stderr("p.toml has the address http://127.0.0.1:");
    ran.assert_stderr("only [defaults] of the file apply to it");
    ran.assert_stderr("Its target \"prod\" has this address with another query: if you mean it, verify it with --target prod");
    assert!(!ran.stderr.contains("secret"), "{}", ran.stderr);
    let other = AppServer::http(Cvm::healthy(&World::default()));
    let ran = typed(&deployment, &url, other.url().as_ref(), &[]);
    ran.assert_stderr("only [defaults] of the file apply to it");
    assert!(!ran.stderr.contains("another query"), "{}", ran.stderr);
    // A name says which target it is.
    let ran = typed(&deployment, &url, &format!("{url}?secret=1"), &["--target=prod"]);
    ran.assert(AppId, Fail, Some("app-id-mismatch"));
    assert!(!ran.stderr.contains("[defaults]"), "{}", ran.stderr);
}
