//! The client against hostile answers from loopback. Every test asserts which error, not only that there is one.

use tokio::io::AsyncWriteExt;

use super::*;
use crate::net::loopback::{self, answer, bytes, raw};
use crate::net::retry::Heal;

const SHORT: Duration = Duration::from_secs(1);

async fn get(url: &Url, limits: &Limits) -> Result<Response, NetError> {
    loopback::client().get(url, limits).await
}

fn small() -> Limits {
    Limits::body(100)
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
async fn a_post_carries_its_headers_and_body_and_the_guards_of_a_get() {
    let (send, mut heads) = tokio::sync::mpsc::unbounded_channel();
    let url = raw(move |head, mut stream| {
        let _ = send.send(head);
        async move {
            let _ = stream.write_all(&answer(202, &[], b"taken")).await;
        }
    })
    .await;
    let headers = HeaderMap::from_iter([
        (
            reqwest::header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        ),
        (ACCEPT, HeaderValue::from_static("text/plain")),
    ]);
    let posted = loopback::client()
        .post(&url, headers.clone(), b"{\"a\":1}".to_vec(), &small())
        .await
        .unwrap();
    assert_eq!((posted.status, posted.body.as_slice()), (202, &b"taken"[..]));
    let head = heads.recv().await.unwrap().to_ascii_lowercase();
    assert!(head.starts_with("post / http/1.1"), "{head}");
    assert!(head.contains("content-type: application/json") && head.contains("content-length: 7"));
    assert!(head.contains("accept: text/plain") && !head.contains("accept: */*"));

    let guarded = Client::new(&Transport::default()).unwrap();
    let refused = guarded
        .post(&url, headers.clone(), vec![], &small())
        .await
        .unwrap_err();
    let plain_http = NetError::BadUrl {
        host: guard::authority(&url),
        problem: crate::net::UrlProblem::PlainHttp,
    };
    assert_eq!(refused, plain_http);
    assert!(heads.try_recv().is_err(), "nothing was sent");

    let elsewhere = bytes(answer(308, &[("location", "https://evil.example/")], b"")).await;
    let redirected = loopback::client()
        .post(&elsewhere, headers, vec![], &small())
        .await
        .unwrap_err();
    assert!(
        matches!(redirected, NetError::Redirect { status: 308, .. }),
        "{redirected:?}"
    );
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

/// A server that sends these bytes again and again, from a thread of its own.
fn flood(bytes: Vec<u8>) -> Url {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let bytes = bytes.clone();
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 4096]);
                while stream.write_all(&bytes).is_ok() {}
            });
        }
    });
    url.parse().unwrap()
}

#[tokio::test]
async fn t48_informational_answers_without_end_hold_up_nobody_else() {
    let url = flood(b"HTTP/1.1 103 E\r\n\r\n".repeat(60_000));
    let limits = small().within(Duration::from_millis(400));
    let mut ticks = 0;
    let ticking = async {
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            ticks += 1;
        }
    };
    let error = tokio::select! {
        error = get(&url, &limits) => error.unwrap_err(),
        () = ticking => unreachable!(),
    };
    let timeout = NetError::Timeout {
        host: guard::authority(&url),
        stage: Stage::Response,
    };
    assert_eq!(error, timeout);
    // On the thread that reads them, not one timer fires before the library has parsed what arrived.
    assert!(ticks >= 3, "{ticks} timers fired");
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
async fn a_redirect_is_refused_and_its_target_shown_without_secrets() {
    let target = "https://user:hunter2@evil.example/login?token=hunter3#hunter4";
    let url = bytes(answer(302, &[("location", target)], b"")).await;
    let error = get(&url, &small()).await.unwrap_err();
    let NetError::Redirect { status, location, .. } = &error else {
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
    assert!(matches!(error, NetError::HeadersTooLarge { limit: 65_536, .. }));
    let many = vec![("x-many", "a"); 200];
    let url = bytes(answer(200, &many, b"")).await;
    let error = get(&url, &small()).await.unwrap_err();
    assert!(matches!(error, NetError::HeadersTooLarge { .. }), "{error:?}");
    let endless = raw(|_, mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nx: ").await;
        while stream.write_all(&[b'a'; 4096]).await.is_ok() {}
    })
    .await;
    let error = get(&endless, &small()).await.unwrap_err();
    assert!(matches!(error, NetError::HeadersTooLarge { .. }), "{error:?}");
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
    assert!(
        matches!(error, NetError::Protocol { over_tls: false, .. }),
        "{error:?}"
    );
    assert!(
        error.to_string().ends_with("; does this port speak https?"),
        "{error}"
    );
    let over_tls = NetError::Protocol {
        host: "app.example:443".to_owned(),
        detail: "invalid HTTP version parsed".to_owned(),
        over_tls: true,
    };
    let said = "app.example:443: the answer is not well-formed HTTP (invalid HTTP version parsed)";
    assert_eq!(over_tls.to_string(), said, "it is an https address already");
    let error = get(&bytes("").await, &small()).await.unwrap_err();
    assert!(matches!(error, NetError::Closed { .. }), "{error:?}");
}

#[tokio::test]
async fn a_closed_port_is_a_connect_error() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/secret?token=hunter2", listener.local_addr().unwrap());
    drop(listener);
    let error = get(&url.parse().unwrap(), &small()).await.unwrap_err();
    assert!(
        matches!(error, NetError::Connect { via_proxy: false, .. }),
        "{error:?}"
    );
    assert!(error.may_heal());
    assert!(!error.to_string().contains("hunter2"));
}
