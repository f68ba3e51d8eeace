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
    /// It may have an effect; the last choice to try a provider that was down.
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

#[derive(Debug)]
struct State {
    waiters: BTreeMap<(Timestamp, u64), Waiter>,
    arrivals: u64,
    in_flight: usize,
    parked_in_flight: usize,
    /// When the rate allows a call, with the burst behind it (GCRA's theoretical arrival time).
    arrival: Instant,
    throttled_until: Option<Instant>,
    circuit: Circuit,
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
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.gate.lock();
        state.in_flight -= 1;
        if self.purpose == Purpose::Parked {
            state.parked_in_flight -= 1;
        }
        if let Circuit::Probing { on_its_way, .. } = &mut state.circuit {
            *on_its_way = false;
        }
        drop(state);
        self.gate.changed.notify_one();
    }
}

impl Permit {
    /// Says how the call went, and gives the permit back.
    pub(crate) fn report<T>(self, result: &Result<T, CallError>) {
        let class = result.as_ref().err().map(|error| (error.class, error.retry_after));
        self.gate.lock().report(class, Instant::now(), &self.gate.budget);
    }
}

impl State {
    fn report(
        &mut self,
        failure: Option<(FailureClass, Option<Duration>)>,
        now: Instant,
        budget: &Budget,
    ) {
        /// A wait that the provider asks for is believed up to here.
        const THROTTLE_MAX: Duration = Duration::from_secs(15 * 60);
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
                Circuit::Closed { .. } => self.open(1, now, budget),
                Circuit::Probing { times, .. } => self.open(times + 1, now, budget),
                // Calls that were on their way when it opened say nothing new.
                Circuit::Open { .. } => {}
            },
        }
    }

    fn open(&mut self, times: u32, now: Instant, budget: &Budget) {
        let (first, longest) = budget.open_for;
        let wait = first.saturating_mul(1 << (times - 1).min(16)).min(longest);
        self.circuit = Circuit::Open { until: now + wait, times, denied: false };
    }

    /// The next waiter that may go, or when to look again (`None`: when something changes).
    fn grant(&mut self, now: Instant, budget: &Budget) -> Result<Waiter, Option<Instant>> {
        self.waiters.retain(|_, waiter| !waiter.permit.is_closed());
        if self.waiters.is_empty() || self.in_flight >= budget.concurrent {
            return Err(None);
        }
        if let Some(until) = self.throttled_until {
            if now < until {
                return Err(Some(until));
            }
            self.throttled_until = None;
        }
        let probing = match self.circuit {
            Circuit::Closed { .. } => false,
            Circuit::Open { until, .. } if now < until => return Err(Some(until)),
            Circuit::Open { times, denied, .. } => {
                self.circuit = Circuit::Probing { times, denied, on_its_way: false };
                true
            }
            Circuit::Probing { on_its_way: true, .. } => return Err(None),
            Circuit::Probing { .. } => true,
        };
        let interval = Duration::from_secs_f64(1.0 / budget.per_second);
        let earliest = self.arrival.checked_sub(interval * budget.burst).unwrap_or(now);
        if now < earliest {
            return Err(Some(earliest));
        }
        let parked_max = (budget.concurrent / 4).max(1);
        let may_go = |waiter: &Waiter| {
            waiter.purpose != Purpose::Parked || self.parked_in_flight < parked_max
        };
        // A create whose answer is lost is dear; anything else tries a provider that was down.
        let safe = |waiter: &Waiter| !probing || waiter.purpose != Purpose::Create;
        let next = self
            .waiters
            .iter()
            .find(|(_, waiter)| may_go(waiter) && safe(waiter))
            .or_else(|| self.waiters.iter().find(|(_, waiter)| may_go(waiter)))
            .map(|(key, _)| *key);
        let Some(waiter) = next.and_then(|key| self.waiters.remove(&key)) else { return Err(None) };
        if let Circuit::Probing { on_its_way, .. } = &mut self.circuit {
            *on_its_way = true;
        }
        self.arrival = self.arrival.max(now) + interval;
        self.in_flight += 1;
        if waiter.purpose == Purpose::Parked {
            self.parked_in_flight += 1;
        }
        Ok(waiter)
    }
}

impl Gate {
    pub(crate) fn new(budget: Budget) -> Arc<Self> {
        let state = State {
            waiters: BTreeMap::new(),
            arrivals: 0,
            in_flight: 0,
            parked_in_flight: 0,
            arrival: Instant::now(),
            throttled_until: None,
            circuit: Circuit::Closed { failures: 0 },
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
            state.arrivals += 1;
            let key = (deadline, state.arrivals);
            state.waiters.insert(key, Waiter { purpose, permit });
        }
        self.changed.notify_one();
        granted.await.ok()
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().waiters.len()
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
                Ok(waiter) => {
                    let permit = Permit { gate: Arc::clone(&self), purpose: waiter.purpose };
                    // A waiter that left meanwhile gives it back by dropping it.
                    drop(waiter.permit.send(permit));
                    continue;
                }
                Err(look_again) => look_again,
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.changed.notified() => {}
                () = sleep_until(look_again) => {}
            }
        }
        let waiters = std::mem::take(&mut self.lock().waiters);
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
mod tests {
    use super::*;

    fn budget() -> Budget {
        Budget {
            per_second: 10.0,
            burst: 2,
            concurrent: 4,
            failures_to_open: 2,
            ..Budget::default()
        }
    }

    fn failure(class: FailureClass) -> Result<(), CallError> {
        Err(CallError { class, code: None, status: None, why: String::new(), retry_after: None })
    }

    fn running(budget: Budget) -> Arc<Gate> {
        let gate = Gate::new(budget);
        tokio::spawn(Arc::clone(&gate).run(CancellationToken::new()));
        gate
    }

    const FAR: Timestamp = Timestamp::from_micros(i64::MAX);

    #[tokio::test(start_paused = true)]
    async fn keeps_to_the_rate_after_the_burst() {
        let gate = running(budget());
        let start = Instant::now();
        let mut times = Vec::new();
        for _ in 0..6 {
            gate.permit(Purpose::Read, FAR).await.unwrap().report(&Ok(()));
            times.push(start.elapsed().as_millis());
        }
        // Two at once and the one that is due, then one every 100 ms.
        assert_eq!(times, [0, 0, 0, 100, 200, 300]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_deadline_goes_first() {
        let gate = running(Budget { concurrent: 1, ..budget() });
        let held = gate.permit(Purpose::Read, FAR).await.unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for deadline in [30, 10, 20] {
            let (gate, order) = (Arc::clone(&gate), Arc::clone(&order));
            tasks.push(tokio::spawn(async move {
                let permit =
                    gate.permit(Purpose::Read, Timestamp::from_micros(deadline)).await.unwrap();
                order.lock().unwrap().push(deadline);
                drop(permit);
            }));
        }
        while gate.waiting() < 3 {
            tokio::task::yield_now().await;
        }
        drop(held);
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), [10, 20, 30]);
    }

    #[tokio::test(start_paused = true)]
    async fn opens_after_failures_and_lets_one_safe_call_try() {
        let gate = running(budget());
        for _ in 0..2 {
            gate.permit(Purpose::Read, FAR)
                .await
                .unwrap()
                .report(&failure(FailureClass::Ambiguous));
        }
        assert_eq!(gate.state(), GateState::Down);
        let start = Instant::now();
        let create = tokio::spawn({
            let gate = Arc::clone(&gate);
            async move {
                gate.permit(Purpose::Create, Timestamp::from_micros(0))
                    .await
                    .map(|_| Instant::now())
            }
        });
        while gate.waiting() < 1 {
            tokio::task::yield_now().await;
        }
        // The read came later and has a later deadline, but it is the one that tries.
        let read = gate.permit(Purpose::Read, FAR).await.unwrap();
        assert_eq!(start.elapsed().as_secs(), 1);
        assert!(!create.is_finished());
        read.report(&Ok(()));
        create.await.unwrap().unwrap();
        assert_eq!(gate.state(), GateState::Flowing);
    }

    #[tokio::test(start_paused = true)]
    async fn stays_open_longer_each_time() {
        let gate = running(budget());
        for _ in 0..2 {
            gate.permit(Purpose::Read, FAR).await.unwrap().report(&failure(FailureClass::NotSent));
        }
        let mut waits = Vec::new();
        for _ in 0..7 {
            let start = Instant::now();
            gate.permit(Purpose::Read, FAR)
                .await
                .unwrap()
                .report(&failure(FailureClass::Ambiguous));
            waits.push(start.elapsed().as_secs());
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_credential_stops_everything() {
        let gate = running(budget());
        gate.permit(Purpose::Read, FAR).await.unwrap().report(&failure(FailureClass::Denied));
        assert_eq!(gate.state(), GateState::Denied);
        let start = Instant::now();
        gate.permit(Purpose::Create, FAR).await.unwrap().report(&Ok(()));
        assert_eq!(start.elapsed().as_secs(), 60);
        assert_eq!(gate.state(), GateState::Flowing);
    }

    #[tokio::test(start_paused = true)]
    async fn waits_as_long_as_it_is_asked_to() {
        let gate = running(budget());
        let asked: Result<(), CallError> = Err(CallError {
            class: FailureClass::Throttled,
            code: None,
            status: Some(429),
            why: String::new(),
            retry_after: Some(Duration::from_secs(7)),
        });
        gate.permit(Purpose::Read, FAR).await.unwrap().report(&asked);
        assert_eq!(gate.state(), GateState::Throttled);
        let start = Instant::now();
        drop(gate.permit(Purpose::Read, FAR).await.unwrap());
        assert_eq!(start.elapsed().as_secs(), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn parked_calls_get_a_share_only() {
        let gate = running(Budget { burst: 100, ..budget() });
        let first = gate.permit(Purpose::Parked, FAR).await.unwrap();
        let second = tokio::spawn({
            let gate = Arc::clone(&gate);
            async move { gate.permit(Purpose::Parked, Timestamp::from_micros(0)).await }
        });
        while gate.waiting() < 1 {
            tokio::task::yield_now().await;
        }
        // Others pass it by.
        drop(gate.permit(Purpose::Read, FAR).await.unwrap());
        assert!(!second.is_finished());
        drop(first);
        assert!(second.await.unwrap().is_some());
    }
}
