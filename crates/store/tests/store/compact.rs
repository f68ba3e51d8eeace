//! A store written anew: smaller, the same, and whole whenever it is interrupted.

use std::{fs, path::Path};

use orderkeep_store::{Backend, EmbeddedConfig, EmbeddedStore, Store, compact};
use tempfile::TempDir;

use crate::{
    folder::{config, copy, step},
    process::{Role, Running},
};

const ENTITIES: u64 = 30;

/// A store whose entities were rewritten over and over.
async fn grown(config: &EmbeddedConfig, steps: u64) {
    let store = EmbeddedStore::open(config.clone()).unwrap();
    for expected in 0..steps {
        for number in 0..ENTITIES {
            store.commit(step(number, expected)).await.unwrap();
        }
        // Writes every row.
        store.check().await.unwrap();
    }
    store.close().await.unwrap();
}

/// That everything is there; gives the number of events.
async fn whole(config: &EmbeddedConfig) -> usize {
    let store = EmbeddedStore::open(config.clone()).unwrap();
    assert_eq!(store.check().await.unwrap().problems, Vec::<String>::new());
    let events = store.feed(None, 1_000).await.unwrap().entries.len();
    store.close().await.unwrap();
    events
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_store_is_the_same_and_smaller() {
    for backend in Backend::ALL {
        let folder = TempDir::new().unwrap();
        let config = config(&folder).backend(backend);
        grown(&config, 12).await;
        let store = EmbeddedStore::open(config.clone()).unwrap();
        let cursor = store.feed(None, 7).await.unwrap().next;
        let incarnation = store.incarnation();
        store.close().await.unwrap();
        drop(store);
        let before = names(&config.path);

        let mut told = (0, 0);
        let compacted = compact(&config, &mut |done, all| told = (done, all)).unwrap();
        assert!(compacted.after < compacted.before, "{backend}: {compacted:?}");
        assert_eq!(told, (compacted.rows, compacted.rows));
        assert_eq!(names(&config.path), before);

        // The same life: who followed its feed goes on where it was.
        let store = EmbeddedStore::open(config.clone()).unwrap();
        assert_eq!(store.incarnation(), incarnation);
        let rest = store.feed(Some(cursor), 1_000).await.unwrap().entries.len();
        assert_eq!(rest + 7, 12 * 30);
        store.close().await.unwrap();
        drop(store);
        assert_eq!(whole(&config).await, 12 * 30);
    }
}

/// Every state of the folder that a crash can leave.
#[tokio::test]
async fn whatever_a_crash_leaves_is_one_whole_store() {
    for backend in Backend::ALL {
        let folder = TempDir::new().unwrap();
        let config = config(&folder).backend(backend);
        grown(&config, 2).await;
        let live = config.path.join(backend.name());
        let [aside, old] =
            ["compact", "old"].map(|end| config.path.join(format!("{backend}.{end}")));
        let expected = names(&config.path);

        // Half a copy.
        fs::create_dir(&aside).unwrap();
        fs::write(aside.join("db"), b"half").unwrap();
        assert_eq!(whole(&config).await, 60);
        assert_eq!(names(&config.path), expected);

        // Between the renames, with a copy that must not be believed.
        fs::create_dir(&aside).unwrap();
        fs::rename(&live, &old).unwrap();
        assert_eq!(whole(&config).await, 60);
        assert_eq!(names(&config.path), expected);

        // The copy is in its place, the old files are going.
        copy(&live, &old);
        fs::remove_file(fs::read_dir(&old).unwrap().next().unwrap().unwrap().path()).ok();
        assert_eq!(whole(&config).await, 60);
        assert_eq!(names(&config.path), expected);
    }
}

#[tokio::test]
async fn a_kill_at_any_moment_leaves_one_whole_store() {
    for backend in Backend::ALL {
        let folder = TempDir::new().unwrap();
        let config = config(&folder).backend(backend);
        grown(&config, 4).await;
        let mut ended = 0;
        for round in 0..12 {
            let mut child = Running::start(Role::Compact, backend, &config.path);
            for _ in 0..round % 6 {
                if child.line().is_none_or(|line| line == "compacted.") {
                    break;
                }
            }
            ended += child.kill().iter().filter(|line| *line == "compacted.").count();
            assert_eq!(whole(&config).await, 120, "{backend}, round {round}");
        }
        assert!(ended < 12, "no kill came in time");
    }
}

#[tokio::test]
async fn a_damaged_store_is_not_compacted() {
    let folder = TempDir::new().unwrap();
    let config = config(&folder);
    grown(&config, 2).await;
    fs::remove_dir_all(config.path.join("sled")).unwrap();
    let error = compact(&config, &mut |_, _| {}).unwrap_err();
    assert!(error.to_string().contains("the mark says"), "{error}");
}
