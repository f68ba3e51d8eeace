//! The create's answer comes after its order was found otherwise.

use orderkeep_core::Policy;
use orderkeep_sandbox::{CallChances, ModelConfig, OutageMode, Range};

use super::{Fault, Plan, calm};

pub(super) fn plans() -> Vec<Plan> {
    let mut plans = Vec::new();
    let slow = CallChances { slow: 1_000, ..CallChances::default() };
    let hung = CallChances { answer_hung: 1_000, ..CallChances::default() };
    for create in [slow, hung] {
        let mut late = calm();
        late.provider.webhook_on_create = true;
        late.chances.create = create;
        late.chances.slow_ms = Range { min: 20_000, max: 20_000 };
        // Sold in two seconds.
        let mut quick = late.clone();
        quick.provider = ModelConfig {
            wallet_delay_ms: 200,
            required_confirmations: 0,
            execution_delay_ms: 200,
            ..quick.provider
        };
        quick.sales[0].payments = vec![(300, 100)];
        plans.push(quick);
        // No longer than its first word, which nobody knows: the order is made, and that is all.
        let mut wordless = late.clone();
        wordless.unknown_word = Some("WAITING_FOR_WALLET_ADDRESS");
        wordless.provider.wallet_delay_ms = 60_000;
        wordless.policy = window(&wordless.policy);
        plans.push(wordless);
        let mut slow_address = late.clone();
        slow_address.provider.wallet_delay_ms = 60_000;
        slow_address.policy = window(&slow_address.policy);
        plans.push(slow_address);
        for at in [1_000, 6_000] {
            plans.push(late.clone().with(at, Fault::ProviderFailure { sale: 0 }));
        }
        plans.push(late.clone().unpaid());
        // Reads are not answered, and webhooks tell.
        plans.push(late.with(1_000, Fault::Partition { lasts: 25_000, silent: false }));
    }
    // The lock is over by the provider's clock alone: it refuses the create.
    for by in [-60_000, -600_000] {
        let mut back = calm().with(10, Fault::ClockJump { by });
        back.sales[0].submit_after = 62_000;
        plans.push(back);
    }
    let mut throttled = calm().with(20_000, Fault::ClockJump { by: -100_000 });
    throttled.chances.create = CallChances { throttled: 1_000, ..CallChances::default() };
    throttled.quiet_at = 70_000;
    plans.push(throttled);
    plans.push(calm().with(100, Fault::Outage { lasts: 20_000, mode: OutageMode::Drop }));
    plans
}

/// A longer window, for an order that takes longer.
fn window(policy: &Policy) -> Policy {
    let window = policy.provider_order_window.map(|window| window * 2);
    Policy { provider_order_window: window, ..policy.clone() }
}
