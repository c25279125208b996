//! What `{…}` in arguments, policy files and changes of a chain stands for: values of the honest deployment.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};
use simulator::{CONTRACT_OWNER, Chain, Cvm, KMS_CONTRACT, Kms};

use crate::{kms, questions};

/// The published hash of the OS image, as the reference values of a case say.
pub const OS_IMAGE_HASH: &str = "abababababababababababababababababababababababababababababababab";

/// Values by name.
pub struct Values(BTreeMap<&'static str, String>);

impl Values {
    /// Those of an app.
    pub fn of(cvm: &Cvm) -> Self {
        let registers = cvm.registers();
        let register = |name: &'static str| {
            let mut parts = registers.split(',').filter_map(|part| part.split_once('='));
            let value = parts.find(|(key, _)| *key == name).map(|(_, value)| value);
            (name, value.unwrap_or_default().to_owned())
        };
        Self(BTreeMap::from([
            register("mrtd"),
            register("rtmr0"),
            register("rtmr1"),
            register("rtmr2"),
            ("compose-hash", hex::encode(cvm.compose_hash())),
            ("app-id", hex::encode(cvm.app_id_bytes())),
            ("instance-id", hex::encode(&cvm.instance_id)),
            ("os-image", cvm.registers()),
            ("key-provider", cvm.key_provider_option()),
            ("image-hash", hex::encode(cvm.boot.os_image_hash())),
        ]))
    }

    /// With those of its KMS and of its contracts.
    pub fn with_kms(mut self, cvm: &Cvm, kms: &Kms) -> Self {
        let log = cvm.measured_log();
        let mr_kms = log.iter().find(|event| event.event == "mr-kms");
        let [device, old_device] = questions::devices(cvm);
        let mut app = [0; 20];
        for (to, from) in app.iter_mut().zip(cvm.app_id_bytes()) {
            *to = from;
        }
        let chain = Chain::allowing(cvm, app, device, [0; 32]);
        let code = |address: [u8; 20]| {
            let code = chain.code.get(&address).map_or(&[][..], Vec::as_slice);
            hex::encode(Sha256::digest(code))
        };
        self.0.extend([
            ("kms-host", kms::HOST.to_owned()),
            ("kms-compose-hash", hex::encode(kms.cvm.compose_hash())),
            ("kms-os-image", kms.cvm.registers()),
            ("kms-build", hex::encode(kms.cvm.mr_aggregated())),
            ("kms-id", simulator::cvm::simulated_kms_id(kms.root)),
            ("other-kms-id", simulator::cvm::simulated_kms_id(7)),
            (
                "mr-kms",
                mr_kms.map_or_else(String::new, |event| hex::encode(&event.payload)),
            ),
            ("device", hex::encode(device)),
            ("old-device", hex::encode(old_device)),
            ("os-image-hash", OS_IMAGE_HASH.to_owned()),
            ("kms-contract", hex::encode(KMS_CONTRACT)),
            ("owner", hex::encode(CONTRACT_OWNER)),
            ("proxy-code", code(KMS_CONTRACT)),
            ("app-code", code([0x1a; 20])),
            ("kms-code", code([0x1b; 20])),
        ]);
        self
    }

    /// With one more.
    pub fn with(mut self, name: &'static str, value: String) -> Self {
        self.0.insert(name, value);
        self
    }

    /// A value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A text with values in the place of their names.
    pub fn fill(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
    }
}
