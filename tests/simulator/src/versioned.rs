//! `VersionedAttestation`, as the guest agent of dstack 0.5.6 and later answers to `Attest` (spec §1.c.3).

use crate::{cvm::Evidence, event_log::Event};

/// The parts of a versioned attestation. Nothing ties them together: a test may make any of them lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned {
    /// `tdx`, or another platform, which is then written with a TDX platform's data.
    pub platform: String,
    /// The quote.
    pub quote: Vec<u8>,
    /// The platform's event log.
    pub platform_events: Vec<Event>,
    /// The stack's events: what is replayed to RTMR3.
    pub runtime_events: Vec<Event>,
    /// 64 bytes in an honest one.
    pub report_data: Vec<u8>,
    /// The text of `vm_config`.
    pub config: String,
    /// Of a `dstack-pod` alone.
    pub report_data_payload: Option<String>,
    /// Writes byte strings as `bin`; else as lists of numbers, as dstack's encoder does where it is not told.
    pub bin: bool,
}

impl Versioned {
    /// Of evidence, stripped as the guest agent strips it: of RTMR0–2 the ACPI entries stay, of RTMR3 the digests go.
    pub fn of(evidence: &Evidence) -> Self {
        let runtime = |event: &&Event| event.imr == 3;
        let stripped = evidence
            .event_log
            .iter()
            .filter(|event| event.imr == 3 || event.payload == b"ACPI DATA")
            .map(|event| match event.imr {
                3 => Event {
                    digest: vec![],
                    ..event.clone()
                },
                _ => event.clone(),
            });
        Self {
            platform: "tdx".into(),
            quote: evidence.quote.clone(),
            platform_events: stripped.collect(),
            runtime_events: evidence.event_log.iter().filter(runtime).cloned().collect(),
            report_data: evidence.report_data.to_vec(),
            config: "{}".into(),
            report_data_payload: None,
            bin: false,
        }
    }

    /// V0: SCALE.
    ///
    /// # Panics
    /// When the platform has no variant.
    pub fn scale(&self) -> Vec<u8> {
        let platforms = ["tdx", "gcp-tdx", "nitro-enclave", "sev-snp", "aws-nitro-tpm"];
        let variant = platforms
            .iter()
            .position(|platform| *platform == self.platform)
            .expect("a platform");
        let mut out = vec![0x00, variant as u8];
        scale_bytes(&mut out, &self.quote);
        compact(&mut out, self.platform_events.len());
        for event in &self.platform_events {
            out.extend(event.imr.to_le_bytes());
            out.extend(event.event_type.to_le_bytes());
            scale_bytes(&mut out, &event.digest);
            scale_bytes(&mut out, event.event.as_bytes());
            scale_bytes(&mut out, &event.payload);
        }
        compact(&mut out, self.runtime_events.len());
        for event in &self.runtime_events {
            scale_bytes(&mut out, event.event.as_bytes());
            scale_bytes(&mut out, &event.payload);
        }
        out.extend(&self.report_data);
        scale_bytes(&mut out, self.config.as_bytes());
        out
    }

    /// V1: MessagePack.
    pub fn msgpack(&self) -> Vec<u8> {
        let mut out = Msgpack {
            out: vec![],
            bin: self.bin,
        };
        out.map(3);
        out.text("version");
        out.number(1);
        out.text("platform");
        out.map(2);
        out.text("kind");
        out.text(&self.platform);
        out.text("data");
        out.map(2);
        out.text("quote");
        out.bytes(&self.quote);
        out.text("event_log");
        out.list(self.platform_events.len());
        for event in &self.platform_events {
            out.map(5 + usize::from(event.version.is_some()));
            out.text("imr");
            out.number(event.imr);
            out.text("event_type");
            out.number(event.event_type);
            out.text("digest");
            out.bytes(&event.digest);
            out.text("event");
            out.text(&event.event);
            out.text("event_payload");
            out.bytes(&event.payload);
            out.version(event);
        }
        out.text("stack");
        out.map(2);
        out.text("kind");
        out.text(match self.report_data_payload {
            Some(_) => "dstack-pod",
            None => "dstack",
        });
        out.text("data");
        out.map(3 + usize::from(self.report_data_payload.is_some()));
        out.text("report_data");
        out.bytes(&self.report_data);
        out.text("runtime_events");
        out.list(self.runtime_events.len());
        for event in &self.runtime_events {
            out.map(2 + usize::from(event.version.is_some()));
            out.text("event");
            out.text(&event.event);
            out.text("payload");
            out.bytes(&event.payload);
            out.version(event);
        }
        out.text("config");
        out.text(&self.config);
        if let Some(payload) = &self.report_data_payload {
            out.text("report_data_payload");
            out.text(payload);
        }
        out.out
    }
}

/// A compact number below 2^30.
fn compact(out: &mut Vec<u8>, number: usize) {
    match number {
        0..0x40 => out.push((number as u8) << 2),
        0x40..0x4000 => out.extend(((number as u16) << 2 | 1).to_le_bytes()),
        _ => out.extend(((number as u32) << 2 | 2).to_le_bytes()),
    }
}

fn scale_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    compact(out, bytes.len());
    out.extend(bytes);
}

struct Msgpack {
    out: Vec<u8>,
    bin: bool,
}

impl Msgpack {
    /// A head with a count: the short form below `short`, else 16 bits, else 32.
    fn head(&mut self, count: usize, short: (usize, u8), long: [u8; 2]) {
        match count {
            _ if count < short.0 => self.out.push(short.1 | count as u8),
            0..=0xffff => {
                self.out.push(long[0]);
                self.out.extend((count as u16).to_be_bytes());
            }
            _ => {
                self.out.push(long[1]);
                self.out.extend((count as u32).to_be_bytes());
            }
        }
    }

    fn map(&mut self, count: usize) {
        self.head(count, (16, 0x80), [0xde, 0xdf]);
    }

    fn list(&mut self, count: usize) {
        self.head(count, (16, 0x90), [0xdc, 0xdd]);
    }

    fn text(&mut self, text: &str) {
        self.head(text.len(), (32, 0xa0), [0xda, 0xdb]);
        self.out.extend(text.as_bytes());
    }

    fn number(&mut self, number: u32) {
        match number {
            0..=0x7f => self.out.push(number as u8),
            0x80..=0xff => self.out.extend([0xcc, number as u8]),
            _ => {
                self.out.push(0xce);
                self.out.extend(number.to_be_bytes());
            }
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        if self.bin {
            self.head(bytes.len(), (0, 0), [0xc5, 0xc6]);
            self.out.extend(bytes);
            return;
        }
        self.list(bytes.len());
        for byte in bytes {
            self.number(u32::from(*byte));
        }
    }

    fn version(&mut self, event: &Event) {
        if let Some(version) = event.version {
            self.text("version");
            self.number(version);
        }
    }
}
