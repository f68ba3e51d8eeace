//! Sample orders, statements of the provider and times, and the story: an order driven input by input.

use orderkeep_core::{
    AccountId, Address, AnswerClass, Author, Command, CreateAnswer, CreateInput, Currency, Event,
    EventRecord, Exact, IdempotencyKey, Input, LockId, Metadata, Network, Observation, Order,
    OrderId, Outcome, Policy, ProviderOrderId, ProviderStatus, Relock, Resolution, ReviewReason,
    SecondOrderAcknowledged, Source, StateName, Step, Submit, Terms, Timestamp, TransactionHash,
};
use std::time::Duration;
use uuid::Uuid;

/// 2026-03-01T12:00:00Z, in seconds.
const START: i64 = 1_772_366_400;
/// When the sample lock ends.
pub(crate) const LOCK_ENDS: i64 = 900;
/// When the sample payment is due.
pub(crate) const PAY_BY: i64 = 3_600;
/// How long after its lock the provider's order can live, in the sample policy.
pub(crate) const WINDOW: i64 = 7_200;

/// So many seconds into the sample.
pub(crate) const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis((START + seconds) * 1_000)
}

pub(crate) fn exact(text: &str) -> Exact {
    text.parse().unwrap()
}

pub(crate) fn ours() -> ProviderOrderId {
    ProviderOrderId::new("p-ours").unwrap()
}

pub(crate) fn other() -> ProviderOrderId {
    ProviderOrderId::new("p-other").unwrap()
}

pub(crate) fn lock() -> LockId {
    LockId::new("lock-1").unwrap()
}

pub(crate) fn author() -> Author {
    Author::new("ops").unwrap()
}

/// The default policy with a window, so that an unknown create has an end.
pub(crate) fn policy() -> Policy {
    Policy {
        provider_order_window: Some(Duration::from_secs(WINDOW.unsigned_abs())),
        ..Policy::default()
    }
}

pub(crate) fn terms() -> Terms {
    Terms {
        lock_id: lock(),
        pay_amount: exact("100"),
        pay_currency: Currency::new("usdc").unwrap(),
        network: Network::new("polygon").unwrap(),
        rate: exact("0.84"),
        settle_currency: Some(Currency::new("eur").unwrap()),
        settle_amount: Some(exact("84")),
        expires_at: at(LOCK_ENDS),
    }
}

pub(crate) fn submit() -> Submit {
    Submit {
        account: AccountId::main(),
        key: IdempotencyKey::new("key-1").unwrap(),
        terms: terms(),
        reference: Some("invoice 7".to_owned()),
        relock: None,
        metadata: Metadata::default(),
    }
}

/// The same, and a fresh lock may ask for up to 105.
pub(crate) fn submit_with_relock() -> Submit {
    Submit { relock: Some(Relock { max_pay_amount: exact("105"), until: None }), ..submit() }
}

/// A fresh lock, from this second on for 15 minutes.
pub(crate) fn fresh(seconds: i64, pay_amount: &str) -> Terms {
    Terms {
        lock_id: LockId::new("lock-fresh").unwrap(),
        pay_amount: exact(pay_amount),
        expires_at: at(seconds + LOCK_ENDS),
        ..terms()
    }
}

pub(crate) fn locked_again(fresh: Terms) -> Input {
    Input::Create(CreateInput::Locked { terms: Box::new(fresh) })
}

pub(crate) fn submitted(now: Timestamp, policy: &Policy) -> Step {
    let id: OrderId = "0195a000-0000-7000-8000-000000000001".parse().unwrap();
    Order::submit(id, submit(), now, policy).unwrap()
}

/// The store turns out to be an older copy, as the life with this number.
pub(crate) fn restored(life: u128) -> Input {
    Input::Restored { incarnation: Uuid::from_u128(life) }
}

/// What the provider says of our order at a status, with the fields that status comes with. Nothing is paid.
pub(crate) fn said(source: Source, status: ProviderStatus) -> Observation {
    let address = match &status {
        ProviderStatus::WaitingForWallet | ProviderStatus::Unknown(_) => None,
        ProviderStatus::AwaitingPayment
        | ProviderStatus::Confirming
        | ProviderStatus::Executed
        | ProviderStatus::Expired
        | ProviderStatus::Underpaid
        | ProviderStatus::Failed
        | ProviderStatus::Reversed => Some(Address::new("0xaddress").unwrap()),
    };
    Observation {
        source,
        provider_order: ours(),
        lock_id: Some(lock()),
        status_text: status.to_string().to_uppercase().replace(' ', "_"),
        expires_at: address.as_ref().map(|_| at(PAY_BY)),
        received: address.as_ref().map(|_| Exact::zero()),
        confirmations: address.as_ref().map(|_| 0),
        required_confirmations: address.as_ref().map(|_| 3),
        required: Some(exact("100")),
        address,
        status,
        transactions: Vec::new(),
        currency: Some(Currency::new("usdc").unwrap()),
        network: Some(Network::new("polygon").unwrap()),
        unknown_fields: Vec::new(),
    }
}

/// A read that started then.
pub(crate) fn read(seconds: i64, status: ProviderStatus) -> Observation {
    said(Source::Confirmed { read_started_at: at(seconds) }, status)
}

/// A webhook heard then.
pub(crate) fn claim(seconds: i64, status: ProviderStatus) -> Observation {
    said(Source::Claimed { heard_at: at(seconds) }, status)
}

pub(crate) trait Paid {
    /// The same, with this much arrived in one transfer.
    fn paid(self, amount: &str) -> Self;
}

impl Paid for Observation {
    fn paid(mut self, amount: &str) -> Self {
        self.received = Some(exact(amount));
        self.confirmations = Some(1);
        self.transactions = vec![TransactionHash::new(format!("tx-{amount}")).unwrap()];
        self
    }
}

pub(crate) fn unknown_word() -> ProviderStatus {
    ProviderStatus::Unknown("ON_HOLD".to_owned())
}

pub(crate) fn answered(attempt: u32, answer: CreateAnswer) -> Input {
    Input::Create(CreateInput::Answered { attempt, answer })
}

pub(crate) fn accepted(provider_order: ProviderOrderId) -> CreateAnswer {
    CreateAnswer::Accepted { provider_order }
}

pub(crate) fn not_sent() -> CreateAnswer {
    CreateAnswer::NotSent { why: "connection refused".to_owned() }
}

pub(crate) fn refused(class: AnswerClass, code: Option<&str>) -> CreateAnswer {
    CreateAnswer::Refused {
        class,
        code: code.map(str::to_owned),
        why: format!("refused with {}", code.unwrap_or("no code")),
        retry_after: None,
    }
}

pub(crate) fn permit() -> Input {
    Input::Create(CreateInput::Permit)
}

pub(crate) fn cancel() -> Input {
    Input::Command(Command::Cancel { author: author(), reason: None })
}

pub(crate) fn retry() -> Input {
    Input::Command(Command::Retry { author: author(), reason: None })
}

pub(crate) fn note(text: &str) -> Input {
    Input::Command(Command::Note { author: author(), text: text.to_owned() })
}

pub(crate) fn adopt(provider_order: ProviderOrderId) -> Input {
    Input::Command(Command::Adopt { author: author(), provider_order, reason: None })
}

pub(crate) fn resolve(resolution: Resolution) -> Input {
    Input::Command(Command::Resolve { author: author(), resolution, note: "seen".to_owned() })
}

pub(crate) fn acknowledge(reason: Option<ReviewReason>) -> Input {
    resolve(Resolution::Acknowledge(reason))
}

pub(crate) fn post_again(lock_id: LockId) -> Input {
    Input::Command(Command::PostAgain {
        author: author(),
        acknowledged: SecondOrderAcknowledged { lock_id },
        reason: None,
    })
}

pub(crate) fn not_found(provider_order: ProviderOrderId, seconds: i64) -> Input {
    Input::NotFound { provider_order, read_started_at: at(seconds) }
}

/// An order, its history, and what it was told.
#[derive(Debug, Clone)]
pub(crate) struct Story {
    pub(crate) order: Order,
    pub(crate) history: Vec<EventRecord>,
    pub(crate) policy: Policy,
    pub(crate) last: Option<Outcome>,
}

impl Story {
    /// Submitted at the start.
    pub(crate) fn new() -> Self {
        Self::with(policy())
    }

    pub(crate) fn with(policy: Policy) -> Self {
        let step = submitted(at(0), &policy);
        Self { order: step.next, history: step.events, policy, last: None }
    }

    /// The caller allows a fresh lock.
    pub(crate) fn with_relock() -> Self {
        Self::submitting(submit_with_relock())
    }

    /// What was submitted at the start.
    pub(crate) fn submitting(submit: Submit) -> Self {
        let id: OrderId = "0195a000-0000-7000-8000-000000000001".parse().unwrap();
        let step = Order::submit(id, submit, at(0), &policy()).unwrap();
        Self { order: step.next, history: step.events, policy: policy(), last: None }
    }

    /// The create of attempt 1 is on its way since second 1.
    pub(crate) fn in_flight() -> Self {
        Self::new().then(1, permit())
    }

    /// Nobody knows what came of attempt 1, since second 2.
    pub(crate) fn unknown() -> Self {
        Self::in_flight().then(2, answered(1, refused(AnswerClass::Ambiguous, None)))
    }

    /// Made at the provider at second 2.
    pub(crate) fn created() -> Self {
        Self::in_flight().then(2, answered(1, accepted(ours())))
    }

    /// The address is there since second 10.
    pub(crate) fn awaiting() -> Self {
        Self::created().read(10, ProviderStatus::AwaitingPayment)
    }

    /// One more input; what comes of it is kept in `last`.
    pub(crate) fn tell(&mut self, seconds: i64, input: &Input) -> Outcome {
        let outcome = self.order.step(input, at(seconds), &self.policy);
        if let Outcome::Moved(step) = &outcome {
            self.history.extend(step.events.iter().cloned());
            self.order = step.next.clone();
            assert_eq!(Order::fold(&self.history).unwrap(), self.order, "history folds to state");
        }
        self.last = Some(outcome.clone());
        outcome
    }

    pub(crate) fn then(mut self, seconds: i64, input: Input) -> Self {
        let _ = self.tell(seconds, &input);
        self
    }

    /// A read that starts then and is back at once.
    pub(crate) fn read(self, seconds: i64, status: ProviderStatus) -> Self {
        self.then(seconds, Input::Observed(read(seconds, status)))
    }

    pub(crate) fn observes(self, seconds: i64, seen: Observation) -> Self {
        self.then(seconds, Input::Observed(seen))
    }

    pub(crate) fn name(&self) -> StateName {
        self.order.state_name()
    }

    pub(crate) fn last_step(&self) -> Option<&Step> {
        match self.last.as_ref()? {
            Outcome::Moved(step) => Some(step),
            Outcome::AlreadyThere(_) | Outcome::Refused(_) => None,
        }
    }

    /// How many events of this name there are.
    pub(crate) fn count(&self, name: &str) -> usize {
        self.history.iter().filter(|record| record.event.name() == name).count()
    }

    /// How often a create was put on its way.
    pub(crate) fn intents(&self) -> usize {
        self.history
            .iter()
            .filter(|record| matches!(record.event, Event::CreateIntended { .. }))
            .count()
    }

    pub(crate) fn open(&self) -> Vec<ReviewReason> {
        self.order.open_reviews().map(|review| review.reason).collect()
    }
}
