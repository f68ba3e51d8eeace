//! Webhooks on their way: one delivery per event (two when doubled), each with up to five tries.
//!
//! The outbox decides when a try is due and counts what became of it. It sends nothing, and it does not know the
//! token: it only says whether the right one is to be used.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::ledger::{DeliveryEntry, DeliveryOutcome};

/// Waits after the first, second, third and fourth failed try; after the fifth the provider gives up. Seen.
const RETRY_DELAYS_MS: [i64; 4] = [8_000, 16_000, 32_000, 64_000];

/// Longest that a reordered event waits to be overtaken; the last event of an order never is.
pub(crate) const HELD_MAX_MS: i64 = 60_000;

/// Deliveries one sandbox remembers; the ledger names every one. Past it events are dropped and counted.
const DELIVERIES_MAX: usize = 4_000_000;

/// A webhook to be sent now. Report what became of it with [`crate::Model::webhook_answered`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookDue {
    /// The delivery; the same for all of its tries.
    pub delivery: u64,
    /// 1 to 5.
    pub attempt: u32,
    /// The order it speaks of; `None` for one made by hand.
    pub order_id: Option<Uuid>,
    /// The JSON body.
    pub body: String,
    /// A token to send in place of the configured one.
    pub token: Option<String>,
}

/// What to deliver and how. Made by the model from an event and its faults.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(crate) order_id: Option<Uuid>,
    pub(crate) status: String,
    pub(crate) body: String,
    pub(crate) token: Option<String>,
    pub(crate) due_at: i64,
    /// Tries that are lost on their way.
    pub(crate) lost: u32,
    /// Waits to be overtaken.
    pub(crate) held: bool,
    pub(crate) forged: bool,
    pub(crate) doubled: bool,
}

#[derive(Debug)]
struct Delivery {
    parcel: Parcel,
    tries: u32,
    lost_left: u32,
    outcome: DeliveryOutcome,
}

#[derive(Debug)]
pub(crate) struct Outbox {
    deliveries: Vec<Delivery>,
    due: BTreeSet<(i64, usize)>,
    /// Held deliveries by order.
    held: BTreeMap<Uuid, Vec<usize>>,
    dropped: u64,
}

impl Outbox {
    pub(crate) const fn new() -> Self {
        Self { deliveries: Vec::new(), due: BTreeSet::new(), held: BTreeMap::new(), dropped: 0 }
    }

    /// Takes a parcel; returns its number, or `None` when the outbox is full.
    pub(crate) fn post(&mut self, parcel: Parcel) -> Option<u64> {
        if self.deliveries.len() >= DELIVERIES_MAX {
            self.dropped += 1;
            return None;
        }
        if !parcel.held
            && !parcel.forged
            && let Some(order) = parcel.order_id
        {
            self.release(order, parcel.due_at);
        }
        let index = self.deliveries.len();
        if parcel.held
            && let Some(order) = parcel.order_id
        {
            self.held.entry(order).or_default().push(index);
        }
        self.due.insert((parcel.due_at, index));
        let lost_left = parcel.lost;
        self.deliveries.push(Delivery {
            parcel,
            tries: 0,
            lost_left,
            outcome: DeliveryOutcome::Pending,
        });
        Some(index as u64)
    }

    /// Lets what waited to be overtaken go right after its overtaker.
    fn release(&mut self, order: Uuid, overtaken_at: i64) {
        for index in self.held.remove(&order).unwrap_or_default() {
            let due_at = self.deliveries[index].parcel.due_at;
            // Gone already when it was held for as long as it may be.
            if self.due.remove(&(due_at, index)) {
                let due_at = due_at.min(overtaken_at.saturating_add(1));
                self.deliveries[index].parcel.due_at = due_at;
                self.due.insert((due_at, index));
            }
        }
    }

    pub(crate) fn next_due(&self) -> Option<i64> {
        self.due.first().map(|&(at, _)| at)
    }

    /// The tries that are due, at most so many. Lost tries pass here without being handed out.
    pub(crate) fn take_due(&mut self, now: i64, max: usize) -> Vec<WebhookDue> {
        let mut taken = Vec::new();
        while taken.len() < max
            && let Some(&(at, index)) = self.due.first()
            && at <= now
        {
            self.due.pop_first();
            let delivery = &mut self.deliveries[index];
            delivery.tries += 1;
            if delivery.lost_left > 0 {
                delivery.lost_left -= 1;
                self.retry(index, at);
                continue;
            }
            taken.push(WebhookDue {
                delivery: index as u64,
                attempt: delivery.tries,
                order_id: delivery.parcel.order_id,
                body: delivery.parcel.body.clone(),
                token: delivery.parcel.token.clone(),
            });
        }
        taken
    }

    /// What became of a try. An unknown or finished delivery is ignored.
    pub(crate) fn answered(&mut self, delivery: u64, delivered: bool, now: i64) {
        let Ok(index) = usize::try_from(delivery) else { return };
        let Some(known) = self.deliveries.get_mut(index) else { return };
        if known.outcome != DeliveryOutcome::Pending || known.tries == 0 {
            return;
        }
        if delivered {
            self.finish(index, DeliveryOutcome::Delivered);
        } else {
            self.retry(index, now);
        }
    }

    fn retry(&mut self, index: usize, failed_at: i64) {
        let delivery = &mut self.deliveries[index];
        let delay = usize::try_from(delivery.tries)
            .ok()
            .and_then(|tries| RETRY_DELAYS_MS.get(tries.saturating_sub(1)));
        match delay {
            Some(delay) => {
                let due_at = failed_at.saturating_add(*delay);
                delivery.parcel.due_at = due_at;
                self.due.insert((due_at, index));
            }
            None => self.finish(index, DeliveryOutcome::GivenUp),
        }
    }

    fn finish(&mut self, index: usize, outcome: DeliveryOutcome) {
        let delivery = &mut self.deliveries[index];
        delivery.outcome = outcome;
        // Nobody asks for it again, and there may be millions.
        delivery.parcel.body = String::new();
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = DeliveryEntry> {
        self.deliveries.iter().enumerate().map(|(index, delivery)| DeliveryEntry {
            id: index as u64,
            order_id: delivery.parcel.order_id.map(|id| id.to_string()),
            status: delivery.parcel.status.clone(),
            tries: delivery.tries,
            outcome: delivery.outcome,
            forged: delivery.parcel.forged,
            doubled: delivery.parcel.doubled,
        })
    }

    /// Deliveries by what became of them.
    pub(crate) fn counts(&self) -> Counts {
        let mut counts =
            Counts { pending: 0, delivered: 0, given_up: 0, dropped: self.dropped, forged: 0 };
        for delivery in &self.deliveries {
            match delivery.outcome {
                DeliveryOutcome::Pending => counts.pending += 1,
                DeliveryOutcome::Delivered => counts.delivered += 1,
                DeliveryOutcome::GivenUp => counts.given_up += 1,
            }
            counts.forged += u64::from(delivery.parcel.forged);
        }
        counts
    }
}

pub(crate) struct Counts {
    pub(crate) pending: u64,
    pub(crate) delivered: u64,
    pub(crate) given_up: u64,
    /// For want of room.
    pub(crate) dropped: u64,
    pub(crate) forged: u64,
}
