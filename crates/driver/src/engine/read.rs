//! What an engine can be asked: orders, histories, the feed, how it is. Stops at the durable head.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use orderkeep_core::{
    AccountId, Calls, EventRecord, Explanation, IdempotencyKey, LockId, Order, OrderId, Outlook,
    ProviderOrderId, StateName, Timestamp,
};
use orderkeep_store::{Backup, Claim, Cursor, EntityId, Health, Label, ListQuery};
use uuid::Uuid;

use super::{Engine, OrderList};
use crate::{
    AccountStatus, EngineError, EventPage, Feed, GateState, Status, codec, feed, records,
    stats::read,
};

/// More events than any order has that is not broken; an explanation tells the last ones.
const EVENTS_TOLD_MAX: usize = 2_000;

/// An id is drawn a little before or after the moment that its order is of: the engine's clock is not the one of ids.
const ID_SLACK: Duration = Duration::from_secs(60);

/// The smallest id of what came at this moment, to the millisecond.
fn first_id(at: Timestamp) -> EntityId {
    let millis = u64::try_from(at.as_micros() / 1_000).unwrap_or(0);
    let [_, _, bytes @ ..] = millis.to_be_bytes();
    let mut id = [0; 16];
    id[..6].copy_from_slice(&bytes);
    EntityId(Uuid::from_bytes(id))
}

impl Engine {
    /// One order, as it is durable.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn order(&self, id: OrderId) -> Result<Option<Order>, EngineError> {
        let entity = self.store().load(records::entity_id(id)).await?;
        Ok(entity.map(|entity| records::read(&entity)).transpose()?.map(|loaded| loaded.order))
    }

    /// The order submitted with this key.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn order_by_key(
        &self,
        account: &AccountId,
        key: &IdempotencyKey,
    ) -> Result<Option<Order>, EngineError> {
        self.by_claim(records::key_claim(account, key)).await
    }

    /// The order of this lock.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn order_by_lock(
        &self,
        account: &AccountId,
        lock_id: &LockId,
    ) -> Result<Option<Order>, EngineError> {
        self.by_claim(records::lock_claim(account, lock_id)).await
    }

    /// The order that is this one at the provider.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn order_by_provider_order(
        &self,
        account: &AccountId,
        provider_order: &ProviderOrderId,
    ) -> Result<Option<Order>, EngineError> {
        self.by_claim(records::provider_order_claim(account, provider_order)).await
    }

    async fn by_claim(&self, claim: Claim) -> Result<Option<Order>, EngineError> {
        match self.store().by_claim(&claim).await? {
            Some(id) => self.order(OrderId(id.0)).await,
            None => Ok(None),
        }
    }

    /// Orders, newest first.
    ///
    /// # Errors
    /// They cannot be read.
    pub async fn orders(&self, list: &OrderList) -> Result<Vec<Order>, EngineError> {
        let label = match (list.review, list.state, list.open) {
            (true, _, _) => Some(Label::from(records::REVIEW)),
            (false, Some(state), _) => Some(Label::from(state.as_str())),
            (false, None, true) => Some(Label::from(records::OPEN)),
            (false, None, false) => None,
        };
        // Ids grow in time, so a moment bounds what is read; which of it fits, the orders say.
        let end = list.created_before.map(|end| first_id(end.plus(ID_SLACK)));
        let mut before = list.before.map(records::entity_id).into_iter().chain(end).min();
        let limit = list.limit.clamp(1, 1_000);
        let mut found = Vec::new();
        loop {
            let query = ListQuery { kind: records::ORDER, label: label.clone(), before, limit };
            let page = self.store().list(query).await?;
            let last = page.len() < limit;
            before = page.last().map(|entity| entity.id);
            for entity in page {
                if list
                    .created_after
                    .is_some_and(|start| entity.id < first_id(start.minus(ID_SLACK)))
                {
                    return Ok(found);
                }
                let order = records::read(&entity)?.order;
                let fits = list.state.is_none_or(|state| order.state_name() == state)
                    && (!list.open || !order.state_name().is_end())
                    && list
                        .reference
                        .as_ref()
                        .is_none_or(|text| order.reference.as_ref() == Some(text))
                    && list.created_after.is_none_or(|start| order.created_at > start)
                    && list.created_before.is_none_or(|end| order.created_at < end);
                if fits && found.len() < limit {
                    found.push(order);
                }
            }
            if last || found.len() >= limit {
                return Ok(found);
            }
        }
    }

    /// The history of an order after event `after` (0: from the start), at most `limit` events; each with its number.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn history(
        &self,
        id: OrderId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<(u64, EventRecord)>, EngineError> {
        let events = self.store().history(records::entity_id(id), after, limit).await?;
        events.iter().map(|event| Ok((event.version, codec::decode(&event.bytes)?))).collect()
    }

    /// Why an order is where it is, from its evidence, and what happens next and when.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn explain(&self, id: OrderId) -> Result<Option<Explanation>, EngineError> {
        let Some(entity) = self.store().load(records::entity_id(id)).await? else {
            return Ok(None);
        };
        let loaded = records::read(&entity)?;
        let parts = &self.inner.parts;
        let first = loaded.order.version.saturating_sub(EVENTS_TOLD_MAX as u64);
        let mut history = self.history(id, first, EVENTS_TOLD_MAX).await?;
        // What became durable between the two reads belongs to the next explanation.
        history.retain(|(version, _)| *version <= loaded.order.version);
        let account = parts.accounts.get(&loaded.order.account);
        let outlook = Outlook {
            wake_up: loaded.wake_up,
            calls: account.map_or(Calls::NoAccount, |account| match account.gate.state() {
                GateState::Flowing => Calls::Flowing,
                GateState::Throttled => Calls::Throttled,
                GateState::Down => Calls::Down,
                GateState::Denied => Calls::Denied,
            }),
        };
        let now = parts.clock.now();
        Ok(Some(loaded.order.explain(&history, outlook, now, &parts.policy(&loaded.order.account))))
    }

    /// What happened after a cursor (`None`: from the oldest event that is kept), without waiting; at most `limit`
    /// events, 1 to 1,000.
    ///
    /// # Errors
    /// [`EngineError::CursorGone`] names where the feed starts now; or it cannot be read.
    pub async fn events(
        &self,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<EventPage, EngineError> {
        feed::page(self.store(), after, limit.clamp(1, 1_000)).await
    }

    /// Where the feed ends now: from there on, a follower sees only what is new.
    #[must_use]
    pub fn feed_head(&self) -> Cursor {
        self.store().head()
    }

    /// Follows what happens, from after a cursor, or from the oldest event that is kept.
    #[must_use]
    pub fn subscribe(&self, after: Option<Cursor>) -> Feed {
        Feed::new(Arc::clone(&self.inner.parts.store), after)
    }

    /// Begins a copy of everything that is durable now, while the engine goes on.
    ///
    /// # Errors
    /// The store has stopped.
    pub async fn backup(&self) -> Result<Backup, EngineError> {
        Ok(self.store().backup().await?)
    }

    /// How the engine is.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn status(&self) -> Result<Status, EngineError> {
        let parts = &self.inner.parts;
        let counts = parts.store.counts(records::ORDER).await?;
        let counted = |label: &str| counts.get(&Label::from(label)).copied().unwrap_or(0);
        let counters = &parts.counters;
        let full = match &*parts.store.health().borrow() {
            Health::Full(why) => Some(why.clone()),
            Health::Running | Health::Halted(_) | Health::Closed => None,
        };
        Ok(Status {
            halted: parts.halted.borrow().clone(),
            full,
            orders: StateName::ALL.into_iter().map(|name| (name, counted(name.as_str()))).collect(),
            open: counted(records::OPEN),
            review: counted(records::REVIEW),
            checked: counters.checked.load(Ordering::Relaxed),
            restore: parts.life.restore(),
            inbox: parts.store.inbox_len(),
            accounts: parts
                .accounts
                .iter()
                .map(|(id, account)| {
                    let status = AccountStatus {
                        gate: account.gate.state(),
                        waiting: account.gate.waiting(),
                        clock_ahead_ms: account.provider.clock_skew().map(|skew| skew.ahead_ms),
                        webhooks_late: account.conditions.webhooks_late(),
                        polling: account.conditions.pace(),
                    };
                    (id.to_string(), status)
                })
                .collect(),
            webhooks_taken: read(&counters.webhooks_taken),
            webhooks_refused: read(&counters.webhooks_refused),
            webhooks_other_kind: read(&counters.webhooks_other_kind),
            webhooks_duplicate: read(&counters.webhooks_duplicate),
            creates_sent: read(&counters.creates_sent),
            reads: read(&counters.reads),
            read_failures: read(&counters.read_failures),
            steps: read(&counters.steps),
            quarantined: read(&counters.quarantined),
        })
    }
}
