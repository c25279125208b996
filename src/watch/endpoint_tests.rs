//! What can be asked, and what it costs to ask wrongly.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;

struct Fixed(bool);

impl Pages for Fixed {
    fn metrics(&self) -> String {
        "cvm_verify_healthy 1\n".to_owned()
    }

    fn health(&self) -> (bool, String) {
        (self.0, "said\n".to_owned())
    }
}

async fn serving(good: bool) -> SocketAddr {
    let listener = listen(([127, 0, 0, 1], 0).into()).await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(serve(listener, Arc::new(Fixed(good))));
    address
}

async fn ask(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(request).await.expect("sent");
    let mut answer = String::new();
    // A server that hangs up on a bad request may reset.
    let _ = stream.read_to_string(&mut answer).await;
    answer
}

async fn get(address: SocketAddr, path: &str) -> String {
    ask(
        address,
        format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes(),
    )
    .await
}

#[tokio::test]
async fn metrics_and_health_can_be_read() {
    let address = serving(true).await;
    let metrics = get(address, "/metrics").await;
    assert!(metrics.starts_with("HTTP/1.1 200 OK\r\n"), "{metrics}");
    assert!(
        metrics.contains("content-type: text/plain; version=0.0.4"),
        "{metrics}"
    );
    assert!(metrics.ends_with("\r\n\r\ncvm_verify_healthy 1\n"), "{metrics}");
    assert!(get(address, "/healthz").await.starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(
        get(serving(false).await, "/healthz")
            .await
            .starts_with("HTTP/1.1 503 ")
    );
}

#[tokio::test]
async fn nothing_else_can() {
    let address = serving(true).await;
    assert!(get(address, "/").await.starts_with("HTTP/1.1 404 "));
    assert!(
        get(address, "/metrics/../etc/passwd")
            .await
            .starts_with("HTTP/1.1 404 ")
    );
    let post = ask(
        address,
        b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    )
    .await;
    assert!(post.starts_with("HTTP/1.1 405 "), "{post}");
    let endless = format!(
        "GET /metrics HTTP/1.1\r\nX: {}\r\n\r\n",
        "a".repeat(2 * HEAD_BYTES)
    );
    assert!(!ask(address, endless.as_bytes()).await.contains("200 OK"));
    assert!(
        ask(address, b"\x16\x03\x01 nonsense\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 400 ")
    );
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_is_hung_up_on_and_keeps_nobody_out() {
    let address = serving(true).await;
    let mut silent = Vec::new();
    for _ in 0..2 * CONNECTIONS {
        silent.push(TcpStream::connect(address).await.expect("a connection"));
    }
    // The clock is the test's: it runs ahead while everybody waits.
    assert!(get(address, "/metrics").await.starts_with("HTTP/1.1 200 OK\r\n"));
}

/// Without waiting for anybody's time to be up: anyone who asks for `/healthz` restarts what does not answer.
#[tokio::test]
async fn idle_connections_hold_up_no_answer() {
    let address = serving(true).await;
    let mut idle = Vec::new();
    for _ in 0..145 {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        // Half a request.
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\n")
            .await
            .expect("sent");
        idle.push(stream);
    }
    for path in ["/healthz", "/metrics", "/healthz"] {
        let answer = tokio::time::timeout(TIME / 2, get(address, path)).await;
        assert!(answer.expect("at once").starts_with("HTTP/1.1 200 OK\r\n"));
    }
}
