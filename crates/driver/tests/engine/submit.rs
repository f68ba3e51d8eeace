//! Submits: the same again, others in conflict, and locks that are of no use.

use std::{collections::BTreeMap, time::Duration};

use orderkeep_core::{AccountId, FailReason, Metadata, Network, State, StateName};
use orderkeep_driver::{SubmitError, SubmitRequest, TermsSource};
use orderkeep_provider::LockRequest;

use crate::world::{LOCK_ENDS, World, exact, lock, request, terms};

const MINUTES: Duration = Duration::from_secs(300);

/// The same submit twice.
///
/// The same order; another body under the same key is refused.
#[tokio::test(start_paused = true)]
async fn a13_same_submit_twice() {
    let world = World::new([]).await;
    let first = world.engine.submit(request("key-1", terms("lock-1"))).await.unwrap();
    assert!(!first.replayed);
    let again = world.engine.submit(request("key-1", terms("lock-1"))).await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.order.id, first.order.id);
    // Also when it has ended.
    world.wait_for(first.order.id, StateName::Executed, MINUTES).await;
    let later = world.engine.submit(request("key-1", terms("lock-1"))).await.unwrap();
    assert_eq!((later.order.id, later.replayed), (first.order.id, true));
    assert_eq!(later.order.state_name(), StateName::Executed);
    assert_eq!(world.provider.creates().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn many_at_once_with_one_key_are_one_order() {
    let world = World::new([]).await;
    let submits = (0..50).map(|_| {
        let engine = world.engine.clone();
        tokio::spawn(async move { engine.submit(request("key-1", terms("lock-1"))).await })
    });
    let submits: Vec<_> = submits.collect();
    let mut answers = Vec::new();
    for submit in submits {
        answers.push(submit.await.unwrap().unwrap());
    }
    assert!(answers.iter().all(|answer| answer.order.id == answers[0].order.id));
    assert_eq!(answers.iter().filter(|answer| !answer.replayed).count(), 1);
    world.wait_for(answers[0].order.id, StateName::Executed, MINUTES).await;
    assert_eq!(world.provider.creates().len(), 1);
}

/// One lock, two callers.
///
/// One order; the second is told whose it is.
#[tokio::test(start_paused = true)]
async fn a14_one_lock_two_callers() {
    let world = World::new([]).await;
    let first = world.submit("lock-1").await;
    let other_body = SubmitRequest { reference: None, ..request("lock-1", terms("lock-1")) };
    let conflict = SubmitError::KeyConflict { key: "lock-1".to_owned(), holder: first };
    assert_eq!(world.engine.submit(other_body).await, Err(conflict.clone()));
    let cart = BTreeMap::from([("cart".to_owned(), "17".to_owned())]);
    let other_metadata = SubmitRequest {
        metadata: Metadata::new(cart).unwrap(),
        ..request("lock-1", terms("lock-1"))
    };
    assert_eq!(world.engine.submit(other_metadata).await, Err(conflict.clone()));
    let other_lock = request("lock-1", terms("lock-2"));
    assert_eq!(world.engine.submit(other_lock).await, Err(conflict));
    let taken = SubmitError::LockTaken { lock_id: "lock-1".to_owned(), holder: first };
    assert_eq!(world.engine.submit(request("key-2", terms("lock-1"))).await, Err(taken));
    world.wait_for(first, StateName::Executed, MINUTES).await;
    assert_eq!(world.provider.creates().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lock_is_named_only_if_it_was_taken_here_and_its_terms_must_agree() {
    let world = World::new([]).await;
    let named = |name: &str| SubmitRequest {
        terms: TermsSource::Lock(lock(name)),
        ..request("key-1", terms(name))
    };
    assert_eq!(
        world.engine.submit(named("lock-1")).await,
        Err(SubmitError::UnknownLock("lock-1".to_owned()))
    );
    let asked = LockRequest {
        amount: exact("84"),
        currency: terms("any").pay_currency,
        network: terms("any").network,
    };
    let taken = world.engine.lock(&AccountId::main(), asked).await.unwrap();
    assert_eq!(taken, terms("taken-here"));
    let mut cheaper = terms("taken-here");
    cheaper.pay_amount = exact("10");
    let mut elsewhere = terms("taken-here");
    elsewhere.network = Network::new("tron").unwrap();
    for (wrong, field) in [(cheaper, "pay amount"), (elsewhere, "network")] {
        match world.engine.submit(request("key-1", wrong)).await {
            Err(SubmitError::Terms(mismatch)) => assert_eq!(mismatch.field, field),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(world.provider.creates(), []);
    let order = world.engine.submit(named("taken-here")).await.unwrap().order;
    assert_eq!(order.terms, terms("taken-here"));
    world.wait_for(order.id, StateName::Executed, MINUTES).await;
}

/// The lock ends before the create is sent.
///
/// Nothing is posted. The order fails as `lock_expired`, without funds; where the submit allowed a price (`relock`),
/// a fresh lock takes its place within that price, never silently at another.
#[tokio::test(start_paused = true)]
async fn a1_lock_expires_before_the_create() {
    let world = World::new([]).await;
    // One second before its end: within the margin of two.
    world.until(LOCK_ENDS - 1).await;
    let id = world.submit("lock-1").await;
    let order = world.wait_for(id, StateName::Failed, Duration::from_secs(1)).await;
    let State::Failed(failed) = &order.state else { panic!("{order:#?}") };
    assert_eq!(failed.reason, FailReason::LockExpired);
    assert_eq!(world.events(id).await, ["submitted", "failed"]);
    world.until(LOCK_ENDS + 600).await;
    assert_eq!(world.provider.creates(), []);
}
