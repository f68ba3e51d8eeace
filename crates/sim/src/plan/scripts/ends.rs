//! After an end: reads that lag, webhooks that come late, and ends that turn out to be none.

use orderkeep_sandbox::{CallChances, LatePolicy, Range};

use super::{Fault, Plan, calm};

pub(super) fn plans() -> Vec<Plan> {
    let mut plans = Vec::new();
    for (least, most) in [(6_000, 20_000), (15_000, 45_000), (30_000, 90_000)] {
        for plan in ends() {
            let mut lagging = plan.clone();
            lagging.chances.details = CallChances { stale: 500, ..CallChances::default() };
            lagging.chances.stale_ms = Range { min: least, max: most };
            plans.push(lagging);
            let mut late = plan;
            late.chances.webhooks.delayed = 700;
            late.chances.webhook_delay_ms = Range { min: least, max: most };
            plans.push(late);
        }
    }
    for plan in ends() {
        let mut unreadable = plan;
        unreadable.chances.details = CallChances { garbage: 400, ..CallChances::default() };
        plans.push(unreadable);
    }
    plans
}

fn ends() -> Vec<Plan> {
    let mut plans = Vec::new();
    for unknown_word in [None, Some("WAITING_FOR_CONFIRMATION"), Some("WAITING_FOR_WALLET_ADDRESS")]
    {
        let day = Plan { unknown_word, ..calm() };
        let reversed = |plan: &Plan| plan.clone().with(110_000, Fault::Reversal { sale: 0 });
        // Expired, and sold all the same when the rest comes late.
        let mut late = day.clone();
        late.provider.late_policy = LatePolicy::Executed;
        late.sales[0].payments = vec![(64_000, 100)];
        // The same, unseen until it is sold.
        let unseen = late.clone().with(58_000, Fault::Partition { lasts: 25_000, silent: false });
        // The same, by a table that calls it underpaid.
        let mut short = unseen.clone();
        short.expired_is_underpaid = true;
        short.sales[0].payments = vec![(3_000, 60), (64_000, 40)];
        let mut told_early = day.clone().with(2_000, Fault::ProviderFailure { sale: 0 });
        told_early.provider.webhook_on_create = true;
        plans.extend([
            short,
            told_early,
            reversed(&day),
            reversed(&late),
            reversed(&unseen),
            day.clone().unpaid(),
            day.clone().with(2_000, Fault::ProviderFailure { sale: 0 }),
            day.clone().with(9_000, Fault::ProviderFailure { sale: 0 }),
            day,
            late,
            unseen,
        ]);
    }
    plans
}
