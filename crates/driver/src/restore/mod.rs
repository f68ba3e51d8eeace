//! A store that is an older copy: what an engine does before anything else, and what it holds back until a person says so.
//!
//! The copy has forgotten what happened after it was made. So, before the engine takes or sends anything:
//!
//! 1. every open order is told ([`begin`]): what was `Locked` is unknown from then on, what exists at the provider is read;
//! 2. while the *hold* stands, a submit of a lock that was not taken in this life is kept and not posted, and a provider
//!    order that nobody here knows is rebuilt into review ([`rebuild`]);
//! 3. a person who has accounted for what was lost lifts the hold, with a reason, on record ([`Life::lift`]).
//!
//! All of it is durable: a process that dies in between begins again where it was.

mod begin;
mod rebuild;

use std::sync::{Mutex, PoisonError};

use orderkeep_core::{Author, Timestamp};
use orderkeep_store::{Change, Commit, EntityId, Store};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{EngineError, codec, records};

pub(crate) use begin::begin;
pub(crate) use rebuild::{Rebuilt, rebuild};

/// That this store is an older copy of another life, and how far that is dealt with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restore {
    /// The life of the store that began with the copy.
    pub incarnation: Uuid,
    /// The life that it is a copy of.
    pub restored_from: Uuid,
    /// When this life began to work.
    pub began_at: Timestamp,
    /// How many open orders were found in the copy.
    pub orders: u64,
    /// Who lifted the hold, and why; `None`: it stands.
    pub lifted: Option<Lifted>,
}

/// The end of a hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifted {
    /// By whom.
    pub author: Author,
    /// Why that was right.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

impl codec::Record for Restore {
    const WHAT: &'static str = "restore";
    const SCHEMA: u16 = 1;
}

/// Why a hold is not lifted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LiftError {
    /// There never was one.
    #[error("this store was not restored: there is no hold to lift")]
    NotRestored,
    /// No reason, or too much of one.
    #[error("say why, in 1 to {0} bytes: it is kept with the author as the record of the decision")]
    Reason(usize),
    /// The engine cannot.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Which life of the store the engine works in.
#[derive(Debug)]
pub(crate) struct Life {
    incarnation: Uuid,
    /// The entity that holds the record, and the record.
    restore: Mutex<Option<(EntityId, Restore)>>,
    /// One lifts at a time.
    lifting: tokio::sync::Mutex<()>,
}

impl Life {
    fn new(incarnation: Uuid, restore: Option<(EntityId, Restore)>) -> Self {
        Self { incarnation, restore: Mutex::new(restore), lifting: tokio::sync::Mutex::new(()) }
    }

    fn known(&self) -> Option<(EntityId, Restore)> {
        self.restore.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is known of the restore that this life began with.
    pub(crate) fn restore(&self) -> Option<Restore> {
        self.known().map(|(_, restore)| restore)
    }

    /// The life, while its hold stands.
    pub(crate) fn held(&self) -> Option<Uuid> {
        let restore = self.restore.lock().unwrap_or_else(PoisonError::into_inner);
        restore
            .as_ref()
            .is_some_and(|(_, restore)| restore.lifted.is_none())
            .then_some(self.incarnation)
    }

    /// Ends the hold, on record. Of two who lift, the first one counts.
    pub(crate) async fn lift(&self, store: &dyn Store, by: Lifted) -> Result<Restore, LiftError> {
        let _one = self.lifting.lock().await;
        let (id, mut restore) = self.known().ok_or(LiftError::NotRestored)?;
        if restore.lifted.is_some() {
            return Ok(restore);
        }
        tracing::warn!(author = %by.author, reason = by.reason, "the hold after the restore is lifted");
        restore.lifted = Some(by);
        save(store, id, 1, &restore).await?;
        *self.restore.lock().unwrap_or_else(PoisonError::into_inner) = Some((id, restore.clone()));
        Ok(restore)
    }
}

/// Appends the record as it is now.
async fn save(
    store: &dyn Store,
    id: EntityId,
    expected: u64,
    restore: &Restore,
) -> Result<(), EngineError> {
    let bytes = codec::encode(restore)?;
    let claims =
        if expected == 0 { vec![records::restore_claim(restore.incarnation)] } else { Vec::new() };
    let change = Change {
        id,
        kind: records::RESTORE,
        expected,
        events: vec![bytes.clone()],
        view: Some(bytes),
        labels: vec![records::RESTORED.into()],
        wake_up: None,
        claims,
    };
    let commit = Commit { partition: records::PARTITION, change: Some(change), inbox: Vec::new() };
    store.commit(commit).await?;
    Ok(())
}
