//! Plans that are written, not drawn: each family holds an order in one state and lets come to it what seldom comes there
//! by chance. With the drawn seeds they visit the whole table of states and inputs; what is not visited is out of reach.

mod again;
mod answers;
mod copies;
mod ends;
mod locks;
mod people;

use std::time::Duration;

use orderkeep_core::{Policy, policy::Polling};
use orderkeep_sandbox::{FaultScript, LatePolicy, ModelConfig, SecondCreate};

use super::{Ask, Fault, Millis, Network, Plan, Sale};

/// A plan with a name.
#[derive(Debug, Clone)]
pub struct Script {
    /// Its family, and which one of it.
    pub name: String,
    /// What happens.
    pub plan: Plan,
}

/// All of them.
#[must_use]
pub fn scripts() -> Vec<Script> {
    let families: [(&str, Vec<Plan>); 6] = [
        ("people", people::plans()),
        ("answers", answers::plans()),
        ("again", again::plans()),
        ("copies", copies::plans()),
        ("locks", locks::plans()),
        ("ends", ends::plans()),
    ];
    let numbered = families.into_iter().flat_map(|(family, plans)| {
        let named = move |(number, plan)| (format!("{family}-{number}"), plan);
        plans.into_iter().enumerate().map(named)
    });
    let seeded =
        numbered.zip(0..).map(|((name, plan), seed)| Script { name, plan: Plan { seed, ..plan } });
    seeded.collect()
}

/// One sale on a good day: its address is there after 4 s, it is paid 3 s later, and sold after 9 s more.
fn calm() -> Plan {
    let seconds = Duration::from_secs;
    let defaults = Policy::default();
    Plan {
        seed: 0,
        twin: None,
        provider: ModelConfig {
            lock_ttl_ms: 60_000,
            order_ttl_ms: 60_000,
            wallet_delay_ms: 4_000,
            required_confirmations: 1,
            confirmation_interval_ms: 8_000,
            execution_delay_ms: 1_000,
            second_create: SecondCreate::SecondOrder,
            late_policy: LatePolicy::Held,
            ..ModelConfig::default()
        },
        unknown_word: None,
        chances: FaultScript::default(),
        policy: Policy {
            provider_order_window: Some(seconds(80)),
            unknown_create_review_after: seconds(30),
            wallet_review_after: seconds(60),
            confirming_review_after: seconds(120),
            overdue_review_after: seconds(60),
            unknown_status_review_after: seconds(30),
            not_found_grace: seconds(20),
            watch_after_end: seconds(4 * 3_600),
            polling: Polling { watch: (seconds(5), seconds(60)), ..defaults.polling.clone() },
            ..defaults
        },
        network: Network::default(),
        sales: vec![Sale {
            lock_at: 0,
            locked_by_engine: false,
            submit_after: 50,
            relock: None,
            payments: vec![(3_000, 100)],
        }],
        faults: Vec::new(),
        quiet_at: 150_000,
        refuses_fresh_locks: false,
        expired_is_underpaid: false,
    }
}

impl Plan {
    /// The same with a fault more.
    fn with(mut self, at: Millis, fault: Fault) -> Self {
        self.faults.push((at, fault));
        self.faults.sort_by_key(|(at, _)| *at);
        self
    }

    /// The same, and somebody asks all of this, one after the other.
    fn asked(self, from: Millis, every: Millis, asks: &[Ask]) -> Self {
        let times = (0..).map(|n| from + n * every);
        times
            .zip(asks)
            .fold(self, |plan, (at, ask)| plan.with(at, Fault::Command { sale: 0, ask: *ask }))
    }

    /// The same, unpaid.
    fn unpaid(mut self) -> Self {
        self.sales.iter_mut().for_each(|sale| sale.payments.clear());
        self
    }
}
