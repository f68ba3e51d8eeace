//! The callers: each takes a lock and submits an order, and tries again with the same key until it is answered.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{sync::Semaphore, task::JoinSet, time::MissedTickBehavior};

use super::Stage;
use crate::exit::Failure;

/// Callers at once.
const CALLERS: usize = 32;
/// How long a caller waits before it tries again.
const AGAIN: Duration = Duration::from_millis(50);

/// An order that the engine has said it has.
#[derive(Debug, Clone)]
pub(super) struct Acknowledged {
    pub(super) id: String,
    pub(super) lock_id: String,
}

pub(super) async fn run(stage: Arc<Stage>) -> Result<Vec<Acknowledged>, Failure> {
    let callers = Arc::new(Semaphore::new(CALLERS));
    let mut tasks = JoinSet::new();
    let mut pace = tokio::time::interval(stage.plan.submit_every());
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for number in 0..stage.plan.orders {
        pace.tick().await;
        while !stage.may_come(number) {
            tokio::time::sleep(AGAIN).await;
        }
        let caller = Arc::clone(&callers).acquire_owned().await.map_err(Failure::failed)?;
        let stage = Arc::clone(&stage);
        tasks.spawn(async move {
            let acknowledged = submit(&stage, number).await;
            drop(caller);
            acknowledged
        });
    }
    let mut acknowledged = Vec::new();
    while let Some(done) = tasks.join_next().await {
        acknowledged.push(done.map_err(Failure::failed)??);
    }
    Ok(acknowledged)
}

async fn submit(stage: &Stage, number: u32) -> Result<Acknowledged, Failure> {
    let amount = format!("{}.{:02}", 20 + number % 480, number % 100);
    let key = format!("demo-{}-{number}", stage.plan.seed);
    let lock = until_answered(
        stage,
        "/v1/locks",
        None,
        &json!({
            "amount": amount, "currency": "usdc", "network": "polygon",
        }),
    )
    .await?;
    let body = json!({ "lockId": lock["lockId"], "reference": number.to_string() });
    let order = until_answered(stage, "/v1/orders", Some(&key), &body).await?;
    stage.submitted.fetch_add(1, Ordering::AcqRel);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(Acknowledged { id: text(&order["id"]), lock_id: text(&lock["lockId"]) })
}

/// Asks until there is an answer: the engine may be down, and its provider too.
async fn until_answered(
    stage: &Stage,
    path: &str,
    key: Option<&str>,
    body: &Value,
) -> Result<Value, Failure> {
    loop {
        if let Ok(answer) = stage.engine.send(Method::POST, path, key, Some(body)).await {
            let later =
                answer.status.is_server_error() || answer.status == StatusCode::REQUEST_TIMEOUT;
            if !later {
                return answer.good();
            }
        }
        tokio::time::sleep(AGAIN).await;
    }
}
