//! The provider's orders that no order of ours is known to belong to, and when to ask about each. No I/O.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use orderkeep_core::{OrderId, Timestamp};
use orderkeep_store::InboxSeq;

use super::Key;

/// Above so many, those that a read has shown not to be ours are dropped first. What may be ours is bounded by the
/// inbox alone.
const ORDERS_MAX: usize = 10_000;
/// Webhooks kept per provider order: the read tells more than all of them.
const WEBHOOKS_MAX: usize = 8;
/// First and longest wait between two reads.
const WAIT: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(60 * 60));
/// The longest wait after reads that brought no answer: what may be ours is not left for an hour.
const WAIT_UNANSWERED: Duration = Duration::from_secs(30);

/// What a webhook waits for.
#[derive(Debug, Clone)]
pub(super) struct Waits {
    pub(super) seq: InboxSeq,
    pub(super) key: Key,
    pub(super) heard_at: Timestamp,
    /// It names a lock of ours: it goes before those that name none.
    pub(super) likely: bool,
}

/// What a read came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// It went to its order.
    Ours(OrderId),
    /// There is none of ours for its lock.
    NotOurs,
    /// The provider has none such, which it also says of one that it has just made.
    Nothing,
    /// No answer, or it could not be handed over.
    NoAnswer,
}

/// What is to be done about the webhooks of an order that was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// They wait on.
    Wait,
    /// They are given up.
    GiveUp(Vec<InboxSeq>),
    /// The read said all of `told`; `late` came after it began, and may say more.
    HandOver { order: OrderId, told: Vec<InboxSeq>, late: Vec<InboxSeq> },
}

/// A read to be made.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ToRead {
    pub(super) key: Key,
    pub(super) webhooks: Vec<InboxSeq>,
    pub(super) likely: bool,
}

/// One of the provider's orders.
#[derive(Debug)]
struct Parked {
    webhooks: Vec<InboxSeq>,
    first_at: Timestamp,
    next_at: Timestamp,
    /// Not before this, whatever is said about it.
    not_before: Timestamp,
    tries: u32,
    likely: bool,
    /// A read has shown it not to be ours.
    foreign: bool,
    reading: bool,
}

/// See the module. Whoever is not being read is in one of the two lists of what is due.
#[derive(Debug, Default)]
pub(super) struct ParkedOrders {
    orders: BTreeMap<Key, Parked>,
    due_likely: BTreeSet<(Timestamp, Key)>,
    due_others: BTreeSet<(Timestamp, Key)>,
}

impl ParkedOrders {
    const fn due(&mut self, likely: bool) -> &mut BTreeSet<(Timestamp, Key)> {
        if likely { &mut self.due_likely } else { &mut self.due_others }
    }

    /// Takes a webhook in. What comes back is given up for it: one that it supersedes, or those of a stranger.
    pub(super) fn park(&mut self, waits: Waits, now: Timestamp) -> Vec<InboxSeq> {
        let Waits { seq, key, heard_at, likely } = waits;
        let mut given_up = Vec::new();
        if self.orders.len() >= ORDERS_MAX && !self.orders.contains_key(&key) {
            given_up = self.evict();
        }
        let parked = self.orders.entry(key.clone()).or_insert_with(|| Parked {
            webhooks: Vec::new(),
            first_at: heard_at,
            next_at: now,
            not_before: now,
            tries: 0,
            likely,
            foreign: false,
            reading: false,
        });
        parked.webhooks.push(seq);
        if parked.webhooks.len() > WEBHOOKS_MAX {
            given_up.push(parked.webhooks.remove(0));
        }
        let (was, was_at) = (parked.likely, parked.next_at);
        parked.likely |= likely;
        if parked.reading {
            return given_up;
        }
        if !parked.foreign {
            // Something was said about it: look soon, however long the last look is ago.
            parked.next_at = parked.next_at.min(now.max(parked.not_before));
        }
        let (is, at) = (parked.likely, parked.next_at);
        self.due(was).remove(&(was_at, key.clone()));
        self.due(is).insert((at, key));
        given_up
    }

    /// Forgets the oldest stranger.
    fn evict(&mut self) -> Vec<InboxSeq> {
        let oldest = self
            .orders
            .iter()
            .filter(|(_, parked)| parked.foreign && !parked.reading)
            .min_by_key(|(_, parked)| parked.first_at)
            .map(|(key, _)| key.clone());
        oldest.map_or_else(Vec::new, |key| self.forget(&key))
    }

    fn forget(&mut self, key: &Key) -> Vec<InboxSeq> {
        let Some(parked) = self.orders.remove(key) else { return Vec::new() };
        self.due(parked.likely).remove(&(parked.next_at, key.clone()));
        parked.webhooks
    }

    /// When the next one wants to be read; `others`: also of those that name no lock of ours.
    pub(super) fn next_at(&self, others: bool) -> Option<Timestamp> {
        let other = self.due_others.first().filter(|_| others);
        [self.due_likely.first(), other].into_iter().flatten().map(|(at, _)| *at).min()
    }

    /// Begins the next read that is due; `others`: also of those that name no lock of ours.
    pub(super) fn begin(&mut self, now: Timestamp, others: bool) -> Option<ToRead> {
        let due = |list: &BTreeSet<(Timestamp, Key)>| {
            list.first().filter(|(at, _)| *at <= now).map(|(_, key)| key.clone())
        };
        let key =
            due(&self.due_likely).or_else(|| others.then(|| due(&self.due_others)).flatten())?;
        let parked = self.orders.get_mut(&key)?;
        parked.reading = true;
        let (at, likely, webhooks) = (parked.next_at, parked.likely, parked.webhooks.clone());
        self.due(likely).remove(&(at, key.clone()));
        Some(ToRead { key, webhooks, likely })
    }

    /// A read has ended. `keep`: strangers are kept so long; `grace`: so long after the first word of it, the provider
    /// may not find what it has made.
    pub(super) fn ended(
        &mut self,
        key: &Key,
        read: &[InboxSeq],
        found: Found,
        now: Timestamp,
        (keep, grace): (Duration, Duration),
    ) -> Then {
        let Some(parked) = self.orders.get_mut(key) else { return Then::Wait };
        parked.reading = false;
        let age = now.since(parked.first_at);
        match found {
            Found::Ours(order) => {
                let webhooks = self.forget(key);
                let (told, late) = webhooks.into_iter().partition(|seq| read.contains(seq));
                return Then::HandOver { order, told, late };
            }
            Found::NotOurs => parked.foreign = true,
            Found::Nothing => parked.foreign |= age >= grace,
            Found::NoAnswer => {}
        }
        let answered = found != Found::NoAnswer;
        // Only what a read has just shown not to be ours is given up.
        if answered && parked.foreign && age >= keep {
            return Then::GiveUp(self.forget(key));
        }
        let (first, longest) = WAIT;
        let longest = if answered { longest } else { WAIT_UNANSWERED };
        let doubled = first.saturating_mul(1_u32.checked_shl(parked.tries).unwrap_or(u32::MAX));
        parked.tries = parked.tries.saturating_add(1);
        parked.next_at = now.plus(doubled.min(longest));
        parked.not_before = now.plus(first);
        let (at, likely) = (parked.next_at, parked.likely);
        self.due(likely).insert((at, key.clone()));
        Then::Wait
    }
}

#[cfg(test)]
mod tests;
