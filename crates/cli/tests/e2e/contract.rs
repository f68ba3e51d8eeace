//! The whole API against its own document: requests good and bad that are made from it, answers that are held against it.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::stage::{Stage, until};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What the test script installs.
fn installed(program: &str) -> Option<PathBuf> {
    let path = root().join("target/webhook-libraries/python/bin").join(program);
    if root().join("target/webhook-libraries/python/bin/schemathesis").exists() {
        return Some(std::path::absolute(path).unwrap());
    }
    let line = "SKIPPED: no schemathesis; scripts/test installs it";
    drop(writeln!(std::io::stderr(), "{line}"));
    None
}

/// Every operation, every check of the tool that `scripts/schemathesis.toml` does not explain away, the same requests
/// each time. Longer: `scripts/schemathesis`.
#[test]
fn nothing_is_answered_outside_the_document() {
    let Some(tool) = installed("schemathesis") else { return };
    let run = Command::new(root().join("scripts/schemathesis"))
        .env("ORDERKEEP", env!("CARGO_BIN_EXE_orderkeep"))
        .env("SCHEMATHESIS", tool)
        .args(["--phases", "coverage,fuzzing,stateful", "--max-examples", "3", "--seed", "1"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{said}\n{}", String::from_utf8_lossy(&run.stderr));
    assert!(said.contains("API Operations"), "{said}");
}

/// What does not fit its description in the document.
fn complaints(python: &Path, document: &Value, told: &[(String, Value)]) -> Vec<String> {
    let script = root().join("crates/cli/tests/e2e/verify/described.py");
    let mut child = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let given = json!({ "document": document, "told": told }).to_string();
    child.stdin.take().unwrap().write_all(given.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<String> = said.lines().map(str::to_owned).collect();
    assert_eq!(lines.pop().as_deref(), Some("done"), "{lines:?}");
    lines
}

#[test]
fn every_event_is_what_the_document_says_of_its_type() {
    let Some(python) = installed("python") else { return };
    let stage = Stage::new("", "");
    let _engine = stage.start();
    let (id, _) = stage.order("k");
    let asked = |verb: &str, body: Value| {
        let answer = stage.post(&format!("/v1/orders/{id}/{verb}"), &[], &body);
        assert_eq!(answer.status, 200, "{answer:?}");
    };
    asked("note", json!({ "author": "ann", "text": "for the books" }));
    stage.to_executed(&id);
    asked("retry", json!({ "author": "ann", "reason": "look again" }));
    let sale = json!({ "amount": "25", "currency": "usdc", "network": "polygon" });
    let relock = json!({ "maxPayAmount": "1000" });
    let other = json!({ "sell": sale, "relock": relock, "metadata": { "shop": "7" } });
    let other = stage.submit("other", &other).body["id"].as_str().unwrap().to_owned();
    until("an address", || stage.show(&other)["address"].is_string());
    let cancel = json!({ "author": "ann", "reason": "the customer left" });
    stage.post(&format!("/v1/orders/{other}/cancel"), &[], &cancel);
    until("withheld", || stage.show(&other)["addressWithheld"] == true);

    let document = stage.get("/v1/openapi.json").body;
    let events = stage.get("/v1/events?limit=1000").body["items"].as_array().unwrap().clone();
    let mut told: Vec<(String, Value)> = events
        .iter()
        .map(|event| (event["type"].as_str().unwrap().to_owned(), event.clone()))
        .collect();
    for id in [&id, &other] {
        told.push(("OrderView".to_owned(), stage.show(id)));
        let explained = stage.get(&format!("/v1/orders/{id}/explain")).body;
        told.push(("Explanation".to_owned(), explained));
    }
    let types: std::collections::BTreeSet<&String> = told.iter().map(|(name, _)| name).collect();
    assert!(types.len() >= 12, "only {types:?}");
    assert_eq!(complaints(&python, &document, &told), Vec::<String>::new());
    // An event under another one's name does not fit, nor does one with a field of another kind.
    let submitted = events.iter().find(|event| event["type"] == "orderkeep.order.submitted");
    let mut wrong = submitted.unwrap().clone();
    let misnamed = ("orderkeep.order.executed".to_owned(), wrong.clone());
    assert!(!complaints(&python, &document, &[misnamed]).is_empty());
    wrong["data"]["event"]["submitted"]["terms"]["pay_amount"] = json!(412.6);
    let wrong = ("orderkeep.order.submitted".to_owned(), wrong);
    assert!(!complaints(&python, &document, &[wrong]).is_empty());
}
