//! A server that answers from a state which tests change.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::behaviour::{Behaviour, Scripts};
use super::connection::Response;
use super::listener::{Listener, Request, Service};
use super::tls::TlsIdentity;

/// What answers a request.
pub trait State: Send + 'static {
    /// What behaves on its own: `()` if every path behaves the same.
    type Endpoint: Ord + Send + 'static;

    /// The endpoint at a path.
    fn endpoint(&self, path: &str) -> Self::Endpoint;

    /// The right answer.
    fn respond(&mut self, request: &Request) -> Response;
}

/// The server. Dropping it ends it.
pub struct Stateful<S: State> {
    listener: Listener,
    held: Arc<Held<S>>,
    scheme: &'static str,
}

struct Held<S: State> {
    state: Mutex<S>,
    scripts: Mutex<Scripts<S::Endpoint>>,
}

impl<S: State> Stateful<S> {
    /// Serves from this state; without an identity over plain HTTP.
    pub(crate) fn start(state: S, identity: Option<&TlsIdentity>) -> Self {
        let held = Arc::new(Held {
            state: Mutex::new(state),
            scripts: Mutex::default(),
        });
        let tls = identity.map(|identity| {
            identity
                .server_config()
                .expect("the identity's own key and certificate")
        });
        let scheme = if tls.is_some() { "https" } else { "http" };
        let service: Arc<Held<S>> = Arc::clone(&held);
        let listener = Listener::start(service, tls).expect("a free port on loopback");
        Self {
            listener,
            held,
            scheme,
        }
    }

    /// `127.0.0.1:<port>`
    pub(crate) fn host(&self) -> String {
        self.listener.address().to_string()
    }

    /// `http://127.0.0.1:<port>` or `https://…`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.host())
    }

    /// The same with `localhost` as the host.
    pub fn localhost_url(&self) -> String {
        format!("{}://localhost:{}", self.scheme, self.port())
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.listener.address().port()
    }

    /// The state, to change it.
    pub(crate) fn state(&self) -> MutexGuard<'_, S> {
        locked(&self.held.state)
    }

    /// Connections use these identities in turn, as behind a load balancer, beginning with whichever.
    ///
    /// # Panics
    /// When the server is not an HTTPS one.
    pub fn alternate_tls(&self, identities: &[TlsIdentity]) {
        assert_eq!(self.scheme, "https", "a server without TLS has no certificate");
        let configs = identities.iter().map(TlsIdentity::server_config);
        let configs: Result<Vec<_>, _> = configs.collect();
        self.listener.replace_tls(configs.expect("an identity's own key"));
    }

    /// From now on the endpoint behaves so.
    pub fn behave(&self, endpoint: S::Endpoint, behaviour: Behaviour) {
        locked(&self.held.scripts).set(endpoint, behaviour);
    }

    /// The next `count` requests to the endpoint get this, then it behaves as before.
    pub fn behave_next(&self, endpoint: S::Endpoint, count: usize, behaviour: Behaviour) {
        locked(&self.held.scripts).push_next(endpoint, count, &behaviour);
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Request> {
        self.listener.requests()
    }

    /// How many requests came to this path.
    pub fn count(&self, path: &str) -> usize {
        self.requests()
            .iter()
            .filter(|request| request.path() == path)
            .count()
    }

    /// Empties the list of requests.
    pub fn forget_requests(&self) {
        self.listener.forget_requests();
    }
}

impl<S: State> Service for Held<S> {
    fn behaviour(&self, request: &Request) -> Behaviour {
        let endpoint = locked(&self.state).endpoint(request.path());
        locked(&self.scripts).take(&endpoint)
    }

    fn respond(&self, request: &Request) -> Response {
        locked(&self.state).respond(request)
    }
}

/// What tests call of a server of which every path behaves the same.
macro_rules! of_one_endpoint {
    ($server:ident) => {
        impl $server {
            /// `http://127.0.0.1:<port>` or `https://…`, without a slash at the end.
            pub fn url(&self) -> String {
                self.0.url()
            }

            /// From now on it behaves so.
            pub fn behave(&self, behaviour: $crate::server::Behaviour) {
                self.0.behave((), behaviour);
            }

            /// Every request so far.
            pub fn requests(&self) -> Vec<$crate::server::Request> {
                self.0.requests()
            }
        }
    };
}
pub(super) use of_one_endpoint;

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
