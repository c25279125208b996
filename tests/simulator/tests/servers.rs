//! The servers answer, misbehave on demand, and go away.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use serde_json::Value;
use simulator::{
    Answers, AppEndpoint, AppServer, Behaviour, Cvm, DEFAULT_NOW, PccsEndpoint, PccsServer, TlsIdentity,
    TlsMode, World,
    server::{Ingress, Scripted, ScriptedServer},
};

const NONCE: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const OTHER: &str = "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100";

fn exchange(mut stream: impl Read + Write, target: &str) -> (String, Vec<u8>) {
    write!(
        stream,
        "GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    .expect("written");
    let mut answer = vec![];
    // A server that breaks off is part of what is tested.
    let _ = stream.read_to_end(&mut answer);
    let end = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .map_or(answer.len(), |at| at + 4);
    let body = answer.split_off(end);
    (String::from_utf8_lossy(&answer).into_owned(), body)
}

fn get(url: &str, target: &str) -> (String, Vec<u8>) {
    let stream = TcpStream::connect(url.trim_start_matches("http://")).expect("connected");
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .expect("timeout");
    exchange(stream, target)
}

fn attest(server: &AppServer, nonce: &str) -> Value {
    let (head, body) = get(&server.url(), &format!("/attestation?reportData={nonce}"));
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    serde_json::from_slice(&body).expect("JSON")
}

fn quoted(body: &Value) -> String {
    body["quote"].as_str().expect("a quote")[568 * 2..600 * 2].to_owned()
}

#[test]
fn the_app_answers_and_keeps_a_log() {
    let cvm = Cvm::healthy(&World::default());
    let server = AppServer::http(cvm.clone());
    assert_eq!(quoted(&attest(&server, NONCE)), NONCE);
    let (_, info) = get(&server.url(), "/info");
    assert_eq!(String::from_utf8(info).expect("text"), cvm.info_body());
    let info: Value = serde_json::from_str(&cvm.info_body()).expect("JSON");
    let tcb_info: Value = serde_json::from_str(info["tcb_info"].as_str().expect("text")).expect("JSON");
    assert_eq!(tcb_info["app_compose"], cvm.app_compose);
    assert!(get(&server.url(), "/attestation").0.starts_with("HTTP/1.1 400"));
    assert!(get(&server.url(), "/nothing").0.starts_with("HTTP/1.1 404"));
    assert_eq!((server.count("/attestation"), server.count("/info")), (2, 1));
    assert_eq!(
        server.requests()[0].parameter("reportData").as_deref(),
        Some(NONCE)
    );
}

#[test]
fn one_connection_carries_several_requests() {
    let server = AppServer::http(Cvm::healthy(&World::default()));
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).expect("connected");
    write!(stream, "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n").expect("written");
    let mut first = [0; 12];
    stream.read_exact(&mut first).expect("an answer");
    let (_, body) = exchange(stream, "/info");
    assert!(!body.is_empty());
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].connection, requests[1].connection);
}

#[test]
fn evidence_is_relayed_cached_or_of_two_instances() {
    let cvm = Cvm::healthy(&World::default());
    let server = AppServer::http(cvm.clone());
    server.answer_with(Answers::RelayPrevious);
    assert_eq!(quoted(&attest(&server, NONCE)), NONCE);
    assert_eq!(quoted(&attest(&server, OTHER)), NONCE);
    assert_eq!(quoted(&attest(&server, OTHER)), OTHER);
    server.answer_with(Answers::Cached);
    assert_eq!(quoted(&attest(&server, OTHER)), OTHER);
    assert_eq!(quoted(&attest(&server, NONCE)), OTHER);
    server.answer_with(Answers::Fresh);

    let mut other = cvm.clone();
    other.instance_id = vec![7; 20];
    server.alternate(vec![cvm, other]);
    assert_ne!(
        attest(&server, NONCE)["event_log"],
        attest(&server, NONCE)["event_log"]
    );
}

#[test]
fn endpoints_misbehave_on_demand() {
    let server = AppServer::http(Cvm::healthy(&World::default()));
    let info = |behaviour| {
        server.behave(AppEndpoint::Info, behaviour);
        get(&server.url(), "/info")
    };
    let whole = info(Behaviour::Normal).1;
    assert!(info(Behaviour::Status(503)).0.starts_with("HTTP/1.1 503"));
    assert!(
        info(Behaviour::RetryAfter(429, "7".into()))
            .0
            .contains("Retry-After: 7\r\n")
    );
    let (head, _) = info(Behaviour::Redirect("http://127.0.0.1:1/".into()));
    assert!(head.starts_with("HTTP/1.1 302") && head.contains("Location: http://127.0.0.1:1/\r\n"));
    assert!(info(Behaviour::Html).0.contains("text/html"));
    assert_eq!(info(Behaviour::TruncatedBody).1, whole[..whole.len() / 2]);
    assert!(info(Behaviour::EmptyBody).1.is_empty());
    assert_eq!(info(Behaviour::Close), (String::new(), vec![]));
    assert!(info(Behaviour::HugeHeaders(100_000)).0.len() > 100_000);
    assert!(
        info(Behaviour::WrongContentLength(5))
            .0
            .contains(&format!("Content-Length: {}\r\n", whole.len() + 5))
    );
    assert_eq!(info(Behaviour::Body("[]".into())).1, b"[]");
    assert_eq!(info(Behaviour::Raw(b"hello".to_vec())).0, "hello");
    server.behave(AppEndpoint::Info, Behaviour::Normal);
    server.behave_next(AppEndpoint::Info, 2, Behaviour::Status(500));
    let heads: Vec<_> = (0..3)
        .map(|_| get(&server.url(), "/info").0[9..12].to_owned())
        .collect();
    assert_eq!(heads, ["500", "500", "200"]);
}

#[test]
fn a_hanging_dripping_or_endless_server_still_goes_away_at_once() {
    for behaviour in [Behaviour::Hang, Behaviour::SlowDrip(20), Behaviour::EndlessBody] {
        let server = AppServer::http(Cvm::healthy(&World::default()));
        server.behave(AppEndpoint::Info, behaviour.clone());
        let mut stream = TcpStream::connect(("127.0.0.1", server.port())).expect("connected");
        write!(stream, "GET /info HTTP/1.1\r\n\r\n").expect("written");
        std::thread::sleep(Duration::from_millis(100));
        let begin = Instant::now();
        drop(server);
        assert!(begin.elapsed() < Duration::from_secs(30), "{behaviour:?}");
    }
}

#[test]
fn the_pccs_serves_what_the_world_signs() {
    let world = World::default();
    let server = PccsServer::http(world.clone());
    let collateral = world.collateral();
    let get = |target: &str| get(&server.url(), target);

    let (head, crl) = get("/sgx/certification/v4/pckcrl?ca=platform&encoding=der");
    assert_eq!(crl, collateral.pck_crl);
    assert!(
        head.contains("SGX-PCK-CRL-Issuer-Chain: -----BEGIN%20CERTIFICATE-----%0A"),
        "{head}"
    );
    let (_, root_crl) = get("/sgx/certification/v4/rootcacrl");
    assert_eq!(root_crl, hex::encode(&collateral.root_ca_crl).into_bytes());
    let (head, tcb) = get("/tdx/certification/v4/tcb?fmspc=B0C06F000000&update=standard");
    let signature = hex::encode(&collateral.tcb_info_signature);
    assert_eq!(
        String::from_utf8_lossy(&tcb),
        format!(
            r#"{{"tcbInfo":{},"signature":"{signature}"}}"#,
            collateral.tcb_info
        )
    );
    assert!(head.contains("TCB-Info-Issuer-Chain: "));
    let (head, qe) = get("/tdx/certification/v4/qe/identity?update=standard");
    let signature = hex::encode(&collateral.qe_identity_signature);
    assert_eq!(
        String::from_utf8_lossy(&qe),
        format!(
            r#"{{"enclaveIdentity":{},"signature":"{signature}"}}"#,
            collateral.qe_identity
        )
    );
    assert!(head.contains("SGX-Enclave-Identity-Issuer-Chain: "));

    assert!(
        get("/tdx/certification/v4/tcb?fmspc=000000000000")
            .0
            .starts_with("HTTP/1.1 404")
    );
    assert!(
        get("/tdx/certification/v4/tcb?fmspc=b0c06f000000&tcbEvaluationDataNumber=19")
            .0
            .starts_with("HTTP/1.1 404")
    );
    server.behave_everywhere(&Behaviour::Status(502));
    assert!(
        get("/sgx/certification/v4/rootcacrl")
            .0
            .starts_with("HTTP/1.1 502")
    );
    server.behave(PccsEndpoint::RootCaCrl, Behaviour::Normal);
    assert!(
        get("/sgx/certification/v4/rootcacrl")
            .0
            .starts_with("HTTP/1.1 200")
    );
    assert_eq!(server.count("/sgx/certification/v4/rootcacrl"), 3);
}

#[derive(Debug)]
struct SimulatedTime;

impl rustls::time_provider::TimeProvider for SimulatedTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(DEFAULT_NOW)))
    }
}

fn tls_get(server: &AppServer, trusted_pem: &str, host: &'static str) -> Result<(String, Vec<u8>), String> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(trusted_pem.as_bytes()).expect("PEM"))
        .map_err(|error| error.to_string())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_details(provider, Arc::new(SimulatedTime))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host).expect("a name");
    let mut connection = ClientConnection::new(Arc::new(config), name).map_err(|error| error.to_string())?;
    let mut socket = TcpStream::connect(("127.0.0.1", server.port())).expect("connected");
    connection
        .complete_io(&mut socket)
        .map_err(|error| error.to_string())?;
    Ok(exchange(StreamOwned::new(connection, socket), "/info"))
}

#[test]
fn https_works_for_those_who_trust_the_test_ca() {
    let cvm = Cvm::healthy(&World::default());
    let identity = TlsIdentity::new(1, DEFAULT_NOW, TlsMode::TestCa);
    let server = AppServer::https(cvm.clone(), &identity);
    for host in ["localhost", "127.0.0.1"] {
        let (head, body) = tls_get(&server, &identity.ca_pem(), host).expect("a TLS answer");
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert_eq!(String::from_utf8_lossy(&body), cvm.info_body());
    }
    let stranger = TlsIdentity::new(2, DEFAULT_NOW, TlsMode::TestCa);
    assert!(tls_get(&server, &stranger.ca_pem(), "localhost").is_err());
    assert!(tls_get(&server, &identity.ca_pem(), "example.com").is_err());

    let own = TlsIdentity::new(1, DEFAULT_NOW, TlsMode::SelfSigned);
    let server = AppServer::https(cvm, &own);
    assert!(tls_get(&server, &identity.ca_pem(), "localhost").is_err());
}

#[test]
fn another_certificate_shows_on_new_connections() {
    let first = TlsIdentity::new(1, DEFAULT_NOW, TlsMode::TestCa);
    let second = TlsIdentity::new(2, DEFAULT_NOW, TlsMode::TestCa);
    let server = AppServer::https(Cvm::healthy(&World::default()), &first);
    assert!(tls_get(&server, &first.ca_pem(), "localhost").is_ok());
    server.rotate_tls(&second);
    assert!(tls_get(&server, &first.ca_pem(), "localhost").is_err());
    assert!(tls_get(&server, &second.ca_pem(), "localhost").is_ok());
}

#[test]
fn an_ra_tls_certificate_carries_a_quote_of_its_key() {
    let cvm = Cvm::healthy(&World::default());
    let identity = TlsIdentity::ra_tls(1, DEFAULT_NOW, &cvm);
    let der = identity.leaf_der();
    let bound = simulator::ReportDataLayout::ra_tls(&identity.spki_der()).apply("");
    assert!(der.windows(64).any(|window| window == bound));
    assert!(
        der.windows(4).any(|window| window == [4, 0, 2, 0]),
        "the quote's first bytes"
    );
    AppServer::https(cvm, &identity);
}

#[test]
fn files_and_posts_are_served_and_recorded() {
    let cvm = Cvm::healthy(&World::default());
    let server = AppServer::http(cvm.clone());
    let identity = TlsIdentity::new(1, DEFAULT_NOW, TlsMode::TestCa);
    for (path, bytes) in Ingress::of(&cvm, &identity, "localhost").served() {
        server.serve_file(&path, "text/plain", bytes);
    }
    let sums = get(&server.url(), "/evidences/sha256sum.txt").1;
    let quote: Value = serde_json::from_slice(&get(&server.url(), "/evidences/quote.json").1).expect("JSON");
    assert_eq!(
        quoted(&quote),
        hex::encode(<sha2::Sha256 as sha2::Digest>::digest(&sums))
    );

    server.behave(AppEndpoint::Other, Behaviour::Status(200));
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).expect("connected");
    write!(stream, "POST /hook HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello").expect("written");
    let (head, _) = exchange(stream, "/info");
    assert!(head.starts_with("HTTP/1.1 200"));
    let hook = server
        .requests()
        .into_iter()
        .find(|request| request.path() == "/hook")
        .expect("recorded");
    assert_eq!(
        (
            hook.method.as_str(),
            hook.body.as_slice(),
            hook.header("content-length")
        ),
        ("POST", &b"hello"[..], Some("5"))
    );
    assert_eq!(server.count("/info"), 1);
}

#[test]
fn the_pccs_can_be_tampered_with() {
    let server = PccsServer::http(World::default());
    server.edit_collateral(|collateral| {
        collateral.qe_identity = collateral.qe_identity.replace("UpToDate", "OutOfDate")
    });
    let (head, body) = get(&server.url(), "/tdx/certification/v4/qe/identity");
    assert!(!String::from_utf8_lossy(&body).contains("UpToDate"));
    assert!(head.contains("Issuer-Chain"));
    server.behave(PccsEndpoint::QeIdentity, Behaviour::WithoutHeaders);
    assert!(
        !get(&server.url(), "/tdx/certification/v4/qe/identity")
            .0
            .contains("Issuer-Chain")
    );
    server.change(|world| world.tcb_info.eval_data_number = 15);
    assert!(
        String::from_utf8_lossy(&get(&server.url(), "/tdx/certification/v4/tcb?fmspc=b0c06f000000").1)
            .contains(r#""tcbEvaluationDataNumber":15"#)
    );
}

#[test]
fn an_answer_is_decided_before_its_request_is_counted() {
    let changed = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&changed);
    let server = ScriptedServer::http(move |_| {
        // Long enough for a change that waits for the count.
        std::thread::sleep(Duration::from_millis(200));
        Scripted::json(seen.load(Ordering::SeqCst))
    });
    let (_, body) = std::thread::scope(|scope| {
        let answer = scope.spawn(|| get(&server.url(), "/"));
        while server.requests().is_empty() {
            std::thread::yield_now();
        }
        changed.store(true, Ordering::SeqCst);
        answer.join().expect("an answer")
    });
    assert_eq!(body, b"false");
}
