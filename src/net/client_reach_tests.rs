//! How the client reaches a server: names, addresses, certificates, the proxy. Every test asserts which error.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::AsyncWriteExt;

use super::*;
use crate::net::address::AddressScope;
use crate::net::error::{TlsProblem, UrlProblem};
use crate::net::loopback::{TestPki, answer, bytes, raw};
use crate::net::retry::Heal;

fn small() -> Limits {
    Limits::body(100)
}

/// A lookup that gives `address` for every name, and counts.
fn fixed(addresses: &[&str], calls: Arc<AtomicUsize>) -> Lookup {
    let addresses: Vec<std::net::IpAddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
    Arc::new(move |_| {
        calls.fetch_add(1, Ordering::SeqCst);
        let addresses = addresses.clone();
        Box::pin(async move { Ok(addresses) })
    })
}

#[tokio::test]
async fn a_lookup_that_hangs_times_out_while_connecting() {
    let transport = Transport {
        connect_timeout: Duration::from_millis(200),
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
            scope: AddressScope::Private
        }
    );
    assert!(!error.may_heal());
    assert!(error.to_string().contains("--allow-private-network"));
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_a_dns_error() {
    let lookup: Lookup = Arc::new(|_| Box::pin(async { Err(std::io::Error::other("no such\nhost")) }));
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
    assert_eq!(tls_problem(get_tls(port, None).await), TlsProblem::UnknownIssuer);
}

#[tokio::test]
async fn a_ca_that_presents_itself_is_told_so() {
    let (port, pem) = TestPki::serve_a_ca("app.example");
    let said = get_tls(port, Some(pem)).await.unwrap_err().to_string();
    assert!(
        said.contains("the certificate of a CA itself (CA:TRUE)") && !said.contains("OtherError"),
        "{said}"
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
        let result = get_tls(port, ca.clone()).await;
        let said = result.as_ref().unwrap_err().to_string();
        // A date, not seconds since 1970.
        let date = match expected {
            TlsProblem::Expired => "it ended at 2001-",
            TlsProblem::NotYetValid => "it begins at 2090-",
            _ => "",
        };
        assert!(said.contains(date) && !said.contains("UNIX"), "{said}");
        assert_eq!(tls_problem(result), expected);
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
    assert_eq!(tls_problem(get_tls(port, None).await), TlsProblem::Handshake);
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
        matches!(error, NetError::Connect { via_proxy: true, .. }),
        "{error:?}"
    );
    assert!(!format!("{error} {error:?} {client:?}").contains("hunter2"));
    let head = heads.recv().await.unwrap();
    assert!(head.starts_with("CONNECT app.example:443 "), "{head}");
    assert!(head.to_ascii_lowercase().contains("proxy-authorization: basic"));
    // The proxy resolves names, but a literal is still ours to judge.
    let literal = "https://10.0.0.1/".parse().unwrap();
    let error = client.get(&literal, &small()).await.unwrap_err();
    assert!(matches!(
        error,
        NetError::AddressRefused {
            scope: AddressScope::Private,
            ..
        }
    ));
}

/// T47: the permission is for what the user names.
#[tokio::test]
async fn what_a_public_server_names_is_held_to_the_public_internet() {
    let private = Client::new(&Transport {
        allow_private_network: true,
        ..Transport::default()
    });
    let private = private.unwrap();
    let url = bytes(answer(200, &[], b"private")).await;
    let here = private.get(&url, &small()).await.unwrap();
    let public = Response::with(302, &[], b"");
    let named_by = |answer| private.for_named_by(answer).unwrap();
    assert_eq!(
        named_by(&here).get(&url, &small()).await.unwrap().body,
        b"private"
    );
    let plain = named_by(&public).get(&url, &small()).await.unwrap_err();
    let plain_http = UrlProblem::PlainHttp;
    assert!(
        matches!(&plain, NetError::BadUrl { problem, .. } if *problem == plain_http),
        "{plain:?}"
    );
    let literal = "https://10.0.0.1/".parse().unwrap();
    let error = named_by(&public).get(&literal, &small()).await.unwrap_err();
    assert!(matches!(error, NetError::AddressRefused { .. }), "{error:?}");
}

#[tokio::test]
async fn that_the_name_of_a_proxy_is_not_found_is_not_told_of_the_server() {
    let nowhere: Lookup = Arc::new(|_| Box::pin(async { Err(std::io::Error::other("no such name")) }));
    let ask = async |transport: Transport| {
        let client = Client::with_lookup(&transport, Arc::clone(&nowhere)).unwrap();
        let url = "https://app.example/".parse().unwrap();
        client.get(&url, &small()).await.unwrap_err()
    };
    let error = ask(Transport {
        proxy: Some("http://proxy.invalid:3128".to_owned().into()),
        ..Transport::default()
    })
    .await;
    assert!(
        matches!(error, NetError::Connect { via_proxy: true, .. }),
        "{error:?}"
    );
    assert!(
        error.to_string().contains("the name proxy.invalid could"),
        "{error}"
    );
    let error = ask(Transport::default()).await;
    assert!(matches!(error, NetError::Dns { .. }), "{error:?}");
}

#[tokio::test]
async fn through_a_proxy_tls_is_still_checked_end_to_end() {
    let pki = TestPki::new();
    for (name, expected) in [
        ("app.example", None),
        ("other.example", Some(TlsProblem::WrongName)),
    ] {
        let port = pki.serve(name, (2000, 2100));
        let proxy = raw(move |_, mut stream| async move {
            let mut server = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            let _ = tokio::io::copy_bidirectional(&mut stream, &mut server).await;
        })
        .await;
        let transport = Transport {
            proxy: Some(proxy.to_string().into()),
            ca_file: Some(pki.root_pem().into_bytes()),
            ..Transport::default()
        };
        let client = Client::new(&transport).unwrap();
        let url = "https://app.example/".parse().unwrap();
        let result = client.get(&url, &small()).await;
        match expected {
            None => assert_eq!(result.unwrap().body, b"tls"),
            Some(problem) => assert_eq!(tls_problem(result), problem),
        }
    }
}

#[tokio::test]
async fn loopback_is_never_asked_through_the_proxy() {
    let url = bytes(answer(200, &[], b"direct")).await;
    let transport = Transport {
        proxy: Some("http://127.0.0.1:1".to_owned().into()),
        allow_private_network: true,
        ..Transport::default()
    };
    let client = Client::new(&transport).unwrap();
    assert_eq!(client.get(&url, &small()).await.unwrap().body, b"direct");
    // Whatever is told is told of this machine, and not of the proxy.
    for host in ["localhost.", "127.1.2.3", "[::1]", "[::ffff:127.0.0.1]"] {
        let nobody = format!("http://{host}:1/").parse().unwrap();
        let error = client.get(&nobody, &small()).await.unwrap_err();
        // Not every machine knows the name with a dot.
        let is_direct = matches!(
            error,
            NetError::Connect { via_proxy: false, .. } | NetError::Dns { .. }
        );
        assert!(
            is_direct && !error.to_string().contains("proxy"),
            "{host}: {error:?}"
        );
    }
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
