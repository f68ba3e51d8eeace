//! What webhooks said, from when they are checked until they are worked off: none is read twice in one run.
//!
//! A hint only. Whoever finds nothing here reads the body again, as after a restart.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use orderkeep_core::{Observation, Source, Timestamp};

/// So many are remembered. One that is taken in but never worked off here (its sender broke off) goes in its turn.
const MOST: usize = 1_024;
/// Longer bodies are read again: they would hold their memory.
const BYTES_MAX: usize = 4 * 1_024;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct JustHeard(Mutex<List>);

#[derive(Debug, Default)]
struct List {
    /// By where the body lies in memory. It is kept, so nothing else can come to lie there.
    said: HashMap<usize, (Bytes, Box<Observation>)>,
    /// Oldest first; also those that were taken since.
    queue: VecDeque<usize>,
}

fn place(body: &Bytes) -> usize {
    body.as_ptr().addr()
}

impl JustHeard {
    fn list(&self) -> MutexGuard<'_, List> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers what a body says, before it is stored.
    pub(super) fn put(&self, body: &Bytes, said: Box<Observation>) {
        if body.is_empty() || body.len() > BYTES_MAX {
            return;
        }
        let mut list = self.list();
        list.said.insert(place(body), (body.clone(), said));
        list.queue.push_back(place(body));
        if list.queue.len() > MOST
            && let Some(oldest) = list.queue.pop_front()
        {
            list.said.remove(&oldest);
        }
    }

    /// What this very body said when it was heard, if it is remembered; from now on it is not.
    pub(super) fn take(&self, body: &Bytes, heard_at: Timestamp) -> Option<Box<Observation>> {
        let (kept, said) = self.list().said.remove(&place(body))?;
        // Whoever is called from within the process may hand one body over twice.
        let same = kept.len() == body.len() && said.source == Source::Claimed { heard_at };
        same.then_some(said)
    }
}

#[cfg(test)]
mod tests {
    use orderkeep_core::ProviderStatus;

    use super::*;
    use crate::fixture;

    fn said(heard_at: Timestamp) -> Box<Observation> {
        Box::new(fixture::observation(Source::Claimed { heard_at }, ProviderStatus::Executed))
    }

    #[test]
    fn only_the_very_same_body_of_the_same_moment_is_known_and_once() {
        let (noon, later) = (Timestamp::from_millis(1_000), Timestamp::from_millis(1_001));
        let heard = JustHeard::default();
        let (one, other) = (Bytes::from(vec![b'a'; 30]), Bytes::from(vec![b'a'; 30]));
        heard.put(&one, said(noon));
        assert!(heard.take(&other, noon).is_none());
        assert_eq!(heard.take(&one.clone(), noon), Some(said(noon)));
        assert!(heard.take(&one, noon).is_none());
        heard.put(&one, said(noon));
        assert!(heard.take(&one, later).is_none());
    }

    #[test]
    fn it_is_bounded() {
        let heard = JustHeard::default();
        let bodies: Vec<_> = (0..=MOST).map(|_| Bytes::from(vec![1; 8])).collect();
        let noon = Timestamp::from_millis(1_000);
        bodies.iter().for_each(|body| heard.put(body, said(noon)));
        assert!(heard.take(&bodies[0], noon).is_none());
        assert!(heard.take(&bodies[1], noon).is_some());
        heard.put(&Bytes::from(vec![0; BYTES_MAX + 1]), said(noon));
        assert!(heard.list().said.len() < MOST && heard.list().queue.len() <= MOST);
    }
}
