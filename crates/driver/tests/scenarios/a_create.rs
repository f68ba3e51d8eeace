//! A. The rate lock and the create.

use orderkeep_core::{
    AnswerTable, Command, CreateVerdict, FailReason, Order, Policy, ReviewReason,
    SecondOrderAcknowledged, StateName,
};
use orderkeep_driver::EngineConfig;
use orderkeep_provider::FailureClass;

use super::{MINUTES, Played, failed_as, ops};
use crate::{
    provider::{Says, Scripted},
    store::Full,
    world::{World, config, exact, lock},
};

/// The lock ends while the create is on its way.
///
/// The provider's answer is the truth: `P462` fails the order as `lock_invalid`, without funds; an order id goes on.
#[tokio::test(start_paused = true)]
async fn a2_lock_expires_while_the_create_is_on_its_way() {
    let says = Says::Answers(FailureClass::Definite, "P462");
    let played = Played::of(Scripted::new([says])).await;
    let failed = played.reaches(StateName::Failed).await;
    assert_eq!(*failed_as(&failed), FailReason::LockInvalid);
    assert!(!failed.needs_review());
    assert_eq!(played.world.provider.creates().len(), 1);
}

/// A create that was posted again, knowing the risk, is answered `P462`.
///
/// It proves nothing: the lock may be used up by our own order. The outcome stays unknown until evidence or a person
/// ends it.
#[tokio::test(start_paused = true)]
async fn a6_p462_after_an_unknown_attempt_proves_nothing() {
    let says = [Says::LostAfterMade, Says::Answers(FailureClass::Definite, "P462")];
    let played = Played::of(Scripted::new(says)).await;
    played.until("unknown", Order::create_unknown).await;
    let acknowledged = SecondOrderAcknowledged { lock_id: lock("lock-1") };
    let again = Command::PostAgain { author: ops(), acknowledged, reason: None };
    played.world.engine.command(played.id, again).await.unwrap();
    played.until("answered", |_| played.world.provider.creates().len() == 2).await;
    let order = played.passes(MINUTES).await;
    assert!(order.create_unknown(), "{order:#?}");
    played.hears().await;
    let executed = played.reaches(StateName::Executed).await;
    assert_eq!(executed.state.bound().map(|bound| &bound.provider_order), Some(&played.made()));
}

/// The create is answered `P500` under HTTP 400.
///
/// Unknown, as A4: nothing is sent again, and a person is asked after `unknown_create_review_after`.
#[tokio::test(start_paused = true)]
async fn a8_p500_leaves_the_create_unknown() {
    let says = Says::Answers(FailureClass::Ambiguous, "P500");
    let played = Played::of(Scripted::new([says])).await;
    played.until("unknown", Order::create_unknown).await;
    let asked = played.asks(ReviewReason::UnknownCreate).await;
    assert_eq!(asked.state_name(), StateName::Locked);
    assert_eq!(played.world.provider.creates().len(), 1);
}

/// The create is answered `P501` (maintenance).
///
/// Unknown, as A4. A partner who knows better configures the code (`answers.P501 = "send_again"`): then it is sent
/// again as long as the lock lasts.
#[tokio::test(start_paused = true)]
async fn a9_p501_is_unknown_unless_a_partner_knows_better() {
    for knows_better in [false, true] {
        let says = Says::Answers(FailureClass::Ambiguous, "P501");
        let verdict = if knows_better { CreateVerdict::SendAgain } else { CreateVerdict::Unknown };
        let answers = AnswerTable::default().with("P501", verdict);
        let config = EngineConfig { policy: Policy { answers, ..config().policy }, ..config() };
        let world = World::configured(Scripted::new([says]), config, []).await;
        let id = world.submit("lock-1").await;
        world.until(200).await;
        assert_eq!(world.provider.creates().len(), 1 + usize::from(knows_better));
        let order = world.order(id).await;
        assert_eq!(
            (order.create_unknown(), order.state_name().is_end()),
            if knows_better { (false, true) } else { (true, false) }
        );
    }
}

/// The power goes after the create's answer came and before it was stored.
///
/// Unknown after the start, and nothing is sent again; the order's webhook leads to a read, and the read binds it. One
/// transition to `Created`.
#[tokio::test(start_paused = true)]
async fn a12_crash_after_the_answer_and_before_it_is_stored() {
    let says = Says::AcceptedAfter(std::time::Duration::from_secs(2));
    let mut played = Played::of(Scripted::new([says])).await;
    played.until("in flight", |order| order.create_in_flight().is_some()).await;
    played.world.until(1).await;
    played.world.between.set_full(Full::Everything);
    played.world.until(5).await;
    assert!(played.order().await.create_in_flight().is_some());
    played.world.crash().await;
    played.until("unknown", Order::create_unknown).await;
    played.hears().await;
    played.reaches(StateName::Executed).await;
    assert_eq!((played.count("bound").await, played.world.provider.creates().len()), (1, 1));
}

/// The order at the provider wants another amount than the lock promised.
///
/// A person is asked with both facts, and nobody is shown the address before they agree.
#[tokio::test(start_paused = true)]
async fn a16_the_order_is_not_what_the_lock_promised() {
    let provider = Scripted::new([]);
    provider.set_tells(|seen| seen.required = Some(exact("101")));
    let played = Played::of(provider).await;
    let order = played.asks(ReviewReason::TermsMismatch).await;
    let detail = &order.open_reviews().next().unwrap().detail;
    assert!(detail.contains("100") && detail.contains("101"), "{detail}");
    let order = played.reaches(StateName::AwaitingPayment).await;
    assert_eq!(order.payable_address(), None);
}
