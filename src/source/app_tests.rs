//! The app's endpoints on loopback, honest and not.

use proptest::prelude::*;
use simulator::{AppServer, Cvm, World};

use super::*;
use crate::net::Transport;
use crate::net::loopback::{self, answer, routes};
use crate::net::retry::Heal;
use cvm_verify_core::checks::EvidenceReason;

const NONCE: [u8; 32] = [0xab; 32];

fn endpoints(base: &Url) -> AppEndpoints {
    AppEndpoints::new(base.clone()).expect("endpoints")
}

fn urls(base: &str, attestation: &str, info: &str) -> (String, String) {
    let base = base.parse().expect("a URL");
    let endpoints = AppEndpoints::with_paths(base, attestation, info).expect("endpoints");
    (
        endpoints.attestation_url(&NONCE).into(),
        endpoints.info_url().into(),
    )
}

#[test]
fn paths_and_queries_are_joined_below_the_base() {
    let nonce = "ab".repeat(32);
    for (base, attestation, expected) in [
        (
            "https://a.example",
            "/attestation",
            "https://a.example/attestation?",
        ),
        (
            "https://a.example/",
            "attestation",
            "https://a.example/attestation?",
        ),
        (
            "https://a.example:8443/api/",
            "/attestation",
            "https://a.example:8443/api/attestation?",
        ),
        ("https://a.example/api", "/q?x=1", "https://a.example/api/q?x=1&"),
        ("https://a.example/?k=v", "/q?x=1", "https://a.example/q?k=v&x=1&"),
        (
            "https://a.example",
            "//evil.example/q",
            "https://a.example/evil.example/q?",
        ),
        ("https://a.example", "/q?", "https://a.example/q?"),
    ] {
        let (found, _) = urls(base, attestation, "/info");
        assert_eq!(
            found,
            format!("{expected}reportData={nonce}"),
            "{base} {attestation}"
        );
    }
    let (_, info) = urls("https://a.example/api/?k=v", "/attestation", "/info");
    assert_eq!(info, "https://a.example/api/info?k=v");
}

#[test]
fn endpoints_that_fix_the_nonce_or_hold_a_fragment_are_refused() {
    let with = |base: &str, path| {
        AppEndpoints::with_paths(base.parse().expect("a URL"), path, "/info").expect_err("refused")
    };
    let nonce = |path: &str| EndpointError::Nonce(format!("{path:?}"));
    assert_eq!(with("https://a.example", "/q?reportData=00"), nonce("/q"));
    assert_eq!(with("https://a.example", "/q?x=1&report%44ata"), nonce("/q"));
    assert_eq!(with("https://a.example?reportData=00", "/q"), nonce("/q"));
    assert_eq!(
        with("https://a.example", "/q#x"),
        EndpointError::Fragment("\"/q\"".into())
    );
    assert!(matches!(
        with("https://a.example#x", "/q"),
        EndpointError::Fragment(_)
    ));
    assert_eq!(with("data:text/plain,x", "/q"), EndpointError::Base);
}

#[tokio::test]
async fn both_documents_come_raw() {
    let (url, asked) = routes(|target| match target {
        "/info" => answer(200, &[], b" [\"info\"] "),
        _ => answer(200, &[], b"{\"quote\" :1.0}"),
    })
    .await;
    let (client, endpoints) = (loopback::client(), endpoints(&url));
    let found = attestation(&client, &endpoints, &NONCE, Limits::TOTAL).await;
    assert_eq!(found.expect("an answer").body, b"{\"quote\" :1.0}");
    let found = info(&client, &endpoints, Limits::TOTAL).await;
    assert_eq!(found.as_deref(), Ok(&b" [\"info\"] "[..]));
    let mut asked = asked.lock().expect("the list").clone();
    asked.sort();
    assert_eq!(
        asked,
        [
            format!("/attestation?reportData={}", "ab".repeat(32)),
            "/info".into()
        ]
    );
}

#[tokio::test]
async fn one_connection_carries_both_documents_and_the_next_attempt_has_its_own() {
    let cvm = Cvm::healthy(&World::new(7, simulator::DEFAULT_NOW));
    let server = AppServer::http(cvm);
    let endpoints = endpoints(&server.url().parse().expect("a URL"));
    let client = loopback::client();
    for _ in 0..2 {
        assert!(
            attestation(&client, &endpoints, &NONCE, Limits::TOTAL)
                .await
                .is_ok()
        );
        assert!(info(&client, &endpoints, Limits::TOTAL).await.is_ok());
    }
    let connections: Vec<usize> = server
        .requests()
        .iter()
        .map(|request| request.connection)
        .collect();
    assert_eq!(connections, [0, 0, 1, 1]);
}

/// The error of the attestation when the server gives `bytes`.
async fn error(bytes: Vec<u8>) -> SourceError {
    let url = loopback::bytes(bytes).await;
    let found = attestation(&loopback::client(), &endpoints(&url), &NONCE, Limits::TOTAL).await;
    found.expect_err("an error")
}

#[tokio::test]
async fn each_way_to_fail_has_its_reason() {
    let large = vec![b'{'; MAX_BYTES + 1];
    for (bytes, reason, heals) in [
        (answer(404, &[], b"{}"), EvidenceReason::HttpStatus(404), false),
        (answer(503, &[], b"{}"), EvidenceReason::HttpStatus(503), true),
        (answer(429, &[], b"{}"), EvidenceReason::HttpStatus(429), true),
        (
            answer(302, &[("location", "https://b.example/")], b""),
            EvidenceReason::HttpStatus(302),
            false,
        ),
        (
            answer(200, &[], b"<html>starting</html>"),
            EvidenceReason::NotJson,
            true,
        ),
        (answer(200, &[], b""), EvidenceReason::NotJson, true),
        (answer(200, &[], &large), EvidenceReason::TooLarge, false),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_vec(),
            EvidenceReason::Unreachable,
            true,
        ),
        (b"hello\r\n\r\n".to_vec(), EvidenceReason::Unreachable, true),
    ] {
        let found = error(bytes).await;
        assert_eq!((found.reason(), found.may_heal()), (reason, heals), "{found}");
    }
}

#[tokio::test]
async fn a_private_address_and_plain_http_are_address_refused() {
    let client = Client::new(&Transport::default()).expect("a client");
    for base in [
        "https://127.0.0.1:1",
        "https://169.254.169.254",
        "http://127.0.0.1:1",
        "http://a.example",
    ] {
        let endpoints = endpoints(&base.parse().expect("a URL"));
        let found = attestation(&client, &endpoints, &NONCE, Limits::TOTAL).await;
        let error = found.expect_err("refused");
        assert_eq!(
            (error.reason(), error.may_heal()),
            (EvidenceReason::AddressRefused, false),
            "{base}"
        );
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_tls() {
    let port = loopback::TestPki::new().serve("127.0.0.1", (2000, 2100));
    let url = format!("https://127.0.0.1:{port}").parse().expect("a URL");
    let found = attestation(&loopback::client(), &endpoints(&url), &NONCE, Limits::TOTAL).await;
    let error = found.expect_err("not trusted");
    assert_eq!((error.reason(), error.may_heal()), (EvidenceReason::Tls, false));
}

proptest! {
    #[test]
    fn no_path_changes_the_host_or_loses_the_nonce(path in ".{0,60}") {
        let base: Url = "https://a.example/api".parse().expect("a URL");
        if let Ok(endpoints) = AppEndpoints::with_paths(base, &path, &path) {
            let url = endpoints.attestation_url(&NONCE);
            prop_assert_eq!(url.host_str(), Some("a.example"));
            prop_assert_eq!(url.scheme(), "https");
            let nonces: Vec<String> = url
                .query_pairs()
                .filter(|(name, _)| name == "reportData")
                .map(|(_, value)| value.into_owned())
                .collect();
            prop_assert_eq!(nonces, vec!["ab".repeat(32)]);
        }
    }
}
