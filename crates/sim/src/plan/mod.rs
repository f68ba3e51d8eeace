//! Everything that a seed decides before a run begins: the provider, the engine's settings, the sales, the faults.
//!
//! A plan is data. Taking parts out of it ([`crate::shrink`]) leaves the rest as it was.

mod draw;
mod fault;
mod scripts;

use std::time::Duration;

use orderkeep_core::Policy;
use orderkeep_driver::{Budget, EngineConfig};
use orderkeep_sandbox::{FaultScript, ModelConfig};

pub use draw::draw;
pub use fault::{Ask, Fault, Forged, Kind};
pub use scripts::{Script, scripts};

use crate::Twin;

/// Milliseconds since the start of a run.
pub type Millis = i64;

/// See the module.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What it was drawn from; also seeds what is drawn during the run.
    pub seed: u64,
    /// What is broken on purpose.
    pub twin: Option<Twin>,
    /// How the provider is.
    pub provider: ModelConfig,
    /// A word of the provider's that the client's table lacks.
    pub unknown_word: Option<&'static str>,
    /// What goes wrong at the provider by chance, until the faults stop.
    pub chances: FaultScript,
    /// What the partner decided.
    pub policy: Policy,
    /// How the network is.
    pub network: Network,
    /// Who sells what.
    pub sales: Vec<Sale>,
    /// What goes wrong at a given time.
    pub faults: Vec<(Millis, Fault)>,
    /// When all faults stop.
    pub quiet_at: Millis,
    /// The provider gives the engine no lock, for ever.
    pub refuses_fresh_locks: bool,
    /// The client's table reads the provider's word for an order whose time is over as *underpaid*.
    pub expired_is_underpaid: bool,
}

/// How the network is, in thousandths, until the faults stop.
#[derive(Debug, Clone, Copy, Default)]
pub struct Network {
    /// Requests that arrive after their sender has given up.
    pub late_requests: u32,
    /// Answers that are lost on their way back.
    pub lost_answers: u32,
    /// Connections that do not come about.
    pub no_connection: u32,
    /// How long the answer to a create is on its way at least; milliseconds, and for ever.
    pub create_answers_after: Millis,
}

/// One order, seen from the partner.
#[derive(Debug, Clone)]
pub struct Sale {
    /// When its rate is locked.
    pub lock_at: Millis,
    /// The engine takes the lock; otherwise the partner does, and submits the whole answer.
    pub locked_by_engine: bool,
    /// From the lock to the submit.
    pub submit_after: Millis,
    /// The most that a fresh lock may ask of the payer, in hundredths of what the first one asks; `None`: no fresh lock.
    pub relock: Option<u32>,
    /// What its payer does once an address is shown: so long after it, so many hundredths of the amount.
    pub payments: Vec<(Millis, u32)>,
}

/// How long a create may go without an answer before its client gives up.
pub const CREATE_TIMEOUT: Duration = Duration::from_secs(30);
/// The same for a read.
pub const READ_TIMEOUT: Duration = Duration::from_secs(15);

impl Plan {
    /// How the engine is set up.
    #[must_use]
    pub fn engine_config(&self) -> EngineConfig {
        EngineConfig {
            policy: self.policy.clone(),
            budget: Budget::default(),
            parked_for: Duration::from_secs(120),
            ..EngineConfig::default()
        }
    }

    /// Whether some of its faults are of this kind.
    #[must_use]
    pub fn has(&self, kind: Kind) -> bool {
        self.faults.iter().any(|(_, fault)| fault.kind() == kind)
    }
}
