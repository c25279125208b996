//! Small servers on 127.0.0.1 for the tests of this floor and of those above it.

use std::future::Future;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use super::{Client, Transport};

/// A client that may reach loopback.
pub(crate) fn client() -> Client {
    Client::new(&Transport {
        allow_private_network: true,
        ..Transport::default()
    })
    .unwrap()
}

/// What the servers were asked for, request target by request target.
pub(crate) type RequestLog = Arc<Mutex<Vec<String>>>;

/// A server that gives every connection to `serve`, with the request head read already.
pub(crate) async fn raw<F, Fut>(serve: F) -> Url
where
    F: Fn(String, TcpStream) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serve = Arc::new(serve);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let serve = serve.clone();
            tokio::spawn(async move {
                let head = read_head(&mut stream).await;
                serve(head, stream).await;
            });
        }
    });
    url.parse().unwrap()
}

/// A server that answers every connection with the same bytes and closes.
pub(crate) async fn bytes(answer: impl Into<Vec<u8>>) -> Url {
    let answer: Vec<u8> = answer.into();
    raw(move |_, mut stream| {
        let answer = answer.clone();
        async move {
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
        }
    })
    .await
}

/// A server that answers by the request target, and the list of what it was asked.
pub(crate) async fn routes(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> (Url, RequestLog) {
    let asked = RequestLog::default();
    let log = asked.clone();
    let url = raw(move |head, mut stream| {
        let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
        log.lock().unwrap().push(target.clone());
        let bytes = answer(&target);
        async move {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
    })
    .await;
    (url, asked)
}

/// A well-formed answer.
pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    [text.as_bytes(), body].concat()
}

async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(count) => head.extend_from_slice(&buffer[..count]),
        }
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// A certificate authority and servers under it.
pub(crate) struct TestPki {
    root: rcgen::Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl TestPki {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).unwrap();
        let issuer = Issuer::new(params, key);
        Self { root, issuer }
    }

    /// The authority's certificate, as a user's CA file holds it.
    pub(crate) fn root_pem(&self) -> String {
        self.root.pem()
    }

    /// A TLS server that answers `200` with body `tls`. Its port on 127.0.0.1; the certificate is for `name` and valid
    /// in `years` (from, to).
    pub(crate) fn serve(&self, name: &str, years: (i32, i32)) -> u16 {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(years.0, 1, 1);
        params.not_after = rcgen::date_time_ymd(years.1, 1, 1);
        let leaf = params.signed_by(&key, &self.issuer).unwrap();
        serve_tls(&leaf, &key)
    }

    /// A server that presents the authority's own certificate, for `name`, as `openssl req -x509` makes it; and that certificate.
    pub(crate) fn serve_a_ca(name: &str) -> (u16, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let own = params.self_signed(&key).unwrap();
        (serve_tls(&own, &key), own.pem())
    }
}

/// A TLS server with this certificate. Its port.
fn serve_tls(certificate: &rcgen::Certificate, key: &KeyPair) -> u16 {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let config = Arc::new(config);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut tcp in listener.incoming().flatten() {
            let mut tls = rustls::ServerConnection::new(config.clone()).unwrap();
            let mut stream = rustls::Stream::new(&mut tls, &mut tcp);
            let mut request = [0; 4096];
            if stream.read(&mut request).is_ok() {
                let _ = stream.write_all(&answer(200, &[], b"tls"));
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    port
}
