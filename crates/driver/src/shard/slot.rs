//! One order at work. Made when something happens to it, gone when nothing is left to do: an order at rest costs no
//! memory, but that some who came to rest last are remembered ([`super::recent`]).

use std::{collections::VecDeque, sync::Arc};

use orderkeep_core::{Order, ProviderOrderId, Timestamp};

use super::Job;
use crate::records::Loaded;

/// An order as it is durable. A clone shares the order.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) order: Arc<Order>,
    pub(super) wake_up: Option<Timestamp>,
}

impl From<Loaded> for Known {
    fn from(Loaded { order, wake_up }: Loaded) -> Self {
        Self { order: Arc::new(order), wake_up }
    }
}

/// One order at work.
#[derive(Debug, Default)]
pub(super) struct Slot {
    /// The order, once it was read.
    pub(super) loaded: Option<Known>,
    /// It is being read or written: everything else waits.
    pub(super) busy: bool,
    pub(super) queue: VecDeque<Job>,
    /// The create whose answer is awaited here.
    pub(super) creating: Option<u32>,
    pub(super) permit_wanted: bool,
    pub(super) fetching: bool,
    /// A fresh lock is being taken.
    pub(super) locking: bool,
    /// Something was heard while a read was on its way, which may have missed it.
    pub(super) fetch_again: Option<ProviderOrderId>,
}

impl Slot {
    /// Whether nothing is left to do.
    pub(super) fn is_idle(&self) -> bool {
        !self.busy
            && self.queue.is_empty()
            && self.creating.is_none()
            && !self.permit_wanted
            && !self.fetching
            && !self.locking
    }
}

#[cfg(test)]
mod tests {
    use super::{super::What, *};

    /// Dropped too early, a slot forgets what is on its way; too late, an order at rest costs memory.
    #[test]
    fn a_slot_is_idle_only_when_nothing_is_left_to_do() {
        assert!(Slot::default().is_idle());
        let at_work: [fn(&mut Slot); 6] = [
            |slot| slot.busy = true,
            |slot| slot.queue.push_back(Job::new(What::Move)),
            |slot| slot.creating = Some(1),
            |slot| slot.permit_wanted = true,
            |slot| slot.fetching = true,
            |slot| slot.locking = true,
        ];
        for (n, begin) in at_work.into_iter().enumerate() {
            let mut slot = Slot::default();
            begin(&mut slot);
            assert!(!slot.is_idle(), "{n}");
        }
    }
}
