//! B. The address.

use std::time::Duration;

use orderkeep_core::{ReviewReason, StateName};

use super::{MINUTES, NEVER, Played};
use crate::{
    provider::{Pace, Scripted},
    world::at,
};

/// The provider never makes an address.
///
/// A person is asked after `wallet_review_after`; the order does not fail by itself, and goes on if the address comes.
#[tokio::test(start_paused = true)]
async fn b4_the_address_is_never_made() {
    let provider = Scripted::new([]);
    provider.set_pace(Pace { wallet: NEVER, confirming: NEVER, executed: NEVER });
    let played = Played::of(provider).await;
    let order = played.asks(ReviewReason::WalletLate).await;
    assert!(order.open_reviews().next().unwrap().since >= at(600), "{order:#?}");
    let order = played.passes(Duration::from_secs(1_800)).await;
    assert_eq!(order.state_name(), StateName::WaitingForWallet);
    played.world.provider.set_pace(Pace {
        wallet: Duration::ZERO,
        confirming: NEVER,
        executed: NEVER,
    });
    let order = played.reaches(StateName::AwaitingPayment).await;
    assert!(!order.needs_review());
}

/// `expiresAt` comes late, or changes.
///
/// The deadline follows the provider. Without one a person is asked after `unpaid_review_after`; our clock ends nothing.
#[tokio::test(start_paused = true)]
async fn b7_the_deadline_comes_late_and_changes() {
    let provider = Scripted::new([]);
    provider.set_pace(Pace { confirming: NEVER, executed: NEVER, ..Pace::USUAL });
    provider.set_tells(|seen| seen.expires_at = None);
    let played = Played::of(provider).await;
    let deadline = |order: &orderkeep_core::Order| order.state.deposit().unwrap().expires_at;
    assert_eq!(deadline(&played.reaches(StateName::AwaitingPayment).await), None);
    for seconds in [3_000, 9_000] {
        let tells: fn(&mut orderkeep_core::Observation) = match seconds {
            3_000 => |seen| seen.expires_at = Some(at(3_000)),
            _ => |seen| seen.expires_at = Some(at(9_000)),
        };
        played.world.provider.set_tells(tells);
        played.until("moved", |order| deadline(order) == Some(at(seconds))).await;
    }
    played.world.until(9_500).await;
    let order = played.order().await;
    assert_eq!((order.state_name(), order.needs_review()), (StateName::AwaitingPayment, false));
    played.asks(ReviewReason::Overdue).await;
}

/// The provider does not find the order right after it was made.
///
/// It is asked again; a person only after `not_found_grace`, and the order fails by none of it.
#[tokio::test(start_paused = true)]
async fn b8_not_found_right_after_it_was_made() {
    let played = Played::unpaid().await;
    played.world.provider.set_loses(true);
    let order = played.passes(Duration::from_secs(100)).await;
    assert_eq!((order.state_name(), order.needs_review()), (StateName::Created, false));
    played.world.provider.set_loses(false);
    let order = played.world.wait_for(played.id, StateName::AwaitingPayment, MINUTES).await;
    assert!(!order.needs_review());
}
