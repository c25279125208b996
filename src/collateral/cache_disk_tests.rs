//! Sets that a run before left on disk.

use super::*;

#[tokio::test]
async fn a_set_from_disk_needs_no_network_and_a_set_of_the_future_does() {
    let pccs = Pccs::new().await;
    let folder = tempfile::tempdir().expect("a folder");
    let fetched = pccs.get_from(folder.path(), pccs.start).await;
    let again = pccs.get_from(folder.path(), pccs.start).await;
    assert_eq!(*fetched, *again);
    assert_eq!(pccs.sets(), 1);
    pccs.get_from(folder.path(), pccs.start - 1).await;
    assert_eq!(pccs.sets(), 2);
}

/// Who can write the folder, or set the clock, would have a set serve for as long as its dates allow.
#[tokio::test]
async fn t25_a_set_that_says_it_was_fetched_in_the_future_serves_nobody() {
    let pccs = Pccs::new().await;
    let folder = tempfile::tempdir().expect("a folder");
    pccs.get_from(folder.path(), pccs.start + DAY).await;
    pccs.switch_off();
    let before = |seconds: u64| pccs.start + DAY - seconds;
    // Clocks differ, and by a minute nothing is hidden.
    pccs.get_from(folder.path(), before(60)).await;
    let store = on_disk(folder.path());
    pccs.get(&store, before(61))
        .await
        .expect_err("its age is not known");
    pccs.switch_on();
    store.new_round();
    let renewed = pccs.get(&store, before(61)).await.expect("a set");
    assert_eq!(renewed.fetched_at, before(61));
}

#[tokio::test]
async fn other_sources_have_files_of_their_own() {
    let (one, other) = (Pccs::new().await, Pccs::new().await);
    let folder = tempfile::tempdir().expect("a folder");
    one.get_from(folder.path(), one.start).await;
    other.get_from(folder.path(), other.start).await;
    assert_eq!((one.sets(), other.sets()), (1, 1));
}

#[tokio::test]
async fn garbage_in_the_folder_is_fetched_anew_and_replaced() {
    let pccs = Pccs::new().await;
    let folder = tempfile::tempdir().expect("a folder");
    let good = pccs.get_from(folder.path(), pccs.start).await;
    let file = only_file(folder.path());
    let text = std::fs::read_to_string(&file).expect("the file");
    let garbage = [
        Vec::new(),
        b"{".to_vec(),
        vec![0xff; 100],
        text.as_bytes()[..text.len() / 2].to_vec(),
        text.replace("/v2", "/v1").into_bytes(),
        text.replace("127.0.0.1", "api.trustedservices.intel.com")
            .into_bytes(),
        vec![b' '; usize::try_from(crate::collateral::disk::MAX_FILE_BYTES).expect("fits") + 1],
    ];
    for (count, garbage) in garbage.into_iter().enumerate() {
        std::fs::write(&file, garbage).expect("written");
        let again = pccs.get_from(folder.path(), pccs.start).await;
        assert_eq!(*again, *good, "garbage {count}");
        assert_eq!(pccs.sets(), count + 2, "garbage {count}");
        assert_eq!(std::fs::read_to_string(&file).expect("the file"), text);
    }
}

/// Opening a pipe waits until another process writes to it.
#[cfg(unix)]
#[tokio::test]
async fn a_pipe_in_the_folder_is_as_good_as_none() {
    let pccs = Pccs::new().await;
    let folder = tempfile::tempdir().expect("a folder");
    pccs.get_from(folder.path(), pccs.start).await;
    let file = only_file(folder.path());
    std::fs::remove_file(&file).expect("removed");
    let made = std::process::Command::new("mkfifo").arg(&file).status();
    assert!(made.expect("mkfifo").success());
    pccs.get_from(folder.path(), pccs.start).await;
    assert_eq!(pccs.sets(), 2);
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_as_good_as_none() {
    let pccs = Pccs::new().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "not a folder").expect("written");
    pccs.get_from(&file.join("cache"), pccs.start).await;
    // A folder where the file should be.
    pccs.get_from(folder.path(), pccs.start).await;
    std::fs::remove_file(&file).expect("removed");
    let name = only_file(folder.path());
    std::fs::remove_file(&name).expect("removed");
    std::fs::create_dir(&name).expect("made");
    pccs.get_from(folder.path(), pccs.start).await;
    assert_eq!(
        std::fs::read_dir(folder.path()).expect("the folder").count(),
        1,
        "no parts left"
    );
}

/// A host may run a newer TDX module than the set knows that a long run holds.
#[tokio::test]
async fn a_doubted_set_of_an_earlier_round_is_renewed_once_an_hour() {
    let pccs = Pccs::new().await;
    let (client, schedule) = (loopback::client(), Schedule::once());
    let fetcher = pccs.fetcher(&client, &schedule);
    let store = CollateralCache::in_memory();
    let mut held = pccs.get(&store, pccs.start).await.expect("a set");
    for (after, sets) in [
        (0, 1),
        (RENEW_PAUSE - 1, 1),
        (RENEW_PAUSE, 2),
        (RENEW_PAUSE + 1, 2),
    ] {
        let now = pccs.start + after;
        store.new_round();
        assert!(Arc::ptr_eq(&held, &pccs.get(&store, now).await.expect("a set")));
        if let Some(renewed) = store.renewed(&held, fetcher, &REQUEST, now, || 0).await {
            held = renewed.expect("a set");
        }
        assert_eq!(pccs.sets(), sets, "{after}");
    }
}

#[tokio::test]
async fn a_doubted_set_is_renewed_once_where_it_came_from_disk() {
    let pccs = Pccs::new().await;
    let folder = tempfile::tempdir().expect("a folder");
    let (client, schedule) = (loopback::client(), Schedule::once());
    let fetcher = pccs.fetcher(&client, &schedule);
    let fresh = on_disk(folder.path());
    let set = pccs.get(&fresh, pccs.start).await.expect("a set");
    assert!(
        fresh
            .renewed(&set, fetcher, &REQUEST, pccs.start, || 0)
            .await
            .is_none()
    );
    assert_eq!(pccs.sets(), 1);

    let kept = on_disk(folder.path());
    let (one, other) = (
        pccs.get(&kept, pccs.start).await.expect("a set"),
        pccs.get(&kept, pccs.start).await.expect("a set"),
    );
    let renewed = kept.renewed(&one, fetcher, &REQUEST, pccs.start, || 0).await;
    let renewed = renewed.expect("it came from disk").expect("a set");
    assert_eq!(pccs.sets(), 2);
    let second = kept.renewed(&other, fetcher, &REQUEST, pccs.start, || 0).await;
    assert!(Arc::ptr_eq(&second.expect("another").expect("a set"), &renewed));
    assert!(
        kept.renewed(&renewed, fetcher, &REQUEST, pccs.start, || 0)
            .await
            .is_none()
    );
    assert_eq!(pccs.sets(), 2);
}

/// What it says against a quote was true when Intel signed it, and nobody says otherwise.
#[tokio::test]
async fn a_doubted_set_from_disk_that_nobody_can_renew_serves_on() {
    let pccs = Pccs::new().await;
    let folder = tempfile::tempdir().expect("a folder");
    let (client, schedule) = (loopback::client(), Schedule::once());
    let fetcher = pccs.fetcher(&client, &schedule);
    pccs.get_from(folder.path(), pccs.start).await;
    pccs.switch_off();
    // It ends soon, so it was tried to renew it already.
    for now in [pccs.start, pccs.end - DAY] {
        let store = on_disk(folder.path());
        let kept = pccs.get(&store, now).await.expect("a set");
        for _ in 0..2 {
            let renewed = store.renewed(&kept, fetcher, &REQUEST, now, || 0).await;
            assert!(renewed.is_none());
        }
        let other = pccs.get(&store, now).await.expect("a set");
        assert!(Arc::ptr_eq(&kept, &other));
    }
    only_file(folder.path());
}

/// One digit of a signature, and all that relies on the set would be open for as long as it is kept.
#[tokio::test]
async fn a_set_that_was_spoilt_on_disk_serves_nobody() {
    let pccs = Pccs::new().await;
    let folder = tempfile::tempdir().expect("a folder");
    let (client, schedule) = (loopback::client(), Schedule::once());
    let fetcher = CollateralFetcher {
        root: Some(&TrustRoot::Intel),
        ..pccs.fetcher(&client, &schedule)
    };
    let get = async || {
        let store = on_disk(folder.path());
        store.get(fetcher, &REQUEST, pccs.start, || 0).await
    };
    let good = get().await.expect("a set");
    assert_eq!(good.fault, None);
    assert_eq!((get().await.expect("a set"), pccs.sets()), (good.clone(), 1));
    let file = only_file(folder.path());
    let text = std::fs::read_to_string(&file).expect("the file");
    let member = "tcb_info_signature\":\"";
    let at = text.find(member).expect("a signature") + member.len();
    let mut spoilt = text.clone();
    let digit = if text[at..].starts_with('0') { "1" } else { "0" };
    spoilt.replace_range(at..=at, digit);
    std::fs::write(&file, &spoilt).expect("written");
    assert_eq!((get().await.expect("a set"), pccs.sets()), (good, 2));
    assert_eq!(std::fs::read_to_string(&file).expect("the file"), text);
    std::fs::write(&file, &spoilt).expect("written");
    pccs.switch_off();
    get().await.expect_err("nothing serves");
}
