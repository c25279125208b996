//! Accepts connections on 127.0.0.1 and keeps the list of requests.

use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use rustls::ServerConfig;

use super::{
    behaviour::Behaviour,
    connection::{self, Response},
};

/// More connections than this at one time are closed at once.
const MAX_CONNECTIONS: usize = 64;

/// A request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET`
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
    /// Header names in lower case, and their values.
    pub headers: Vec<(String, String)>,
    /// The body, by Content-Length; at most 1 MiB is kept.
    pub body: Vec<u8>,
    /// Number of the connection it came on, from 0: requests on one connection share it.
    pub connection: usize,
}

impl Request {
    /// The path without the query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The first value of a header; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// A parameter of the query, percent-decoded.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let query = self.target.split_once('?')?.1;
        query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (key == name).then(|| percent_decode(value))
        })
    }
}

/// What a server does with a request: how to behave, and the right answer, computed only when it is needed.
pub(crate) trait Service: Send + Sync + 'static {
    fn behaviour(&self, request: &Request) -> Behaviour;
    fn respond(&self, request: &Request) -> Response;
}

/// The part that all connections share.
pub(crate) struct Shared {
    pub service: Arc<dyn Service>,
    /// The keys and certificates that connections use in turn; none for plain HTTP.
    pub tls: Mutex<Vec<Arc<ServerConfig>>>,
    pub stop: AtomicBool,
    pub requests: Mutex<Vec<Request>>,
    open: AtomicUsize,
}

/// A listening socket with its thread; dropping it closes the socket and ends every connection.
pub(crate) struct Listener {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    pub(crate) fn start(service: Arc<dyn Service>, tls: Option<Arc<ServerConfig>>) -> std::io::Result<Self> {
        let socket = TcpListener::bind(("127.0.0.1", 0))?;
        let address = socket.local_addr()?;
        let shared = Arc::new(Shared {
            service,
            tls: Mutex::new(tls.into_iter().collect()),
            stop: AtomicBool::new(false),
            requests: Mutex::default(),
            open: AtomicUsize::new(0),
        });
        let for_thread = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("simulator".into())
            .spawn(move || accept(&socket, &for_thread))?;
        Ok(Self {
            address,
            shared,
            thread: Some(thread),
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections accepted from now on use these keys and certificates in turn.
    pub(crate) fn replace_tls(&self, tls: Vec<Arc<ServerConfig>>) {
        *self.shared.tls.lock().unwrap_or_else(PoisonError::into_inner) = tls;
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared
            .requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn forget_requests(&self) {
        self.shared
            .requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        // The accepting thread blocks; a connection wakes it. Without one it ends with the process.
        let woken = TcpStream::connect_timeout(&self.address, Duration::from_secs(1)).is_ok();
        if let Some(thread) = self.thread.take().filter(|_| woken) {
            // A panic in the accepting thread has been printed already.
            let _ = thread.join();
        }
    }
}

fn accept(socket: &TcpListener, shared: &Arc<Shared>) {
    let mut number = 0;
    let mut connections: Vec<JoinHandle<()>> = vec![];
    while !shared.stop.load(Ordering::SeqCst) {
        match socket.accept() {
            Ok((stream, _)) => {
                connections.retain(|connection| !connection.is_finished());
                connections.extend(serve(stream, number, shared));
                number += 1;
            }
            Err(_) => thread::sleep(Duration::from_millis(10)),
        }
    }
    for connection in connections {
        let _ = connection.join();
    }
}

fn serve(stream: TcpStream, number: usize, shared: &Arc<Shared>) -> Option<JoinHandle<()>> {
    if shared.open.fetch_add(1, Ordering::SeqCst) >= MAX_CONNECTIONS {
        shared.open.fetch_sub(1, Ordering::SeqCst);
        return None;
    }
    let shared = Arc::clone(shared);
    thread::Builder::new()
        .name(format!("simulator {number}"))
        .spawn(move || {
            // A client that goes away is no concern of the server.
            let _ = connection::serve(stream, number, &shared);
            shared.open.fetch_sub(1, Ordering::SeqCst);
        })
        .ok()
}

fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let escaped = bytes
            .get(i + 1..i + 3)
            .and_then(|digits| hex::decode(digits).ok());
        match (bytes[i], escaped) {
            (b'%', Some(decoded)) => {
                out.extend(decoded);
                i += 3;
            }
            (byte, _) => {
                out.push(byte);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Percent-encodes all but the unreserved characters of RFC 3986.
pub(crate) fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte.into());
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
