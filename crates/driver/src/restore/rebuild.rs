//! Orders that the copy does not know, made again from what the provider says.

use orderkeep_core::{
    AccountId, Exact, IdempotencyKey, Metadata, Observation, Order, OrderId, Submit, Terms,
    Timestamp,
};
use orderkeep_store::{Commit, CommitError};
use uuid::Uuid;

use crate::{EngineError, codec, records, shard::Parts};

/// An order that was made from what a read found, and when it wants to be looked at.
#[derive(Debug)]
pub(crate) struct Rebuilt {
    pub(crate) order: OrderId,
    pub(crate) wake_up: Option<Timestamp>,
}

/// Makes an order of ours from a read of one that nobody here knows. `None`: the read does not say enough for it, or
/// somebody else has made it meanwhile.
pub(crate) async fn rebuild(
    parts: &Parts,
    account: &AccountId,
    incarnation: Uuid,
    seen: &Observation,
) -> Result<Option<Rebuilt>, EngineError> {
    let Some(terms) = terms(parts, account, seen).await? else { return Ok(None) };
    let Ok(key) = IdempotencyKey::new(format!("rebuilt:{}", seen.provider_order)) else {
        return Ok(None);
    };
    let submit = Submit {
        account: account.clone(),
        key,
        terms,
        reference: None,
        relock: None,
        metadata: Metadata::default(),
    };
    let now = parts.clock.now();
    let id = OrderId(parts.entropy.id(now));
    let step = match Order::rebuild(id, submit, seen, incarnation, now, &parts.config.policy) {
        Ok(step) => step,
        Err(error) => {
            tracing::warn!(provider_order = %seen.provider_order, %error, "it cannot be made an order of ours");
            return Ok(None);
        }
    };
    let wake_up = step.wake_up.map(|wake_up| wake_up.at);
    let change = records::change(None, &step, wake_up)?;
    let commit = Commit { partition: records::PARTITION, change: Some(change), inbox: Vec::new() };
    match parts.store.commit(commit).await {
        Ok(_) => {
            tracing::warn!(order_id = %id, provider_order = %seen.provider_order, "an order that the older copy does not know is rebuilt, for a person to look at");
            Ok(Some(Rebuilt { order: id, wake_up }))
        }
        Err(CommitError::Claimed { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What the lock promised: as this store knows it, or as far as the provider's order tells.
async fn terms(
    parts: &Parts,
    account: &AccountId,
    seen: &Observation,
) -> Result<Option<Terms>, EngineError> {
    let Some(lock_id) = &seen.lock_id else { return Ok(None) };
    if let Some(id) = parts.store.by_claim(&records::terms_claim(account, lock_id)).await?
        && let Some(entity) = parts.store.load(id).await?
    {
        return Ok(Some(codec::decode(&entity.view)?));
    }
    let (Some(pay_amount), Some(pay_currency), Some(network)) =
        (&seen.required, &seen.currency, &seen.network)
    else {
        return Ok(None);
    };
    Ok(Some(Terms {
        lock_id: lock_id.clone(),
        pay_amount: pay_amount.clone(),
        pay_currency: pay_currency.clone(),
        network: network.clone(),
        // Nothing tells: the order's own currency, amount and rate were in the life before.
        rate: Exact::zero(),
        settle_currency: None,
        settle_amount: None,
        expires_at: seen.at(),
    }))
}
