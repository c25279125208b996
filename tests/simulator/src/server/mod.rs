//! Servers on loopback, made of plain threads: started from sync or async code, ended when dropped.

mod app;
mod behaviour;
mod connection;
mod listener;
mod pccs;
mod tls;

pub use app::{Answers, AppEndpoint, AppServer};
pub use behaviour::Behaviour;
pub use listener::Request;
pub use pccs::{PccsEndpoint, PccsServer};
pub use tls::{TlsIdentity, TlsMode};
