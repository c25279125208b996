//! V1: MessagePack maps with text keys.
//!
//! A byte string may be a `bin` or a list of numbers from 0 to 255: dstack's own encoder writes the quote as the latter.
//! Nothing here recurses: an unknown member, however deep, is skipped by counting.

use super::reader::{ByteReader, ReadProblem};
use super::{
    EvidenceError, MAX_EVENT_NAME_BYTES, MAX_PAYLOAD_BYTES, MAX_TEXT_BYTES, Parts, RawEvent, at, event_count,
    malformed, unsupported,
};
use crate::evidence::{Event, EventVersion, MAX_QUOTE_BYTES};

/// The version of the format.
const VERSION: u64 = 1;

/// Members of one map.
const MAX_MEMBERS: usize = 64;

pub(super) fn parse(bytes: &[u8]) -> Result<Parts, EvidenceError> {
    let mut reader = ByteReader::new(bytes);
    let whole = Map::read(&mut reader).map_err(at("(the whole document)"))?;
    reader.end().map_err(at("(the whole document)"))?;
    let version = whole.required("", "version", ByteReader::number)?;
    if version != VERSION {
        return Err(malformed("version", format!("is {version}; {VERSION} expected")));
    }
    let (kind, platform) = tagged(&whole, "platform")?;
    if kind != "tdx" {
        return Err(unsupported(kind));
    }
    let platform_path = "platform.data.";
    let quote = platform.required(platform_path, "quote", |reader| reader.bytes(MAX_QUOTE_BYTES))?;
    let platform_events = events(&platform, platform_path, "event_log", platform_event)?;
    let (kind, stack) = tagged(&whole, "stack")?;
    let stack_path = "stack.data.";
    let report_data = stack.required(stack_path, "report_data", |reader| reader.bytes(MAX_TEXT_BYTES))?;
    let report_data = <[u8; 64]>::try_from(report_data).map_err(|bytes| {
        malformed(
            "stack.data.report_data",
            format!("is {} bytes; 64 expected", bytes.len()),
        )
    })?;
    let runtime_events = events(&stack, stack_path, "runtime_events", runtime_event)?;
    let config = stack
        .required(stack_path, "config", |reader| reader.text(MAX_TEXT_BYTES))?
        .to_owned();
    let report_data_payload = match kind {
        "dstack" => None,
        "dstack-pod" => {
            let text = stack.required(stack_path, "report_data_payload", |reader| {
                reader.text(MAX_TEXT_BYTES)
            })?;
            Some(text.to_owned())
        }
        other => {
            let other: String = other.escape_default().take(64).collect();
            return Err(malformed(
                "stack.kind",
                format!("is {other}; dstack or dstack-pod expected"),
            ));
        }
    };
    Ok(Parts {
        quote,
        platform_events,
        runtime_events,
        report_data,
        report_data_payload,
        config,
    })
}

/// A member `{kind, data}`.
fn tagged<'a>(whole: &Map<'a>, name: &str) -> Result<(&'a str, Map<'a>), EvidenceError> {
    let outer = whole.required("", name, Map::read)?;
    let path = format!("{name}.");
    let kind = outer.required(&path, "kind", |reader| reader.text(MAX_EVENT_NAME_BYTES))?;
    if name == "platform" && kind != "tdx" {
        // Another platform's data has another shape.
        return Ok((kind, Map(Vec::new())));
    }
    Ok((kind, outer.required(&path, "data", Map::read)?))
}

fn events(
    map: &Map<'_>,
    path: &str,
    name: &str,
    event: fn(&Map<'_>, &str) -> Result<RawEvent, EvidenceError>,
) -> Result<Vec<Event>, EvidenceError> {
    let path = format!("{path}{name}");
    let mut reader = ByteReader::new(map.value(name, &path)?);
    let count = event_count(&path, reader.list().map_err(at(&path))?)?;
    (0..count)
        .map(|index| {
            let path = format!("{path}[{index}]");
            let map = Map::read(&mut reader).map_err(at(&path))?;
            event(&map, &format!("{path}."))?.checked(&path)
        })
        .collect()
}

fn platform_event(map: &Map<'_>, path: &str) -> Result<RawEvent, EvidenceError> {
    Ok(RawEvent {
        imr: map.required(path, "imr", ByteReader::number32)?,
        event_type: map.required(path, "event_type", ByteReader::number32)?,
        digest: map
            .optional(path, "digest", |reader| reader.bytes(MAX_EVENT_NAME_BYTES))?
            .unwrap_or_default(),
        name: map
            .required(path, "event", |reader| reader.text(MAX_EVENT_NAME_BYTES))?
            .to_owned(),
        payload: map.required(path, "event_payload", |reader| reader.bytes(MAX_PAYLOAD_BYTES))?,
        version: version(map, path)?,
    })
}

fn runtime_event(map: &Map<'_>, path: &str) -> Result<RawEvent, EvidenceError> {
    let name = map.required(path, "event", |reader| reader.text(MAX_EVENT_NAME_BYTES))?;
    let payload = map.required(path, "payload", |reader| reader.bytes(MAX_PAYLOAD_BYTES))?;
    Ok(RawEvent::runtime(name.to_owned(), payload, version(map, path)?))
}

/// 1 or 2, as a number or as `v1` / `v2`; absent means 1.
fn version(map: &Map<'_>, path: &str) -> Result<EventVersion, EvidenceError> {
    let number = |reader: &mut ByteReader<'_>| match reader.text(2) {
        Ok("v1") => Ok(1),
        Ok("v2") => Ok(2),
        Ok(_) => Ok(0),
        Err(_) => reader.number(),
    };
    match map.optional(path, "version", number)? {
        None | Some(1) => Ok(EventVersion::V1),
        Some(2) => Ok(EventVersion::V2),
        Some(_) => Err(malformed(format!("{path}version"), "is neither 1 nor 2")),
    }
}

/// The members of a map with their values unread.
struct Map<'a>(Vec<(&'a str, &'a [u8])>);

impl<'a> Map<'a> {
    fn read(reader: &mut ByteReader<'a>) -> Result<Self, ReadProblem> {
        let count = match reader.head()? {
            Head::Map(count) => count,
            other => return Err(other.instead_of("a map")),
        };
        if count > MAX_MEMBERS {
            return Err(ReadProblem::Members);
        }
        let mut members = Vec::with_capacity(count);
        for _ in 0..count {
            let name = reader.text(MAX_EVENT_NAME_BYTES)?;
            if members.iter().any(|(other, _)| *other == name) {
                return Err(ReadProblem::Duplicate);
            }
            members.push((name, reader.skip()?));
        }
        Ok(Self(members))
    }

    fn get(&self, name: &str) -> Option<&'a [u8]> {
        let (_, value) = self.0.iter().find(|(other, _)| *other == name)?;
        // nil is as good as absent.
        (*value != [0xc0]).then_some(*value)
    }

    fn value(&self, name: &str, path: &str) -> Result<&'a [u8], EvidenceError> {
        self.get(name).ok_or_else(|| malformed(path, "is missing"))
    }

    fn required<T>(
        &self,
        path: &str,
        name: &str,
        read: impl FnOnce(&mut ByteReader<'a>) -> Result<T, ReadProblem>,
    ) -> Result<T, EvidenceError> {
        let path = format!("{path}{name}");
        read(&mut ByteReader::new(self.value(name, &path)?)).map_err(at(path))
    }

    fn optional<T>(
        &self,
        path: &str,
        name: &str,
        read: impl FnOnce(&mut ByteReader<'a>) -> Result<T, ReadProblem>,
    ) -> Result<Option<T>, EvidenceError> {
        self.get(name)
            .map(|value| read(&mut ByteReader::new(value)).map_err(at(format!("{path}{name}"))))
            .transpose()
    }
}

/// The head of a value: its type, and its number or the count of what follows.
enum Head {
    Number(u64),
    Text(usize),
    Bin(usize),
    List(usize),
    Map(usize),
    /// A value of another type, with so many bytes behind its head.
    Other(usize),
}

impl Head {
    const fn instead_of(&self, expected: &'static str) -> ReadProblem {
        let found = match self {
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::Bin(_) => "a byte string",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Other(_) => "a value of another type",
        };
        ReadProblem::Type { expected, found }
    }
}

impl<'a> ByteReader<'a> {
    fn count8(&mut self) -> Result<usize, ReadProblem> {
        self.byte().map(usize::from)
    }

    fn count16(&mut self) -> Result<usize, ReadProblem> {
        self.array().map(u16::from_be_bytes).map(usize::from)
    }

    fn count32(&mut self) -> Result<usize, ReadProblem> {
        let count = self.array().map(u32::from_be_bytes)?;
        usize::try_from(count).map_err(|_| ReadProblem::Ends)
    }

    fn head(&mut self) -> Result<Head, ReadProblem> {
        let low = |byte: u8, mask: u8| usize::from(byte & mask);
        Ok(match self.byte()? {
            byte @ 0x00..=0x7f => Head::Number(byte.into()),
            byte @ 0x80..=0x8f => Head::Map(low(byte, 0x0f)),
            byte @ 0x90..=0x9f => Head::List(low(byte, 0x0f)),
            byte @ 0xa0..=0xbf => Head::Text(low(byte, 0x1f)),
            0xc0..=0xc3 | 0xe0..=0xff => Head::Other(0),
            0xc4 => Head::Bin(self.count8()?),
            0xc5 => Head::Bin(self.count16()?),
            0xc6 => Head::Bin(self.count32()?),
            // Extensions: their length, and one byte of type.
            0xc7 => Head::Other(self.count8()?.saturating_add(1)),
            0xc8 => Head::Other(self.count16()?.saturating_add(1)),
            0xc9 => Head::Other(self.count32()?.saturating_add(1)),
            // Floats and signed numbers.
            0xca | 0xd2 => Head::Other(4),
            0xcb | 0xd3 => Head::Other(8),
            0xd0 => Head::Other(1),
            0xd1 => Head::Other(2),
            0xcc => Head::Number(self.byte()?.into()),
            0xcd => Head::Number(u16::from_be_bytes(self.array()?).into()),
            0xce => Head::Number(u32::from_be_bytes(self.array()?).into()),
            0xcf => Head::Number(u64::from_be_bytes(self.array()?)),
            // Extensions of 1, 2, 4, 8 and 16 bytes.
            byte @ 0xd4..=0xd8 => Head::Other((1 << (byte - 0xd4)) + 1),
            0xd9 => Head::Text(self.count8()?),
            0xda => Head::Text(self.count16()?),
            0xdb => Head::Text(self.count32()?),
            0xdc => Head::List(self.count16()?),
            0xdd => Head::List(self.count32()?),
            0xde => Head::Map(self.count16()?),
            0xdf => Head::Map(self.count32()?),
        })
    }

    fn number(&mut self) -> Result<u64, ReadProblem> {
        match self.head()? {
            Head::Number(number) => Ok(number),
            other => Err(other.instead_of("a whole number")),
        }
    }

    fn number32(&mut self) -> Result<u32, ReadProblem> {
        u32::try_from(self.number()?).map_err(|_| ReadProblem::Type {
            expected: "a number of 32 bits",
            found: "a larger number",
        })
    }

    /// The text is taken only where it is one, so that another type can be tried after it.
    fn text(&mut self, limit: usize) -> Result<&'a str, ReadProblem> {
        let mut ahead = *self;
        let actual = match ahead.head()? {
            Head::Text(actual) => actual,
            other => return Err(other.instead_of("a text")),
        };
        if actual > limit {
            return Err(ReadProblem::TooLong { actual, limit });
        }
        let text = std::str::from_utf8(ahead.take(actual)?).map_err(|_| ReadProblem::NotUtf8)?;
        *self = ahead;
        Ok(text)
    }

    fn list(&mut self) -> Result<usize, ReadProblem> {
        match self.head()? {
            Head::List(count) => Ok(count),
            other => Err(other.instead_of("a list")),
        }
    }

    fn bytes(&mut self, limit: usize) -> Result<Vec<u8>, ReadProblem> {
        match self.head()? {
            Head::Bin(actual) | Head::List(actual) if actual > limit => {
                Err(ReadProblem::TooLong { actual, limit })
            }
            Head::Bin(count) => self.take(count).map(<[u8]>::to_vec),
            Head::List(count) => (0..count)
                .map(|_| {
                    u8::try_from(self.number()?).map_err(|_| ReadProblem::Type {
                        expected: "a byte",
                        found: "a larger number",
                    })
                })
                .collect(),
            other => Err(other.instead_of("a byte string")),
        }
    }

    /// Skips one value with everything inside it, and gives its bytes. What is still to come can never be more than the
    /// bytes that are left, so a short text that announces billions of members ends at once.
    fn skip(&mut self) -> Result<&'a [u8], ReadProblem> {
        let before = self.rest();
        let mut pending: usize = 1;
        while pending > 0 {
            pending -= 1;
            match self.head()? {
                Head::Number(_) => {}
                Head::Text(count) | Head::Bin(count) | Head::Other(count) => {
                    self.take(count)?;
                }
                Head::List(count) => pending = pending.saturating_add(count),
                Head::Map(count) => pending = pending.saturating_add(count.saturating_mul(2)),
            }
            if pending > self.left() {
                return Err(ReadProblem::Ends);
            }
        }
        before.get(..before.len() - self.left()).ok_or(ReadProblem::Ends)
    }
}
