//! Several holders of one order, a lease with a fencing epoch, crashes and pauses at every point: a bounded model,
//! explored whole, over the real [`step`](orderkeep_core::Order::step).
//!
//! The model owns what surrounds the lifecycle when several instances share one store: who holds the lease, which copy
//! of the order a holder decides on, what its commit is checked against, and a network and a provider that make an
//! order for every create that reaches them. A holder that lost its lease does not know it; it goes on with its old copy
//! until a commit is refused. What it sends outside cannot be fenced at all.
//!
//! The verdict never asks the code under test: it counts what reached the provider, and which intents were durable.
//! Each guard has a twin without it that must fail. `LEASES=large cargo test --release -p orderkeep-core --test leases
//! -- --nocapture` explores larger bounds, and prints its figures.

#[cfg(test)]
mod explore;
#[cfg(test)]
mod model;
#[cfg(test)]
mod promises;
#[cfg(test)]
mod world;
