//! The handle: what a service asks of its engine.

mod builder;
mod read;
mod retain;
mod sell;
mod wait;

pub use builder::Builder;
pub use wait::{WaitEnd, Waited};

use std::{fmt, sync::Arc};

use bytes::Bytes;
use orderkeep_core::{
    AccountId, Author, Command, Disposition, IdempotencyKey, Input, LockId, Metadata, Order,
    OrderId, Relock, StateName, Submit, Terms, Timestamp,
};
use orderkeep_provider::{LockRequest, Rates};
use orderkeep_store::{Change, Claim, Commit, CommitError, EntityId, Store};
use tokio::{
    sync::{Notify, mpsc, oneshot},
    task::JoinHandle,
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::{
    CommandError, EngineError, LiftError, Lifted, Restore, SubmitError, WebhookError,
    WebhookReceipt,
    calls::{self, Account},
    codec,
    gate::Purpose,
    inbox, metrics, records,
    shard::{Job, Message, Parts, Told, What},
    span,
    stats::count,
};

/// The order after an input, and how the input ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The order.
    pub order: Order,
    /// How the input ended.
    pub disposition: Disposition,
}

/// What to submit.
#[derive(Debug, Clone)]
pub struct SubmitRequest {
    /// Whose credential.
    pub account: AccountId,
    /// The caller's own key: the same key is the same order.
    pub key: IdempotencyKey,
    /// The lock.
    pub terms: TermsSource,
    /// The caller's own word for the order.
    pub reference: Option<String>,
    /// At what price a fresh lock may take the place of one that ended; `None`: never.
    pub relock: Option<Relock>,
    /// What else the caller hangs on the order.
    pub metadata: Metadata,
}

/// Where the terms of an order come from.
#[derive(Debug, Clone)]
pub enum TermsSource {
    /// The provider's whole lock answer. If this engine took the lock, both must agree.
    Given(Box<Terms>),
    /// A lock that this engine took.
    Lock(LockId),
    /// What to sell and for how much: the lock is taken first, unless the key has its order already.
    Sell(LockRequest),
}

/// An order that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// The order.
    pub order: Order,
    /// Whether it was there before: the same key and body.
    pub replayed: bool,
}

/// Which orders to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OrderList {
    /// Only in this state.
    pub state: Option<StateName>,
    /// Only those that need a person.
    pub review: bool,
    /// Only those that have not ended.
    pub open: bool,
    /// Only those with this word of the caller's. There is no index of it: all others that fit are read past.
    pub reference: Option<String>,
    /// Only those submitted after this moment. What is older is not read.
    pub created_after: Option<Timestamp>,
    /// Only those submitted before this moment. What is newer is not read.
    pub created_before: Option<Timestamp>,
    /// Those before (older than) this one.
    pub before: Option<OrderId>,
    /// At most so many; 1 to 1,000.
    pub limit: usize,
}

/// Carries orders to their end. Cheap to clone; all clones are one engine. When the last one is dropped it stops as with
/// [`Engine::shutdown`], but nobody waits for it, and the store is not closed.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    parts: Parts,
    shard: mpsc::Sender<Message>,
    arrived: Arc<Notify>,
    gates: CancellationToken,
    tasks: tokio::sync::Mutex<Vec<JoinHandle<()>>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.parts.stop.cancel();
        self.gates.cancel();
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("store", &self.inner.parts.store).finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine, to be given a store and at least one account.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::new()
    }

    fn account(&self, id: &AccountId) -> Result<&Arc<Account>, EngineError> {
        self.inner.parts.accounts.get(id).ok_or_else(|| EngineError::NoAccount(id.to_string()))
    }

    fn store(&self) -> &dyn Store {
        self.inner.parts.store.as_ref()
    }

    fn new_id(&self) -> Uuid {
        let Parts { entropy, clock, .. } = &self.inner.parts;
        entropy.id(clock.now())
    }

    fn running(&self) -> Result<(), EngineError> {
        if let Some(why) = self.inner.parts.halted.borrow().clone() {
            return Err(EngineError::Halted(why));
        }
        if self.inner.parts.stop.is_cancelled() {
            return Err(EngineError::ShuttingDown);
        }
        Ok(())
    }

    /// Indicative rates.
    ///
    /// # Errors
    /// The provider did not answer well.
    pub async fn rates(&self, account: &AccountId) -> Result<Rates, CommandError> {
        let account = self.account(account)?;
        let permit = self.permit(account).await?;
        let result = calls::bounded(account, "rates", account.provider.rates()).await;
        permit.report(&result);
        Ok(result?)
    }

    async fn permit(&self, account: &Account) -> Result<crate::gate::Permit, EngineError> {
        self.running()?;
        let now = self.inner.parts.clock.now();
        account.gate.permit(Purpose::Read, now).await.ok_or(EngineError::ShuttingDown)
    }

    /// Takes a lock, and remembers its terms, so that a submit need only name it.
    ///
    /// # Errors
    /// The provider did not answer well, or the terms could not be stored.
    pub async fn lock(
        &self,
        account: &AccountId,
        request: LockRequest,
    ) -> Result<Terms, CommandError> {
        let account = self.account(account)?;
        let permit = self.permit(account).await?;
        let result = calls::bounded(account, "lock", account.provider.lock(request)).await;
        permit.report(&result);
        let terms = result?;
        let bytes = codec::encode(&terms).map_err(EngineError::from)?;
        let mut claims = vec![records::terms_claim(&account.id, &terms.lock_id)];
        if let Some(life) = self.inner.parts.life.held() {
            claims.push(records::taken_claim(life, &account.id, &terms.lock_id));
        }
        let change = Change {
            id: EntityId(self.new_id()),
            kind: records::LOCK,
            expected: 0,
            events: vec![bytes.clone()],
            view: Some(bytes),
            labels: Vec::new(),
            wake_up: None,
            claims,
        };
        self.commit(change).await.map_err(EngineError::from)?;
        Ok(terms)
    }

    async fn commit(&self, change: Change) -> Result<(), CommitError> {
        let commit =
            Commit { partition: records::PARTITION, change: Some(change), inbox: Vec::new() };
        let started = Instant::now();
        let result = self.store().commit(commit).await.map(drop);
        metrics::committed(started.elapsed(), &result);
        result
    }

    async fn terms_of(
        &self,
        account: &AccountId,
        lock_id: &LockId,
    ) -> Result<Option<Terms>, EngineError> {
        let Some(id) = self.store().by_claim(&records::terms_claim(account, lock_id)).await? else {
            return Ok(None);
        };
        let entity = self.store().load(id).await?;
        Ok(entity.map(|entity| codec::decode(&entity.view)).transpose()?)
    }

    /// The terms in the provider's whole answer to a lock that was taken elsewhere, ready to be submitted.
    ///
    /// # Errors
    /// Not such an answer; says what is wrong with it.
    pub fn read_lock(&self, account: &AccountId, answer: &[u8]) -> Result<Terms, SubmitError> {
        let account = self.account(account)?;
        account
            .provider
            .read_lock(answer)
            .map_err(|error| SubmitError::LockAnswer(error.to_string()))
    }

    /// Takes an order. When it returns, the order is durable and will be carried to its end.
    ///
    /// # Errors
    /// See [`SubmitError`]; nothing was taken then. The same key and body again is no error: the same order.
    pub async fn submit(&self, request: SubmitRequest) -> Result<Submitted, SubmitError> {
        self.running()?;
        self.account(&request.account)?;
        if request.reference.as_ref().is_some_and(|text| text.len() > Order::TEXT_BYTES_MAX) {
            return Err(SubmitError::ReferenceTooLong(Order::TEXT_BYTES_MAX));
        }
        let terms = match &request.terms {
            TermsSource::Sell(sale) => {
                let sale = sale.clone();
                return self.sell(sale, request).await;
            }
            TermsSource::Lock(lock_id) => self
                .terms_of(&request.account, lock_id)
                .await?
                .ok_or_else(|| SubmitError::UnknownLock(lock_id.to_string()))?,
            TermsSource::Given(given) => {
                if let Some(taken) = self.terms_of(&request.account, &given.lock_id).await? {
                    taken.agrees_with(given)?;
                }
                Terms::clone(given)
            }
        };
        let submit = Submit {
            account: request.account,
            key: request.key,
            terms,
            reference: request.reference,
            relock: request.relock,
            metadata: request.metadata,
        };
        // Whether the key has its order already is for the commit to say, except to whom it would be refused otherwise.
        let key = records::key_claim(&submit.account, &submit.key);
        let parts = &self.inner.parts;
        let id = OrderId(self.new_id());
        let now = parts.clock.now();
        let step = match self.held(&submit).await? {
            Some(life) => Order::submit_held(id, submit.clone(), life, now, &parts.config.policy),
            None => Order::submit(id, submit.clone(), now, &parts.config.policy),
        };
        let step = match step {
            Ok(step) => step,
            Err(mismatch) => return self.submit_again_or(&key, submit, mismatch.into()).await,
        };
        let wake_up = step.wake_up.map(|wake_up| wake_up.at);
        let change = records::change(None, &step, wake_up).map_err(EngineError::from)?;
        match self.commit(change).instrument(span::submit(&step)).await {
            Ok(()) => {
                let cause = step.events.first().map(|record| &record.cause);
                metrics::moved(None, &step.next, cause);
                for record in &step.events {
                    tracing::info!(order_id = %id, event = record.event.name(), state = %step.next.state_name(), "step");
                }
                // Should it not arrive, the durable wake-up brings the order back.
                drop(self.inner.shard.send(Message::Submitted(id, wake_up)).await);
                Ok(Submitted { order: step.next, replayed: false })
            }
            Err(CommitError::Claimed { claim, holder }) => {
                if claim == key {
                    self.submit_again(holder, submit).await
                } else {
                    let lock_id = submit.terms.lock_id.to_string();
                    Err(SubmitError::LockTaken { lock_id, holder: OrderId(holder.0) })
                }
            }
            Err(error @ CommitError::Full(_)) => {
                self.submit_again_or(&key, submit, EngineError::from(error).into()).await
            }
            Err(CommitError::Left { claim }) => Err(left(claim.as_ref(), &submit)),
            Err(error) => Err(EngineError::from(error).into()),
        }
    }

    /// The order of this key, if there is one: it was taken before, whatever stands in the way of a new one.
    async fn submit_again_or(
        &self,
        key: &Claim,
        submit: Submit,
        refusal: SubmitError,
    ) -> Result<Submitted, SubmitError> {
        match self.store().by_claim(key).await.map_err(EngineError::from)? {
            Some(holder) => self.submit_again(holder, submit).await,
            None => Err(refusal),
        }
    }

    /// The life of the store whose hold keeps this submit back: its lock was taken in the life before, or elsewhere,
    /// and may have been used there.
    async fn held(&self, submit: &Submit) -> Result<Option<Uuid>, EngineError> {
        let Some(life) = self.inner.parts.life.held() else { return Ok(None) };
        let taken = records::taken_claim(life, &submit.account, &submit.terms.lock_id);
        let taken_here = self.store().by_claim(&taken).await?.is_some();
        Ok((!taken_here).then_some(life))
    }

    /// Ends the hold that a restore began with: says that what the older copy does not know is accounted for. From then
    /// on every lock can be submitted as usual, and a provider order that nobody knows is a stranger's again. Orders
    /// that were held are not released by it: each is in review. Lifted already, it stays as it was.
    ///
    /// # Errors
    /// See [`LiftError`].
    pub async fn lift_restore_hold(
        &self,
        author: Author,
        reason: &str,
    ) -> Result<Restore, LiftError> {
        self.running()?;
        if reason.trim().is_empty() || reason.len() > Order::TEXT_BYTES_MAX {
            return Err(LiftError::Reason(Order::TEXT_BYTES_MAX));
        }
        let at = self.inner.parts.clock.now();
        let by = Lifted { author, reason: reason.to_owned(), at };
        self.inner.parts.life.lift(self.store(), by).await
    }

    async fn submit_again(
        &self,
        holder: EntityId,
        submit: Submit,
    ) -> Result<Submitted, SubmitError> {
        let key = submit.key.to_string();
        let holder = OrderId(holder.0);
        match self.command(holder, Command::Submit(Box::new(submit))).await {
            Ok(answered) => Ok(Submitted { order: answered.order, replayed: true }),
            Err(CommandError::Engine(error)) => Err(error.into()),
            Err(
                CommandError::Refused(_)
                | CommandError::NoOrder(_)
                | CommandError::Moved { .. }
                | CommandError::NotTaken(_)
                | CommandError::Provider(_),
            ) => Err(SubmitError::KeyConflict { key, holder }),
        }
    }

    /// Asks something of an order: cancel, retry, resolve, adopt, post again, note.
    ///
    /// # Errors
    /// There is no such order, or the lifecycle refuses, saying why.
    pub async fn command(&self, id: OrderId, command: Command) -> Result<Answered, CommandError> {
        self.command_at(id, None, command).await
    }

    /// As [`Self::command`], but only while the order has this version (`None`: whatever it has): nothing is asked of
    /// an order that moved since its caller looked.
    ///
    /// # Errors
    /// As [`Self::command`], and [`CommandError::Moved`].
    pub async fn command_at(
        &self,
        id: OrderId,
        version: Option<u64>,
        command: Command,
    ) -> Result<Answered, CommandError> {
        self.running()?;
        let (reply, answer) = oneshot::channel();
        let mut job = Job::new(What::Input(Arc::new(Input::Command(command))));
        job.reply = Some(reply);
        job.only_at = version;
        let gone = || CommandError::from(self.running().err().unwrap_or(EngineError::ShuttingDown));
        self.inner.shard.send(Message::Job(id, job)).await.map_err(|_| gone())?;
        let Told { order, disposition } = answer.await.map_err(|_| gone())??;
        Ok(Answered { order: Arc::unwrap_or_clone(order), disposition })
    }

    /// Whether a webhook's `Authorization` header carries a token of the account: to refuse it before reading its body.
    ///
    /// # Errors
    /// There is no such account.
    pub fn is_authentic(
        &self,
        account: &AccountId,
        authorization: Option<&[u8]>,
    ) -> Result<bool, EngineError> {
        Ok(self.account(account)?.provider.is_authentic(authorization))
    }

    /// Counts a webhook that was refused before the engine saw its body.
    pub fn count_refused_webhook(&self) {
        count(&self.inner.parts.counters.webhooks_refused);
    }

    /// Takes a webhook in: checks its token, stores it, and returns. It is worked off after.
    ///
    /// # Errors
    /// See [`WebhookError`]; answer 401, 413, 400, or 503, so that the provider delivers it again.
    pub async fn webhook(
        &self,
        account: &AccountId,
        authorization: Option<&[u8]>,
        body: Bytes,
    ) -> Result<WebhookReceipt, WebhookError> {
        self.webhook_of_type(account, authorization, None, body).await
    }

    /// As [`Engine::webhook`], with the content type that its sender named, for whoever it may be passed on to.
    ///
    /// # Errors
    /// As [`Engine::webhook`].
    pub async fn webhook_of_type(
        &self,
        account: &AccountId,
        authorization: Option<&[u8]>,
        content_type: Option<&str>,
        body: Bytes,
    ) -> Result<WebhookReceipt, WebhookError> {
        self.running()?;
        let account = self.account(account)?;
        let receipt =
            inbox::take_in(&self.inner.parts, account, authorization, content_type, body).await?;
        self.inner.arrived.notify_one();
        Ok(receipt)
    }

    /// Waits until the engine has stopped itself, and says why. A service then decides; the engine never exits.
    pub async fn halted(&self) -> String {
        let mut halted = self.inner.parts.halted.subscribe();
        let why = halted.wait_for(Option::is_some).await.map(|why| why.clone().unwrap_or_default());
        match why {
            Ok(why) => why,
            // Unreachable while this engine is alive, which holds the sender.
            Err(_) => std::future::pending().await,
        }
    }

    /// Takes no new work, sees calls and commits that are on their way through, and closes the store. Calls that do not
    /// come back within the grace become unknown at the next start. Idempotent.
    ///
    /// # Errors
    /// The store could not be closed well; what was acknowledged is durable all the same.
    pub async fn shutdown(&self) -> Result<(), EngineError> {
        self.inner.parts.stop.cancel();
        // Whoever asks a second time waits for the first: the store is closed after the last task.
        let mut tasks = self.inner.tasks.lock().await;
        // Whoever waits for the budget is sent home; calls on their way have their permits already.
        self.inner.gates.cancel();
        while let Some(task) = tasks.last_mut() {
            if let Err(error) = task.await {
                tracing::error!(%error, "a task of the engine failed");
            }
            tasks.pop();
        }
        Ok(self.inner.parts.store.close().await?)
    }
}

/// The submit is of an order that was here, is over, and has left.
fn left(claim: Option<&Claim>, submit: &Submit) -> SubmitError {
    let key = records::key_claim(&submit.account, &submit.key);
    if claim == Some(&key) {
        SubmitError::KeyLeft(submit.key.to_string())
    } else {
        SubmitError::LockLeft(submit.terms.lock_id.to_string())
    }
}
