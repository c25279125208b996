//! NVIDIA's remote attestation service: `POST /v4/attest/gpu`, `/v4/attest/switch` and its key set.

use serde_json::Value;

use super::connection::Response;
use super::listener::Request;
use super::stateful::{self, Stateful};
use crate::{gpu::Gpus, nras::Nras};

struct State {
    service: Nras,
    gpus: Gpus,
    versions: Vec<&'static str>,
}

/// A stand-in for NVIDIA's service that knows these GPUs.
pub struct NrasServer(Stateful<State>);

impl NrasServer {
    /// Serves over plain HTTP.
    ///
    /// # Panics
    /// When loopback has no free port.
    pub fn http(service: Nras, gpus: Gpus) -> Self {
        let state = State {
            service,
            gpus,
            versions: vec!["v3", "v4"],
        };
        Self(Stateful::start(state, None))
    }

    /// Changes the service.
    pub fn change(&self, change: impl FnOnce(&mut Nras)) {
        change(&mut self.0.state().service);
    }

    /// From now on it knows version 3 of its interface alone.
    pub fn version_3_alone(&self) {
        self.0.state().versions = vec!["v3"];
    }
}

stateful::of_one_endpoint!(NrasServer);

impl stateful::State for State {
    type Endpoint = ();

    fn endpoint(&self, _: &str) {}

    fn respond(&mut self, request: &Request) -> Response {
        if request.method == "GET" && request.path() == "/.well-known/jwks.json" {
            return Response::json(self.service.key_set());
        }
        let parts: Vec<&str> = request.path().split('/').collect();
        let ["", version, "attest", kind] = parts.as_slice() else {
            return Response::error(404, "not found");
        };
        if request.method != "POST" || !self.versions.contains(version) {
            return Response::error(404, "not found");
        }
        let sent: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let nonce = sent["nonce"].as_str().and_then(|text| hex::decode(text).ok());
        let Some(nonce) = nonce.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()) else {
            return Response::error(400, "no nonce");
        };
        let is_switch = *kind == "switch";
        let devices = self.gpus.devices.iter();
        let devices: Vec<_> = devices
            .filter(|device| (device.architecture == "LS10") == is_switch)
            .cloned()
            .collect();
        let name = if is_switch { "SWITCH" } else { "GPU" };
        Response::json(self.service.answer(name, &devices, &nonce))
    }
}
