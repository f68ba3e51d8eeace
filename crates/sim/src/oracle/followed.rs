//! What the feed has told so far of each order, and what an older copy of the store tells again.

use std::collections::{BTreeMap, BTreeSet};

use orderkeep_core::{Event, EventRecord, FailReason, OrderId};
use orderkeep_sandbox::OrderEntry;

/// How far each order was told at some moment.
pub(crate) type Told = BTreeMap<OrderId, u64>;

/// An order, as its events tell it.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    pub(super) sale: Option<usize>,
    pub(super) version: u64,
    /// Its locks, the one that counts last.
    locks: Vec<String>,
    /// The provider's order that is its own.
    bound: Option<String>,
    addresses: BTreeSet<String>,
    /// It was made again from what the provider said, where an older copy did not know it.
    pub(super) rebuilt: bool,
    /// A fresh lock is to take the place of its own.
    relocks: Option<Relocks>,
}

/// A fresh lock that is wanted.
#[derive(Debug, Clone)]
pub(crate) struct Relocks {
    /// What the order fails of if there is none.
    pub(super) instead_of: FailReason,
    /// An order of the lock before was open at that moment, as far as the engine's clock excuses it.
    pub(super) early: bool,
}

impl Followed {
    /// The lock that counts.
    pub(crate) fn lock(&self) -> Option<&str> {
        self.locks.last().map(String::as_str)
    }

    /// Of these orders of the provider's, its own; all of them before it is bound to one.
    pub(super) fn its_own<'a>(&self, made: &'a [OrderEntry]) -> Vec<&'a OrderEntry> {
        let bound = self.bound.as_deref();
        made.iter().filter(|made| bound.is_none_or(|bound| made.order_id == bound)).collect()
    }

    pub(crate) fn had_lock(&self, lock_id: &str) -> bool {
        self.locks.iter().any(|lock| lock == lock_id)
    }

    pub(super) const fn relocks(&self) -> Option<&Relocks> {
        self.relocks.as_ref()
    }

    /// Whether it was said to be paid at another address.
    pub(super) fn has_another_address(&self, address: &str) -> bool {
        self.addresses.iter().any(|known| known != address)
    }

    /// Takes an event in, once it is judged. `early`: see [`Relocks`].
    pub(super) fn take_in(&mut self, event: &Event, early: bool) {
        if let Event::Submitted { terms, .. } | Event::Relocked { terms } = event {
            self.locks.push(terms.lock_id.to_string());
        }
        if let Event::Bound { provider_order, .. } = event {
            self.bound = Some(provider_order.to_string());
        }
        if let Event::WalletGiven { address } = event {
            self.addresses.insert(address.to_string());
        }
        if let Event::RelockWanted { instead_of } = event {
            self.relocks = Some(Relocks { instead_of: instead_of.clone(), early });
        } else if matches!(
            event,
            Event::Relocked { .. } | Event::CreateUnknown { .. } | Event::Bound { .. }
        ) {
            self.relocks = None;
        }
    }
}

/// What was heard before an older copy of the store took over, and what the copy has of it.
#[derive(Debug, Default)]
pub(crate) struct Retold {
    /// Everything that was heard; only where a copy is going to take over.
    heard: BTreeMap<(OrderId, u64), EventRecord>,
    /// How far the copy knows each order.
    copied: Told,
}

/// Whether an event was heard before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// It is new, or was never heard.
    No,
    /// It was judged then.
    Same,
    /// The copy has it otherwise.
    Changed,
}

impl Retold {
    pub(super) fn hear(&mut self, id: OrderId, version: u64, record: &EventRecord) {
        self.heard.insert((id, version), record.clone());
    }

    pub(super) fn is_again(&self, id: OrderId, version: u64, record: &EventRecord) -> Again {
        if self.copied.get(&id).is_none_or(|copied| version > *copied) {
            return Again::No;
        }
        match self.heard.get(&(id, version)) {
            None => Again::No,
            Some(before) if before == record => Again::Same,
            Some(_) => Again::Changed,
        }
    }

    /// A copy takes over that has this; `told`: what was told by the time it was made. What is missing in it, if
    /// anything is.
    pub(super) fn take_over(&mut self, copied: Told, told: &Told) -> Option<String> {
        let missing = told.iter().find_map(|(id, told)| {
            let has = copied.get(id).copied().unwrap_or(0);
            (has < *told).then(|| format!("{id} was told up to {told}, the copy has {has}"))
        });
        self.copied = copied;
        missing
    }
}

#[cfg(test)]
mod tests {
    use orderkeep_core::{Cause, Timestamp};
    use uuid::Uuid;

    use super::*;

    fn noted(text: &str) -> EventRecord {
        let event = Event::Noted { text: text.to_owned() };
        EventRecord { at: Timestamp::from_micros(0), cause: Cause::Clock, event }
    }

    #[test]
    fn what_a_copy_lacks_or_tells_otherwise_is_seen() {
        let [one, other] = [1, 2].map(|id| OrderId(Uuid::from_u128(id)));
        let mut retold = Retold::default();
        for version in 1..=3 {
            retold.hear(one, version, &noted("called them"));
        }
        assert_eq!(retold.is_again(one, 1, &noted("called them")), Again::No, "there is no copy");
        let told = Told::from([(one, 2), (other, 1)]);
        assert_eq!(retold.take_over(Told::from([(one, 2), (other, 1)]), &told), None);
        assert_eq!(retold.is_again(one, 1, &noted("called them")), Again::Same);
        assert_eq!(retold.is_again(one, 2, &noted("wrote to them")), Again::Changed);
        assert_eq!(retold.is_again(one, 3, &noted("another life")), Again::No);
        assert_eq!(retold.is_again(other, 1, &noted("was never heard")), Again::No);
        for lacking in [Told::from([(one, 1), (other, 1)]), Told::from([(one, 2)])] {
            assert!(retold.take_over(lacking, &told).is_some());
        }
    }
}
