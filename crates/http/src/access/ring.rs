//! All keys of an engine. They can be replaced while it runs; a key that is gone opens nothing from then on.

use std::sync::{Arc, Mutex, PoisonError};

use orderkeep_core::{Author, Timestamp};
use orderkeep_driver::{Clock as _, SystemClock};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq as _;
use tokio::time::Instant;

use super::{Key, Scope};

/// How often one key may ask.
#[derive(Debug, Clone, Copy)]
struct Rate {
    /// At once, after a pause.
    burst: f64,
    per_second: f64,
}

impl Default for Rate {
    fn default() -> Self {
        Self { burst: 400.0, per_second: 200.0 }
    }
}

/// See the module. Clones are one ring. While it is empty, nobody is asked for a key.
#[derive(Debug, Clone, Default)]
pub struct KeyRing {
    held: Arc<Mutex<Arc<Vec<Held>>>>,
    rate: Rate,
}

/// A key, and how often it was used just now.
#[derive(Debug, Clone)]
pub(super) struct Held {
    key: Key,
    bucket: Arc<Mutex<Bucket>>,
    rate: Rate,
}

impl std::ops::Deref for Held {
    type Target = Key;

    fn deref(&self) -> &Key {
        &self.key
    }
}

#[derive(Debug)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl KeyRing {
    /// A ring with these keys.
    #[must_use]
    pub fn new(keys: Vec<Key>) -> Self {
        let ring = Self::default();
        ring.replace(keys);
        ring
    }

    /// The same keys, each of which may ask `burst` times at once after a pause, and `per_second` times on average. 400
    /// and 200 unless it is said.
    #[must_use]
    pub fn with_rate(mut self, burst: f64, per_second: f64) -> Self {
        self.rate = Rate { burst, per_second };
        let keys = self.keys().iter().map(|held| held.key.clone()).collect();
        self.held = Arc::default();
        self.replace(keys);
        self
    }

    /// A key that may do everything, from a token that something else keeps.
    #[must_use]
    pub fn token(name: Author, token: &SecretString) -> Key {
        Key {
            id: "token".to_owned(),
            name,
            scope: Scope::Admin,
            sha256: Key::hash(token.expose_secret().as_bytes()),
            created_at: SystemClock.now(),
            expires_at: None,
            revoked_at: None,
        }
    }

    /// These are the keys now.
    pub fn replace(&self, keys: Vec<Key>) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = keys.into_iter().map(|key| {
            let before = held.iter().find(|before| before.key.sha256 == key.sha256);
            let fresh =
                || Arc::new(Mutex::new(Bucket { left: self.rate.burst, at: Instant::now() }));
            let bucket = before.map_or_else(fresh, |before| Arc::clone(&before.bucket));
            Held { key, bucket, rate: self.rate }
        });
        *held = Arc::new(taken.collect());
    }

    fn keys(&self) -> Arc<Vec<Held>> {
        Arc::clone(&self.held.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether there never was a key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys().is_empty()
    }

    /// The key that this is, if it is good now. Every key is looked at, each in the same time.
    pub(super) fn find(&self, token: &[u8]) -> Option<Held> {
        let (hash, now): (String, Timestamp) = (Key::hash(token), SystemClock.now());
        let mut found = None;
        for held in self.keys().iter() {
            let same = bool::from(held.key.sha256.as_bytes().ct_eq(hash.as_bytes()));
            if same && held.key.is_good(now) {
                found = Some(held.clone());
            }
        }
        found
    }
}

impl Held {
    /// Takes one request from what the key may ask.
    ///
    /// # Errors
    /// In how many seconds there is one again.
    pub(super) fn spend(&self) -> Result<(), u64> {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let since = now.duration_since(bucket.at).as_secs_f64();
        bucket.left = since.mul_add(self.rate.per_second, bucket.left).min(self.rate.burst);
        bucket.at = now;
        if bucket.left < 1.0 {
            // Rounded up: a key that asks again then finds one.
            return Err((((1.0 - bucket.left) / self.rate.per_second).ceil() as u64).max(1));
        }
        bucket.left -= 1.0;
        Ok(())
    }
}
