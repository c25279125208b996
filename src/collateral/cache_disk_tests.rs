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

/// A set that could not be renewed in time may be spoilt anyway: what it says against a quote is not known then.
#[tokio::test]
async fn a_doubted_set_from_disk_that_nobody_can_renew_is_an_error_and_stays_for_the_others() {
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
            assert!(renewed.expect("it came from disk").is_err());
        }
        let other = pccs.get(&store, now).await.expect("a set");
        assert!(Arc::ptr_eq(&kept, &other));
    }
    only_file(folder.path());
}
