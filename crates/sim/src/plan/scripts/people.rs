//! People ask while nothing moves by itself.

use orderkeep_sandbox::{CallChances, Rule, WebhookFault};

use super::{Ask, Fault, Plan, calm};

/// All that can be asked of an order and leaves it where it is.
const HARMLESS: [Ask; 5] =
    [Ask::Note, Ask::Retry, Ask::Acknowledge, Ask::AdoptAnother, Ask::NoProviderOrder];

pub(super) fn plans() -> Vec<Plan> {
    let mut plans = Vec::new();
    for silent in [false, true] {
        // Before the create is posted, and right after it is answered; the first read is 2 s later.
        for cut_at in [0, 400, 700] {
            let cut = calm().with(cut_at, Fault::Partition { lasts: 30_000, silent });
            let asked = cut.asked(1_000, 1_500, &HARMLESS);
            plans.push(asked.clone());
            plans.push(asked.asked(12_000, 1_000, &[Ask::Cancel, Ask::Note, Ask::Retry]));
        }
    }
    // It is made, and nothing but its first webhook comes through.
    for unknown_word in [None, Some("WAITING_FOR_WALLET_ADDRESS")] {
        let cut = Fault::Partition { lasts: 30_000, silent: false };
        let mut told = Plan { unknown_word, ..calm().with(400, cut) };
        told.provider.webhook_on_create = true;
        let late = WebhookFault::Delayed { delay_ms: 900 };
        told.chances.rules = vec![Rule::webhook(None, late).times(2)];
        plans.push(told);
    }
    // The create is refused for now, while reads are answered.
    let mut throttled = calm();
    throttled.chances.create = CallChances { throttled: 1_000, ..CallChances::default() };
    throttled.quiet_at = 40_000;
    plans.push(throttled.clone().asked(3_000, 4_000, &HARMLESS));
    plans.push(throttled.asked(3_000, 4_000, &[Ask::Note, Ask::Retry, Ask::Cancel]));
    // The create's outcome is unknown, and its order never speaks.
    let mut lost = calm();
    lost.chances.create = CallChances { answer_lost: 1_000, ..CallChances::default() };
    lost.chances.webhooks.lost_all = 1_000;
    plans.push(lost.clone().asked(5_000, 4_000, &HARMLESS));
    plans.push(lost.clone().asked(5_000, 4_000, &[Ask::Cancel, Ask::Retry, Ask::AdoptOurs]));
    // It is named by a person when it is paid, ended, or half made.
    for at in [2_000, 5_000, 9_000, 70_000, 100_000] {
        plans.push(lost.clone().asked(at, 4_000, &[Ask::AdoptOurs]));
        let failed = lost.clone().with(at - 1_000, Fault::ProviderFailure { sale: 0 });
        plans.push(failed.asked(at, 4_000, &[Ask::AdoptOurs]));
    }
    // After the end.
    let after = [Ask::Retry, Ask::Note, Ask::AdoptAnother, Ask::AdoptOurs, Ask::Cancel];
    for end in [calm(), calm().unpaid(), calm().with(9_000, Fault::ProviderFailure { sale: 0 })] {
        plans.push(end.asked(80_000, 2_000, &after));
    }
    plans
}
