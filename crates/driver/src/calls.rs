//! Calls to the provider, each under a permit, each with its outcome turned into an input.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use orderkeep_core::{
    AccountId, AnswerClass, CreateAnswer, LockId, Observation, Policy, ProviderOrderId, Terms,
    Timestamp,
};
use orderkeep_provider::{CallError, FailureClass, LockRequest, Provider};
use tokio::{sync::Semaphore, time::Instant};

use crate::{
    Clock,
    conditions::Conditions,
    gate::{Gate, Permit, Purpose},
    metrics,
    stats::{Counters, count},
};

/// Longer than any client waits for an answer. A call that outlives it has been forgotten by its client, and must not
/// keep its place in the budget, nor its order from being asked about, for ever.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(120);
/// Reads that may wait for the budget, of all accounts. Above it a due order is looked at again later.
const READS_WAITING_MAX: usize = 2_048;
/// Creates that may wait for the budget, of all accounts.
const CREATES_WAITING_MAX: usize = 4_096;

/// One account: its provider, its budget, and its places to wait for it.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) id: AccountId,
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) gate: Arc<Gate>,
    /// Each account has its own, so that one whose calls stand still never holds up another.
    pub(crate) reads: Arc<Semaphore>,
    pub(crate) creates: Arc<Semaphore>,
    /// How its provider is just now, and the policy by it.
    pub(crate) conditions: Conditions,
    /// A call is on its way that only looks whether the provider answers.
    probing: AtomicBool,
}

impl Account {
    /// `accounts`: how many share the places.
    pub(crate) fn new(
        id: AccountId,
        provider: Arc<dyn Provider>,
        gate: Arc<Gate>,
        policy: Policy,
        accounts: usize,
    ) -> Self {
        let share = |places: usize| Arc::new(Semaphore::new((places / accounts.max(1)).max(1)));
        let (reads, creates) = (share(READS_WAITING_MAX), share(CREATES_WAITING_MAX));
        let conditions = Conditions::new(policy);
        Self { id, provider, gate, reads, creates, conditions, probing: AtomicBool::new(false) }
    }

    /// The policy as it is just now.
    pub(crate) fn policy(&self) -> Arc<Policy> {
        self.conditions.policy(self.provider.clock_skew())
    }
}

/// Gives up on a call that its client has forgotten. Whether it had an effect is unknown then.
pub(crate) async fn bounded<T>(
    account: &Account,
    op: &'static str,
    call: impl Future<Output = Result<T, CallError>>,
) -> Result<T, CallError> {
    let started = Instant::now();
    let result = tokio::time::timeout(FORGOTTEN_AFTER, call).await.unwrap_or_else(|_| {
        Err(CallError {
            class: FailureClass::Ambiguous,
            code: None,
            status: None,
            why: format!("no answer within {} s", FORGOTTEN_AFTER.as_secs()),
            retry_after: None,
        })
    });
    metrics::called(account.id.as_str(), op, started.elapsed(), &result);
    result
}

/// What a read brought.
#[derive(Debug)]
pub(crate) struct ReadAnswer {
    pub(crate) provider_order: ProviderOrderId,
    pub(crate) read_started_at: Timestamp,
    pub(crate) result: Result<Option<Observation>, CallError>,
}

/// Looks whether the provider answers at all, one call at a time, for who must not decide without having seen it.
pub(crate) async fn probe(account: Arc<Account>, now: Timestamp) {
    if account.probing.swap(true, Ordering::Relaxed) {
        return;
    }
    if let Some(permit) = account.gate.permit(Purpose::Read, now).await {
        let result = bounded(&account, "rates", account.provider.rates()).await;
        permit.report(&result);
    }
    account.probing.store(false, Ordering::Relaxed);
}

/// Takes a fresh lock, when the budget allows; `None` when the engine stops. Safe to repeat: an unused lock costs nothing.
pub(crate) async fn lock(
    account: Arc<Account>,
    now: Timestamp,
    request: LockRequest,
) -> Option<Result<Terms, CallError>> {
    let permit = account.gate.permit(Purpose::Read, now).await?;
    let result = bounded(&account, "lock", account.provider.lock(request)).await;
    permit.report(&result);
    Some(result)
}

/// Posts a create, once.
pub(crate) async fn create(
    account: Arc<Account>,
    permit: Permit,
    lock_id: LockId,
    counters: Arc<Counters>,
) -> CreateAnswer {
    count(&counters.creates_sent);
    let result = bounded(&account, "create", account.provider.create(&lock_id)).await;
    permit.report(&result);
    match result {
        Ok(provider_order) => CreateAnswer::Accepted { provider_order },
        Err(error) => {
            tracing::info!(account = %account.id, lock_id = %lock_id, %error, "create");
            refused(error)
        }
    }
}

fn refused(error: CallError) -> CreateAnswer {
    let class = match error.class {
        FailureClass::NotSent => return CreateAnswer::NotSent { why: error.why },
        FailureClass::Definite => AnswerClass::Definite,
        FailureClass::Ambiguous => AnswerClass::Ambiguous,
        FailureClass::Throttled => AnswerClass::Throttled,
        FailureClass::Denied => AnswerClass::Denied,
    };
    CreateAnswer::Refused {
        class,
        code: error.code,
        why: error.why,
        retry_after: error.retry_after,
    }
}

/// Reads an order, when the budget allows; `None` when the engine stops.
pub(crate) async fn read(
    account: Arc<Account>,
    purpose: Purpose,
    deadline: Timestamp,
    provider_order: ProviderOrderId,
    clock: Arc<dyn Clock>,
    counters: Arc<Counters>,
) -> Option<ReadAnswer> {
    let permit = account.gate.permit(purpose, deadline).await?;
    count(&counters.reads);
    let read_started_at = clock.now();
    let result =
        bounded(&account, "details", account.provider.details(&provider_order, read_started_at))
            .await;
    permit.report(&result);
    if let Err(error) = &result {
        count(&counters.read_failures);
        tracing::debug!(account = %account.id, provider_order = %provider_order, %error, "read");
    }
    Some(ReadAnswer { provider_order, read_started_at, result })
}
