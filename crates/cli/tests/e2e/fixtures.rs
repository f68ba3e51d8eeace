//! Folders that earlier versions wrote, served by today's binary: every order is what it was.
//!
//! The folders are those of `crates/store/fixtures`; beside each stands here what that version answered about its orders.
//! Fields may have been added since, none may be gone or different. The provider cannot be reached, so that nothing moves
//! on.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

use crate::stage::{Stage, until};

const VERSIONS: [&str; 1] = ["v1"];

/// Everything that was said is said again; more may be.
fn says_again(was: &Value, is: &Value, at: &str) {
    match (was, is) {
        (Value::Object(was), Value::Object(is)) => {
            for (name, was) in was {
                let is = is.get(name).unwrap_or_else(|| panic!("{at}: {name} is gone"));
                says_again(was, is, &format!("{at}.{name}"));
            }
        }
        (Value::Array(was), Value::Array(is)) => {
            assert!(is.len() >= was.len(), "{at}: {} of {}", is.len(), was.len());
            for (index, (was, is)) in was.iter().zip(is).enumerate() {
                says_again(was, is, &format!("{at}[{index}]"));
            }
        }
        _ => assert_eq!(was, is, "{at}"),
    }
}

#[test]
fn orders_of_every_version_are_served() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR"));
    for version in VERSIONS {
        let stage = Stage::new(
            "",
            "\n[[faults.outages]]\nfrom_ms = 0\nto_ms = 3600000000\nmode = \"http_503\"",
        );
        fs::create_dir(stage.data()).unwrap();
        let unpacked = Command::new("tar")
            .arg("-xzf")
            .arg(crates.join("../store/fixtures").join(version).join("folder.tar.gz"))
            .arg("-C")
            .arg(stage.data())
            .status()
            .unwrap();
        assert!(unpacked.success());
        let recorded = crates.join("tests/fixtures").join(version).join("orders.json");
        let recorded: Value = serde_json::from_slice(&fs::read(recorded).unwrap()).unwrap();
        let _engine = stage.start();
        until("ready", || stage.get("/v1/status").status == 200);
        for was in recorded["orders"].as_array().unwrap() {
            let id = was["order"]["id"].as_str().unwrap();
            let history = stage.get(&format!("/v1/orders/{id}/history")).body;
            says_again(&was["history"], &history, &format!("history of {id}"));
            let mut order = was["order"].clone();
            // An open order is being asked about, and may get steps and questions more.
            for moving in ["version", "review"] {
                order.as_object_mut().unwrap().remove(moving);
            }
            says_again(&order, &stage.show(id), id);
            let key = was["order"]["idempotencyKey"].as_str().unwrap();
            let lock = was["order"]["terms"]["lockId"].as_str().unwrap();
            let again = stage.submit(
                key,
                &serde_json::json!({ "lockId": lock, "reference": was["order"]["reference"] }),
            );
            assert_eq!((again.status, &again.body["id"]), (200, &was["order"]["id"]), "{again:?}");
        }
        assert_eq!(stage.get("/v1/status").body["inbox"], recorded["inbox"]);
    }
}
