//! An older copy of the store takes over, which does not know how far its order has come since.

use orderkeep_sandbox::{CallChances, Range, Rule, WebhookFault};

use super::{Fault, Millis, Plan, calm};

/// When the copy is made: before the create's answer, after it and before the first read, while there is no address yet,
/// and while it is unpaid.
const MADE_AT: [Millis; 4] = [1_000, 3_300, 5_500, 8_000];
/// When the machine is lost.
const LOST_AT: [Millis; 2] = [16_000, 30_000];

pub(super) fn plans() -> Vec<Plan> {
    let mut plans = Vec::new();
    for fate in fates() {
        for made_at in MADE_AT {
            for lost_at in LOST_AT {
                let age = lost_at - made_at;
                let restore = Fault::Restore { age, down: 500, lift_after: 40_000 };
                let plan = fate.clone().with(lost_at, restore);
                plans.push(plan.clone());
                // What webhooks claim can not be read for a while, nor who is asked about.
                let cut = Fault::Partition { lasts: 35_000, silent: false };
                plans.push(plan.with(lost_at, cut));
            }
        }
    }
    // Its time is over, too little was paid, and the word of it comes after the loss.
    for made_at in MADE_AT {
        let mut short = slow()
            .with(75_000, Fault::Restore { age: 75_000 - made_at, down: 500, lift_after: 40_000 });
        short.expired_is_underpaid = true;
        short.sales[0].payments = vec![(3_000, 60)];
        let late = WebhookFault::Delayed { delay_ms: 12_000 };
        short.chances.rules = vec![Rule::webhook(Some("EXPIRED".to_owned()), late)];
        plans.push(short.clone());
        plans.push(short.with(75_000, Fault::Partition { lasts: 20_000, silent: false }));
    }
    plans
}

/// A day on which the create is answered after 3 s.
fn slow() -> Plan {
    let mut slow = calm();
    slow.chances.create = CallChances { slow: 1_000, ..CallChances::default() };
    slow.chances.slow_ms = Range { min: 3_000, max: 3_000 };
    slow.provider.wallet_delay_ms = 6_000;
    slow
}

/// What becomes of the order in the meantime.
fn fates() -> Vec<Plan> {
    let slow = slow();
    let fails = |at| slow.clone().with(at, Fault::ProviderFailure { sale: 0 });
    let mut long = slow.clone();
    long.provider.confirmation_interval_ms = 20_000;
    let mut each = long.clone();
    each.provider.required_confirmations = 3;
    each.provider.webhook_each_confirmation = true;
    let mut wordless = long.clone();
    wordless.unknown_word = Some("WAITING_FOR_CONFIRMATION");
    let mut nameless = long.clone();
    nameless.unknown_word = Some("WAITING_FOR_WALLET_ADDRESS");
    nameless.provider.wallet_delay_ms = 20_000;
    let reversed = |at| slow.clone().with(at, Fault::Reversal { sale: 0 });
    vec![
        slow.clone(),
        slow.clone().unpaid(),
        fails(14_000),
        fails(30_000),
        fails(50_000),
        long,
        each,
        wordless,
        nameless,
        reversed(23_000),
        reversed(40_000),
        reversed(60_000),
    ]
}
