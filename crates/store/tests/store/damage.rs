//! Damage at rest: a file of the engine is flipped, zeroed, cut, emptied or lengthened, at many places. The store refuses
//! to open, or a check finds it, or everything is there. It never shows less without a word.

use std::{collections::BTreeMap, fs, path::Path};

use orderkeep_store::{Backend, EmbeddedConfig, EmbeddedStore, Store};
use tempfile::TempDir;

use crate::folder::{config, copy, step};

/// What is in the store before it is damaged.
const ENTITIES: u64 = 120;
const STEPS: u64 = 4;

/// How the store took it.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Refused,
    Found,
    Harmless,
    /// Opens, checks well, and something is missing.
    Less,
}

async fn fill(config: &EmbeddedConfig) {
    let store = EmbeddedStore::open(config.clone()).unwrap();
    for expected in 0..STEPS {
        for number in 0..ENTITIES {
            store.commit(step(number, expected)).await.unwrap();
        }
    }
    // Half of the rows are behind, as after a kill.
    drop(store);
    let store = EmbeddedStore::open(config.clone()).unwrap();
    store.check().await.unwrap();
    store.commit(step(ENTITIES, 0)).await.unwrap();
}

/// Every acknowledged step is read back, entity by entity.
async fn complete(store: &EmbeddedStore) -> Result<bool, orderkeep_store::ReadError> {
    for number in 0..=ENTITIES {
        let steps = if number == ENTITIES { 1 } else { STEPS };
        let id = orderkeep_store::EntityId(uuid::Uuid::from_u128(u128::from(number)));
        let version = store.load(id).await?.map_or(0, |entity| entity.version);
        let history = store.history(id, 0, 100).await?;
        let expected = (0..steps).map(|step| format!("event {number} {step}"));
        if version != steps || !expected.eq(history.iter().map(text)) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn text(event: &orderkeep_store::Event) -> String {
    String::from_utf8_lossy(&event.bytes).into_owned()
}

async fn verdict(config: EmbeddedConfig) -> Verdict {
    let Ok(store) = EmbeddedStore::open(config) else {
        return Verdict::Refused;
    };
    match store.check().await {
        Ok(report) if report.problems.is_empty() => match complete(&store).await {
            Ok(true) => Verdict::Harmless,
            Ok(false) => Verdict::Less,
            Err(_) => Verdict::Found,
        },
        Ok(_) | Err(_) => Verdict::Found,
    }
}

/// Changes a file's bytes; what it does, and at which part of the file.
type Damage = fn(&mut Vec<u8>, usize);

const DAMAGES: [(&str, Damage); 6] = [
    ("flip a byte", |bytes, at| bytes[at] ^= 0x10),
    ("zero 4 KiB", |bytes, at| {
        let end = bytes.len().min(at + 4096);
        bytes[at..end].fill(0);
    }),
    ("garbage over 512 B", |bytes, at| {
        let end = bytes.len().min(at + 512);
        bytes[at..end].fill(0xa7);
    }),
    ("cut off the rest", |bytes, at| bytes.truncate(at)),
    ("empty", |bytes, _| bytes.clear()),
    ("garbage behind the end", |bytes, at| {
        bytes.extend(std::iter::repeat_n(0xa7, 1 + at % 20_000));
    }),
];

/// Places in the file; its log is written in segments of 512 KiB, so that not all of them hold data.
const PLACES: usize = 11;

async fn damaged(original: &EmbeddedConfig, file: &str, damage: Damage, place: usize) -> Verdict {
    let folder = TempDir::new().unwrap();
    let config = config(&folder).backend(original.backend);
    copy(&original.path, &config.path);
    let path = config.path.join(config.backend.name()).join(file);
    let mut bytes = fs::read(&path).unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap_or(0);
    damage(&mut bytes, used * place / PLACES);
    fs::write(&path, bytes).unwrap();
    verdict(config).await
}

#[tokio::test]
async fn damage_is_never_silent() {
    damage_everywhere(Backend::Sled).await;
}

#[tokio::test]
async fn damage_of_redb_is_never_silent() {
    damage_everywhere(Backend::Redb).await;
}

async fn damage_everywhere(backend: Backend) {
    let folder = TempDir::new().unwrap();
    let config = config(&folder).backend(backend);
    fill(&config).await;
    assert_eq!(damaged(&config, data_file(backend), |_, _| {}, 0).await, Verdict::Harmless);
    let mut files = Vec::new();
    for entry in fs::read_dir(config.path.join(backend.name())).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_file() {
            files.push(entry.file_name().into_string().unwrap());
        }
    }
    assert!(files.iter().any(|file| file == data_file(backend)), "{files:?}");
    let mut noticed = 0;
    for file in &files {
        for (what, damage) in DAMAGES {
            for place in 0..PLACES {
                let verdict = damaged(&config, file, damage, place).await;
                assert_ne!(verdict, Verdict::Less, "{file}: {what} at {place}/{PLACES}");
                noticed += usize::from(verdict != Verdict::Harmless);
            }
        }
    }
    assert!(noticed > 40, "only {noticed} damages did anything");
}

fn data_file(backend: Backend) -> &'static str {
    match backend {
        Backend::Sled => "db",
        Backend::Redb => "data.redb",
        other => panic!("{other} has no damages here yet"),
    }
}

/// Every file of the engine, byte by byte.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| {
            (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap())
        })
        .collect()
}

/// sled takes the first message it cannot read for the end of its log and writes zeros over everything behind it, while
/// it opens. So one flipped bit cost everything since the last start: by the time the store refused to open, it was gone.
#[tokio::test]
async fn what_is_refused_is_left_as_it_was() {
    let folder = TempDir::new().unwrap();
    let config = config(&folder);
    let store = EmbeddedStore::open(config.clone()).unwrap();
    for number in 0..=ENTITIES {
        for expected in 0..if number == ENTITIES { 1 } else { STEPS } {
            store.commit(step(number, expected)).await.unwrap();
        }
    }
    drop(store);
    let engine = config.path.join("sled");
    let whole = contents(&engine);
    let data = engine.join("db");
    let mut flipped = whole["db"].clone();
    flipped[10_000] ^= 1;
    fs::write(&data, &flipped).unwrap();
    let damaged = contents(&engine);

    // The twin that must fail: sled alone destroys what is behind.
    let alone = folder.path().join("alone");
    copy(&engine, &alone);
    drop(std::panic::catch_unwind(|| sled::Config::new().path(&alone).open()));
    assert!(fs::read(alone.join("db")).unwrap() != flipped, "sled has learned to leave it alone");

    for _ in 0..2 {
        let error = EmbeddedStore::open(config.clone()).unwrap_err();
        assert!(error.to_string().contains("the mark says that it had reached"), "{error}");
        assert!(contents(&engine) == damaged, "it was changed");
    }
    assert!(!config.path.join("KEEPSAKE").exists());
    // So whoever mends the bit has everything again.
    fs::write(&data, &whole["db"]).unwrap();
    assert_eq!(verdict(config).await, Verdict::Harmless);
}

/// The twin that must fail: with the mark's word ignored, the same look at an emptied file sees less.
#[tokio::test]
async fn without_the_mark_it_would_be_silent() {
    let original = TempDir::new().unwrap();
    fill(&config(&original)).await;
    let folder = TempDir::new().unwrap();
    let config = EmbeddedConfig { accept_older: true, ..config(&folder) };
    copy(&self::config(&original).path, &config.path);
    let engine = config.path.join("sled");
    for entry in fs::read_dir(&engine).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::remove_file(path).unwrap();
        }
    }
    assert_eq!(verdict(config).await, Verdict::Less);
}
