//! A machine is lost, and an older copy of its store takes over. The provider's ledger has seen both lives, and judges.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{
    stage::{Process, Stage, orderkeep, until},
    store::{json as report, said, store},
};

/// What the copy was made with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Copy {
    /// `store backup` and `store restore`.
    Backup,
    /// The files: it does not know that it is a copy.
    Files,
}

fn refuse_creates(stage: &Stage, refuse: bool) {
    let faults = if refuse {
        let fault = json!({"on": "call", "endpoint": "create", "fault": {"kind": "throttled", "retry_after_s": 0}});
        json!({ "rules": [{ "fault": fault, "times": 1_000_000 }] })
    } else {
        json!({ "preset": "none" })
    };
    let url = format!("{}/_control/faults", stage.control);
    let set = stage.http.send("POST", &url, &[], faults.to_string());
    assert_eq!(set.status, 200, "{set:?}");
}

fn orders_of(stage: &Stage, lock: &Value) -> usize {
    let ledger = stage.ledger();
    ledger["orders_per_lock"][lock["lockId"].as_str().unwrap()].as_array().map_or(0, Vec::len)
}

fn copied(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copied(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

fn stop(mut engine: Process) {
    let pid = engine.0.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    engine.0.wait().unwrap();
}

fn kill(mut engine: Process) {
    engine.0.kill().unwrap();
    engine.0.wait().unwrap();
}

/// The store of the second life, and an engine over it at the first one's address.
fn takes_over(stage: &Stage, folder: &Path) -> Process {
    stage.start_as(stage.serve_from(folder))
}

struct Lives {
    stage: Stage,
    engine: Process,
    /// Ended, at the provider, and not sent yet when the copy was made.
    ended: String,
    paid: String,
    unsent: String,
    unsent_lock: Value,
    /// Came after the copy.
    lost_lock: Value,
}

fn live(copy: Copy) -> Lives {
    let stage = Stage::new("", "");
    let engine = stage.start();
    let (ended, _) = stage.order("ended");
    stage.to_executed(&ended);
    let (paid, _) = stage.order("paid");
    until("an address", || stage.show(&paid)["address"].is_string());
    refuse_creates(&stage, true);
    let (unsent, unsent_lock) = stage.order("unsent");

    let file = stage.folder.path().join("copy");
    let folder = stage.folder.path().join("second");
    let engine = match copy {
        Copy::Backup => {
            let made = orderkeep()
                .args(["store", "backup", "--output", "json", "--url", &stage.url])
                .arg(&file)
                .output()
                .unwrap();
            assert!(made.status.success(), "{}", said(&made));
            assert_eq!(report(&made)["from"], "engine");
            engine
        }
        Copy::Files => {
            // Seen through: killed with a create on its way, it would rightly never post it again, and nothing would be lost.
            stop(engine);
            copied(&stage.data(), &folder);
            stage.start()
        }
    };

    // The life that will be lost: the unsent order is made, another one comes, a payer pays.
    let lost_lock = stage.lock();
    refuse_creates(&stage, false);
    let submitted = stage.submit("lost", &json!({ "lockId": lost_lock["lockId"] }));
    let lost = submitted.body["id"].as_str().unwrap().to_owned();
    until("both are made", || {
        [&unsent, &lost].iter().all(|id| stage.show(id)["address"].is_string())
    });
    stage.to_executed(&paid);
    kill(engine);

    if copy == Copy::Backup {
        let made = store(&folder, &["restore", "--output", "json", file.to_str().unwrap()]);
        assert!(made.status.success(), "{}", said(&made));
        assert!(report(&made)["restoredFrom"].is_string());
        assert!(said(&made).contains("lift-hold"), "{}", said(&made));
    }
    let engine = takes_over(&stage, &folder);
    Lives { stage, engine, ended, paid, unsent, unsent_lock, lost_lock }
}

fn reasons(order: &Value) -> Vec<&str> {
    let review = order["review"].as_array().unwrap();
    review.iter().filter_map(|review| review["reason"].as_str()).collect()
}

#[test]
fn an_older_copy_makes_nothing_twice_and_loses_nothing_that_the_provider_knows() {
    let lives = live(Copy::Backup);
    let stage = &lives.stage;
    let status = stage.get("/v1/status").body;
    assert_eq!(status["restore"]["held"], true, "{status}");
    assert_eq!(status["restore"]["orders"], 2, "{status}");

    assert_eq!(stage.show(&lives.ended)["state"], "Executed");
    // Read from the provider before anything else: the payer is not shown the address a second time.
    until("what was paid in the lost life", || stage.show(&lives.paid)["state"] == "Executed");
    let unsent = stage.show(&lives.unsent);
    assert_eq!(unsent["state"], "Locked", "{unsent}");
    assert!(reasons(&unsent).contains(&"exposure_possible"), "{unsent}");

    // The caller's service submits again what it has no answer for: kept, and not posted.
    let again = stage.submit("lost", &json!({ "terms": lives.lost_lock }));
    assert_eq!(again.status, 202, "{again:?}");
    assert!(reasons(&again.body).contains(&"exposure_possible"), "{again:?}");

    // A lock of this life is posted as always.
    let (fresh, _) = stage.order("fresh");
    until("an address", || stage.show(&fresh)["address"].is_string());

    // Payers pay; the webhooks of it bring both orders back.
    for lock in [&lives.unsent_lock, &lives.lost_lock] {
        let ledger = stage.ledger();
        let of_lock = |order: &&Value| order["lock_id"] == lock["lockId"];
        let made = ledger["orders"].as_array().unwrap().iter().find(of_lock).unwrap();
        stage.pay(made["address"].as_str().unwrap());
    }
    for id in [&lives.unsent, again.body["id"].as_str().unwrap()].map(str::to_owned) {
        until("executed", || stage.show(&id)["state"] == "Executed");
        assert_eq!(reasons(&stage.show(&id)), [""; 0]);
    }

    // Everything that the provider has made is known, once.
    let ledger = stage.ledger();
    for (lock, made) in ledger["orders_per_lock"].as_object().unwrap() {
        assert_eq!(made.as_array().unwrap().len(), 1, "{lock}: {made}");
    }
    let known = stage.get("/v1/orders?limit=200").body;
    for made in ledger["orders"].as_array().unwrap() {
        let known = known["items"].as_array().unwrap();
        let found = known.iter().filter(|order| order["providerOrderId"] == made["order_id"]);
        assert_eq!(found.count(), 1, "{made}");
    }

    // A person ends the hold, on record.
    let lifted = orderkeep()
        .args(["store", "lift-hold", "--url", &stage.url, "--author", "ops"])
        .args(["--reason", "both lost orders are back", "--output", "json"])
        .output()
        .unwrap();
    assert!(lifted.status.success(), "{}", said(&lifted));
    assert_eq!(report(&lifted)["lifted"]["reason"], "both lost orders are back");
    assert_eq!(stage.get("/v1/status").body["restore"]["held"], false);
    drop(lives.engine);
}

/// The twin: the same lives with a copy that does not know what it is. The same ledger shows the second order.
#[test]
fn a_copy_that_does_not_know_that_it_is_one_makes_a_second_order() {
    let lives = live(Copy::Files);
    assert_eq!(lives.stage.get("/v1/status").body["restore"], Value::Null);
    until("the second order", || orders_of(&lives.stage, &lives.unsent_lock) == 2);
    drop(lives.engine);
}

#[test]
fn a_backup_of_a_stopped_store_is_whole_and_never_overwritten() {
    let stage = Stage::new("", "");
    let mut engine = stage.start();
    let (id, _) = stage.order("first");
    stage.to_executed(&id);
    engine.0.kill().unwrap();
    engine.0.wait().unwrap();
    let file = stage.folder.path().join("copy");
    let path = file.to_str().unwrap();
    let made = store(&stage.data(), &["backup", "--output", "json", path]);
    assert!(made.status.success(), "{}", said(&made));
    assert_eq!(report(&made)["from"], "folder");
    let again = store(&stage.data(), &["backup", path]);
    assert_eq!(again.status.code(), Some(73), "{again:?}");
    assert!(said(&again).contains("never overwritten"), "{again:?}");
    // Nor is a store: restored over itself, or from a file that is none.
    let over = store(&stage.data(), &["restore", path]);
    assert_eq!(over.status.code(), Some(73), "{over:?}");
    assert!(said(&over).contains("not empty"), "{over:?}");
    let letter = stage.folder.path().join("letter");
    fs::write(&letter, "dear").unwrap();
    let none = store(&stage.folder.path().join("new"), &["restore", letter.to_str().unwrap()]);
    assert_eq!(none.status.code(), Some(73), "{none:?}");
    assert!(said(&none).contains("backup"), "{none:?}");
}

/// A folder that was put back behind its mark: refused, and taken as an older copy only when that is said.
#[test]
fn a_store_behind_its_mark_is_taken_only_by_name_and_as_another_life() {
    let stage = Stage::new("", "");
    let mark = stage.folder.path().join("mark");
    let config = stage.folder.path().join("engine.toml");
    fs::write(&config, format!("mark_path = {:?}\n", mark.to_str().unwrap())).unwrap();
    let serve = || {
        let mut command = stage.serve();
        command.arg("--config").arg(&config);
        command
    };
    let engine = stage.start_as(serve());
    stage.order("first");
    kill(engine);
    let folder = stage.folder.path().join("older");
    copied(&stage.data(), &folder);
    let engine = stage.start_as(serve());
    stage.order("second");
    kill(engine);
    fs::remove_dir_all(stage.data()).unwrap();
    copied(&folder, &stage.data());

    let config = config.to_str().unwrap();
    let refused = store(&stage.data(), &["check", "--config", config]);
    assert_eq!(refused.status.code(), Some(73), "{refused:?}");
    let taken = store(&stage.data(), &["accept-older", "--config", config, "--output", "json"]);
    assert!(taken.status.success(), "{}", said(&taken));
    assert!(report(&taken)["restoredFrom"].is_string());
    let again = store(&stage.data(), &["accept-older", "--config", config]);
    assert_eq!(again.status.code(), Some(4), "{again:?}");
    let engine = stage.start_as(serve());
    assert_eq!(stage.get("/v1/status").body["restore"]["held"], true);
    drop(engine);
}
