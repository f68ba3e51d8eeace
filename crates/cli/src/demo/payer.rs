//! The payers: each pays to the address that the engine shows, once, in its own way.

use std::{collections::HashSet, sync::Arc, time::Duration};

use orderkeep::Exact;
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

use super::Stage;
use crate::orders::pages;

/// How often payers look.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How one payer pays. Out of a hundred: 83 exactly, 9 in two transfers, 4 too much, 3 not at all, 1 too little.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Exact,
    TwoTransfers,
    Over,
    Never,
    Under,
}

impl Way {
    /// The same order pays the same way in every run of a seed.
    fn of(stage: &Stage, order: &Value) -> Self {
        let number: u64 =
            order["reference"].as_str().and_then(|text| text.parse().ok()).unwrap_or(0);
        match StdRng::seed_from_u64(stage.plan.seed ^ (number << 20)).random_range(0..100) {
            0..83 => Self::Exact,
            83..92 => Self::TwoTransfers,
            92..96 => Self::Over,
            96..99 => Self::Never,
            _ => Self::Under,
        }
    }
}

/// Pays until it is stopped.
pub(super) async fn run(stage: Arc<Stage>) {
    let mut paid = HashSet::new();
    loop {
        let orders = pages(&stage.engine, "/v1/orders?state=AwaitingPayment", usize::MAX)
            .await
            .unwrap_or_default();
        for order in &orders {
            let Some(address) = order["address"].as_str() else { continue };
            if paid.contains(address) {
                continue;
            }
            let Some(payment) = payment(&stage, order, address) else {
                paid.insert(address.to_owned());
                continue;
            };
            // Refused: already paid, or over.
            if stage.control.post("/_control/pay", &payment).await.is_ok() {
                paid.insert(address.to_owned());
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn payment(stage: &Stage, order: &Value, address: &str) -> Option<Value> {
    let required: Exact = order["payment"]["required"].as_str()?.parse().ok()?;
    let one: Exact = "1".parse().ok()?;
    match Way::of(stage, order) {
        Way::Exact => Some(json!({ "address": address })),
        Way::TwoTransfers => Some(json!({ "address": address, "transactions": 2 })),
        Way::Over => {
            let amount = Exact::from(required.value() + one.value());
            Some(json!({ "address": address, "amount": amount.text() }))
        }
        Way::Under => Some(json!({ "address": address, "amount": "1" })),
        Way::Never => None,
    }
}
