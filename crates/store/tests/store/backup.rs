//! A copy while the store goes on, and the store that is made of it: all of one moment, checked, and a life of its own.

use std::{fs, io::Write as _, path::Path};

use orderkeep_store::{
    BackupError, EmbeddedConfig, EmbeddedStore, Event, MemoryStore, ReadError, RestoreError, Store,
    Tuning, kv::MemoryKv, restore, verify_backup,
};
use tempfile::TempDir;

use crate::folder::{config, step};

/// Writes a backup of everything that is durable now.
async fn backup(store: &dyn Store, file: &Path) -> u64 {
    let mut backup = store.backup().await.unwrap();
    let mut file = fs::File::create(file).unwrap();
    while let Some(chunk) = backup.next().await {
        file.write_all(&chunk.unwrap()).unwrap();
    }
    backup.position.0
}

async fn fill(store: &dyn Store, entities: std::ops::Range<u64>) {
    for number in entities {
        for version in 0..3 {
            store.commit(step(number, version)).await.unwrap();
        }
    }
}

async fn history(store: &dyn Store, number: u64) -> Vec<Event> {
    let id = step(number, 0).change.unwrap().id;
    store.history(id, 0, 1_000).await.unwrap()
}

fn target(folder: &TempDir) -> EmbeddedConfig {
    EmbeddedConfig { path: folder.path().join("restored"), ..config(folder) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_made_while_commits_go_on_is_of_one_moment() {
    let folder = tempfile::tempdir().unwrap();
    let store = std::sync::Arc::new(EmbeddedStore::open(config(&folder)).unwrap());
    fill(&*store, 0..40).await;
    let going_on = {
        let store = std::sync::Arc::clone(&store);
        tokio::spawn(async move { fill(&*store, 40..80).await })
    };
    let file = folder.path().join("backup");
    let position = backup(&*store, &file).await;
    going_on.await.unwrap();
    assert!((120..=240).contains(&position), "{position}");
    let info = verify_backup(fs::File::open(&file).unwrap(), |_| {}).unwrap();
    assert_eq!((info.position.0, info.entries), (position, position));

    let mut told = 0;
    let made = restore(&file, &target(&folder), |_, _| told += 1).unwrap();
    assert!(told > 0);
    assert_eq!(made.check.entries, position);
    let copy = EmbeddedStore::open(target(&folder)).unwrap();
    assert_eq!(copy.incarnation().restored_from, Some(store.incarnation().id));
    assert_eq!(copy.durable().borrow().0, position);
    // Everything up to the moment, and nothing after it.
    let before = store.feed(None, 1_000).await.unwrap().entries;
    let after = copy.feed(None, 1_000).await.unwrap().entries;
    assert_eq!(after.len() as u64, position);
    for (one, other) in before.iter().zip(&after) {
        assert_eq!((one.id, one.version, &one.bytes), (other.id, other.version, &other.bytes));
    }
    for number in 0..40 {
        assert_eq!(history(&*store, number).await, history(&copy, number).await);
    }
    // A follower of the old life is told so.
    let gone = copy.feed(Some(before[7].cursor), 10).await;
    assert!(matches!(gone, Err(ReadError::CursorGone { .. })), "{gone:?}");
    // It goes on like any store, and is opened again like any store.
    fill(&copy, 100..101).await;
    copy.close().await.unwrap();
    drop(copy);
    let again = EmbeddedStore::open(target(&folder)).unwrap();
    assert_eq!(again.check().await.unwrap().problems, Vec::<String>::new());
    assert_eq!(again.incarnation(), made.incarnation);
}

/// From one backend into another, since the copy knows none.
#[cfg(feature = "redb")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_goes_into_any_backend() {
    let folder = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(config(&folder)).unwrap();
    fill(&store, 0..10).await;
    let file = folder.path().join("backup");
    backup(&store, &file).await;
    let other = target(&folder).backend(orderkeep_store::Backend::Redb);
    assert_eq!(restore(&file, &other, |_, _| {}).unwrap().check.entries, 30);
    let copy = EmbeddedStore::open(other).unwrap();
    assert_eq!(history(&store, 3).await, history(&copy, 3).await);
}

#[tokio::test]
async fn a_copy_goes_into_memory_too_and_a_cut_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let store = MemoryStore::new();
    fill(&store, 0..10).await;
    let file = folder.path().join("backup");
    let position = backup(&store, &file).await;
    let whole = fs::read(&file).unwrap();
    let made = |bytes: &[u8]| {
        let (kv, tuning) = (std::sync::Arc::new(MemoryKv::new()), Tuning::embedded());
        MemoryStore::restore(bytes, kv, uuid::Uuid::from_u128(7), tuning)
    };
    let copy = made(&whole).unwrap();
    assert_eq!(copy.incarnation().id.as_u128(), 7);
    assert_eq!(copy.incarnation().restored_from, Some(store.incarnation().id));
    assert_eq!(copy.durable().borrow().0, position);
    for number in 0..10 {
        assert_eq!(history(&store, number).await, history(&copy, number).await);
    }
    made(&whole[..whole.len() - 1]).unwrap_err();
}

#[tokio::test]
async fn every_changed_byte_and_every_cut_is_found() {
    let store = MemoryStore::new();
    fill(&store, 0..3).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup");
    backup(&store, &file).await;
    let whole = fs::read(&file).unwrap();
    verify_backup(&whole[..], |_| {}).unwrap();
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        assert!(verify_backup(&changed[..], |_| {}).is_err(), "byte {at}");
        assert!(verify_backup(&whole[..at], |_| {}).is_err(), "cut at {at}");
    }
    let longer = [&whole[..], b"more"].concat();
    assert!(verify_backup(&longer[..], |_| {}).is_err());
    assert!(matches!(
        verify_backup(&b"a letter"[..], |_| {}),
        Err(BackupError::Damaged(_) | BackupError::NotABackup)
    ));
}

#[tokio::test]
async fn an_empty_store_has_a_copy_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup");
    let store = MemoryStore::new();
    assert_eq!(backup(&store, &file).await, 0);
    restore(&file, &target(&folder), |_, _| {}).unwrap();
    let copy = EmbeddedStore::open(target(&folder)).unwrap();
    assert_eq!(copy.incarnation().restored_from, Some(store.incarnation().id));
}

#[tokio::test]
async fn a_restore_takes_nobodys_place_and_leaves_no_half() {
    let folder = tempfile::tempdir().unwrap();
    let store = MemoryStore::new();
    fill(&store, 0..3).await;
    let file = folder.path().join("backup");
    backup(&store, &file).await;
    let target = target(&folder);
    // Something is there.
    fs::create_dir(&target.path).unwrap();
    fs::write(target.path.join("letters.txt"), "dear").unwrap();
    let refused = restore(&file, &target, |_, _| {}).unwrap_err();
    assert!(matches!(refused, RestoreError::NotEmpty(_)), "{refused}");
    fs::remove_file(target.path.join("letters.txt")).unwrap();
    // The mark of another store is where this one's is to be.
    let mark = folder.path().join("mark");
    fs::write(&mark, "").unwrap();
    let elsewhere = EmbeddedConfig { mark_path: Some(mark), ..target.clone() };
    let refused = restore(&file, &elsewhere, |_, _| {}).unwrap_err();
    assert!(matches!(refused, RestoreError::MarkInUse(_)), "{refused}");
    // Damaged: refused before anything is made.
    let mut changed = fs::read(&file).unwrap();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    let bad = folder.path().join("bad");
    fs::write(&bad, changed).unwrap();
    let refused = restore(&bad, &target, |_, _| {}).unwrap_err();
    assert!(matches!(refused, RestoreError::Backup { .. }), "{refused}");
    assert_eq!(fs::read_dir(&target.path).unwrap().count(), 0);
    // What a restore that was killed has left is no hindrance.
    let left = folder.path().join("restored.restoring");
    fs::create_dir(&left).unwrap();
    fs::write(left.join("half"), "").unwrap();
    restore(&file, &target, |_, _| {}).unwrap();
    assert!(!left.exists());
    assert_eq!(EmbeddedStore::open(target).unwrap().durable().borrow().0, 9);
}
