//! Private images: the credentials for a registry reach that registry or its token service, and nobody else.

use cvm_verify_core::report::CheckId::SourceProvenance;
use cvm_verify_core::report::Status::{Error, Pass};
use simulator::server::{RegistryAccess, registry_token};
use simulator::{ImageRegistry, RegistryWays, Scripted, ScriptedServer, Workflow};

use super::provenance_registry::{NAME, REGISTRY, Release, image, provenance};
use super::run::Ran;

const VARIABLE: &str = "CVM_VERIFY_REGISTRY_CREDENTIALS";
const ACCOUNT: &str = "someone:hunter2hunter2";
/// `ACCOUNT` in Base64.
const ENCODED: &str = "c29tZW9uZTpodW50ZXIyaHVudGVyMg==";

fn token_door() -> RegistryAccess {
    RegistryAccess {
        account: Some(ACCOUNT),
        ..RegistryAccess::OPEN
    }
}

/// As Amazon's private registries.
fn basic_door() -> RegistryAccess {
    RegistryAccess {
        takes_them_itself: true,
        ..token_door()
    }
}

/// A registry with one attested image.
fn registry(door: RegistryAccess, ways: RegistryWays) -> (ImageRegistry, String) {
    let registry = ImageRegistry::behind(door, ways);
    let digest = registry.push_image("web");
    registry.attach(&digest, &provenance(&Workflow::default(), &digest));
    let image = image(&registry, &digest);
    (registry, image)
}

fn verify(images: &[String], credentials: &str) -> Ran {
    let release = Release::of(images);
    let evidence = release.deployment.path("evidence.json");
    let ran = release.verify_in(
        REGISTRY,
        &[&format!("--evidence={evidence}"), "-v"],
        &[(VARIABLE, credentials)],
    );
    let bundle = std::fs::read_to_string(evidence).unwrap_or_default();
    for text in [&ran.stdout, &ran.stderr, &bundle] {
        assert!(!text.contains("hunter2") && !text.contains(ENCODED), "{text}");
    }
    ran
}

#[test]
fn a_private_image_is_shown_to_the_account_that_the_environment_names() {
    for (door, ways) in [
        (token_door(), RegistryWays::Ghcr),
        (token_door(), RegistryWays::DockerHub),
        (token_door(), RegistryWays::Specified),
        (basic_door(), RegistryWays::Ghcr),
        (basic_door(), RegistryWays::Specified),
    ] {
        let (registry, image) = registry(door, ways);
        let host = registry.host();
        let missing = verify(std::slice::from_ref(&image), "");
        missing.assert(SourceProvenance, Error, Some("api-denied"));
        let detail = missing.check(SourceProvenance).detail;
        assert!(
            detail.contains("CVM_VERIFY_REGISTRY_CREDENTIALS has n"),
            "{detail}"
        );
        let wrong = verify(std::slice::from_ref(&image), &format!("{host} someone:else"));
        wrong.assert(SourceProvenance, Error, Some("api-denied"));
        let detail = wrong.check(SourceProvenance).detail;
        assert!(detail.contains("does not accept the credentials in"), "{detail}");
        let right = verify(std::slice::from_ref(&image), &format!("\n {host} {ACCOUNT}\n"));
        right.assert(SourceProvenance, Pass, None);
        // Blobs are on another host, which gets nothing.
        for request in registry.blob_requests() {
            assert_eq!(request.header("authorization"), None, "{ways:?}");
        }
    }
}

#[test]
fn credentials_reach_no_other_registry() {
    let (own, image) = registry(token_door(), RegistryWays::Ghcr);
    let (other, other_image) = registry(RegistryAccess::OPEN, RegistryWays::Ghcr);
    let ran = verify(&[image, other_image], &format!("{} {ACCOUNT}", own.host()));
    ran.assert(SourceProvenance, Pass, None);
    let sent = |registry: &ImageRegistry| {
        let requests = registry.requests();
        let with = requests.iter().filter_map(|request| {
            Some((
                request.path().to_owned(),
                request.header("authorization")?.to_owned(),
            ))
        });
        with.filter(|(_, value)| value.contains(ENCODED))
            .map(|(path, _)| path)
            .collect::<Vec<_>>()
    };
    // The password goes to the token service, and the token to the registry.
    assert!(!sent(&own).is_empty());
    assert!(sent(&own).iter().all(|path| path == "/token"), "{:?}", sent(&own));
    assert_eq!(sent(&other), Vec::<String>::new());
}

#[test]
fn a_token_service_elsewhere_gets_credentials_if_the_user_names_it() {
    let service = ScriptedServer::http(|request| registry_token(Some(ACCOUNT), request));
    let elsewhere = service.url().trim_start_matches("http://").to_owned();
    let door = RegistryAccess {
        token_service: Some(format!("{}/token", service.url())),
        ..token_door()
    };
    let (registry, image) = registry(door, RegistryWays::Specified);
    let host = registry.host();
    let ran = verify(std::slice::from_ref(&image), &format!("{host} {ACCOUNT}"));
    ran.assert(SourceProvenance, Error, Some("api-denied"));
    let detail = ran.check(SourceProvenance).detail;
    assert!(detail.contains("token service of another operator"), "{detail}");
    assert_eq!(service.requests().len(), 0);
    let ran = verify(&[image], &format!("{host} {ACCOUNT} {elsewhere}"));
    ran.assert(SourceProvenance, Pass, None);
    assert!(!service.requests().is_empty());
}

#[test]
fn a_token_service_that_redirects_takes_no_credentials_with_it() {
    let thief = ScriptedServer::http(|_| Scripted::json("{}"));
    let (to, target) = (thief.url(), thief.url());
    let host = ScriptedServer::http(move |request| match request.path() {
        "/token" => Scripted::of(307, "text/plain", Vec::new()).header("Location", format!("{to}/token")),
        _ => {
            let own = request.header("host").unwrap_or_default();
            Scripted::of(401, "text/plain", Vec::new())
                .header("WWW-Authenticate", format!("Bearer realm=\"http://{own}/token\""))
        }
    });
    let registry = host.url().trim_start_matches("http://").to_owned();
    let image = format!("{registry}/{NAME}@sha256:{}", "11".repeat(32));
    let ran = verify(&[image], &format!("{registry} {ACCOUNT}"));
    ran.assert(SourceProvenance, Error, Some("unreachable"));
    assert_eq!(thief.requests().len(), 0, "{target}");
    assert!(host.requests().iter().any(|request| request.path() == "/token"));

    // A registry that takes a password and redirects a manifest.
    let to = thief.url();
    let host = ScriptedServer::http(move |request| match request.header("authorization") {
        Some(_) => Scripted::of(307, "text/plain", Vec::new()).header("Location", format!("{to}/x")),
        None => Scripted::of(401, "text/plain", Vec::new()).header("WWW-Authenticate", "Basic realm=\"x\""),
    });
    let registry = host.url().trim_start_matches("http://").to_owned();
    let image = format!("{registry}/{NAME}@sha256:{}", "11".repeat(32));
    let ran = verify(&[image], &format!("{registry} {ACCOUNT}"));
    ran.assert(SourceProvenance, Error, Some("malformed-answer"));
    assert_eq!(thief.requests().len(), 0);
}

#[test]
fn a_mistake_in_the_credentials_is_a_usage_error_that_repeats_nothing_of_them() {
    let (registry, image) = registry(token_door(), RegistryWays::Specified);
    let ran = Release::of(&[image]).verify_in(
        REGISTRY,
        &[],
        &[(VARIABLE, &format!("{ACCOUNT} {}", registry.host()))],
    );
    ran.assert_usage_error(
        "CVM_VERIFY_REGISTRY_CREDENTIALS: line 1 does not begin with the host of a registry",
    );
    assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
    assert_eq!(registry.requests().len(), 0);
}
