//! The four answers of a PCS or PCCS. Their readers are private: the public door is an HTTP request, here to a server in
//! the same thread.
//!
//! An input is four answers; each is header lines, an empty line and the body.
#![cfg_attr(feature = "libfuzzer", no_main)]

use std::cell::RefCell;

use cvm_verify::collateral::{CollateralFetcher, CollateralRequest, PckCa, Sources};
use cvm_verify::net::retry::Schedule;
use cvm_verify::net::{Client, Transport};
use cvm_verify_fuzz::input::parts;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use url::Url;

struct Loopback {
    runtime: Runtime,
    client: Client,
    listener: TcpListener,
    sources: Sources,
}

thread_local! {
    static LOOPBACK: RefCell<Loopback> = RefCell::new(Loopback::new());
}

impl Loopback {
    fn new() -> Self {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = runtime
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("a port on loopback");
        let port = listener.local_addr().expect("an address").port();
        let url = Url::parse(&format!("http://127.0.0.1:{port}/")).expect("a URL");
        let client = Client::new(&Transport {
            allow_private_network: true,
            ..Transport::default()
        });
        Self {
            runtime,
            client: client.expect("a client"),
            listener,
            sources: Sources::only(&url),
        }
    }
}

/// Serves one connection after the other, for ever.
async fn serve(listener: &TcpListener, answers: &[Vec<u8>; 4]) {
    loop {
        let Ok((mut stream, _)) = listener.accept().await else {
            continue;
        };
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            match stream.read_buf(&mut request).await {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
        }
        let request = String::from_utf8_lossy(&request);
        let path = request.split(' ').nth(1).unwrap_or_default();
        let which = match path {
            _ if path.contains("/tcb?") => 0,
            _ if path.contains("/qe/identity") => 1,
            _ if path.contains("/pckcrl") => 2,
            _ => 3,
        };
        let _ = stream.write_all(&answers[which]).await;
        let _ = stream.shutdown().await;
    }
}

fn answer(part: &[u8]) -> Vec<u8> {
    let blank = part.windows(2).position(|window| window == b"\n\n");
    let (head, body) = match blank {
        Some(at) => (&part[..at], &part[at + 2..]),
        None => (part, &[][..]),
    };
    let mut answer = b"HTTP/1.1 200 OK\r\n".to_vec();
    for line in head.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        answer.extend_from_slice(line);
        answer.extend_from_slice(b"\r\n");
    }
    answer.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
    answer.extend_from_slice(body);
    answer
}

fn holds(whole: &[u8], part: &str) -> bool {
    part.is_empty() || whole.windows(part.len()).any(|window| window == part.as_bytes())
}

cvm_verify_fuzz::fuzz_target!(|data: &[u8]| {
    let parts: [&[u8]; 4] = parts(data);
    let answers = parts.map(answer);
    LOOPBACK.with_borrow(|loopback| {
        let request = CollateralRequest {
            fmspc: [0; 6],
            ca: PckCa::Platform,
        };
        let fetcher = CollateralFetcher {
            client: &loopback.client,
            sources: &loopback.sources,
            schedule: &Schedule::once(),
            root: None,
        };
        let fetched = loopback.runtime.block_on(async {
            tokio::select! {
                fetched = fetcher.fetch(&request, 0, || 0) => fetched,
                () = serve(&loopback.listener, &answers) => unreachable!("it serves for ever"),
            }
        });
        let collateral = match fetched {
            Ok(fetched) => fetched.collateral,
            Err(error) => {
                assert!(!error.to_string().chars().any(char::is_control), "{error:?}");
                return;
            }
        };
        assert!(
            holds(&answers[0], &collateral.tcb_info),
            "the text that is signed stays verbatim"
        );
        assert!(holds(&answers[1], &collateral.qe_identity));
        assert_eq!(collateral.tcb_info_signature.len(), 64);
        assert_eq!(collateral.qe_identity_signature.len(), 64);
        for chain in [
            &collateral.tcb_info_issuer_chain,
            &collateral.qe_identity_issuer_chain,
            &collateral.pck_crl_issuer_chain,
        ] {
            assert!(chain.is_ascii() && chain.trim_start().starts_with("-----BEGIN CERTIFICATE-----"));
        }
        for crl in [&collateral.pck_crl, &collateral.root_ca_crl] {
            assert_eq!(crl.first(), Some(&0x30), "a DER sequence");
        }
        let written = serde_json::to_vec(&cvm_verify_core::evidence::collateral::document(&collateral))
            .expect("plain fields");
        if written.len() <= cvm_verify_core::evidence::MAX_BYTES {
            assert_eq!(
                cvm_verify_core::evidence::collateral::parse(&written),
                Ok(collateral),
                "it can be recorded"
            );
        }
    });
});
