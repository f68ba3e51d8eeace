//! What the engine is told: its budget, its policy, its answers. The defaults are the engine's own.

use std::collections::BTreeMap;

use orderkeep::{AnswerTable, Budget, CreateVerdict, EngineConfig, Exact, Policy, policy::Polling};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Settings, Span};

/// What may be asked of the provider, per account.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BudgetSettings {
    /// Calls per second, on average. (assumed: the provider's limits were not seen)
    per_second: f64,
    /// Calls at once after a pause.
    burst: u32,
    /// Calls on their way at the same time.
    concurrent: usize,
    /// So many failures in a row, and the provider counts as down.
    failures_to_open: u32,
    /// How long to wait then before one call tries, doubling ...
    open_for_first: Span,
    /// ... up to this.
    open_for_longest: Span,
    /// How long to wait after a 401.
    denied_for: Span,
}

impl Default for BudgetSettings {
    fn default() -> Self {
        let budget = Budget::default();
        Self {
            per_second: budget.per_second,
            burst: budget.burst,
            concurrent: budget.concurrent,
            failures_to_open: budget.failures_to_open,
            open_for_first: budget.open_for.0.into(),
            open_for_longest: budget.open_for.1.into(),
            denied_for: budget.denied_for.into(),
        }
    }
}

/// How orders are judged, and when a person is asked.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PolicySettings {
    /// A create is never sent later than this before its lock ends.
    lock_margin: Span,
    /// Without an answer for so long a create's outcome is unknown.
    create_timeout: Span,
    /// Before a create that had no effect is sent again: first, longest.
    create_backoff: (Span, Span),
    /// How long after its lock's end an order made from it can still be alive at the provider. With it an unknown create
    /// ends as Failed (`unknown_create`) when both are past; without it (the default) it stays until evidence or a person.
    #[schemars(example = "1h")]
    provider_order_window: Option<Span>,
    /// An unknown create asks for a person after this long.
    unknown_create_review_after: Span,
    /// A fresh lock that does not come asks for a person after this long.
    relock_review_after: Span,
    /// A missing address asks for a person after this long.
    wallet_review_after: Span,
    /// A payment that is seen and not decided asks for a person after this long.
    confirming_review_after: Span,
    /// An order past its deadline that the provider does not end asks for a person after this long.
    overdue_review_after: Span,
    /// An order with an address and without a deadline asks for a person after this long.
    unpaid_review_after: Span,
    /// A status that is not known asks for a person after this long.
    unknown_status_review_after: Span,
    /// The provider may not find its own order for so long after making it.
    not_found_grace: Span,
    /// How far an order's amount may be from its lock's.
    #[schemars(with = "String")]
    amount_tolerance: Exact,
    /// Believe an address that a webhook claims, without a read.
    trust_claimed_address: bool,
    /// Believe a webhook that says it was executed, without a read.
    trust_claimed_executed: bool,
    /// Believe a webhook that says it failed, expired or was underpaid, without a read.
    trust_claimed_failed: bool,
    /// How long an ended order is listened to.
    watch_after_end: Span,
    /// How often orders are read while their address is awaited: at most, at least; in between by their age.
    poll_wallet: (Span, Span),
    /// While a payment is awaited.
    poll_payment: (Span, Span),
    /// While a payment is confirmed, or the deadline is near.
    poll_confirming: (Span, Span),
    /// After the end.
    poll_watch: (Span, Span),
}

impl Default for PolicySettings {
    fn default() -> Self {
        let policy = Policy::default();
        let pair =
            |(first, last): (std::time::Duration, std::time::Duration)| (Span(first), Span(last));
        Self {
            lock_margin: policy.lock_margin.into(),
            create_timeout: policy.create_timeout.into(),
            create_backoff: pair(policy.create_backoff),
            provider_order_window: policy.provider_order_window.map(Span),
            unknown_create_review_after: policy.unknown_create_review_after.into(),
            relock_review_after: policy.relock_review_after.into(),
            wallet_review_after: policy.wallet_review_after.into(),
            confirming_review_after: policy.confirming_review_after.into(),
            overdue_review_after: policy.overdue_review_after.into(),
            unpaid_review_after: policy.unpaid_review_after.into(),
            unknown_status_review_after: policy.unknown_status_review_after.into(),
            not_found_grace: policy.not_found_grace.into(),
            amount_tolerance: policy.amount_tolerance,
            trust_claimed_address: policy.trust_claimed_address,
            trust_claimed_executed: policy.trust_claimed_executed,
            trust_claimed_failed: policy.trust_claimed_failed,
            watch_after_end: policy.watch_after_end.into(),
            poll_wallet: pair(policy.polling.wallet),
            poll_payment: pair(policy.polling.payment),
            poll_confirming: pair(policy.polling.confirming),
            poll_watch: pair(policy.polling.watch),
        }
    }
}

impl PolicySettings {
    fn policy(&self, verdicts: &BTreeMap<String, CreateVerdict>) -> Policy {
        let pair = |(first, last): (Span, Span)| (first.0, last.0);
        let answers = verdicts
            .iter()
            .fold(AnswerTable::default(), |table, (code, verdict)| table.with(code, *verdict));
        Policy {
            lock_margin: self.lock_margin.0,
            clock_ahead: std::time::Duration::ZERO,
            create_timeout: self.create_timeout.0,
            create_backoff: pair(self.create_backoff),
            answers,
            provider_order_window: self.provider_order_window.map(|span| span.0),
            unknown_create_review_after: self.unknown_create_review_after.0,
            relock_review_after: self.relock_review_after.0,
            wallet_review_after: self.wallet_review_after.0,
            confirming_review_after: self.confirming_review_after.0,
            overdue_review_after: self.overdue_review_after.0,
            unpaid_review_after: self.unpaid_review_after.0,
            unknown_status_review_after: self.unknown_status_review_after.0,
            not_found_grace: self.not_found_grace.0,
            amount_tolerance: self.amount_tolerance.clone(),
            trust_claimed_address: self.trust_claimed_address,
            trust_claimed_executed: self.trust_claimed_executed,
            trust_claimed_failed: self.trust_claimed_failed,
            watch_after_end: self.watch_after_end.0,
            polling: Polling {
                wallet: pair(self.poll_wallet),
                payment: pair(self.poll_payment),
                confirming: pair(self.poll_confirming),
                watch: pair(self.poll_watch),
            },
        }
    }
}

impl Settings {
    pub(crate) fn engine(&self) -> EngineConfig {
        let budget = &self.budget;
        EngineConfig {
            policy: self.policy.policy(&self.answers),
            budget: Budget {
                per_second: budget.per_second,
                burst: budget.burst,
                concurrent: budget.concurrent,
                failures_to_open: budget.failures_to_open,
                open_for: (budget.open_for_first.0, budget.open_for_longest.0),
                denied_for: budget.denied_for.0,
            },
            keep_other_webhooks: self.webhooks.forward_url.is_some(),
            inbox_max: self.limits.inbox,
            webhook_bytes_max: self.limits.webhook_bytes,
            ..EngineConfig::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each kind of change is believed or verified for itself.
    #[test]
    fn what_a_webhook_claims_is_trusted_kind_by_kind() {
        let trusts = |key: &str| {
            let text = format!("[policy]\n{key} = true");
            let policy = toml::from_str::<Settings>(&text).unwrap().engine().policy;
            [
                policy.trust_claimed_address,
                policy.trust_claimed_executed,
                policy.trust_claimed_failed,
            ]
        };
        assert_eq!(trusts("trust_claimed_address"), [true, false, false]);
        assert_eq!(trusts("trust_claimed_executed"), [false, true, false]);
        assert_eq!(trusts("trust_claimed_failed"), [false, false, true]);
    }
}
