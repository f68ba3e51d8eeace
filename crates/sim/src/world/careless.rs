//! Clients that are careless on purpose, for the twins.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use orderkeep_core::{
    LockId, Observation, ProviderOrderId, ProviderStatus, Source, Terms, Timestamp,
};
use orderkeep_provider::{
    BoxFuture, CallError, FailureClass, Heard, LockRequest, Provider, Rates, UnreadableLock,
    UnreadableWebhook,
};

use super::Shared;
use crate::Twin;

/// The real client, and what is broken about it.
#[derive(Debug)]
pub(crate) struct Careless {
    pub(crate) real: Arc<dyn Provider>,
    pub(crate) twin: Twin,
    pub(crate) shared: Arc<Shared>,
    /// The last read of every order.
    pub(crate) seen: Mutex<BTreeMap<ProviderOrderId, Observation>>,
}

impl Careless {
    fn remember(&self, seen: &Observation) {
        let mut known = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(seen.provider_order.clone(), seen.clone());
    }

    /// What is past its time by our own clock has expired.
    fn judge(&self, order: &ProviderOrderId, read_started_at: Timestamp) -> Option<Observation> {
        let known = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let last = known.get(order)?;
        if last.expires_at? >= read_started_at {
            return None;
        }
        self.shared.world().count("twin");
        Some(Observation {
            source: Source::Confirmed { read_started_at },
            status: ProviderStatus::Expired,
            status_text: "EXPIRED".to_owned(),
            ..last.clone()
        })
    }
}

impl Provider for Careless {
    fn rates(&self) -> BoxFuture<'_, Result<Rates, CallError>> {
        self.real.rates()
    }

    fn lock(&self, request: LockRequest) -> BoxFuture<'_, Result<Terms, CallError>> {
        self.real.lock(request)
    }

    fn read_lock(&self, answer: &[u8]) -> Result<Terms, UnreadableLock> {
        self.real.read_lock(answer)
    }

    fn create<'a>(
        &'a self,
        lock_id: &'a LockId,
    ) -> BoxFuture<'a, Result<ProviderOrderId, CallError>> {
        Box::pin(async move {
            let mut result = self.real.create(lock_id).await;
            if let Err(error) = &mut result
                && self.twin == Twin::Resend
                && error.class == FailureClass::Ambiguous
            {
                error.class = FailureClass::NotSent;
                self.shared.world().count("twin");
            }
            result
        })
    }

    fn details<'a>(
        &'a self,
        provider_order: &'a ProviderOrderId,
        read_started_at: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Observation>, CallError>> {
        Box::pin(async move {
            let result = self.real.details(provider_order, read_started_at).await;
            if self.twin != Twin::LocalVerdict {
                return result;
            }
            match result {
                Ok(Some(seen)) => {
                    self.remember(&seen);
                    Ok(Some(seen))
                }
                Ok(None) => Ok(None),
                Err(error) => match self.judge(provider_order, read_started_at) {
                    Some(verdict) => Ok(Some(verdict)),
                    None => Err(error),
                },
            }
        })
    }

    fn is_authentic(&self, authorization: Option<&[u8]>) -> bool {
        self.real.is_authentic(authorization)
    }

    fn read_webhook(&self, body: &[u8], heard_at: Timestamp) -> Result<Heard, UnreadableWebhook> {
        let mut heard = self.real.read_webhook(body, heard_at)?;
        if let Heard::Order(seen) = &mut heard
            && self.twin == Twin::TrustBinding
        {
            seen.source = Source::Confirmed { read_started_at: heard_at };
        }
        Ok(heard)
    }
}
