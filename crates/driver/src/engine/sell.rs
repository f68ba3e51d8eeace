//! A submit that says what to sell and for how much: the lock is taken here, once per key.

use orderkeep_core::Order;
use orderkeep_provider::LockRequest;

use super::{Engine, SubmitRequest, Submitted, TermsSource};
use crate::{CommandError, EngineError, SubmitError, records};

impl Engine {
    /// The order of this key, or one of a lock taken now. A crash between the two leaves a lock that nobody uses; it
    /// ends by itself, and the same key again takes another.
    pub(super) async fn sell(
        &self,
        sale: LockRequest,
        request: SubmitRequest,
    ) -> Result<Submitted, SubmitError> {
        if let Some(order) = self.order_by_key(&request.account, &request.key).await? {
            return same_sale(order, &sale, &request);
        }
        // No lock is taken for a key whose order was here.
        let key = records::key_claim(&request.account, &request.key);
        if self.store().has_left(&key).await.map_err(EngineError::from)? {
            return Err(SubmitError::KeyLeft(request.key.to_string()));
        }
        let terms =
            self.lock(&request.account, sale.clone()).await.map_err(|error| match error {
                CommandError::Provider(error) => SubmitError::Provider(error),
                CommandError::Engine(error) => SubmitError::Engine(error),
                // Nothing else comes of a lock.
                other @ (CommandError::NoOrder(_)
                | CommandError::Moved { .. }
                | CommandError::Refused(_)
                | CommandError::NotTaken(_)) => SubmitError::LockAnswer(other.to_string()),
            })?;
        let request = SubmitRequest { terms: TermsSource::Given(Box::new(terms)), ..request };
        match Box::pin(self.submit(request.clone())).await {
            // The same key at the same time: the other one's lock is the order's.
            Err(SubmitError::KeyConflict { key: text, holder }) => {
                match self.order_by_key(&request.account, &request.key).await? {
                    Some(order) => same_sale(order, &sale, &request),
                    None => Err(SubmitError::KeyConflict { key: text, holder }),
                }
            }
            submitted => submitted,
        }
    }
}

/// The order again, if it was submitted with this sale.
fn same_sale(
    order: Order,
    sale: &LockRequest,
    request: &SubmitRequest,
) -> Result<Submitted, SubmitError> {
    // The first lock is what was asked for; a fresh one may differ in what the provider did not say.
    let terms = order.earlier_locks.first().map_or(&order.terms, |earlier| &earlier.terms);
    let same = terms.network == sale.network
        && terms.pay_currency == sale.currency
        && terms.settle_amount.as_ref().is_none_or(|amount| *amount == sale.amount)
        && order.reference == request.reference
        && order.relock == request.relock
        && order.metadata == request.metadata;
    if same {
        Ok(Submitted { order, replayed: true })
    } else {
        Err(SubmitError::KeyConflict { key: order.key.to_string(), holder: order.id })
    }
}
