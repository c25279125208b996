//! The client against hostile servers on loopback. Every test asserts which error, not only that there is one.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::AsyncWriteExt;

use super::*;
use crate::net::address::Scope;
use crate::net::error::{TlsProblem, UrlProblem};
use crate::net::loopback::{self, TestPki, answer, bytes, raw};
use crate::net::retry::Heal;

const SHORT: Duration = Duration::from_millis(300);

async fn get(url: &Url, limits: &Limits) -> Result<Response, NetError> {
    loopback::client().get(url, limits).await
}

fn small() -> Limits {
    Limits::body(100)
}

/// A lookup that gives `address` for every name, and counts.
fn fixed(addresses: &[&str], calls: Arc<AtomicUsize>) -> Lookup {
    let addresses: Vec<std::net::IpAddr> =
        addresses.iter().map(|text| text.parse().unwrap()).collect();
    Arc::new(move |_| {
        calls.fetch_add(1, Ordering::SeqCst);
        let addresses = addresses.clone();
        Box::pin(async move { Ok(addresses) })
    })
}

#[tokio::test]
async fn an_answer_comes_with_status_header_and_body() {
    let url = bytes(answer(200, &[("X-A", "b")], b"hello")).await;
    let response = get(&url, &small()).await.unwrap();
    assert_eq!((response.status, response.header("x-a")), (200, Some("b")));
    assert_eq!(response.body, b"hello");
}

#[tokio::test]
async fn the_request_asks_for_no_cache_no_compression_and_names_us() {
    let (send, mut heads) = tokio::sync::mpsc::unbounded_channel();
    let url = raw(move |head, mut stream| {
        let _ = send.send(head);
        async move {
            let _ = stream.write_all(&answer(200, &[], b"{}")).await;
        }
    })
    .await;
    loopback::client().get_json(&url, &small()).await.unwrap();
    let head = heads.recv().await.unwrap().to_ascii_lowercase();
    assert!(head.contains("accept: application/json"));
    assert!(head.contains("cache-control: no-store"));
    assert!(head.contains("user-agent: cvm-verify/"));
    assert!(!head.contains("accept-encoding") && !head.contains("cookie"));
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_passes_and_one_byte_more_does_not() {
    let url = bytes(answer(200, &[], &[b'a'; 100])).await;
    assert_eq!(get(&url, &small()).await.unwrap().body.len(), 100);
    let url = bytes(answer(200, &[], &[b'a'; 101])).await;
    let error = get(&url, &small()).await.unwrap_err();
    assert!(matches!(error, NetError::TooLarge { limit: 100, .. }));
    assert!(!error.may_heal());
}

#[tokio::test]
async fn an_endless_body_without_a_length_is_cut_at_the_limit() {
    let url = raw(|_, mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        while stream.write_all(&[b'a'; 64]).await.is_ok() {}
    })
    .await;
    let error = get(&url, &small()).await.unwrap_err();
    assert!(
        matches!(error, NetError::TooLarge { limit: 100, .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_content_length_that_lies_upwards_is_an_incomplete_answer() {
    let url = bytes("HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nshort").await;
    let error = get(&url, &small()).await.unwrap_err();
    assert!(matches!(error, NetError::Closed { .. }), "{error:?}");
    assert!(error.may_heal());
}

#[tokio::test]
async fn a_content_length_that_lies_downwards_gives_what_it_announced() {
    let url = bytes("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello and much more").await;
    assert_eq!(get(&url, &small()).await.unwrap().body, b"hello");
}

#[tokio::test]
async fn a_slow_drip_is_cut_by_the_total_time() {
    let url = raw(|_, mut stream| async move {
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n")
            .await;
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if stream.write_all(b".").await.is_err() {
                return;
            }
        }
    })
    .await;
    let error = get(&url, &small().within(SHORT)).await.unwrap_err();
    assert_eq!(
        error,
        NetError::Timeout {
            host: guard::authority(&url),
            stage: Stage::Body
        }
    );
    assert!(error.may_heal());
}

#[tokio::test]
async fn a_server_that_never_answers_times_out() {
    let url = raw(|_, stream| async move {
        tokio::time::sleep(Duration::from_secs(60)).await;
        drop(stream);
    })
    .await;
    let error = get(&url, &small().within(SHORT)).await.unwrap_err();
    assert!(matches!(
        error,
        NetError::Timeout {
            stage: Stage::Response,
            ..
        }
    ));
}

#[tokio::test]
async fn a_lookup_that_hangs_times_out_while_connecting() {
    let transport = Transport {
        connect_timeout: SHORT,
        ..Transport::default()
    };
    let lookup: Lookup = Arc::new(|_| Box::pin(std::future::pending()));
    let client = Client::with_lookup(&transport, lookup).unwrap();
    let url = "https://app.example/".parse().unwrap();
    let error = client.get(&url, &small()).await.unwrap_err();
    assert!(matches!(
        error,
        NetError::Timeout {
            stage: Stage::Connect,
            ..
        }
    ));
}

#[tokio::test]
async fn a_redirect_is_refused_and_its_target_shown_without_secrets() {
    let target = "https://user:hunter2@evil.example/login?token=hunter3#hunter4";
    let url = bytes(answer(302, &[("location", target)], b"")).await;
    let error = get(&url, &small()).await.unwrap_err();
    let NetError::Redirect {
        status, location, ..
    } = &error
    else {
        panic!("{error:?}")
    };
    assert_eq!(
        (*status, location.as_str()),
        (302, "https://evil.example:443/login")
    );
    assert!(!error.may_heal());
    let url = bytes(answer(307, &[], b"")).await;
    assert!(matches!(
        get(&url, &small()).await,
        Err(NetError::Redirect { status: 307, .. })
    ));
}

#[tokio::test]
async fn header_bombs_are_refused_by_size_and_by_number() {
    let large = "a".repeat(Limits::MAX_HEADERS);
    let url = bytes(answer(200, &[("x-large", &large)], b"")).await;
    let error = get(&url, &small()).await.unwrap_err();
    assert!(matches!(
        error,
        NetError::HeadersTooLarge { limit: 65_536, .. }
    ));
    let many = vec![("x-many", "a"); 200];
    let url = bytes(answer(200, &many, b"")).await;
    let error = get(&url, &small()).await.unwrap_err();
    assert!(
        matches!(error, NetError::HeadersTooLarge { .. }),
        "{error:?}"
    );
    let endless = raw(|_, mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nx: ").await;
        while stream.write_all(&[b'a'; 4096]).await.is_ok() {}
    })
    .await;
    let error = get(&endless, &small()).await.unwrap_err();
    assert!(
        matches!(error, NetError::HeadersTooLarge { .. }),
        "{error:?}"
    );
    assert!(!error.may_heal());
}

#[tokio::test]
async fn the_status_of_an_error_page_survives_its_size() {
    let url = bytes(answer(503, &[("retry-after", "9")], &[b'a'; 5000])).await;
    let response = get(&url, &small()).await.unwrap();
    assert_eq!((response.status, response.body.len()), (503, 0));
    assert_eq!(response.retry_after(), Some(Duration::from_secs(9)));
}

#[tokio::test]
async fn something_that_is_not_http_and_a_silent_close_are_told_apart() {
    let error = get(&bytes("SSH-2.0-OpenSSH_9.9\r\n").await, &small())
        .await
        .unwrap_err();
    assert!(matches!(error, NetError::Protocol { .. }), "{error:?}");
    let error = get(&bytes("").await, &small()).await.unwrap_err();
    assert!(matches!(error, NetError::Closed { .. }), "{error:?}");
}

#[tokio::test]
async fn a_closed_port_is_a_connect_error() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "http://{}/secret?token=hunter2",
        listener.local_addr().unwrap()
    );
    drop(listener);
    let error = get(&url.parse().unwrap(), &small()).await.unwrap_err();
    assert!(
        matches!(
            error,
            NetError::Connect {
                via_proxy: false,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(error.may_heal());
    assert!(!error.to_string().contains("hunter2"));
}

#[tokio::test]
async fn plain_http_to_another_machine_is_refused_unsent() {
    let calls = Arc::new(AtomicUsize::new(0));
    let transport = Transport {
        allow_private_network: true,
        ..Transport::default()
    };
    let client = Client::with_lookup(&transport, fixed(&["1.1.1.1"], calls.clone())).unwrap();
    let url = "http://app.example/".parse().unwrap();
    let error = client.get(&url, &small()).await.unwrap_err();
    assert!(matches!(
        error,
        NetError::BadUrl {
            problem: UrlProblem::PlainHttp,
            ..
        }
    ));
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_private_dns_answer_refuses_the_host_and_nothing_is_connected() {
    let client = Client::with_lookup(
        &Transport::default(),
        fixed(&["1.1.1.1", "10.1.2.3"], Arc::default()),
    )
    .unwrap();
    let url = "https://app.example/".parse().unwrap();
    let error = client.get(&url, &small()).await.unwrap_err();
    assert_eq!(
        error,
        NetError::AddressRefused {
            host: "app.example:443".into(),
            address: "10.1.2.3".parse().unwrap(),
            scope: Scope::Private
        }
    );
    assert!(!error.may_heal());
    assert!(error.to_string().contains("--allow-private-network"));
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_a_dns_error() {
    let lookup: Lookup =
        Arc::new(|_| Box::pin(async { Err(std::io::Error::other("no such\nhost")) }));
    let client = Client::with_lookup(&Transport::default(), lookup).unwrap();
    let url = "https://app.example/".parse().unwrap();
    let error = client.get(&url, &small()).await.unwrap_err();
    assert_eq!(
        error,
        NetError::Dns {
            host: "app.example:443".into(),
            detail: "no such?host".into()
        }
    );
    assert!(error.may_heal());
}

/// Asks a TLS server on loopback under the name `app.example`.
async fn get_tls(port: u16, ca_file: Option<String>) -> Result<Response, NetError> {
    let calls = Arc::new(AtomicUsize::new(0));
    let transport = Transport {
        allow_private_network: true,
        ca_file: ca_file.map(String::into_bytes),
        ..Transport::default()
    };
    let client = Client::with_lookup(&transport, fixed(&["127.0.0.1"], calls.clone())).unwrap();
    let url = format!("https://app.example:{port}/").parse().unwrap();
    let result = client.get(&url, &small()).await;
    // One look-up for one request: the addresses that were checked are those that were connected to.
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    result
}

fn tls_problem(result: Result<Response, NetError>) -> TlsProblem {
    let error = result.unwrap_err();
    assert!(!error.may_heal());
    match error {
        NetError::Tls { problem, .. } => problem,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_certificate_of_the_users_own_ca_is_accepted_and_of_no_other() {
    let pki = TestPki::new();
    let port = pki.serve("app.example", (2000, 2100));
    let response = get_tls(port, Some(pki.root_pem())).await.unwrap();
    assert_eq!(response.body, b"tls");
    let other = Some(TestPki::new().root_pem());
    for ca_file in [None, other] {
        let problem = tls_problem(get_tls(port, ca_file).await);
        assert!(matches!(
            problem,
            TlsProblem::UnknownIssuer | TlsProblem::Certificate
        ));
    }
    assert_eq!(
        tls_problem(get_tls(port, None).await),
        TlsProblem::UnknownIssuer
    );
}

#[tokio::test]
async fn a_wrong_name_and_wrong_dates_are_told_apart() {
    let pki = TestPki::new();
    let ca = Some(pki.root_pem());
    for (name, years, expected) in [
        ("other.example", (2000, 2100), TlsProblem::WrongName),
        ("app.example", (2000, 2001), TlsProblem::Expired),
        ("app.example", (2090, 2100), TlsProblem::NotYetValid),
    ] {
        let port = pki.serve(name, years);
        assert_eq!(tls_problem(get_tls(port, ca.clone()).await), expected);
    }
}

#[tokio::test]
async fn a_plain_http_port_under_https_is_a_handshake_failure() {
    // The other servers wait for a request head, which a TLS greeting never completes: this one answers at once.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.write_all(&answer(400, &[], b"plain")).await;
        tokio::time::sleep(Duration::from_secs(60)).await;
    });
    assert_eq!(
        tls_problem(get_tls(port, None).await),
        TlsProblem::Handshake
    );
}

#[tokio::test]
async fn a_proxy_is_asked_to_connect_and_its_refusal_shows_no_password() {
    let (send, mut heads) = tokio::sync::mpsc::unbounded_channel();
    let proxy = raw(move |head, mut stream| {
        let _ = send.send(head);
        async move {
            let _ = stream.write_all(&answer(407, &[], b"")).await;
        }
    })
    .await;
    let mut proxy = proxy;
    proxy.set_username("user").unwrap();
    proxy.set_password(Some("hunter2")).unwrap();
    proxy.set_host(Some("proxy.internal")).unwrap();
    let transport = Transport {
        proxy: Some(proxy.to_string().into()),
        ..Transport::default()
    };
    assert!(!format!("{transport:?}").contains("hunter2"));
    let client = Client::with_lookup(&transport, fixed(&["127.0.0.1"], Arc::default())).unwrap();
    let url = "https://app.example/".parse().unwrap();
    let error = client.get(&url, &small()).await.unwrap_err();
    assert!(
        matches!(
            error,
            NetError::Connect {
                via_proxy: true,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(!format!("{error} {error:?} {client:?}").contains("hunter2"));
    let head = heads.recv().await.unwrap();
    assert!(head.starts_with("CONNECT app.example:443 "), "{head}");
    assert!(
        head.to_ascii_lowercase()
            .contains("proxy-authorization: basic")
    );
    // The proxy resolves names, but a literal is still ours to judge.
    let literal = "https://10.0.0.1/".parse().unwrap();
    let error = client.get(&literal, &small()).await.unwrap_err();
    assert!(matches!(
        error,
        NetError::AddressRefused {
            scope: Scope::Private,
            ..
        }
    ));
}

#[test]
fn an_unusable_proxy_url_is_a_setup_error_that_does_not_repeat_it() {
    for text in ["", "hunter2", "socks5://user:hunter2@proxy:1", "file:///x"] {
        let transport = Transport {
            proxy: Some(text.to_owned().into()),
            ..Transport::default()
        };
        let error = Client::new(&transport).unwrap_err();
        assert_eq!(error, SetupError::Proxy, "{text}");
        assert!(!error.to_string().contains("hunter2"));
    }
}
