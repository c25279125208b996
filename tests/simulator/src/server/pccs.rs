//! A PCCS: the four PCS v4 endpoints that collateral comes from.

use std::{ops::Deref, sync::Arc};

use dcap_qvl::QuoteCollateralV3;

use super::{
    behaviour::Behaviour,
    connection::Response,
    listener::{Request, percent_encode},
    stateful::{self, Stateful},
    tls::TlsIdentity,
};
use crate::{PckCa, asn1, world::World};

/// An endpoint of the PCCS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PccsEndpoint {
    /// `/sgx/certification/v4/pckcrl?ca=platform|processor[&encoding=der]`
    PckCrl,
    /// `/sgx/certification/v4/rootcacrl`
    RootCaCrl,
    /// `/tdx/certification/v4/tcb?fmspc=…`, and the same under `/sgx`
    TcbInfo,
    /// `/tdx/certification/v4/qe/identity`, and the same under `/sgx`
    QeIdentity,
    /// Everything else: 404 unless told otherwise.
    Other,
}

impl PccsEndpoint {
    /// The four real ones.
    pub const ALL: [Self; 4] = [Self::PckCrl, Self::RootCaCrl, Self::TcbInfo, Self::QeIdentity];

    fn of(path: &str) -> Self {
        match path {
            "/sgx/certification/v4/pckcrl" => Self::PckCrl,
            "/sgx/certification/v4/rootcacrl" => Self::RootCaCrl,
            "/tdx/certification/v4/tcb" | "/sgx/certification/v4/tcb" => Self::TcbInfo,
            "/tdx/certification/v4/qe/identity" | "/sgx/certification/v4/qe/identity" => Self::QeIdentity,
            _ => Self::Other,
        }
    }
}

type CollateralEdit = Arc<dyn Fn(&mut QuoteCollateralV3) + Send + Sync>;

/// What it serves.
pub struct State {
    world: World,
    /// The world of Intel's early set; `None`: the same.
    early: Option<World>,
    edits: Vec<CollateralEdit>,
}

/// A PCCS for one world.
pub struct PccsServer(Stateful<State>);

impl Deref for PccsServer {
    type Target = Stateful<State>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl PccsServer {
    /// Serves over plain HTTP.
    ///
    /// # Panics
    /// When loopback has no free port.
    pub fn http(world: World) -> Self {
        Self::start(world, None)
    }

    /// Serves over HTTPS.
    ///
    /// # Panics
    /// When loopback has no free port.
    pub fn https(world: World, identity: &TlsIdentity) -> Self {
        Self::start(world, Some(identity))
    }

    fn start(world: World, identity: Option<&TlsIdentity>) -> Self {
        let state = State {
            world,
            early: None,
            edits: vec![],
        };
        Self(Stateful::start(state, identity))
    }

    /// From now on all four behave so.
    pub fn behave_everywhere(&self, behaviour: &Behaviour) {
        for endpoint in PccsEndpoint::ALL {
            self.behave(endpoint, behaviour.clone());
        }
    }

    /// Changes the world that the collateral is made of.
    pub fn change(&self, change: impl FnOnce(&mut World)) {
        change(&mut self.state().world);
    }

    /// Lets `update=early` give another set than `update=standard`.
    pub fn change_early(&self, change: impl FnOnce(&mut World)) {
        let mut state = self.state();
        let mut early = state.early.take().unwrap_or_else(|| state.world.clone());
        change(&mut early);
        state.early = Some(early);
    }

    /// Edits what is served after it was signed.
    pub fn edit_collateral(&self, edit: impl Fn(&mut QuoteCollateralV3) + Send + Sync + 'static) {
        self.state().edits.push(Arc::new(edit));
    }
}

impl stateful::State for State {
    type Endpoint = PccsEndpoint;

    fn endpoint(&self, path: &str) -> PccsEndpoint {
        PccsEndpoint::of(path)
    }

    fn respond(&mut self, request: &Request) -> Response {
        let is_early = request.parameter("update").as_deref() == Some("early");
        let world = self.early.as_ref().filter(|_| is_early).unwrap_or(&self.world);
        let mut collateral = world.collateral();
        for edit in &self.edits {
            edit(&mut collateral);
        }
        match PccsEndpoint::of(request.path()) {
            PccsEndpoint::PckCrl => pck_crl(world, &collateral, request),
            PccsEndpoint::RootCaCrl => {
                let text = hex::encode(&collateral.root_ca_crl);
                Response::file("application/octet-stream", text.into_bytes())
            }
            PccsEndpoint::TcbInfo => tcb_info(world, &collateral, request),
            PccsEndpoint::QeIdentity => qe_identity(world, &collateral, request),
            PccsEndpoint::Other => Response::error(404, "not found"),
        }
    }
}

fn pck_crl(world: &World, collateral: &QuoteCollateralV3, request: &Request) -> Response {
    let own = match world.platform.pck_ca {
        PckCa::Platform => "platform",
        PckCa::Processor => "processor",
    };
    if request.parameter("ca").as_deref() != Some(own) {
        return Response::error(404, "no CRL of that CA");
    }
    let crl = &collateral.pck_crl;
    let mut response = if request.parameter("encoding").as_deref() == Some("der") {
        Response::file("application/pkix-crl", crl.clone())
    } else {
        Response::file("application/x-pem-file", asn1::pem("X509 CRL", crl).into_bytes())
    };
    let chain = percent_encode(&collateral.pck_crl_issuer_chain);
    response.headers.push(("SGX-PCK-CRL-Issuer-Chain", chain));
    response
}

fn tcb_info(world: &World, collateral: &QuoteCollateralV3, request: &Request) -> Response {
    let asked = request.parameter("fmspc").unwrap_or_default();
    if !asked.eq_ignore_ascii_case(&hex::encode(world.platform.fmspc)) {
        return Response::error(404, "no TCB info of that FMSPC");
    }
    if !has_number(request, world.tcb_info.eval_data_number) {
        return Response::error(404, "no such set");
    }
    let (text, signature) = (&collateral.tcb_info, &collateral.tcb_info_signature);
    let mut response = signed_document("tcbInfo", text, signature);
    let chain = percent_encode(&collateral.tcb_info_issuer_chain);
    response.headers.push(("TCB-Info-Issuer-Chain", chain));
    response
}

fn qe_identity(world: &World, collateral: &QuoteCollateralV3, request: &Request) -> Response {
    if !has_number(request, world.qe_identity.eval_data_number) {
        return Response::error(404, "no such set");
    }
    let (text, signature) = (&collateral.qe_identity, &collateral.qe_identity_signature);
    let mut response = signed_document("enclaveIdentity", text, signature);
    let chain = percent_encode(&collateral.qe_identity_issuer_chain);
    response
        .headers
        .push(("SGX-Enclave-Identity-Issuer-Chain", chain));
    response
}

/// True unless the request names another evaluation data number.
fn has_number(request: &Request, number: u32) -> bool {
    request
        .parameter("tcbEvaluationDataNumber")
        .is_none_or(|asked| asked == number.to_string())
}

/// `{"<member>":<the text as signed>,"signature":"<hex>"}`
fn signed_document(member: &str, text: &str, signature: &[u8]) -> Response {
    let signature = hex::encode(signature);
    Response::json(format!(r#"{{"{member}":{text},"signature":"{signature}"}}"#))
}
