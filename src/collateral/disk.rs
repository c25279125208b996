//! Collateral kept on disk between runs: one file for each platform, authority and source.
//!
//! What is read here is as unproven as what a PCCS sends, and is judged like that: a set that does not serve is not held. A
//! file that cannot be read, and a folder that cannot be written, are as good as none.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::fetch::Fetched;
use super::request::CollateralRequest;
use super::sources::Sources;
use cvm_verify_core::evidence::{MAX_BYTES, collateral};

/// The name of the format of a cached set.
const SCHEMA: &str = "cvm-verify/collateral-cache/v2";

/// Bytes of a file that are read: byte fields are in hex, and JSON escapes the rest.
pub(super) const MAX_FILE_BYTES: u64 = 4 * MAX_BYTES as u64;

/// A folder of collateral.
#[derive(Debug)]
pub struct Disk {
    folder: PathBuf,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    schema: String,
    source: String,
    /// Unix seconds.
    fetched_at: u64,
    collateral: Box<RawValue>,
}

impl Disk {
    /// The cache in a folder, which is made when there is something to keep.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// What is kept for a request to these sources, if it can be read.
    pub(super) fn read(&self, sources: &Sources, request: &CollateralRequest) -> Option<Fetched> {
        let path = self.path(sources, request);
        // Reading from a pipe waits until another process writes to it.
        fs::metadata(&path).ok().filter(fs::Metadata::is_file)?;
        let mut bytes = Vec::new();
        File::open(path)
            .ok()?
            .take(MAX_FILE_BYTES + 1)
            .read_to_end(&mut bytes)
            .ok()?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return None;
        }
        let kept: Kept = serde_json::from_slice(&bytes).ok()?;
        // The name goes into reports: only one of ours is believed.
        let known = sources.iter().any(|source| source.name() == kept.source);
        if kept.schema != SCHEMA || !known {
            return None;
        }
        Some(Fetched {
            collateral: collateral::parse(kept.collateral.get().as_bytes()).ok()?,
            source: kept.source,
            fetched_at: kept.fetched_at,
            fault: None,
        })
    }

    /// Keeps a set: written to a neighbour first, which then takes its place, so that two runs at once never see half a
    /// file. Nobody is told when it cannot be kept: the next run fetches again.
    pub(super) fn write(&self, sources: &Sources, request: &CollateralRequest, fetched: &Fetched) {
        let _ = self.try_write(&self.path(sources, request), fetched);
    }

    fn try_write(&self, path: &Path, fetched: &Fetched) -> std::io::Result<()> {
        static WRITES: AtomicU64 = AtomicU64::new(0);
        let document = serde_json::to_string(&collateral::document(&fetched.collateral))?;
        let text = serde_json::to_string(&Kept {
            schema: SCHEMA.to_owned(),
            source: fetched.source.clone(),
            fetched_at: fetched.fetched_at,
            collateral: RawValue::from_string(document)?,
        })?;
        fs::create_dir_all(&self.folder)?;
        let number = WRITES.fetch_add(1, Ordering::Relaxed);
        let neighbour = path.with_extension(format!("{}-{number}.part", std::process::id()));
        // An existing file or link of that name is somebody else's.
        let written = File::options()
            .write(true)
            .create_new(true)
            .open(&neighbour)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .and_then(|()| fs::rename(&neighbour, path));
        if written.is_err() {
            let _ = fs::remove_file(&neighbour);
        }
        written
    }

    fn path(&self, sources: &Sources, request: &CollateralRequest) -> PathBuf {
        self.folder.join(format!(
            "{}-{}-{}.json",
            request.fmspc_hex(),
            request.ca.as_str(),
            sources.fingerprint()
        ))
    }
}
