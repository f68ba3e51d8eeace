//! Makes a failing plan small: takes out one part after another, and keeps out what the failure does not need.
//!
//! A smaller plan fails if it breaks the same rule; the detail may differ.

use orderkeep_sandbox::{CallChances, WebhookChances};

use crate::{
    plan::{Network, Plan},
    run,
};

/// The smallest plan found, and how many runs it took. The plan given must fail.
#[must_use]
pub fn shrink(plan: &Plan, rule: &str) -> (Plan, usize) {
    let mut best = plan.clone();
    let mut runs = 0;
    let mut fails = |candidate: &Plan| {
        runs += 1;
        run(candidate.clone(), false).violation.is_some_and(|violation| violation.rule == rule)
    };
    loop {
        let before = size(&best);
        // From the end, so that indices before stay what they are.
        for index in (0..best.faults.len()).rev() {
            let mut smaller = best.clone();
            smaller.faults.remove(index);
            keep_if(&mut best, smaller, &mut fails);
        }
        for take_out in PARTS {
            let mut smaller = best.clone();
            take_out(&mut smaller);
            if size(&smaller) < size(&best) {
                keep_if(&mut best, smaller, &mut fails);
            }
        }
        if size(&best) == before {
            return (best, runs);
        }
    }
}

fn keep_if(best: &mut Plan, smaller: Plan, fails: &mut impl FnMut(&Plan) -> bool) {
    if fails(&smaller) {
        *best = smaller;
    }
}

type TakeOut = fn(&mut Plan);

const PARTS: [TakeOut; 21] = [
    |plan| plan.sales.iter_mut().for_each(|sale| sale.relock = None),
    |plan| plan.unknown_word = None,
    |plan| plan.chances.create = CallChances::default(),
    |plan| plan.chances.details = CallChances::default(),
    |plan| plan.chances.lock = CallChances::default(),
    |plan| plan.chances.webhooks = WebhookChances::default(),
    |plan| plan.network = Network::default(),
    |plan| plan.network.late_requests = 0,
    |plan| plan.network.lost_answers = 0,
    |plan| plan.network.no_connection = 0,
    |plan| plan.chances.create.slow = 0,
    |plan| plan.chances.create.throttled = 0,
    |plan| plan.chances.details.slow = 0,
    |plan| plan.chances.details.stale = 0,
    |plan| plan.chances.details.answer_lost = 0,
    |plan| plan.chances.details.throttled = 0,
    |plan| plan.chances.webhooks.forged = 0,
    |plan| plan.chances.webhooks.lost_all = 0,
    |plan| plan.chances.webhooks.delayed = 0,
    |plan| plan.chances.webhooks.doubled = 0,
    |plan| drop_last_sale(plan),
];

/// A sale that no fault names.
fn drop_last_sale(plan: &mut Plan) {
    let last = plan.sales.len() - 1;
    let named = plan.faults.iter().any(|(_, fault)| fault.sale() == Some(last));
    if last > 0 && !named {
        plan.sales.pop();
    }
}

/// How much can go wrong in it.
fn size(plan: &Plan) -> usize {
    let Network { late_requests, lost_answers, no_connection, create_answers_after: _ } =
        plan.network;
    let network = [late_requests, lost_answers, no_connection];
    let calls = |chances: &CallChances| {
        let CallChances {
            answer_lost,
            answer_hung,
            dropped,
            p500_before,
            p501_before,
            p500_after,
            p501_after,
            denied,
            throttled,
            garbage,
            slow,
            stale,
        } = chances;
        let faults = [answer_lost, answer_hung, dropped, p500_before, p501_before, p500_after];
        let more = [p501_after, denied, throttled, garbage, slow, stale];
        faults.into_iter().chain(more).filter(|chance| **chance > 0).count()
    };
    let WebhookChances { lost_all, lost_try, doubled, delayed, reordered, forged } =
        &plan.chances.webhooks;
    let webhooks = [lost_all, lost_try, doubled, delayed, reordered, forged];
    usize::from(plan.unknown_word.is_some())
        + plan.faults.len()
        + plan.sales.len()
        + plan.sales.iter().filter(|sale| sale.relock.is_some()).count()
        + network.iter().filter(|chance| **chance > 0).count()
        + calls(&plan.chances.create)
        + calls(&plan.chances.details)
        + calls(&plan.chances.lock)
        + webhooks.into_iter().filter(|chance| **chance > 0).count()
}
