//! Endpoints: made, changed, rotated, replayed, deleted; and a store that was put back.

use std::{sync::Arc, time::Duration};

use orderkeep_outbox::{Draft, OutboxError, Replay, Start, Update};
use uuid::Uuid;

use crate::world::{DAY, HOUR, MINUTE, World, complete, id};

#[tokio::test(start_paused = true)]
async fn only_what_was_asked_for_is_sent() {
    let world = World::new();
    let outbox = world.start().await;
    world.event(1, 1).await;
    let draft = Draft {
        url: "https://shop/".to_owned(),
        types: vec!["orderkeep.order.noted".to_owned()],
        ..Draft::default()
    };
    let endpoint = outbox.create(draft).await.unwrap();
    world.event(1, 2).await;
    world.event(2, 1).await;
    world.event(2, 2).await;
    world.pass(MINUTE).await;
    assert_eq!(world.receivers.taken("shop"), [id(1, 2), id(2, 2)]);
    outbox.disable(endpoint.id).await.unwrap();
    world.event(1, 3).await;
    world.pass(DAY).await;
    assert_eq!(world.receivers.taken("shop").len(), 2);
    let update = Update { url: Some("https://other/".to_owned()), ..Update::default() };
    outbox.update(endpoint.id, update).await.unwrap();
    outbox.enable(endpoint.id).await.unwrap();
    world.pass(MINUTE).await;
    assert_eq!(world.receivers.taken("other"), [id(1, 3)]);
    outbox.delete(endpoint.id).await.unwrap();
    world.event(1, 4).await;
    world.pass(DAY).await;
    assert_eq!(outbox.show(endpoint.id), Err(OutboxError::NoEndpoint(endpoint.id)));
    outbox.shutdown().await;
    assert!(world.start().await.list().is_empty());
    assert_eq!(world.receivers.seen().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_rotated_secret_signs_beside_the_new_one_until_the_overlap_ends() {
    let world = World::new();
    let outbox = world.start().await;
    let endpoint = world.endpoint(&outbox, "shop").await;
    let signatures = |order| {
        let world = &world;
        async move {
            world.event(order, 1).await;
            world.pass(MINUTE).await;
            let seen = world.receivers.seen().pop().unwrap();
            seen.headers["webhook-signature"].split(' ').count()
        }
    };
    assert_eq!(signatures(1).await, 1);
    let rotated = outbox.rotate(endpoint.id, None, HOUR).await.unwrap();
    assert_ne!(rotated.secrets[0].0, endpoint.secrets[0].0);
    assert_eq!(signatures(2).await, 2);
    let again = outbox.rotate(endpoint.id, None, 8 * DAY).await;
    assert!(matches!(again, Err(OutboxError::Invalid { .. })));
    world.pass(HOUR).await;
    assert_eq!(signatures(3).await, 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_delivered_can_be_delivered_again() {
    let world = World::new();
    let outbox = world.start().await;
    let endpoint = world.endpoint(&outbox, "shop").await;
    world.events(2, 2).await;
    world.pass(HOUR).await;
    let noon = world.receivers.seen()[0].at.plus(HOUR / 2);
    world.event(1, 3).await;
    world.pass(MINUTE).await;
    assert_eq!(world.receivers.taken("shop").len(), 5);
    outbox.replay(endpoint.id, Replay::Event(id(2, 1))).await.unwrap();
    world.pass(MINUTE).await;
    assert_eq!(world.receivers.taken("shop")[5..], [id(2, 1)]);
    outbox.replay(endpoint.id, Replay::Since(noon)).await.unwrap();
    world.pass(MINUTE).await;
    assert_eq!(world.receivers.taken("shop")[6..], [id(1, 3)]);
    for wrong in [id(2, 3), id(9, 1), id(2, 0), "x".to_owned(), endpoint.id.to_string()] {
        let refused = outbox.replay(endpoint.id, Replay::Event(wrong.clone())).await;
        assert_eq!(refused, Err(OutboxError::NoEvent(wrong)));
    }
    let test = outbox.test(endpoint.id).await.unwrap();
    assert_eq!((test.kind.as_str(), test.why), ("orderkeep.test", None));
    let log = outbox.deliveries(endpoint.id, 100).unwrap();
    assert_eq!((log.len(), log[1].event.clone()), (8, id(1, 3)));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_an_endpoint_is_refused() {
    let world = World::new();
    let outbox = world.start().await;
    let refused = async |url: &str, kind: &str| {
        let types = if kind.is_empty() { Vec::new() } else { vec![kind.to_owned()] };
        let draft = Draft { url: url.to_owned(), types, ..Draft::default() };
        matches!(outbox.create(draft).await, Err(OutboxError::Invalid { .. }))
    };
    for url in
        ["", "shop", "ftp://shop/", "file:///etc/passwd", "https://a:b@shop/", "https://inside/"]
    {
        assert!(refused(url, "").await, "{url}");
    }
    let long = format!("https://shop/{}", "x".repeat(2_000));
    assert!(refused(&long, "").await);
    for kind in ["executed", "orderkeep.order.", "orderkeep.order.exeucted", "orderkeep.test"] {
        assert!(refused("https://shop/", kind).await, "{kind}");
    }
    assert!(outbox.list().is_empty());
}

/// A restored store begins a new feed, in which the old positions mean nothing.
#[tokio::test(start_paused = true)]
async fn after_a_restore_it_goes_on_by_time() {
    let mut world = World::new();
    let outbox = world.start().await;
    world.endpoint(&outbox, "shop").await;
    world.events(3, 1).await;
    world.pass(DAY).await;
    world.event(1, 2).await;
    world.pass(MINUTE).await;
    outbox.shutdown().await;
    assert_eq!(world.receivers.taken("shop").len(), 4);
    world.store = Arc::new(world.store.restored_copy(Uuid::from_u128(77)).unwrap());
    let _outbox = world.start().await;
    world.event(2, 2).await;
    world.event(3, 2).await;
    world.pass(Duration::from_secs(30)).await;
    let taken = world.receivers.taken("shop");
    assert_eq!(complete(&taken, 3, 2), Ok(()));
    // Only what was delivered shortly before is delivered again.
    assert_eq!(taken.len(), 7, "{taken:?}");
}

#[tokio::test(start_paused = true)]
async fn a_new_endpoint_begins_where_it_says() {
    let world = World::new();
    let outbox = world.start().await;
    world.event(1, 1).await;
    for (host, start) in [("new", Start::Latest), ("old", Start::Oldest)] {
        let draft = Draft { url: format!("https://{host}/"), start, ..Draft::default() };
        outbox.create(draft).await.unwrap();
    }
    world.event(1, 2).await;
    world.pass(MINUTE).await;
    assert_eq!(world.receivers.taken("new"), [id(1, 2)]);
    assert_eq!(world.receivers.taken("old"), [id(1, 1), id(1, 2)]);
}
