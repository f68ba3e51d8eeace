//! The feed over HTTP: pages and streams, their cursors, their bounds, their ends.

use std::time::Duration;

use axum::{
    body::Body,
    http::{Request, Response},
};
use orderkeep_http::{ApiConfig, Limits};
use orderkeep_store::Health;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::world::{World, terms};

/// An open stream, read block by block.
struct Stream {
    body: axum::body::BodyDataStream,
    text: String,
}

impl Stream {
    async fn open(world: &World, path: &str, last_event_id: Option<&str>) -> Response<Body> {
        let mut request = Request::get(path).header("accept", "text/event-stream");
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        world.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    async fn of(world: &World, path: &str, last_event_id: Option<&str>) -> Self {
        let response = Self::open(world, path, last_event_id).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body().into_data_stream(), text: String::new() }
    }

    /// The next block between empty lines; `None`: the stream has ended.
    async fn block(&mut self) -> Option<String> {
        use futures_util::StreamExt as _;
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(block);
            }
            let bytes = self.body.next().await?.unwrap();
            self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }

    /// The next event: its cursor and its data.
    async fn event(&mut self) -> (String, Value) {
        let block = self.block().await.unwrap();
        let field = |name: &str| {
            let line = block.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_else(|| panic!("no {name} in {block}")).trim().to_owned()
        };
        (field("id:"), serde_json::from_str(&field("data:")).unwrap())
    }
}

/// Two orders, with two events each.
async fn four_events(world: &World) -> Vec<Value> {
    for number in 0..2 {
        let order = world.submit(&format!("k{number}"), terms(&format!("l{number}"))).await;
        let path = format!("/v1/orders/{}", order.body["id"].as_str().unwrap());
        while world.get(&path).await.body["version"] != 2 {
            tokio::task::yield_now().await;
        }
    }
    let page = world.get("/v1/events").await;
    assert_eq!((page.status, &page.body["more"]), (200, &json!(false)));
    page.body["items"].as_array().unwrap().clone()
}

/// A stale status is told.
///
/// An event is what was committed, with its version; never a later or an earlier look.
#[tokio::test(start_paused = true)]
async fn h2_an_event_is_what_was_committed() {
    let world = World::new().await;
    let order = world.submit("k", terms("l")).await;
    let id = order.body["id"].as_str().unwrap();
    let page = world.get("/v1/events?limit=1").await.body;
    let (event, next) = (&page["items"][0], &page["nextCursor"]);
    assert_eq!(event["data"]["event"]["submitted"]["key"], "k");
    let mut event = event.clone();
    let data = event.as_object_mut().unwrap().remove("data").unwrap();
    assert_eq!((&data["version"], &data["cause"]), (&json!(1), &json!("submit")));
    let expected = json!({
        "specversion": "1.0",
        "id": format!("{id}/1"),
        "source": "/v1/orders",
        "type": "orderkeep.order.submitted",
        "subject": id,
        "time": "2026-03-01T12:00:00Z",
        "datacontenttype": "application/json",
        "cursor": next,
    });
    assert_eq!(event, expected);
}

/// A receiver is down for a day.
///
/// Nothing is lost: it asks for what came after the cursor that it kept, and gets every event once, in order.
#[tokio::test(start_paused = true)]
async fn h5_a_receiver_is_down_for_a_day() {
    let world = World::new().await;
    let all = four_events(&world).await;
    let ids: Vec<_> = all.iter().map(|event| event["type"].as_str().unwrap()).collect();
    let pair = ["orderkeep.order.submitted", "orderkeep.order.create_intended"];
    assert_eq!(ids, [pair, pair].concat());

    let mut after = "oldest".to_owned();
    let mut paged = Vec::new();
    let mut sizes = Vec::new();
    for _ in 0..3 {
        let page = world.get(&format!("/v1/events?limit=3&after={after}")).await.body;
        let items = page["items"].as_array().unwrap().clone();
        assert_eq!(page["more"], json!(items.len() == 3));
        sizes.push(items.len());
        paged.extend(items);
        after = page["nextCursor"].as_str().unwrap().to_owned();
    }
    assert_eq!((&paged, sizes), (&all, vec![3, 1, 0]));
    for (seen, event) in (1..).zip(&all) {
        let after = event["cursor"].as_str().unwrap();
        let rest = world.get(&format!("/v1/events?after={after}")).await.body;
        assert_eq!(rest["items"], json!(all[seen..]), "after {seen}");
    }
    let new = world.get("/v1/events?after=latest").await.body;
    assert_eq!(new["items"], json!([]));
    let order = world.submit("new", terms("new")).await;
    let path = format!("/v1/events?after={}", new["nextCursor"].as_str().unwrap());
    assert_eq!(world.get(&path).await.body["items"][0]["subject"], order.body["id"]);
}

#[tokio::test(start_paused = true)]
async fn a_cursor_of_another_life_is_answered_with_the_oldest_one() {
    let world = World::new().await;
    let all = four_events(&world).await;
    let foreign = "00000000000000000000000000000077.1.1";
    let answers = [world.get(&format!("/v1/events?after={foreign}")).await, {
        let request = Request::get("/v1/events").header("accept", "text/event-stream");
        world.send(request.header("last-event-id", foreign).body(Body::empty()).unwrap()).await
    }];
    for answer in answers {
        answer.is_problem(410, "cursor_gone", "another life");
        let oldest = answer.body["oldestCursor"].as_str().unwrap();
        let page = world.get(&format!("/v1/events?after={oldest}")).await.body;
        assert_eq!(page["items"], Value::Array(all.clone()));
    }
    for path in ["/v1/events?after=17", "/v1/events?from=oldest", "/v1/events?limit=all"] {
        assert_eq!(world.get(path).await.status, 400, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_tells_what_there_is_then_what_comes_and_resumes() {
    let world = World::new().await;
    let all = four_events(&world).await;
    let mut stream = Stream::of(&world, "/v1/events", None).await;
    for event in &all {
        assert_eq!(
            stream.event().await,
            (event["cursor"].as_str().unwrap().to_owned(), event.clone())
        );
    }
    let later = world.submit("later", terms("later")).await;
    let (cursor, event) = stream.event().await;
    assert_eq!(event["subject"], later.body["id"]);
    // The cursor that was seen last wins over what the address says.
    let mut again = Stream::of(&world, "/v1/events?after=oldest", all[1]["cursor"].as_str()).await;
    assert_eq!(again.event().await.1, all[2]);
    let mut latest = Stream::of(&world, "/v1/events?after=latest", None).await;
    let mut last = Stream::of(&world, "/v1/events", Some(&cursor)).await;
    let newest = world.submit("newest", terms("newest")).await;
    let (_, event) = latest.event().await;
    assert_ne!(event["data"]["version"], 0);
    loop {
        let (_, event) = last.event().await;
        if event["subject"] == newest.body["id"] {
            break;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_says_that_it_is_alive_and_ends_after_an_hour() {
    let world = World::new().await;
    let start = tokio::time::Instant::now();
    let mut stream = Stream::of(&world, "/v1/events", None).await;
    let mut beats = 0;
    while let Some(block) = stream.block().await {
        assert!(block.starts_with(':'), "{block}");
        beats += 1;
    }
    let lasted = start.elapsed();
    assert!(
        (Duration::from_secs(3_590)..Duration::from_secs(3_620)).contains(&lasted),
        "{lasted:?}"
    );
    assert!((200..=240).contains(&beats), "{beats}");
}

#[tokio::test(start_paused = true)]
async fn streams_are_bounded_and_a_place_is_free_when_one_leaves() {
    let world = World::with(ApiConfig {
        limits: Limits { streams: 2, ..Limits::default() },
        ..ApiConfig::default()
    })
    .await;
    let first = Stream::of(&world, "/v1/events", None).await;
    let _second = Stream::of(&world, "/v1/events", None).await;
    let full = Stream::open(&world, "/v1/events", None).await;
    assert_eq!(
        (full.status().as_u16(), &full.headers()["retry-after"]),
        (503, &"5".parse().unwrap())
    );
    // Pages need no place.
    assert_eq!(world.get("/v1/events").await.status, 200);
    drop(first);
    Stream::of(&world, "/v1/events", None).await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_when_the_server_closes_and_says_why_the_store_stopped() {
    let config = ApiConfig::default();
    let closing = config.closing.clone();
    let world = World::with(config).await;
    let mut stream = Stream::of(&world, "/v1/events", None).await;
    let mut halted = Stream::of(&world, "/v1/events", None).await;
    let halt = tokio::spawn(async move { (halted.block().await, halted.block().await) });
    tokio::time::sleep(Duration::from_secs(1)).await;
    world.store.halts_reads("a write failed");
    world.store.is(Health::Halted("a write failed".to_owned()));
    let (told, end) = halt.await.unwrap();
    let told = told.unwrap();
    assert!(told.contains("event: error") && told.contains("a write failed"), "{told}");
    assert_eq!(end, None);
    closing.cancel();
    while let Some(block) = stream.block().await {
        assert!(!block.contains("id:"), "{block}");
    }
}
