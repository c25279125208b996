//! How large the parts of evidence may be. All are checked before anything is allocated for the part.

/// Decoded bytes of one `/attestation` body (docs/threats.md, T48). Real ones are under 64 KiB.
pub const MAX_ATTESTATION_BYTES: usize = 4 * 1024 * 1024;

/// Decoded bytes of one `/info` body (docs/threats.md, T48): a compose document of [`MAX_COMPOSE_BYTES`], escaped twice. Real
/// ones are under 64 KiB.
pub const MAX_INFO_BYTES: usize = 16 * 1024 * 1024;

/// Bytes of a versioned attestation: dstack's own limit (dstack, `dstack-attest/src/{attestation,v1}.rs`). Real ones are under 64
/// KiB.
pub(crate) const MAX_VERSIONED_BYTES: usize = 10 * 1024 * 1024;

/// Bytes of a quote (docs/threats.md, T20). Real ones are 5,006 to 8,000 bytes, padding included.
pub const MAX_QUOTE_BYTES: usize = 16 * 1024;

/// Bytes of a compose document that are read from a CVM. Real ones are under 64 KiB.
pub const MAX_COMPOSE_BYTES: usize = 4 * 1024 * 1024;

/// Bytes of a compose document that the user gives as a file: dstack's own limit since June 2026.
pub const MAX_COMPOSE_FILE_BYTES: usize = 50 * 1024 * 1024;

/// Values of one JSON document: members, items, objects and lists. A value takes up to some hundred bytes of memory, its
/// text two. Phala Cloud's answer for 256 instances has about 80,000.
pub(crate) const MAX_JSON_VALUES: usize = 250_000;

/// Values of a compose document, whose members are kept. Real ones have about 30.
pub(crate) const MAX_COMPOSE_VALUES: usize = 20_000;

/// Entries of an event log (docs/threats.md, T48). Real ones have about 30.
pub const MAX_EVENTS: usize = 4096;

/// Bytes of one event's payload. The largest real ones are TCG records of under 2 KiB.
pub(super) const MAX_PAYLOAD_BYTES: usize = 64 * 1024;

/// Bytes of one event's name.
pub(super) const MAX_EVENT_NAME_BYTES: usize = 256;

/// Bytes of the `vm_config` text. Real ones have under 4 KiB.
pub(super) const MAX_VM_CONFIG_BYTES: usize = 1024 * 1024;
