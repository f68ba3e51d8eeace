//! A submit that says what to sell and for how much: the lock is taken here, once per key.

use orderkeep_core::{AccountId, IdempotencyKey, Order, Relock};
use orderkeep_provider::LockRequest;

use super::{Engine, SubmitRequest, Submitted, TermsSource};
use crate::{CommandError, SubmitError};

impl Engine {
    /// The order of this key, or one of a lock taken now. A crash between the two leaves a lock that nobody uses; it
    /// ends by itself, and the same key again takes another.
    pub(super) async fn sell(
        &self,
        sale: LockRequest,
        account: AccountId,
        key: IdempotencyKey,
        reference: Option<String>,
        relock: Option<Relock>,
    ) -> Result<Submitted, SubmitError> {
        if let Some(order) = self.order_by_key(&account, &key).await? {
            return same_sale(order, &sale, reference.as_deref(), relock.as_ref());
        }
        let terms = self.lock(&account, sale.clone()).await.map_err(|error| match error {
            CommandError::Provider(error) => SubmitError::Provider(error),
            CommandError::Engine(error) => SubmitError::Engine(error),
            // Nothing else comes of a lock.
            other @ (CommandError::NoOrder(_)
            | CommandError::Moved { .. }
            | CommandError::Refused(_)
            | CommandError::NotTaken(_)) => SubmitError::LockAnswer(other.to_string()),
        })?;
        let request = SubmitRequest {
            account: account.clone(),
            key: key.clone(),
            terms: TermsSource::Given(Box::new(terms)),
            reference: reference.clone(),
            relock: relock.clone(),
        };
        match Box::pin(self.submit(request)).await {
            // The same key at the same time: the other one's lock is the order's.
            Err(SubmitError::KeyConflict { key: text, holder }) => {
                match self.order_by_key(&account, &key).await? {
                    Some(order) => same_sale(order, &sale, reference.as_deref(), relock.as_ref()),
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
    reference: Option<&str>,
    relock: Option<&Relock>,
) -> Result<Submitted, SubmitError> {
    // The first lock is what was asked for; a fresh one may differ in what the provider did not say.
    let terms = order.earlier_locks.first().map_or(&order.terms, |earlier| &earlier.terms);
    let same = terms.network == sale.network
        && terms.pay_currency == sale.currency
        && terms.settle_amount.as_ref().is_none_or(|amount| *amount == sale.amount)
        && order.reference.as_deref() == reference
        && order.relock.as_ref() == relock;
    if same {
        Ok(Submitted { order, replayed: true })
    } else {
        Err(SubmitError::KeyConflict { key: order.key.to_string(), holder: order.id })
    }
}
