//! A dstack KMS: what its TLS listener presents, and its answer to GetMeta over the same connection (dstack,
//! `kms/src/{main,onboard_service}.rs`).
//!
//! No public CA vouches for a KMS: its certificate carries the evidence of its VM, which is verified later, from what is kept here.
//! So any certificate is taken whose key the server proves to hold. Nothing secret is sent.

use std::time::Duration;

use tokio::time::Instant;
use url::Url;

use super::NO_TIME;
use crate::net::retry::{Schedule, retry};
use crate::net::{Client, LeafWatch, Limits, NetError};
use cvm_verify_core::evidence::{MAX_KMS_META_BYTES, TlsChain};
use cvm_verify_core::policy::KmsHost;
use cvm_verify_core::verify::spki_sha256;

/// Where GetMeta is served, the newer path first.
const PATHS: [&str; 2] = ["/prpc/KMS.GetMeta?json", "/prpc/GetMeta?json"];

/// How long one answer may take: 15 s.
const ONE_ANSWER: Duration = Duration::from_secs(15);

/// How long one KMS may take: 45 s.
const ALL_ANSWERS: Duration = Duration::from_secs(45);

/// Most certificates that are taken of one host: replicas behind one name.
const MAX_CERTIFICATES: usize = 3;

/// What a KMS showed and answered.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// The certificates of the connection that it was asked over.
    pub chain: Option<TlsChain>,
    /// How many other keys answered.
    pub other_keys: usize,
    /// The body that answered GetMeta.
    pub meta: Option<String>,
    /// Why there is no connection or no answer. A clause.
    pub problem: Option<String>,
}

/// Asks a KMS.
pub async fn fetch(client: &Client, host: &KmsHost, left: Duration, jitter: fn() -> u32) -> Shown {
    let problem = |problem: String| Shown {
        problem: Some(problem),
        ..Shown::default()
    };
    if left.is_zero() {
        return problem(NO_TIME.to_owned());
    }
    let Ok(base) = Url::parse(&format!("https://{host}/")) else {
        return problem("its host is not one of a URL".to_owned());
    };
    let (client, watch) = match client.watching(&base) {
        Ok(watched) => watched,
        Err(error) => return problem(error.to_string()),
    };
    let ends = Instant::now() + left.min(ALL_ANSWERS);
    let mut answer = Err("it was not asked".to_owned());
    for path in PATHS {
        let Ok(url) = base.join(path) else { continue };
        answer = get(&client, &watch, &url, ends, jitter).await;
        // An older KMS has the other path.
        if !matches!(&answer, Err(why) if why.ends_with("status 404")) {
            break;
        }
    }
    let mut live = watch.live().into_iter();
    let first = live.next();
    let mut keys: Vec<Vec<u8>> = Vec::new();
    let later = live
        .map(|chain| chain.chain.leaf().to_vec())
        .chain(watch.admitted());
    for leaf in first.iter().map(|first| first.chain.leaf().to_vec()).chain(later) {
        let key = spki_sha256(&leaf).map_or(leaf, |hash| hash.to_vec());
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let (meta, problem) = match answer {
        Ok(body) => (Some(body), None),
        Err(why) => (None, Some(why)),
    };
    Shown {
        other_keys: first.as_ref().map_or(0, |_| keys.len().saturating_sub(1)),
        chain: first.map(|first| first.chain),
        meta,
        problem,
    }
}

/// The body of an answer, or why there is none.
async fn get(
    client: &Client,
    watch: &LeafWatch,
    url: &Url,
    ends: Instant,
    jitter: fn() -> u32,
) -> Result<String, String> {
    loop {
        let schedule = Schedule {
            total: ends.saturating_duration_since(Instant::now()),
            one_attempt: ONE_ANSWER,
            ..Schedule::default()
        };
        let answer = retry(&schedule, jitter, |attempt| async move {
            let limits = Limits::body(MAX_KMS_META_BYTES).within(attempt.time_left.min(ONE_ANSWER));
            client.get_json(url, &limits).await
        })
        .await;
        match (answer, watch.take_refused()) {
            (Ok(response), _) if response.status == 200 => {
                return String::from_utf8(response.body).map_err(|_| "its answer is not UTF-8".to_owned());
            }
            (Ok(response), _) => return Err(format!("answers with status {}", response.status)),
            (Err(_), Some(chain)) if watch.admitted().len() < MAX_CERTIFICATES => watch.admit(&chain),
            (Err(error), _) => return Err(words(&error)),
        }
    }
}

fn words(error: &NetError) -> String {
    error.to_string().trim_end_matches('.').to_owned()
}
