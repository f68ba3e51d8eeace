//! A store as JSON lines and back: nothing is lost between any two, and nothing wrong is taken.

use std::path::Path;

use orderkeep_store::{
    Backend, EmbeddedConfig, EmbeddedStore, ReadError, Store, TransferError, Transferred,
    conformance::{Model, Operation, Outcome, Snapshot, World, perform},
    export, import,
};
use proptest::{
    collection::vec,
    strategy::{Strategy as _, ValueTree as _},
    test_runner::TestRunner,
};
use tempfile::TempDir;

use crate::{differential::operation, folder::config as in_folder};

fn config(folder: &TempDir, backend: Backend) -> EmbeddedConfig {
    in_folder(folder).backend(backend)
}

fn lines(config: &EmbeddedConfig) -> (Transferred, Vec<String>) {
    let mut out = Vec::new();
    let done = export(config, &mut out, &mut |_, _| {}).unwrap();
    let text = String::from_utf8(out).unwrap();
    (done, text.split_inclusive('\n').map(str::to_owned).collect())
}

fn taken(config: &EmbeddedConfig, lines: &[String]) -> Result<Transferred, TransferError> {
    import(config, &mut lines.concat().as_bytes(), &mut |_, _| {})
}

/// A store with a random history, closed, and what it must show.
async fn random(config: &EmbeddedConfig, runner: &mut TestRunner, retains: bool) -> (World, Model) {
    let mut script = vec(operation(), 40..120).new_tree(runner).unwrap().current();
    script.retain(|operation| retains || !matches!(operation, Operation::Retain { .. }));
    let store = EmbeddedStore::open(config.clone()).unwrap();
    let (mut world, mut model) = (World::new(), Model::new());
    for operation in &script {
        let (found, after, expected) = perform(&mut world, &model, &store, operation).await;
        assert_eq!(found, expected, "{operation:?}");
        if matches!(found, Outcome::Done { .. }) {
            model = after;
        }
    }
    store.close().await.unwrap();
    (world, model)
}

async fn shows(config: &EmbeddedConfig, world: &World, model: &Model) {
    let store = EmbeddedStore::open(config.clone()).unwrap();
    assert_eq!(store.check().await.unwrap().problems, Vec::<String>::new());
    assert_eq!(Snapshot::read(&store, world).await.unwrap(), model.snapshot());
    store.close().await.unwrap();
}

#[tokio::test]
async fn nothing_is_lost_between_any_two() {
    let mut runner = TestRunner::deterministic();
    for from in Backend::ALL {
        for to in Backend::ALL {
            let (one, two) = (TempDir::new().unwrap(), TempDir::new().unwrap());
            let (source, target) = (config(&one, from), config(&two, to));
            let (world, model) = random(&source, &mut runner, true).await;
            let (exported, written) = lines(&source);
            assert_eq!(taken(&target, &written).unwrap(), exported);
            shows(&target, &world, &model).await;
            // Lines of lines are the same lines, but for the name of the life and the checksum over it.
            let (_, again) = lines(&target);
            assert_eq!(again.len(), written.len());
            assert_eq!(again[1..again.len() - 1], written[1..written.len() - 1]);
        }
    }
}

#[tokio::test]
async fn an_import_is_a_new_life() {
    let (one, two) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let source = config(&one, Backend::Sled);
    let mark = two.path().join("mark-elsewhere");
    let target = EmbeddedConfig { mark_path: Some(mark.clone()), ..config(&two, Backend::Redb) };
    random(&source, &mut TestRunner::deterministic(), true).await;
    let store = EmbeddedStore::open(source.clone()).unwrap();
    let (before, cursor) = (store.incarnation(), store.feed(None, 3).await.unwrap().next);
    drop(store);
    taken(&target, &lines(&source).1).unwrap();
    assert!(mark.exists() && !target.path.join("MARK").exists());
    let store = EmbeddedStore::open(target.clone()).unwrap();
    assert_eq!(store.incarnation().restored_from, Some(before.id));
    assert_ne!(store.incarnation().id, before.id);
    let gone = store.feed(Some(cursor), 3).await;
    assert!(matches!(gone, Err(ReadError::CursorGone { .. })), "{gone:?}");
    drop(store);

    // There is a store now, and nothing is put over it.
    let error = taken(&target, &lines(&source).1).unwrap_err();
    assert!(matches!(error, TransferError::NotEmpty(_)), "{error}");
    // A mark of a store that is not there is the sign of a loss.
    std::fs::remove_dir_all(&target.path).unwrap();
    let error = taken(&target, &lines(&source).1).unwrap_err().to_string();
    assert!(error.contains("the mark is of a store that is not here"), "{error}");
}

fn nothing_stays(folder: &Path) {
    let left: Vec<_> = std::fs::read_dir(folder).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Which line is at fault; nothing may stay.
fn fault(written: &[String]) -> (u64, String) {
    let folder = TempDir::new().unwrap();
    let error = taken(&config(&folder, Backend::Redb), written).unwrap_err();
    nothing_stays(folder.path());
    let TransferError::BadLine { line, why } = error else {
        panic!("{error}");
    };
    (line, why)
}

#[tokio::test]
async fn a_wrong_line_is_named_and_nothing_is_made() {
    let folder = TempDir::new().unwrap();
    let source = config(&folder, Backend::Redb);
    random(&source, &mut TestRunner::deterministic(), false).await;
    let written = lines(&source).1;
    let count = written.len() as u64;
    let with = |at: usize, line: &str| {
        let mut changed = written.clone();
        changed[at] = line.to_owned();
        fault(&changed)
    };

    assert_eq!(fault(&[]).0, 1);
    assert!(
        with(0, "{\"end\":{\"entries\":0,\"sha256\":\"\"}}\n").1.contains("not the first line")
    );
    let newer = written[0].replace("\"version\":1", "\"version\":3");
    assert!(with(0, &newer).1.contains("use the newer program"));
    assert_eq!(with(4, "{\"commit\":{\"entry\":4}}\n").0, 5);
    assert_eq!(with(4, "dear\n").0, 5);
    assert!(with(4, &written[3]).1.contains("entry 3 follows entry 3"));
    // What nobody would have committed is refused by the rules of a commit.
    let at = written.iter().rposition(|line| line.contains("\"expected\":1,")).unwrap();
    let ahead = written[at].replace("\"expected\":1,", "\"expected\":7,");
    let (line, why) = with(at, &ahead);
    assert_eq!((line, why.contains("expected 7")), (at as u64 + 1, true), "{why}");
    // A change that is possible in itself is found by the checksum.
    let at = written.iter().position(|line| line.contains("\"arrival\"")).unwrap();
    let changed = written[at].replace("\"receivedAt\":", "\"receivedAt\":1");
    let (line, why) = with(at, &changed);
    assert_eq!((line, why.contains("do not match its checksum")), (count, true), "{why}");
    // Cut off after any line, and within one.
    for end in [1, 2, written.len() / 2, written.len() - 1] {
        let (line, why) = fault(&written[..end]);
        assert_eq!((line, why.contains("cut short")), (end as u64 + 1, true), "{why}");
    }
    let mut within = written.clone();
    within.truncate(6);
    within[5].truncate(9);
    assert_eq!(fault(&within).0, 6);
    let mut longer = written.clone();
    longer.push("{}\n".to_owned());
    assert_eq!(fault(&longer).0, count + 1);
}
