//! A proxy in front of a simulated server that spoils answers: of the n-th request of a run, or of every one from there on.
//! Requests are numbered over all proxies of a run.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::fault::Fault;

/// What happens to which requests of a run.
pub struct Plan {
    fault: Option<Fault>,
    /// The number of the first request that it happens to, from 1.
    first: usize,
    /// Whether it happens to all that follow, too.
    from_there_on: bool,
    seen: AtomicUsize,
    /// The answer to the request before.
    last: Mutex<Vec<u8>>,
    /// Is called at the first request that is spoilt, before it is answered.
    at_first: Option<Box<dyn Fn() + Send + Sync>>,
}

impl Plan {
    /// Nothing is spoilt.
    pub fn honest() -> Self {
        Self {
            fault: None,
            first: 0,
            from_there_on: false,
            seen: AtomicUsize::new(0),
            last: Mutex::default(),
            at_first: None,
        }
    }

    pub fn once(fault: Fault, first: usize) -> Self {
        Self {
            fault: Some(fault),
            first,
            ..Self::honest()
        }
    }

    pub fn from(fault: Fault, first: usize) -> Self {
        Self {
            from_there_on: true,
            ..Self::once(fault, first)
        }
    }

    /// Every answer is the right one, and this is called before the `first`.
    pub fn call(first: usize, call: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            first,
            at_first: Some(Box::new(call)),
            ..Self::honest()
        }
    }

    /// Whether something lasts until somebody's patience ends.
    pub fn lasts(&self) -> bool {
        self.fault.is_some_and(Fault::lasts)
    }

    /// How many requests there were.
    pub fn seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }

    fn next(&self) -> Option<Fault> {
        let number = self.seen.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(call) = &self.at_first
            && number == self.first
        {
            call();
        }
        let spoilt = number == self.first || (self.from_there_on && number > self.first);
        self.fault.filter(|_| spoilt)
    }
}

/// A proxy; dropping it ends it.
pub struct Shim {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
}

impl Shim {
    /// In front of the server of this URL.
    pub fn before(url: &str, plan: &Arc<Plan>) -> Self {
        let upstream: SocketAddr = url
            .rsplit("//")
            .next()
            .unwrap()
            .trim_end_matches('/')
            .parse()
            .unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let (plan, stopped) = (Arc::clone(plan), Arc::clone(&stop));
        std::thread::spawn(move || {
            for client in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let (plan, stopped) = (Arc::clone(&plan), Arc::clone(&stopped));
                let Ok(client) = client else { continue };
                // A connection that breaks is what this is for.
                std::thread::spawn(move || drop(serve(client, upstream, &plan, &stopped)));
            }
        });
        Self { address, stop }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Shim {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a connection.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(mut client: TcpStream, upstream: SocketAddr, plan: &Plan, stop: &AtomicBool) -> std::io::Result<()> {
    let mut server = TcpStream::connect(upstream)?;
    loop {
        // A request begins.
        if client.peek(&mut [0])? == 0 {
            return Ok(());
        }
        let fault = plan.next();
        if fault == Some(Fault::Reset) {
            // What is closed with something unread is reset.
            return client.read_exact(&mut [0]);
        }
        let request = message(&mut client)?;
        if fault == Some(Fault::Close) {
            return Ok(());
        }
        server.write_all(&request)?;
        let answer = message(&mut server)?;
        let last = std::mem::replace(&mut *plan.last.lock().unwrap(), answer.clone());
        let Some(fault) = fault else {
            client.write_all(&answer)?;
            continue;
        };
        return fault.answer(&answer, &last, &mut client, &|| {
            std::thread::sleep(Duration::from_millis(20));
            !stop.load(Ordering::SeqCst)
        });
    }
}

/// Reads one message of HTTP/1.1: its head, and as much of a body as its Content-Length says.
fn message(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        bytes.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&bytes).to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .map_or(0, |length| length.trim().parse().unwrap());
    let start = bytes.len();
    bytes.resize(start + length, 0);
    stream.read_exact(&mut bytes[start..])?;
    Ok(bytes)
}
