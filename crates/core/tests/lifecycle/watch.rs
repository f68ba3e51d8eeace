//! The promises of the lifecycle, checked at every step of any history.
//!
//! It keeps its own account of what was said and sent (which reads, which amounts, which attempts) and never asks the
//! code under test whether something is allowed. It takes the `step` to check as a parameter, so that a wrong one can
//! be shown to be caught.

use crate::fixture::submitted;
use orderkeep_core::{
    Address, AnswerClass, Command, CreateAnswer, CreateInput, Disposition, Due, Effect,
    EventRecord, Exact, FailReason, Funds, Input, Observation, Order, Outcome, PaymentKind, Policy,
    Source, State, StateName, Step, Timestamp,
};
use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash, Hasher},
};

/// What is checked: the lifecycle, or a wrong twin of it.
pub(crate) type StepFn = fn(&Order, &Input, Timestamp, &Policy) -> Outcome;

/// A broken promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rule {
    HistoryFoldsToState,
    OneDispositionWithItsReason,
    TheEndIsTheEnd,
    NothingGoesBack,
    TheAddressStands,
    EveryLiveOrderWakesUp,
    NoCreateWithoutCertainty,
    OneCreatePerAttempt,
    NoCreatePastTheMargin,
    CancelBeforeAnIntentEnds,
    CancelAfterAnIntentIsAWish,
    NoEndByOurselvesOnceMade,
    AClaimDecidesNothing,
    MoneyBalances,
    NoMoneyAppears,
    NoMoneyVanishes,
}

/// A broken promise, and how.
#[derive(Debug, Clone)]
pub(crate) struct Violation {
    pub(crate) rule: Rule,
    pub(crate) detail: String,
}

/// What is certain about the create, as far as an outsider can know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Sent {
    /// Nothing of ours is at the provider.
    Nothing,
    /// An attempt may be on its way.
    Flying { attempt: u32, since: Timestamp, doubt_before: bool },
    /// Something may be there.
    Doubt { only_attempt: Option<u32> },
    /// Something may be there, and a person takes the risk of a second one.
    Authorised,
}

/// One order under watch.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    pub(crate) order: Order,
    /// Kept where it is wanted; a walk over thousands of orders does not carry it.
    pub(crate) history: Option<Vec<EventRecord>>,
    policy: Policy,
    step: StepFn,
    sent: Sent,
    attempts: u32,
    address: Option<Address>,
    /// Every amount that a read of our order ever showed.
    shown: BTreeSet<Exact>,
    /// When the newest read started that the payment rests on.
    rests_on: Option<Timestamp>,
    /// When the reads started since then that showed less.
    lower: BTreeSet<Timestamp>,
    pub(crate) broken: Vec<Violation>,
}

impl Watch {
    pub(crate) fn new(now: Timestamp, policy: Policy, step: StepFn) -> Self {
        let first = submitted(now, &policy);
        Self {
            order: first.next,
            history: None,
            policy,
            step,
            sent: Sent::Nothing,
            attempts: 0,
            address: None,
            shown: BTreeSet::new(),
            rests_on: None,
            lower: BTreeSet::new(),
            broken: Vec::new(),
        }
    }

    /// The same, and its history is kept.
    pub(crate) fn remembering(now: Timestamp, policy: Policy, step: StepFn) -> Self {
        let history = Some(submitted(now, &policy).events);
        Self { history, ..Self::new(now, policy, step) }
    }

    /// What tells two watched orders apart, apart from how they got there.
    pub(crate) fn identity(&self) -> u64 {
        let mut order = self.order.clone();
        // When something was asked, wished or proven is shown, and decides nothing.
        order.version = 0;
        for review in &mut order.review {
            review.since = order.created_at;
            if let Some(settled) = &mut review.settled {
                settled.at = order.created_at;
            }
        }
        for after in &mut order.after {
            after.at = order.created_at;
        }
        if let Some(wish) = &mut order.cancel {
            wish.at = order.created_at;
        }
        if let Some(outcome) = &mut order.outcome {
            outcome.proven_at = order.created_at;
        }
        let bytes = bincode::serde::encode_to_vec(&order, bincode::config::standard()).unwrap();
        let mut hasher = DefaultHasher::new();
        (self.sent, self.attempts, self.rests_on, &self.lower).hash(&mut hasher);
        for amount in &self.shown {
            amount.text().hash(&mut hasher);
        }
        bytes.hash(&mut hasher);
        hasher.finish()
    }

    fn breaks(&mut self, rule: Rule, detail: impl Into<String>) {
        self.broken.push(Violation { rule, detail: detail.into() });
    }

    fn must(&mut self, holds: bool, rule: Rule, detail: &str) {
        if !holds {
            self.breaks(rule, detail);
        }
    }

    /// One input; every promise is checked.
    pub(crate) fn tell(&mut self, input: &Input, now: Timestamp) {
        let before = self.order.clone();
        let outcome = (self.step)(&before, input, now, &self.policy);
        self.disposition(&before, &outcome);
        let step = match outcome {
            Outcome::Moved(step) => Some(*step),
            Outcome::AlreadyThere(_) | Outcome::Refused(_) => None,
        };
        if let Some(step) = &step {
            if let Some(history) = &mut self.history {
                history.extend(step.events.iter().cloned());
            }
            self.order = step.next.clone();
            self.folds(&before, step);
        }
        let next = self.order.clone();
        self.nothing_back(&before, &next);
        self.evidence(&before, input, now, step.as_ref());
        self.creates(&before, now, step.as_ref());
        self.cancels(&before, input, &next);
        self.no_end_by_ourselves(&before, input, now, &next);
        self.claims(&before, input, &next);
        self.money(&before, input, &next);
        self.wakes_up(&next, now, step.as_ref());
    }

    fn disposition(&mut self, before: &Order, outcome: &Outcome) {
        let rule = Rule::OneDispositionWithItsReason;
        match (outcome, outcome.disposition()) {
            (Outcome::Moved(step), Disposition::Applied | Disposition::AwaitingConfirmation) => {
                self.must(!step.events.is_empty(), rule, "moved without an event");
                let events = u64::try_from(step.events.len()).unwrap();
                let version = before.version + events;
                self.must(step.next.version == version, rule, "the version counts the events");
            }
            (Outcome::AlreadyThere(_), Disposition::Duplicate | Disposition::Stale) => {}
            (Outcome::Refused(_), Disposition::Parked(why) | Disposition::Quarantined(why)) => {
                self.must(!why.trim().is_empty(), rule, "refused without a reason");
            }
            (outcome, disposition) => self.breaks(rule, format!("{outcome:?}: {disposition:?}")),
        }
    }

    fn folds(&mut self, before: &Order, step: &Step) {
        // The order before is the fold of what came before it, so that the tail alone proves the whole.
        let rule = Rule::HistoryFoldsToState;
        let tail = before.clone().then(&step.events);
        self.must(tail.as_ref() == Ok(&step.next), rule, "the step's events");
    }

    fn nothing_back(&mut self, before: &Order, next: &Order) {
        let (was, is) = (rank(before.state_name()), rank(next.state_name()));
        self.must(is >= was, Rule::NothingGoesBack, "an earlier state");
        if was == END {
            let same = before.state_name() == next.state_name() && reason(before) == reason(next);
            self.must(same, Rule::TheEndIsTheEnd, "another state or reason");
        }
        let address = next.state.deposit().map(|deposit| deposit.address.clone());
        if self.address.is_some() {
            let stands = self.address == address;
            self.must(stands, Rule::TheAddressStands, "another address, or none");
        }
        self.address = self.address.take().or(address);
    }

    /// What an outsider learns about the create from the input.
    fn evidence(&mut self, before: &Order, input: &Input, now: Timestamp, step: Option<&Step>) {
        let moved = step.is_some();
        self.sent = match (self.sent, input) {
            (
                Sent::Flying { attempt: flying, doubt_before, .. },
                Input::Create(CreateInput::Answered { attempt, answer }),
            ) if flying == *attempt => match answer {
                CreateAnswer::Accepted { .. } => self.sent,
                CreateAnswer::NotSent { .. }
                | CreateAnswer::Refused {
                    class: AnswerClass::Definite | AnswerClass::Throttled | AnswerClass::Denied,
                    ..
                } if !doubt_before => Sent::Nothing,
                CreateAnswer::NotSent { .. } | CreateAnswer::Refused { .. } => {
                    Sent::Doubt { only_attempt: (!doubt_before).then_some(flying) }
                }
            },
            (
                Sent::Flying { attempt: flying, doubt_before, .. },
                Input::Create(CreateInput::Interrupted { attempt }),
            ) if flying == *attempt => {
                Sent::Doubt { only_attempt: (!doubt_before).then_some(flying) }
            }
            (Sent::Flying { attempt, since, doubt_before }, Input::Woken)
                if now >= since.plus(self.policy.create_timeout) =>
            {
                Sent::Doubt { only_attempt: (!doubt_before).then_some(attempt) }
            }
            (
                Sent::Doubt { only_attempt },
                Input::Create(CreateInput::Answered {
                    attempt,
                    answer: CreateAnswer::NotSent { .. },
                }),
            ) if only_attempt == Some(*attempt) && moved => Sent::Nothing,
            (Sent::Doubt { .. }, Input::Command(Command::PostAgain { acknowledged, .. }))
                if moved && acknowledged.lock_id == before.terms.lock_id =>
            {
                Sent::Authorised
            }
            (Sent::Authorised, Input::Command(Command::Cancel { .. })) => self.doubt_again(),
            (Sent::Authorised, Input::Woken | Input::Create(CreateInput::Permit))
                if now > self.last_send(before) =>
            {
                self.doubt_again()
            }
            (sent, _) => sent,
        };
    }

    /// The permission to post again ended unused: the doubt is about the attempts there were.
    fn doubt_again(&self) -> Sent {
        Sent::Doubt { only_attempt: (self.attempts == 1).then_some(1) }
    }

    fn last_send(&self, order: &Order) -> Timestamp {
        let margin = i64::try_from(self.policy.lock_margin.as_micros()).unwrap();
        Timestamp::from_micros(order.terms.expires_at.as_micros() - margin)
    }

    fn creates(&mut self, before: &Order, now: Timestamp, step: Option<&Step>) {
        let may = matches!(self.sent, Sent::Nothing | Sent::Authorised);
        let in_time = now <= self.last_send(before);
        let effects = step.map_or(&[][..], |step| &step.effects);
        let attempts: Vec<u32> = effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Create { attempt, .. } => Some(*attempt),
                Effect::Fetch { .. } => None,
            })
            .collect();
        self.must(attempts.len() <= 1, Rule::OneCreatePerAttempt, "two creates in one step");
        if let Some(attempt) = attempts.first().copied() {
            self.must(may, Rule::NoCreateWithoutCertainty, "a create while one may be there");
            self.must(in_time, Rule::NoCreatePastTheMargin, "a create past the lock's margin");
            let new = attempt == self.attempts + 1;
            self.must(new, Rule::OneCreatePerAttempt, "an attempt twice, or one left out");
            self.attempts = attempt;
            let doubt_before = self.sent == Sent::Authorised;
            self.sent = Sent::Flying { attempt, since: now, doubt_before };
        }
        let order = &self.order;
        if order.due(now, &self.policy) == Due::Create {
            let may = matches!(self.sent, Sent::Nothing | Sent::Authorised)
                && order.state_name() == StateName::Locked
                && order.cancel.is_none();
            let in_time = now <= self.last_send(order);
            self.must(may, Rule::NoCreateWithoutCertainty, "a create is called due");
            self.must(in_time, Rule::NoCreatePastTheMargin, "a create is called due too late");
        }
    }

    fn cancels(&mut self, before: &Order, input: &Input, next: &Order) {
        let Input::Command(Command::Cancel { .. }) = input else { return };
        if rank(before.state_name()) == END {
            return;
        }
        let unsent = before.state_name() == StateName::Locked && self.sent == Sent::Nothing;
        if unsent {
            let ends = matches!(reason(next), Some(FailReason::Cancelled));
            self.must(ends, Rule::CancelBeforeAnIntentEnds, "it goes on");
        } else {
            let wish = rank(next.state_name()) != END
                && next.cancel.is_some()
                && next.payable_address().is_none();
            self.must(wish, Rule::CancelAfterAnIntentIsAWish, "it ended, or shows an address");
        }
    }

    fn no_end_by_ourselves(&mut self, before: &Order, input: &Input, now: Timestamp, next: &Order) {
        if rank(before.state_name()) == END || rank(next.state_name()) != END {
            return;
        }
        let by_provider = matches!(input, Input::Observed(_));
        let made = before.state_name() != StateName::Locked;
        let rule = Rule::NoEndByOurselvesOnceMade;
        self.must(by_provider || !made, rule, "an order at the provider was ended by us");
        let clock = matches!(input, Input::Woken | Input::Create(CreateInput::Permit));
        if clock && !made {
            let ends = before.terms.expires_at;
            let window = self.policy.provider_order_window;
            let over = match self.sent {
                Sent::Nothing => now > self.last_send(before),
                Sent::Doubt { .. } => window.is_some_and(|window| now >= ends.plus(window)),
                Sent::Flying { .. } | Sent::Authorised => false,
            };
            self.must(over, rule, "the clock ended what somebody could still pay");
        }
    }

    fn claims(&mut self, before: &Order, input: &Input, next: &Order) {
        let Input::Observed(Observation { source: Source::Claimed { .. }, .. }) = input else {
            return;
        };
        let (was, is) = (before.state_name(), next.state_name());
        let moves = was != is && (was, is) != (StateName::Created, StateName::WaitingForWallet);
        let decides = moves
            || before.outcome != next.outcome
            || before.state.deposit() != next.state.deposit();
        self.must(!decides, Rule::AClaimDecidesNothing, "a claim moved the order or its money");
    }

    fn money(&mut self, before: &Order, input: &Input, next: &Order) {
        let ours = next.state.bound().map(|bound| &bound.provider_order);
        let read = match input {
            Input::Observed(seen)
                if ours == Some(&seen.provider_order)
                    && seen.lock_id.as_ref().is_none_or(|lock| *lock == next.terms.lock_id) =>
            {
                match seen.source {
                    Source::Confirmed { read_started_at } => Some((seen, read_started_at)),
                    Source::Claimed { .. } => None,
                }
            }
            Input::Observed(_)
            | Input::Command(_)
            | Input::Create(_)
            | Input::NotFound { .. }
            | Input::Woken
            | Input::Restored { .. } => None,
        };
        let said = read.and_then(|(seen, _)| seen.received.clone());
        self.shown.extend(said.clone());
        let had = received(before);
        let has = received(next);
        if let (Some((_, started)), Some(said)) = (read, &said)
            && *said < had
            && self.rests_on.is_none_or(|rests_on| started > rests_on)
        {
            self.lower.insert(started);
        }
        if has < had {
            let rule = Rule::NoMoneyVanishes;
            self.must(self.lower.len() >= 2, rule, "a payment fell by fewer than two reads");
        }
        if let (Some((_, started)), Some(said)) = (read, &said)
            && *said == has
            && (has != had || self.rests_on.is_none_or(|rests_on| started > rests_on))
        {
            self.rests_on = self.rests_on.max(Some(started));
            self.lower.clear();
        }
        let zero = Exact::zero();
        let known = has == zero || self.shown.contains(&has);
        self.must(known, Rule::NoMoneyAppears, "an amount that no read showed");
        self.balances(next);
        // What two reads took away is gone; a single one proves nothing.
        let there = if has < had { has } else { had };
        self.funds(before, next, &said.unwrap_or(zero).max(there));
    }

    fn balances(&mut self, next: &Order) {
        let Some(deposit) = next.state.deposit() else { return };
        let payment = &deposit.payment;
        let (missing, excess) = match payment.kind() {
            PaymentKind::None => (payment.required.value(), Exact::zero().value()),
            PaymentKind::Partial { missing } => (missing.value(), Exact::zero().value()),
            PaymentKind::Exact => (Exact::zero().value(), Exact::zero().value()),
            PaymentKind::Over { excess } => (Exact::zero().value(), excess.value()),
        };
        let sum = payment.received.value() + missing - excess;
        let balanced = sum == payment.required.value();
        self.must(balanced, Rule::MoneyBalances, "received + missing - excess != required");
    }

    fn funds(&mut self, before: &Order, next: &Order, proven: &Exact) {
        let held = |order: &Order| match order.outcome.as_ref().map(|outcome| &outcome.funds) {
            Some(Funds::Held(amount)) => Some(amount.clone()),
            Some(Funds::None | Funds::Settled | Funds::Unclear) | None => None,
        };
        let failed = next.state_name() == StateName::Failed;
        if failed && rank(before.state_name()) != END {
            let whole = held(next).unwrap_or_else(Exact::zero) == *proven;
            self.must(whole, Rule::NoMoneyVanishes, "failed, and the money there is not held");
        }
        if let Some(amount) = held(next) {
            let known = self.shown.contains(&amount);
            self.must(known, Rule::NoMoneyAppears, "funds held that no read showed");
        }
        if let (Some(was), Some(outcome)) = (held(before), &next.outcome) {
            let kept = held(next).is_some_and(|is| is >= was)
                || outcome.result != before.outcome.as_ref().map_or(outcome.result, |o| o.result);
            self.must(kept, Rule::NoMoneyVanishes, "held funds vanished without a correction");
        }
    }

    fn wakes_up(&mut self, next: &Order, now: Timestamp, step: Option<&Step>) {
        if rank(next.state_name()) == END {
            return;
        }
        let rule = Rule::EveryLiveOrderWakesUp;
        match next.wake_up(now, &self.policy) {
            None => self.breaks(rule, "no wake-up"),
            Some(wake_up) => {
                let due = next.due(wake_up.at.max(now), &self.policy);
                self.must(due != Due::Nothing, rule, "nothing is due at its wake-up");
            }
        }
        let told = step.is_none_or(|step| step.wake_up.is_some());
        self.must(told, rule, "the step forgets the wake-up");
    }
}

const END: u8 = 4;

const fn rank(name: StateName) -> u8 {
    match name {
        StateName::Locked => 0,
        StateName::Created => 1,
        StateName::WaitingForWallet => 2,
        StateName::AwaitingPayment => 3,
        StateName::Executed | StateName::Failed => END,
    }
}

fn reason(order: &Order) -> Option<&FailReason> {
    match &order.state {
        State::Failed(failed) => Some(&failed.reason),
        State::Locked(_)
        | State::Created(_)
        | State::WaitingForWallet(_)
        | State::AwaitingPayment(_)
        | State::Executed(_) => None,
    }
}

fn received(order: &Order) -> Exact {
    order.state.deposit().map_or_else(Exact::zero, |deposit| deposit.payment.received.clone())
}
