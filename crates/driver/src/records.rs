//! How orders and locks lie in the store: kinds, claims, labels.

use bytes::Bytes;
use orderkeep_core::{
    AccountId, IdempotencyKey, LockId, Order, OrderId, ProviderOrderId, Step, Timestamp,
};
use orderkeep_store::{Change, Claim, Entity, EntityId, Kind, Label, PartitionId};
use uuid::Uuid;

use crate::codec::{self, CodecError};
pub use crate::inbox::OtherWebhook;

/// Orders.
pub const ORDER: Kind = Kind(1);
/// Locks that this engine took.
pub(crate) const LOCK: Kind = Kind(2);
/// Restores: one record per life of the store that began with an older copy.
pub(crate) const RESTORE: Kind = Kind(3);
/// The provider's webhooks that are not about orders, kept to be passed on.
pub const OTHER_WEBHOOK: Kind = Kind(4);
/// Embedded stores have one partition.
pub const PARTITION: PartitionId = PartitionId::ONLY;

/// On every order that has not ended.
pub(crate) const OPEN: &str = "open";
/// On every order that needs a person.
pub(crate) const REVIEW: &str = "review";
/// On every order whose create may be on its way.
pub(crate) const CREATE_IN_FLIGHT: &str = "create-in-flight";

/// On the record of every restore.
pub(crate) const RESTORED: &str = "restored";

pub(crate) fn key_claim(account: &AccountId, key: &IdempotencyKey) -> Claim {
    Claim::new("key", &[account.as_str(), key.as_str()])
}

pub(crate) fn lock_claim(account: &AccountId, lock_id: &LockId) -> Claim {
    Claim::new("lock", &[account.as_str(), lock_id.as_str()])
}

pub(crate) fn provider_order_claim(account: &AccountId, provider_order: &ProviderOrderId) -> Claim {
    Claim::new("provider-order", &[account.as_str(), provider_order.as_str()])
}

/// Finds the terms of a lock that this engine took.
pub(crate) fn terms_claim(account: &AccountId, lock_id: &LockId) -> Claim {
    Claim::new("terms", &[account.as_str(), lock_id.as_str()])
}

/// Finds the record of a restore.
pub(crate) fn restore_claim(incarnation: Uuid) -> Claim {
    Claim::new("restore", &[&incarnation.simple().to_string()])
}

/// Says that a lock was taken in this life of the store; kept only while a hold stands.
pub(crate) fn taken_claim(incarnation: Uuid, account: &AccountId, lock_id: &LockId) -> Claim {
    let life = incarnation.simple().to_string();
    Claim::new("taken", &[&life, account.as_str(), lock_id.as_str()])
}

pub(crate) const fn entity_id(id: OrderId) -> EntityId {
    EntityId(id.0)
}

/// An order as it lies in the store.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    pub(crate) order: Order,
    pub(crate) wake_up: Option<Timestamp>,
}

pub(crate) fn read(entity: &Entity) -> Result<Loaded, CodecError> {
    Ok(Loaded {
        order: codec::decode(&entity.view)?,
        wake_up: entity.wake_up.map(Timestamp::from_micros),
    })
}

pub(crate) fn labels(order: &Order) -> Vec<Label> {
    let mut labels = vec![Label::from(order.state_name().as_str())];
    if !order.state_name().is_end() {
        labels.push(OPEN.into());
    }
    if order.needs_review() {
        labels.push(REVIEW.into());
    }
    if order.create_in_flight().is_some() {
        labels.push(CREATE_IN_FLIGHT.into());
    }
    labels
}

/// What an order can be found by, its key aside.
#[derive(PartialEq)]
enum FoundBy<'a> {
    Lock(&'a LockId),
    ProviderOrder(&'a ProviderOrderId),
}

fn found_by(order: &Order) -> impl Iterator<Item = FoundBy<'_>> {
    // Every lock an order ever had stays findable.
    let earlier = order.earlier_locks.iter().map(|earlier| &earlier.terms.lock_id);
    let locks = earlier.chain([&order.terms.lock_id]).map(FoundBy::Lock);
    let bound = order.state.bound().map(|bound| &bound.provider_order);
    locks.chain(bound.into_iter().chain(&order.other_orders).map(FoundBy::ProviderOrder))
}

fn claims(order: &Order) -> Vec<Claim> {
    found_by(order)
        .map(|found_by| match found_by {
            FoundBy::Lock(lock_id) => lock_claim(&order.account, lock_id),
            FoundBy::ProviderOrder(id) => provider_order_claim(&order.account, id),
        })
        .collect()
}

/// The change that makes a step durable. `before`: the claims that stand already need not be written again.
///
/// # Errors
/// Only what no record of ours does: a type that the codec cannot write.
pub fn change(
    before: Option<&Order>,
    step: &Step,
    wake_up: Option<Timestamp>,
) -> Result<Change, CodecError> {
    let order = &step.next;
    let events = step.events.iter().map(codec::encode).collect::<Result<Vec<Bytes>, _>>()?;
    let expected = order.version.saturating_sub(events.len() as u64);
    let claims = match before {
        None => {
            let mut first = vec![key_claim(&order.account, &order.key)];
            first.extend(claims(order));
            first
        }
        // Hardly a step changes what it is found by.
        Some(before) if found_by(before).eq(found_by(order)) => Vec::new(),
        Some(before) => {
            let standing = claims(before);
            claims(order).into_iter().filter(|claim| !standing.contains(claim)).collect()
        }
    };
    Ok(Change {
        id: entity_id(order.id),
        kind: ORDER,
        expected,
        events,
        view: Some(codec::encode(order)?),
        labels: labels(order),
        wake_up: wake_up.map(Timestamp::as_micros),
        claims,
    })
}

/// The change that only moves an order's wake-up.
pub(crate) fn touch(order: &Order, wake_up: Option<Timestamp>) -> Change {
    Change {
        id: entity_id(order.id),
        kind: ORDER,
        expected: order.version,
        events: Vec::new(),
        view: None,
        labels: labels(order),
        wake_up: wake_up.map(Timestamp::as_micros),
        claims: Vec::new(),
    }
}
