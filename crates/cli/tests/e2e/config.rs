//! `orderkeep config` and `orderkeep doctor`, as an operator meets them.

use std::{fs, process::Command};

use serde_json::{Value, json};

use crate::stage::{API_KEY, Stage, TOKEN, orderkeep};

/// The same flags, for another command.
fn like_serve(stage: &Stage, words: &[&str]) -> Command {
    let serve = stage.serve();
    let mut command = orderkeep();
    command.args(words).args(serve.get_args().skip(1));
    command
}

#[test]
fn what_is_in_force_says_where_it_came_from_and_holds_no_secret() {
    let stage = Stage::new("", "");
    let file = stage.folder.path().join("c.toml");
    fs::write(&file, "[policy]\nlock_margin = \"3s\"\ncreate_timeout = \"20s\"\n").unwrap();
    let print = |output: &str| {
        let words = ["config", "print", "--output", output, "--config", file.to_str().unwrap()];
        let mut command = like_serve(&stage, &words);
        command.env("ORDERKEEP_POLICY__CREATE_TIMEOUT", "25s");
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let found: Value = serde_json::from_str(&print("json")).unwrap();
    let of = |name: &str| {
        let found = &found[name];
        (found["value"].as_str().unwrap().to_owned(), found["source"].as_str().unwrap().to_owned())
    };
    assert_eq!(of("policy.lock_margin"), ("3s".into(), file.display().to_string()));
    let variable = "ORDERKEEP_POLICY__CREATE_TIMEOUT";
    assert_eq!(of("policy.create_timeout"), ("25s".into(), variable.into()));
    assert_eq!(of("provider.base_url"), (stage.control.clone(), "--provider-url".into()));
    assert_eq!(of("policy.watch_after_end"), ("168h".into(), "default".into()));
    let table = print("table");
    assert!(
        table.contains("[policy]") && table.contains(&format!("\"25s\"  # {variable}")),
        "{table}"
    );
    for secret in [API_KEY, TOKEN] {
        assert!(!table.contains(secret) && !found.to_string().contains(secret));
    }
}

#[test]
fn a_configuration_is_checked_with_its_secrets_and_without_a_start() {
    let stage = Stage::new("", "");
    let good = like_serve(&stage, &["config", "check"]).output().unwrap();
    assert!(good.status.success(), "{good:?}");
    assert!(!stage.data().exists(), "it looks, and makes nothing");
    fs::write(stage.folder.path().join("token"), "").unwrap();
    let bad = like_serve(&stage, &["config", "check"]).output().unwrap();
    assert_eq!(bad.status.code(), Some(78));
    assert!(String::from_utf8(bad.stderr).unwrap().contains("is empty"));
    let wrong = like_serve(&stage, &["config", "check"])
        .env("ORDERKEEP_POLICY__LOCK_MARGN", "3s")
        .output()
        .unwrap();
    assert_eq!(wrong.status.code(), Some(78));
    let said = String::from_utf8(wrong.stderr).unwrap();
    assert!(
        said.contains("ORDERKEEP_POLICY__LOCK_MARGN") && said.contains("`lock_margin`"),
        "{said}"
    );
}

/// What a check calls good, a start takes; what a start refuses, a check finds.
#[test]
fn a_check_finds_what_a_start_would_refuse() {
    let stage = Stage::new("", "");
    let file = stage.folder.path().join("c.toml");
    for (text, words) in [
        ("[budget]\nper_second = 0.0\n", "`budget.per_second`"),
        ("[webhooks]\nforward_url = \"ftp://x/\"\n", "`webhooks.forward_url`"),
        ("[webhooks]\nlisten = \"0.0.0.0:0\"\n", "behind_proxy"),
        ("[otlp]\nendpoint = \"collector:4317\"\n", "`otlp.endpoint`"),
        ("[otlp]\nheaders_file = \"/no/such/file\"\n", "/no/such/file"),
        ("tls_cert_file = \"/no/such/file\"\n", "`tls_key_file`"),
    ] {
        fs::write(&file, text).unwrap();
        for words_of in [vec!["config", "check", "--config"], vec!["serve", "--config"]] {
            let mut args = words_of.clone();
            args.push(file.to_str().unwrap());
            let output = like_serve(&stage, &args).output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(78), "{words_of:?} {text}: {said}");
            assert!(said.contains(words), "{words_of:?} {text}: {said}");
        }
    }
    let mut log = stage.serve();
    let output = log.env("ORDERKEEP_LOG", "info,orderkeep=loud").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(78), "{said}");
    assert!(said.contains("ORDERKEEP_LOG") && said.contains("write it like"), "{said}");
}

/// The same daemon without a single file of secrets.
#[test]
fn secrets_come_from_variables_as_well_and_are_shown_nowhere() {
    let stage = Stage::new("", "");
    let with = |mut command: Command| {
        command.env("ORDERKEEP_PROVIDER__API_KEY", API_KEY);
        command.env("ORDERKEEP_WEBHOOK_TOKEN", format!("an-older-token-4799,{TOKEN}"));
        command.env("ORDERKEEP_API_TOKEN", "let-me-in-4716");
        command
    };
    let like_serve = |words: &[&str]| {
        let mut command = orderkeep();
        command.args(words).arg("--data").arg(stage.data());
        command.args(["--listen", stage.url.strip_prefix("http://").unwrap()]);
        command.args(["--provider-url", &stage.control]);
        with(command)
    };
    let check = like_serve(&["config", "check"]).output().unwrap();
    assert!(check.status.success(), "{check:?}");
    for output in ["json", "table"] {
        let print = like_serve(&["config", "print", "--output", output]).output().unwrap();
        let said = String::from_utf8(print.stdout).unwrap();
        for secret in [API_KEY, TOKEN, "an-older-token-4799", "let-me-in-4716"] {
            assert!(!said.contains(secret), "{said}");
        }
        for variable in ["ORDERKEEP_PROVIDER__API_KEY", "ORDERKEEP_WEBHOOK_TOKEN"] {
            assert!(said.contains(variable), "{said}");
        }
    }
    let _engine = stage.start_as(like_serve(&["serve"]));
    stage.get("/v1/status").is_problem(401, "unauthorized", "Bearer");
    let list = ["orders", "--url", &stage.url, "list"];
    assert!(with(orderkeep()).args(list).status().unwrap().success());
    let token = [("authorization", "Bearer let-me-in-4716")];
    let lock = json!({"amount": "100", "currency": "usdc", "network": "polygon"}).to_string();
    let locks = format!("{}/v1/locks", stage.url);
    assert_eq!(stage.http.send("POST", &locks, &token, lock).status, 201);
    let hooks = format!("{}/webhooks/p100", stage.url);
    for (token, status) in [(TOKEN, 200), ("an-older-token-4799", 200), ("a,b", 401)] {
        let answer = stage.http.send("POST", &hooks, &[("authorization", token)], "{}");
        assert_eq!(answer.status, status, "{token}");
    }

    // Two places for one secret, and none in the file that says where they are.
    let mut two = like_serve(&["config", "check"]);
    two.arg("--api-key-file").arg(stage.folder.path().join("api-key"));
    let file = stage.folder.path().join("c.toml");
    fs::write(&file, "[provider]\napi_key = \"e2e-api-key-4798\"\n").unwrap();
    let in_file = like_serve(&["config", "check", "--config", file.to_str().unwrap()]);
    for (mut wrong, words) in [
        (two, ["`api_key_file`", "keep one"]),
        (in_file, ["line 2", "did you mean `api_key_file`"]),
    ] {
        let output = wrong.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(78), "{said}");
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
        assert!(!said.contains("4798") && !said.contains(API_KEY), "{said}");
    }
}

#[test]
fn the_schema_is_json_and_knows_the_keys() {
    let output = orderkeep().args(["config", "schema"]).output().unwrap();
    let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(schema["properties"]["policy"]["properties"]["lock_margin"]["default"], "2s");
    assert_eq!(schema["additionalProperties"], false);
}

fn doctor(stage: &Stage) -> (Option<i32>, Vec<Value>) {
    let mut command =
        like_serve(stage, &["doctor", "--output", "json", "--public-url", &stage.url]);
    let output = command.output().unwrap();
    let findings = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {output:?}"));
    (output.status.code(), findings)
}

fn verdict<'a>(findings: &'a [Value], check: &str) -> &'a str {
    let found = findings.iter().find(|finding| finding["check"] == check);
    found.unwrap_or_else(|| panic!("{check} is not in {findings:?}"))["verdict"].as_str().unwrap()
}

#[test]
fn the_doctor_finds_what_is_wrong_and_nothing_else() {
    let stage = Stage::new("", "");
    let (code, before) = doctor(&stage);
    assert_eq!(code, Some(1), "nobody answers at the public address: {before:?}");
    assert_eq!(verdict(&before, "webhooks here"), "warn");
    assert_eq!(verdict(&before, "webhooks from outside"), "fail");

    let _engine = stage.start();
    let (code, well) = doctor(&stage);
    assert_eq!(code, Some(0), "{well:?}");
    for check in ["configuration", "provider", "webhooks here", "webhooks from outside"] {
        assert_eq!(verdict(&well, check), "ok", "{well:?}");
    }
    assert_eq!(verdict(&well, "mark"), "warn", "it is beside the data");

    fs::write(stage.folder.path().join("api-key"), "not-the-key").unwrap();
    let (code, refused) = doctor(&stage);
    assert_eq!((code, verdict(&refused, "provider")), (Some(1), "fail"), "{refused:?}");
    let advice = refused.iter().find(|finding| finding["check"] == "provider").unwrap();
    assert!(advice["advice"].as_str().unwrap().contains("api_key_file"), "{advice}");
    assert!(!format!("{refused:?}").contains("not-the-key"));
}

/// A first try without a provider once left a store in the folder that it was made in.
#[test]
fn what_is_not_configured_is_said_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let output = orderkeep()
        .current_dir(&folder)
        .args(["serve", "--listen", "127.0.0.1:0"])
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(78), "{stderr}");
    assert!(stderr.contains("--provider-url"), "{stderr}");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn who_reaches_no_engine_is_told_where_it_was_looked_for() {
    let port = crate::port::free_port(uuid::Uuid::new_v4().as_fields().0).unwrap();
    let url = format!("http://127.0.0.1:{port}");
    let output = orderkeep().args(["orders", "review", "--url", &url]).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains(&url) && stderr.contains("--url"), "{stderr}");
}
