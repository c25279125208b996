//! One set of collateral for all targets of a platform: fetched once, however many ask at the same time, and fetched again
//! when it is `max_age` old (`--collateral-max-age`, a day by default).
//!
//! A set is used again while all its parts are in date, none ends soon and it was fetched less than `max_age` ago. An older
//! one is fetched again, since Intel may have revoked something meanwhile, and serves on where it cannot be: for how long,
//! is judged where the quote is verified ([`COLLATERAL_LIMIT`](cvm_verify_core::verify::COLLATERAL_LIMIT)). So does one that ends
//! soon, and one of a fallback, which is the hosts' operator's (T25): it must not outlive the outage of the first source.
//! A set gives way to an older one of the same or another source after that limit alone: the older one may lack a revocation.
//! Within one round ([`CollateralCache::new_round`]) every target gets the
//! same answer, a failure too: a PCCS that is down is asked once, not once for each target.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::disk::Disk;
use super::edition::Edition;
use super::error::CollateralError;
use super::fetch::{CollateralFetcher, Fetched};
use super::request::CollateralRequest;
use super::sources::Sources;
use cvm_verify_core::policy::CollateralMaxAge;
use cvm_verify_core::verify::age::Age;
use cvm_verify_core::verify::validity::Windows;
use cvm_verify_core::verify::{COLLATERAL_LIMIT, FORECAST};

/// The shortest time between two attempts to renew a set that is still in date, seconds: one hour.
const RENEW_PAUSE: u64 = 60 * 60;

/// Collateral that was fetched, by platform.
#[derive(Debug)]
pub struct CollateralCache {
    disk: Option<Disk>,
    /// The age from which on a set is fetched again, seconds.
    max_age: u64,
    round: AtomicU64,
    entries: Mutex<CacheEntries>,
}

/// By platform. Anyone who fetches for one holds its lock meanwhile.
type CacheEntries = HashMap<CollateralRequest, Arc<tokio::sync::Mutex<CacheEntry>>>;

/// What is known for one platform.
#[derive(Debug, Default)]
struct CacheEntry {
    looked_on_disk: bool,
    held: Option<Held>,
    failed: Option<(u64, CollateralError)>,
}

#[derive(Debug)]
struct Held {
    fetched: Arc<Fetched>,
    /// The round that fetched it, or tried to; absent for a set from disk that nobody tried to renew.
    round: Option<u64>,
    /// When it was last fetched or tried, Unix seconds.
    tried_at: u64,
    /// The time in which all parts are in date, both ends inclusive, Unix seconds; absent where dates cannot be read.
    window: Option<(u64, u64)>,
    /// How new it is.
    edition: Edition,
}

impl Held {
    fn new(fetched: Fetched, round: Option<u64>, tried_at: u64) -> Self {
        // A set that does not serve is not kept, whatever its dates.
        let windows = Windows::read(&fetched.collateral, None)
            .ok()
            .filter(|_| fetched.fault.is_none());
        let edition = windows
            .as_ref()
            .map(|windows| Edition::of(&fetched.collateral, windows))
            .unwrap_or_default();
        let window = windows.and_then(|windows| {
            Some((
                windows.latest_start()?.not_before,
                windows.earliest_end()?.not_after,
            ))
        });
        Self {
            fetched: Arc::new(fetched),
            round,
            tried_at,
            window,
            edition,
        }
    }

    fn in_date(&self, now: u64) -> bool {
        self.window.is_some_and(|(start, end)| start <= now && now <= end)
    }

    /// How long ago it was fetched. A set of which that is not known serves nobody: it could be as old as its dates allow.
    fn age(&self, now: u64) -> Age {
        Age::of(self.fetched.fetched_at, now)
    }

    /// Whether this process fetched it, or tried to, a short time ago.
    fn tried_lately(&self, now: u64, max_age: u64) -> bool {
        !Age::of(self.tried_at, now).reaches(RENEW_PAUSE.min(max_age)) && self.round.is_some()
    }

    fn serves(&self, sources: &Sources, round: u64, now: u64, max_age: u64) -> bool {
        let ends_soon = self
            .window
            .is_none_or(|(_, end)| end < now.saturating_add(FORECAST));
        let of_fallback = !sources.is_first(&self.fetched.source);
        let overdue = self.age(now).reaches(max_age);
        let tried_lately = self.tried_lately(now, max_age);
        let needs_none = !ends_soon && !of_fallback && !overdue;
        let of_this_round = self.round == Some(round) && (!overdue || tried_lately);
        self.age(now).is_known() && (of_this_round || (self.in_date(now) && (needs_none || tried_lately)))
    }
}

/// Why a set is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Because {
    /// A quote is to be verified.
    Asked,
    /// A quote did not verify with what is held.
    Doubted,
}

impl CollateralCache {
    /// A store that keeps nothing between runs.
    #[must_use]
    pub fn in_memory() -> Self {
        Self {
            disk: None,
            max_age: CollateralMaxAge::default().seconds(),
            round: AtomicU64::default(),
            entries: Mutex::default(),
        }
    }

    /// A store that also keeps its sets in a folder.
    #[must_use]
    pub fn on_disk(disk: Disk) -> Self {
        Self {
            disk: Some(disk),
            ..Self::in_memory()
        }
    }

    /// The same, which fetches again what is older.
    #[must_use]
    pub fn refetching_after(self, max_age: CollateralMaxAge) -> Self {
        Self {
            max_age: max_age.seconds(),
            ..self
        }
    }

    /// Begins a new round: what failed is tried again. Platforms that nothing is known of are forgotten, for a host can
    /// name as many as it likes.
    pub fn new_round(&self) {
        self.round.fetch_add(1, Ordering::Relaxed);
        self.locked().retain(|_, entry| {
            // Anyone who holds it is fetching.
            let in_use = Arc::strong_count(entry) > 1;
            in_use || entry.try_lock().is_ok_and(|entry| entry.held.is_some())
        });
    }

    /// The collateral of a platform at a time, Unix seconds. `jitter` gives random numbers for the pauses.
    ///
    /// # Errors
    /// The [`CollateralError`] of this round's only attempt, if nothing in date is held either.
    pub async fn get(
        &self,
        fetcher: CollateralFetcher<'_>,
        request: &CollateralRequest,
        now: u64,
        jitter: impl FnMut() -> u32,
    ) -> Result<Arc<Fetched>, CollateralError> {
        let entry = self.entry(request);
        // Others that want the same wait here, and find it.
        let mut entry = entry.lock().await;
        if !entry.looked_on_disk {
            entry.looked_on_disk = true;
            let kept = self
                .disk
                .as_ref()
                .and_then(|disk| disk.read(fetcher.sources, request));
            // Judged as when it arrived, once for all targets: what was spoilt on disk serves nobody.
            let kept = kept.filter(|kept| fetcher.fault(&kept.collateral, request, now).is_none());
            entry.held = kept.map(|fetched| Held::new(fetched, None, 0));
        }
        self.answer(&mut entry, Because::Asked, fetcher, request, now, jitter)
            .await
    }

    /// The same, after a quote did not verify with `doubted`: the set may be older than the machine, and is fetched again, at most
    /// once in a round and not more often than it is renewed. `None` where nothing newer came.
    pub async fn renewed(
        &self,
        doubted: &Arc<Fetched>,
        fetcher: CollateralFetcher<'_>,
        request: &CollateralRequest,
        now: u64,
        jitter: impl FnMut() -> u32,
    ) -> Option<Result<Arc<Fetched>, CollateralError>> {
        let entry = self.entry(request);
        let mut entry = entry.lock().await;
        match &entry.held {
            // Another target renewed it meanwhile.
            Some(held) if !Arc::ptr_eq(&held.fetched, doubted) => return Some(Ok(Arc::clone(&held.fetched))),
            Some(held)
                if held.round == Some(self.round.load(Ordering::Relaxed))
                    || held.tried_lately(now, self.max_age) =>
            {
                return None;
            }
            _ => {}
        }
        let renewed = self
            .answer(&mut entry, Because::Doubted, fetcher, request, now, jitter)
            .await;
        // It stands: what a source has in its place is older.
        let stands = renewed
            .as_ref()
            .is_ok_and(|renewed| Arc::ptr_eq(renewed, doubted));
        (!stands).then_some(renewed)
    }

    async fn answer(
        &self,
        entry: &mut CacheEntry,
        because: Because,
        fetcher: CollateralFetcher<'_>,
        request: &CollateralRequest,
        now: u64,
        jitter: impl FnMut() -> u32,
    ) -> Result<Arc<Fetched>, CollateralError> {
        let round = self.round.load(Ordering::Relaxed);
        let serves = |held: &&Held| {
            because == Because::Asked && held.serves(fetcher.sources, round, now, self.max_age)
        };
        if let Some(held) = entry.held.as_ref().filter(serves) {
            return Ok(Arc::clone(&held.fetched));
        }
        if let Some((_, error)) = entry.failed.as_ref().filter(|(failed, _)| *failed == round) {
            return Err(error.clone());
        }
        let sources = fetcher.sources;
        let answer = fetcher.fetch(request, now, jitter).await;
        let answer = answer.map(|fetched| Held::new(fetched, Some(round), now));
        let of_first = |held: &Held| sources.is_first(&held.fetched.source);
        // What is in date serves on if nothing better came: it was judged when it arrived, or when it was read from disk. It does not
        // give way to an older one, which may lack a revocation that this one has. A fallback that answers while the first source is
        // away must not put its set in the place of that one's, unless that one's is overdue or doubted.
        let serves_on = |held: &&mut Held| {
            let age = held.age(now);
            let better = answer.as_ref().is_ok_and(|new| {
                let may_follow = of_first(new)
                    || !of_first(held)
                    || age.reaches(self.max_age)
                    || because == Because::Doubted;
                let serves = new.fetched.fault.is_none();
                (serves && may_follow && new.edition.is_as_new_as(&held.edition))
                    || age.exceeds(COLLATERAL_LIMIT)
            });
            age.is_known() && held.in_date(now) && !better
        };
        if let Some(held) = entry.held.as_mut().filter(serves_on) {
            held.round = Some(round);
            held.tried_at = now;
            return Ok(Arc::clone(&held.fetched));
        }
        match answer {
            Ok(held) => {
                // Only what has dates of its own can be kept by them.
                if let (Some(disk), true) = (&self.disk, held.in_date(now)) {
                    disk.write(fetcher.sources, request, &held.fetched);
                }
                let fetched = Arc::clone(&held.fetched);
                entry.held = Some(held);
                entry.failed = None;
                Ok(fetched)
            }
            Err(error) => {
                entry.failed = Some((round, error.clone()));
                Err(error)
            }
        }
    }

    fn entry(&self, request: &CollateralRequest) -> Arc<tokio::sync::Mutex<CacheEntry>> {
        Arc::clone(self.locked().entry(*request).or_default())
    }

    /// A panic while the map was locked leaves the map as it was.
    fn locked(&self) -> MutexGuard<'_, CacheEntries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
