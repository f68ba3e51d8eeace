//! The one who kills: SIGKILL at random moments while orders are open, and a new start at once.

use std::{sync::Arc, sync::atomic::Ordering, time::Duration};

use rand::Rng;

use super::{Stage, engine::EngineProcess};
use crate::exit::Failure;

/// One kill in three comes so soon after the start that the engine is still finding its feet.
const EARLY: Duration = Duration::from_millis(50);

/// What came of it, and the engine's last life.
#[derive(Debug)]
pub(super) struct Killed {
    pub(super) kills: u32,
    pub(super) with_open: u32,
    pub(super) early: u32,
    pub(super) engine: EngineProcess,
}

pub(super) async fn run(stage: Arc<Stage>) -> Result<Killed, Failure> {
    let mut rng = stage.plan.rng(1);
    let (mut kills, mut with_open, mut early) = (0, 0, 0);
    let mut engine = EngineProcess::start(&stage)?;
    engine.ready(&stage).await?;
    while kills < stage.plan.kills {
        if kills > 0 && rng.random_ratio(1, 3) {
            tokio::time::sleep(EARLY.mul_f64(rng.random())).await;
            early += 1;
        } else {
            engine.ready(&stage).await?;
            wait_for_open(&stage).await;
            tokio::time::sleep(EARLY + stage.plan.life_longest().mul_f64(rng.random())).await;
            if let Some(status) = stage.status().await {
                stage.open.store(status["open"].as_u64().unwrap_or(0), Ordering::Release);
            }
        }
        // After an early kill nobody could ask; nothing ends while the engine is down.
        with_open += u32::from(stage.open.load(Ordering::Acquire) > 0);
        engine.kill().await?;
        kills += 1;
        stage.kills.store(kills, Ordering::Release);
        engine = EngineProcess::start(&stage)?;
    }
    engine.ready(&stage).await?;
    stage.killing_over.store(true, Ordering::Release);
    Ok(Killed { kills, with_open, early, engine })
}

/// Waits for an open order, or until none will come any more.
async fn wait_for_open(stage: &Stage) {
    const LOOK_EVERY: Duration = Duration::from_millis(10);
    loop {
        let open = stage.status().await.and_then(|status| status["open"].as_u64()).unwrap_or(0);
        stage.open.store(open, Ordering::Release);
        let all_submitted = stage.submitted.load(Ordering::Acquire) >= u64::from(stage.plan.orders);
        if open > 0 || all_submitted {
            return;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
