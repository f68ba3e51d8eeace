//! What people ask of an order over HTTP: what it takes, what it answers, what it refuses and why.

use serde_json::{Value, json};

use crate::world::{World, terms};

const ASKED: &str = r#"{"author":"ann","reason":"the payer called"}"#;

/// An order whose create is on its way, and is never answered.
async fn in_flight(world: &World) -> String {
    let submitted = world.submit("k", terms("lock-1")).await;
    let path = format!("/v1/orders/{}", submitted.body["id"].as_str().unwrap());
    while world.get(&path).await.body["version"] != 2 {
        tokio::task::yield_now().await;
    }
    path
}

#[tokio::test(start_paused = true)]
async fn a_command_answers_with_the_order_and_is_kept_with_who_and_why() {
    let world = World::new().await;
    let path = in_flight(&world).await;
    let answer = world.post(&format!("{path}/cancel"), ASKED).await;
    assert_eq!((answer.status, &answer.body["disposition"]), (200, &json!("applied")));
    assert_eq!(answer.body["order"]["cancelWished"], true);
    let again = world.post(&format!("{path}/cancel"), ASKED).await;
    assert_eq!((again.status, &again.body["disposition"]), (200, &json!("duplicate")));
    let note = world.post(&format!("{path}/note"), r#"{"author":"ann","text":"wrote them"}"#).await;
    assert_eq!(note.status, 200);
    let history = world.get(&format!("{path}/history")).await.body;
    let cause = &history["items"][2]["cause"];
    assert_eq!(*cause, json!({ "command_for": { "author": "ann", "reason": "the payer called" } }));
    let explained = world.get(&format!("{path}/explain")).await;
    assert_eq!((explained.status, &explained.body["state"]), (200, &json!("Locked")));
    let told = |field: &str, word: &str| {
        assert!(explained.body[field].to_string().contains(word), "{word}: {explained:?}");
    };
    told("why", "Create attempt 1 is on its way since 2026-03-01T12:00:00Z");
    told("why", "ann wants it to end");
    told("next", "Without an answer by 2026-03-01T12:00:30Z");
    told("evidence", "Reason given: the payer called");
    told("evidence", "Note: wrote them");
    let fields: Vec<&String> = explained.body.as_object().unwrap().keys().collect();
    let expected = [
        "at",
        "evidence",
        "next",
        "nextAt",
        "orderId",
        "questions",
        "since",
        "situation",
        "state",
        "why",
    ];
    assert_eq!(fields, expected);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_why_and_what_instead() {
    let world = World::new().await;
    let path = in_flight(&world).await;
    let refused = async |verb: &str, body: &str, refusal: &str, word: &str| {
        let answer = world.post(&format!("{path}/{verb}"), body.to_owned()).await;
        answer.is_problem(409, "refused", word);
        assert_eq!(answer.body["refusal"], refusal, "{verb}");
    };
    refused("retry", ASKED, "create_in_flight", "on its way").await;
    let resolve = r#"{"author":"ann","reason":"asked them","noProviderOrder":true}"#;
    refused("resolve", resolve, "create_in_flight", "on its way").await;
    let resolve = r#"{"author":"ann","reason":"seen","review":"unknown_create"}"#;
    refused("resolve", resolve, "nothing_to_resolve", "`unknown_create`").await;
    let again = r#"{"author":"ann","reason":"they say so","lockId":"lock-1"}"#;
    refused("post-again", again, "create_in_flight", "on its way").await;
    tokio::time::sleep(std::time::Duration::from_secs(31)).await;
    refused("retry", ASKED, "create_unknown", "`adopt`").await;
    let again = r#"{"author":"ann","reason":"they say so","lockId":"lock-2"}"#;
    refused("post-again", again, "wrong_acknowledgement", "lock-1").await;
}

#[tokio::test(start_paused = true)]
async fn bad_commands_are_told_what_is_wrong() {
    let world = World::new().await;
    let path = in_flight(&world).await;
    for (verb, body, word) in [
        ("cancel", "", "EOF"),
        ("cancel", r#"{"author":"ann"}"#, "`reason`"),
        ("cancel", r#"{"reason":"so"}"#, "`author`"),
        ("cancel", r#"{"author":"night shift","reason":"so"}"#, "white space"),
        ("cancel", r#"{"author":"ann","reason":" "}"#, "words"),
        ("cancel", r#"{"author":"ann","reason":"so","force":true}"#, "`force`"),
        ("adopt", ASKED, "`providerOrderId`"),
        ("post-again", ASKED, "`lockId`"),
        ("resolve", ASKED, "`review`"),
        (
            "resolve",
            r#"{"author":"a","reason":"so","review":"all","noProviderOrder":true}"#,
            "`review`",
        ),
        (
            "resolve",
            r#"{"author":"a","reason":"so","review":"late"}"#,
            "unknown_create, create_refused",
        ),
        ("note", r#"{"author":"a","text":""}"#, "words"),
    ] {
        let answer = world.post(&format!("{path}/{verb}"), body.to_owned()).await;
        answer.is_problem(400, "bad_request", word);
    }
    let nobody = "/v1/orders/0190a5a5-0000-7000-8000-000000000000";
    world.post(&format!("{nobody}/retry"), ASKED).await.is_problem(
        404,
        "no_such_order",
        "0190a5a5",
    );
    world.get(&format!("{nobody}/explain")).await.is_problem(404, "no_such_order", "0190a5a5");
    world.get("/v1/orders/17/explain").await.is_problem(400, "bad_request", "UUID");
    assert_eq!(world.get(&path).await.body["version"], 2);
}

#[tokio::test(start_paused = true)]
async fn what_needs_a_person_comes_with_the_commands_that_settle_it() {
    let world = World::new().await;
    let path = in_flight(&world).await;
    tokio::time::sleep(std::time::Duration::from_secs(31 + 301)).await;
    let listed = world.get("/v1/orders?review=true").await.body;
    let question = &listed["items"][0]["review"][0];
    assert_eq!(question["reason"], "unknown_create");
    let commands: Vec<&str> =
        question["commands"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let id = path.rsplit('/').next().unwrap();
    assert_eq!(
        commands[1],
        format!("orderkeep orders resolve {id} --no-provider-order --author YOU --reason 'WHY'")
    );
    let resolve = r#"{"author":"ann","reason":"asked them","noProviderOrder":true}"#;
    let answer = world.post(&format!("{path}/resolve"), resolve).await;
    assert_eq!(answer.body["order"]["failReason"], "unknown_create");
    assert_eq!(world.get("/v1/orders?review=true").await.body["items"], json!([]));
}
