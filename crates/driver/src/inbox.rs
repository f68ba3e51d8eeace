//! Webhooks: checked, stored, answered; worked off after.
//!
//! What names an order of ours goes to its shard. What does not is *parked*: one read of the provider's order, for all
//! webhooks that name it, says which lock it was made from. Ours is bound, the rest is kept for a while and dropped.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use orderkeep_core::{
    AccountId, Disposition, Input, LockId, Observation, OrderId, ProviderOrderId, Timestamp,
};
use orderkeep_provider::Heard;
use orderkeep_store::{Commit, CommitError, InboxDone, InboxItem, InboxSeq, NewInboxItem};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::{
    CommandError, EngineError, WebhookError,
    calls::{self, Account},
    clock::sleep_towards,
    gate::Purpose,
    records,
    shard::{Job, Message, Parts, Reply, What},
    stats::count,
};

/// Webhooks worked on at once.
const AT_WORK_MAX: usize = 128;
/// Provider orders that are perhaps not ours. Above it, those that a read has shown not to be are dropped first.
const PARKED_MAX: usize = 10_000;
/// Webhooks kept per parked provider order: the read tells more than all of them.
const PARKED_PER_ORDER_MAX: usize = 8;
/// First and longest wait between two reads of a parked order.
const PARKED_WAIT: (Duration, Duration) =
    (Duration::from_millis(250), Duration::from_secs(60 * 60));
/// How long to wait when the engine could not take a webhook in.
const RETRY: Duration = Duration::from_secs(1);

/// What became of a webhook: answer 200 to both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookReceipt {
    /// It is durable, and will be worked off.
    Stored,
    /// It is not about orders; nothing was kept.
    OtherKind(String),
}

/// Checks and stores one webhook.
pub(crate) async fn take_in(
    parts: &Parts,
    account: &Account,
    authorization: Option<&[u8]>,
    body: Bytes,
) -> Result<WebhookReceipt, WebhookError> {
    let refuse = |error| {
        count(&parts.counters.webhooks_refused);
        Err(error)
    };
    if !account.provider.is_authentic(authorization) {
        return refuse(WebhookError::Unauthorized);
    }
    if body.len() > parts.config.webhook_bytes_max {
        return refuse(WebhookError::TooLarge(parts.config.webhook_bytes_max));
    }
    let received_at = parts.clock.now();
    match account.provider.read_webhook(&body, received_at) {
        Err(error) => return refuse(WebhookError::Malformed(error.to_string())),
        Ok(Heard::OtherKind { kind }) => {
            count(&parts.counters.webhooks_other_kind);
            return Ok(WebhookReceipt::OtherKind(kind));
        }
        Ok(Heard::Order(_) | Heard::Unreadable { .. }) => {}
    }
    if parts.store.inbox_len() >= parts.config.inbox_max {
        return refuse(EngineError::Busy("too many webhooks are waiting").into());
    }
    let item = NewInboxItem {
        account: account.id.to_string(),
        received_at: received_at.as_micros(),
        body,
    };
    parts.store.append_inbox(item).await.map_err(EngineError::from)?;
    count(&parts.counters.webhooks_taken);
    Ok(WebhookReceipt::Stored)
}

type Key = (AccountId, ProviderOrderId);

/// A provider order that no order of ours is known to belong to.
#[derive(Debug)]
struct Parked {
    webhooks: Vec<InboxSeq>,
    first_at: Timestamp,
    next_at: Timestamp,
    tries: u32,
    /// A read has shown it not to be ours (yet).
    foreign: bool,
    reading: bool,
}

/// How a webhook's work ended.
#[derive(Debug)]
enum Done {
    Finished,
    Parked { seq: InboxSeq, key: Key, heard_at: Timestamp },
    Again(InboxItem),
    Read(Key, ParkedRead),
}

/// What the read of a parked order came to.
#[derive(Debug)]
enum ParkedRead {
    /// It went to its order.
    Ours,
    /// There is none of ours for its lock, or the provider has none such.
    NotOurs,
    /// No answer.
    Failed,
}

/// Works the inbox off.
pub(crate) struct InboxWorker {
    parts: Parts,
    shard: mpsc::Sender<Message>,
    arrived: Arc<Notify>,
    after: Option<InboxSeq>,
    work: FuturesUnordered<BoxFuture<'static, Done>>,
    parked: HashMap<Key, Parked>,
    due: BTreeMap<(Timestamp, Key), ()>,
}

impl InboxWorker {
    pub(crate) fn new(parts: Parts, shard: mpsc::Sender<Message>, arrived: Arc<Notify>) -> Self {
        Self {
            parts,
            shard,
            arrived,
            after: None,
            work: FuturesUnordered::new(),
            parked: HashMap::new(),
            due: BTreeMap::new(),
        }
    }

    /// Runs until it is told to stop. What is not worked off then is still in the inbox.
    pub(crate) async fn run(mut self) {
        let stop = self.parts.stop.clone();
        loop {
            let more = match self.take().await {
                Ok(more) => more,
                Err(error) => {
                    tracing::warn!(%error, "the inbox cannot be read");
                    false
                }
            };
            self.read_due();
            if more && self.work.len() < AT_WORK_MAX {
                // Let what was just started make progress before taking more.
                tokio::task::yield_now().await;
            }
            let next = self.due.keys().next().map(|(at, _)| *at);
            let clock = Arc::clone(&self.parts.clock);
            tokio::select! {
                () = stop.cancelled() => return,
                Some(done) = self.work.next(), if !self.work.is_empty() => self.on_done(done).await,
                () = self.arrived.notified(), if self.work.len() < AT_WORK_MAX => {}
                () = sleep_towards(clock.as_ref(), next) => {}
            }
        }
    }

    /// Starts on what is new in the inbox; whether there may be more.
    async fn take(&mut self) -> Result<bool, EngineError> {
        let room = AT_WORK_MAX.saturating_sub(self.work.len());
        if room == 0 {
            return Ok(true);
        }
        let items = self.parts.store.inbox(self.after, room).await?;
        let more = items.len() == room;
        for item in items {
            self.after = Some(item.seq);
            let (parts, shard) = (self.parts.clone(), self.shard.clone());
            self.work.push(async move { work_off(&parts, &shard, item).await }.boxed());
        }
        Ok(more)
    }

    async fn on_done(&mut self, done: Done) {
        match done {
            Done::Finished => {}
            Done::Parked { seq, key, heard_at } => self.park(seq, key, heard_at).await,
            Done::Again(item) => {
                let (parts, shard) = (self.parts.clone(), self.shard.clone());
                self.work.push(
                    async move {
                        tokio::time::sleep(RETRY).await;
                        work_off(&parts, &shard, item).await
                    }
                    .boxed(),
                );
            }
            Done::Read(key, read) => self.on_parked_read(key, read).await,
        }
    }

    async fn park(&mut self, seq: InboxSeq, key: Key, heard_at: Timestamp) {
        let now = self.parts.clock.now();
        if self.parked.len() >= PARKED_MAX && !self.parked.contains_key(&key) {
            self.evict().await;
        }
        let parked = self.parked.entry(key.clone()).or_insert_with(|| Parked {
            webhooks: Vec::new(),
            first_at: heard_at,
            next_at: now,
            tries: 0,
            foreign: false,
            reading: false,
        });
        if !parked.reading && !parked.foreign {
            // Something was said about it: look soon, however long the last look is ago.
            self.due.remove(&(parked.next_at, key.clone()));
            parked.next_at = now;
        }
        self.due.insert((parked.next_at, key), ());
        parked.webhooks.push(seq);
        let superseded =
            (parked.webhooks.len() > PARKED_PER_ORDER_MAX).then(|| parked.webhooks.remove(0));
        if let Some(seq) = superseded {
            self.finish(&[seq], &Disposition::Duplicate).await;
        }
    }

    /// Drops the oldest provider order that a read has shown not to be ours. What may be ours is never dropped.
    async fn evict(&mut self) {
        let oldest = self
            .parked
            .iter()
            .filter(|(_, parked)| parked.foreign && !parked.reading)
            .min_by_key(|(_, parked)| parked.first_at)
            .map(|(key, _)| key.clone());
        if let Some(key) = oldest {
            self.drop_parked(&key, "not ours, and too many like it").await;
        }
    }

    async fn drop_parked(&mut self, key: &Key, why: &str) {
        if let Some(parked) = self.parked.remove(key) {
            self.due.remove(&(parked.next_at, key.clone()));
            tracing::warn!(account = %key.0, provider_order = %key.1, why, "a parked webhook is given up");
            self.finish(&parked.webhooks, &Disposition::Quarantined(why.to_owned())).await;
        }
    }

    /// Reads the parked orders whose time has come.
    fn read_due(&mut self) {
        let now = self.parts.clock.now();
        while let Some((at, key)) = self.due.keys().next().cloned()
            && at <= now
            && self.work.len() < AT_WORK_MAX
        {
            self.due.remove(&(at, key.clone()));
            let Some(parked) = self.parked.get_mut(&key) else { continue };
            let Some(account) = self.parts.accounts.get(&key.0).cloned() else { continue };
            parked.reading = true;
            let webhooks = parked.webhooks.clone();
            let (parts, shard) = (self.parts.clone(), self.shard.clone());
            self.work.push(
                async move {
                    let read = read_parked(&parts, &shard, account, &key.1, webhooks).await;
                    Done::Read(key, read)
                }
                .boxed(),
            );
        }
    }

    async fn on_parked_read(&mut self, key: Key, read: ParkedRead) {
        let now = self.parts.clock.now();
        let Some(parked) = self.parked.get_mut(&key) else { return };
        parked.reading = false;
        match read {
            ParkedRead::Ours => {
                // Those that came while it was read say nothing that the read did not.
                if let Some(parked) = self.parked.remove(&key) {
                    self.due.remove(&(parked.next_at, key));
                    self.finish(&parked.webhooks, &Disposition::Duplicate).await;
                }
                return;
            }
            ParkedRead::NotOurs => parked.foreign = true,
            ParkedRead::Failed => {}
        }
        if now.since(parked.first_at) >= self.parts.config.parked_for {
            self.drop_parked(&key, "no order of ours was made from its lock").await;
            return;
        }
        let (first, longest) = PARKED_WAIT;
        let wait =
            first.saturating_mul(1_u32.checked_shl(parked.tries).unwrap_or(u32::MAX)).min(longest);
        parked.tries = parked.tries.saturating_add(1);
        parked.next_at = now.plus(wait);
        self.due.insert((parked.next_at, key), ());
    }

    async fn finish(&mut self, webhooks: &[InboxSeq], disposition: &Disposition) {
        for seq in webhooks {
            finish(&self.parts, *seq, disposition).await;
        }
    }
}

async fn finish(parts: &Parts, seq: InboxSeq, disposition: &Disposition) {
    let done = InboxDone::Finished { seq, disposition: disposition.describe() };
    let commit = Commit { partition: records::PARTITION, change: None, inbox: vec![done] };
    match parts.store.commit(commit).await {
        // Gone: it was worked off together with the order's step.
        Ok(_) | Err(CommitError::InboxGone(_)) => {}
        // It stays in the inbox, and says nothing new after the next start.
        Err(error) => tracing::warn!(?seq, %error, "a webhook could not be marked as worked off"),
    }
}

/// Finds the order that a webhook is about, and hands it over.
async fn work_off(parts: &Parts, shard: &mpsc::Sender<Message>, item: InboxItem) -> Done {
    let heard_at = Timestamp::from_micros(item.received_at);
    let account = item.account.parse::<AccountId>().ok().and_then(|id| parts.accounts.get(&id));
    let Some(account) = account else {
        let why = format!("account `{}` is not configured any more", item.account);
        finish(parts, item.seq, &Disposition::Quarantined(why)).await;
        return Done::Finished;
    };
    let (provider_order, lock_id, what) = match account.provider.read_webhook(&item.body, heard_at)
    {
        Ok(Heard::Order(seen)) => (
            seen.provider_order.clone(),
            seen.lock_id.clone(),
            What::Input(Box::new(Input::Observed(*seen))),
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
    let park = Done::Parked { seq: item.seq, key: key.clone(), heard_at };
    let order = match find(parts, &key, lock_id.as_ref()).await {
        Ok(Some(order)) => order,
        Ok(None) => {
            note_parked(parts, &item, "no order of ours is known for it").await;
            return park;
        }
        Err(error) => {
            tracing::warn!(%error, "an order cannot be looked up");
            return Done::Again(item);
        }
    };
    match hand_over(shard, order, what, vec![item.seq]).await {
        Ok(_) | Err(CommandError::Refused(_)) => Done::Finished,
        Err(CommandError::NotTaken(disposition)) => {
            note_parked(parts, &item, &disposition.describe()).await;
            park
        }
        Err(CommandError::NoOrder(_) | CommandError::Provider(_) | CommandError::Engine(_)) => {
            Done::Again(item)
        }
    }
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
async fn read_parked(
    parts: &Parts,
    shard: &mpsc::Sender<Message>,
    account: Arc<Account>,
    provider_order: &ProviderOrderId,
    webhooks: Vec<InboxSeq>,
) -> ParkedRead {
    let now = parts.clock.now();
    let key = (account.id.clone(), provider_order.clone());
    let (clock, counters) = (Arc::clone(&parts.clock), Arc::clone(&parts.counters));
    let answer =
        calls::read(account, Purpose::Parked, now, provider_order.clone(), clock, counters).await;
    let seen: Observation = match answer.map(|answer| answer.result) {
        Some(Ok(Some(seen))) => seen,
        Some(Ok(None)) => return ParkedRead::NotOurs,
        Some(Err(_)) | None => return ParkedRead::Failed,
    };
    let order = match find(parts, &key, seen.lock_id.as_ref()).await {
        Ok(Some(order)) => order,
        Ok(None) => return ParkedRead::NotOurs,
        Err(_) => return ParkedRead::Failed,
    };
    match hand_over(shard, order, What::Input(Box::new(Input::Observed(seen))), webhooks).await {
        Ok(_) => ParkedRead::Ours,
        Err(CommandError::Refused(_)) => ParkedRead::Ours,
        Err(
            CommandError::NotTaken(_)
            | CommandError::NoOrder(_)
            | CommandError::Provider(_)
            | CommandError::Engine(_),
        ) => ParkedRead::Failed,
    }
}
