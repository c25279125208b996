//! One fetch for all, kept for `max_age`, and longer only if nothing newer comes.

#[path = "cache_disk_tests.rs"]
mod disk;

use std::path::Path;
use std::sync::atomic::AtomicBool;

use url::Url;

use super::*;
use crate::collateral::{PckCa, fake};
use crate::net::Client;
use crate::net::loopback::{self, RequestLog, answer};
use crate::net::retry::Schedule;
use cvm_verify_core::evidence::collateral;
use cvm_verify_core::verify::{TrustRoot, UnusableCollateral};

const REQUEST: CollateralRequest = CollateralRequest {
    fmspc: [0xb0, 0xc0, 0x6f, 0, 0, 0],
    ca: PckCa::Platform,
};

const DAY: u64 = 24 * 60 * 60;

/// A PCCS that can be switched off, with a genuine set, and the dates of that set.
struct Pccs {
    url: Url,
    sources: Sources,
    asked: RequestLog,
    down: Arc<AtomicBool>,
    start: u64,
    end: u64,
}

impl Pccs {
    async fn new() -> Self {
        Self::serving(|_| ()).await
    }

    /// One whose set was changed.
    async fn serving(change: impl FnOnce(&mut dcap_qvl::QuoteCollateralV3)) -> Self {
        let json = include_bytes!("../../fixtures/dcap-qvl/tdx_quote_collateral.json");
        let mut collateral = collateral::parse(json).expect("the fixture");
        collateral.pck_certificate_chain = None;
        change(&mut collateral);
        let windows = Windows::read(&collateral, None).expect("dates");
        let start = windows.latest_start().expect("parts").not_before;
        let end = windows.earliest_end().expect("parts").not_after;
        let down = Arc::new(AtomicBool::new(false));
        let (serve, off) = (fake::serving(collateral), Arc::clone(&down));
        let (url, asked) = loopback::routes(move |target| {
            if off.load(Ordering::Relaxed) {
                answer(404, &[], b"")
            } else {
                serve(target)
            }
        })
        .await;
        Self {
            sources: Sources::only(&url),
            url,
            asked,
            down,
            start,
            end,
        }
    }

    async fn get(&self, store: &CollateralCache, now: u64) -> Result<Arc<Fetched>, CollateralError> {
        let (client, schedule) = (loopback::client(), Schedule::once());
        store
            .get(self.fetcher(&client, &schedule), &REQUEST, now, || 0)
            .await
    }

    /// A set from a cache in a folder, or fetched.
    async fn get_from(&self, folder: &Path, now: u64) -> Arc<Fetched> {
        self.get(&on_disk(folder), now).await.expect("a set")
    }

    fn fetcher<'a>(&'a self, client: &'a Client, schedule: &'a Schedule) -> CollateralFetcher<'a> {
        fetcher(client, &self.sources, schedule)
    }

    /// How many sets were asked for.
    fn sets(&self) -> usize {
        let asked = self.asked.lock().expect("the list");
        asked.iter().filter(|target| target.contains("/tcb?")).count()
    }

    fn switch_off(&self) {
        self.down.store(true, Ordering::Relaxed);
    }

    fn switch_on(&self) {
        self.down.store(false, Ordering::Relaxed);
    }
}

fn fetcher<'a>(client: &'a Client, sources: &'a Sources, schedule: &'a Schedule) -> CollateralFetcher<'a> {
    CollateralFetcher {
        client,
        sources,
        schedule,
        root: None,
    }
}

fn on_disk(folder: &Path) -> CollateralCache {
    CollateralCache::on_disk(Disk::new(folder.to_owned()))
}

fn only_file(folder: &Path) -> std::path::PathBuf {
    let files: Vec<_> = std::fs::read_dir(folder).expect("the folder").collect();
    assert_eq!(files.len(), 1);
    files[0].as_ref().expect("an entry").path()
}

#[tokio::test]
async fn many_who_ask_at_once_share_one_fetch() {
    let pccs = Pccs::new().await;
    let store = CollateralCache::in_memory();
    let now = pccs.start + 1;
    let (a, b, c) = tokio::join!(
        pccs.get(&store, now),
        pccs.get(&store, now),
        pccs.get(&store, now)
    );
    let (a, b, c) = (a.expect("a set"), b.expect("a set"), c.expect("a set"));
    assert!(Arc::ptr_eq(&a, &b) && Arc::ptr_eq(&a, &c));
    assert_eq!(pccs.sets(), 1);
}

#[tokio::test]
async fn a_failure_is_shared_within_a_round_and_forgotten_by_the_next() {
    let pccs = Pccs::new().await;
    pccs.switch_off();
    let store = CollateralCache::in_memory();
    let first = pccs.get(&store, pccs.start).await.expect_err("down");
    assert_eq!(pccs.get(&store, pccs.start).await.expect_err("down"), first);
    assert_eq!(pccs.sets(), 1);
    store.new_round();
    pccs.down.store(false, Ordering::Relaxed);
    pccs.get(&store, pccs.start).await.expect("up again");
    assert_eq!(pccs.sets(), 2);
}

#[tokio::test]
async fn a_host_that_names_ever_new_platforms_fills_no_memory() {
    let pccs = Pccs::new().await;
    let (client, schedule) = (loopback::client(), Schedule::once());
    let store = CollateralCache::in_memory();
    pccs.get(&store, pccs.start).await.expect("a set");
    pccs.switch_off();
    for number in 0..50 {
        let request = CollateralRequest {
            fmspc: [number, 0, 0, 0, 0, 1],
            ..REQUEST
        };
        let fetcher = pccs.fetcher(&client, &schedule);
        store
            .get(fetcher, &request, pccs.start, || 0)
            .await
            .expect_err("it is down");
    }
    assert_eq!(store.locked().len(), 51);
    store.new_round();
    assert_eq!(store.locked().len(), 1);
    pccs.get(&store, pccs.start).await.expect("the set is still held");
}

#[tokio::test]
async fn a_set_is_fetched_anew_when_it_is_a_day_old_and_not_before() {
    let pccs = Pccs::new().await;
    let store = CollateralCache::in_memory();
    for (after, sets) in [
        (0, 1),
        (DAY - 1, 1),
        (DAY, 2),
        (DAY + 60, 2),
        (2 * DAY - 1, 2),
        (2 * DAY, 3),
    ] {
        store.new_round();
        let set = pccs.get(&store, pccs.start + after).await.expect("a set");
        assert_eq!(pccs.sets(), sets, "{after}");
        assert!(pccs.start + after - set.fetched_at < DAY, "{after}");
    }
    // Also within a round, and for another age.
    let store = CollateralCache::in_memory().refetching_after("10m".parse().expect("an age"));
    for (after, sets) in [(0, 4), (599, 4), (600, 5), (1199, 5)] {
        pccs.get(&store, pccs.start + after).await.expect("a set");
        assert_eq!(pccs.sets(), sets, "{after}");
    }
}

#[tokio::test]
async fn a_set_that_ends_soon_is_renewed() {
    let pccs = Pccs::new().await;
    let store = CollateralCache::in_memory();
    let soon = pccs.end - FORECAST;
    for (now, sets) in [
        (soon - 2 * RENEW_PAUSE, 1),
        (soon, 1),
        (soon + 1, 2),
        // Just tried.
        (soon + 2, 2),
        (soon + 1 + RENEW_PAUSE, 3),
        // It has ended.
        (pccs.end + 1, 4),
    ] {
        store.new_round();
        pccs.get(&store, now).await.expect("a set");
        assert_eq!(pccs.sets(), sets, "{now}");
    }
}

/// Its time is that of its own fetch: anyone who judges it sees how old it is.
#[tokio::test]
async fn a_set_that_cannot_be_fetched_anew_serves_on_and_keeps_its_time() {
    let pccs = Pccs::new().await;
    let folder = tempfile::tempdir().expect("a folder");
    pccs.get_from(folder.path(), pccs.start).await;
    pccs.switch_off();
    let store = on_disk(folder.path());
    for (after, sets) in [
        (3 * DAY, 2),
        (3 * DAY + RENEW_PAUSE - 1, 2),
        (3 * DAY + RENEW_PAUSE, 3),
        (9 * DAY, 4),
    ] {
        store.new_round();
        let set = pccs.get(&store, pccs.start + after).await.expect("it is in date");
        assert_eq!((set.fetched_at, pccs.sets()), (pccs.start, sets), "{after}");
    }
    pccs.switch_on();
    let now = pccs.start + 10 * DAY;
    assert_eq!(pccs.get_from(folder.path(), now).await.fetched_at, now);
    assert_eq!(pccs.get_from(folder.path(), now + 60).await.fetched_at, now);
    // A clock that was set back: when it was fetched is not known.
    let before = pccs.start + DAY;
    assert_eq!(pccs.get_from(folder.path(), before).await.fetched_at, before);
}

/// The same set as it could have been a year before, by its TCB info.
fn older(collateral: &mut dcap_qvl::QuoteCollateralV3) {
    let dates = Windows::read(collateral, None).expect("dates");
    let issued = dates
        .parts()
        .iter()
        .find(|part| part.what == "TCB info")
        .expect("a part")
        .not_before;
    let year = cvm_verify_core::report::rfc3339(issued)
        .get(..4)
        .expect("a year")
        .to_owned();
    let field = format!("\"issueDate\":\"{year}");
    let before: u32 = year.parse().expect("a year");
    assert!(collateral.tcb_info.contains(&field));
    collateral.tcb_info = collateral
        .tcb_info
        .replace(&field, &format!("\"issueDate\":\"{}", before - 1));
}

/// The newer list of revocations is kept if a source serves an older one, also after a quote was refused with it.
#[tokio::test]
async fn t25_a_set_in_date_gives_way_to_an_older_one_of_its_own_source_after_a_week_alone() {
    let json = include_bytes!("../../fixtures/dcap-qvl/tdx_quote_collateral.json");
    let new = collateral::parse(json).expect("the fixture");
    let mut old = new.clone();
    older(&mut old);
    let dates = Windows::read(&new, None).expect("dates");
    let start = dates.latest_start().expect("parts").not_before;
    let is_old = Arc::new(AtomicBool::new(false));
    let (serves_new, serves_old, asks_old) = (fake::serving(new), fake::serving(old), Arc::clone(&is_old));
    let (url, _) = loopback::routes(move |target| match asks_old.load(Ordering::Relaxed) {
        true => serves_old(target),
        false => serves_new(target),
    })
    .await;
    let (client, schedule, sources) = (loopback::client(), Schedule::once(), Sources::only(&url));
    let fetcher = fetcher(&client, &sources, &schedule);
    let folder = tempfile::tempdir().expect("a folder");
    let first = on_disk(folder.path()).get(fetcher, &REQUEST, start, || 0).await;
    let first = first.expect("a set");
    is_old.store(true, Ordering::Relaxed);
    for (after, is_kept) in [(0, true), (2 * DAY, true), (7 * DAY + 1, false)] {
        let store = on_disk(folder.path());
        let now = start + after;
        let set = store.get(fetcher, &REQUEST, now, || 0).await.expect("a set");
        assert_eq!(set.collateral == first.collateral, is_kept, "{after}");
        if is_kept {
            let renewed = store.renewed(&set, fetcher, &REQUEST, now, || 0).await;
            assert!(renewed.is_none(), "{after}");
            let again = store.get(fetcher, &REQUEST, now, || 0).await.expect("a set");
            assert!(Arc::ptr_eq(&set, &again), "{after}");
        }
    }
}

/// T25: what the fallback says while the first source is away may be newer than what is kept, or an older set that is
/// still in date.
#[tokio::test]
async fn t25_an_overdue_set_gives_way_to_a_fallback_that_is_as_new_and_to_an_older_one_after_a_week() {
    type Change = fn(&mut dcap_qvl::QuoteCollateralV3);
    for (change, days_of_first) in [(None::<Change>, 1), (Some(older as Change), 7)] {
        let first = Pccs::new().await;
        let fallback =
            Pccs::serving(|collateral| change.into_iter().for_each(|change| change(collateral))).await;
        let urls: Vec<Url> = [&first, &fallback].map(|pccs| pccs.url.clone()).into();
        let sources = Sources::in_order(&[&urls[0], &urls[1]]);
        let (client, schedule) = (loopback::client(), Schedule::once());
        let fetcher = fetcher(&client, &sources, &schedule);
        let folder = tempfile::tempdir().expect("a folder");
        let store = on_disk(folder.path());
        store
            .get(fetcher, &REQUEST, first.start, || 0)
            .await
            .expect("a set");
        first.switch_off();
        for (after, of_first) in [(days_of_first * DAY - 1, true), (days_of_first * DAY + 1, false)] {
            let store = on_disk(folder.path());
            let set = store
                .get(fetcher, &REQUEST, first.start + after, || 0)
                .await
                .expect("a set");
            assert_eq!(
                sources.is_first(&set.source),
                of_first,
                "{days_of_first}: {after}"
            );
        }
    }
}

#[tokio::test]
async fn a_set_that_cannot_be_renewed_serves_until_it_ends_and_not_longer() {
    let pccs = Pccs::new().await;
    let store = CollateralCache::in_memory();
    pccs.get(&store, pccs.start).await.expect("a set");
    pccs.switch_off();
    store.new_round();
    pccs.get(&store, pccs.end).await.expect("still in date");
    store.new_round();
    let ended = pccs.get(&store, pccs.end + 1).await.expect_err("ended");
    assert!(
        matches!(ended.unusable(&REQUEST), UnusableCollateral::NotServed { .. }),
        "{ended}"
    );
}

/// T25: the fallback is run by the operator of the hosts. What it served in an outage of the first source, perhaps an
/// older set that is still in date, must not stand for weeks once the first source is back.
#[tokio::test]
async fn t25_a_set_of_the_fallback_serves_no_longer_than_the_first_source_is_away() {
    let (first, fallback) = (Pccs::new().await, Pccs::new().await);
    let urls: Vec<Url> = [&first, &fallback].map(|pccs| pccs.url.clone()).into();
    let sources = Sources::in_order(&[&urls[0], &urls[1]]);
    let (client, schedule) = (loopback::client(), Schedule::once());
    let fetcher = fetcher(&client, &sources, &schedule);
    let source_of = async |store: &CollateralCache, now| {
        let fetched = store.get(fetcher, &REQUEST, now, || 0).await.expect("a set");
        fetched.source.clone()
    };
    let name = |url: &Url| format!("127.0.0.1:{}", url.port().expect("a port"));
    let folder = tempfile::tempdir().expect("a folder");

    first.switch_off();
    let store = on_disk(folder.path());
    assert_eq!(source_of(&store, first.start).await, name(&urls[1]));
    // Within the hour nobody asks again; after it, and in a new run, the first source is asked first.
    store.new_round();
    assert_eq!(
        source_of(&store, first.start + RENEW_PAUSE - 1).await,
        name(&urls[1])
    );
    assert_eq!(fallback.sets(), 1);
    first.switch_on();
    store.new_round();
    assert_eq!(source_of(&store, first.start + RENEW_PAUSE).await, name(&urls[0]));

    first.switch_off();
    std::fs::remove_file(only_file(folder.path())).expect("the kept set");
    assert_eq!(
        source_of(&on_disk(folder.path()), first.start).await,
        name(&urls[1])
    );
    first.switch_on();
    assert_eq!(
        source_of(&on_disk(folder.path()), first.start).await,
        name(&urls[0])
    );
    // A set of the first that ends soon serves on where only the fallback answers.
    let soon = first.end - DAY;
    assert_eq!(
        source_of(&on_disk(folder.path()), soon - 60).await,
        name(&urls[0])
    );
    first.switch_off();
    assert_eq!(source_of(&on_disk(folder.path()), soon).await, name(&urls[0]));
    // Where both are away, what is kept serves.
    fallback.switch_off();
    assert_eq!(source_of(&on_disk(folder.path()), soon).await, name(&urls[0]));
}

#[tokio::test]
async fn a_set_without_dates_serves_its_round_and_is_not_kept() {
    let (url, asked): (Url, RequestLog) = fake::pccs().await;
    let sources = Sources::only(&url);
    let folder = tempfile::tempdir().expect("a folder");
    let store = on_disk(&folder.path().join("cache"));
    let (client, schedule) = (loopback::client(), Schedule::once());
    for expected in [4, 4] {
        let fetcher = fetcher(&client, &sources, &schedule);
        store.get(fetcher, &REQUEST, 0, || 0).await.expect("a set");
        assert_eq!(asked.lock().expect("the list").len(), expected);
    }
    assert!(!folder.path().join("cache").exists());
}
