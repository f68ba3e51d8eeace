//! Keys from the command line, and a running daemon that follows them.

use std::fs;

use crate::stage::{Stage, orderkeep, until};

#[test]
fn keys_are_shown_once_kept_hashed_and_followed_while_the_daemon_runs() {
    let stage = Stage::new("", "");
    let _engine = stage.start();
    let data = stage.data();
    let keys = |args: &[&str]| {
        orderkeep()
            .args(["keys", "--output", "json", "--data"])
            .arg(&data)
            .args(args)
            .output()
            .unwrap()
    };
    let status = |key: &str| {
        let bearer = format!("Bearer {key}");
        let url = format!("{}/v1/orders", stage.url);
        stage.http.send("GET", &url, &[("authorization", bearer.as_str())], "").status
    };
    assert_eq!(status(""), 200, "on loopback nobody is asked while there are no keys");
    let made = keys(&["create", "--name", "shop", "--scope", "write", "--expires", "90d"]);
    assert!(made.status.success(), "{made:?}");
    let made: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
    let key = made["key"].as_str().unwrap();
    assert_eq!(key.len(), "ok_".len() + 8 + 1 + 64);
    until("the daemon asks for a key", || status("") == 401);
    assert_eq!(status(key), 200);
    let verb = format!("{}/v1/orders/0190a5a5-0000-7000-8000-000000000000/cancel", stage.url);
    let bearer = format!("Bearer {key}");
    let refused = stage.http.send("POST", &verb, &[("authorization", bearer.as_str())], "{}");
    refused.is_problem(403, "insufficient_scope", "`operate`");
    stage.get("/metrics").is_problem(401, "unauthorized", "Bearer");

    let file = format!("{}.keys.json", data.display());
    let kept = fs::read_to_string(&file).unwrap();
    assert!(!kept.contains(&key[12..]), "the secret is kept: {kept}");
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let listed: serde_json::Value = serde_json::from_slice(&keys(&["list"]).stdout).unwrap();
    assert_eq!((&listed[0]["name"], &listed[0]["scope"]), (&"shop".into(), &"write".into()));
    assert!(listed[0].get("sha256").is_none());

    // A broken or missing file lets nobody in, and nobody out.
    fs::write(&file, "[").unwrap();
    until("it has been looked at", || {
        fs::read_to_string(stage.folder.path().join("engine.log"))
            .unwrap()
            .contains("stay as they were")
    });
    assert_eq!((status(""), status(key)), (401, 200));
    fs::write(&file, kept).unwrap();
    assert!(keys(&["revoke", "shop"]).status.success());
    until("the key opens nothing", || status(key) == 401);
    assert_eq!(keys(&["revoke", "shop"]).status.code(), Some(3));
    for wrong in [["--scope", "root"], ["--expires", "yesterday"], ["--expires", "2020-01-01"]] {
        let mut args = vec!["create", "--name", "x"];
        if wrong[0] != "--scope" {
            args.extend(["--scope", "read"]);
        }
        args.extend(wrong);
        assert_eq!(keys(&args).status.code(), Some(2), "{wrong:?}");
    }
    let log = fs::read_to_string(stage.folder.path().join("engine.log")).unwrap();
    assert!(!log.contains(&key[12..]), "a key is in the log");
}

#[test]
fn a_rotated_key_is_good_beside_its_successor_until_the_overlap_ends() {
    let stage = Stage::new("", "");
    let keys = |args: &[&str]| {
        orderkeep()
            .args(["keys", "--output", "json", "--data"])
            .arg(stage.data())
            .args(args)
            .output()
            .unwrap()
    };
    let key = |output: std::process::Output| -> String {
        assert!(output.status.success(), "{output:?}");
        let made: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        made["key"].as_str().unwrap().to_owned()
    };
    let old = key(keys(&["create", "--name", "shop", "--scope", "write"]));
    let _engine = stage.start();
    let status = |key: &str| {
        let bearer = format!("Bearer {key}");
        let url = format!("{}/v1/orders", stage.url);
        stage.http.send("GET", &url, &[("authorization", bearer.as_str())], "").status
    };
    let new = key(keys(&["rotate", "shop", "--overlap", "1h"]));
    until("the new key is good", || status(&new) == 200);
    assert_eq!(status(&old), 200, "and the old one still is");
    let listed: serde_json::Value = serde_json::from_slice(&keys(&["list"]).stdout).unwrap();
    let both = listed.as_array().unwrap();
    assert_eq!((both.len(), &both[1]["scope"]), (2, &"write".into()));
    assert!(both[0]["expiresAt"].is_string() && both[1]["expiresAt"].is_null(), "{listed}");

    let newest = key(keys(&["rotate", "shop", "--overlap", "0"]));
    until("only the newest is good", || (status(&new), status(&newest)) == (401, 200));
    assert_eq!(status(&old), 401, "an overlap is never longer than what was left");
    assert_eq!(keys(&["rotate", "nobody"]).status.code(), Some(3));
    assert_eq!(keys(&["rotate", "shop", "--overlap", "soon"]).status.code(), Some(2));
}
