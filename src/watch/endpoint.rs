//! `GET /metrics` and `GET /healthz` for `watch --listen`.
//!
//! Nothing here is secret and nothing can be changed through it. Anyone who reaches it costs little: few connections at a
//! time, small headers, no bodies, and a short time for each.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// Connections that are served at the same time. For one more the oldest is closed: a request is answered in an instant, so
/// that one is idle, and idle ones must not keep `/healthz` from anyone who restarts a process that does not answer.
const CONNECTIONS: usize = 16;

/// How long a connection may stay.
const TIME: Duration = Duration::from_secs(10);

/// Bytes of a request's head that are read; hyper's smallest buffer.
const HEAD_BYTES: usize = 8 * 1024;

/// The pages, made when they are asked for.
pub(crate) trait Pages: Send + Sync + 'static {
    /// The metrics.
    fn metrics(&self) -> String;
    /// Whether the loop does its work, and a line about it.
    fn health(&self) -> (bool, String);
}

/// A listening socket. Made before the loop begins, so that a wrong address is a usage error.
pub(crate) async fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Serves until it is dropped.
pub(crate) async fn serve(listener: TcpListener, pages: Arc<dyn Pages>) {
    let mut open: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // No file descriptors left, or the like: it heals, or the loop says more.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        open.retain(|connection| !connection.is_finished());
        if open.len() >= CONNECTIONS
            && let Some(oldest) = open.pop_front()
        {
            oldest.abort();
        }
        let pages = Arc::clone(&pages);
        let connection = tokio::spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let response = respond(&request, pages.as_ref());
                async move { Ok::<_, Infallible>(response) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(TIME)
                .max_buf_size(HEAD_BYTES)
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), service);
            let _ = tokio::time::timeout(TIME, connection).await;
        });
        open.push_back(connection.abort_handle());
    }
}

fn respond(request: &Request<Incoming>, pages: &dyn Pages) -> Response<Full<Bytes>> {
    const TEXT: &str = "text/plain; charset=utf-8";
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return page(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET\n".to_owned());
    }
    match request.uri().path() {
        "/metrics" => page(
            StatusCode::OK,
            "text/plain; version=0.0.4; charset=utf-8",
            pages.metrics(),
        ),
        "/healthz" => {
            let (good, line) = pages.health();
            let status = if good {
                StatusCode::OK
            } else {
                StatusCode::SERVICE_UNAVAILABLE
            };
            page(status, TEXT, line)
        }
        _ => page(
            StatusCode::NOT_FOUND,
            TEXT,
            "there are /metrics and /healthz\n".to_owned(),
        ),
    }
}

fn page(status: StatusCode, kind: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let value = hyper::header::HeaderValue::from_static(kind);
    response.headers_mut().insert(CONTENT_TYPE, value);
    response
}

#[cfg(test)]
#[path = "endpoint_tests.rs"]
mod tests;
