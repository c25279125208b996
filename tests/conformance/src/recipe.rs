//! What a case says of its CVM, as changes of the simulator's healthy one: the form. `apply` makes the changes.

mod apply;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

pub use apply::guest;

/// Changes of a CVM and its machine. What is absent stays as it is.
#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Recipe {
    /// `0.4`, `0.5.0`, `0.5.1`, `0.5.5` (default), `0.6.0`, `0.6.0-lite`, `0.6.0-release`. In `honest` alone.
    pub guest: Option<String>,
    /// What every key follows from. In `honest` alone.
    pub seed: Option<u64>,
    /// Lies of the simulator, by name.
    pub lies: Vec<String>,
    /// `v4`, `v5-td10`, `v5-td15`, `v5-td15ex`, `sgx-v3`.
    pub quote_format: Option<String>,
    /// Fields of the quote's header and the bytes behind it.
    pub header: Header,
    /// Fields of the TD report, hex, by the names of the TDX module specification in kebab-case.
    pub td_report: BTreeMap<String, String>,
    /// Registers that the quote shows whatever was measured: `mrtd`, `rtmr0` to `rtmr3`, hex.
    pub registers: BTreeMap<String, String>,
    /// `zero`, `tag01`, `tag02`, `tag03`, `tag03-gpus`, `raw:HEX`, `document:TEXT`.
    pub mr_config_id: Option<String>,
    /// 1 or 2.
    pub event_version: Option<u8>,
    /// The docker compose file.
    pub docker_compose: Option<String>,
    /// Text of the docker compose file that is replaced: from, to.
    pub docker_compose_replace: Vec<[String; 2]>,
    /// Members of app-compose.json that are set.
    pub compose_set: BTreeMap<String, Value>,
    /// The whole app-compose.json.
    pub app_compose: Option<String>,
    /// Hex.
    pub app_id: Option<String>,
    /// Hex.
    pub instance_id: Option<String>,
    /// Payload of the `key-provider` event.
    pub key_provider: Option<String>,
    /// Payload of a `gpu-attestation` event.
    pub gpu_attestation: Option<String>,
    /// Events that the app emits after boot: name, payload in hex.
    pub app_events: Vec<[String; 2]>,
    /// What the machine boots.
    pub boot: Boot,
    /// `raw`, `ascii`, `key-then-nonce`, `nonce-then-key`, `sha512-app-data`, …, `fixed:HEX`.
    pub report_data: Option<String>,
    /// What the JSON beside the quote says: `quoted`, `query`, `absent`, `text:TEXT`.
    pub echo: Option<String>,
    /// Intel's TCB info.
    pub tcb_info: TcbInfo,
    /// Intel's QE identity and the quoting enclave.
    pub qe_identity: QeIdentity,
    /// Validity of certificates and lists, seconds before and after now: `root`, `pck-ca`, `pck`, `tcb-signing`,
    /// `root-crl`, `pck-crl`.
    pub validity: BTreeMap<String, [i64; 2]>,
    /// Certificates that are revoked: `pck`, `pck-ca`, `tcb-signing`.
    pub revoked: Vec<String>,
    /// What the PCK certificate says of the platform.
    pub platform: Platform,
    /// How the bodies are written.
    pub body: Body,
}

/// Fields of the quote's header.
#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the specification's own field names")]
pub struct Header {
    pub version: Option<u16>,
    pub attestation_key_type: Option<u16>,
    pub tee_type: Option<u32>,
    pub qe_vendor_id: Option<String>,
    pub body_type: Option<u16>,
    /// Bytes behind the signature data, hex.
    pub trailing: Option<String>,
}

/// What the machine boots.
#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Boot {
    /// Name of the OS image.
    pub os_image: Option<String>,
    /// Bytes of memory.
    pub memory: Option<u64>,
    /// The rest of the VM's shape.
    pub hardware: Option<String>,
    /// The ACPI tables.
    pub acpi_tables: Option<String>,
    /// Lines behind the checksum file of a `lite` guest.
    pub manifest_lines: Option<String>,
}

/// Intel's TCB info.
#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct TcbInfo {
    /// `TDX` or `SGX`.
    pub id: Option<String>,
    /// The evaluation data number.
    pub eval_data_number: Option<u32>,
    /// Seconds from now.
    pub issued_after: Option<i64>,
    /// Seconds from now.
    pub expires_after: Option<i64>,
    /// Hex, 6 bytes.
    pub fmspc: Option<String>,
    /// Hex, 2 bytes.
    pub pce_id: Option<String>,
    /// The status of the platform's row.
    pub status: Option<String>,
    /// Its advisories.
    pub advisories: Vec<String>,
}

/// Intel's QE identity, and the quoting enclave.
#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct QeIdentity {
    /// `TD_QE`, `QE`.
    pub id: Option<String>,
    /// The evaluation data number.
    pub eval_data_number: Option<u32>,
    /// Seconds from now.
    pub issued_after: Option<i64>,
    /// Seconds from now.
    pub expires_after: Option<i64>,
    /// ISVSVN of the enclave.
    pub enclave_isv_svn: Option<u16>,
    /// Signer of the enclave, hex.
    pub enclave_mr_signer: Option<String>,
    /// Product id that the identity asks for.
    pub isv_prod_id: Option<u16>,
    /// Status of the newest level.
    pub status: Option<String>,
}

/// What the PCK certificate says.
#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Platform {
    /// Hex, 6 bytes.
    pub fmspc: Option<String>,
    /// Hex, 16 bytes.
    pub cpu_svn: Option<String>,
    /// PCESVN.
    pub pce_svn: Option<u16>,
    /// Whether the processor's CA issued it.
    pub processor_ca: Option<bool>,
}

/// How the bodies are written.
#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Body {
    /// `hex`, `hex-0x`, `hex-upper`, `base64`, `absent`.
    pub quote: Option<String>,
    /// `text`, `array`, `text-together`, `array-together`, `absent`.
    pub event_log: Option<String>,
    /// `scale`, `msgpack`, `absent`: the versioned attestation.
    pub versioned: Option<String>,
    /// Whether the versioned attestation is all there is.
    pub attest_only: bool,
    /// Whether digests of runtime events are left out.
    pub stripped_log: Option<bool>,
    /// `text`, `object`, `blank`, `absent`.
    pub vm_config: Option<String>,
    /// `text`, `object`, `blank`, `absent`.
    pub tcb_info: Option<String>,
    /// tappd's members.
    pub tappd: Option<bool>,
    /// The app-compose.json that `/info` shows.
    pub show_app_compose: Option<String>,
    /// Raw JSON members of `/attestation`, written first or last.
    pub attestation_first: Vec<String>,
    /// The same, last.
    pub attestation_last: Vec<String>,
    /// Raw JSON members of `/info`, written first.
    pub info_first: Vec<String>,
    /// The same, last.
    pub info_last: Vec<String>,
}
