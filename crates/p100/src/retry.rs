//! Short retries inside one call, for reads that are safe to repeat. Never for a create or a lock.
//!
//! The only place that knows the `backoff` crate: it computes the delays, the bounds are ours. Retries that outlive a
//! call belong to the engine, which keeps them durable; these only bridge a connection that breaks.

use std::{future::Future, time::Duration};

use backoff::{ExponentialBackoffBuilder, backoff::Backoff as _};
use tokio::time::{Instant, sleep};

/// A second look and a third: what two do not heal is an outage, and that is the engine's matter.
pub(crate) const RETRIES_MAX: u32 = 2;
/// No retry starts later than this after the call's start, so that a slow provider is not asked twice.
const STARTS_WITHIN: Duration = Duration::from_millis(1_900);
const FIRST_DELAY: Duration = Duration::from_millis(150);
const LONGEST_DELAY: Duration = Duration::from_millis(600);

/// Runs `call` until it succeeds, fails with what `heals` denies, or the bounds are reached; the last word stands.
pub(crate) async fn read<T, E, F: Future<Output = Result<T, E>>>(
    retries: u32,
    heals: impl Fn(&E) -> bool,
    mut call: impl FnMut() -> F,
) -> Result<T, E> {
    let started = Instant::now();
    let mut delays = ExponentialBackoffBuilder::new()
        .with_initial_interval(FIRST_DELAY)
        .with_max_interval(LONGEST_DELAY)
        .with_max_elapsed_time(None)
        .build();
    let mut left = retries.min(RETRIES_MAX);
    loop {
        let error = match call().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let Some(delay) = delays.next_backoff() else { return Err(error) };
        if left == 0 || !heals(&error) || started.elapsed() + delay > STARTS_WITHIN {
            return Err(error);
        }
        left -= 1;
        sleep(delay).await;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    async fn run(
        retries: u32,
        takes: Duration,
        results: &[Result<u8, &'static str>],
    ) -> (u32, Duration, Result<u8, &'static str>) {
        let calls = Cell::new(0_u32);
        let started = Instant::now();
        let last = read(
            retries,
            |e| *e == "broken",
            || {
                let result = results[calls.get() as usize];
                calls.set(calls.get() + 1);
                async move {
                    sleep(takes).await;
                    result
                }
            },
        )
        .await;
        (calls.get(), started.elapsed(), last)
    }

    #[tokio::test(start_paused = true)]
    async fn repeats_at_most_twice_and_within_two_seconds() {
        let broken = [Err("broken"); 9];
        let (calls, took, last) = run(9, Duration::ZERO, &broken).await;
        assert_eq!((calls, last), (3, Err("broken")));
        assert!(took < Duration::from_secs(2), "{took:?}");
        assert!(took >= Duration::from_millis(150), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn stops_at_the_first_success_and_at_a_clear_no() {
        let at_once = Duration::ZERO;
        assert_eq!(run(2, at_once, &[Ok(7)]).await.0, 1);
        assert_eq!(run(2, at_once, &[Err("broken"), Ok(7)]).await.0, 2);
        assert_eq!(run(2, at_once, &[Err("refused"), Ok(7)]).await.0, 1);
        assert_eq!(run(0, at_once, &[Err("broken"), Ok(7)]).await.0, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_failure_is_not_repeated() {
        let (calls, _, last) = run(2, Duration::from_secs(2), &[Err("broken"), Ok(7)]).await;
        assert_eq!((calls, last), (1, Err("broken")));
    }
}
