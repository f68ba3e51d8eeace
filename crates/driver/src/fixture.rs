//! An order for the tests of this crate's parts.

use std::{sync::Arc, time::Duration};

use orderkeep_core::{
    AccountId, Exact, IdempotencyKey, Metadata, Order, OrderId, Policy, Submit, Terms, Timestamp,
};
use uuid::Uuid;

/// An order that was just submitted.
pub(crate) fn order(number: u128) -> Arc<Order> {
    let now = Timestamp::from_millis(1_772_366_400_000);
    let exact = |text: &str| text.parse::<Exact>().unwrap();
    let submit = Submit {
        account: AccountId::main(),
        key: IdempotencyKey::new("key").unwrap(),
        terms: Terms {
            lock_id: "lock".parse().unwrap(),
            pay_amount: exact("412.6"),
            pay_currency: "usdc".parse().unwrap(),
            network: "polygon".parse().unwrap(),
            rate: exact("0.84"),
            settle_currency: None,
            settle_amount: None,
            expires_at: now.plus(Duration::from_secs(900)),
        },
        reference: None,
        relock: None,
        metadata: Metadata::default(),
    };
    let id = OrderId(Uuid::from_u128(number));
    Arc::new(Order::submit(id, submit, now, &Policy::default()).unwrap().next)
}
