//! One webhook, or one read for parked ones: which order it is about, and handing it over. Keeps nothing.

use std::{sync::Arc, time::Duration};

use orderkeep_core::{AccountId, Disposition, Input, LockId, Observation, OrderId, Timestamp};
use orderkeep_provider::Heard;
use orderkeep_store::{Commit, CommitError, InboxDone, InboxItem, InboxSeq};
use tokio::sync::{mpsc, oneshot};

use super::{
    Done, Key,
    parked::{Found, ToRead, Waits},
};
use crate::{
    CommandError, EngineError,
    calls::{self, Account},
    gate::Purpose,
    records,
    restore::{self, Rebuilt},
    shard::{Job, Message, Parts, Reply, What},
};

/// How long to wait when the engine could not take a webhook in.
const RETRY: Duration = Duration::from_secs(1);

/// Finds the order that a webhook is about, and hands it over.
pub(super) async fn work_off(
    parts: &Parts,
    shard: &mpsc::Sender<Message>,
    item: InboxItem,
    refused: u32,
) -> Done {
    let heard_at = Timestamp::from_micros(item.received_at);
    let account = item.account.parse::<AccountId>().ok().and_then(|id| parts.accounts.get(&id));
    let Some(account) = account else {
        let why = format!("account `{}` is not configured any more", item.account);
        finish(parts, item.seq, &Disposition::Quarantined(why)).await;
        return Done::Finished;
    };
    let heard = match parts.heard.take(&item.body, heard_at) {
        Some(said) => Ok(Heard::Order(said)),
        None => account.provider.read_webhook(&item.body, heard_at),
    };
    let (provider_order, lock_id, what) = match heard {
        Ok(Heard::Order(seen)) => (
            seen.provider_order.clone(),
            seen.lock_id.clone(),
            What::Input(Arc::new(Input::Observed(*seen))),
        ),
        Ok(Heard::Unreadable { provider_order, why }) => {
            tracing::warn!(provider_order = %provider_order, %why, "a webhook cannot be read; its order is");
            (provider_order, None, What::Look)
        }
        Ok(Heard::OtherKind { kind }) => {
            finish(parts, item.seq, &Disposition::Quarantined(format!("about {kind}"))).await;
            return Done::Finished;
        }
        Err(error) => {
            finish(parts, item.seq, &Disposition::Quarantined(error.to_string())).await;
            return Done::Finished;
        }
    };
    let key = (account.id.clone(), provider_order);
    let park = |likely| Done::Parked(Waits { seq: item.seq, key: key.clone(), heard_at, likely });
    let order = match find(parts, &key, lock_id.as_ref()).await {
        Ok(Some(order)) => order,
        Ok(None) if has_left(parts, &key, lock_id.as_ref()).await => {
            tracing::warn!(provider_order = %key.1, "a webhook is about an order that has ended and was let go of");
            let why = "its order has ended and was let go of after the retention";
            finish(parts, item.seq, &Disposition::Quarantined(why.to_owned())).await;
            return Done::Finished;
        }
        Ok(None) => {
            note_parked(parts, &item, "no order of ours is known for it").await;
            return park(false);
        }
        Err(error) => {
            tracing::warn!(%error, "an order cannot be looked up");
            return Done::Again { item, refused: refused + u32::from(is_refusal(&error)) };
        }
    };
    match hand_over(shard, order, what, vec![item.seq]).await {
        // Nothing that comes from the inbox is for one version alone.
        Ok(_) | Err(CommandError::Refused(_) | CommandError::Moved { .. }) => Done::Finished,
        Err(CommandError::NotTaken(disposition)) => {
            note_parked(parts, &item, &disposition.describe()).await;
            park(true)
        }
        Err(CommandError::Engine(error)) => {
            Done::Again { item, refused: refused + u32::from(is_refusal(&error)) }
        }
        Err(CommandError::NoOrder(_) | CommandError::Provider(_)) => {
            Done::Again { item, refused: refused + 1 }
        }
    }
}

/// The same, after a while.
pub(super) async fn again(
    parts: &Parts,
    shard: &mpsc::Sender<Message>,
    item: InboxItem,
    refused: u32,
) -> Done {
    tokio::time::sleep(RETRY).await;
    work_off(parts, shard, item, refused).await
}

/// Whether trying again cannot help for ever: not so when there is no room, or the engine stops.
const fn is_refusal(error: &EngineError) -> bool {
    match error {
        EngineError::Full(_)
        | EngineError::Busy(_)
        | EngineError::Halted(_)
        | EngineError::ShuttingDown => false,
        EngineError::NoAccount(_)
        | EngineError::CursorGone { .. }
        | EngineError::Record(_)
        | EngineError::Store(_) => true,
    }
}

pub(super) async fn finish(parts: &Parts, seq: InboxSeq, disposition: &Disposition) {
    let done = InboxDone::Finished { seq, disposition: disposition.describe() };
    let commit = Commit { partition: records::PARTITION, change: None, inbox: vec![done] };
    loop {
        match parts.store.commit(commit.clone()).await {
            // Gone: it was worked off together with the order's step.
            Ok(_) | Err(CommitError::InboxGone(_)) => return,
            // Nobody else will come back to it before the next start.
            Err(CommitError::Full(_)) => tokio::time::sleep(RETRY).await,
            // It stays in the inbox, and says nothing new after the next start.
            Err(error) => {
                tracing::warn!(?seq, %error, "a webhook could not be marked as worked off");
                return;
            }
        }
    }
}

/// Has an order looked at because of webhooks that came while it was read for the first time.
pub(super) async fn look(
    parts: Parts,
    shard: mpsc::Sender<Message>,
    order: OrderId,
    webhooks: Vec<InboxSeq>,
) -> Done {
    if hand_over(&shard, order, What::Look, webhooks.clone()).await.is_err() {
        for seq in webhooks {
            let why = "its order could not be looked at now; it is asked about anyway";
            finish(&parts, seq, &Disposition::Quarantined(why.to_owned())).await;
        }
    }
    Done::Finished
}

/// Writes down that it waits, unless that is written already.
async fn note_parked(parts: &Parts, item: &InboxItem, reason: &str) {
    if item.parked.is_some() {
        return;
    }
    let done = InboxDone::Parked { seq: item.seq, reason: reason.to_owned() };
    let commit = Commit { partition: records::PARTITION, change: None, inbox: vec![done] };
    if let Err(error) = parts.store.commit(commit).await {
        tracing::warn!(seq = ?item.seq, %error, "a parked webhook could not be noted as such");
    }
}

async fn find(
    parts: &Parts,
    key: &Key,
    lock_id: Option<&LockId>,
) -> Result<Option<OrderId>, EngineError> {
    let by_order = parts.store.by_claim(&records::provider_order_claim(&key.0, &key.1)).await?;
    let found = match (by_order, lock_id) {
        (Some(found), _) => Some(found),
        (None, Some(lock_id)) => {
            parts.store.by_claim(&records::lock_claim(&key.0, lock_id)).await?
        }
        (None, None) => None,
    };
    Ok(found.map(|id| OrderId(id.0)))
}

/// Whether it is about an order that was ours and has left. If that cannot be said, it waits as a stranger's does.
async fn has_left(parts: &Parts, key: &Key, lock_id: Option<&LockId>) -> bool {
    let claims = std::iter::once(records::provider_order_claim(&key.0, &key.1))
        .chain(lock_id.map(|lock_id| records::lock_claim(&key.0, lock_id)));
    for claim in claims {
        if parts.store.has_left(&claim).await.unwrap_or(false) {
            return true;
        }
    }
    false
}

async fn hand_over(
    shard: &mpsc::Sender<Message>,
    order: OrderId,
    what: What,
    inbox: Vec<InboxSeq>,
) -> Reply {
    let (reply, answer) = oneshot::channel();
    let mut job = Job::new(what);
    job.inbox = inbox;
    job.reply = Some(reply);
    let gone = || CommandError::from(EngineError::ShuttingDown);
    shard.send(Message::Job(order, job)).await.map_err(|_| gone())?;
    answer.await.map_err(|_| gone())?
}

/// Reads a provider order that is perhaps ours, and hands it to the order of its lock.
pub(super) async fn read_parked(
    parts: &Parts,
    shard: &mpsc::Sender<Message>,
    account: Arc<Account>,
    to_read: &ToRead,
) -> Found {
    /// Within their share of the budget, those that name a lock of ours go first.
    const AHEAD: Duration = Duration::from_secs(60 * 60);
    let now = parts.clock.now();
    let deadline = if to_read.likely { now.minus(AHEAD) } else { now };
    let provider_order = to_read.key.1.clone();
    let (clock, counters) = (Arc::clone(&parts.clock), Arc::clone(&parts.counters));
    let answer =
        calls::read(account, Purpose::Parked, deadline, provider_order, clock, counters).await;
    let seen = match answer.map(|answer| answer.result) {
        Some(Ok(Some(seen))) => seen,
        Some(Ok(None)) => return Found::Nothing,
        Some(Err(_)) | None => return Found::NoAnswer,
    };
    let order = match find(parts, &to_read.key, seen.lock_id.as_ref()).await {
        Ok(Some(order)) => order,
        Ok(None) => return lost_or_not_ours(parts, shard, &to_read.key, &seen).await,
        Err(_) => return Found::NoAnswer,
    };
    let input = What::Input(Arc::new(Input::Observed(seen)));
    match hand_over(shard, order, input, to_read.webhooks.clone()).await {
        Ok(_) | Err(CommandError::Refused(_)) => Found::Ours(order),
        Err(
            CommandError::NotTaken(_)
            | CommandError::Moved { .. }
            | CommandError::NoOrder(_)
            | CommandError::Provider(_)
            | CommandError::Engine(_),
        ) => Found::NoAnswer,
    }
}

/// No order of ours is known for it. In a store that is an older copy it may be one that the copy has lost: it is made
/// again, for a person to look at.
async fn lost_or_not_ours(
    parts: &Parts,
    shard: &mpsc::Sender<Message>,
    (account, _): &Key,
    seen: &Observation,
) -> Found {
    let Some(life) = parts.life.held() else { return Found::NotOurs };
    match restore::rebuild(parts, account, life, seen).await {
        Ok(Some(Rebuilt { order, wake_up })) => {
            // Should it not arrive, the durable wake-up brings the order back.
            drop(shard.send(Message::Submitted(order, wake_up)).await);
            Found::Ours(order)
        }
        // Asked about again: by then it may say more, or be somebody's.
        Ok(None) | Err(_) => Found::NoAnswer,
    }
}
