//! A simulated CVM, PCCS and their PKI on loopback.
//!
//! What it makes verifies by the same code path as Intel's evidence, with only the root certificate exchanged. All of it
//! is a function of a seed, an explicit time and public fields ("knobs"); nothing reads a clock or a random source.
//!
//! Start with [`World`] (Intel's part and the machine), then [`Cvm`] (the guest and what it hands over), then the servers.
//!
//! ```
//! use simulator::{AppServer, Cvm, Lie, PccsServer, World};
//!
//! let world = World::new(1, 1_790_856_000);
//! let mut cvm = Cvm::healthy(&world);
//! Lie::ForgedEventLog.apply(&mut cvm);
//! let pccs = PccsServer::http(cvm.world.clone());
//! let app = AppServer::http(cvm);
//! assert!(app.url().starts_with("http://127.0.0.1:"));
//! assert!(world.root_pem().starts_with("-----BEGIN CERTIFICATE-----"));
//! # drop(pccs);
//! ```

mod app_cert;
pub mod app_compose;
mod asn1;
pub mod boot_events;
pub mod cvm;
pub mod event_log;
pub mod generated;
pub mod gpu;
pub mod gpu_pki;
pub mod guest;
pub mod guest_agent;
pub mod image_files;
pub mod json;
pub mod keys;
pub mod keys384;
pub mod kms;
pub mod launch;
pub mod lie;
pub mod lite;
pub mod nras;
pub mod pck;
pub mod phala_cloud;
pub mod pki;
pub mod qe_identity;
pub mod quote;
pub mod recorded;
pub mod report_data;
pub mod server;
pub mod sigstore;
pub mod tcb_info;
pub mod td_hob;
mod timestamps;
pub mod versioned;
pub mod world;
mod x509;

pub use boot_events::BootMaterial;
pub use cvm::{Cvm, Evidence, MrConfigId};
pub use event_log::{Event, EventVersion};
pub use gpu::{Gpu, Gpus, SignedNonce};
pub use guest::Guest;
pub use image_files::{ImageFiles, Qemu};
pub use json::{BodyShape, EventLogForm, Nested, QuoteEncoding, VersionedForm};
pub use kms::Kms;
pub use launch::Launch;
pub use lie::Lie;
pub use lite::LiteMeasurement;
pub use nras::Nras;
pub use pck::{PckCa, Platform};
pub use pki::{Certificate, Pki, Window};
pub use qe_identity::QeIdentity;
pub use quote::{QuoteFormat, QuoteShape, TdReport};
pub use report_data::{Echo, ReportDataLayout};
pub use server::{
    Answers, AppEndpoint, AppServer, Behaviour, CONTRACT_OWNER, Chain, ChainServer, ImageRegistry,
    KMS_CONTRACT, KmsServer, NrasServer, PHALA_API_PATH, PccsEndpoint, PccsServer, PhalaApiServer,
    RegistryWays, Request, Scripted, ScriptedServer, TlsIdentity, TlsMode, number, word_of,
};
pub use sigstore::{Sigstore, Workflow};
pub use tcb_info::{ModuleIdentity, SvnLevel, TcbInfo, TcbLevel};
pub use world::{DAY, DEFAULT_NOW, World};
