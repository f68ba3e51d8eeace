//! A provider that only notes when it was first asked about an order.

use tokio::sync::watch;

use orderkeep::{
    LockId, Observation, ProviderOrderId, Terms, Timestamp,
    provider::{
        BoxFuture, CallError, FailureClass, Heard, LockRequest, Provider, Rates, UnreadableWebhook,
    },
};

/// See the module.
#[derive(Debug)]
pub(super) struct Instrument {
    asked: watch::Sender<Option<ProviderOrderId>>,
}

impl Instrument {
    pub(super) fn new() -> Self {
        Self { asked: watch::Sender::new(None) }
    }

    /// Which order it was asked about first.
    pub(super) fn asked(&self) -> watch::Receiver<Option<ProviderOrderId>> {
        self.asked.subscribe()
    }
}

fn nothing() -> CallError {
    CallError {
        class: FailureClass::Definite,
        code: None,
        status: None,
        why: "this provider only takes the time".to_owned(),
        retry_after: None,
    }
}

impl Provider for Instrument {
    fn rates(&self) -> BoxFuture<'_, Result<Rates, CallError>> {
        Box::pin(std::future::ready(Err(nothing())))
    }

    fn lock(&self, _: LockRequest) -> BoxFuture<'_, Result<Terms, CallError>> {
        Box::pin(std::future::ready(Err(nothing())))
    }

    fn create<'a>(&'a self, _: &'a LockId) -> BoxFuture<'a, Result<ProviderOrderId, CallError>> {
        Box::pin(std::future::ready(Err(nothing())))
    }

    fn details<'a>(
        &'a self,
        provider_order: &'a ProviderOrderId,
        _: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Observation>, CallError>> {
        self.asked.send_if_modified(|asked| {
            let first = asked.is_none();
            asked.get_or_insert_with(|| provider_order.clone());
            first
        });
        Box::pin(std::future::ready(Err(nothing())))
    }

    fn is_authentic(&self, _: Option<&[u8]>) -> bool {
        false
    }

    fn read_webhook(&self, _: &[u8], _: Timestamp) -> Result<Heard, UnreadableWebhook> {
        Err(UnreadableWebhook("this provider sends none".to_owned()))
    }
}
