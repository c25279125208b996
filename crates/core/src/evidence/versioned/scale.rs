//! V0: SCALE. Numbers are little endian; a list, a byte string and a text begin with their length as a compact number.

use super::reader::{ByteReader, ReadProblem};
use super::{
    EvidenceError, MAX_EVENT_NAME_BYTES, MAX_PAYLOAD_BYTES, MAX_TEXT_BYTES, Parts, RawEvent, at, event_count,
    unsupported,
};
use crate::evidence::{Event, EventVersion, MAX_QUOTE_BYTES};

/// The platforms by their variant byte.
const PLATFORMS: [&str; 5] = ["tdx", "gcp-tdx", "nitro-enclave", "sev-snp", "aws-nitro-tpm"];

/// Whether bytes that begin with 0 go on with a platform and, for TDX, with a length of a quote of at least 64 bytes.
pub(super) fn begins_like_one(bytes: &[u8]) -> bool {
    match bytes.get(1) {
        None => true,
        Some(0) => bytes.get(2).is_none_or(|length| matches!(length & 0b11, 1 | 2)),
        Some(platform) => usize::from(*platform) < PLATFORMS.len(),
    }
}

pub(super) fn parse(bytes: &[u8]) -> Result<Parts, EvidenceError> {
    let mut reader = ByteReader::new(bytes);
    reader.byte().map_err(at("(its first byte)"))?;
    let variant = reader.byte().map_err(at("quote"))?;
    if variant != 0 {
        let kind = PLATFORMS.get(usize::from(variant)).copied();
        return Err(unsupported(kind.unwrap_or("one that this version does not know")));
    }
    let quote = reader.counted(MAX_QUOTE_BYTES).map_err(at("quote"))?.to_vec();
    let platform_events = reader.events("event_log", ByteReader::platform_event)?;
    let runtime_events = reader.events("runtime_events", ByteReader::runtime_event)?;
    let report_data = reader.array().map_err(at("report_data"))?;
    let config = reader
        .counted_text(MAX_TEXT_BYTES)
        .map_err(at("config"))?
        .to_owned();
    reader.end().map_err(at("config"))?;
    Ok(Parts {
        quote,
        platform_events,
        runtime_events,
        report_data,
        report_data_payload: None,
        config,
    })
}

impl<'a> ByteReader<'a> {
    /// A compact number below 2^30, in the shortest form that holds it.
    fn compact(&mut self) -> Result<usize, ReadProblem> {
        let first = self.byte()?;
        let (number, least) = match first & 0b11 {
            0 => (u32::from(first), 0),
            1 => (u32::from(u16::from_le_bytes([first, self.byte()?])), 1 << 6),
            2 => {
                let [second, third, fourth] = self.array()?;
                (u32::from_le_bytes([first, second, third, fourth]), 1 << 14)
            }
            _ => return Err(ReadProblem::Length),
        };
        let number = (number >> 2) as usize;
        match number < least {
            true => Err(ReadProblem::Length),
            false => Ok(number),
        }
    }

    /// A compact number of what follows, each of at least one byte.
    fn length(&mut self) -> Result<usize, ReadProblem> {
        let length = self.compact()?;
        match length > self.left() {
            true => Err(ReadProblem::Ends),
            false => Ok(length),
        }
    }

    fn counted(&mut self, limit: usize) -> Result<&'a [u8], ReadProblem> {
        let actual = self.length()?;
        if actual > limit {
            return Err(ReadProblem::TooLong { actual, limit });
        }
        self.take(actual)
    }

    fn counted_text(&mut self, limit: usize) -> Result<&'a str, ReadProblem> {
        std::str::from_utf8(self.counted(limit)?).map_err(|_| ReadProblem::NotUtf8)
    }

    fn events(
        &mut self,
        path: &str,
        event: fn(&mut Self) -> Result<RawEvent, ReadProblem>,
    ) -> Result<Vec<Event>, EvidenceError> {
        let count = event_count(path, self.length().map_err(at(path))?)?;
        (0..count)
            .map(|index| {
                let path = format!("{path}[{index}]");
                event(self).map_err(at(&path))?.checked(&path)
            })
            .collect()
    }

    fn platform_event(&mut self) -> Result<RawEvent, ReadProblem> {
        Ok(RawEvent {
            imr: u32::from_le_bytes(self.array()?),
            event_type: u32::from_le_bytes(self.array()?),
            digest: self.counted(MAX_EVENT_NAME_BYTES)?.to_vec(),
            name: self.counted_text(MAX_EVENT_NAME_BYTES)?.to_owned(),
            payload: self.counted(MAX_PAYLOAD_BYTES)?.to_vec(),
            version: EventVersion::V1,
        })
    }

    fn runtime_event(&mut self) -> Result<RawEvent, ReadProblem> {
        let name = self.counted_text(MAX_EVENT_NAME_BYTES)?.to_owned();
        let payload = self.counted(MAX_PAYLOAD_BYTES)?.to_vec();
        Ok(RawEvent::runtime(name, payload, EventVersion::V1))
    }
}
