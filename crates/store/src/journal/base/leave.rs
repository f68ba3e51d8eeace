//! Entities that leave: those that are over, and whose last entry goes.
//!
//! Everything that is looked up of them goes with the same batch; their claims and ids stay known for a while, so that
//! who comes late with one of them is told so, and nothing is begun a second time.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::{
    Claim, EntityId, Kind, Label, Micros, Retention,
    journal::{
        history, keys,
        overlay::Overlay,
        sealed::{self, Sealed},
    },
    kv::{Batch, Direction, Kv, KvError, Pager, Space, Span, wide},
    record::{BaseRow, ClaimRow, Entry, LeftRow, ViewRow, decode, encode},
};

use super::{Stretch, kept};

/// Who leaves with a stretch, and what it changes.
#[derive(Debug, Default)]
pub(crate) struct Leaving {
    pub(crate) ids: HashSet<EntityId>,
    /// Their labels.
    pub(crate) counts: BTreeMap<(Kind, Label), u64>,
    found: Vec<Found>,
    /// Blocks that somebody has left, and that may not be needed any more.
    blocks: BTreeSet<u64>,
}

/// An entity that leaves, and where it is.
#[derive(Debug)]
struct Found {
    id: EntityId,
    row: ViewRow,
    /// Parts of its row; `None`: it has none.
    parts: Option<u16>,
    sealed: bool,
    /// Claims that the entries say it holds.
    claims: BTreeSet<Claim>,
}

impl Leaving {
    /// Finds those whose last entry is in the stretch and that are over. What is in the overlay is not over: it is not
    /// behind the watermark, and the stretch is.
    pub(crate) fn find(
        kv: &dyn Kv,
        overlay: &Overlay,
        stretch: &Stretch,
        retention: &Retention,
    ) -> Result<Self, KvError> {
        let mut leaving = Self::default();
        let mut claims: BTreeMap<EntityId, BTreeSet<Claim>> = BTreeMap::new();
        for (_, entry) in stretch.entries() {
            if let Entry::Commit { change: Some(change), .. } = entry {
                claims.entry(change.id).or_default().extend(change.claims.iter().cloned());
            }
        }
        for (id, claims) in claims {
            if overlay.entities.contains_key(&id) {
                continue;
            }
            let placed = overlay.sealed.placed(kv, id)?;
            let block = placed.as_ref().map(|(block, _)| *block);
            let (row, parts) = match wide::get(kv, Space::Views, &keys::entity(id))? {
                Some((bytes, parts)) => (decode::<ViewRow>(&bytes)?, Some(parts)),
                None => match overlay.sealed.entity(kv, id)? {
                    Some(found) => (found.row, None),
                    None => {
                        return Err(KvError::Damaged(format!(
                            "views: {id:?} is in the journal and has none"
                        )));
                    }
                },
            };
            if row.seq > stretch.last || !is_over(&row, retention) {
                continue;
            }
            leaving.ids.insert(id);
            leaving.blocks.extend(block);
            for label in &row.labels {
                *leaving.counts.entry((row.kind, label.clone())).or_insert(0) += 1;
            }
            leaving.found.push(Found { id, row, parts, sealed: block.is_some(), claims });
        }
        Ok(leaving)
    }

    /// Adds to a batch that they leave, at the time `at`; changes `base`, and what is sealed.
    pub(crate) fn leave(
        &mut self,
        kv: &dyn Kv,
        at: Micros,
        base: &mut BaseRow,
        sealed: &mut Sealed,
        batch: &mut Batch,
    ) -> Result<(), KvError> {
        for found in std::mem::take(&mut self.found) {
            let Found { id, row, parts, sealed: is_sealed, mut claims } = found;
            claims.extend(row.claims.iter().cloned());
            if let Some((kept, parts)) = kept(kv, id)? {
                claims.extend(kept.claims.iter().cloned());
                wide::remove(batch, Space::KeptViews, &keys::entity(id), parts);
                remove_all(kv, Space::KeptEvents, id, batch)?;
                base.entities -= 1;
            }
            if is_sealed {
                sealed::mark_left(id, row.seq, batch)?;
            }
            if let Some(parts) = parts {
                wide::remove(batch, Space::Views, &keys::entity(id), parts);
                for label in std::iter::once("").chain(row.labels.iter().map(|label| &label.0[..]))
                {
                    batch.remove(Space::Labels, keys::label(row.kind, label, id));
                }
                remove_all(kv, Space::History, id, batch)?;
                for claim in &claims {
                    batch.remove(Space::Claims, claim.0.clone());
                }
            }
            let known = encode(&LeftRow { at })?;
            batch.put(Space::Left, keys::left_id(id).to_vec(), known.clone());
            for claim in &claims {
                batch.put(Space::Left, keys::left_claim(claim).to_vec(), known.clone());
            }
            base.left += 1 + claims.len() as u64;
        }
        for block in std::mem::take(&mut self.blocks) {
            self.drop_block(kv, block, base, sealed, batch)?;
        }
        Ok(())
    }

    /// Lets a block go that nobody needs: each of its entities has left, or has come back and has rows.
    fn drop_block(
        &self,
        kv: &dyn Kv,
        block: u64,
        base: &BaseRow,
        sealed: &mut Sealed,
        batch: &mut Batch,
    ) -> Result<(), KvError> {
        let mut back = Vec::new();
        for entity in sealed::block_of(kv, block)? {
            if self.ids.contains(&entity.id) || sealed::has_left(kv, entity.id)? {
                continue;
            }
            if !wide::has(kv, Space::Views, &keys::entity(entity.id))? {
                return Ok(());
            }
            back.push(entity);
        }
        for entity in back {
            // Only the block had those.
            for claim in entity.row.claims.iter() {
                batch.put(Space::Claims, claim.0.clone(), encode(&ClaimRow { holder: entity.id })?);
            }
            let still: Vec<_> =
                entity.spans.iter().copied().filter(|span| span.seq > base.seq).collect();
            history::write(batch, entity.id, &still)?;
        }
        sealed.drop_block(block);
        Ok(())
    }
}

fn is_over(row: &ViewRow, retention: &Retention) -> bool {
    let label = match &row.labels[..] {
        [] => None,
        [label] => Some(label),
        [_, ..] => return false,
    };
    row.wake_up.is_none()
        && retention.over.iter().any(|(kind, over)| *kind == row.kind && over.as_ref() == label)
}

/// Removes every row under an id.
fn remove_all(kv: &dyn Kv, space: Space, id: EntityId, batch: &mut Batch) -> Result<(), KvError> {
    for pair in Pager::new(kv, space, Span::prefix(&keys::entity(id)), Direction::Up) {
        batch.remove(space, pair?.0.to_vec());
    }
    Ok(())
}

/// Forgets keys of those that left before a time, among the next `limit` after `after`. Gives how many, and where to go on;
/// `None`: from the beginning.
pub(crate) fn forget(
    kv: &dyn Kv,
    before: Micros,
    after: Option<Vec<u8>>,
    limit: usize,
    batch: &mut Batch,
) -> Result<(u64, Option<Vec<u8>>), KvError> {
    let span = Span {
        lower: after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded),
        ..Span::ALL
    };
    let rows = kv.scan(Space::Left, &span, Direction::Up, limit)?;
    let last = (rows.len() == limit).then(|| rows.last().map(|(key, _)| key.to_vec())).flatten();
    let mut forgotten = 0;
    for (key, bytes) in rows {
        if decode::<LeftRow>(&bytes)?.at <= before {
            batch.remove(Space::Left, key.to_vec());
            forgotten += 1;
        }
    }
    Ok((forgotten, last))
}
