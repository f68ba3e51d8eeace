//! The judgement: what the engine says, order by order, against what the provider wrote into its ledger.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use serde_json::Value;

use super::{
    Stage,
    killer::Killed,
    report::{Report, Tally},
    submitter::Acknowledged,
};
use crate::{exit::Failure, orders::pages};

/// Orders that have not ended and that no person is asked about.
pub(super) async fn open_without_review(stage: &Stage) -> Result<usize, Failure> {
    let open = pages(&stage.engine, "/v1/orders?open=true", usize::MAX).await?;
    Ok(open.iter().filter(|order| !in_review(order)).count())
}

fn in_review(order: &Value) -> bool {
    order["review"].as_array().is_some_and(|review| !review.is_empty())
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

pub(super) async fn compare(
    stage: &Stage,
    acknowledged: &[Acknowledged],
    killed: &Killed,
    elapsed: Duration,
) -> Result<Report, Failure> {
    let ledger = stage.control.get("/_control/ledger").await?.good()?;
    let orders = pages(&stage.engine, "/v1/orders", usize::MAX).await?;
    let mut unknown = Unknown::default();
    for order in &orders {
        unknown.read(stage, order).await?;
    }
    let mut judge = Judge::new(&ledger);
    for order in &orders {
        judge.order(order);
    }
    judge.missing(acknowledged, &orders);
    let deliveries = ledger["deliveries"].as_array().map_or(&[][..], Vec::as_slice);
    let delivered = deliveries.iter().filter(|delivery| word(&delivery["outcome"]) == "delivered");
    let (received, doubled) = delivered.fold((0, 0), |(received, doubled), delivery| {
        (received + 1, doubled + u64::from(delivery["doubled"] == Value::Bool(true)))
    });
    let tally = judge.tally;
    Ok(Report {
        orders: orders.len() as u64,
        executed: tally.executed,
        failed: tally.failed,
        review: tally.review,
        open: tally.open,
        lost: tally.lost,
        duplicate_creates: duplicate_creates(&ledger),
        unknown_creates: unknown.all,
        unknown_resolved: unknown.resolved,
        unknown_ended: unknown.all - unknown.resolved,
        kills: killed.kills,
        kills_with_open: killed.with_open,
        kills_early: killed.early,
        ledger_executed: tally.ledger_executed,
        ledger_orders: ledger["orders"].as_array().map_or(0, |orders| orders.len() as u64),
        webhooks_received: received,
        webhooks_duplicate: doubled,
        polls: ledger["calls"]["details"]["received"].as_u64().unwrap_or(0),
        elapsed_s: elapsed.as_secs_f64(),
        orders_per_s: orders.len() as f64 / elapsed.as_secs_f64().max(0.001),
        seed: stage.plan.seed,
        faults: stage.plan.faults.name(),
        twin: stage.plan.twin.is_some(),
        failed_for: tally.failed_for,
        review_for: tally.review_for,
        problems: judge.problems,
    })
}

/// Second and further orders that were made from one lock.
fn duplicate_creates(ledger: &Value) -> u64 {
    let locks = ledger["orders_per_lock"].as_object();
    locks
        .into_iter()
        .flat_map(serde_json::Map::values)
        .map(|orders| (orders.as_array().map_or(0, Vec::len) as u64).saturating_sub(1))
        .sum()
}

/// Creates whose outcome was unknown once, and those that evidence resolved.
#[derive(Debug, Default)]
struct Unknown {
    all: u64,
    resolved: u64,
}

impl Unknown {
    async fn read(&mut self, stage: &Stage, order: &Value) -> Result<(), Failure> {
        let path = format!("/v1/orders/{}/history", word(&order["id"]));
        let history = pages(&stage.engine, &path, 200).await?;
        let at = |name: &str| history.iter().position(|event| event["event"].get(name).is_some());
        if let Some(unknown) = at("create_unknown") {
            self.all += 1;
            self.resolved += u64::from(at("bound").is_some_and(|bound| bound > unknown));
        }
        Ok(())
    }
}

/// Judges order by order.
struct Judge<'a> {
    /// The ledger's orders, by lock.
    by_lock: HashMap<&'a str, Vec<&'a Value>>,
    tally: Tally,
    problems: Vec<String>,
}

/// More problems than these say nothing new.
const PROBLEMS_MAX: usize = 20;

impl<'a> Judge<'a> {
    fn new(ledger: &'a Value) -> Self {
        let mut by_lock: HashMap<&str, Vec<&Value>> = HashMap::new();
        for order in ledger["orders"].as_array().into_iter().flatten() {
            by_lock.entry(word(&order["lock_id"])).or_default().push(order);
        }
        Self { by_lock, tally: Tally::default(), problems: Vec::new() }
    }

    fn problem(&mut self, order: &Value, what: impl std::fmt::Display) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(format!(
                "order {} ({}): {what}",
                word(&order["id"]),
                word(&order["state"])
            ));
        }
    }

    fn order(&mut self, order: &Value) {
        let truth = self.by_lock.get(word(&order["terms"]["lockId"])).cloned().unwrap_or_default();
        let executed = truth.iter().any(|order| order["executed"] == Value::Bool(true));
        let state = word(&order["state"]);
        if in_review(order) {
            self.tally.review += 1;
            self.review(order, &truth);
            return;
        }
        self.tally.ledger_executed += u64::from(executed);
        match state {
            "Executed" => {
                self.tally.executed += 1;
                if !executed {
                    self.problem(order, "the provider never executed it");
                }
            }
            "Failed" => {
                self.tally.failed += 1;
                let reason = word(&order["failReason"]).to_owned();
                *self.tally.failed_for.entry(reason).or_default() += 1;
                if executed {
                    self.problem(order, "the provider executed it");
                }
                if truth.iter().any(|order| holds_funds(order)) {
                    self.problem(order, "the provider holds funds for it, and no person was asked");
                }
            }
            _ => {
                self.tally.open += 1;
                self.problem(order, "it has not ended");
            }
        }
        if truth.len() > 1 {
            self.problem(order, format_args!("{} orders were made from its lock", truth.len()));
        }
    }

    /// A person was asked: does the ledger say so too?
    fn review(&mut self, order: &Value, truth: &[&Value]) {
        for review in order["review"].as_array().into_iter().flatten() {
            let reason = word(&review["reason"]);
            *self.tally.review_for.entry(reason.to_owned()).or_default() += 1;
            let status = |status: &str| truth.iter().any(|order| word(&order["status"]) == status);
            let justified = match reason {
                "funds_on_failed" | "late_funds" => truth.iter().any(|order| holds_funds(order)),
                "second_provider_order" => truth.len() > 1,
                "unexpected_provider_order" => !truth.is_empty(),
                "reversed" => status("REVERSED"),
                "corrected" => truth.iter().any(|order| order["executed"] == Value::Bool(true)),
                // Nothing in the ledger can justify the rest: in a demo they must not come up.
                _ => false,
            };
            if !justified {
                self.problem(
                    order,
                    format_args!("in review for `{reason}`, which the ledger does not bear out"),
                );
            }
        }
    }

    /// Orders that were acknowledged and are gone, and orders of the provider that nobody here knows.
    fn missing(&mut self, acknowledged: &[Acknowledged], orders: &[Value]) {
        let ids: HashSet<&str> = orders.iter().map(|order| word(&order["id"])).collect();
        let locks: HashSet<&str> =
            orders.iter().map(|order| word(&order["terms"]["lockId"])).collect();
        for order in acknowledged {
            if !ids.contains(order.id.as_str()) || !locks.contains(order.lock_id.as_str()) {
                self.tally.lost += 1;
                self.problems.push(format!("order {} was acknowledged, and is gone", order.id));
            }
        }
        let foreign: Vec<_> =
            self.by_lock.keys().filter(|lock| !locks.contains(*lock)).copied().collect();
        for lock in foreign {
            self.tally.lost += 1;
            self.problems
                .push(format!("the provider has an order of lock {lock}, and the engine has none"));
        }
    }
}

fn holds_funds(order: &Value) -> bool {
    let received = word(&order["received"]);
    order["executed"] != Value::Bool(true)
        && received.bytes().any(|byte| (b'1'..=b'9').contains(&byte))
}

/// How often each reason was given.
pub(super) type Reasons = BTreeMap<String, u64>;
