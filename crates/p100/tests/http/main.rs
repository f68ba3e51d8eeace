//! The client against a server that speaks bytes.

mod calls;
mod classes;
mod configuration;
mod forged;
mod once;
mod page;

mod quiet;
mod reads;
mod server;
mod tls;
mod webhooks;

use orderkeep_core::{LockId, ProviderOrderId, Timestamp};
use orderkeep_p100::{P100, P100Config, Secret};
use orderkeep_provider::LockRequest;

pub(crate) const KEY: &str = "key-7f3a91c2e5d84b06";

pub(crate) fn config(base_url: &str) -> P100Config {
    P100Config::new(base_url, Secret::new(KEY).expect("a key"))
}

pub(crate) fn client(base_url: &str) -> P100 {
    P100::new(config(base_url)).expect("a client")
}

pub(crate) fn lock_id() -> LockId {
    LockId::new("36e19a53-a1b4-499c-99f7-b7bfc6be87e4").expect("a lock id")
}

pub(crate) fn order_id() -> ProviderOrderId {
    ProviderOrderId::new("a44a0805-dd40-4dc4-80d7-8bc81783ec42").expect("an order id")
}

pub(crate) fn lock_request() -> LockRequest {
    LockRequest {
        amount: "346.59".parse().expect("an amount"),
        currency: "usdc".parse().expect("a currency"),
        network: "polygon".parse().expect("a network"),
    }
}

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}
