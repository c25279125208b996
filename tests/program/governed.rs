//! A simulated deployment whose KMS answers, and whose contracts two nodes of a blockchain know.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use simulator::phala_cloud::{self, InstanceShape};
use simulator::{Chain, ChainServer, Cvm, KMS_CONTRACT, Kms, KmsServer, World};

use super::deployment::Deployment;
use super::run::{Ran, run_in};

/// The published hash of the app's OS image, as the reference values of the user say.
pub const OS_IMAGE: [u8; 32] = [0xab; 32];

/// All of it.
pub struct Governed {
    pub deployment: Deployment,
    pub kms: KmsServer,
    pub nodes: [ChainServer; 2],
}

impl Governed {
    pub fn healthy() -> Self {
        let kms = kms();
        Self {
            deployment: Deployment::healthy(),
            kms: KmsServer::https(&kms.identity(1, kms.cvm.world.now), kms.meta.clone()),
            nodes: [ChainServer::http(chain()), ChainServer::http(chain())],
        }
    }

    /// Both nodes know this of the chain.
    pub fn both(&self, change: impl Fn(&mut Chain)) {
        self.nodes.iter().for_each(|node| node.change(&change));
    }

    /// Phala Cloud's API answers this of the app's KMS. The option that names the API.
    pub fn phala_says(&self, kms: Value) -> String {
        let id = app_id();
        let answer = phala_cloud::answer(&id, InstanceShape::New, &[]);
        let mut answer: Value = serde_json::from_str(&answer).unwrap();
        answer["kms_info"] = kms;
        let app = &self.deployment.app;
        app.serve_file(&phala_cloud::path(&id), "application/json", answer.to_string());
        format!("--phala-api-url={}", app.url())
    }

    /// What the API honestly says.
    pub fn honest_hint(&self) -> Value {
        json!({
            "url": format!("https://{}", self.kms.host()),
            "chain_id": 8453,
            "contract_address": format!("0x{}", hex::encode(KMS_CONTRACT)),
        })
    }

    /// The two nodes as options.
    pub fn rpc_urls(&self) -> Vec<String> {
        let nodes = self.nodes.iter();
        nodes.map(|node| format!("--rpc-url={}", node.url())).collect()
    }

    /// Both URLs, with a path behind each, as a variable holds them.
    pub fn rpc_variable(&self, path: &str) -> String {
        let nodes = self.nodes.iter().map(|node| format!("{}{path}", node.url()));
        nodes.collect::<Vec<_>>().join("\n")
    }

    /// A policy file with one target `a` that has these lines, beside what its KMS and its OS image are.
    pub fn config(&self, lines: &[String]) -> String {
        self.write_reference("");
        let own = kms();
        let text = format!(
            "[[target]]\nname = \"a\"\nurl = \"{}\"\nreference-values = \"reference.toml\"\nkms-os-image = \"{}\"\n{}\n",
            self.deployment.app.url(),
            own.cvm.registers(),
            lines.join("\n")
        );
        let path = self.deployment.path("cvm-verify.toml");
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Reference values that know the app's OS image, and these rows.
    pub fn write_reference(&self, more: &str) -> String {
        let cvm = Cvm::healthy(&World::default());
        let text = format!("{}{more}", cvm.reference_values(OS_IMAGE));
        let path = self.deployment.path("reference.toml");
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Where its lock is.
    pub fn lock(&self) -> String {
        self.deployment.path("cvm.lock")
    }

    /// Pins the target `a` of a policy file that has these lines.
    pub fn pin(&self, lines: &[String], more: &[String]) -> Ran {
        let mut args = self.deployment.network_args(&[
            "pin",
            &format!("--config={}", self.config(lines)),
            "--target=a",
            &format!("--output={}", self.lock()),
            "--accept-observed",
        ]);
        args.extend(more.iter().cloned());
        run_in(&args, &[], |_| {})
    }

    /// Everything pinned, by names that the user wrote.
    pub fn pinned() -> Self {
        let governed = Self::healthy();
        let ran = governed.pin(&governed.names(), &governed.rpc_urls());
        assert_eq!(ran.code, 0, "{ran:#?}");
        governed
    }

    /// The lines of a policy file that name KMS and contract.
    pub fn names(&self) -> Vec<String> {
        vec![
            format!("kms-host = [\"{}\"]", self.kms.host()),
            "governance-chain-id = 8453".to_owned(),
            format!("governance-kms-contract = \"{}\"", hex::encode(KMS_CONTRACT)),
        ]
    }

    /// The arguments that verify the target `a` of a policy file that has these lines.
    pub fn verify_args(&self, lines: &[String], more: &[String]) -> Vec<String> {
        let mut args = self.deployment.network_args(&[
            "verify",
            &format!("--config={}", self.config(lines)),
            "--format=json",
        ]);
        args.extend(more.iter().cloned());
        args
    }

    /// Verifies by the lock.
    pub fn verify_by_lock(&self, more: &[String]) -> Ran {
        let lock = format!("lock = \"{}\"", self.lock());
        run_in(&self.verify_args(&[lock], more), &[], |_| {})
    }
}

/// The KMS of the healthy app.
pub fn kms() -> Kms {
    Kms::healthy(&World::default())
}

/// What two honest nodes know.
pub fn chain() -> Chain {
    let cvm = Cvm::healthy(&World::default());
    let device = Sha256::digest(cvm.world.platform.ppid).into();
    Chain::allowing(&cvm, app_id(), device, OS_IMAGE)
}

/// The healthy app's id.
pub fn app_id() -> [u8; 20] {
    Cvm::healthy(&World::default()).app_id_bytes().try_into().unwrap()
}
