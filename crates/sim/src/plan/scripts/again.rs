//! A create of unknown outcome is posted again by a person, and while the second one is on its way the order that the
//! first one made is found.

use orderkeep_sandbox::{CallFault, Endpoint, Rule, SecondCreate, WebhookFault};

use super::{Ask, Fault, Millis, Plan, calm};

/// How long a create's answer takes. The first one's is lost then, and the second one is posted 2 s later.
const ANSWERED_AFTER: Millis = 8_000;
/// When the order that the first one made is told of, at last: while the second one is on its way.
const TOLD_AT: Millis = 12_500;

pub(super) fn plans() -> Vec<Plan> {
    let mut plans = vec![two_orders()];
    for found in found() {
        plans.extend(second_answers(&found, 0, 10_000));
    }
    plans.extend(second_answers(&sold_in_a_lost_life(), 1, 16_000));
    plans
}

/// How the second create may be answered: that the lock is used up, not at all, that it is too much, or not allowed.
/// `spared`: creates before it that no rule strikes.
fn second_answers(found: &Plan, spared: u64, posted_at: Millis) -> Vec<Plan> {
    let mut used_up = found.clone();
    used_up.provider.second_create = SecondCreate::Refused;
    let cut = Fault::Partition { lasts: 600, silent: true };
    let not_sent = found.clone().with(posted_at - 100, cut);
    let answered = |fault| {
        let mut plan = found.clone();
        plan.chances.rules.push(Rule::call(Endpoint::Create, fault).after(spared));
        plan
    };
    let throttled = answered(CallFault::Throttled { retry_after_s: 1 });
    vec![used_up, not_sent, throttled, answered(CallFault::Denied {})]
}

/// The order of the first create, by how far it has come when it is told of.
fn found() -> Vec<Plan> {
    let mut lost = calm().asked(10_000, 1_000, &[Ask::PostAgain]);
    lost.network.create_answers_after = ANSWERED_AFTER;
    lost.provider.lock_ttl_ms = 100_000;
    let told_after = |plan: &Plan, millis| {
        let mut plan = plan.clone();
        let late = WebhookFault::Delayed { delay_ms: TOLD_AT - millis };
        let answer_lost = Rule::call(Endpoint::Create, CallFault::AnswerLost {});
        plan.chances.rules = vec![answer_lost, Rule::webhook(None, late)];
        plan
    };
    let mut no_address = told_after(&lost, 50);
    no_address.provider.webhook_on_create = true;
    no_address.provider.wallet_delay_ms = 30_000;
    let nameless = Plan { unknown_word: Some("WAITING_FOR_WALLET_ADDRESS"), ..no_address.clone() };
    let mut unpaid = told_after(&lost, 550);
    unpaid.provider.wallet_delay_ms = 500;
    let mut failed = told_after(&lost, 1_000).with(1_000, Fault::ProviderFailure { sale: 0 });
    failed.provider.wallet_delay_ms = 30_000;
    vec![nameless, no_address, unpaid, failed]
}

/// An older copy, in which the order is not bound yet, is told of its sale while a person posts again.
fn sold_in_a_lost_life() -> Plan {
    let restore = Fault::Restore { age: 11_000, down: 500, lift_after: 1_000 };
    let mut sold = calm().with(12_000, restore).with(13_000, Fault::SubmitAgain { sale: 0 });
    sold.network.create_answers_after = 3_000;
    sold.provider.lock_ttl_ms = 100_000;
    sold.provider.wallet_delay_ms = 3_200;
    sold.provider.required_confirmations = 0;
    sold.sales[0].payments = vec![(500, 100)];
    // Sold at about 5 s.
    let late = WebhookFault::Delayed { delay_ms: 12_500 };
    sold.chances.rules = vec![Rule::webhook(Some("COMPLETED".to_owned()), late)];
    sold.asked(14_000, 2_000, &[Ask::Acknowledge, Ask::PostAgain])
}

/// Both creates made an order, and the answers of both are lost. One is given up there, and told of when the other is
/// sold.
fn two_orders() -> Plan {
    let mut plan = calm().asked(2_000, 1_000, &[Ask::PostAgain]);
    plan.provider.lock_ttl_ms = 100_000;
    let late = WebhookFault::Delayed { delay_ms: 60_000 };
    plan.chances.rules = vec![
        Rule::call(Endpoint::Create, CallFault::AnswerLost {}).times(2),
        Rule::webhook(Some("FAILED".to_owned()), late),
    ];
    plan.with(3_000, Fault::ProviderFailure { sale: 0 })
}
