//! Lists, page by page: every order once, newest first.

use serde_json::Value;

use crate::world::{World, terms};

fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|order| order["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn pages_hold_every_order_once_newest_first() {
    let world = World::new().await;
    let mut submitted = Vec::new();
    for number in 0..5 {
        let order = world.submit(&format!("k{number}"), terms(&format!("l{number}"))).await;
        submitted.push(order.body["id"].as_str().unwrap().to_owned());
    }
    submitted.reverse();

    let mut paged = Vec::new();
    let mut sizes = Vec::new();
    let mut path = "/v1/orders?limit=2".to_owned();
    loop {
        let page = world.get(&path).await;
        assert_eq!(page.status, 200, "{page:?}");
        sizes.push(ids(&page.body).len());
        paged.extend(ids(&page.body));
        let Some(cursor) = page.body["nextCursor"].as_str() else { break };
        path = format!("/v1/orders?limit=2&cursor={cursor}");
    }
    assert_eq!((paged, sizes), (submitted.clone(), vec![2, 2, 1]));

    // Narrowed: by state in any spelling of its case, by what is open, by what needs a person.
    for query in ["state=Locked", "state=locked", "open=true", "limit=0", "limit=1000000"] {
        let page = world.get(&format!("/v1/orders?{query}")).await;
        let expected = if query == "limit=0" { 1 } else { 5 };
        assert_eq!((page.status, ids(&page.body).len()), (200, expected), "{query}");
    }
    for query in ["state=Executed", "review=true", "state=Failed&open=true"] {
        let page = world.get(&format!("/v1/orders?{query}")).await;
        assert_eq!((page.status, ids(&page.body).len()), (200, 0), "{query}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_history_is_paged_by_the_events_numbers() {
    let world = World::new().await;
    let order = world.submit("k", terms("l")).await;
    let path = format!("/v1/orders/{}", order.body["id"].as_str().unwrap());
    while world.get(&path).await.body["version"] != 2 {
        tokio::task::yield_now().await;
    }
    let first = world.get(&format!("{path}/history?limit=1")).await.body;
    assert_eq!((&first["items"][0]["version"], &first["nextCursor"]), (&1.into(), &"1".into()));
    let said = first["items"][0]["said"].as_str().unwrap();
    assert!(said.starts_with("Submitted under key"), "{first}");
    let second = world.get(&format!("{path}/history?limit=1&after=1")).await.body;
    assert_eq!((&second["items"][0]["version"], &second["nextCursor"]), (&2.into(), &"2".into()));
    let third = world.get(&format!("{path}/history?limit=1&after=2")).await;
    assert_eq!((third.status, &third.body["items"]), (200, &Value::Array(Vec::new())));
}
