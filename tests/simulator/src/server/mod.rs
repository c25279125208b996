//! Servers on loopback, made of plain threads: started from sync or async code, ended when dropped.

mod app;
mod behaviour;
mod chain;
mod connection;
mod ingress;
mod kms;
mod listener;
mod nras;
mod pccs;
mod phala_api;
mod registry;
mod scripted;
mod stateful;
mod tls;
mod tls_way;

pub use app::{Answers, AppEndpoint, AppServer};
pub use behaviour::Behaviour;
pub use chain::{CONTRACT_OWNER, Chain, ChainServer, KMS_CONTRACT, number, word_of};
pub use ingress::Ingress;
pub use kms::KmsServer;
pub use listener::Request;
pub use nras::NrasServer;
pub use pccs::{PccsEndpoint, PccsServer};
pub use phala_api::{PHALA_API_PATH, PhalaApiServer};
pub use registry::{ImageRegistry, RegistryAccess, RegistryWays, registry_token};
pub use scripted::{Scripted, ScriptedServer};
pub use tls::{
    RA_TLS_APP_ID, RA_TLS_ATTESTATION, RA_TLS_EVENT_LOG, RA_TLS_QUOTE, RA_TLS_USAGE, TlsIdentity, TlsMode,
};
pub use tls_way::{TlsApp, TlsWay};
