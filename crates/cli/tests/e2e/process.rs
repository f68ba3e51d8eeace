//! The daemon as a process: its folder, its configuration, its end.

use std::{fs, process::Command};

use serde_json::json;

use crate::stage::{Process, Stage, orderkeep, until};

fn fails(mut command: Command, code: i32, words: &[&str]) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{said}");
    for word in words {
        assert!(said.contains(word), "`{word}` is not in: {said}");
    }
}

fn signal(engine: &Process, name: &str) {
    let pid = engine.0.id().to_string();
    assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
}

#[test]
fn a_folder_in_use_names_its_holder() {
    let stage = Stage::new("", "");
    let engine = stage.start();
    let mut command = orderkeep();
    command.arg("serve").arg("--data").arg(stage.data()).args(["--listen", "127.0.0.1:0"]);
    command.args(["--provider-url", &stage.control]);
    command.arg("--api-key-file").arg(stage.folder.path().join("api-key"));
    command.arg("--webhook-token-file").arg(stage.folder.path().join("token"));
    fails(command, 73, &["open already", &engine.0.id().to_string()]);
}

#[test]
fn a_damaged_folder_is_never_silently_less() {
    let stage = Stage::new("", "");
    let mut engine = stage.start();
    let ids: Vec<String> = (0..5).map(|number| stage.order(&format!("k{number}")).0).collect();
    signal(&engine, "-TERM");
    assert_eq!(engine.0.wait().unwrap().code(), Some(0), "a stop that was asked for is no failure");

    let file = stage.data().join("db");
    let file = if file.exists() { file } else { find(&stage.data(), "db") };
    let mut bytes = fs::read(&file).unwrap();
    let written = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    for byte in &mut bytes[written / 4..written / 2] {
        *byte ^= 0x5a;
    }
    fs::write(&file, bytes).unwrap();
    let mut child = stage.serve().stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut opened = false;
    until("it says what it makes of it", || {
        opened = stage.http.try_send("GET", &format!("{}/healthz", stage.url), &[], "").is_some();
        opened || child.try_wait().unwrap().is_some()
    });
    if opened {
        let _engine = Process(child);
        for id in &ids {
            assert_eq!(stage.show(id)["id"], json!(id), "opened, and less than before");
        }
        return;
    }
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(73), "{said}");
    assert!(said.contains("cannot open"), "{said}");
}

fn find(folder: &std::path::Path, name: &str) -> std::path::PathBuf {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path| path.join(name))
        .find(|path| path.exists())
        .expect("a data file")
}

#[test]
fn a_folder_of_a_newer_version_is_refused() {
    let stage = Stage::new("", "");
    let mut engine = stage.start();
    signal(&engine, "-TERM");
    engine.0.wait().unwrap();
    let format = stage.data().join("FORMAT");
    let today = fs::read_to_string(&format).unwrap();
    let newer = today.replace(|digit: char| digit.is_ascii_digit(), "9");
    assert_ne!(newer, today);
    fs::write(&format, newer).unwrap();
    fails(stage.serve(), 73, &["newer"]);
}

#[test]
fn a_wrong_configuration_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let with = |text: &str| {
        let path = folder.path().join("c.toml");
        fs::write(&path, text).unwrap();
        let mut command = orderkeep();
        command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .arg("--data")
            .arg(&data)
            .arg("--config")
            .arg(path);
        command
    };
    fails(with(""), 78, &["--provider-url"]);
    fails(with("[policy]\nlock_margn = \"2s\"\n"), 78, &["c.toml", "line 2", "lock_margin"]);
    fails(with("[policy]\nlock_margin = \"soon\"\n"), 78, &["write it like 30s"]);
    let mut everywhere = orderkeep();
    everywhere.args(["serve", "--listen", "0.0.0.0:0"]).arg("--data").arg(&data);
    fails(everywhere, 78, &["--api-token-file", "keys create"]);
    let token = folder.path().join("token");
    fs::write(&token, "let-me-in-4714").unwrap();
    let mut in_the_clear = orderkeep();
    in_the_clear.args(["serve", "--listen", "0.0.0.0:0"]).arg("--data").arg(&data);
    in_the_clear.arg("--api-token-file").arg(&token);
    fails(in_the_clear, 78, &["behind_proxy", "TLS"]);
    // Where the provider's webhooks arrive, their token would.
    let hooks = with("[webhooks]\nlisten = \"0.0.0.0:0\"\n");
    fails(hooks, 78, &["0.0.0.0:0", "behind_proxy", "TLS"]);
    let mut missing = orderkeep();
    missing.args(["serve", "--config", "/no/such/file.toml"]);
    fails(missing, 78, &["/no/such/file.toml"]);
}

/// Whoever reads the log alone sees the whole life.
#[test]
fn each_event_of_an_order_is_one_line_of_json() {
    let stage = Stage::new("", "");
    let _engine = stage.start();
    let (id, _) = stage.order("k");
    stage.to_executed(&id);
    let events = || {
        let history = stage.get(&format!("/v1/orders/{id}/history")).body;
        history["items"].as_array().unwrap().len()
    };
    let log = || {
        let log = fs::read_to_string(stage.folder.path().join("engine.log")).unwrap();
        let lines = log.lines().filter(|line| line.starts_with('{'));
        let lines = lines.map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let steps = lines.filter(|line| line["fields"]["message"] == "step");
        steps.filter(|line| line["fields"]["order_id"] == id.as_str()).collect::<Vec<_>>()
    };
    until("there is a line for each", || log().len() == events());
    let lines = log();
    assert_eq!(lines[0]["fields"]["event"], "submitted", "{lines:?}");
    assert!(lines.iter().any(|line| line["fields"]["state"] == "Executed"), "{lines:?}");
}

#[test]
fn callers_need_the_token_where_there_is_one() {
    let stage = Stage::new("", "");
    let token = stage.folder.path().join("api-token");
    fs::write(&token, "let-me-in-4713").unwrap();
    let _engine = Process(stage.serve().arg("--api-token-file").arg(&token).spawn().unwrap());
    let status = format!("{}/v1/status", stage.url);
    until("it answers", || stage.http.try_send("GET", &status, &[], "").is_some());
    stage.get("/v1/status").is_problem(401, "unauthorized", "Bearer");
    let headers = [("authorization", "Bearer let-me-in-4713")];
    assert_eq!(stage.http.send("GET", &status, &headers, "").status, 200);
}

#[test]
fn killed_while_a_create_hangs_it_never_posts_again() {
    let rule = "[[faults.rules]]\nfault = { on = \"call\", endpoint = \"create\", fault = { kind = \"answer_hung\" } }\n";
    let stage = Stage::new("", rule);
    let mut engine = stage.start();
    let (id, lock) = stage.order("k");
    until("the create is on its way", || stage.ledger()["calls"]["create"]["received"] == json!(1));
    engine.0.kill().unwrap();
    engine.0.wait().unwrap();

    let mut engine = stage.start();
    until("an address", || stage.show(&id)["address"].is_string());
    engine.0.kill().unwrap();
    engine.0.wait().unwrap();

    let _engine = stage.start();
    stage.to_executed(&id);
    let ledger = stage.ledger();
    assert_eq!(ledger["calls"]["create"]["received"], 1);
    assert_eq!(
        ledger["orders_per_lock"][lock["lockId"].as_str().unwrap()].as_array().unwrap().len(),
        1
    );
    stage.secrets_are_kept();
}

#[test]
fn orders_from_the_command_line() {
    let stage = Stage::new("", "");
    let _engine = stage.start();
    let run = |args: &[&str]| {
        orderkeep()
            .args(["orders", "--url", &stage.url, "--output", "json"])
            .args(args)
            .output()
            .unwrap()
    };
    let submitted = run(&[
        "submit",
        "--amount",
        "25",
        "--key",
        "cart-1",
        "--reference",
        "cart 1",
        "--metadata",
        "shop=7 = 8",
    ]);
    let order: serde_json::Value = serde_json::from_slice(&submitted.stdout).unwrap();
    let id = order["id"].as_str().unwrap();
    stage.to_executed(id);
    let shown: serde_json::Value =
        serde_json::from_slice(&run(&["show", id, "--history"]).stdout).unwrap();
    assert_eq!((&shown["state"], &shown["reference"]), (&json!("Executed"), &json!("cart 1")));
    assert_eq!(shown["metadata"], json!({ "shop": "7 = 8" }));
    assert_eq!(shown["history"][0]["event"]["submitted"]["metadata"], shown["metadata"]);
    assert!(shown["history"].as_array().unwrap().len() > 3);
    let listed: serde_json::Value =
        serde_json::from_slice(&run(&["list", "--state", "executed"]).stdout).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    // A lock that was taken elsewhere: the provider's answer, to the letter.
    let answer = stage.folder.path().join("lock.json");
    let lock = r#"{"lockId":"aa1cb52d-4692-45b2-aadb-5a11ac221328","amount":412.6071420000000001,"rate":"0.84",
        "expiresAt":"2026-02-13T11:28:46.569Z","currency":"usdc","destinationCurrency":"eur","network":"polygon"}"#;
    fs::write(&answer, lock).unwrap();
    let late = run(&["submit", "--lock-answer", answer.to_str().unwrap()]);
    let late: serde_json::Value = serde_json::from_slice(&late.stdout).unwrap();
    assert_eq!(late["failReason"], "lock_expired", "{late}");
    assert_eq!(late["terms"]["payAmount"], "412.6071420000000001", "no float in between");
    fs::write(&answer, "{").unwrap();
    let unreadable = run(&["submit", "--lock-answer", answer.to_str().unwrap()]);
    assert_eq!(unreadable.status.code(), Some(78));
    assert!(String::from_utf8(unreadable.stderr).unwrap().contains("lock.json"));
    let watched = run(&["watch", id, "--timeout", "30"]);
    assert!(watched.status.success());
    let table = orderkeep().args(["orders", "--url", &stage.url, "list"]).output().unwrap();
    assert!(String::from_utf8(table.stdout).unwrap().contains("Executed"));
    assert_eq!(run(&["show", "0190a5a5-0000-7000-8000-000000000000"]).status.code(), Some(3));
    assert_eq!(run(&["list", "--state", "paid"]).status.code(), Some(1));
}
