//! The request budget of one account: who may call the provider, and when.
//!
//! All orders share it, oldest deadline first. It slows down to what the provider takes (rate, `Retry-After`), stops
//! when the provider cannot be seen (circuit breaker) or refuses the credential, and then lets one call try.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use orderkeep_core::Timestamp;
use orderkeep_provider::{CallError, FailureClass};
use tokio::{
    sync::{Notify, oneshot},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::Budget;

/// Whether calls go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateState {
    /// They do.
    Flowing,
    /// The provider asked to wait.
    Throttled,
    /// The provider cannot be seen; one call tries now and then.
    Down,
    /// The provider refuses the credential; one call tries now and then. Somebody has to look.
    Denied,
}

/// What a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Purpose {
    /// It may have an effect, and its lock ends soon: it goes before what can be asked again, at most every other time
    /// while a read waits. The last choice to try a provider that was down.
    Create,
    /// It is safe.
    Read,
    /// It is safe, and for an order that is perhaps not ours: never more than a share of the budget.
    Parked,
}

#[derive(Debug)]
pub(crate) struct Gate {
    budget: Budget,
    state: Mutex<State>,
    changed: Notify,
}

/// What is for orders that are perhaps not ours gets one call in so many.
const PARKED_SHARE: u32 = 4;

type Waiters = BTreeMap<(Timestamp, u64), Waiter>;

#[derive(Debug)]
struct State {
    creates: Waiters,
    reads: Waiters,
    arrivals: u64,
    /// The last leave was for a create: the next is for a read, if one waits.
    create_went_last: bool,
    in_flight: usize,
    parked_in_flight: usize,
    /// When the rate allows a call, with the burst behind it (GCRA's theoretical arrival time).
    arrival: Instant,
    /// The same for parked calls, by their share of the rate.
    parked_arrival: Instant,
    throttled_until: Option<Instant>,
    circuit: Circuit,
    /// When a call was last answered, if none has failed since.
    seen_at: Option<Instant>,
    /// The engine stops: nobody waits any more.
    closed: bool,
}

#[derive(Debug)]
struct Waiter {
    purpose: Purpose,
    permit: oneshot::Sender<Permit>,
}

#[derive(Debug, Clone, Copy)]
enum Circuit {
    Closed { failures: u32 },
    Open { until: Instant, times: u32, denied: bool },
    Probing { times: u32, denied: bool, on_its_way: bool },
}

/// Leave for one call. Give it back with [`Permit::report`], or by dropping it if no call was made.
#[derive(Debug)]
pub(crate) struct Permit {
    gate: Arc<Gate>,
    purpose: Purpose,
    /// It is the one call that tries a provider that was down.
    probe: bool,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.gate.lock();
        state.in_flight -= 1;
        if self.purpose == Purpose::Parked {
            state.parked_in_flight -= 1;
        }
        if self.probe
            && let Circuit::Probing { on_its_way, .. } = &mut state.circuit
        {
            *on_its_way = false;
        }
        drop(state);
        self.gate.changed.notify_one();
    }
}

impl Permit {
    /// Says how the call went, and gives the permit back.
    pub(crate) fn report<T>(self, result: &Result<T, CallError>) {
        let failure = result.as_ref().err().map(|error| {
            let denied = error.refuses_credential();
            (if denied { FailureClass::Denied } else { error.class }, error.retry_after)
        });
        self.gate.lock().report(failure, self.probe, Instant::now(), &self.gate.budget);
    }
}

impl State {
    fn report(
        &mut self,
        failure: Option<(FailureClass, Option<Duration>)>,
        probe: bool,
        now: Instant,
        budget: &Budget,
    ) {
        /// A wait that the provider asks for is believed up to here.
        const THROTTLE_MAX: Duration = Duration::from_secs(15 * 60);
        self.seen_at = match failure.map(|(class, _)| class) {
            None | Some(FailureClass::Definite | FailureClass::Throttled) => Some(now),
            Some(FailureClass::Denied | FailureClass::NotSent | FailureClass::Ambiguous) => None,
        };
        match failure {
            None | Some((FailureClass::Definite, _)) => {
                self.circuit = Circuit::Closed { failures: 0 }
            }
            Some((FailureClass::Throttled, asked)) => {
                let wait = asked.unwrap_or(Duration::from_secs(1)).min(THROTTLE_MAX);
                self.throttled_until = Some(self.throttled_until.unwrap_or(now).max(now + wait));
            }
            Some((FailureClass::Denied, _)) => {
                self.circuit =
                    Circuit::Open { until: now + budget.denied_for, times: 1, denied: true };
            }
            Some((FailureClass::NotSent | FailureClass::Ambiguous, _)) => match self.circuit {
                Circuit::Closed { failures } if failures + 1 < budget.failures_to_open => {
                    self.circuit = Circuit::Closed { failures: failures + 1 };
                }
                Circuit::Closed { .. } => self.open(1, false, now, budget),
                Circuit::Probing { times, denied, .. } if probe => {
                    self.open(times.saturating_add(1), denied, now, budget);
                }
                // Calls that were on their way when it opened say nothing new.
                Circuit::Probing { .. } | Circuit::Open { .. } => {}
            },
        }
    }

    /// A refused credential stays refused until a call shows otherwise.
    fn open(&mut self, times: u32, denied: bool, now: Instant, budget: &Budget) {
        let (first, longest) = budget.open_for;
        let doubled = first.saturating_mul(1 << times.saturating_sub(1).min(16)).min(longest);
        let wait = if denied { budget.denied_for } else { doubled };
        self.circuit = Circuit::Open { until: now + wait, times, denied };
    }

    /// The next waiter that may go, or when to look again (`None`: when something changes).
    fn grant(&mut self, now: Instant, budget: &Budget) -> Result<Granted, Option<Instant>> {
        for waiters in [&mut self.creates, &mut self.reads] {
            waiters.retain(|_, waiter| !waiter.permit.is_closed());
        }
        let nobody = self.creates.is_empty() && self.reads.is_empty();
        if nobody || self.in_flight >= budget.concurrent {
            return Err(None);
        }
        if let Some(until) = self.throttled_until {
            if now < until {
                return Err(Some(until));
            }
            self.throttled_until = None;
        }
        let probing = match self.circuit {
            Circuit::Closed { .. } => None,
            Circuit::Open { until, .. } if now < until => return Err(Some(until)),
            Circuit::Probing { on_its_way: true, .. } => return Err(None),
            Circuit::Open { times, denied, .. } | Circuit::Probing { times, denied, .. } => {
                Some(Circuit::Probing { times, denied, on_its_way: true })
            }
        };
        let interval = budget.interval();
        let earliest = self.arrival.checked_sub(interval * budget.burst).unwrap_or(now);
        if now < earliest {
            return Err(Some(earliest));
        }
        let waiter = self.next(probing.is_some(), now, budget)?;
        if let Some(probing) = probing {
            self.circuit = probing;
        }
        self.create_went_last = waiter.purpose == Purpose::Create;
        self.arrival = self.arrival.max(now) + interval;
        self.in_flight += 1;
        if waiter.purpose == Purpose::Parked {
            self.parked_in_flight += 1;
            self.parked_arrival = self.parked_arrival.max(now) + interval * PARKED_SHARE;
        }
        Ok(Granted { waiter, probe: probing.is_some() })
    }

    /// Takes out whoever goes next.
    fn next(
        &mut self,
        probing: bool,
        now: Instant,
        budget: &Budget,
    ) -> Result<Waiter, Option<Instant>> {
        let parked_max = (budget.concurrent / PARKED_SHARE as usize).max(1);
        let behind = budget.interval() * PARKED_SHARE * (budget.burst / PARKED_SHARE).max(1);
        let parked_from = self.parked_arrival.checked_sub(behind).unwrap_or(now);
        let parked_may = self.parked_in_flight < parked_max && now >= parked_from;
        let may_go = |waiter: &Waiter| match waiter.purpose {
            Purpose::Create | Purpose::Read => true,
            Purpose::Parked => parked_may,
        };
        let read = self.reads.iter().find(|(_, waiter)| may_go(waiter)).map(|(key, _)| *key);
        // A create whose answer is lost is dear: anything else tries a provider that was down.
        let create_waits = read.is_some() && (probing || self.create_went_last);
        if !create_waits && let Some((_, create)) = self.creates.pop_first() {
            return Ok(create);
        }
        let again = (self.parked_in_flight < parked_max).then_some(parked_from);
        read.and_then(|key| self.reads.remove(&key)).ok_or(again)
    }
}

/// Somebody goes.
#[derive(Debug)]
struct Granted {
    waiter: Waiter,
    probe: bool,
}

impl Budget {
    /// Between two calls, on average.
    fn interval(&self) -> Duration {
        Duration::from_secs_f64(1.0 / self.per_second)
    }
}

impl Gate {
    pub(crate) fn new(budget: Budget) -> Arc<Self> {
        let state = State {
            creates: BTreeMap::new(),
            reads: BTreeMap::new(),
            arrivals: 0,
            create_went_last: false,
            in_flight: 0,
            parked_in_flight: 0,
            arrival: Instant::now(),
            parked_arrival: Instant::now(),
            throttled_until: None,
            circuit: Circuit::Closed { failures: 0 },
            seen_at: None,
            closed: false,
        };
        Arc::new(Self { budget, state: Mutex::new(state), changed: Notify::new() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for leave to call; `None` when the engine stops. Among those who wait, the oldest deadline goes first.
    pub(crate) async fn permit(&self, purpose: Purpose, deadline: Timestamp) -> Option<Permit> {
        let (permit, granted) = oneshot::channel();
        {
            let mut state = self.lock();
            if state.closed {
                return None;
            }
            state.arrivals += 1;
            let key = (deadline, state.arrivals);
            let waiters = match purpose {
                Purpose::Create => &mut state.creates,
                Purpose::Read | Purpose::Parked => &mut state.reads,
            };
            waiters.insert(key, Waiter { purpose, permit });
        }
        self.changed.notify_one();
        granted.await.ok()
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        let state = self.lock();
        state.creates.len() + state.reads.len()
    }

    /// Whether the provider was seen just now: a call was answered a short while ago, and none has failed since. Not so
    /// right after a start, before anything was called.
    pub(crate) fn answers(&self) -> bool {
        const SEEN_FOR: Duration = Duration::from_secs(60);
        self.lock().seen_at.is_some_and(|at| at.elapsed() <= SEEN_FOR)
    }

    /// Whether calls go out.
    pub(crate) fn state(&self) -> GateState {
        let state = self.lock();
        match state.circuit {
            Circuit::Open { denied: true, .. } | Circuit::Probing { denied: true, .. } => {
                GateState::Denied
            }
            Circuit::Open { .. } | Circuit::Probing { .. } => GateState::Down,
            Circuit::Closed { .. }
                if state.throttled_until.is_some_and(|until| Instant::now() < until) =>
            {
                GateState::Throttled
            }
            Circuit::Closed { .. } => GateState::Flowing,
        }
    }

    /// Grants permits until the engine stops. When it does, whoever still waits is told so.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut shown = GateState::Flowing;
        loop {
            let granted = self.lock().grant(Instant::now(), &self.budget);
            let state = self.state();
            if state != shown {
                tracing::warn!(from = ?shown, to = ?state, "calls to the provider");
                shown = state;
            }
            let look_again = match granted {
                Ok(Granted { waiter, probe }) => {
                    let permit = Permit { gate: Arc::clone(&self), purpose: waiter.purpose, probe };
                    // A waiter that left meanwhile gives it back by dropping it.
                    drop(waiter.permit.send(permit));
                    continue;
                }
                Err(look_again) => look_again,
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = self.changed.notified() => {}
                () = sleep_until(look_again) => {}
            }
        }
        let mut state = self.lock();
        state.closed = true;
        let waiters = (std::mem::take(&mut state.creates), std::mem::take(&mut state.reads));
        drop(state);
        drop(waiters);
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
