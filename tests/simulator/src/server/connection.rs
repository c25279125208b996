//! HTTP/1.1 on one connection, with keep-alive, and the ways to get it wrong.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Shutdown, TcpStream},
    sync::{PoisonError, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use rustls::{ServerConnection, StreamOwned};

use super::{
    behaviour::Behaviour,
    listener::{Request, Shared},
};

/// How often a waiting thread looks whether it must end.
const TICK: Duration = Duration::from_millis(10);
/// A connection without a request for this long is closed.
const IDLE: Duration = Duration::from_secs(60);
/// Request heads beyond this many bytes are refused.
const MAX_HEAD: usize = 64 * 1024;
/// Request bodies are read up to this many bytes.
const MAX_BODY: usize = 1024 * 1024;
/// "Endless" and "hang" end here, should a test forget to give up.
const PATIENCE: Duration = Duration::from_secs(120);

/// A right answer.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub content_type: &'static str,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub(crate) fn json(body: String) -> Self {
        Self {
            status: 200,
            content_type: "application/json",
            headers: vec![],
            body: body.into_bytes(),
        }
    }

    pub(crate) fn file(content_type: &'static str, body: Vec<u8>) -> Self {
        Self {
            status: 200,
            content_type,
            headers: vec![],
            body,
        }
    }

    pub(crate) fn error(status: u16, message: &str) -> Self {
        Self {
            status,
            ..Self::json(format!(r#"{{"error":"{message}"}}"#))
        }
    }

    fn head(&self, content_length: Option<i64>) -> String {
        let mut head = format!(
            "HTTP/1.1 {} Simulated\r\nContent-Type: {}\r\n",
            self.status, self.content_type
        );
        if let Some(length) = content_length {
            head.push_str(&format!("Content-Length: {length}\r\n"));
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head
    }

    fn bytes(&self) -> Vec<u8> {
        [
            self.head(Some(self.body.len() as i64)).as_bytes(),
            b"\r\n",
            &self.body,
        ]
        .concat()
    }
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

pub(crate) fn serve(socket: TcpStream, number: usize, shared: &Shared) -> io::Result<()> {
    socket.set_nonblocking(false)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(TICK))?;
    socket.set_write_timeout(Some(TICK))?;
    let closer = socket.try_clone()?;
    let configs = shared.tls.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let tls = configs.get(number % configs.len().max(1)).cloned();
    let outcome = match tls {
        None => serve_stream(socket, number, shared),
        Some(config) => {
            let tls = ServerConnection::new(config).map_err(io::Error::other)?;
            let mut stream = StreamOwned::new(tls, socket);
            let outcome = serve_stream(&mut stream, number, shared);
            stream.conn.send_close_notify();
            let _ = stream.flush();
            outcome
        }
    };
    let _ = closer.shutdown(Shutdown::Both);
    outcome
}

fn serve_stream(mut stream: impl Stream, number: usize, shared: &Shared) -> io::Result<()> {
    let mut unread = vec![];
    while let Some(head) = read_head(&mut stream, &mut unread, shared)? {
        let mut request = parse_head(&head, number);
        request.body = read_body(&mut stream, &mut unread, content_length(&request), shared)?;
        // Decided before the request is counted: whoever changes the server after this count changes the next answer.
        let behaviour = shared.service.behaviour(&request);
        let decided = behaviour
            .answers_right_at_once()
            .then(|| shared.service.respond(&request));
        shared
            .requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(request.clone());
        if !answer(&mut stream, &request, &behaviour, decided, shared)? || asks_to_close(&request) {
            break;
        }
    }
    Ok(())
}

/// Answers once; true when the connection may carry another request.
fn answer(
    stream: &mut impl Stream,
    request: &Request,
    behaviour: &Behaviour,
    decided: Option<Response>,
    shared: &Shared,
) -> io::Result<bool> {
    let right = || decided.unwrap_or_else(|| shared.service.respond(request));
    let plain = |response: Response| response.bytes();
    let bytes = match behaviour {
        Behaviour::Normal => plain(right()),
        // What receivers of alerts say.
        Behaviour::Status(status @ 200..300) => plain(Response {
            status: *status,
            ..Response::file("text/plain", b"ok".to_vec())
        }),
        Behaviour::Status(status) => plain(Response::error(*status, "simulated failure")),
        Behaviour::RetryAfter(status, value) => {
            let mut response = Response::error(*status, "simulated failure");
            response.headers.push(("Retry-After", value.clone()));
            plain(response)
        }
        Behaviour::Redirect(url) => {
            let mut response = Response::error(302, "elsewhere");
            response.headers.push(("Location", url.clone()));
            plain(response)
        }
        Behaviour::Html => plain(Response {
            status: 200,
            content_type: "text/html",
            headers: vec![],
            body: b"<!DOCTYPE html><html><body><h1>Welcome</h1></body></html>".to_vec(),
        }),
        Behaviour::TruncatedBody => {
            let mut response = right();
            response.body.truncate(response.body.len() / 2);
            plain(response)
        }
        Behaviour::EmptyBody => plain(Response {
            body: vec![],
            ..right()
        }),
        Behaviour::WithoutHeaders => {
            let mut response = right();
            response.headers.clear();
            plain(response)
        }
        Behaviour::Body(body) => plain(Response::json(body.clone())),
        Behaviour::HugeHeaders(size) => {
            let mut response = right();
            response.headers.push(("X-Padding", "x".repeat(*size)));
            plain(response)
        }
        Behaviour::Delay(milliseconds) => {
            wait(Duration::from_millis(*milliseconds), shared);
            plain(right())
        }
        Behaviour::Raw(bytes) => {
            write_all(stream, bytes, shared)?;
            return Ok(false);
        }
        Behaviour::WrongContentLength(off) => {
            let response = right();
            let head = response.head(Some((response.body.len() as i64).saturating_add(*off)));
            write_all(
                stream,
                &[head.as_bytes(), b"\r\n", &response.body].concat(),
                shared,
            )?;
            return Ok(false);
        }
        Behaviour::SlowDrip(milliseconds) => {
            for byte in right().bytes() {
                write_all(stream, &[byte], shared)?;
                wait(Duration::from_millis(*milliseconds), shared);
            }
            return Ok(true);
        }
        Behaviour::EndlessBody => {
            write_all(
                stream,
                format!("{}\r\n{{\"quote\":\"", right().head(None)).as_bytes(),
                shared,
            )?;
            let until = Instant::now() + PATIENCE;
            while Instant::now() < until {
                write_all(stream, &[b'0'; 16 * 1024], shared)?;
            }
            return Ok(false);
        }
        Behaviour::Hang => {
            wait(PATIENCE, shared);
            return Ok(false);
        }
        Behaviour::Close => return Ok(false),
    };
    write_all(stream, &bytes, shared)?;
    Ok(true)
}

/// Reads until the empty line; `None` when the peer closed or the server must stop.
fn read_head(stream: &mut impl Stream, unread: &mut Vec<u8>, shared: &Shared) -> io::Result<Option<String>> {
    let until = Instant::now() + IDLE;
    let mut buffer = [0; 4096];
    loop {
        if let Some(end) = unread.windows(4).position(|window| window == b"\r\n\r\n") {
            let head: Vec<u8> = unread.drain(..end + 4).collect();
            return Ok(Some(String::from_utf8_lossy(&head).into_owned()));
        }
        if unread.len() > MAX_HEAD || Instant::now() > until || shared.stop.load(Ordering::SeqCst) {
            return Ok(None);
        }
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(None),
            Ok(count) => unread.extend_from_slice(&buffer[..count]),
            Err(error) if is_tick(&error) => {}
            Err(error) => return Err(error),
        }
    }
}

fn write_all(stream: &mut impl Stream, mut bytes: &[u8], shared: &Shared) -> io::Result<()> {
    let until = Instant::now() + PATIENCE;
    while !bytes.is_empty() {
        match stream.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(count) => bytes = &bytes[count..],
            Err(error) if is_tick(&error) => {}
            Err(error) => return Err(error),
        }
        give_up_when_stopped(until, shared)?;
    }
    loop {
        match stream.flush() {
            Err(error) if is_tick(&error) => give_up_when_stopped(until, shared)?,
            outcome => return outcome,
        }
    }
}

fn give_up_when_stopped(until: Instant, shared: &Shared) -> io::Result<()> {
    if shared.stop.load(Ordering::SeqCst) || Instant::now() > until {
        return Err(ErrorKind::TimedOut.into());
    }
    Ok(())
}

fn wait(duration: Duration, shared: &Shared) {
    let until = Instant::now() + duration;
    while !shared.stop.load(Ordering::SeqCst) {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        thread::sleep(left.min(TICK));
    }
}

fn is_tick(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}

fn parse_head(head: &str, connection: usize) -> Request {
    let mut words = head.split_whitespace();
    let method = words.next().unwrap_or_default().to_owned();
    let target = words.next().unwrap_or_default().to_owned();
    let headers = head.lines().skip(1).filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
    });
    Request {
        method,
        target,
        headers: headers.collect(),
        body: vec![],
        connection,
    }
}

fn content_length(request: &Request) -> usize {
    let announced = request
        .header("content-length")
        .and_then(|value| value.parse().ok());
    announced.unwrap_or(0).min(MAX_BODY)
}

/// Reads what is announced, or as much of it as comes.
fn read_body(
    stream: &mut impl Stream,
    unread: &mut Vec<u8>,
    length: usize,
    shared: &Shared,
) -> io::Result<Vec<u8>> {
    let until = Instant::now() + IDLE;
    let mut buffer = [0; 4096];
    while unread.len() < length {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => unread.extend_from_slice(&buffer[..count]),
            Err(error) if is_tick(&error) => give_up_when_stopped(until, shared)?,
            Err(error) => return Err(error),
        }
    }
    Ok(unread.drain(..length.min(unread.len())).collect())
}

fn asks_to_close(request: &Request) -> bool {
    request
        .header("connection")
        .is_some_and(|value| value.eq_ignore_ascii_case("close"))
}
