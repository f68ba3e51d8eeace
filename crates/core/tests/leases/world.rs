//! One moment of the modelled world.

use orderkeep_core::{
    AccountId, CreateAnswer, Currency, IdempotencyKey, LockId, Network, Order, OrderId, Policy,
    ProviderOrderId, Submit, Terms, Timestamp,
};
use std::{
    hash::{Hash, Hasher},
    time::Duration,
};

/// Time, as far as it decides about a create.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Clock {
    /// The lock may be posted, and the provider takes it.
    LockHolds,
    /// The lock has ended: its margin is past, and the provider refuses it.
    LockEnded,
    /// No order made from the lock can be paid any more.
    WindowEnded,
}

const LOCK_ENDS: i64 = 900;
const WINDOW: i64 = 7_200;

impl Clock {
    pub(crate) const fn now(self) -> Timestamp {
        /// 2026-03-01T12:00:00Z, in seconds.
        const START: i64 = 1_772_366_400;
        let seconds = match self {
            Self::LockHolds => 1,
            Self::LockEnded => LOCK_ENDS,
            Self::WindowEnded => LOCK_ENDS + WINDOW,
        };
        Timestamp::from_millis((START + seconds) * 1_000)
    }

    pub(crate) const fn later(self) -> Option<Self> {
        match self {
            Self::LockHolds => Some(Self::LockEnded),
            Self::LockEnded => Some(Self::WindowEnded),
            Self::WindowEnded => None,
        }
    }
}

/// A window, so that an unknown create has an end; no waits, so that every order of events is met without more clocks.
pub(crate) fn policy() -> Policy {
    Policy {
        provider_order_window: Some(Duration::from_secs(WINDOW.unsigned_abs())),
        create_backoff: (Duration::ZERO, Duration::ZERO),
        ..Policy::default()
    }
}

pub(crate) fn lock() -> LockId {
    LockId::new("lock-1").unwrap()
}

/// The provider's name of the `n`th order it made.
pub(crate) fn provider_order(n: usize) -> ProviderOrderId {
    ProviderOrderId::new(format!("p-{n}")).unwrap()
}

pub(crate) fn submitted(policy: &Policy) -> Order {
    let id: OrderId = "0195a000-0000-7000-8000-000000000001".parse().unwrap();
    let submit = Submit {
        account: AccountId::main(),
        key: IdempotencyKey::new("key-1").unwrap(),
        terms: Terms {
            lock_id: lock(),
            pay_amount: "100".parse().unwrap(),
            pay_currency: Currency::new("usdc").unwrap(),
            network: Network::new("polygon").unwrap(),
            rate: "0.84".parse().unwrap(),
            settle_currency: None,
            settle_amount: None,
            expires_at: Clock::LockEnded.now(),
        },
        reference: None,
        relock: None,
        metadata: orderkeep_core::Metadata::default(),
    };
    Order::submit(id, submit, Clock::LockHolds.now(), policy).unwrap().next
}

/// The order as it is durable, and the newest lease on it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) order: Order,
    pub(crate) epoch: u8,
}

/// One instance.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Holder {
    /// Not running, or without a lease and aware of it.
    Down,
    /// It believes that it holds the order.
    Up {
        /// The lease it was given; 0: none yet.
        epoch: u8,
        /// What it decides on.
        copy: Box<Order>,
        /// The create in its hands.
        create: Hand,
    },
}

/// A create in a holder's hands. Everything here is gone when the holder is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Hand {
    Empty,
    /// The intent is durable (in the twin that acts first: not yet), nothing was checked.
    ToSend(u32),
    /// The lock's margin was checked; it may pause here for as long as it likes.
    Checked(u32),
    /// Written; the answer may come.
    Waiting(u32),
    /// The answer, not yet committed.
    Answered(u32, CreateAnswer),
}

/// A request on its way. Whoever sent it may be gone before it arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Request {
    pub(crate) from: usize,
    pub(crate) attempt: u32,
}

/// One moment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) row: Row,
    pub(crate) holders: Vec<Holder>,
    pub(crate) wire: Vec<Request>,
    /// How many orders the provider made from the lock.
    pub(crate) made: usize,
    /// The attempts whose intent became durable, in that order. Never asked by anybody but the verdict.
    pub(crate) intents: Vec<u32>,
    /// The attempts that were written to the network, in that order. As above.
    pub(crate) sent: Vec<u32>,
    /// How often a person took the risk of a second order, as it is durable.
    pub(crate) authorised: usize,
    /// Whether somebody asked to cancel.
    pub(crate) cancelled: bool,
}

impl Hash for World {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_order(&self.row.order, state);
        for holder in &self.holders {
            match holder {
                Holder::Down => 0_u8.hash(state),
                Holder::Up { epoch, copy, create } => {
                    (1_u8, epoch).hash(state);
                    hash_order(copy, state);
                    create.hash(state);
                }
            }
        }
        (self.clock, self.row.epoch, &self.wire, self.made).hash(state);
        (&self.intents, &self.sent, self.authorised, self.cancelled).hash(state);
    }
}

impl Hash for Hand {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Empty => 0_u8.hash(state),
            Self::ToSend(attempt) => (1_u8, attempt).hash(state),
            Self::Checked(attempt) => (2_u8, attempt).hash(state),
            Self::Waiting(attempt) => (3_u8, attempt).hash(state),
            Self::Answered(attempt, answer) => {
                (4_u8, attempt).hash(state);
                bytes(answer).hash(state);
            }
        }
    }
}

fn hash_order<H: Hasher>(order: &Order, state: &mut H) {
    bytes(order).hash(state);
}

fn bytes<T: serde::Serialize>(value: &T) -> Vec<u8> {
    bincode::serde::encode_to_vec(value, bincode::config::standard()).unwrap()
}
