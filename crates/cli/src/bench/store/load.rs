//! The load: so many orders in flight, each one step after the other, until all have ended.
//!
//! One task, as a shard of the engine is one task: what it costs beside the store is in the figures of every store alike.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream::FuturesUnordered};
use hdrhistogram::Histogram;
use orderkeep::Timestamp;

use super::arm::Arm;
use crate::{
    bench::life::{Act, Life},
    exit::Failure,
};

/// How much is to be done.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) inflight: usize,
    pub(super) orders: u64,
    /// No order is begun after it; those in flight go to their end.
    pub(super) time: Duration,
}

/// What was done.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) orders: u64,
    /// Until each act was durable, in microseconds.
    pub(super) commits: Histogram<u32>,
}

/// Runs the load; every order that was begun has ended when it returns.
pub(super) async fn run(arm: &Arm, plan: Plan) -> Result<Done, Failure> {
    let began = Timestamp::from_millis(jiff::Timestamp::now().as_millisecond());
    let started = Instant::now();
    let mut done = Done {
        orders: 0,
        commits: Histogram::new_with_max(60_000_000, 3).map_err(Failure::failed)?,
    };
    let mut begun = 0;
    let mut in_flight = FuturesUnordered::new();
    loop {
        while in_flight.len() < plan.inflight
            && begun < plan.orders
            && started.elapsed() < plan.time
        {
            // Orders do not all come in the same millisecond.
            let life = Box::new(Life::new(began.plus(Duration::from_millis(begun)))?);
            in_flight.push(act(arm, life));
            begun += 1;
        }
        let Some(acted) = in_flight.next().await else { break };
        let (life, took) = acted?;
        match took {
            Some(took) => {
                let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
                done.commits.saturating_record(took);
                in_flight.push(act(arm, life));
            }
            None => done.orders += 1,
        }
    }
    Ok(done)
}

/// One act, and how long it took until it was durable; `None` at the end.
async fn act(arm: &Arm, mut life: Box<Life>) -> Result<(Box<Life>, Option<Duration>), Failure> {
    let Some(act) = life.next()? else { return Ok((life, None)) };
    let started = Instant::now();
    match act {
        Act::Hear(item) => life.heard(arm.hear(item).await.map_err(Failure::failed)?),
        Act::Step(commit) => {
            arm.commit(commit).await.map_err(Failure::failed)?;
        }
    }
    Ok((life, Some(started.elapsed())))
}
