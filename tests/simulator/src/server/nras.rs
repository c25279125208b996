//! NVIDIA's remote attestation service: `POST /v4/attest/gpu`, `/v4/attest/switch` and its key set.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::{
    behaviour::{Behaviour, Scripts},
    connection::Response,
    listener::{Listener, Request, Service},
};
use crate::{gpu::Gpus, nras::Nras};

struct State {
    service: Nras,
    gpus: Gpus,
    versions: Vec<&'static str>,
    scripts: Scripts<()>,
}

/// A stand-in for NVIDIA's service that knows these GPUs.
pub struct NrasServer {
    listener: Listener,
    state: Arc<Mutex<State>>,
}

impl NrasServer {
    /// Serves over plain HTTP.
    ///
    /// # Panics
    /// When loopback has no free port.
    pub fn http(service: Nras, gpus: Gpus) -> Self {
        let state = Arc::new(Mutex::new(State {
            service,
            gpus,
            versions: vec!["v3", "v4"],
            scripts: Scripts::default(),
        }));
        let listener =
            Listener::start(Arc::new(Api(Arc::clone(&state))), None).expect("a free port on loopback");
        Self { listener, state }
    }

    /// `http://127.0.0.1:<port>`
    pub fn url(&self) -> String {
        format!("http://{}", self.listener.address())
    }

    /// Changes the service.
    pub fn change(&self, change: impl FnOnce(&mut Nras)) {
        change(&mut self.state().service);
    }

    /// From now on it knows version 3 of its interface alone.
    pub fn version_3_alone(&self) {
        self.state().versions = vec!["v3"];
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

struct Api(Arc<Mutex<State>>);

impl Service for Api {
    fn behaviour(&self, _request: &Request) -> Behaviour {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.scripts.take(&())
    }

    fn respond(&self, request: &Request) -> Response {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if request.method == "GET" && request.path() == "/.well-known/jwks.json" {
            return Response::json(state.service.key_set());
        }
        let parts: Vec<&str> = request.path().split('/').collect();
        let ["", version, "attest", kind] = parts.as_slice() else {
            return Response::error(404, "not found");
        };
        if request.method != "POST" || !state.versions.contains(version) {
            return Response::error(404, "not found");
        }
        let sent: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let nonce = sent["nonce"].as_str().and_then(|text| hex::decode(text).ok());
        let Some(nonce) = nonce.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()) else {
            return Response::error(400, "no nonce");
        };
        let is_switch = *kind == "switch";
        let devices = state.gpus.devices.iter();
        let devices: Vec<_> = devices
            .filter(|device| (device.architecture == "LS10") == is_switch)
            .cloned()
            .collect();
        let name = if is_switch { "SWITCH" } else { "GPU" };
        Response::json(state.service.answer(name, &devices, &nonce))
    }
}
