//! A store's folder: one process at a time, known formats only, and never less than there was.

use std::{fs, path::Path, sync::Arc};

use bytes::Bytes;
use orderkeep_store::{
    Backend, Change, Commit, EmbeddedStore, EntityId, Kind, OpenError, PartitionId, ReadError,
    SledConfig, SledStore, Store, backend_of,
};
use tempfile::TempDir;
use uuid::Uuid;

use crate::process::{Role, Running};

pub(crate) fn config(folder: &TempDir) -> SledConfig {
    SledConfig {
        ballast_bytes: 64 * 1024,
        cache_bytes: 16 * 1024 * 1024,
        ..SledConfig::new(folder.path().join("store"))
    }
}

pub(crate) fn step(number: u64, expected: u64) -> Commit {
    Commit {
        partition: PartitionId::ONLY,
        change: Some(Change {
            id: EntityId(Uuid::from_u128(u128::from(number))),
            kind: Kind(1),
            expected,
            events: vec![Bytes::from(format!("event {number} {expected}"))],
            view: Some(Bytes::from(vec![b'v'; 400])),
            labels: Vec::new(),
            wake_up: None,
            claims: Vec::new(),
        }),
        inbox: Vec::new(),
    }
}

/// A store with so many entities, closed.
async fn filled(config: &SledConfig, entities: u64) {
    let store = SledStore::open(config.clone()).unwrap();
    for number in 0..entities {
        store.commit(step(number, 0)).await.unwrap();
    }
    store.close().await.unwrap();
}

async fn events(store: &SledStore) -> usize {
    store.feed(None, 1_000).await.unwrap().entries.len()
}

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

fn refused(config: SledConfig) -> OpenError {
    SledStore::open(config).unwrap_err()
}

/// A store is opened twice.
///
/// The second process refuses to start and is told who holds the store.
#[tokio::test]
async fn f14_a_store_is_opened_twice() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let mut child = Running::start(Role::Hold, config.backend, &config.path);
    while child.line().unwrap() != "open." {}
    let error = refused(config.clone());
    let OpenError::InUse { holder, .. } = &error else {
        panic!("{error}");
    };
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let named = format!("process {} on {}, since ", child.id(), host.trim());
    assert!(holder.starts_with(&named), "{holder}");
    assert!(error.to_string().contains("end that process first"), "{error}");
    child.kill();
    // The lock went with its process; the text in it is of no meaning.
    SledStore::open(config).unwrap();
}

#[tokio::test]
async fn the_same_process_is_told_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let store = SledStore::open(config.clone()).unwrap();
    assert!(matches!(refused(config.clone()), OpenError::InUse { .. }));
    // Closed, the folder is free although the store is still held.
    store.close().await.unwrap();
    drop(SledStore::open(config.clone()).unwrap());
    drop(store);
    SledStore::open(config).unwrap();
}

#[tokio::test]
async fn a_newer_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    filled(&config, 1).await;
    let format = config.path.join("FORMAT");
    let ours = "orderkeep store, format 3, made with sled\n";
    assert_eq!(fs::read_to_string(&format).unwrap(), ours);
    fs::write(&format, "orderkeep store, format 4\n").unwrap();
    let error = refused(config.clone());
    assert!(matches!(error, OpenError::Newer { found: 4, .. }), "{error}");
    let strange = ["", "something else", "orderkeep store, format x\n"];
    let unknown = "orderkeep store, format 1, made with stone\n";
    for strange in strange.into_iter().chain([unknown]) {
        fs::write(&format, strange).unwrap();
        let error = refused(config.clone());
        assert!(matches!(error, OpenError::NotAStore { .. }), "{error}");
    }
    // The first stores did not say what they were made with.
    for known in ["orderkeep store, format 1\n", ours] {
        fs::write(&format, known).unwrap();
        assert_eq!(events(&SledStore::open(config.clone()).unwrap()).await, 1);
        // From here on a program that knows less does not open it.
        assert_eq!(fs::read_to_string(&format).unwrap(), ours);
    }
}

#[tokio::test]
async fn a_store_stays_with_its_backend() {
    for (made, other) in [(Backend::Sled, Backend::Redb), (Backend::Redb, Backend::Sled)] {
        let folder = tempfile::tempdir().unwrap();
        let config = config(&folder);
        assert_eq!(backend_of(&config.path).unwrap(), None);
        filled(&config.clone().backend(made), 3).await;
        assert_eq!(backend_of(&config.path).unwrap(), Some(made));
        let error = refused(config.clone().backend(other));
        assert!(matches!(error, OpenError::OtherBackend { .. }), "{error}");
        let said = error.to_string();
        assert!(said.contains(&format!("was made with {made}, not {other}")), "{said}");
        assert!(said.contains(&format!("store = \"{made}\"")), "{said}");
        assert!(!config.path.join(other.name()).exists());
        let store = EmbeddedStore::open(config.backend(made)).unwrap();
        assert_eq!(events(&store).await, 3);
    }
}

#[tokio::test]
async fn a_foreign_folder_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    fs::create_dir(&config.path).unwrap();
    fs::write(config.path.join("letters.txt"), "dear").unwrap();
    let error = refused(config.clone());
    assert!(matches!(error, OpenError::NotAStore { .. }), "{error}");
    assert!(error.to_string().contains("letters.txt"), "{error}");
    assert!(!config.path.join("sled").exists());
}

/// A crash while sled opens leaves a torn snapshot, which it would read as its newest one ever after.
#[tokio::test]
async fn a_torn_snapshot_does_not_lock_the_store() {
    let torn: [&[u8]; 2] = [b"", b"garbage that is no snapshot"];
    for content in torn {
        let folder = tempfile::tempdir().unwrap();
        let config = config(&folder);
        filled(&config, 20).await;
        let engine = config.path.join("sled");
        let name = "snap.00000000FFFFFFFF.generating";
        fs::write(engine.join(name), content).unwrap();
        // The twin that must fail: the engine alone cannot be opened any more.
        let alone = folder.path().join("alone");
        copy(&engine, &alone);
        let opened = std::panic::catch_unwind(|| sled::Config::new().path(alone).open().is_ok());
        assert!(!opened.unwrap_or(false), "sled has learned to open this");
        let store = SledStore::open(config).unwrap();
        assert_eq!(events(&store).await, 20);
        assert_eq!(store.check().await.unwrap().problems, Vec::<String>::new());
    }
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    filled(&config, 1).await;
    drop(SledStore::open(config.clone()).unwrap());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&config.path), 0o700);
    for name in ["LOCK", "FORMAT", "MARK", "BALLAST", "sled/db", "sled/conf"] {
        assert_eq!(mode(&config.path.join(name)), 0o600, "{name}");
    }
    // One that somebody opened up is closed again.
    fs::set_permissions(&config.path, fs::Permissions::from_mode(0o755)).unwrap();
    drop(SledStore::open(config.clone()).unwrap());
    assert_eq!(mode(&config.path), 0o700);
}

/// An engine that has lost everything opens as an empty one, without an error. The mark knows better.
#[tokio::test]
async fn an_emptied_store_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    filled(&config, 5).await;
    fs::remove_dir_all(config.path.join("sled")).unwrap();
    let error = refused(config.clone());
    assert!(matches!(error, OpenError::Lost { .. }), "{error}");
    let said = error.to_string();
    assert!(said.contains("ends at entry 0") && said.contains("reached 5"), "{said}");
    // It stays refused, and the mark stays as it is.
    assert!(matches!(refused(config.clone()), OpenError::Lost { .. }));
    // The twin that must fail: without the mark's word nobody notices.
    let accepted = SledConfig { accept_older: true, ..config.clone() };
    assert_eq!(events(&SledStore::open(accepted).unwrap()).await, 0);
    // Accepted once it is enough: the mark says from then on what there is.
    assert_eq!(events(&SledStore::open(config).unwrap()).await, 0);
}

/// A close writes every row; a process that only ends leaves them to the next open.
#[tokio::test]
async fn a_close_leaves_nothing_to_replay() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let store = SledStore::open(config.clone()).unwrap();
    for number in 0..20 {
        store.commit(step(number, 0)).await.unwrap();
    }
    store.close().await.unwrap();
    drop(store);
    let store = SledStore::open(config).unwrap();
    let stats = store.stats().await.unwrap();
    assert_eq!((stats.durable.0, stats.watermark.0), (20, 20));
    assert_eq!(stats.waiting_rows, 0);
}

#[tokio::test]
async fn an_older_copy_is_refused_by_a_mark_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere =
        SledConfig { mark_path: Some(folder.path().join("mark-elsewhere")), ..config(&folder) };
    filled(&elsewhere, 5).await;
    let older = folder.path().join("older");
    copy(&elsewhere.path, &older);
    let store = SledStore::open(elsewhere.clone()).unwrap();
    for number in 5..9 {
        store.commit(step(number, 0)).await.unwrap();
    }
    let cursor = store.feed(None, 3).await.unwrap().next;
    drop(store);
    fs::remove_dir_all(&elsewhere.path).unwrap();
    copy(&older, &elsewhere.path);
    let said = refused(elsewhere.clone()).to_string();
    assert!(said.contains("ends at entry 5") && said.contains("reached 9"), "{said}");
    // Accepted on purpose it is another life of the store, and followers are told.
    let accepted = SledConfig { accept_older: true, ..elsewhere.clone() };
    let store = SledStore::open(accepted).unwrap();
    assert_eq!(events(&store).await, 5);
    let gone = store.feed(Some(cursor), 10).await;
    assert!(matches!(gone, Err(ReadError::CursorGone { .. })), "{gone:?}");
    store.commit(step(5, 0)).await.unwrap();
    drop(store);
    // From then on it is an ordinary store again.
    assert_eq!(events(&SledStore::open(elsewhere).unwrap()).await, 6);
}

#[tokio::test]
async fn another_history_of_the_same_length_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere =
        SledConfig { mark_path: Some(folder.path().join("mark-elsewhere")), ..config(&folder) };
    filled(&elsewhere, 5).await;
    let older = folder.path().join("older");
    let old_mark = folder.path().join("old-mark");
    copy(&elsewhere.path, &older);
    fs::copy(folder.path().join("mark-elsewhere"), &old_mark).unwrap();
    let go_on = |first| {
        let elsewhere = elsewhere.clone();
        async move {
            let store = SledStore::open(elsewhere).unwrap();
            for number in first..first + 4 {
                store.commit(step(number, 0)).await.unwrap();
            }
            store.close().await.unwrap();
        }
    };
    go_on(5).await;
    let mark = fs::read(folder.path().join("mark-elsewhere")).unwrap();
    fs::remove_dir_all(&elsewhere.path).unwrap();
    copy(&older, &elsewhere.path);
    fs::copy(&old_mark, folder.path().join("mark-elsewhere")).unwrap();
    go_on(50).await;
    fs::write(folder.path().join("mark-elsewhere"), mark).unwrap();
    let said = refused(elsewhere).to_string();
    assert!(said.contains("another history"), "{said}");
}

#[tokio::test]
async fn a_missing_or_foreign_mark_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    filled(&config, 5).await;
    let other = tempfile::tempdir().unwrap();
    filled(&self::config(&other), 2).await;
    let mark = config.path.join("MARK");
    let mine = fs::read(&mark).unwrap();
    fs::remove_file(&mark).unwrap();
    let said = refused(config.clone()).to_string();
    assert!(said.contains("there is no mark"), "{said}");
    fs::copy(self::config(&other).path.join("MARK"), &mark).unwrap();
    let said = refused(config.clone()).to_string();
    assert!(said.contains("the mark is of"), "{said}");
    fs::write(&mark, mine).unwrap();
    assert_eq!(events(&SledStore::open(config).unwrap()).await, 5);
}

/// After a power cut the mark may be behind. It says "at least", so that is no reason to refuse.
#[tokio::test]
async fn a_mark_that_is_behind_is_enough() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    filled(&config, 3).await;
    let mark = config.path.join("MARK");
    let behind = fs::read(&mark).unwrap();
    let store = SledStore::open(config.clone()).unwrap();
    store.commit(step(3, 0)).await.unwrap();
    drop(store);
    fs::write(&mark, behind).unwrap();
    assert_eq!(events(&SledStore::open(config).unwrap()).await, 4);
}

#[tokio::test]
async fn figures_say_how_it_is_doing() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let store = Arc::new(SledStore::open(config).unwrap());
    for number in 0..50 {
        store.commit(step(number, 0)).await.unwrap();
    }
    let stats = store.stats().await.unwrap();
    assert_eq!(stats.durable.0, 50);
    assert!(stats.watermark <= stats.durable);
    assert!(stats.size > 0);
    let report = store.check().await.unwrap();
    assert_eq!((report.entries, report.events, report.entities), (50, 50, 50));
    assert!(report.records < 51);
    let settled = store.stats().await.unwrap();
    assert_eq!(settled.watermark, settled.durable);
    assert_eq!((settled.waiting_rows, settled.waiting_bytes), (0, 0));
}
