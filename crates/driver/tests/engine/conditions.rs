//! The provider's clock, and how late its webhooks are: what the engine makes of them.

use std::time::Duration;

use orderkeep_core::{Event, FailReason, State, StateName};
use orderkeep_driver::{AccountStatus, Pace as Polls};

use crate::{
    provider::{Pace, Scripted},
    world::{LOCK_ENDS, World, at, lock},
};

const MINUTES: Duration = Duration::from_secs(300);

async fn account(world: &World) -> AccountStatus {
    world.engine.status().await.unwrap().accounts["default"].clone()
}

/// Our clock is behind the provider's, or ahead of it.
///
/// The difference is measured by the dates of the provider's answers and shown (`/v1/status`, metrics). A lock ends as
/// much sooner as the provider's clock is ahead: what it would refuse as expired is not sent, and where that decided, the
/// order's history says so and by how much. A clock that is behind gives nothing.
#[tokio::test(start_paused = true)]
async fn a3_our_clock_is_behind_the_providers() {
    for (ahead_ms, sent) in [(0, true), (-60_000, true), (10_400, false)] {
        let provider = Scripted::new([]);
        provider.set_clock_ahead_ms(ahead_ms);
        let world = World::with(provider, |_| {}).await;
        assert_eq!(account(&world).await.clock_ahead_ms, Some(ahead_ms));
        // Ten seconds before its end by our clock: none are left by the provider's, with the margin of two.
        world.until(LOCK_ENDS - 10).await;
        let id = world.submit("lock-1").await;
        world.until(LOCK_ENDS - 8).await;
        assert_eq!(world.provider.creates().len(), usize::from(sent), "{ahead_ms}");
        let order = world.order(id).await;
        if !sent {
            let State::Failed(failed) = &order.state else { panic!("{order:#?}") };
            assert_eq!(failed.reason, FailReason::LockExpired);
            let widened = Event::MarginWidened { by_ms: 11_000 };
            assert!(world.history(id).await.contains(&widened), "{:?}", world.events(id).await);
        }
    }
}

/// So many orders, one after another, to their end; whether their webhooks arrive.
async fn orders(world: &World, from: usize, to: usize, webhooks: bool) {
    for n in from..to {
        let name = format!("lock-{n}");
        let mut terms = crate::world::terms(&name);
        terms.expires_at = world.now().plus(MINUTES);
        let taken = world.engine.submit(crate::world::request(&name, terms)).await.unwrap();
        let id = taken.order.id;
        let begun = world.now();
        for second in [3_u64, 40, 90] {
            let wait = begun.plus(Duration::from_millis(second * 1_000 + 10)).since(world.now());
            tokio::time::sleep(wait).await;
            let made = world.provider.orders_of(&lock(&name)).remove(0);
            if webhooks {
                world.hear(world.provider.webhook_of(&made)).await.unwrap();
            }
        }
        world.wait_for(id, StateName::Executed, MINUTES).await;
    }
}

#[tokio::test(start_paused = true)]
async fn polls_are_rarer_while_webhooks_are_on_time_and_denser_when_they_are_lost() {
    let world = World::new([]).await;
    assert_eq!(account(&world).await.polling, Polls::Usual);
    orders(&world, 0, 6, true).await;
    let on_time = account(&world).await;
    assert_eq!(on_time.polling, Polls::Relaxed, "{on_time:?}");
    assert!(on_time.webhooks_late.unwrap() <= Duration::from_secs(2));
    let reads = |world: &World, n: usize| {
        let made = world.provider.orders_of(&lock(&format!("lock-{n}"))).remove(0);
        world.provider.reads_of(&made)
    };
    orders(&world, 6, 20, false).await;
    let lost = account(&world).await;
    assert_eq!(lost.polling, Polls::Tight, "{lost:?}");
    assert!(lost.webhooks_late.unwrap() >= Duration::from_secs(15));
    // Nobody pays for a quarter of an hour: the polls of an old order are half as far apart as at most.
    world.provider.set_pace(Pace {
        confirming: MINUTES * 9,
        executed: MINUTES * 10,
        ..Pace::USUAL
    });
    let mut terms = crate::world::terms("lock-20");
    terms.expires_at = world.now().plus(MINUTES);
    let taken = world.engine.submit(crate::world::request("lock-20", terms)).await.unwrap();
    assert!(world.now() < at(100_000), "{taken:?}");
    tokio::time::sleep(MINUTES * 2).await;
    let before = reads(&world, 20);
    tokio::time::sleep(MINUTES).await;
    // Every 30 s and a fifth, where 60 s would be usual.
    let often = reads(&world, 20) - before;
    assert!((8..=11).contains(&often), "{often} reads in five minutes");
}
