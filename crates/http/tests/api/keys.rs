//! Keys: who gets in, what they may do, under which name it is kept, and how much they may ask.

use axum::{body::Body, http::Request};
use orderkeep_core::{Author, Timestamp};
use orderkeep_http::{ApiConfig, Key, KeyRing, Limits, Scope};
use serde_json::json;

use crate::world::{Answer, World, terms};

fn key(name: &str, scope: Scope) -> Key {
    Key {
        id: name.to_owned(),
        name: Author::new(name).unwrap(),
        scope,
        sha256: Key::hash(format!("ok_{name}").as_bytes()),
        created_at: Timestamp::from_millis(0),
        expires_at: None,
        revoked_at: None,
    }
}

async fn send(world: &World, key: &str, method: &str, path: &str, body: &str) -> Answer {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("authorization", format!("Bearer {key}"));
    let request = request.header("idempotency-key", "k");
    world.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

const SCOPES: [(&str, Scope); 4] = [
    ("reader", Scope::Read),
    ("shop", Scope::Write),
    ("night", Scope::Operate),
    ("boss", Scope::Admin),
];

async fn guarded() -> (World, KeyRing) {
    let ring = KeyRing::new(SCOPES.map(|(name, scope)| key(name, scope)).to_vec());
    (World::with(ApiConfig { keys: ring.clone(), ..ApiConfig::default() }).await, ring)
}

#[tokio::test(start_paused = true)]
async fn each_route_needs_its_scope() {
    let (world, _) = guarded().await;
    let nobody = "/v1/orders/0190a5a5-0000-7000-8000-000000000000";
    for (method, path, needed) in [
        ("GET", "/v1/rates".to_owned(), Scope::Read),
        ("GET", "/v1/orders".to_owned(), Scope::Read),
        ("GET", "/v1/events".to_owned(), Scope::Read),
        ("GET", "/v1/status".to_owned(), Scope::Read),
        ("GET", format!("{nobody}/explain"), Scope::Read),
        ("GET", format!("{nobody}/wait?for=Created"), Scope::Read),
        ("POST", "/v1/locks".to_owned(), Scope::Write),
        ("POST", "/v1/orders".to_owned(), Scope::Write),
        ("POST", format!("{nobody}/cancel"), Scope::Operate),
        ("POST", format!("{nobody}/retry"), Scope::Operate),
        ("POST", format!("{nobody}/adopt"), Scope::Operate),
        ("POST", format!("{nobody}/resolve"), Scope::Operate),
        ("POST", format!("{nobody}/post-again"), Scope::Operate),
        ("POST", format!("{nobody}/note"), Scope::Operate),
    ] {
        for (name, scope) in SCOPES {
            let answer = send(&world, &format!("ok_{name}"), method, &path, "{").await;
            if scope < needed {
                answer.is_problem(403, "insufficient_scope", &format!("`{needed}`"));
            } else {
                assert!(![401, 403].contains(&answer.status), "{name} {path}: {answer:?}");
            }
        }
        send(&world, "ok_nobody", method, &path, "{").await.is_problem(401, "unauthorized", "key");
    }
}

#[tokio::test(start_paused = true)]
async fn an_operator_s_act_is_kept_under_the_name_of_the_key() {
    let (world, _) = guarded().await;
    let order = send(&world, "ok_shop", "POST", "/v1/orders", &terms("l")).await;
    assert_eq!(order.status, 202, "{order:?}");
    let path = format!("/v1/orders/{}", order.body["id"].as_str().unwrap());
    let note = format!("{path}/note");
    for body in [r#"{"text":"one"}"#, r#"{"text":"two","author":"ann"}"#] {
        assert_eq!(send(&world, "ok_night", "POST", &note, body).await.status, 200);
    }
    let history = send(&world, "ok_reader", "GET", &format!("{path}/history"), "").await.body;
    let authors: Vec<_> = history["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|item| item["cause"].get("command"))
        .collect();
    assert_eq!(authors, [&json!("night"), &json!("night/ann")]);
    let long = format!(r#"{{"text":"three","author":"{}"}}"#, "x".repeat(128));
    send(&world, "ok_night", "POST", &note, &long).await.is_problem(
        400,
        "bad_request",
        "`night/...`",
    );
    // Without keys somebody must say who they are.
    let open = World::new().await;
    let nobody = "/v1/orders/0190a5a5-0000-7000-8000-000000000000/note";
    open.post(nobody, r#"{"text":"who"}"#).await.is_problem(400, "bad_request", "`author`");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_has_ended_is_told_the_same_as_one_that_never_was() {
    let (world, ring) = guarded().await;
    let ended = Key { expires_at: Some(Timestamp::from_millis(1)), ..key("old", Scope::Admin) };
    let revoked = Key { revoked_at: Some(Timestamp::from_millis(1)), ..key("lost", Scope::Admin) };
    ring.replace(vec![ended, revoked, key("new", Scope::Read)]);
    let never = send(&world, "ok_never", "GET", "/v1/orders", "").await;
    never.is_problem(401, "unauthorized", "Bearer");
    for name in ["ok_old", "ok_lost", "ok_reader", ""] {
        assert_eq!(send(&world, name, "GET", "/v1/orders", "").await.body, never.body, "{name}");
    }
    assert_eq!(send(&world, "ok_new", "GET", "/v1/orders", "").await.status, 200);
    // Two headers are one too many, whichever is good.
    let twice = Request::get("/v1/orders").header("authorization", "Bearer ok_new");
    let twice = twice.header("authorization", "Bearer ok_new").body(Body::empty()).unwrap();
    assert_eq!(world.send(twice).await.status, 401);
    // A ring of ended keys is not an open door.
    ring.replace(vec![Key {
        revoked_at: Some(Timestamp::from_millis(1)),
        ..key("a", Scope::Read)
    }]);
    assert_eq!(world.get("/v1/orders").await.status, 401);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_asks_too_often_waits_and_holds_up_no_other() {
    let (world, _) = guarded().await;
    let mut asked = 0;
    let refused = loop {
        let answer = send(&world, "ok_reader", "GET", "/v1/orders/17", "").await;
        if answer.status == 429 {
            break answer;
        }
        asked += 1;
    };
    assert_eq!(asked, 400);
    refused.is_problem(429, "too_many_requests", "`reader`");
    assert_eq!(refused.headers["retry-after"], "1");
    assert_eq!(send(&world, "ok_shop", "GET", "/v1/orders", "").await.status, 200);
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(send(&world, "ok_reader", "GET", "/v1/orders", "").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn requests_at_once_are_bounded_and_waits_take_no_place() {
    let config =
        ApiConfig { limits: Limits { in_flight: 1, ..Limits::default() }, ..ApiConfig::default() };
    let world = World::with(config).await;
    let order = world.submit("k", terms("l")).await;
    let wait = format!("/v1/orders/{}/wait?for=Executed", order.body["id"].as_str().unwrap());
    world.provider.hangs();
    let lock = r#"{"amount":"100","currency":"usdc","network":"polygon"}"#;
    let (waiting, held) = (world.get(&wait), world.post("/v1/locks", lock));
    let ask = async {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        let busy = world.get("/v1/orders").await;
        busy.is_problem(503, "busy", "allows");
        assert_eq!(busy.headers["retry-after"], "1");
        assert_eq!(world.get("/healthz").await.status, 200);
    };
    let (waited, held, ()) = tokio::join!(waiting, held, ask);
    assert_eq!((waited.status, held.status), (200, 408));
    assert_eq!(world.get("/v1/orders").await.status, 200);
}
