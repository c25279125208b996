//! A KMS on loopback: `/prpc/KMS.GetMeta`, over TLS with a certificate that its root key signed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::{
    behaviour::{Behaviour, Scripts},
    connection::Response,
    listener::{Listener, Request, Service},
    tls::TlsIdentity,
};

struct State {
    meta: Value,
    path: &'static str,
    scripts: Scripts<()>,
}

/// A KMS.
pub struct KmsServer {
    listener: Listener,
    state: Arc<Mutex<State>>,
}

impl KmsServer {
    /// Serves this answer under this identity.
    ///
    /// # Panics
    /// When loopback has no free port.
    pub fn https(identity: &TlsIdentity, meta: Value) -> Self {
        let state = Arc::new(Mutex::new(State {
            meta,
            path: "/prpc/KMS.GetMeta",
            scripts: Scripts::default(),
        }));
        let tls = identity
            .server_config()
            .expect("the identity's own key and certificate");
        let service = Arc::new(Rpc(Arc::clone(&state)));
        let listener = Listener::start(service, Some(tls)).expect("a free port on loopback");
        Self { listener, state }
    }

    /// `127.0.0.1:<port>`
    pub fn host(&self) -> String {
        self.listener.address().to_string()
    }

    /// Serves GetMeta where older KMSs do.
    pub fn at_the_old_path(&self) {
        self.state().path = "/prpc/GetMeta";
    }

    /// Edits what it answers.
    pub fn edit(&self, edit: impl FnOnce(&mut Value)) {
        edit(&mut self.state().meta);
    }

    /// From now on it behaves so.
    pub fn behave(&self, behaviour: Behaviour) {
        self.state().scripts.set((), behaviour);
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Request> {
        self.listener.requests()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Rpc(Arc<Mutex<State>>);

impl Service for Rpc {
    fn behaviour(&self, _: &Request) -> Behaviour {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.scripts.take(&())
    }

    fn respond(&self, request: &Request) -> Response {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if request.path() == state.path {
            Response::json(state.meta.to_string())
        } else {
            Response::error(404, "not found")
        }
    }
}
