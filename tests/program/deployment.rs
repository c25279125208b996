//! A simulated deployment on loopback, and what its user expects of it.

use simulator::{AppServer, Cvm, PccsServer, World};
use tempfile::TempDir;

use super::run::{Ran, run};

/// A simulated deployment, and everything that a strict user expects of it.
pub struct Deployment {
    pub app: AppServer,
    pub pccs: PccsServer,
    pub folder: TempDir,
    pub expect: Vec<String>,
}

impl Deployment {
    pub fn healthy() -> Self {
        Self::of(Cvm::healthy(&World::default()))
    }

    /// A deployment that is, or is not, what its user expects: the expectations are those of a healthy one.
    pub fn of(cvm: Cvm) -> Self {
        Self::expecting(cvm, &Cvm::healthy(&World::default()))
    }

    /// A deployment whose user expects another one.
    pub fn expecting(cvm: Cvm, expected: &Cvm) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("root.pem"), World::default().root_pem()).unwrap();
        let pccs = PccsServer::http(cvm.world.clone());
        Self {
            app: AppServer::http(cvm),
            pccs,
            folder,
            expect: expected.expectations().into(),
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
        run(&self.strict_args_with(&["verify", &self.app.url(), "--format=json"], more))
    }

    /// A command with the network options and with what a strict user expects.
    pub fn strict_args(&self, command: &[&str]) -> Vec<String> {
        let mut args = self.network_args(command);
        args.extend(self.expect.iter().cloned());
        args
    }

    /// The same with more options.
    pub fn strict_args_with(&self, command: &[&str], more: &[&str]) -> Vec<String> {
        let mut args = self.strict_args(command);
        args.extend(owned(more));
        args
    }

    /// A command with the network options.
    pub fn network_args(&self, command: &[&str]) -> Vec<String> {
        let mut args = owned(command);
        args.extend(self.network());
        args
    }

    /// A command with the deployment's root, and with what a strict user expects.
    pub fn replay_args(&self, command: &[&str]) -> Vec<String> {
        let mut args = owned(command);
        args.push(format!("--insecure-trust-root={}", self.path("root.pem")));
        args.extend(self.expect.iter().cloned());
        args
    }

    /// The same with more options.
    pub fn replay_args_with(&self, command: &[&str], more: &[&str]) -> Vec<String> {
        let mut args = self.replay_args(command);
        args.extend(owned(more));
        args
    }
}

/// The arguments of a command.
pub fn owned(args: &[&str]) -> Vec<String> {
    args.iter().map(|arg| (*arg).to_owned()).collect()
}
