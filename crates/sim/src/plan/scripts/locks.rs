//! A fresh lock is taken, slowly, and meanwhile something else happens.

use orderkeep_sandbox::{CallChances, CallFault, Endpoint, Range, Rule, WebhookFault};

use super::{Ask, Fault, Plan, calm};

pub(super) fn plans() -> Vec<Plan> {
    let mut plans = Vec::new();
    // The first lock is over before it could be posted; the fresh one takes 12 s.
    let mut over = calm().with(0, Fault::Partition { lasts: 60_000, silent: false });
    over.sales[0].relock = Some(150);
    over.chances.lock = CallChances { slow: 1_000, ..CallChances::default() };
    over.chances.slow_ms = Range { min: 12_000, max: 12_000 };
    let mut refused = over.clone();
    refused.refuses_fresh_locks = true;
    for plan in [over.clone(), refused.clone()] {
        for at in [62_000, 66_000, 70_000] {
            plans.push(plan.clone().asked(at, 500, &[Ask::Note, Ask::Retry, Ask::Cancel]));
        }
        plans.push(plan);
    }
    // The engine's clock is far ahead: it gives an unknown create up while its order is alive, and that speaks while the
    // fresh lock is being taken.
    for refuses_fresh_locks in [false, true] {
        for spoken_after in [14_000, 18_000, 20_000, 22_000, 24_000, 26_000, 28_000, 30_000, 34_000]
        {
            let mut ahead = over.clone();
            ahead.faults = vec![(3_000, Fault::ClockJump { by: 600_000 })];
            ahead.refuses_fresh_locks = refuses_fresh_locks;
            let lost = Rule::call(Endpoint::Create, CallFault::AnswerLost {});
            let late = WebhookFault::Delayed { delay_ms: spoken_after };
            ahead.chances.rules = vec![lost, Rule::webhook(None, late).times(1)];
            for fate in fates(ahead) {
                plans.push(fate);
            }
        }
    }
    plans
}

/// How far the order of the first lock comes by itself.
fn fates(ahead: Plan) -> Vec<Plan> {
    let mut no_address = ahead.clone();
    no_address.provider.webhook_on_create = true;
    no_address.provider.wallet_delay_ms = 90_000;
    let mut nameless = no_address.clone();
    nameless.unknown_word = Some("WAITING_FOR_WALLET_ADDRESS");
    let mut quick = ahead.clone();
    quick.provider.required_confirmations = 0;
    quick.provider.execution_delay_ms = 200;
    quick.sales[0].payments = vec![(300, 100)];
    let failed = ahead.clone().with(10_000, Fault::ProviderFailure { sale: 0 });
    vec![ahead, nameless, no_address, quick, failed]
}
