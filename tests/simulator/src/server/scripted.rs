//! A server whose answers a test writes: for services of others, such as GitHub's API and container registries.

use std::sync::Arc;

use super::{
    behaviour::Behaviour,
    connection::Response,
    listener::{Listener, Request, Service},
};

/// An answer.
#[derive(Debug, Clone)]
pub struct Scripted {
    /// Status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// Other headers.
    pub headers: Vec<(&'static str, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl Scripted {
    /// Status 200 with JSON.
    pub fn json(body: impl ToString) -> Self {
        Self::of(200, "application/json", body.to_string().into_bytes())
    }

    /// Any status and body.
    pub fn of(status: u16, content_type: &'static str, body: Vec<u8>) -> Self {
        Self {
            status,
            content_type,
            headers: vec![],
            body,
        }
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

type Answer = dyn Fn(&Request) -> Scripted + Send + Sync;

/// A server on loopback, plain HTTP.
pub struct ScriptedServer {
    listener: Listener,
}

impl ScriptedServer {
    /// Serves what `answer` says.
    ///
    /// # Panics
    /// When loopback has no free port.
    pub fn http(answer: impl Fn(&Request) -> Scripted + Send + Sync + 'static) -> Self {
        let service = Script(Arc::new(answer));
        Self {
            listener: Listener::start(Arc::new(service), None).expect("a free port on loopback"),
        }
    }

    /// `http://127.0.0.1:<port>`
    pub fn url(&self) -> String {
        format!("http://{}", self.listener.address())
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Request> {
        self.listener.requests()
    }
}

struct Script(Arc<Answer>);

impl Service for Script {
    fn behaviour(&self, _request: &Request) -> Behaviour {
        Behaviour::Normal
    }

    fn respond(&self, request: &Request) -> Response {
        let scripted = (self.0)(request);
        Response {
            status: scripted.status,
            content_type: scripted.content_type,
            headers: scripted.headers,
            body: scripted.body,
        }
    }
}
