//! Makes the changes that a case says of its CVM.

use std::collections::BTreeMap;

use anyhow::{Context as _, anyhow, bail};
use serde_json::Value;
use simulator::app_compose::app_compose;
use simulator::{
    Certificate, Cvm, Echo, EventLogForm, EventVersion, Guest, Lie, MrConfigId, Nested, PckCa, QuoteEncoding,
    QuoteFormat, ReportDataLayout, VersionedForm, Window, World,
};

use super::Recipe;

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
        "0.6.0-release" => Cvm::released_today(world),
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
        "sha256-of-text-hex-ascii" => ReportDataLayout::Sha256OfTextHexAscii,
        "left-padded" => ReportDataLayout::LeftPadded,
        "nonce-in-second-half" => ReportDataLayout::NonceInSecondHalf,
        "non-zero-tail" => ReportDataLayout::NonZeroTail,
        "half-nonce" => ReportDataLayout::HalfNonce,
        other => bail!("unknown layout {other:?}"),
    })
}
