//! The application's own endpoints: `GET /attestation?reportData=<hex>` and `GET /info`.

use std::{collections::BTreeMap, ops::Deref};

use super::{
    connection::Response,
    ingress::Ingress,
    listener::Request,
    stateful::{self, Stateful},
    tls::TlsIdentity,
};
use crate::cvm::{Cvm, Evidence};

/// An endpoint of the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AppEndpoint {
    /// `GET /attestation`
    Attestation,
    /// `GET /info`
    Info,
    /// Everything else: 404 unless told otherwise.
    Other,
}

/// Which evidence answers a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// The CVM's own, for the nonce asked.
    Fresh,
    /// The first request is answered right, each later one with the evidence of the one before.
    RelayPrevious,
    /// The evidence for the first request, for ever: a cache in between.
    Cached,
}

/// What it serves.
pub struct State {
    cvms: Vec<Cvm>,
    served: usize,
    answers: Answers,
    previous: Option<Evidence>,
    files: BTreeMap<String, (&'static str, Vec<u8>)>,
    in_any_folder: bool,
    is_strict: bool,
}

/// The application of a CVM, or of several behind one address.
pub struct AppServer(Stateful<State>);

impl Deref for AppServer {
    type Target = Stateful<State>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl AppServer {
    /// Serves over plain HTTP.
    ///
    /// # Panics
    /// When loopback has no free port.
    pub fn http(cvm: Cvm) -> Self {
        Self::start(cvm, None)
    }

    /// Serves over HTTPS.
    ///
    /// # Panics
    /// When loopback has no free port.
    pub fn https(cvm: Cvm, identity: &TlsIdentity) -> Self {
        Self::start(cvm, Some(identity))
    }

    fn start(cvm: Cvm, identity: Option<&TlsIdentity>) -> Self {
        let state = State {
            cvms: vec![cvm],
            served: 0,
            answers: Answers::Fresh,
            previous: None,
            files: BTreeMap::new(),
            in_any_folder: false,
            is_strict: false,
        };
        Self(Stateful::start(state, identity))
    }

    /// Also answers at `/<any folder>/attestation` and `/<any folder>/info`: many addresses of one application.
    pub fn in_any_folder(&self) {
        self.state().in_any_folder = true;
    }

    /// Refuses every `reportData` but 64 hex digits with status 400, as a handler should.
    pub fn strict(&self) {
        self.state().is_strict = true;
    }

    /// Chooses which evidence answers.
    pub fn answer_with(&self, answers: Answers) {
        let mut state = self.state();
        state.answers = answers;
        state.previous = None;
    }

    /// Serves another CVM from now on.
    pub fn replace(&self, cvm: Cvm) {
        self.state().cvms = vec![cvm];
    }

    /// Serves these in turn, one each request to either endpoint: a gateway in front of several instances.
    ///
    /// # Panics
    /// When there is none.
    pub fn alternate(&self, cvms: Vec<Cvm>) {
        assert!(!cvms.is_empty(), "at least one CVM");
        let mut state = self.state();
        state.cvms = cvms;
        state.served = 0;
    }

    /// Changes the CVM in place (the first, when several are served).
    pub fn change(&self, change: impl FnOnce(&mut Cvm)) {
        change(&mut self.state().cvms[0]);
    }

    /// Serves these bytes at a path: ingress evidences, GPU evidence, a page.
    pub fn serve_file(&self, path: &str, content_type: &'static str, bytes: impl Into<Vec<u8>>) {
        self.state()
            .files
            .insert(path.to_owned(), (content_type, bytes.into()));
    }

    /// Serves the evidence of an ingress that ends TLS for this app, in the place of what was served before.
    pub fn serve_ingress(&self, ingress: &Ingress) {
        self.state()
            .files
            .retain(|path, _| !path.starts_with("/evidences/"));
        for (path, bytes) in ingress.served() {
            self.serve_file(&path, "text/plain", bytes);
        }
    }

    /// Serves a guest agent too: this CVM's quote over a key of the app, and its `Info` at the path of a version.
    pub fn serve_guest_agent(&self, cvm: &Cvm, info_path: &str) {
        let json = "application/json";
        self.serve_file(
            crate::guest_agent::APP_KEY_PATH,
            json,
            cvm.app_key_attestation_body(),
        );
        self.serve_file(info_path, json, cvm.info_body());
    }

    /// Connections accepted from now on see another key and certificate. Open ones stay.
    ///
    /// # Panics
    /// When the server is not an HTTPS one.
    pub fn rotate_tls(&self, identity: &TlsIdentity) {
        self.alternate_tls(std::slice::from_ref(identity));
    }
}

impl State {
    fn next_cvm(&mut self) -> Cvm {
        let cvm = self.cvms[self.served % self.cvms.len()].clone();
        self.served += 1;
        cvm
    }

    fn attestation(&mut self, query: &str) -> String {
        let cvm = self.next_cvm();
        if let Some(body) = &cvm.body.attestation_override {
            return body.clone();
        }
        if let (Answers::Cached, Some(first)) = (self.answers, &self.previous) {
            return cvm.attestation_body_of(first, query);
        }
        let fresh = cvm.evidence(query);
        let body = match (self.answers, &self.previous) {
            (Answers::RelayPrevious, Some(previous)) => cvm.attestation_body_of(previous, query),
            _ => cvm.attestation_body_of(&fresh, query),
        };
        self.previous = Some(fresh);
        body
    }
}

impl stateful::State for State {
    type Endpoint = AppEndpoint;

    fn endpoint(&self, path: &str) -> AppEndpoint {
        let path = match path.rfind('/') {
            Some(last) if self.in_any_folder => &path[last..],
            _ => path,
        };
        if path == "/attestation" {
            AppEndpoint::Attestation
        } else if path == "/info" {
            AppEndpoint::Info
        } else {
            AppEndpoint::Other
        }
    }

    fn respond(&mut self, request: &Request) -> Response {
        if request.method != "GET" {
            return Response::error(405, "method not allowed");
        }
        match self.endpoint(request.path()) {
            AppEndpoint::Attestation => match request.parameter("reportData") {
                Some(query) if self.is_strict && !is_nonce(&query) => {
                    Response::error(400, "64 hex digits expected")
                }
                Some(query) => Response::json(self.attestation(&query)),
                None => Response::error(400, "reportData is missing"),
            },
            AppEndpoint::Info => Response::json(self.next_cvm().info_body()),
            AppEndpoint::Other => match self.files.get(request.path()) {
                Some((content_type, bytes)) => Response::file(content_type, bytes.clone()),
                None => Response::error(404, "not found"),
            },
        }
    }
}

fn is_nonce(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
