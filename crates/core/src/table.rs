//! The words of the state table: where exactly an order stands, and what one input did to it.
//!
//! `docs/state-machine.md` is made of these, and whoever counts which cells were visited uses the same words. This
//! decides nothing and makes no samples; it only names what [`Order::step`] did.

use serde::Serialize;

use crate::{
    AnswerClass, Command, CreateAnswer, CreateInput, Disposition, Event, FailReason, Input, Order,
    OrderResult, Outcome, PaymentKind, ProviderStatus, Source, State, StateName,
    state::{AwaitingPayment, Create, Executed, Failed, Locked},
};

/// Where an order stands, as finely as the table tells it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Situation {
    /// `Locked`, nothing on its way.
    NotSent,
    /// `Locked`, refused; waits for a person.
    Held,
    /// `Locked`, a create is on its way.
    InFlight,
    /// `Locked`, nobody knows what came of the create.
    Unknown,
    /// `Locked`, unknown, and a person had it posted again; that is not sent yet.
    PostAgain,
    /// `Locked`, unknown, and posted again; that is on its way.
    InFlightAgain,
    /// `Locked`, unknown in an older copy of the store: perhaps posted after it, perhaps shown to a payer.
    Exposed,
    /// `Locked`, the lock is over, and a fresh one is being taken.
    Relocking,
    /// `Created`.
    Created,
    /// `WaitingForWallet`.
    WaitingForWallet,
    /// `AwaitingPayment`, nothing paid.
    Unpaid,
    /// `AwaitingPayment`, too little paid.
    PartlyPaid,
    /// `AwaitingPayment`, exactly paid.
    Paid,
    /// `AwaitingPayment`, too much paid.
    Overpaid,
    /// `Executed`.
    Executed,
    /// `Executed`, and taken back.
    Reversed,
    /// `Failed` by the provider.
    FailedThere,
    /// `Failed`: the lock ended before a create could be sent.
    LockExpired,
    /// `Failed`: the provider does not take the lock.
    LockInvalid,
    /// `Failed`: cancelled before anything was sent.
    Cancelled,
    /// `Failed`: the create stayed unknown.
    UnknownGivenUp,
    /// `Failed` by us, and found at the provider after.
    FoundAfter,
    /// `Failed`, and proven executed after.
    Corrected,
}

impl Situation {
    /// All of them, in the order of a life.
    pub const ALL: [Self; 23] = [
        Self::NotSent,
        Self::Held,
        Self::InFlight,
        Self::Unknown,
        Self::PostAgain,
        Self::InFlightAgain,
        Self::Exposed,
        Self::Relocking,
        Self::Created,
        Self::WaitingForWallet,
        Self::Unpaid,
        Self::PartlyPaid,
        Self::Paid,
        Self::Overpaid,
        Self::Executed,
        Self::Reversed,
        Self::FailedThere,
        Self::LockExpired,
        Self::LockInvalid,
        Self::Cancelled,
        Self::UnknownGivenUp,
        Self::FoundAfter,
        Self::Corrected,
    ];

    /// Where an order stands.
    #[must_use]
    pub fn of(order: &Order) -> Self {
        let result = order.outcome.as_ref().map(|outcome| outcome.result);
        match &order.state {
            State::Locked(Locked { create }) => match create {
                Create::NotSent { held: Some(_), .. } => Self::Held,
                Create::NotSent { unknown_before: true, .. } => Self::PostAgain,
                Create::NotSent { unknown_before: false, .. } => Self::NotSent,
                Create::InFlight { unknown_before: true, .. } => Self::InFlightAgain,
                Create::InFlight { unknown_before: false, .. } => Self::InFlight,
                Create::Unknown { .. } if order.is_exposed() => Self::Exposed,
                Create::Unknown { .. } => Self::Unknown,
                Create::Relocking { .. } => Self::Relocking,
            },
            State::Created(_) => Self::Created,
            State::WaitingForWallet(_) => Self::WaitingForWallet,
            State::AwaitingPayment(AwaitingPayment { deposit, .. }) => {
                match deposit.payment.kind() {
                    PaymentKind::None => Self::Unpaid,
                    PaymentKind::Partial { .. } => Self::PartlyPaid,
                    PaymentKind::Exact => Self::Paid,
                    PaymentKind::Over { .. } => Self::Overpaid,
                }
            }
            State::Executed(Executed { .. }) => match result {
                Some(OrderResult::Reversed) => Self::Reversed,
                Some(OrderResult::Executed | OrderResult::Failed) | None => Self::Executed,
            },
            State::Failed(Failed { reason, bound, .. }) => match (result, reason) {
                (Some(OrderResult::Executed | OrderResult::Reversed), _) => Self::Corrected,
                (
                    Some(OrderResult::Failed) | None,
                    FailReason::Expired | FailReason::Underpaid | FailReason::Provider(_),
                ) => Self::FailedThere,
                (Some(OrderResult::Failed) | None, _) if bound.is_some() => Self::FoundAfter,
                (Some(OrderResult::Failed) | None, FailReason::LockExpired) => Self::LockExpired,
                (Some(OrderResult::Failed) | None, FailReason::LockInvalid) => Self::LockInvalid,
                (Some(OrderResult::Failed) | None, FailReason::Cancelled) => Self::Cancelled,
                (Some(OrderResult::Failed) | None, FailReason::UnknownCreate) => {
                    Self::UnknownGivenUp
                }
            },
        }
    }

    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::NotSent => "not sent",
            Self::Held => "refused, held for a person",
            Self::InFlight => "create on its way",
            Self::Unknown => "create unknown",
            Self::PostAgain => "create unknown, to be posted again",
            Self::InFlightAgain => "create unknown, posted again",
            Self::Exposed => "create unknown, exposure possible",
            Self::Relocking => "lock over, a fresh one is being taken",
            Self::Created => "made at the provider",
            Self::WaitingForWallet => "address in the making",
            Self::Unpaid => "nothing paid",
            Self::PartlyPaid => "too little paid",
            Self::Paid => "paid",
            Self::Overpaid => "too much paid",
            Self::Executed => "sold",
            Self::Reversed => "sold, taken back",
            Self::FailedThere => "failed at the provider",
            Self::LockExpired => "lock ended before a send",
            Self::LockInvalid => "lock not taken",
            Self::Cancelled => "cancelled before a send",
            Self::UnknownGivenUp => "create stayed unknown",
            Self::FoundAfter => "given up, found after",
            Self::Corrected => "failed, executed after all",
        }
    }

    /// The state it is part of.
    #[must_use]
    pub const fn state(self) -> StateName {
        match self {
            Self::NotSent
            | Self::Held
            | Self::InFlight
            | Self::Unknown
            | Self::PostAgain
            | Self::InFlightAgain
            | Self::Exposed
            | Self::Relocking => StateName::Locked,
            Self::Created => StateName::Created,
            Self::WaitingForWallet => StateName::WaitingForWallet,
            Self::Unpaid | Self::PartlyPaid | Self::Paid | Self::Overpaid => {
                StateName::AwaitingPayment
            }
            Self::Executed | Self::Reversed => StateName::Executed,
            Self::FailedThere
            | Self::LockExpired
            | Self::LockInvalid
            | Self::Cancelled
            | Self::UnknownGivenUp
            | Self::FoundAfter
            | Self::Corrected => StateName::Failed,
        }
    }
}

/// What one input did.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Cell {
    /// The state after it.
    pub next: StateName,
    /// Where exactly the order stands after it.
    pub next_situation: Situation,
    /// How it ended, in one word.
    pub disposition: &'static str,
    /// Why, where it changed nothing that it should have.
    pub why: Option<String>,
    /// The events, by name.
    pub events: Vec<&'static str>,
    /// The effects, by name.
    pub effects: Vec<&'static str>,
    /// What a person is asked.
    pub raised: Vec<String>,
    /// What a person need not be asked any more.
    pub settled: Vec<String>,
}

impl Cell {
    /// What came of an input to this order.
    #[must_use]
    pub fn of(before: &Order, outcome: &Outcome) -> Self {
        let disposition = outcome.disposition();
        let (word, why) = match disposition {
            Disposition::Applied => ("applied", None),
            Disposition::Duplicate => ("duplicate", None),
            Disposition::Stale => ("stale", None),
            Disposition::AwaitingConfirmation => ("awaiting confirmation", None),
            Disposition::Parked(why) => ("parked", Some(why)),
            Disposition::Quarantined(why) => ("refused", Some(why)),
        };
        let mut cell = Self {
            next: before.state_name(),
            next_situation: Situation::of(before),
            disposition: word,
            why,
            events: Vec::new(),
            effects: Vec::new(),
            raised: Vec::new(),
            settled: Vec::new(),
        };
        let Outcome::Moved(step) = outcome else {
            return cell;
        };
        cell.next = step.next.state_name();
        cell.next_situation = Situation::of(&step.next);
        cell.effects = step.effects.iter().map(crate::Effect::name).collect();
        for record in &step.events {
            match &record.event {
                Event::ReviewRaised { reason, .. } => cell.raised.push(format!("{reason:?}")),
                Event::ReviewSettled { reason, .. } => cell.settled.push(format!("{reason:?}")),
                Event::Submitted { .. }
                | Event::CreateIntended { .. }
                | Event::CreateNotSent { .. }
                | Event::CreateHeld { .. }
                | Event::CreateUnknown { .. }
                | Event::Bound { .. }
                | Event::AdoptionAsked { .. }
                | Event::AdoptionRefused { .. }
                | Event::Claimed { .. }
                | Event::Read { .. }
                | Event::WalletRequested
                | Event::WalletGiven { .. }
                | Event::NotFound
                | Event::SecondOrderFound { .. }
                | Event::Executed { .. }
                | Event::Failed { .. }
                | Event::LateFunds { .. }
                | Event::Reversed
                | Event::Corrected { .. }
                | Event::Resolved { .. }
                | Event::CancelWished { .. }
                | Event::RetryAsked
                | Event::PostAgainAuthorised
                | Event::Noted { .. }
                | Event::Restored { .. }
                | Event::RelockAllowed { .. }
                | Event::RelockWanted { .. }
                | Event::Relocked { .. }
                | Event::RelockDeclined { .. }
                | Event::MarginWidened { .. }
                | Event::GivenUpOrderFound { .. } => cell.events.push(record.event.name()),
            }
        }
        cell
    }
}

/// The input, as the rows of the table name it; finer than [`Input::name`], and coarser than a row where that depends on
/// the order, too.
#[must_use]
pub const fn input_word(input: &Input) -> &'static str {
    match input {
        Input::Command(command) => command_word(command),
        Input::Create(CreateInput::Permit) => "permit",
        Input::Create(CreateInput::Interrupted { .. }) => "interrupted",
        Input::Create(CreateInput::Answered { answer, .. }) => answer_word(answer),
        Input::Create(CreateInput::Locked { .. }) => "fresh lock",
        Input::Create(CreateInput::LockRefused { .. }) => "fresh lock refused",
        Input::Observed(seen) => {
            let (claim, read) = status_words(&seen.status);
            match seen.source {
                Source::Claimed { .. } => claim,
                Source::Confirmed { .. } => read,
            }
        }
        Input::NotFound { .. } => "not found",
        Input::Woken => "woken",
        Input::Restored { .. } => "restored",
    }
}

const fn command_word(command: &Command) -> &'static str {
    match command {
        Command::Submit(_) => "submit",
        Command::Cancel { .. } => "cancel",
        Command::Resolve { .. } => "resolve",
        Command::Adopt { .. } => "adopt",
        Command::Retry { .. } => "retry",
        Command::PostAgain { .. } => "post again",
        Command::Note { .. } => "note",
    }
}

const fn answer_word(answer: &CreateAnswer) -> &'static str {
    match answer {
        CreateAnswer::Accepted { .. } => "answer: accepted",
        CreateAnswer::NotSent { .. } => "answer: not sent",
        CreateAnswer::Refused { class, .. } => match class {
            AnswerClass::Definite => "answer: definite",
            AnswerClass::Ambiguous => "answer: ambiguous",
            AnswerClass::Throttled => "answer: throttled",
            AnswerClass::Denied => "answer: denied",
        },
    }
}

/// For a claim and for a read.
const fn status_words(status: &ProviderStatus) -> (&'static str, &'static str) {
    match status {
        ProviderStatus::WaitingForWallet => {
            ("claim: waiting for wallet", "read: waiting for wallet")
        }
        ProviderStatus::AwaitingPayment => ("claim: awaiting payment", "read: awaiting payment"),
        ProviderStatus::Confirming => ("claim: confirming", "read: confirming"),
        ProviderStatus::Executed => ("claim: executed", "read: executed"),
        ProviderStatus::Expired => ("claim: expired", "read: expired"),
        ProviderStatus::Underpaid => ("claim: underpaid", "read: underpaid"),
        ProviderStatus::Failed => ("claim: failed", "read: failed"),
        ProviderStatus::Reversed => ("claim: reversed", "read: reversed"),
        ProviderStatus::Unknown(_) => ("claim: unknown word", "read: unknown word"),
    }
}
