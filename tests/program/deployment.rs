//! A simulated deployment on loopback, and what its user expects of it.

use simulator::{AppServer, Cvm, PccsServer, World};
use tempfile::TempDir;

use super::run::{Ran, run};

/// A simulated deployment, and everything that a strict user expects of it.
pub struct Deployment {
    pub app: AppServer,
    pub pccs: PccsServer,
    pub folder: TempDir,
    expect: Vec<String>,
}

impl Deployment {
    pub fn healthy() -> Self {
        Self::of(Cvm::healthy(&World::default()))
    }

    /// A deployment that is, or is not, what its user expects: the expectations are those of a healthy one.
    pub fn of(cvm: Cvm) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let healthy = Cvm::healthy(&World::default());
        std::fs::write(folder.path().join("root.pem"), World::default().root_pem()).unwrap();
        let pccs = PccsServer::http(cvm.world.clone());
        let td = healthy.td_report([0; 64]);
        let registers = format!(
            "mrtd={},rtmr0={},rtmr1={},rtmr2={}",
            hex::encode(td.mr_td),
            hex::encode(td.rtmr[0]),
            hex::encode(td.rtmr[1]),
            hex::encode(td.rtmr[2])
        );
        let expect = vec![
            format!("--compose-hash={}", hex::encode(healthy.compose_hash())),
            format!("--os-image={registers}"),
            format!(
                "--key-provider=kms:{}",
                simulator::cvm::simulated_kms_id(healthy.world.seed)
            ),
        ];
        Self {
            app: AppServer::http(cvm),
            pccs,
            folder,
            expect,
        }
    }

    /// The network options that a simulated deployment needs.
    pub fn network(&self) -> Vec<String> {
        vec![
            "--allow-private-network".to_owned(),
            format!("--pccs-url={}", self.pccs.url()),
            format!("--insecure-trust-root={}", self.path("root.pem")),
        ]
    }

    /// What a strict user expects.
    pub fn expect(&self) -> &[String] {
        &self.expect
    }

    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Verifies it with the strict user's expectations.
    pub fn verify(&self, more: &[&str]) -> Ran {
        self.verify_with(&self.expect, more)
    }

    pub fn verify_with(&self, expect: &[String], more: &[&str]) -> Ran {
        let mut args = vec![
            "verify".to_owned(),
            self.app.url().to_string(),
            "--format=json".to_owned(),
        ];
        args.extend(self.network());
        args.extend(expect.iter().cloned());
        args.extend(more.iter().map(|arg| (*arg).to_owned()));
        run(&args)
    }
}
