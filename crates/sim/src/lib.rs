//! The whole engine, the provider's model, a network and a disk that can die, in one thread under virtual time, from
//! one seed. The same code as in production above the ports: driver, lifecycle, journal, the client's wire format.
//!
//! A run goes from a [`Plan`] to a [`Report`]. The oracles ([`oracle`]) judge by the provider's ledger and by what
//! callers and followers were told; they never ask the lifecycle. Broken twins ([`Twin`]) show that they see.
//!
//! Reading order: [`plan`], `world`, `life`, [`oracle`], `shrink`, `explore`.

pub mod coverage;
mod downstream;
pub mod explore;
mod life;
pub mod oracle;
pub mod plan;
pub mod shrink;
pub mod trace;
mod twin;
mod world;

use std::collections::BTreeMap;

pub use oracle::Violation;
pub use plan::{Plan, draw};
pub use trace::Line;
pub use twin::Twin;

use plan::Millis;
use world::Shared;

/// What came of a run.
#[derive(Debug)]
pub struct Report {
    /// What must not have happened, and did.
    pub violation: Option<Violation>,
    /// What happened, if it was wanted.
    pub lines: Vec<Line>,
    /// What struck, by name, and how often.
    pub faults: BTreeMap<String, u64>,
    /// Orders that were taken.
    pub orders: u64,
    /// How much time passed in it.
    pub virtual_ms: Millis,
}

/// Runs a plan.
#[must_use]
pub fn run(plan: Plan, traced: bool) -> Report {
    let shared = Shared::new(plan, traced);
    life::live_through(&shared);
    let mut world = shared.world();
    let mut faults = world.model.ledger().faults;
    for (name, count) in world.counts() {
        if *name != "orders" {
            faults.insert((*name).to_owned(), *count);
        }
    }
    Report {
        violation: world.watcher.take(),
        lines: world.trace.take(),
        faults,
        orders: world.counts().get("orders").copied().unwrap_or(0),
        virtual_ms: world.now(),
    }
}
