//! Each webhook ends in exactly one way, with its reason, on record in the commit that works it off.

use std::{collections::BTreeMap, time::Duration};

use orderkeep_core::StateName;
use orderkeep_store::{InboxDone, InboxSeq, Store};
use serde_json::{Value, json};

use crate::{
    provider::{Says, Scripted},
    world::{PARKED_FOR, World, lock},
};

const MINUTES: Duration = Duration::from_secs(300);

/// The webhooks that were sent, by what they were to end as.
struct Sent<'a> {
    world: &'a World,
    expected: Vec<&'static str>,
}

impl Sent<'_> {
    async fn hear(&mut self, body: Value, expected: &'static str) {
        self.world.hear(body.to_string()).await.unwrap();
        self.expected.push(expected);
    }

    /// The same, and it is worked off before the next.
    async fn ends(&mut self, body: Value, expected: &'static str) {
        let waits = self.world.store.inbox_len();
        self.hear(body, expected).await;
        let deadline = self.world.now().plus(Duration::from_secs(5));
        while self.world.store.inbox_len() > waits {
            assert!(self.world.now() < deadline, "{expected}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// How each webhook was worked off, in the order of arrival, and why those waited that waited.
fn ends(
    said: Vec<InboxDone>,
) -> (BTreeMap<InboxSeq, Vec<String>>, BTreeMap<InboxSeq, Vec<String>>) {
    let (mut ended, mut parked) = (BTreeMap::<_, Vec<_>>::new(), BTreeMap::<_, Vec<_>>::new());
    for done in said {
        match done {
            InboxDone::Finished { seq, disposition } => {
                ended.entry(seq).or_default().push(disposition);
            }
            InboxDone::Parked { seq, reason } => parked.entry(seq).or_default().push(reason),
        }
    }
    (ended, parked)
}

#[tokio::test(start_paused = true)]
async fn each_webhook_ends_in_exactly_one_way_and_says_which() {
    let world = World::with(Scripted::new([Says::Accepted, Says::LostAfterMade]), |_| {}).await;
    let id = world.submit("lock-1").await;
    world.wait_for(id, StateName::Created, MINUTES).await;
    let made = world.provider.orders_of(&lock("lock-1")).remove(0);
    let says = |status: &str| json!({ "order": made.as_str(), "lock": "lock-1", "status": status });
    let mut sent = Sent { world: &world, expected: Vec::new() };
    // That an address is being made moves no money, and is taken.
    sent.ends(says("making wallet"), "applied").await;
    sent.ends(says("making wallet"), "duplicate").await;
    sent.ends(says("confirming"), "awaiting confirmation").await;
    world.wait_for(id, StateName::AwaitingPayment, MINUTES).await;
    sent.ends(says("making wallet"), "stale").await;
    let other_lock = json!({ "order": made.as_str(), "lock": "lock-9", "status": "executed" });
    sent.ends(other_lock, "quarantined: the provider's order p-1 is not this order's").await;

    // Its create's answer was lost: the webhook waits for the read that binds it, and ends with that.
    let doubted = world.submit("lock-2").await;
    world.wait(doubted, "unknown", MINUTES, |order| order.create_unknown()).await;
    let found = world.provider.orders_of(&lock("lock-2")).remove(0);
    sent.hear(
        json!({ "order": found.as_str(), "lock": "lock-2", "status": "awaiting" }),
        "applied",
    )
    .await;
    // One that names no lock waits for the same read, which says all of it.
    let foreign = world.provider.makes(&lock("lock-of-another"));
    sent.hear(
        json!({ "order": foreign.as_str(), "status": "awaiting" }),
        "quarantined: no order of ours was made from its lock",
    )
    .await;
    tokio::time::sleep(PARKED_FOR + Duration::from_secs(3_700)).await;

    assert_eq!(world.store.inbox_len(), 0);
    let status = world.engine.status().await.unwrap();
    // The one of another lock is told apart; strangers that are given up are no fault of anybody.
    assert_eq!((status.webhooks_duplicate, status.quarantined), (1, 1));
    let (ended, parked) = ends(world.between.said());
    let each: Vec<_> = ended.values().cloned().collect();
    let expected: Vec<_> = sent.expected.iter().map(|end| vec![(*end).to_owned()]).collect();
    assert_eq!(each, expected, "each once, in the order of arrival");
    let waited: Vec<_> = parked.values().cloned().collect();
    assert_eq!(
        waited,
        [
            vec![
                "parked: a claim binds no order of the provider's to ours; a read must confirm it"
            ],
            vec!["no order of ours is known for it"],
        ],
        "what waited says why"
    );
}

/// An answer, or a webhook, can never be taken in: the webhook's part of it.
#[tokio::test(start_paused = true)]
async fn c19_a_webhook_that_cannot_be_worked_off_is_given_up_after_five_tries_and_not_before() {
    for (heals_after, end) in [
        (4, "awaiting confirmation"),
        (9, "quarantined: the store refuses what follows from it; its order is asked about"),
    ] {
        let world = World::new([]).await;
        let id = world.submit("lock-1").await;
        world.wait_for(id, StateName::AwaitingPayment, MINUTES).await;
        let made = world.provider.orders_of(&lock("lock-1")).remove(0);
        world.between.set_damaged(true);
        let claim = json!({ "order": made.as_str(), "lock": "lock-1", "status": "executed" });
        world.hear(claim.to_string()).await.unwrap();
        // A try a second.
        tokio::time::sleep(Duration::from_millis(heals_after * 1_000 - 500)).await;
        assert_eq!(world.store.inbox_len(), u64::from(heals_after == 4));
        world.between.set_damaged(false);
        world.worked_off().await;
        let (ended, _) = ends(world.between.said());
        assert_eq!(ended.into_values().collect::<Vec<_>>(), [vec![end.to_owned()]]);
        // Its order is asked about all the same.
        world.wait_for(id, StateName::Executed, MINUTES).await;
    }
}
