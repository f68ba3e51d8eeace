//! A wrong engine, so that the demo can show that it notices: the provider's ambiguous answers are passed on as if
//! nothing had been sent, and the create is posted again.

use orderkeep::{
    LockId, Observation, ProviderOrderId, Terms, Timestamp,
    p100::P100,
    provider::{
        BoxFuture, CallError, FailureClass, Heard, LockRequest, Provider, Rates, UnreadableWebhook,
    },
};

/// Takes an unknown outcome for none, as most code does.
#[derive(Debug)]
pub(crate) struct Resend(pub(crate) P100);

impl Provider for Resend {
    fn rates(&self) -> BoxFuture<'_, Result<Rates, CallError>> {
        self.0.rates()
    }

    fn lock(&self, request: LockRequest) -> BoxFuture<'_, Result<Terms, CallError>> {
        self.0.lock(request)
    }

    fn create<'a>(
        &'a self,
        lock_id: &'a LockId,
    ) -> BoxFuture<'a, Result<ProviderOrderId, CallError>> {
        Box::pin(async move {
            let mut result = self.0.create(lock_id).await;
            if let Err(error) = &mut result
                && error.class == FailureClass::Ambiguous
            {
                error.class = FailureClass::NotSent;
            }
            result
        })
    }

    fn details<'a>(
        &'a self,
        provider_order: &'a ProviderOrderId,
        read_started_at: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Observation>, CallError>> {
        self.0.details(provider_order, read_started_at)
    }

    fn is_authentic(&self, authorization: Option<&[u8]>) -> bool {
        self.0.is_authentic(authorization)
    }

    fn read_webhook(&self, body: &[u8], heard_at: Timestamp) -> Result<Heard, UnreadableWebhook> {
        self.0.read_webhook(body, heard_at)
    }
}
