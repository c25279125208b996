//! Receivers that are down, slow, broken or hostile. Every test asserts which error, not only that there is one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::AsyncWriteExt;

use super::*;
use crate::net::loopback::{self, answer, raw};
use crate::net::{Stage, UrlProblem};

/// Milliseconds instead of seconds.
fn fast() -> RetryPolicy {
    RetryPolicy {
        schedule: Schedule {
            attempts: 3,
            first_pause: Duration::from_millis(10),
            max_pause: MAX_PAUSE,
            total: Duration::from_secs(3),
            ..Schedule::default()
        },
        one_try: Duration::from_millis(300),
    }
}

fn sender(client: &Client, retry_policy: RetryPolicy) -> AlertSender<'_> {
    AlertSender {
        client,
        retry_policy,
        entropy: &|| [0; 16],
        until: None,
    }
}

fn to(url: &Url) -> ChannelRequest {
    ChannelRequest {
        url: url.join("/services/T0/B0/hunter2?token=hunter3").unwrap(),
        method: Method::Post {
            headers: HeaderMap::new(),
            body: b"{}".to_vec(),
        },
        refusal: |_| None,
        patience: Response::retry_after,
    }
}

async fn sent(url: &Url) -> DeliveryOutcome {
    let deadline = Instant::now() + fast().schedule.total;
    sender(&loopback::client(), fast()).send(&to(url), deadline).await
}

/// A server that gives these answers in turn, the last one for ever, and counts.
async fn script(answers: Vec<Vec<u8>>) -> (Url, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let url = raw(move |_, mut stream| {
        let turn = count.fetch_add(1, Ordering::SeqCst);
        let answer = answers.get(turn).or(answers.last()).unwrap().clone();
        async move {
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
        }
    })
    .await;
    (url, asked)
}

fn status(status: u16) -> DeliveryError {
    DeliveryError::Status {
        status,
        said: None,
        retry_after: None,
    }
}

#[tokio::test]
async fn every_success_is_accepted_at_the_first_try() {
    for code in [200, 201, 202, 204] {
        let (url, asked) = script(vec![answer(code, &[], b"")]).await;
        let expected = DeliveryOutcome {
            result: Ok(Some(code)),
            tries: 1,
        };
        assert_eq!(sent(&url).await, expected);
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn t60_two_server_errors_and_then_a_success_are_a_success() {
    let (url, asked) = script(vec![
        answer(500, &[], b"no"),
        answer(500, &[], b"no"),
        answer(200, &[], b"ok"),
    ])
    .await;
    let expected = DeliveryOutcome {
        result: Ok(Some(200)),
        tries: 3,
    };
    assert_eq!(sent(&url).await, expected);
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn t60_a_server_that_stays_broken_is_tried_three_times() {
    let (url, asked) = script(vec![answer(503, &[], b"")]).await;
    let expected = DeliveryOutcome {
        result: Err(status(503)),
        tries: 3,
    };
    assert_eq!(sent(&url).await, expected);
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn t60_a_receiver_that_is_down_is_said_to_be() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url: Url = format!("http://{}", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    drop(listener);
    let expected = DeliveryOutcome {
        result: Err(DeliveryError::Connect { via_proxy: false }),
        tries: 3,
    };
    assert_eq!(sent(&url).await, expected);
}

#[tokio::test]
async fn t60_a_receiver_that_hangs_costs_no_more_than_the_total() {
    let url = raw(|_, stream| async move {
        tokio::time::sleep(Duration::from_secs(60)).await;
        drop(stream);
    })
    .await;
    let retry_policy = RetryPolicy {
        one_try: Duration::from_secs(15),
        ..fast()
    };
    let started = Instant::now();
    let deadline = started + Duration::from_millis(500);
    let outcome = sender(&loopback::client(), retry_policy)
        .send(&to(&url), deadline)
        .await;
    assert_eq!(outcome.result, Err(DeliveryError::Timeout(Stage::Response)));
    assert!(started.elapsed() < Duration::from_secs(30));
    let late = sender(&loopback::client(), retry_policy)
        .send(&to(&url), started)
        .await;
    let expected = DeliveryOutcome {
        result: Err(DeliveryError::NoTimeLeft),
        tries: 0,
    };
    assert_eq!(late, expected);
}

#[tokio::test]
async fn t60_the_pause_that_a_server_asks_for_is_kept() {
    let (url, _) = script(vec![
        answer(429, &[("retry-after", "1")], b""),
        answer(200, &[], b"ok"),
    ])
    .await;
    let started = Instant::now();
    let expected = DeliveryOutcome {
        result: Ok(Some(200)),
        tries: 2,
    };
    assert_eq!(sent(&url).await, expected);
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn t60_a_server_that_asks_for_more_patience_than_there_is_is_not_asked_again() {
    for (asked_for, seconds) in [("31", 31), ("5", 5)] {
        let (url, asked) = script(vec![answer(429, &[("retry-after", asked_for)], b"")]).await;
        let outcome = sent(&url).await;
        let expected = DeliveryError::Status {
            status: 429,
            said: None,
            retry_after: Some(Duration::from_secs(seconds)),
        };
        assert_eq!(outcome.result, Err(expected));
        assert_eq!((outcome.tries, asked.load(Ordering::SeqCst)), (1, 1));
    }
}

#[tokio::test]
async fn another_refusal_is_final() {
    for code in [400, 403, 404, 410] {
        let (url, _) = script(vec![answer(code, &[], b"/services/T0/B0/hunter2 not found")]).await;
        let expected = DeliveryOutcome {
            result: Err(status(code)),
            tries: 1,
        };
        assert_eq!(sent(&url).await, expected);
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_where_it_leads_is_not_said() {
    let location = "https://evil.example/services/T0/B0/hunter2";
    let (url, _) = script(vec![answer(307, &[("location", location)], b"")]).await;
    let outcome = sent(&url).await;
    assert_eq!(outcome.result, Err(DeliveryError::Redirect { status: 307 }));
    assert!(!format!("{outcome:?}").contains("evil"));
}

#[tokio::test]
async fn an_endless_answer_is_no_receivers_and_of_a_hanging_one_the_status_counts() {
    let endless = raw(|_, mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        while stream.write_all(&[b'a'; 4096]).await.is_ok() {}
    })
    .await;
    let hanging = raw(|_, mut stream| async move {
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\no")
            .await;
        tokio::time::sleep(Duration::from_secs(60)).await;
    })
    .await;
    for (url, result) in [(endless, Err(DeliveryError::TooLarge)), (hanging, Ok(None))] {
        assert_eq!(sent(&url).await, DeliveryOutcome { result, tries: 1 });
    }
    let broken = raw(|_, mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 404 X\r\n\r\n").await;
        while stream.write_all(&[b'a'; 4096]).await.is_ok() {}
    })
    .await;
    assert_eq!(sent(&broken).await.result, Err(status(404)));
}

#[tokio::test]
async fn words_that_a_channel_knows_are_understood() {
    let (url, _) = script(vec![answer(200, &[], b"OK (not found)")]).await;
    let request = ChannelRequest {
        refusal: |response| (response.body == b"OK (not found)").then_some("no such check"),
        ..to(&url)
    };
    let deadline = Instant::now() + Duration::from_secs(1);
    let outcome = sender(&loopback::client(), fast()).send(&request, deadline).await;
    let expected = DeliveryError::NotTaken {
        status: 200,
        said: "no such check",
    };
    assert_eq!(
        outcome,
        DeliveryOutcome {
            result: Err(expected),
            tries: 1
        }
    );
}

#[tokio::test]
async fn only_https_to_the_public_internet_is_sent_to() {
    use crate::net::address::AddressScope;
    let guarded = Client::new(&crate::net::Transport::default()).unwrap();
    for (url, expected) in [
        (
            "http://127.0.0.1:1/",
            DeliveryError::BadUrl(UrlProblem::PlainHttp),
        ),
        (
            "http://hooks.example/",
            DeliveryError::BadUrl(UrlProblem::PlainHttp),
        ),
        (
            "https://u:hunter2@hooks.example/",
            DeliveryError::BadUrl(UrlProblem::UserInfo),
        ),
        (
            "https://169.254.169.254/",
            DeliveryError::AddressRefused(AddressScope::Metadata),
        ),
        (
            "https://10.0.0.1/",
            DeliveryError::AddressRefused(AddressScope::Private),
        ),
    ] {
        let request = ChannelRequest {
            url: url.parse().unwrap(),
            ..to(&"https://h.example".parse().unwrap())
        };
        let deadline = Instant::now() + Duration::from_secs(1);
        let outcome = sender(&guarded, fast()).send(&request, deadline).await;
        assert_eq!(outcome.result, Err(expected), "{url}");
        assert_eq!(outcome.tries, 1);
    }
}

#[test]
fn t60_by_default_it_is_three_tries_in_sixty_seconds() {
    let RetryPolicy { schedule, one_try } = RetryPolicy::default();
    assert_eq!((schedule.attempts, schedule.total), (3, Duration::from_secs(60)));
    assert_eq!(schedule.max_pause, MAX_PAUSE);
    // Three hanging tries and their pauses fit.
    assert!(one_try * 3 + Duration::from_secs(3) < schedule.total);
}
