//! A server that answers from a state which tests change, and that behaves the same on every path.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::ServerConfig;

use super::behaviour::{Behaviour, Scripts};
use super::connection::Response;
use super::listener::{Listener, Request, Service};

/// What answers a request.
pub(crate) trait State: Send + 'static {
    fn respond(&self, request: &Request) -> Response;
}

/// The server. Dropping it ends it.
pub(crate) struct Stateful<S> {
    listener: Listener,
    held: Arc<Held<S>>,
}

struct Held<S> {
    state: Mutex<S>,
    scripts: Mutex<Scripts<()>>,
}

impl<S: State> Stateful<S> {
    /// Serves from this state; without `tls` over plain HTTP.
    ///
    /// # Panics
    /// When loopback has no free port.
    pub(crate) fn start(state: S, tls: Option<Arc<ServerConfig>>) -> Self {
        let held = Arc::new(Held {
            state: Mutex::new(state),
            scripts: Mutex::default(),
        });
        let service: Arc<Held<S>> = Arc::clone(&held);
        let listener = Listener::start(service, tls).expect("a free port on loopback");
        Self { listener, held }
    }

    /// `127.0.0.1:<port>`
    pub(crate) fn host(&self) -> String {
        self.listener.address().to_string()
    }

    /// `http://127.0.0.1:<port>`
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.host())
    }

    /// The state, to change it.
    pub(crate) fn state(&self) -> MutexGuard<'_, S> {
        locked(&self.held.state)
    }

    /// From now on it behaves so.
    pub(crate) fn behave(&self, behaviour: Behaviour) {
        locked(&self.held.scripts).set((), behaviour);
    }

    /// Every request so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.listener.requests()
    }
}

impl<S: State> Service for Held<S> {
    fn behaviour(&self, _: &Request) -> Behaviour {
        locked(&self.scripts).take(&())
    }

    fn respond(&self, request: &Request) -> Response {
        locked(&self.state).respond(request)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
