//! The first thing in a life that begins with an older copy: every open order is told, durably.

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use orderkeep_core::{
    Input, Outcome, Policy, Timestamp,
    table::{self, Situation},
};
use orderkeep_store::{Commit, CommitError, Entity, EntityId, Label, ListQuery, Store};
use uuid::Uuid;

use super::{Life, Restore, save};
use crate::{Clock, EngineError, Entropy, codec, records};

/// Orders that are read at once, and told at the same time: one group for the store.
const PAGE: usize = 256;

/// Which life this is. In one that begins with a copy, returns only when every open order knows it.
pub(crate) async fn begin(
    store: &Arc<dyn Store>,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    policy: &Policy,
) -> Result<Life, EngineError> {
    let life = store.incarnation();
    let Some(restored_from) = life.restored_from else { return Ok(Life::new(life.id, None)) };
    if let Some(found) = find(store.as_ref(), life.id).await? {
        if found.1.lifted.is_none() {
            tracing::warn!(incarnation = %life.id, "the hold after a restore stands: submits of locks from the life before wait for a person");
        }
        return Ok(Life::new(life.id, Some(found)));
    }
    tracing::warn!(incarnation = %life.id, %restored_from, "the store is an older copy: every open order is told before anything else is done");
    let orders = tell_all(store, clock, policy, life.id).await?;
    let began_at = clock.now();
    let restore = Restore { incarnation: life.id, restored_from, began_at, orders, lifted: None };
    let id = EntityId(entropy.id(began_at));
    // As for the orders: a start that gives up for want of room would leave nobody to make some.
    while let Err(error) = save(store.as_ref(), id, 0, &restore).await {
        let EngineError::Full(why) = error else { return Err(error) };
        tracing::warn!(%why, "no room to record the restore; trying again");
        tokio::time::sleep(crate::shard::FULL_RETRY).await;
    }
    tracing::warn!(
        orders,
        "every open order knows that the store is an older copy; the hold stands until a person lifts it"
    );
    Ok(Life::new(life.id, Some((id, restore))))
}

async fn find(
    store: &dyn Store,
    incarnation: Uuid,
) -> Result<Option<(EntityId, Restore)>, EngineError> {
    let Some(id) = store.by_claim(&records::restore_claim(incarnation)).await? else {
        return Ok(None);
    };
    let entity = store.load(id).await?;
    Ok(entity.map(|entity| codec::decode(&entity.view)).transpose()?.map(|restore| (id, restore)))
}

async fn tell_all(
    store: &Arc<dyn Store>,
    clock: &dyn Clock,
    policy: &Policy,
    incarnation: Uuid,
) -> Result<u64, EngineError> {
    /// How often somebody who waits is told how far it is.
    const REPORT: u64 = 10_000;
    let (mut before, mut orders) = (None, 0);
    loop {
        let label = Some(Label::from(records::OPEN));
        let query = ListQuery { kind: records::ORDER, label, before, limit: PAGE };
        let page = store.list(query).await?;
        let now = clock.now();
        let mut told = stream::iter(&page)
            .map(|entity| tell(store.as_ref(), entity, incarnation, now, policy))
            .buffer_unordered(PAGE);
        while let Some(result) = told.next().await {
            result?;
            orders += 1;
            if orders % REPORT == 0 {
                tracing::info!(orders, "open orders told of the restore");
            }
        }
        match page.last() {
            Some(last) if page.len() == PAGE => before = Some(last.id),
            Some(_) | None => return Ok(orders),
        }
    }
}

async fn tell(
    store: &dyn Store,
    entity: &Entity,
    incarnation: Uuid,
    now: Timestamp,
    policy: &Policy,
) -> Result<(), EngineError> {
    let order = match records::read(entity) {
        Ok(loaded) => loaded.order,
        Err(error) => {
            // One that cannot be read is neither sent nor ended by anybody, and reported whenever it is due.
            tracing::error!(order_id = %entity.id.0, %error, "cannot be read, and is not told of the restore");
            return Ok(());
        }
    };
    let input = Input::Restored { incarnation };
    let outcome = order.step(&input, now, policy);
    // For whoever counts which cells of the state table were visited.
    tracing::trace!(
        target: "orderkeep::cell",
        situation = Situation::of(&order).words(),
        input = table::input_word(&input),
        moved = matches!(outcome, Outcome::Moved(_)),
        refused = matches!(outcome, Outcome::Refused(_)),
    );
    let step = match outcome {
        Outcome::Moved(step) => step,
        Outcome::AlreadyThere(_) => return Ok(()),
        Outcome::Refused(why) => {
            return Err(EngineError::Store(format!("order {} cannot be told: {why}", order.id)));
        }
    };
    let wake_up = step.wake_up.map(|wake_up| wake_up.at);
    let change = records::change(Some(&order), &step, wake_up)?;
    let commit = Commit { partition: records::PARTITION, change: Some(change), inbox: Vec::new() };
    loop {
        match store.commit(commit.clone()).await {
            // What is open needs little room, and nothing else is done before.
            Err(CommitError::Full(why)) => {
                tracing::warn!(%why, "no room to tell an order of the restore; trying again");
                tokio::time::sleep(crate::shard::FULL_RETRY).await;
            }
            result => return Ok(result.map(drop)?),
        }
    }
}
