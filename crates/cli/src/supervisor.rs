//! Talking to systemd, where it started this process: ready, still alive, stopping. Elsewhere nothing of it happens.

use std::time::Duration;

use orderkeep::Engine;
use sd_notify::NotifyState;

/// It answers from now on. While it does, the watchdog is told: a process that hangs is started again.
pub(crate) fn ready(engine: &Engine) {
    tell(&[NotifyState::Ready, NotifyState::Status("serving")]);
    let mut micros = 0;
    // The variables stay: removing them while other threads read them is not sound.
    if sd_notify::watchdog_enabled(false, &mut micros) && micros > 0 {
        tokio::spawn(alive(engine.clone(), Duration::from_micros(micros) / 3));
    }
}

/// It was asked to end, and does so once what is on its way is seen through. Said at the beginning of that, so that
/// nobody takes the rest for a hang.
pub(crate) fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("seeing requests and calls through")]);
}

/// Only while tasks still run and the engine has not halted.
async fn alive(engine: Engine, every: Duration) {
    let halted = engine.halted();
    tokio::pin!(halted);
    loop {
        tokio::select! {
            _ = &mut halted => return,
            () = tokio::time::sleep(every) => tell(&[NotifyState::Watchdog]),
        }
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(false, states) {
        tracing::warn!(%error, "the service manager was not told");
    }
}
