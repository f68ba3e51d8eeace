//! Calls to the provider, each under a permit, each with its outcome turned into an input.

use std::sync::Arc;

use orderkeep_core::{
    AccountId, AnswerClass, CreateAnswer, LockId, Observation, ProviderOrderId, Timestamp,
};
use orderkeep_provider::{CallError, FailureClass, Provider};

use crate::{
    Clock,
    gate::{Gate, Permit, Purpose},
    stats::{Counters, count},
};

/// One account: its provider and its budget.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) id: AccountId,
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) gate: Arc<Gate>,
}

/// What a read brought.
#[derive(Debug)]
pub(crate) struct ReadAnswer {
    pub(crate) provider_order: ProviderOrderId,
    pub(crate) read_started_at: Timestamp,
    pub(crate) result: Result<Option<Observation>, CallError>,
}

/// Posts a create, once.
pub(crate) async fn create(
    account: Arc<Account>,
    permit: Permit,
    lock_id: LockId,
    counters: Arc<Counters>,
) -> CreateAnswer {
    count(&counters.creates_sent);
    let result = account.provider.create(&lock_id).await;
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
    let result = account.provider.details(&provider_order, read_started_at).await;
    permit.report(&result);
    if let Err(error) = &result {
        count(&counters.read_failures);
        tracing::debug!(account = %account.id, provider_order = %provider_order, %error, "read");
    }
    Some(ReadAnswer { provider_order, read_started_at, result })
}
