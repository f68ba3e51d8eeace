//! A store from the command line: the store of a real engine, with the orders that it carried.

use std::{fs, path::Path, process::Output};

use serde_json::Value;

use crate::stage::{Stage, orderkeep, until};

/// Exit code of everything that is wrong with a data folder.
const DATA: i32 = 73;

pub(crate) fn store(folder: &Path, args: &[&str]) -> Output {
    orderkeep().args(["store", "--data"]).arg(folder).args(args).output().unwrap()
}

pub(crate) fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_store_is_checked_and_its_damage_named() {
    let stage = Stage::new("", "");
    let mut engine = stage.start();
    let (id, _) = stage.order("first");
    stage.to_executed(&id);

    // While the engine runs the store is its own.
    let busy = store(&stage.data(), &["check"]);
    assert_eq!(busy.status.code(), Some(DATA), "{busy:?}");
    assert!(said(&busy).contains("the store is open already"), "{busy:?}");

    engine.0.kill().unwrap();
    engine.0.wait().unwrap();
    let whole = store(&stage.data(), &["check", "--output", "json"]);
    assert_eq!(whole.status.code(), Some(0), "{whole:?}");
    let report = json(&whole);
    assert_eq!(report["whole"], true, "{report}");
    assert_eq!(report["problems"].as_array().unwrap().len(), 0, "{report}");
    // The order and the lock it was made from.
    assert_eq!(report["entities"], 2, "{report}");
    assert!(report["events"].as_u64() >= Some(5), "{report}");
    let table = store(&stage.data(), &["check"]);
    assert!(String::from_utf8_lossy(&table.stdout).contains("journal records"), "{table:?}");

    // Emptied, as a power cut can leave it: the engine's files alone would say nothing.
    for entry in fs::read_dir(stage.data().join("sled")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::remove_file(path).unwrap();
        }
    }
    let damaged = store(&stage.data(), &["check", "--output", "json"]);
    assert_eq!(damaged.status.code(), Some(DATA), "{damaged:?}");
    let report = json(&damaged);
    assert_eq!(report["whole"], false, "{report}");
    assert!(report["problems"][0].as_str().unwrap().contains("the mark says"), "{report}");
    assert!(said(&damaged).contains("restore the newest backup"), "{damaged:?}");
}

#[test]
fn a_check_makes_no_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nothing");
    let output = store(&path, &["check"]);
    assert_eq!(output.status.code(), Some(DATA), "{output:?}");
    assert!(said(&output).contains("there is no store in"), "{output:?}");
    assert!(!path.exists());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// The other store, by one line of configuration, through a kill.
#[test]
fn an_engine_runs_on_redb_as_well() {
    let stage = Stage::new("", "");
    let file = stage.folder.path().join("engine.toml");
    fs::write(&file, "store = \"redb\"\n").unwrap();
    let serve = || {
        let mut command = stage.serve();
        command.arg("--config").arg(&file);
        command
    };
    let mut engine = stage.start_as(serve());
    let (first, _) = stage.order("first");
    stage.to_executed(&first);
    let (second, _) = stage.order("second");
    // A kill before the create was answered would leave it unknown for good reason.
    until("made", || stage.show(&second)["providerOrderId"].is_string());
    engine.0.kill().unwrap();
    engine.0.wait().unwrap();
    let mut engine = stage.start_as(serve());
    stage.to_executed(&second);
    engine.0.kill().unwrap();
    engine.0.wait().unwrap();

    // The folder says what it was made with; an engine that was told otherwise does not touch it.
    let report = json(&store(&stage.data(), &["check", "--output", "json"]));
    assert_eq!((&report["whole"], &report["entities"]), (&true.into(), &4.into()), "{report}");
    let other = stage.serve().output().unwrap();
    assert_eq!(other.status.code(), Some(DATA), "{other:?}");
    assert!(said(&other).contains("was made with redb, not sled"), "{other:?}");
    assert!(!stage.data().join("sled").exists());
    let misspelt = stage.serve().args(["--store", "redbb"]).output().unwrap();
    assert_eq!(misspelt.status.code(), Some(2), "{misspelt:?}");
    assert!(said(&misspelt).contains("there are sled and redb"), "{misspelt:?}");
}

/// From one engine's store to another's, and on with the order.
#[test]
fn a_store_is_moved_as_lines_and_compacted() {
    let stage = Stage::new("", "");
    let mut engine = stage.start();
    let (id, _) = stage.order("first");
    stage.to_executed(&id);
    let history = stage.get(&format!("/v1/orders/{id}/history")).body;
    engine.0.kill().unwrap();
    engine.0.wait().unwrap();

    let compacted = store(&stage.data(), &["compact", "--output", "json"]);
    assert_eq!(compacted.status.code(), Some(0), "{compacted:?}");
    assert!(json(&compacted)["bytesAfter"].as_u64() > Some(0));

    let lines = stage.folder.path().join("lines.jsonl");
    let export = ["export", "--output", "json", "--to", lines.to_str().unwrap()];
    let exported = store(&stage.data(), &export);
    assert_eq!(exported.status.code(), Some(0), "{exported:?}");
    // An export that is there is not written over; to stdout it is the same.
    assert_eq!(store(&stage.data(), &export).status.code(), Some(1));
    let piped = store(&stage.data(), &["export"]);
    assert_eq!(piped.stdout, fs::read(&lines).unwrap());

    let moved = stage.folder.path().join("moved");
    let import = ["import", "--store", "redb", "--output", "json", "--from"];
    let from = |file: &Path| {
        let mut args = import.to_vec();
        args.push(file.to_str().unwrap());
        store(&moved, &args)
    };
    let short = stage.folder.path().join("short.jsonl");
    let bytes = fs::read(&lines).unwrap();
    fs::write(&short, &bytes[..bytes.len() - 20]).unwrap();
    let refused = from(&short);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(said(&refused).contains("short.jsonl: line "), "{refused:?}");
    assert!(!moved.exists());
    let imported = from(&lines);
    assert_eq!(imported.status.code(), Some(0), "{imported:?}");
    assert_eq!(json(&imported)["entries"], json(&exported)["entries"]);
    assert_eq!(from(&lines).status.code(), Some(DATA));

    let checked = json(&store(&moved, &["check", "--output", "json"]));
    assert_eq!((&checked["whole"], &checked["entities"]), (&true.into(), &2.into()), "{checked}");
    fs::remove_dir_all(stage.data()).unwrap();
    fs::rename(&moved, stage.data()).unwrap();
    let mut command = stage.serve();
    command.args(["--store", "redb"]);
    let _engine = stage.start_as(command);
    assert_eq!(stage.show(&id)["state"], "Executed");
    assert_eq!(stage.get(&format!("/v1/orders/{id}/history")).body, history);
}
