//! What readers and the writer share.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
    atomic::{AtomicU64, Ordering},
};

use tokio::sync::watch;

use crate::{
    Claim, Entity, EntityId, Health, Incarnation, Position, ReadError,
    kv::{Kv, KvError, Space, wide},
    record::{Chain, ClaimRow, ViewRow, decode},
};

use super::{keys, overlay::Overlay, pack};

/// The readable state of a store.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) kv: Arc<dyn Kv>,
    overlay: RwLock<Overlay>,
    pub(crate) incarnation: Incarnation,
    pub(crate) durable: watch::Sender<Position>,
    pub(crate) health: watch::Sender<Health>,
    inbox_len: AtomicU64,
    /// See [`super::Stats::evidence`].
    evidence: AtomicU64,
    /// How many copies are being made. Held by the writer while it moves the base.
    copies: Mutex<usize>,
}

impl Shared {
    pub(crate) fn new(kv: Arc<dyn Kv>, overlay: Overlay, incarnation: Incarnation) -> Self {
        Self {
            kv,
            incarnation,
            durable: watch::Sender::new(Position(overlay.durable)),
            health: watch::Sender::new(Health::Running),
            inbox_len: AtomicU64::new(overlay.inbox_len),
            evidence: AtomicU64::new(0),
            copies: Mutex::new(0),
            overlay: RwLock::new(overlay),
        }
    }

    // A panic while the lock is held halts the store (writer) or leaves the overlay as it was (reader), so a poisoned
    // lock says nothing that the health does not say.
    pub(crate) fn overlay(&self) -> RwLockReadGuard<'_, Overlay> {
        self.overlay.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn overlay_mut(&self) -> RwLockWriteGuard<'_, Overlay> {
        self.overlay.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many copies are being made; nobody begins one while this is held.
    pub(crate) fn copies(&self) -> MutexGuard<'_, usize> {
        self.copies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells everybody the new durable head.
    pub(crate) fn announce(&self, durable: u64, inbox_len: u64) {
        self.inbox_len.store(inbox_len, Ordering::Release);
        self.durable.send_if_modified(|head| {
            let moved = head.0 != durable;
            *head = Position(durable);
            moved
        });
    }

    pub(crate) fn inbox_len(&self) -> u64 {
        self.inbox_len.load(Ordering::Acquire)
    }

    pub(crate) fn evidence(&self) -> u64 {
        self.evidence.load(Ordering::Relaxed)
    }

    pub(crate) fn add_evidence(&self, bytes: u64) {
        self.evidence.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Stops the store; the first reason stays.
    pub(crate) fn halt(&self, reason: &str) {
        self.health.send_if_modified(|health| match health {
            Health::Running | Health::Full(_) => {
                *health = Health::Halted(reason.to_owned());
                true
            }
            Health::Halted(_) | Health::Closed => false,
        });
    }

    /// The last durable entry and the chain of its record.
    pub(crate) fn durable_end(&self) -> Result<(u64, Chain), ReadError> {
        self.stopped()?;
        let (durable, base) = {
            let overlay = self.overlay();
            (overlay.durable, overlay.base)
        };
        if durable == base.seq {
            return Ok((base.seq, base.chain));
        }
        match pack::containing(&*self.kv, durable) {
            // What becomes durable together is whole records.
            Ok(Some(found)) if found.record.last() == durable => Ok((durable, found.record.chain)),
            Ok(_) => Err(ReadError::Damaged(format!(
                "the journal has no record that ends at its durable entry {durable}"
            ))),
            Err(error) => Err(self.read_error(error)),
        }
    }

    /// Whether commits may go on.
    pub(crate) fn stopped(&self) -> Result<(), ReadError> {
        match &*self.health.borrow() {
            Health::Running | Health::Full(_) => Ok(()),
            Health::Halted(reason) => Err(ReadError::Halted(reason.clone())),
            Health::Closed => Err(ReadError::Closed),
        }
    }

    /// A failed read of the engine as the port says it. A halt or a close that came first explains more.
    pub(crate) fn read_error(&self, error: KvError) -> ReadError {
        if let Err(stopped) = self.stopped() {
            return stopped;
        }
        match error {
            KvError::Damaged(why) => ReadError::Damaged(why),
            KvError::Closed => ReadError::Closed,
            KvError::Full(why) | KvError::Failed(why) => {
                let reason = format!("a read failed: {why}");
                self.halt(&reason);
                ReadError::Halted(reason)
            }
        }
    }

    /// An entity, if it is known without asking the engine.
    #[cfg(feature = "embedded")]
    pub(crate) fn load_fast(&self, id: EntityId) -> Result<Option<Entity>, ReadError> {
        self.stopped()?;
        let overlay = self.overlay();
        Ok(overlay.entities.get(&id).map(|pending| pending.row.entity(id)))
    }

    /// Who holds a claim, if it is known without asking the engine; `None` says nothing.
    #[cfg(feature = "embedded")]
    pub(crate) fn holder_fast(&self, claim: &Claim) -> Result<Option<EntityId>, ReadError> {
        self.stopped()?;
        Ok(self.overlay().claims.get(claim).copied())
    }

    pub(crate) fn load(&self, id: EntityId) -> Result<Option<Entity>, ReadError> {
        self.stopped()?;
        let overlay = self.overlay();
        self.row(&overlay, id)
            .map(|row| row.map(|row| row.entity(id)))
            .map_err(|error| self.read_error(error))
    }

    /// The durable row of an entity; the caller holds the overlay, see [`super::overlay`].
    pub(crate) fn row(
        &self,
        overlay: &Overlay,
        id: EntityId,
    ) -> Result<Option<Arc<ViewRow>>, KvError> {
        if let Some(pending) = overlay.entities.get(&id) {
            return Ok(Some(Arc::clone(&pending.row)));
        }
        if overlay.leaving.contains(&id) {
            return Ok(None);
        }
        match wide::get(&*self.kv, Space::Views, &keys::entity(id))? {
            Some((bytes, _)) => Ok(Some(Arc::new(decode(&bytes)?))),
            None => {
                let found = overlay.sealed.entity(&*self.kv, id)?;
                Ok(found.map(|found| Arc::new(found.row)))
            }
        }
    }

    pub(crate) fn by_claim(&self, claim: &Claim) -> Result<Option<EntityId>, ReadError> {
        self.stopped()?;
        let overlay = self.overlay();
        if let Some(holder) = overlay.claims.get(claim) {
            return Ok(Some(*holder));
        }
        let read = || match self.kv.get(Space::Claims, &claim.0)? {
            Some(bytes) => Ok(Some(decode::<ClaimRow>(&bytes)?.holder)),
            None => overlay.sealed.holder(&*self.kv, claim),
        };
        let holder = read().map_err(|error| self.read_error(error))?;
        Ok(holder.filter(|holder| !overlay.leaving.contains(holder)))
    }

    /// Whether the entity that held a claim has left, and is still known.
    pub(crate) fn has_left(&self, claim: &Claim) -> Result<bool, ReadError> {
        self.stopped()?;
        let overlay = self.overlay();
        if overlay.base.left == 0 {
            return Ok(false);
        }
        let known = self.kv.get(Space::Left, &keys::left_claim(claim));
        Ok(known.map_err(|error| self.read_error(error))?.is_some())
    }
}
