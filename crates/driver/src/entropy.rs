//! Chance: the ids of what is new, and the jitter that keeps many orders from coming at once.
//!
//! All that is drawn by chance is drawn here, so that one seed gives one run.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use orderkeep_core::Timestamp;
use rand::{Rng, SeedableRng, rngs::StdRng};
use uuid::Uuid;

/// Where an engine takes chance from.
pub trait Entropy: fmt::Debug + Send + Sync + 'static {
    /// A new id: a UUID, version 7, never given before.
    fn id(&self, now: Timestamp) -> Uuid;

    /// A duration from nothing to `most`.
    fn jitter(&self, most: Duration) -> Duration;
}

/// The system's.
#[derive(Debug, Clone, Copy)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn id(&self, _: Timestamp) -> Uuid {
        Uuid::now_v7()
    }

    fn jitter(&self, most: Duration) -> Duration {
        draw(&mut rand::rng(), most)
    }
}

/// The same for the same seed. Only for tests and simulations: its ids can be guessed.
#[derive(Debug)]
pub struct SeededEntropy(Mutex<StdRng>);

impl SeededEntropy {
    /// Starts at a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }
}

impl Entropy for SeededEntropy {
    fn id(&self, now: Timestamp) -> Uuid {
        let random: [u8; 10] = self.0.lock().unwrap_or_else(PoisonError::into_inner).random();
        let millis = u64::try_from(now.as_micros() / 1_000).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }

    fn jitter(&self, most: Duration) -> Duration {
        draw(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), most)
    }
}

fn draw(rng: &mut impl Rng, most: Duration) -> Duration {
    let most = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(rng.random_range(0..=most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_sequence_and_ids_grow_with_time() {
        let noon = Timestamp::from_millis(1_772_366_400_000);
        let drawn = |seed| {
            let entropy = SeededEntropy::new(seed);
            (entropy.id(noon), entropy.jitter(Duration::from_secs(60)))
        };
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
        let later = SeededEntropy::new(7).id(noon.plus(Duration::from_millis(1)));
        assert!(drawn(8).0 < later && drawn(7).0 < later);
        assert_eq!(later.get_version_num(), 7);
        assert_eq!(SystemEntropy.jitter(Duration::ZERO), Duration::ZERO);
    }
}
