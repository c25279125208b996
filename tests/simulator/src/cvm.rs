//! The simulated CVM: a guest that booted on the world's machine, with a knob for every way it can lie.

use std::{fmt, sync::Arc};

use base64::Engine as _;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::{
    app_cert::kms_root_key,
    app_compose::{DOCKER_COMPOSE, app_compose},
    boot_events::BootMaterial,
    event_log::{self, Event, EventVersion},
    gpu::Gpus,
    guest::{Boot, Guest},
    image_files::{ImageFiles, Qemu},
    json::BodyShape,
    keys::derive_bytes,
    launch::Launch,
    lite::LiteMeasurement,
    quote::{QuoteShape, TdReport, sign_quote},
    report_data::{Echo, ReportDataLayout},
    world::World,
};

/// Key provider id of Phala's off-chain KMS: SubjectPublicKeyInfo in hex (spec §6.1).
pub const PHALA_KMS_ID: &str = concat!(
    "3059301306072a8648ce3d020106082a8648ce3d03010703420004",
    "8844eb42ccdf8c52fd4f174f362fcb9bbd19c45fd48f1edec2d8f1ca23536ec1",
    "a74021b4cee610c074f8294d431b2b7fee2c39e5333fdaf0a4522d43fb159d9f"
);

/// MRCONFIGID of the TD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MrConfigId {
    /// Tag 01 and the compose hash where the guest generation does that (since 0.5.1), else zero.
    AsGuest,
    /// Unbound.
    Zero,
    /// `01 ‖ compose hash ‖ 0^15`.
    Tag01,
    /// `03 ‖ SHA-256("dstack-mr-config-v3:" ‖ 00 ‖ document) ‖ 0^15`; the document stands in vm_config as `mr_config`.
    Tag03(String),
    /// `02 ‖ Keccak-256(compose hash ‖ app id ‖ kind ‖ id of the key provider) ‖ 0^15`, of what the guest measures.
    Tag02,
    /// Tag 03 with the document that a VMM of 0.6 writes for what the guest measures.
    Tag03OfVmm {
        /// Whether GPUs are attached.
        gpus: bool,
    },
    /// These bytes.
    Raw([u8; 48]),
}

/// Registers that the quote shows whatever the log says. `None`: the honest value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForcedRegisters {
    /// MRTD.
    pub mr_td: Option<[u8; 48]>,
    /// RTMR0 to RTMR3.
    pub rtmr: [Option<[u8; 48]>; 4],
}

/// An edit of the event log.
pub type LogEdit = Arc<dyn Fn(&mut Vec<Event>) + Send + Sync>;

/// An edit of the quote's bytes.
pub type QuoteEdit = Arc<dyn Fn(&mut Vec<u8>) + Send + Sync>;
/// An edit of `vm_config`.
pub type ConfigEdit = Arc<dyn Fn(&mut serde_json::Value) + Send + Sync>;

/// What the CVM hands over for one nonce, before it is written as JSON.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The whole quote with its trailing bytes.
    pub quote: Vec<u8>,
    /// The log as handed over: stripped and edited.
    pub event_log: Vec<Event>,
    /// What was quoted.
    pub report_data: [u8; 64],
}

/// A CVM. It owns a copy of its world: change `cvm.world` to change its machine.
#[derive(Clone)]
pub struct Cvm {
    /// PKI, platform and collateral.
    pub world: World,
    /// Guest generation: which events, which shape of `/info`.
    pub guest: Guest,
    /// Version, header fields, trailing bytes, broken signatures.
    pub quote: QuoteShape,
    /// TD report fields; MRTD, MRCONFIGID, RTMRs and REPORTDATA in it are replaced by what the CVM measured.
    pub report: TdReport,
    /// MRCONFIGID.
    pub mr_config_id: MrConfigId,
    /// Registers forced into the quote.
    pub forced: ForcedRegisters,
    /// OS image, hardware, ACPI tables: MRTD and RTMR0 to RTMR2 follow.
    pub boot: BootMaterial,
    /// Hash form of runtime events.
    pub event_version: EventVersion,
    /// app-compose.json, verbatim.
    pub app_compose: String,
    /// `None`: the first 20 bytes of the compose hash.
    pub app_id: Option<Vec<u8>>,
    /// 20 bytes, or empty.
    pub instance_id: Vec<u8>,
    /// Payload of the `key-provider` event, verbatim JSON.
    pub key_provider: String,
    /// JSON payload of a `gpu-attestation` event (0.6 only).
    pub gpu_attestation: Option<String>,
    /// Whether that event stands before `instance-id`, as in the pre-releases of 0.6, or after `boot-mr-done`.
    pub early_gpu_attestation: bool,
    /// Events that the application emits after `system-ready`: name and payload.
    pub app_events: Vec<(String, Vec<u8>)>,
    /// Edits before the quote: RTMR3 replays to the edited log.
    pub before_quote: Vec<LogEdit>,
    /// Edits after the quote: the log was tampered with on its way.
    pub after_quote: Vec<LogEdit>,
    /// Edits of the whole quote after it was signed.
    pub quote_edits: Vec<QuoteEdit>,
    /// Edits of `vm_config`, which the host writes.
    pub vm_config_edits: Vec<ConfigEdit>,
    /// What the application quotes for a nonce.
    pub report_data: ReportDataLayout,
    /// What it says it quoted.
    pub echo: Echo,
    /// How the JSON bodies are written.
    pub body: BodyShape,
    /// GPUs and switches. Their evidence stands in `/attestation` as `nvidia_payload`.
    pub gpus: Option<Gpus>,
    /// `num_gpus` of vm_config, whatever GPUs there are.
    pub claimed_gpus: Option<u32>,
}

impl Cvm {
    /// A CVM of the newest 0.5 generation that has nothing to hide.
    pub fn healthy(world: &World) -> Self {
        Self::of_generation(world, Guest::V0_5_5)
    }

    /// A healthy CVM of a guest generation, with that generation's log form.
    pub fn of_generation(world: &World, guest: Guest) -> Self {
        let seed = world.seed;
        let os_image = match guest {
            Guest::V0_4 => "dstack-0.4.0",
            Guest::V0_5_0 => "dstack-0.5.0",
            Guest::V0_5_1 => "dstack-0.5.4",
            Guest::V0_5_5 => "dstack-0.5.5",
            Guest::V0_6_0 => "dstack-0.6.0",
        };
        Self {
            world: world.clone(),
            guest,
            quote: QuoteShape::default(),
            report: TdReport::default(),
            mr_config_id: MrConfigId::AsGuest,
            forced: ForcedRegisters::default(),
            boot: BootMaterial {
                os_image: os_image.into(),
                files: None,
                memory_size: 8 << 30,
                hardware: "4 vCPU".into(),
                acpi_tables: "as QEMU 8.2.2 writes them".into(),
                lite: false,
                appended_manifest_lines: String::new(),
            },
            event_version: EventVersion::V1,
            app_compose: app_compose(DOCKER_COMPOSE),
            app_id: None,
            instance_id: derive_bytes::<20>(seed, "instance id").to_vec(),
            key_provider: key_provider_json("kms", &simulated_kms_id(seed)),
            gpu_attestation: None,
            early_gpu_attestation: false,
            app_events: vec![],
            before_quote: vec![],
            after_quote: vec![],
            quote_edits: vec![],
            vm_config_edits: vec![],
            report_data: ReportDataLayout::Raw,
            echo: Echo::Quoted,
            body: BodyShape::of_generation(guest),
            gpus: None,
            claimed_gpus: None,
        }
    }

    /// A guest of a release of today: it boots the image of `fixtures/os-image` and shows its measurement document.
    pub fn released_today(world: &World) -> Self {
        let mut cvm = Self::lite(world);
        cvm.boot.files = Some(ImageFiles { qemu: Qemu::V10_2 });
        cvm
    }

    /// A healthy 0.6 CVM with 2 GiB whose vm_config carries the `lite` measurement material.
    pub fn lite(world: &World) -> Self {
        let mut cvm = Self::of_generation(world, Guest::V0_6_0);
        cvm.boot.lite = true;
        cvm.boot.memory_size = 2 << 30;
        cvm
    }

    /// The key provider as `--key-provider` takes it: NAME, or NAME:HEXID.
    pub fn key_provider_option(&self) -> String {
        let provider: serde_json::Value = serde_json::from_str(&self.key_provider).unwrap_or_default();
        let text = |name: &str| provider[name].as_str().unwrap_or_default();
        match (text("name"), text("id")) {
            (name, "") => name.to_owned(),
            (name, id) => format!("{name}:{id}"),
        }
    }

    /// Sets the `key-provider` payload.
    pub fn set_key_provider(&mut self, name: &str, id: &str) {
        self.key_provider = key_provider_json(name, id);
    }

    /// Adds an edit before the quote: the register is extended with the edited log's stored digests.
    pub fn edit_log_before_quote(&mut self, edit: impl Fn(&mut Vec<Event>) + Send + Sync + 'static) {
        self.before_quote.push(Arc::new(edit));
    }

    /// Adds an edit after the quote: the registers keep the honest values.
    pub fn edit_log_after_quote(&mut self, edit: impl Fn(&mut Vec<Event>) + Send + Sync + 'static) {
        self.after_quote.push(Arc::new(edit));
    }

    /// Adds an edit of the signed quote: a flipped bit, a cut, an appendix.
    pub fn edit_quote(&mut self, edit: impl Fn(&mut Vec<u8>) + Send + Sync + 'static) {
        self.quote_edits.push(Arc::new(edit));
    }

    /// SHA-256 of app-compose.json.
    pub fn compose_hash(&self) -> [u8; 32] {
        Sha256::digest(&self.app_compose).into()
    }

    /// The app id as measured, 20 bytes unless the knob says otherwise.
    pub fn app_id_bytes(&self) -> Vec<u8> {
        self.app_id
            .clone()
            .unwrap_or_else(|| self.compose_hash()[..20].to_vec())
    }

    /// Payload of `rootfs-hash` (0.4).
    pub(crate) fn rootfs_hash(&self) -> [u8; 32] {
        derive_bytes(self.world.seed, "rootfs")
    }

    /// The log as the registers saw it: full, with the edits before the quote.
    pub fn measured_log(&self) -> Vec<Event> {
        let mut log = self.boot.events(self.guest.labels_acpi());
        log.extend(self.guest.boot_events(&Boot {
            version: self.event_version,
            app_compose: &self.app_compose,
            app_id: &self.app_id_bytes(),
            instance_id: &self.instance_id,
            key_provider: &self.key_provider,
            gpu_attestation: self.gpu_attestation.as_deref(),
            early_gpu_attestation: self.early_gpu_attestation,
            mr_kms: derive_bytes(self.world.seed, "mr-kms"),
            os_image_hash: self.boot.os_image_hash(),
            rootfs_hash: self.rootfs_hash(),
        }));
        for (name, payload) in &self.app_events {
            log.push(Event::runtime_of(self.event_version, name, payload));
        }
        for edit in &self.before_quote {
            edit(&mut log);
        }
        log
    }

    /// The log as handed over: stripped where the shape says so, then with the edits after the quote.
    pub fn emitted_log(&self) -> Vec<Event> {
        let mut log = self.measured_log();
        if self.body.stripped_log {
            event_log::strip(&mut log);
        }
        for edit in &self.after_quote {
            edit(&mut log);
        }
        log
    }

    /// Its registers, as `--os-image` takes them.
    pub fn registers(&self) -> String {
        let report = self.td_report([0; 64]);
        let [rtmr0, rtmr1, rtmr2, _] = report.rtmr.map(hex::encode);
        let mrtd = hex::encode(report.mr_td);
        format!("mrtd={mrtd},rtmr0={rtmr0},rtmr1={rtmr1},rtmr2={rtmr2}")
    }

    /// The options of a user who expects exactly this CVM, with keys of the simulated KMS.
    pub fn expectations(&self) -> [String; 3] {
        [
            format!("--compose-hash={}", hex::encode(self.compose_hash())),
            format!("--os-image={}", self.registers()),
            format!("--key-provider=kms:{}", simulated_kms_id(self.world.seed)),
        ]
    }

    /// Reference values of a user who knows its OS image by this hash.
    pub fn reference_values(&self, os_image_hash: [u8; 32]) -> String {
        let report = self.td_report([0; 64]);
        let [rtmr0, rtmr1, rtmr2, _] = report.rtmr.map(hex::encode);
        let tail = "source = \"the simulator\"\ndate = \"2026-10-01\"\n";
        format!(
            "updated = \"2026-10-01\"\n\
             [[firmware]]\nname = \"ours\"\nmrtd = \"{}\"\nnote = \"ours\"\n{tail}\
             [[image]]\nname = \"ours-1.0\"\nversion = \"1.0\"\nclass = \"production\"\nos_image_hash = \"{}\"\nfirmware = \"ours\"\n\
             rtmr1 = \"{rtmr1}\"\nrtmr2 = \"{rtmr2}\"\n{tail}\
             [[rtmr0]]\nvalue = \"{rtmr0}\"\nshape = \"a simulated shape\"\n{tail}",
            hex::encode(report.mr_td),
            hex::encode(os_image_hash),
        )
    }

    /// The TD report for these 64 bytes of report data, as it will stand in the quote.
    pub fn td_report(&self, report_data: [u8; 64]) -> TdReport {
        let log = self.measured_log();
        let compose_hash = self.compose_hash();
        let tagged = |tag: u8, hash: &[u8; 32]| {
            let mut id = [0; 48];
            id[0] = tag;
            id[1..33].copy_from_slice(hash);
            id
        };
        TdReport {
            mr_td: self.forced.mr_td.unwrap_or_else(|| self.boot.mr_td()),
            mr_config_id: match &self.mr_config_id {
                MrConfigId::AsGuest if self.guest.binds_mr_config_id() => tagged(1, &compose_hash),
                MrConfigId::AsGuest | MrConfigId::Zero => [0; 48],
                MrConfigId::Tag01 => tagged(1, &compose_hash),
                MrConfigId::Tag03(document) => {
                    let preimage = ["dstack-mr-config-v3:\0", document].concat();
                    tagged(3, &Sha256::digest(preimage).into())
                }
                MrConfigId::Tag02 => tagged(2, &self.launch().identity()),
                MrConfigId::Tag03OfVmm { gpus } => {
                    let preimage = ["dstack-mr-config-v3:\0", &self.launch().document(*gpus)].concat();
                    tagged(3, &Sha256::digest(preimage).into())
                }
                MrConfigId::Raw(bytes) => *bytes,
            },
            rtmr: std::array::from_fn(|i| {
                self.forced.rtmr[i].unwrap_or_else(|| event_log::replay(&log, i as u32))
            }),
            report_data,
            ..self.report.clone()
        }
    }

    /// What the host of this guest knows of it when it launches it.
    pub fn launch(&self) -> Launch {
        Launch::of(
            &self.app_compose,
            &self.app_id_bytes(),
            &self.instance_id,
            &self.key_provider,
        )
    }

    /// Evidence for the text of a query.
    pub fn evidence(&self, reportdata_query: &str) -> Evidence {
        let report_data = self.report_data.apply(reportdata_query);
        let mut quote = sign_quote(&self.world, &self.quote, &self.td_report(report_data));
        for edit in &self.quote_edits {
            edit(&mut quote);
        }
        Evidence {
            quote,
            event_log: self.emitted_log(),
            report_data,
        }
    }

    /// The whole quote for the text of a query.
    pub fn quote_bytes(&self, reportdata_query: &str) -> Vec<u8> {
        self.evidence(reportdata_query).quote
    }

    /// mr_aggregated as the guest reports it: MROWNER and its kin count only when one is not zero.
    pub fn mr_aggregated(&self) -> [u8; 32] {
        let report = self.td_report([0; 64]);
        let mut hash = Sha256::new()
            .chain_update(report.mr_td)
            .chain_update(report.rtmr.as_flattened());
        let owner = [report.mr_config_id, report.mr_owner, report.mr_owner_config];
        if owner != [[0; 48]; 3] {
            hash = hash.chain_update(owner.as_flattened());
        }
        hash.finalize().into()
    }

    /// vm_config as the host describes the VM.
    pub fn vm_config(&self) -> serde_json::Value {
        let mut vm_config = json!({
            "spec_version": 1,
            "os_image_hash": hex::encode(self.boot.os_image_hash()),
            "cpu_count": 4,
            "memory_size": self.boot.memory_size,
            "qemu_single_pass_add_pages": true,
            "pic": true,
            "pci_hole64_size": 0,
            "hugepages": false,
            "num_gpus": self.claimed_gpus.unwrap_or(0),
            "num_nvswitches": 0,
            "hotplug_off": false,
            "image": self.boot.os_image,
        });
        match &self.mr_config_id {
            MrConfigId::Tag03(document) => vm_config["mr_config"] = document.as_str().into(),
            MrConfigId::Tag03OfVmm { gpus } => vm_config["mr_config"] = self.launch().document(*gpus).into(),
            _ => {}
        }
        if self.boot.lite {
            let material = LiteMeasurement::of(&self.boot);
            let base64 = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
            vm_config["qemu_version"] = "8.2.2".into();
            vm_config["ovmf_variant"] = "pre202505".into();
            vm_config["tdx_attestation_variant"] = "lite".into();
            vm_config["tdx_measurement"] = json!({
                "checksum_file": base64(&material.checksum_file),
                "measurement": base64(&material.measurement),
            });
        }
        for edit in &self.vm_config_edits {
            edit(&mut vm_config);
        }
        vm_config
    }
}

impl fmt::Debug for Cvm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cvm")
            .field("guest", &self.guest)
            .field("format", &self.quote.format)
            .field("compose_hash", &hex::encode(self.compose_hash()))
            .finish_non_exhaustive()
    }
}

/// The key provider id of the healthy CVM: hex SubjectPublicKeyInfo of a made-up KMS root key.
pub fn simulated_kms_id(seed: u64) -> String {
    hex::encode(kms_root_key(seed).spki_der())
}

fn key_provider_json(name: &str, id: &str) -> String {
    format!(r#"{{"name":{},"id":{}}}"#, json!(name), json!(id))
}
