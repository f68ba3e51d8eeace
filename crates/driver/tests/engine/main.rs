//! The engine under virtual time: a scripted provider with a ledger of its own, and a store in memory.
//!
//! What the engine promises is compared with the provider's ledger and with the store, never with the engine's word.

#[cfg(test)]
mod provider;
#[cfg(test)]
mod store;
#[cfg(test)]
mod world;

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod codec;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod conditions;
#[cfg(test)]
mod conflicts;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod create;
#[cfg(test)]
mod dispositions;
#[cfg(test)]
mod every_commit;
#[cfg(test)]
mod feed;
#[cfg(test)]
mod full;
#[cfg(test)]
mod life;
#[cfg(test)]
mod lost_webhooks;
#[cfg(test)]
mod many;
#[cfg(test)]
mod must_fail;
#[cfg(test)]
mod outage;
#[cfg(test)]
mod parked;
#[cfg(test)]
mod queues;
#[cfg(test)]
mod relock;
#[cfg(test)]
mod repeated;
#[cfg(test)]
mod restore;
#[cfg(test)]
#[path = "../scenarios/mod.rs"]
mod scenarios;
#[cfg(test)]
mod slow_calls;
#[cfg(test)]
mod small_budget;
#[cfg(test)]
mod stops;
#[cfg(test)]
mod submit;
#[cfg(test)]
mod wake_ups;
#[cfg(test)]
mod webhooks;
