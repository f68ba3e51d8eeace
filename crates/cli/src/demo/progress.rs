//! What a person sees while it runs: a bar on a terminal, a line now and then elsewhere.

use std::{
    io::IsTerminal as _,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Stage;
use crate::exit::say;

const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A log that is read later wants fewer lines.
const LINE_EVERY: u32 = 15;

pub(super) async fn run(stage: Arc<Stage>) {
    let total = u64::from(stage.plan.orders);
    let terminal = std::io::stderr().is_terminal();
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    if let Ok(style) =
        ProgressStyle::with_template("{elapsed:>4} {wide_bar} {pos}/{len} ended  {msg}")
    {
        bar.set_style(style);
    }
    say(format_args!(
        "{} orders, {} kills, faults {}, seed {}",
        stage.plan.orders,
        stage.plan.kills,
        stage.plan.faults.name(),
        stage.plan.seed
    ));
    for look in 0_u32.. {
        if let Some(status) = stage.status().await {
            let count = |name: &str| status["orders"][name].as_u64().unwrap_or(0);
            let ended = count("Executed") + count("Failed");
            let open = status["open"].as_u64().unwrap_or(0);
            stage.open.store(open, Ordering::Release);
            bar.set_position(ended);
            let review = status["review"].as_u64().unwrap_or(0);
            let killing = if stage.killing_over.load(Ordering::Acquire) { "over" } else { "on" };
            bar.set_message(format!("{open} open  {review} in review  kills {killing}"));
            if !terminal && look % LINE_EVERY == 0 {
                let submitted = stage.submitted.load(Ordering::Acquire);
                say(format_args!(
                    "{submitted} submitted, {ended} ended, {open} open, {review} in review"
                ));
            }
        } else {
            bar.set_message("the engine is down");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
