//! What every task of one sandbox shares: the model with its clock behind one mutex, and the two bells that wake the
//! tasks that wait for provider time. Nothing awaits while the mutex is held.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{clock::Clock, post::Target};
use crate::{
    config::{Secret, TimestampView},
    faults::OutageMode,
    model::Model,
};

#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    target: Mutex<Option<Target>>,
    pub(crate) api_key: Secret,
    pub(crate) control_token: Option<Secret>,
    pub(crate) timestamps: TimestampView,
    /// Rings when something may have become due earlier than it was.
    due: watch::Sender<u64>,
    /// Rings when the outages changed, or the clock jumped.
    outages: watch::Sender<u64>,
    pub(crate) stop: CancellationToken,
}

#[derive(Debug)]
struct State {
    model: Model,
    clock: Clock,
}

/// What the model does next, in wall time.
pub(crate) struct OutageNow {
    pub(crate) mode: Option<OutageMode>,
    /// Wall time to the next change, if one is known.
    pub(crate) changes_in: Option<Duration>,
}

impl Shared {
    pub(crate) fn new(
        model: Model,
        clock: Clock,
        target: Option<Target>,
        api_key: Secret,
        control_token: Option<Secret>,
        timestamps: TimestampView,
    ) -> Self {
        Self {
            state: Mutex::new(State { model, clock }),
            target: Mutex::new(target),
            api_key,
            control_token,
            timestamps,
            due: watch::Sender::new(0),
            outages: watch::Sender::new(0),
            stop: CancellationToken::new(),
        }
    }

    /// Uses the model at this moment of provider time.
    pub(crate) fn with<T>(&self, verb: impl FnOnce(&mut Model, i64) -> T) -> T {
        let mut state = self.state();
        let now = state.clock.at(Instant::now());
        let stamps = state.clock.stamps();
        state.model.set_stamps(stamps);
        verb(&mut state.model, now)
    }

    /// The same, and wakes the sender of webhooks: for every verb that may have made something due.
    pub(crate) fn change<T>(&self, verb: impl FnOnce(&mut Model, i64) -> T) -> T {
        let done = self.with(verb);
        self.due.send_modify(|rings| *rings = rings.wrapping_add(1));
        done
    }

    /// The same for verbs that may change an outage.
    pub(crate) fn change_outages<T>(&self, verb: impl FnOnce(&mut Model, i64) -> T) -> T {
        let done = self.change(verb);
        self.outages.send_modify(|rings| *rings = rings.wrapping_add(1));
        done
    }

    /// Moves provider time forward. Returns the new time.
    pub(crate) fn advance(&self, ms: i64) -> i64 {
        self.state().clock.advance(ms);
        self.change_outages(|model, now| {
            model.pass_to(now);
            now
        })
    }

    pub(crate) fn until(&self, provider_ms: i64) -> Duration {
        self.state().clock.until(Instant::now(), provider_ms)
    }

    pub(crate) fn wall(&self, provider_ms: i64) -> Duration {
        self.state().clock.wall(provider_ms)
    }

    pub(crate) fn outage(&self) -> OutageNow {
        let state = self.state();
        let moment = Instant::now();
        let (mode, changes_at) = state.model.outage(state.clock.at(moment));
        OutageNow { mode, changes_in: changes_at.map(|at| state.clock.until(moment, at)) }
    }

    pub(crate) fn due_bell(&self) -> watch::Receiver<u64> {
        self.due.subscribe()
    }

    pub(crate) fn outage_bell(&self) -> watch::Receiver<u64> {
        self.outages.subscribe()
    }

    pub(crate) fn target(&self) -> Option<Target> {
        self.target.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_target(&self, target: Option<Target>) {
        *self.target.lock().unwrap_or_else(PoisonError::into_inner) = target;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic inside the model is a bug that the panicking call reported; the others go on.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
