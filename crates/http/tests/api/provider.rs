//! A provider that answers locks by a script, and creates never.

use std::{
    collections::VecDeque,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use orderkeep_core::{Currency, LockId, Network, Observation, ProviderOrderId, Terms, Timestamp};
use orderkeep_provider::{
    BoxFuture, CallError, FailureClass, Heard, LockRequest, Provider, Rates, UnreadableWebhook,
};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Scripted {
    failures: Mutex<VecDeque<CallError>>,
    /// What locks were asked for: the amounts' own texts.
    pub(crate) asked: Mutex<Vec<String>>,
    hung: AtomicBool,
}

impl Scripted {
    /// From now on locks are never answered.
    pub(crate) fn hangs(&self) {
        self.hung.store(true, Ordering::Relaxed);
    }

    /// The next lock fails so.
    pub(crate) fn fails(&self, class: FailureClass, code: Option<&str>, retry_after: Option<u64>) {
        self.failures.lock().unwrap().push_back(CallError {
            class,
            code: code.map(str::to_owned),
            status: None,
            why: "by the script".to_owned(),
            retry_after: retry_after.map(Duration::from_secs),
        });
    }
}

impl Provider for Scripted {
    fn rates(&self) -> BoxFuture<'_, Result<Rates, CallError>> {
        let rate = (Currency::new("usdc").unwrap(), "0.840".parse().unwrap());
        Box::pin(async { Ok(Rates { per_unit: [rate].into() }) })
    }

    fn lock(&self, request: LockRequest) -> BoxFuture<'_, Result<Terms, CallError>> {
        Box::pin(async move {
            if self.hung.load(Ordering::Relaxed) {
                return std::future::pending().await;
            }
            if let Some(failure) = self.failures.lock().unwrap().pop_front() {
                return Err(failure);
            }
            let mut asked = self.asked.lock().unwrap();
            asked.push(request.amount.text().to_owned());
            Ok(Terms {
                lock_id: LockId::new(format!("lock-{}", asked.len())).unwrap(),
                pay_amount: "412.607142".parse().unwrap(),
                pay_currency: request.currency,
                network: Network::new("polygon").unwrap(),
                rate: "0.84".parse().unwrap(),
                settle_currency: Some(Currency::new("eur").unwrap()),
                settle_amount: Some(request.amount),
                expires_at: "2026-03-01T12:00:40Z".parse().unwrap(),
            })
        })
    }

    fn create<'a>(&'a self, _: &'a LockId) -> BoxFuture<'a, Result<ProviderOrderId, CallError>> {
        Box::pin(std::future::pending())
    }

    fn details<'a>(
        &'a self,
        _: &'a ProviderOrderId,
        _: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Observation>, CallError>> {
        Box::pin(async { Ok(None) })
    }

    fn is_authentic(&self, authorization: Option<&[u8]>) -> bool {
        authorization == Some(b"token")
    }

    fn read_webhook(&self, _: &[u8], _: Timestamp) -> Result<Heard, UnreadableWebhook> {
        let why = "by the script".to_owned();
        let named = ProviderOrderId::new("p-1").map_err(|_| UnreadableWebhook(why.clone()))?;
        Ok(Heard::Unreadable { provider_order: named, why })
    }
}
