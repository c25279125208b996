//! What a case says of its CVM, as changes of the simulator's healthy one.

use std::collections::BTreeMap;

use anyhow::{Context as _, anyhow, bail};
use serde::Deserialize;
use serde_json::Value;
use simulator::app_compose::app_compose;
use simulator::{
    Certificate, Cvm, Echo, EventLogForm, EventVersion, Guest, Lie, MrConfigId, Nested, PckCa, QuoteEncoding,
    QuoteFormat, ReportDataLayout, VersionedForm, Window, World,
};

/// Changes of a CVM and its machine. What is absent stays as it is.
#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Recipe {
    /// `0.4`, `0.5.0`, `0.5.1`, `0.5.5` (default), `0.6.0`, `0.6.0-lite`. In `honest` alone.
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

impl Recipe {
    /// A new CVM.
    pub fn build(&self) -> anyhow::Result<Cvm> {
        let mut world = World::default();
        if let Some(seed) = self.seed {
            world = World::new(seed, world.now);
        }
        let mut cvm = guest(self.guest.as_deref().unwrap_or("0.5.5"), &world)?;
        self.change(&mut cvm)?;
        Ok(cvm)
    }

    /// Changes a CVM that is there.
    pub fn apply(&self, cvm: &mut Cvm) -> anyhow::Result<()> {
        if self.guest.is_some() || self.seed.is_some() {
            bail!("`guest` and `seed` belong to `honest`");
        }
        self.change(cvm)
    }

    fn change(&self, cvm: &mut Cvm) -> anyhow::Result<()> {
        self.software(cvm)?;
        self.quote(cvm)?;
        self.intel(cvm)?;
        self.bodies(cvm)?;
        for lie in &self.lies {
            lie.parse::<Lie>().map_err(|error| anyhow!(error))?.apply(cvm);
        }
        Ok(())
    }

    fn software(&self, cvm: &mut Cvm) -> anyhow::Result<()> {
        if let Some(text) = &self.app_compose {
            cvm.app_compose.clone_from(text);
        }
        if let Some(text) = &self.docker_compose {
            cvm.app_compose = app_compose(text);
        }
        if !self.compose_set.is_empty() || !self.docker_compose_replace.is_empty() {
            let mut document: BTreeMap<String, Value> = serde_json::from_str(&cvm.app_compose)?;
            document.extend(self.compose_set.clone());
            if let Some(Value::String(file)) = document.get_mut("docker_compose_file") {
                for [from, to] in &self.docker_compose_replace {
                    if !file.contains(from) {
                        bail!("the docker compose file has no {from:?}");
                    }
                    *file = file.replace(from, to);
                }
            }
            document.retain(|_, value| !value.is_null());
            cvm.app_compose = serde_json::to_string(&document)?;
        }
        if let Some(id) = &self.app_id {
            cvm.app_id = Some(hex::decode(id)?);
        }
        if let Some(id) = &self.instance_id {
            cvm.instance_id = hex::decode(id)?;
        }
        if let Some(payload) = &self.key_provider {
            cvm.key_provider.clone_from(payload);
        }
        if let Some(payload) = &self.gpu_attestation {
            cvm.gpu_attestation = Some(payload.clone());
        }
        for [name, payload] in &self.app_events {
            cvm.app_events.push((name.clone(), hex::decode(payload)?));
        }
        if let Some(version) = self.event_version {
            cvm.event_version = match version {
                1 => EventVersion::V1,
                2 => EventVersion::V2,
                other => bail!("unknown event version {other}"),
            };
        }
        let boot = &self.boot;
        set(&boot.os_image, &mut cvm.boot.os_image);
        set(&boot.memory, &mut cvm.boot.memory_size);
        set(&boot.hardware, &mut cvm.boot.hardware);
        set(&boot.acpi_tables, &mut cvm.boot.acpi_tables);
        set(&boot.manifest_lines, &mut cvm.boot.appended_manifest_lines);
        Ok(())
    }

    fn quote(&self, cvm: &mut Cvm) -> anyhow::Result<()> {
        if let Some(format) = &self.quote_format {
            cvm.quote.format = match format.as_str() {
                "v4" => QuoteFormat::V4,
                "v5-td10" => QuoteFormat::V5Td10,
                "v5-td15" => QuoteFormat::V5Td15,
                "v5-td15ex" => QuoteFormat::V5Td15Ex,
                "sgx-v3" => QuoteFormat::SgxV3,
                other => bail!("unknown quote format {other:?}"),
            };
        }
        let header = &self.header;
        cvm.quote.version = header.version.or(cvm.quote.version);
        cvm.quote.body_type = header.body_type.or(cvm.quote.body_type);
        set(&header.attestation_key_type, &mut cvm.quote.attestation_key_type);
        set(&header.tee_type, &mut cvm.quote.tee_type);
        if let Some(id) = &header.qe_vendor_id {
            cvm.quote.qe_vendor_id = bytes(id)?;
        }
        if let Some(trailing) = &header.trailing {
            cvm.quote.trailing = hex::decode(trailing)?;
        }
        for (name, value) in &self.td_report {
            let report = &mut cvm.report;
            match name.as_str() {
                "tee-tcb-svn" => report.tee_tcb_svn = bytes(value)?,
                "tee-tcb-svn2" => report.tee_tcb_svn2 = bytes(value)?,
                "mr-seam" => report.mr_seam = bytes(value)?,
                "mr-signer-seam" => report.mr_signer_seam = bytes(value)?,
                "seam-attributes" => report.seam_attributes = bytes(value)?,
                "td-attributes" => report.td_attributes = bytes(value)?,
                "xfam" => report.xfam = bytes(value)?,
                "mr-owner" => report.mr_owner = bytes(value)?,
                "mr-owner-config" => report.mr_owner_config = bytes(value)?,
                "mr-service-td" => report.mr_service_td = bytes(value)?,
                other => bail!("unknown field of the TD report: {other:?}"),
            }
        }
        for (name, value) in &self.registers {
            match name.as_str() {
                "mrtd" => cvm.forced.mr_td = Some(bytes(value)?),
                "rtmr0" => cvm.forced.rtmr[0] = Some(bytes(value)?),
                "rtmr1" => cvm.forced.rtmr[1] = Some(bytes(value)?),
                "rtmr2" => cvm.forced.rtmr[2] = Some(bytes(value)?),
                "rtmr3" => cvm.forced.rtmr[3] = Some(bytes(value)?),
                other => bail!("unknown register {other:?}"),
            }
        }
        if let Some(id) = &self.mr_config_id {
            cvm.mr_config_id = mr_config_id(id)?;
        }
        if let Some(layout) = &self.report_data {
            cvm.report_data = report_data(layout)?;
        }
        if let Some(echo) = &self.echo {
            cvm.echo = match echo.split_once(':') {
                Some(("text", text)) => Echo::Text(text.to_owned()),
                None if echo == "quoted" => Echo::Quoted,
                None if echo == "query" => Echo::Query,
                None if echo == "absent" => Echo::Absent,
                _ => bail!("unknown echo {echo:?}"),
            };
        }
        Ok(())
    }

    fn intel(&self, cvm: &mut Cvm) -> anyhow::Result<()> {
        let world = &mut cvm.world;
        let tcb = &self.tcb_info;
        set(&tcb.id, &mut world.tcb_info.id);
        set(&tcb.eval_data_number, &mut world.tcb_info.eval_data_number);
        set(&tcb.issued_after, &mut world.tcb_info.issued_after);
        set(&tcb.expires_after, &mut world.tcb_info.expires_after);
        if let Some(fmspc) = &tcb.fmspc {
            world.tcb_info.fmspc = Some(bytes(fmspc)?);
        }
        if let Some(id) = &tcb.pce_id {
            world.tcb_info.pce_id = Some(bytes(id)?);
        }
        if let Some(status) = &tcb.status {
            let advisories: Vec<&str> = tcb.advisories.iter().map(String::as_str).collect();
            world.tcb_info.land_on(status, &advisories);
        }
        let qe = &self.qe_identity;
        set(&qe.id, &mut world.qe_identity.id);
        set(&qe.eval_data_number, &mut world.qe_identity.eval_data_number);
        set(&qe.issued_after, &mut world.qe_identity.issued_after);
        set(&qe.expires_after, &mut world.qe_identity.expires_after);
        set(&qe.enclave_isv_svn, &mut world.qe_identity.enclave_isv_svn);
        set(&qe.isv_prod_id, &mut world.qe_identity.isv_prod_id);
        if let Some(signer) = &qe.enclave_mr_signer {
            world.qe_identity.enclave_mr_signer = Some(bytes(signer)?);
        }
        if let (Some(status), Some(level)) = (&qe.status, world.qe_identity.levels.first_mut()) {
            level.status.clone_from(status);
        }
        for (name, [from, to]) in &self.validity {
            let window = Window { from: *from, to: *to };
            match name.as_str() {
                "root" => world.pki.root = window,
                "pck-ca" => world.pki.pck_ca = window,
                "pck" => world.pki.pck = window,
                "tcb-signing" => world.pki.tcb_signing = window,
                "root-crl" => world.pki.root_crl = window,
                "pck-crl" => world.pki.pck_crl = window,
                other => bail!("unknown document {other:?}"),
            }
        }
        for name in &self.revoked {
            world.pki.revoked.insert(match name.as_str() {
                "pck" => Certificate::Pck,
                "pck-ca" => Certificate::PckCa,
                "tcb-signing" => Certificate::TcbSigning,
                other => bail!("unknown certificate {other:?}"),
            });
        }
        let platform = &self.platform;
        if let Some(fmspc) = &platform.fmspc {
            world.platform.fmspc = bytes(fmspc)?;
        }
        if let Some(svn) = &platform.cpu_svn {
            world.platform.cpu_svn = bytes(svn)?;
        }
        set(&platform.pce_svn, &mut world.platform.pce_svn);
        if platform.processor_ca == Some(true) {
            world.platform.pck_ca = PckCa::Processor;
        }
        Ok(())
    }

    fn bodies(&self, cvm: &mut Cvm) -> anyhow::Result<()> {
        let body = &self.body;
        let shape = &mut cvm.body;
        if body.attest_only {
            shape.attest(VersionedForm::Msgpack);
        }
        if let Some(encoding) = &body.quote {
            shape.quote = match encoding.as_str() {
                "hex" => QuoteEncoding::Hex,
                "hex-0x" => QuoteEncoding::Hex0x,
                "hex-upper" => QuoteEncoding::HexUpper,
                "base64" => QuoteEncoding::Base64,
                "absent" => QuoteEncoding::Absent,
                other => bail!("unknown encoding {other:?}"),
            };
        }
        if let Some(form) = &body.event_log {
            shape.event_log = match form.as_str() {
                "text" => EventLogForm::Text,
                "array" => EventLogForm::Array,
                "text-together" => EventLogForm::TextSpeltTogether,
                "array-together" => EventLogForm::ArraySpeltTogether,
                "absent" => EventLogForm::Absent,
                other => bail!("unknown form {other:?}"),
            };
        }
        if let Some(form) = &body.versioned {
            shape.versioned = match form.as_str() {
                "scale" => VersionedForm::Scale,
                "msgpack" => VersionedForm::Msgpack,
                "absent" => VersionedForm::Absent,
                other => bail!("unknown form {other:?}"),
            };
        }
        set(&body.stripped_log, &mut shape.stripped_log);
        set(&body.tappd, &mut shape.tappd_members);
        if let Some(form) = &body.vm_config {
            shape.vm_config = nested(form)?;
        }
        if let Some(form) = &body.tcb_info {
            shape.tcb_info = nested(form)?;
        }
        if let Some(text) = &body.show_app_compose {
            shape.show_app_compose = Some(text.clone());
        }
        shape
            .attestation_members_first
            .extend(body.attestation_first.clone());
        shape
            .attestation_members_last
            .extend(body.attestation_last.clone());
        shape.info_members_first.extend(body.info_first.clone());
        shape.info_members_last.extend(body.info_last.clone());
        Ok(())
    }
}

/// A healthy CVM of a generation.
pub fn guest(name: &str, world: &World) -> anyhow::Result<Cvm> {
    Ok(match name {
        "0.4" => Cvm::of_generation(world, Guest::V0_4),
        "0.5.0" => Cvm::of_generation(world, Guest::V0_5_0),
        "0.5.1" => Cvm::of_generation(world, Guest::V0_5_1),
        "0.5.5" => Cvm::healthy(world),
        "0.6.0" => Cvm::of_generation(world, Guest::V0_6_0),
        "0.6.0-lite" => Cvm::lite(world),
        other => bail!("unknown guest {other:?}"),
    })
}

fn set<T: Clone>(from: &Option<T>, to: &mut T) {
    if let Some(value) = from {
        to.clone_from(value);
    }
}

fn bytes<const N: usize>(text: &str) -> anyhow::Result<[u8; N]> {
    let bytes = hex::decode(text).with_context(|| format!("{text:?} is not hex"))?;
    let got = bytes.len();
    bytes
        .try_into()
        .map_err(|_| anyhow!("{text:?} has {got} bytes; {N} are expected"))
}

fn nested(form: &str) -> anyhow::Result<Nested> {
    Ok(match form {
        "text" => Nested::Text,
        "object" => Nested::Object,
        "blank" => Nested::Blank,
        "absent" => Nested::Absent,
        other => bail!("unknown form {other:?}"),
    })
}

fn mr_config_id(text: &str) -> anyhow::Result<MrConfigId> {
    Ok(match text.split_once(':') {
        Some(("raw", hex)) => MrConfigId::Raw(bytes(hex)?),
        Some(("document", document)) => MrConfigId::Tag03(document.to_owned()),
        None if text == "zero" => MrConfigId::Zero,
        None if text == "tag01" => MrConfigId::Tag01,
        None if text == "tag02" => MrConfigId::Tag02,
        None if text == "tag03" => MrConfigId::Tag03OfVmm { gpus: false },
        None if text == "tag03-gpus" => MrConfigId::Tag03OfVmm { gpus: true },
        _ => bail!("unknown MRCONFIGID {text:?}"),
    })
}

fn report_data(text: &str) -> anyhow::Result<ReportDataLayout> {
    if let Some((kind, hex)) = text.split_once(':') {
        return Ok(match kind {
            "fixed" => ReportDataLayout::Fixed(bytes(hex)?),
            "key-then-nonce" => ReportDataLayout::KeyThenNonce(bytes(hex)?),
            "nonce-then-key" => ReportDataLayout::NonceThenKey(bytes(hex)?),
            other => bail!("unknown layout {other:?}"),
        });
    }
    Ok(match text {
        "raw" => ReportDataLayout::Raw,
        "ascii" => ReportDataLayout::Ascii,
        "ascii-upper" => ReportDataLayout::AsciiUpper,
        "ascii-with-0x" => ReportDataLayout::AsciiWith0x,
        "sha512-app-data" => ReportDataLayout::Sha512AppData,
        "sha512-app-data-of-text" => ReportDataLayout::Sha512AppDataOfText,
        "sha256" => ReportDataLayout::Sha256,
        "sha256-of-text" => ReportDataLayout::Sha256OfText,
        "sha256-hex-ascii" => ReportDataLayout::Sha256HexAscii,
        "left-padded" => ReportDataLayout::LeftPadded,
        "nonce-in-second-half" => ReportDataLayout::NonceInSecondHalf,
        "non-zero-tail" => ReportDataLayout::NonZeroTail,
        "half-nonce" => ReportDataLayout::HalfNonce,
        other => bail!("unknown layout {other:?}"),
    })
}
