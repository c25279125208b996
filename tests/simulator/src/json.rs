//! The bodies of `/attestation` and `/info`, in every shape met in the wild.

use std::{fmt, sync::Arc};

use base64::Engine as _;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    app_cert::app_cert_chain,
    cvm::{Cvm, Evidence},
    event_log,
    guest::Guest,
    report_data::{Echo, padded},
    versioned::Versioned,
};

/// How the quote is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuoteEncoding {
    /// Lower-case hex.
    Hex,
    /// Lower-case hex after `0x` (tappd 0.3).
    Hex0x,
    /// Upper-case hex.
    HexUpper,
    /// Base64 with padding.
    Base64,
    /// No such member.
    Absent,
}

/// How the event log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventLogForm {
    /// `event_log`, a string that holds JSON.
    Text,
    /// `event_log`, an array.
    Array,
    /// `eventlog`, a string.
    TextSpeltTogether,
    /// `eventlog`, an array.
    ArraySpeltTogether,
    /// No such member.
    Absent,
}

/// The member `attestation`: a versioned attestation, hex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionedForm {
    /// V0.
    Scale,
    /// V1.
    Msgpack,
    /// No such member.
    Absent,
}

/// How a member that usually is a string holding JSON is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nested {
    /// A string holding JSON.
    Text,
    /// An object.
    Object,
    /// `""`, as with `public_tcbinfo: false`.
    Blank,
    /// No such member.
    Absent,
}

/// An edit of a body before it is written.
pub type BodyEdit = Arc<dyn Fn(&mut Value) + Send + Sync>;

/// How the bodies are written.
#[derive(Clone)]
pub struct BodyShape {
    /// `quote`
    pub quote: QuoteEncoding,
    /// `event_log`
    pub event_log: EventLogForm,
    /// `attestation`
    pub versioned: VersionedForm,
    /// Digests of runtime events and payloads of boot events left out (guests from 0.5.6).
    pub stripped_log: bool,
    /// `vm_config`, in both bodies.
    pub vm_config: Nested,
    /// `tcb_info` in `/info`; without effect for 0.6, which has none.
    pub tcb_info: Nested,
    /// tappd's `hash_algorithm` and `prefix`.
    pub tappd_members: bool,
    /// The text that `/info` shows as `app_compose`; `None`: the measured one.
    pub show_app_compose: Option<String>,
    /// Puts the whole body under this member.
    pub wrapped_in: Option<String>,
    /// Raw JSON members, such as `"quote":"00"`, written first: duplicates of what follows.
    pub attestation_members_first: Vec<String>,
    /// Raw JSON members written last.
    pub attestation_members_last: Vec<String>,
    /// Raw JSON members of `/info`, written first.
    pub info_members_first: Vec<String>,
    /// Raw JSON members of `/info`, written last.
    pub info_members_last: Vec<String>,
    /// Edits of `/attestation`.
    pub attestation_edits: Vec<BodyEdit>,
    /// Edits of `/info`.
    pub info_edits: Vec<BodyEdit>,
    /// The whole body of `/attestation`, whatever the rest says.
    pub attestation_override: Option<String>,
    /// The whole body of `/info`, whatever the rest says.
    pub info_override: Option<String>,
}

impl BodyShape {
    /// What the SDK of that generation answers.
    pub fn of_generation(guest: Guest) -> Self {
        Self {
            quote: QuoteEncoding::Hex,
            event_log: EventLogForm::Text,
            versioned: VersionedForm::Absent,
            stripped_log: guest == Guest::V0_6_0,
            vm_config: match guest {
                Guest::V0_4 | Guest::V0_5_0 => Nested::Absent,
                _ => Nested::Text,
            },
            tcb_info: Nested::Text,
            tappd_members: guest == Guest::V0_4,
            show_app_compose: None,
            wrapped_in: None,
            attestation_members_first: vec![],
            attestation_members_last: vec![],
            info_members_first: vec![],
            info_members_last: vec![],
            attestation_edits: vec![],
            info_edits: vec![],
            attestation_override: None,
            info_override: None,
        }
    }

    /// As `Attest` of 0.6 answers: the member `attestation` and nothing else.
    pub fn attest(&mut self, form: VersionedForm) {
        self.quote = QuoteEncoding::Absent;
        self.event_log = EventLogForm::Absent;
        self.vm_config = Nested::Absent;
        self.versioned = form;
    }

    /// Adds an edit of `/attestation`.
    pub fn edit_attestation(&mut self, edit: impl Fn(&mut Value) + Send + Sync + 'static) {
        self.attestation_edits.push(Arc::new(edit));
    }

    /// Adds an edit of `/info`.
    pub fn edit_info(&mut self, edit: impl Fn(&mut Value) + Send + Sync + 'static) {
        self.info_edits.push(Arc::new(edit));
    }
}

impl fmt::Debug for BodyShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "BodyShape({:?}, {:?}, {:?}, {:?})",
            self.quote, self.event_log, self.vm_config, self.tcb_info
        )
    }
}

impl Cvm {
    /// The body of `GET /attestation?reportData=<query>`.
    pub fn attestation_body(&self, query: &str) -> String {
        match &self.body.attestation_override {
            Some(body) => body.clone(),
            None => self.attestation_body_of(&self.evidence(query), query),
        }
    }

    /// The body around evidence made elsewhere, as if `query` had asked for it.
    pub fn attestation_body_of(&self, evidence: &Evidence, query: &str) -> String {
        let shape = &self.body;
        let mut object = Map::new();
        let quote = match shape.quote {
            QuoteEncoding::Hex => Some(hex::encode(&evidence.quote)),
            QuoteEncoding::Hex0x => Some(format!("0x{}", hex::encode(&evidence.quote))),
            QuoteEncoding::HexUpper => Some(hex::encode_upper(&evidence.quote)),
            QuoteEncoding::Base64 => Some(base64::engine::general_purpose::STANDARD.encode(&evidence.quote)),
            QuoteEncoding::Absent => None,
        };
        put(&mut object, "quote", quote.map(Value::from));
        let log = event_log::to_json(&evidence.event_log);
        match shape.event_log {
            EventLogForm::Text => put(&mut object, "event_log", Some(log.to_string().into())),
            EventLogForm::Array => put(&mut object, "event_log", Some(log)),
            EventLogForm::TextSpeltTogether => put(&mut object, "eventlog", Some(log.to_string().into())),
            EventLogForm::ArraySpeltTogether => put(&mut object, "eventlog", Some(log)),
            EventLogForm::Absent => {}
        }
        let versioned = Versioned::of(evidence);
        let versioned = match shape.versioned {
            VersionedForm::Scale => Some(versioned.scale()),
            VersionedForm::Msgpack => Some(versioned.msgpack()),
            VersionedForm::Absent => None,
        };
        put(
            &mut object,
            "attestation",
            versioned.map(|bytes| hex::encode(bytes).into()),
        );
        if shape.tappd_members {
            put(&mut object, "hash_algorithm", Some("raw".into()));
            put(&mut object, "prefix", Some("".into()));
        }
        let echo = match &self.echo {
            Echo::Quoted => Some(hex::encode(evidence.report_data)),
            Echo::Query => Some(hex::encode(padded(&hex::decode(query).unwrap_or_default()))),
            Echo::Absent => None,
            Echo::Text(text) => Some(text.clone()),
        };
        put(&mut object, "report_data", echo.map(Value::from));
        put(
            &mut object,
            "vm_config",
            nested(shape.vm_config, self.vm_config(), false),
        );
        if let (Some(gpus), Some(nonce)) = (&self.gpus, nonce_of(query)) {
            let payload = gpus.payload(&nonce).to_string();
            put(&mut object, "nvidia_payload", Some(payload.into()));
        }
        self.write(
            object,
            &shape.attestation_edits,
            &shape.attestation_members_first,
            &shape.attestation_members_last,
        )
    }

    /// The body of `GET /info`.
    pub fn info_body(&self) -> String {
        let shape = &self.body;
        if let Some(body) = &shape.info_override {
            return body.clone();
        }
        let mut object = Map::new();
        let mut set = |key: &str, value: Value| put(&mut object, key, Some(value));
        set("app_id", hex::encode(self.app_id_bytes()).into());
        set("instance_id", hex::encode(&self.instance_id).into());
        set("app_cert", app_cert_chain(&self.world).into());
        set("app_name", "simulated".into());
        if self.guest == Guest::V0_4 {
            set("public_logs", false.into());
            set("public_sysinfo", false.into());
        } else {
            set("device_id", hex::encode(self.device_id()).into());
            set("mr_aggregated", hex::encode(self.mr_aggregated()).into());
            set("os_image_hash", hex::encode(self.boot.os_image_hash()).into());
            set("key_provider_info", self.key_provider.clone().into());
            set("compose_hash", hex::encode(self.compose_hash()).into());
        }
        if self.guest == Guest::V0_6_0 {
            set("app_compose", self.shown_app_compose().into());
        } else {
            put(
                &mut object,
                "tcb_info",
                nested(shape.tcb_info, self.tcb_info_object(), true),
            );
        }
        put(
            &mut object,
            "vm_config",
            nested(shape.vm_config, self.vm_config(), false),
        );
        self.write(
            object,
            &shape.info_edits,
            &shape.info_members_first,
            &shape.info_members_last,
        )
    }

    /// `tcb_info` as guests before 0.6 give it.
    fn tcb_info_object(&self) -> Value {
        let report = self.td_report([0; 64]);
        let mut object = Map::new();
        let mut set = |key: &str, value: Value| put(&mut object, key, Some(value));
        set("mrtd", hex::encode(report.mr_td).into());
        for (i, register) in report.rtmr.iter().enumerate() {
            set(&format!("rtmr{i}"), hex::encode(register).into());
        }
        if self.guest == Guest::V0_4 {
            set("rootfs_hash", hex::encode(self.rootfs_hash()).into());
        } else {
            set("mr_aggregated", hex::encode(self.mr_aggregated()).into());
            set("os_image_hash", hex::encode(self.boot.os_image_hash()).into());
            set("compose_hash", hex::encode(self.compose_hash()).into());
            set("device_id", hex::encode(self.device_id()).into());
        }
        set("event_log", event_log::to_json(&self.emitted_log()));
        set("app_compose", self.shown_app_compose().into());
        Value::Object(object)
    }

    fn shown_app_compose(&self) -> String {
        self.body
            .show_app_compose
            .as_ref()
            .unwrap_or(&self.app_compose)
            .clone()
    }

    /// SHA-256 of the quote header's user data up to 0.5.4; later guests report the hash of nothing.
    fn device_id(&self) -> [u8; 32] {
        match self.guest {
            Guest::V0_5_5 | Guest::V0_6_0 => Sha256::digest([]).into(),
            _ => Sha256::new()
                .chain_update(self.world.platform.qe_id)
                .chain_update([0; 4])
                .finalize()
                .into(),
        }
    }

    fn write(
        &self,
        object: Map<String, Value>,
        edits: &[BodyEdit],
        first: &[String],
        last: &[String],
    ) -> String {
        let mut body = Value::Object(object);
        for edit in edits {
            edit(&mut body);
        }
        let mut text = body.to_string();
        if !(first.is_empty() && last.is_empty()) {
            // Only the outermost pair of braces: the last member may end in one of its own.
            let own = text[1..text.len() - 1].to_owned();
            let members: Vec<&str> = first
                .iter()
                .map(String::as_str)
                .chain([own.as_str()])
                .chain(last.iter().map(String::as_str))
                .collect();
            text = format!("{{{}}}", members.join(","));
        }
        match &self.body.wrapped_in {
            Some(member) => format!("{{{}:{text}}}", json!(member)),
            None => text,
        }
    }
}

fn nonce_of(query: &str) -> Option<[u8; 32]> {
    hex::decode(query).ok()?.try_into().ok()
}

fn nested(form: Nested, value: Value, pretty: bool) -> Option<Value> {
    match form {
        Nested::Text if pretty => Some(format!("{value:#}").into()),
        Nested::Text => Some(value.to_string().into()),
        Nested::Object => Some(value),
        Nested::Blank => Some("".into()),
        Nested::Absent => None,
    }
}

fn put(object: &mut Map<String, Value>, key: &str, value: Option<Value>) {
    if let Some(value) = value {
        object.insert(key.to_owned(), value);
    }
}
