//! A KMS on loopback: `/prpc/KMS.GetMeta`, over TLS with a certificate that its root key signed.

use serde_json::Value;

use super::connection::Response;
use super::listener::Request;
use super::stateful::{self, Stateful};
use super::tls::TlsIdentity;

struct State {
    meta: Value,
    path: &'static str,
}

/// A KMS.
pub struct KmsServer(Stateful<State>);

impl KmsServer {
    /// Serves this answer under this identity.
    ///
    /// # Panics
    /// When loopback has no free port.
    pub fn https(identity: &TlsIdentity, meta: Value) -> Self {
        let state = State {
            meta,
            path: "/prpc/KMS.GetMeta",
        };
        Self(Stateful::start(state, Some(identity)))
    }

    /// `127.0.0.1:<port>`
    pub fn host(&self) -> String {
        self.0.host()
    }

    /// Serves GetMeta where older KMSs do.
    pub fn at_the_old_path(&self) {
        self.0.state().path = "/prpc/GetMeta";
    }

    /// Edits what it answers.
    pub fn edit(&self, edit: impl FnOnce(&mut Value)) {
        edit(&mut self.0.state().meta);
    }
}

stateful::of_one_endpoint!(KmsServer);

impl stateful::State for State {
    type Endpoint = ();

    fn endpoint(&self, _: &str) {}

    fn respond(&mut self, request: &Request) -> Response {
        if request.path() == self.path {
            Response::json(self.meta.to_string())
        } else {
            Response::error(404, "not found")
        }
    }
}
