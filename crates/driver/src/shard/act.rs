//! The acts outside that a durable step asks for, and their outcomes.

use std::{sync::Arc, time::Duration};

use futures_util::FutureExt;
use orderkeep_core::{
    AnswerClass, CreateAnswer, CreateInput, Effect, Input, Order, OrderId, Policy, ProviderOrderId,
    ReviewReason, State, Terms, Timestamp,
};

use orderkeep_provider::{CallError, FailureClass, LockRequest};
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;

use super::{Done, Job, Shard, What};
use crate::{
    calls::{self, ReadAnswer},
    gate::{Permit, Purpose},
    span,
};

impl Shard {
    /// Reads the provider's order, once at a time; asked again meanwhile, once more after. Says whether a read comes; if
    /// there is no room for it, the durable wake-up brings the order back.
    pub(super) fn fetch(
        &mut self,
        order: &Order,
        provider_order: ProviderOrderId,
        now: Timestamp,
    ) -> bool {
        let Some(account) = self.parts.accounts.get(&order.account).cloned() else { return false };
        let Some(slot) = self.slots.get_mut(&order.id) else { return false };
        if slot.fetching {
            slot.fetch_again = Some(provider_order);
            return true;
        }
        let Ok(place) = Arc::clone(&account.reads).try_acquire_owned() else { return false };
        slot.fetching = true;
        let id = order.id;
        let clock = Arc::clone(&self.parts.clock);
        let counters = Arc::clone(&self.parts.counters);
        let call = calls::read(
            account,
            Purpose::Read,
            read_deadline(order, now),
            provider_order,
            clock,
            counters,
        )
        .instrument(span::read(id));
        // A task of its own, so that encryption and parsing do not hold up the shard; it goes with the shard.
        let call = AbortOnDropHandle::new(tokio::spawn(call));
        self.work.push(
            async move {
                let answer = call.await.unwrap_or_else(|error| {
                    tracing::error!(order_id = %id, %error, "its read failed in our own code");
                    None
                });
                drop(place);
                Done::Read(id, answer.map(Box::new))
            }
            .boxed(),
        );
        true
    }

    /// The step is durable: now act.
    pub(super) fn carry_out(
        &mut self,
        order: &Order,
        effects: &[Effect],
        mut permit: Option<Permit>,
    ) {
        for effect in effects {
            match effect {
                Effect::Create { attempt, lock_id } => {
                    let now = self.parts.clock.now();
                    let policy = self.parts.policy(&order.account);
                    let may_send = order.may_still_send(now, &policy);
                    let account = self.parts.accounts.get(&order.account).cloned();
                    let Some(slot) = self.slots.get_mut(&order.id) else { continue };
                    let (id, attempt) = (order.id, *attempt);
                    slot.creating = Some(attempt);
                    match (permit.take(), account) {
                        (Some(permit), Some(account)) if may_send => {
                            let counters = Arc::clone(&self.parts.counters);
                            let call = calls::create(account, permit, lock_id.clone(), counters);
                            let call = tokio::spawn(call.instrument(span::create(id, attempt)));
                            self.work.push(
                                async move {
                                    // A panic in the call leaves it open whether anything was sent.
                                    let answer =
                                        call.await.unwrap_or_else(|error| CreateAnswer::Refused {
                                            class: AnswerClass::Ambiguous,
                                            code: None,
                                            why: format!(
                                                "the call failed in our own code: {error}"
                                            ),
                                            retry_after: None,
                                        });
                                    Done::Created { id, attempt, answer }
                                }
                                .boxed(),
                            );
                        }
                        (_, _) => {
                            let why = if may_send {
                                "no leave to call".to_owned()
                            } else {
                                past_margin(&policy)
                            };
                            let answer = CreateAnswer::NotSent { why };
                            self.work
                                .push(async move { Done::Created { id, attempt, answer } }.boxed());
                        }
                    }
                }
                Effect::Fetch { provider_order } => {
                    self.fetch(order, provider_order.clone(), self.parts.clock.now());
                }
            }
        }
    }

    /// Takes a fresh lock for an order whose lock is over.
    pub(super) fn relock(&mut self, order: &Order, now: Timestamp) {
        let account = self.parts.accounts.get(&order.account).cloned();
        let (Some(account), Some(amount)) = (account, order.terms.settle_amount.clone()) else {
            self.touch(order, now);
            return;
        };
        let Some(slot) = self.slots.get_mut(&order.id) else { return };
        if slot.locking {
            return;
        }
        let Ok(place) = Arc::clone(&account.reads).try_acquire_owned() else {
            self.touch(order, now);
            return;
        };
        slot.locking = true;
        let id = order.id;
        let request = LockRequest {
            amount,
            currency: order.terms.pay_currency.clone(),
            network: order.terms.network.clone(),
        };
        let call = calls::lock(account, now, request).instrument(span::lock(id));
        let call = AbortOnDropHandle::new(tokio::spawn(call));
        self.work.push(
            async move {
                let answer = call.await.unwrap_or_else(|error| {
                    tracing::error!(order_id = %id, %error, "its fresh lock failed in our own code");
                    None
                });
                drop(place);
                Done::Locked(id, answer.map(|answer| answer.map(Box::new)))
            }
            .boxed(),
        );
    }

    pub(super) fn on_locked(&mut self, id: OrderId, answer: Option<Result<Box<Terms>, CallError>>) {
        let Some(slot) = self.slots.get_mut(&id) else { return };
        slot.locking = false;
        let what = match answer {
            Some(Ok(terms)) => What::Read(Arc::new(Input::Create(CreateInput::Locked { terms }))),
            Some(Err(error)) if error.class == FailureClass::Definite => {
                let why = error.to_string();
                What::Read(Arc::new(Input::Create(CreateInput::LockRefused { why })))
            }
            Some(Err(_)) | None => What::Move,
        };
        self.enqueue(id, Job::new(what));
    }

    pub(super) fn on_read(&mut self, id: OrderId, answer: Option<Box<ReadAnswer>>) {
        let Some(slot) = self.slots.get_mut(&id) else { return };
        slot.fetching = false;
        let again = slot.fetch_again.take();
        if answer.is_none() && self.parts.stop.is_cancelled() {
            self.drive(id);
            return;
        }
        let what = match answer.map(|answer| *answer) {
            Some(ReadAnswer { result: Ok(Some(seen)), .. }) => {
                What::Read(Arc::new(Input::Observed(seen)))
            }
            Some(ReadAnswer { result: Ok(None), provider_order, read_started_at }) => {
                What::Read(Arc::new(Input::NotFound { provider_order, read_started_at }))
            }
            Some(ReadAnswer { result: Err(_), .. }) | None => What::ReadFailed,
        };
        if again.is_some() {
            slot.queue.push_back(Job::new(What::Look));
        }
        self.enqueue(id, Job::new(what));
    }
}

fn past_margin(policy: &Policy) -> String {
    let ahead = policy.clock_ahead.as_secs();
    if ahead == 0 {
        "its lock's margin passed first".to_owned()
    } else {
        format!("its lock's margin passed first; the provider's clock is {ahead} s ahead")
    }
}

/// Until when a read is wanted: at once after a claim, before the payer's deadline, or some time. What is overdue for
/// long, and what has long, are treated alike: whoever waits goes at last, however many others there are.
fn read_deadline(order: &Order, now: Timestamp) -> Timestamp {
    /// The most that one read can be put before or after another that is wanted at once.
    const SOME_TIME: Duration = Duration::from_secs(10 * 60);
    if order.hint.is_some() {
        return now;
    }
    // After a restore nothing is known of it until it is read.
    if order.has_open(ReviewReason::UnreadSinceRestore) {
        return now.minus(SOME_TIME);
    }
    let wanted = match &order.state {
        State::Created(_) | State::WaitingForWallet(_) | State::Locked(_) => now,
        State::AwaitingPayment(state) => state.deposit.expires_at.unwrap_or(now),
        State::Executed(_) | State::Failed(_) => now.plus(SOME_TIME),
    };
    wanted.clamp(now.minus(SOME_TIME), now.plus(SOME_TIME))
}

#[cfg(test)]
mod tests {
    use orderkeep_core::{Observation, Outcome, ProviderStatus, Source};

    use super::*;
    use crate::fixture;

    const NOW: Timestamp = Timestamp::from_millis(1_772_366_400_000);

    fn moved(order: &Order, input: &Input) -> Order {
        let outcome = order.step(input, NOW, &Policy::default());
        let Outcome::Moved(step) = outcome else { panic!("{outcome:?}") };
        step.next
    }

    /// An order that is to be paid by then, so many seconds from now.
    fn payable(seconds: i64) -> Order {
        let order = moved(&fixture::order(1), &Input::Create(CreateInput::Permit));
        let answer = CreateAnswer::Accepted { provider_order: "one".parse().unwrap() };
        let answered = CreateInput::Answered { attempt: 1, answer };
        let order = moved(&order, &Input::Create(answered));
        let source = Source::Confirmed { read_started_at: NOW };
        let seen = Observation {
            address: Some("0x1".parse().unwrap()),
            expires_at: Some(at(seconds)),
            ..fixture::observation(source, ProviderStatus::AwaitingPayment)
        };
        moved(&order, &Input::Observed(seen))
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(NOW.as_micros() + seconds * 1_000_000)
    }

    #[test]
    fn a_read_is_wanted_by_the_payers_deadline_and_never_more_than_ten_minutes_from_now() {
        for (ends, wanted) in
            [(0, 0), (60, 60), (-60, -60), (599, 599), (601, 600), (-601, -600), (86_400, 600)]
        {
            assert_eq!(read_deadline(&payable(ends), NOW), at(wanted), "{ends}");
        }
        assert_eq!(read_deadline(&fixture::order(1), NOW), NOW);
    }

    #[test]
    fn that_a_margin_passed_is_told_with_the_clock_that_made_it_wider() {
        let mut policy = Policy::default();
        assert_eq!(past_margin(&policy), "its lock's margin passed first");
        policy.clock_ahead = Duration::from_secs(7);
        let told = past_margin(&policy);
        assert_eq!(told, "its lock's margin passed first; the provider's clock is 7 s ahead");
    }
}
