//! What somebody types at night: what is wrong, why, and the commands that settle it.

use std::process::Output;

use serde_json::{Value, json};

use crate::stage::{Stage, orderkeep, until};

fn orders(stage: &Stage, args: &[&str]) -> Output {
    orderkeep().args(["orders", "--url", &stage.url]).args(args).output().unwrap()
}

fn table(stage: &Stage, args: &[&str]) -> String {
    let output = orders(stage, args);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{args:?}: {said}");
    String::from_utf8(output.stdout).unwrap() + &said
}

fn json_of(stage: &Stage, args: &[&str]) -> Value {
    let output = orders(stage, &[args, &["--output", "json"]].concat());
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A create that was made and whose answer is garbage, with no webhook that would heal it.
#[test]
fn an_unknown_create_is_explained_and_settled_by_the_commands_that_are_shown() {
    let faults = "[[faults.rules]]\nfault = { on = \"call\", endpoint = \"create\", fault = { kind = \"garbage\", shape = \"empty\" } }\n\
                  [[faults.rules]]\nfault = { on = \"webhook\", fault = { kind = \"lost_all\" } }\n";
    let stage = Stage::new("", faults);
    let _engine = stage.start();
    let (id, lock) = stage.order("k");
    until("unknown", || stage.show(&id)["create"]["progress"] == "unknown");

    let explained = table(&stage, &["explain", &id]);
    for words in [
        "Why it is there:",
        "Nobody knows since",
        "Nothing is sent again",
        "[submit] Submitted under key `k`",
    ] {
        assert!(explained.contains(words), "`{words}` is not in {explained}");
    }
    assert_eq!(json_of(&stage, &["explain", &id])["situation"], "create unknown");

    let asked = ["--author", "ann", "--reason", "the payer waits"];
    let refused = orders(&stage, &[&["retry", &id], &asked[..]].concat());
    assert_eq!(refused.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("never posts it again"));
    let nobody = orders(&stage, &["explain", "0190a5a5-0000-7000-8000-000000000000"]);
    assert_eq!(nobody.status.code(), Some(3));
    let nameless = orders(&stage, &["retry", &id, "--reason", "so"]);
    assert_eq!(nameless.status.code(), Some(2));

    table(&stage, &["note", &id, "asked them in writing", "--author", "ann"]);
    let made = stage.ledger()["orders_per_lock"][lock["lockId"].as_str().unwrap()][0].clone();
    let made = made.as_str().unwrap();
    let adopted =
        json_of(&stage, &[&["adopt", &id, "--provider-order", made], &asked[..]].concat());
    assert_eq!(adopted["disposition"], "applied");
    stage.to_executed(&id);

    let explained = table(&stage, &["explain", &id]);
    for words in [
        "Executed since",
        "[ann, command]",
        "Reason given: the payer waits",
        "Note: asked them in writing",
    ] {
        assert!(explained.contains(words), "`{words}` is not in {explained}");
    }
    assert_eq!(json_of(&stage, &["review"]), json!([]));
    assert!(table(&stage, &["review"]).contains("nothing needs a person"));
    assert_eq!(stage.ledger()["calls"]["create"]["received"], 1);
}
