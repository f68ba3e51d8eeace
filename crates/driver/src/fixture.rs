//! An order, and what the provider says of one, for the tests of this crate's parts.

use std::{sync::Arc, time::Duration};

use orderkeep_core::{
    AccountId, Exact, IdempotencyKey, Metadata, Observation, Order, OrderId, Policy,
    ProviderStatus, Source, Submit, Terms, Timestamp,
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

/// That the provider's order `one` stands there, and nothing more.
pub(crate) fn observation(source: Source, status: ProviderStatus) -> Observation {
    Observation {
        source,
        provider_order: "one".parse().unwrap(),
        lock_id: None,
        status_text: format!("{status:?}"),
        status,
        address: None,
        expires_at: None,
        required: None,
        received: None,
        confirmations: None,
        required_confirmations: None,
        transactions: Vec::new(),
        currency: None,
        network: None,
        unknown_fields: Vec::new(),
    }
}
