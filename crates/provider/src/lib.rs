//! The provider port: what the engine asks of a provider, and how its calls can fail.
//!
//! The one thing every implementation must get right is the *class* of a failure ([`FailureClass`]): whether a call
//! that brought no answer can have had an effect. It decides whether money can move twice.

mod call;
mod webhook;

use std::{fmt, future::Future, pin::Pin};

use orderkeep_core::{LockId, Observation, ProviderOrderId, Terms, Timestamp};

pub use call::{CallError, ClockSkew, FailureClass, LockRequest, Rates, UnreadableLock};
pub use webhook::{Heard, UnreadableWebhook};

/// A boxed future, so that the port can be used as `Arc<dyn Provider>`.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A provider of orders, through one credential.
///
/// Implementations never retry a create, follow no redirect, and bound every call in time. Dropping a future may
/// leave its call on the way: its outcome is then unknown.
pub trait Provider: fmt::Debug + Send + Sync + 'static {
    /// Indicative rates; not guaranteed, nothing is locked. Safe to repeat.
    fn rates(&self) -> BoxFuture<'_, Result<Rates, CallError>>;

    /// Takes a lock at the present rate. Each call takes a new one; an unused lock costs nothing.
    fn lock(&self, request: LockRequest) -> BoxFuture<'_, Result<Terms, CallError>>;

    /// The terms in the provider's answer to a lock that somebody else took. Pure.
    ///
    /// # Errors
    /// Not such an answer, or one with a part missing; says which. A provider that has no such thing refuses all.
    fn read_lock(&self, answer: &[u8]) -> Result<Terms, UnreadableLock> {
        let _ = answer;
        Err(UnreadableLock("this provider's lock answers cannot be read".to_owned()))
    }

    /// Turns a lock into an order. **Not safe to repeat**: sent at most once per call, whatever happens.
    fn create<'a>(
        &'a self,
        lock_id: &'a LockId,
    ) -> BoxFuture<'a, Result<ProviderOrderId, CallError>>;

    /// Reads an order; `None`: the provider says that it has none such. Safe to repeat. The observation is *confirmed*
    /// as of `read_started_at`, which the caller takes before it calls.
    fn details<'a>(
        &'a self,
        provider_order: &'a ProviderOrderId,
        read_started_at: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Observation>, CallError>>;

    /// How far the provider's clock is from ours; `None`: not known (yet). Costs nothing.
    fn clock_skew(&self) -> Option<ClockSkew> {
        None
    }

    /// Whether a webhook's `Authorization` header carries a token of ours, compared in constant time. Two tokens are
    /// good while one replaces the other; with none configured, nothing is authentic.
    fn is_authentic(&self, authorization: Option<&[u8]>) -> bool;

    /// What a webhook says; a *claim*, as of `heard_at`. Pure.
    ///
    /// # Errors
    /// Not JSON, or not an object.
    fn read_webhook(&self, body: &[u8], heard_at: Timestamp) -> Result<Heard, UnreadableWebhook>;
}
