//! Whole folders as every version wrote them, killed in the middle of their work: today's program opens them, and
//! everything that can be read is what was read then.
//!
//! A folder under `fixtures/` is written once, by the version that it is named after, and never again. A change of the
//! records or of the layout adds one beside it.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use orderkeep_store::{Backend, EmbeddedConfig, EmbeddedStore, EntityId, Kind, PartitionId, Store};
use tempfile::TempDir;

/// Each with the backend that made it.
const FOLDERS: [(&str, Backend); 3] = [
    ("v1/folder", Backend::Sled),
    ("v2/folder-sled", Backend::Sled),
    ("v2/folder-redb", Backend::Redb),
];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// Everything the port shows, as text.
async fn dump(store: &dyn Store) -> String {
    let mut text = String::new();
    let mut kinds: BTreeMap<Kind, Vec<EntityId>> = BTreeMap::new();
    let mut after = None;
    loop {
        let page = store.feed(after, 100).await.unwrap();
        for entry in &page.entries {
            let ids = kinds.entry(entry.kind).or_default();
            if !ids.contains(&entry.id) {
                ids.push(entry.id);
            }
            writeln!(text, "feed {} {} {}", entry.cursor, entry.id.0, entry.version).unwrap();
        }
        if page.entries.is_empty() {
            break;
        }
        after = Some(page.next);
    }
    for (kind, ids) in kinds {
        for id in ids {
            let entity = store.load(id).await.unwrap().unwrap();
            writeln!(
                text,
                "entity {} kind {} partition {} version {} labels {:?} wake-up {:?} view {}",
                id.0,
                entity.kind.0,
                entity.partition.0,
                entity.version,
                entity.labels,
                entity.wake_up,
                hex(&entity.view),
            )
            .unwrap();
            for event in store.history(id, 0, 1_000).await.unwrap() {
                writeln!(text, "event {} {} {}", id.0, event.version, hex(&event.bytes)).unwrap();
            }
        }
        writeln!(text, "counts of kind {}: {:?}", kind.0, store.counts(kind).await.unwrap())
            .unwrap();
    }
    for due in store.due(PartitionId::ONLY, i64::MAX, 1_000).await.unwrap() {
        writeln!(text, "due {} {}", due.at, due.id.0).unwrap();
    }
    for item in store.inbox(None, 1_000).await.unwrap() {
        writeln!(
            text,
            "inbox {} {} {} {:?} {}",
            item.seq.0,
            item.account,
            item.received_at,
            item.parked,
            hex(&item.body)
        )
        .unwrap();
    }
    text
}

#[tokio::test]
async fn a_folder_of_every_version_is_read() {
    for (name, backend) in FOLDERS {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("store");
        fs::create_dir(&path).unwrap();
        let unpacked = Command::new("tar")
            .arg("-xzf")
            .arg(fixture(&format!("{name}.tar.gz")))
            .arg("-C")
            .arg(&path)
            .status()
            .unwrap();
        assert!(unpacked.success());
        let open = || EmbeddedStore::open(EmbeddedConfig::new(&path).backend(backend)).unwrap();
        let store = open();
        let found = dump(&store).await;
        let expected = fs::read_to_string(fixture(&format!("{name}.txt"))).unwrap_or_default();
        assert!(found == expected, "{name} reads differently, as:\n{found}");
        assert_eq!(store.check().await.unwrap().problems, Vec::<String>::new(), "{name}");
        // Written by today's program from here on, it is read all the same.
        store.close().await.unwrap();
        drop(store);
        let store = open();
        assert_eq!(dump(&store).await, expected, "{name}, opened again");
    }
}
