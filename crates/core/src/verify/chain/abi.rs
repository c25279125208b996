//! The contract ABI, as far as dstack's contracts need it (Solidity documentation, "Contract ABI Specification").
//!
//! Decoding is strict: padding must be zero, a boolean is 0 or 1, an offset is where a canonical encoder puts it, and nothing
//! follows. An answer that is not canonical is refused, since two readers could read it in two ways.

/// Bytes of a word.
const WORD: usize = 32;
/// The most bytes of a decoded text or byte string: an answer holds a quote at most.
const MAX_BYTES: usize = 64 * 1024;
/// The most owners of a Safe that are read.
const MAX_ADDRESSES: usize = 256;

/// An address, 20 bytes.
pub type Address = [u8; 20];

/// Data of an `eth_call`: a selector and its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallData(Vec<u8>);

impl CallData {
    /// A call without arguments.
    #[must_use]
    pub fn new(selector: [u8; 4]) -> Self {
        Self(selector.to_vec())
    }

    /// Adds an argument of 32 bytes.
    #[must_use]
    pub(crate) fn bytes32(mut self, value: &[u8; 32]) -> Self {
        self.0.extend(value);
        self
    }

    /// Adds an address, padded on the left.
    #[must_use]
    pub fn address(mut self, value: &Address) -> Self {
        self.0.extend([0; WORD - 20]);
        self.0.extend(value);
        self
    }

    /// Adds a number.
    #[must_use]
    pub fn number(mut self, value: usize) -> Self {
        self.0.extend(number(value));
        self
    }

    /// Adds four bytes, padded on the right: an interface id.
    #[must_use]
    pub(crate) fn bytes4(mut self, value: [u8; 4]) -> Self {
        self.0.extend(value);
        self.0.extend([0; WORD - 4]);
        self
    }

    /// Adds one dynamic tuple, the only argument: its offset, then the tuple.
    #[must_use]
    pub(crate) fn dynamic_tuple(mut self, tuple: &[u8]) -> Self {
        self.0.extend(number(WORD));
        self.0.extend(tuple);
        self
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// What a KMS tells a contract of an app that asks for its keys (`IAppAuth.AppBootInfo`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppBootInfo {
    /// The app's contract.
    pub app_id: Address,
    /// SHA-256 of the compose document.
    pub compose_hash: [u8; 32],
    /// The instance; zero where it has none.
    pub instance_id: Address,
    /// The machine.
    pub device_id: [u8; 32],
    /// All registers, RTMR3 as of `boot-mr-done`.
    pub mr_aggregated: [u8; 32],
    /// MRTD and RTMR0 to RTMR2.
    pub mr_system: [u8; 32],
    /// The OS image.
    pub os_image_hash: [u8; 32],
    /// Intel's rating, as dcap-qvl spells it.
    pub tcb_status: String,
    /// Advisories, as Intel spells them.
    pub advisory_ids: Vec<String>,
}

impl AppBootInfo {
    /// The tuple's encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut tuple = CallData(Vec::new())
            .address(&self.app_id)
            .bytes32(&self.compose_hash)
            .address(&self.instance_id)
            .bytes32(&self.device_id)
            .bytes32(&self.mr_aggregated)
            .bytes32(&self.mr_system)
            .bytes32(&self.os_image_hash)
            .0;
        let status = text(&self.tcb_status);
        let heads = 9 * WORD;
        tuple.extend(number(heads));
        tuple.extend(number(heads + status.len()));
        tuple.extend(status);
        tuple.extend(number(self.advisory_ids.len()));
        let advisories: Vec<Vec<u8>> = self.advisory_ids.iter().map(|id| text(id)).collect();
        let mut offset = self.advisory_ids.len() * WORD;
        for advisory in &advisories {
            tuple.extend(number(offset));
            offset += advisory.len();
        }
        tuple.extend(advisories.concat());
        tuple
    }
}

fn number(value: usize) -> [u8; WORD] {
    let mut word = [0; WORD];
    for (place, byte) in word.iter_mut().rev().zip((value as u64).to_le_bytes()) {
        *place = byte;
    }
    word
}

/// Length, bytes, zeros to a whole word.
fn text(value: &str) -> Vec<u8> {
    let mut encoded = number(value.len()).to_vec();
    encoded.extend(value.as_bytes());
    encoded.resize(encoded.len().next_multiple_of(WORD), 0);
    encoded
}

/// Why an answer cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AbiError {
    /// No bytes: the contract has no such function, or there is no contract.
    #[error("the answer is empty: the contract has no such function")]
    Empty,
    /// Fewer or more bytes than the type has.
    #[error("the answer has {0} bytes, which is not the length of {1}")]
    Length(usize, &'static str),
    /// Bytes that must be zero, or a boolean other than 0 and 1.
    #[error("the answer is not a canonical {0}")]
    NotCanonical(&'static str),
    /// A text that is not UTF-8.
    #[error("the answer's text is not UTF-8")]
    NotUtf8,
}

/// A boolean.
///
/// # Errors
/// [`AbiError`]; a word of 2 is not `true`.
pub fn decode_bool(answer: &[u8]) -> Result<bool, AbiError> {
    match decode_u64_as(answer, "boolean")? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(AbiError::NotCanonical("boolean")),
    }
}

/// An unsigned number that fits into 64 bits.
///
/// # Errors
/// [`AbiError`].
pub fn decode_u64(answer: &[u8]) -> Result<u64, AbiError> {
    decode_u64_as(answer, "number")
}

fn decode_u64_as(answer: &[u8], what: &'static str) -> Result<u64, AbiError> {
    let word = single_word(answer, what)?;
    word_as_u64(&word).ok_or(AbiError::NotCanonical(what))
}

/// An address.
///
/// # Errors
/// [`AbiError`].
pub fn decode_address(answer: &[u8]) -> Result<Address, AbiError> {
    word_as_address(&single_word(answer, "address")?)
}

/// A list of addresses.
///
/// # Errors
/// [`AbiError`].
pub fn decode_addresses(answer: &[u8]) -> Result<Vec<Address>, AbiError> {
    let mut reader = AnswerReader::new(answer, "list of addresses")?;
    reader.offset(WORD)?;
    let count = reader.length(MAX_ADDRESSES)?;
    let list = (0..count).map(|_| word_as_address(&reader.word()?)).collect();
    reader.end()?;
    list
}

/// A page of a list of addresses, and where the next page begins: whether there is any address on it.
///
/// # Errors
/// [`AbiError`].
pub fn decode_page_is_filled(answer: &[u8]) -> Result<bool, AbiError> {
    let mut reader = AnswerReader::new(answer, "page of addresses")?;
    reader.offset(2 * WORD)?;
    word_as_address(&reader.word()?)?;
    let count = reader.length(MAX_ADDRESSES)?;
    for _ in 0..count {
        word_as_address(&reader.word()?)?;
    }
    reader.end()?;
    Ok(count > 0)
}

/// `kmsInfo()`: the KMS's keys, the attestation of its birth and its event log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsInfo {
    /// secp256k1 public key, compressed; may be empty.
    pub k256_public_key: Vec<u8>,
    /// SubjectPublicKeyInfo of the CA; may be empty.
    pub ca_public_key: Vec<u8>,
    /// The quote; may be empty.
    pub quote: Vec<u8>,
    /// The event log, JSON text; may be empty.
    pub event_log: Vec<u8>,
}

impl KmsInfo {
    /// The evidence of how the root keys were made, as [`KmsBootstrap::of_text`](crate::evidence::KmsBootstrap::of_text) reads
    /// it; absent where the contract holds no quote.
    #[must_use]
    pub fn bootstrap(&self) -> Option<String> {
        let Self {
            k256_public_key,
            ca_public_key,
            quote,
            event_log,
        } = self;
        let document = serde_json::json!({
            "ca_pubkey": hex::encode(ca_public_key),
            "k256_pubkey": hex::encode(k256_public_key),
            "quote": hex::encode(quote),
            "eventlog": hex::encode(event_log),
        });
        (!quote.is_empty()).then(|| document.to_string())
    }

    /// Reads the answer of `kmsInfo()`: four byte strings.
    ///
    /// # Errors
    /// [`AbiError`].
    pub fn decode(answer: &[u8]) -> Result<Self, AbiError> {
        let mut reader = AnswerReader::new(answer, "KMS information")?;
        let offsets = [
            reader.number()?,
            reader.number()?,
            reader.number()?,
            reader.number()?,
        ];
        let mut fields = Vec::new();
        for offset in offsets {
            if offset != reader.position() {
                return Err(AbiError::NotCanonical("KMS information"));
            }
            fields.push(reader.bytes()?.to_vec());
        }
        reader.end()?;
        let [k256_public_key, ca_public_key, quote, event_log] =
            <[Vec<u8>; 4]>::try_from(fields).map_err(|_| AbiError::NotCanonical("KMS information"))?;
        Ok(Self {
            k256_public_key,
            ca_public_key,
            quote,
            event_log,
        })
    }
}

/// `isAppAllowed` and `isKmsAllowed`: yes or no, and the contract's words.
///
/// # Errors
/// [`AbiError`].
pub fn decode_boot_answer(answer: &[u8]) -> Result<(bool, String), AbiError> {
    let mut reader = AnswerReader::new(answer, "boot answer")?;
    let allowed = decode_bool(&reader.word()?)?;
    reader.offset(2 * WORD)?;
    let words = reader.bytes()?.to_vec();
    reader.end()?;
    Ok((allowed, String::from_utf8(words).map_err(|_| AbiError::NotUtf8)?))
}

fn single_word(answer: &[u8], what: &'static str) -> Result<[u8; WORD], AbiError> {
    if answer.is_empty() {
        return Err(AbiError::Empty);
    }
    answer
        .try_into()
        .map_err(|_| AbiError::Length(answer.len(), what))
}

fn word_as_u64(word: &[u8; WORD]) -> Option<u64> {
    let (zeros, value) = word.split_last_chunk::<8>()?;
    zeros
        .iter()
        .all(|byte| *byte == 0)
        .then(|| u64::from_be_bytes(*value))
}

fn word_as_address(word: &[u8; WORD]) -> Result<Address, AbiError> {
    word.split_last_chunk::<20>()
        .filter(|(zeros, _)| zeros.iter().all(|byte| *byte == 0))
        .map(|(_, address)| *address)
        .ok_or(AbiError::NotCanonical("address"))
}

/// Reads a dynamic answer from its beginning to its end.
struct AnswerReader<'a> {
    all: usize,
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> AnswerReader<'a> {
    fn new(answer: &'a [u8], what: &'static str) -> Result<Self, AbiError> {
        if answer.is_empty() {
            return Err(AbiError::Empty);
        }
        if !answer.len().is_multiple_of(WORD) {
            return Err(AbiError::Length(answer.len(), what));
        }
        Ok(Self {
            all: answer.len(),
            rest: answer,
            what,
        })
    }

    fn position(&self) -> usize {
        self.all - self.rest.len()
    }

    fn word(&mut self) -> Result<[u8; WORD], AbiError> {
        let (word, rest) = self
            .rest
            .split_first_chunk::<WORD>()
            .ok_or(AbiError::Length(self.all, self.what))?;
        self.rest = rest;
        Ok(*word)
    }

    fn number(&mut self) -> Result<usize, AbiError> {
        word_as_u64(&self.word()?)
            .and_then(|value| usize::try_from(value).ok())
            .ok_or(AbiError::NotCanonical(self.what))
    }

    fn length(&mut self, most: usize) -> Result<usize, AbiError> {
        self.number().and_then(|count| {
            if count <= most {
                Ok(count)
            } else {
                Err(AbiError::NotCanonical(self.what))
            }
        })
    }

    /// An offset that must lead to what follows.
    fn offset(&mut self, expected: usize) -> Result<(), AbiError> {
        if self.number()? == expected {
            Ok(())
        } else {
            Err(AbiError::NotCanonical(self.what))
        }
    }

    fn bytes(&mut self) -> Result<&'a [u8], AbiError> {
        let length = self.length(MAX_BYTES)?;
        let padded = length.next_multiple_of(WORD);
        let (content, rest) = self
            .rest
            .split_at_checked(padded)
            .ok_or(AbiError::Length(self.all, self.what))?;
        self.rest = rest;
        let (bytes, padding) = content.split_at(length);
        if padding.iter().any(|byte| *byte != 0) {
            return Err(AbiError::NotCanonical(self.what));
        }
        Ok(bytes)
    }

    fn end(&self) -> Result<(), AbiError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(AbiError::Length(self.all, self.what))
        }
    }
}
