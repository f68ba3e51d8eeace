//! The demo judges an engine rightly: a good one and a wrong one.

use serde_json::Value;

use crate::stage::orderkeep;

fn demo(args: &[&str]) -> (Option<i32>, Value, String) {
    let output = orderkeep().arg("demo").args(["--output", "json"]).args(args).output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let report = serde_json::from_str(&stdout).unwrap_or(Value::Null);
    (output.status.code(), report, stderr)
}

#[test]
fn a_good_engine_loses_nothing_through_kills() {
    let (code, report, stderr) = demo(&["--orders", "20", "--kills", "2", "--seed", "5"]);
    assert_eq!(code, Some(0), "{report} {stderr}");
    let count =
        |name: &str| report[name].as_u64().unwrap_or_else(|| panic!("no {name} in {report}"));
    for name in [
        "unknown_creates",
        "unknown_resolved",
        "kills_with_open",
        "webhooks_received",
        "webhooks_duplicate",
        "polls",
    ] {
        count(name);
    }
    assert!(report["elapsed_s"].is_number() && report["orders_per_s"].is_number());
    assert_eq!(count("orders"), 20);
    assert_eq!(count("kills"), 2);
    assert_eq!(count("executed") + count("failed") + count("review") + count("open"), 20);
    assert_eq!((count("lost"), count("duplicate_creates"), count("open")), (0, 0, 0));
    assert_eq!(count("executed"), count("ledger_executed"));
    assert!(stderr.contains("submitted"), "progress is talk: {stderr}");
}

#[test]
fn an_engine_that_posts_again_is_found_out() {
    let (code, report, stderr) =
        demo(&["--orders", "60", "--kills", "0", "--seed", "3", "--twin", "resend"]);
    assert_eq!(code, Some(1), "{report} {stderr}");
    assert!(report["duplicate_creates"].as_u64().unwrap() > 0, "{report}");
    assert!(stderr.contains("created twice"), "{stderr}");
}

#[test]
fn a_wrong_command_line_exits_with_2() {
    assert_eq!(demo(&["--orders", "0"]).0, Some(2));
    assert_eq!(demo(&["--faults", "mild"]).0, Some(2));
}
