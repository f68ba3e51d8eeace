//! What is over goes after a while, if the engine is told so; by default everything stays for ever.
//!
//! The store does it in small steps ([`orderkeep_store::Store::retain`]); this says what is over, who must not miss anything, and when the
//! next step is. An order is over when it has ended, is listened to no more, and no person is asked about it.

use std::{fmt, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use orderkeep_core::StateName;
use orderkeep_store::{Cursor, EntityId, Kind, Label, Micros, Retain, Retained};
use tokio::time::sleep;

use crate::{EngineError, records, shard::Parts};

/// Between two looks whether something is old enough.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Between two steps while there is more: commits go first.
const PAUSE: Duration = Duration::from_millis(20);

/// How long what is over is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// How long orders that have ended, and events in the feed, stay. Events of orders that stay, stay with them.
    pub keep: Duration,
    /// How long the keys, locks and provider orders of those that left are still known: a submit with one of them is
    /// refused, and a webhook about one is not parked. `None`: for ever.
    pub tombstones: Option<Duration>,
}

/// What somebody must still get.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Where each follower of the feed stands; `None`: one that has read nothing yet.
    pub read: Vec<Option<Cursor>>,
    /// Subjects whose history is still to be read.
    pub subjects: Vec<EntityId>,
}

/// Somebody who must not miss an event: nothing goes that it has not got.
pub trait Follower: fmt::Debug + Send + Sync {
    /// What it needs now, as it is durable.
    fn needs(&self) -> BoxFuture<'_, Result<Needs, EngineError>>;
}

/// Lets go of what is over, until the engine stops.
pub(crate) async fn run(parts: Parts, retention: Retention, followers: Vec<Arc<dyn Follower>>) {
    loop {
        let pause = match step(&parts, retention, &followers).await {
            Ok(Retained { base, left, more }) => {
                if left > 0 {
                    tracing::info!(left, base = base.0, "orders that are over have left");
                }
                if more { PAUSE } else { LOOK_EVERY }
            }
            Err(error) => {
                tracing::warn!(%error, "retention: nothing goes for now");
                LOOK_EVERY
            }
        };
        tokio::select! {
            biased;
            () = parts.stop.cancelled() => return,
            () = sleep(pause) => {}
        }
    }
}

async fn step(
    parts: &Parts,
    retention: Retention,
    followers: &[Arc<dyn Follower>],
) -> Result<Retained, EngineError> {
    let mut needs = Needs::default();
    for follower in followers {
        let Needs { read, subjects } = follower.needs().await?;
        needs.read.extend(read);
        needs.subjects.extend(subjects);
    }
    let incarnation = parts.store.incarnation().id;
    // A follower with a cursor of another life begins anew: it has read nothing of this one.
    let nothing = Cursor { incarnation, position: orderkeep_store::Position(0), offset: 0 };
    let read = needs
        .read
        .into_iter()
        .map(|cursor| cursor.filter(|cursor| cursor.incarnation == incarnation).unwrap_or(nothing))
        .min_by_key(|cursor| (cursor.position, cursor.offset));
    let retain = Retain {
        now: parts.clock.now().as_micros(),
        retention: orderkeep_store::Retention {
            keep: micros(retention.keep),
            tombstones: retention.tombstones.map(micros),
            over: over(),
        },
        read,
        needed: needs.subjects,
    };
    Ok(parts.store.retain(retain).await?)
}

/// What is over: ended orders, and what this engine notes once and never changes.
fn over() -> Vec<(Kind, Option<Label>)> {
    let ended = [StateName::Executed, StateName::Failed];
    let orders = ended.map(|state| (records::ORDER, Some(Label::from(state.as_str()))));
    [(records::LOCK, None), (records::OTHER_WEBHOOK, None)].into_iter().chain(orders).collect()
}

fn micros(span: Duration) -> Micros {
    Micros::try_from(span.as_micros()).unwrap_or(Micros::MAX)
}
