//! What the port promises, in plain maps.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Claim, Commit, CommitError, Committed, Due, Entity, EntityId, Event, InboxDone, InboxSeq, Kind,
    Label, NewInboxItem, PartitionId, Version,
};

use super::{
    Snapshot, World,
    snapshot::{Followed, Item},
};

/// What came of a step, without what backends are free to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done {
        /// The entity's version after it.
        version: Version,
    },
    /// The entity was at another version.
    Conflict {
        /// Which it was.
        found: Version,
    },
    /// A claim belongs to somebody else.
    Claimed {
        /// To whom.
        holder: EntityId,
    },
    /// What it creates or claims belongs to an entity that has left.
    Left,
    /// An inbox item does not wait, by its ordinal; `None`: there never was one.
    Gone(Option<usize>),
    /// It cannot be stored.
    Invalid,
    /// The store has stopped and the outcome is open.
    Stopped,
}

/// The state that a history must lead to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Model {
    entities: BTreeMap<EntityId, (Entity, Vec<Event>)>,
    claims: BTreeMap<Claim, EntityId>,
    inbox: BTreeMap<usize, Item>,
    feed: Vec<Followed>,
    left_ids: BTreeSet<EntityId>,
    left_claims: BTreeSet<Claim>,
}

impl Model {
    /// Nothing has happened.
    #[must_use]
    pub fn new() -> Self {
        Self {
            entities: BTreeMap::new(),
            claims: BTreeMap::new(),
            inbox: BTreeMap::new(),
            feed: Vec::new(),
            left_ids: BTreeSet::new(),
            left_claims: BTreeSet::new(),
        }
    }

    pub(super) fn version(&self, id: EntityId) -> Version {
        self.entities.get(&id).map_or(0, |(entity, _)| entity.version)
    }

    /// Everything that may go goes; `forget`: who has left is known no more.
    pub(super) fn retain(&mut self, over: &[(Kind, Option<Label>)], forget: bool) -> Outcome {
        let is_over = |entity: &Entity| match &entity.labels[..] {
            [] => entity.wake_up.is_none() && over.contains(&(entity.kind, None)),
            [label] => {
                entity.wake_up.is_none() && over.contains(&(entity.kind, Some(label.clone())))
            }
            [_, ..] => false,
        };
        let left: Vec<EntityId> = self
            .entities
            .iter()
            .filter(|(_, (entity, _))| is_over(entity))
            .map(|(id, _)| *id)
            .collect();
        for id in left {
            self.entities.remove(&id);
            self.left_ids.insert(id);
            for (claim, _) in self.claims.iter().filter(|(_, holder)| **holder == id) {
                self.left_claims.insert(claim.clone());
            }
            self.claims.retain(|_, holder| *holder != id);
        }
        self.feed.clear();
        if forget {
            self.left_ids.clear();
            self.left_claims.clear();
        }
        Outcome::Done { version: 0 }
    }

    pub(super) fn hear(&mut self, ordinal: usize, item: NewInboxItem) -> Outcome {
        let item = Item {
            account: item.account,
            received_at: item.received_at,
            body: item.body,
            parked: None,
        };
        self.inbox.insert(ordinal, item);
        Outcome::Done { version: 0 }
    }

    pub(super) fn commit(
        &mut self,
        commit: &Commit,
        ordinal: impl Fn(InboxSeq) -> Option<usize>,
    ) -> Outcome {
        if let Some(refused) = self.refusal(commit, &ordinal) {
            return refused;
        }
        for done in &commit.inbox {
            match done {
                InboxDone::Finished { seq, .. } => {
                    ordinal(*seq).map(|number| self.inbox.remove(&number));
                }
                InboxDone::Parked { seq, reason } => {
                    if let Some(item) = ordinal(*seq).and_then(|number| self.inbox.get_mut(&number))
                    {
                        item.parked = Some(reason.clone());
                    }
                }
            }
        }
        let Some(change) = &commit.change else {
            return Outcome::Done { version: 0 };
        };
        let (entity, events) = self.entities.entry(change.id).or_insert_with(|| {
            let entity = Entity {
                id: change.id,
                kind: change.kind,
                partition: commit.partition,
                version: 0,
                view: bytes::Bytes::new(),
                labels: Vec::new(),
                wake_up: None,
            };
            (entity, Vec::new())
        });
        for bytes in &change.events {
            entity.version += 1;
            events.push(Event { version: entity.version, bytes: bytes.clone() });
            self.feed.push(Followed {
                id: change.id,
                kind: change.kind,
                version: entity.version,
                bytes: bytes.clone(),
            });
        }
        if let Some(view) = &change.view {
            entity.view = view.clone();
        }
        entity.labels.clone_from(&change.labels);
        entity.wake_up = change.wake_up;
        for claim in &change.claims {
            self.claims.insert(claim.clone(), change.id);
        }
        Outcome::Done { version: entity.version }
    }

    fn refusal(
        &self,
        commit: &Commit,
        ordinal: &impl Fn(InboxSeq) -> Option<usize>,
    ) -> Option<Outcome> {
        if let Some(change) = &commit.change {
            if !self.entities.contains_key(&change.id) && self.left_ids.contains(&change.id) {
                return Some(Outcome::Left);
            }
            let found = self.version(change.id);
            if found != change.expected {
                return Some(Outcome::Conflict { found });
            }
            if found == 0 && change.events.is_empty() {
                return Some(Outcome::Invalid);
            }
            for claim in &change.claims {
                match self.claims.get(claim) {
                    Some(holder) if *holder != change.id => {
                        return Some(Outcome::Claimed { holder: *holder });
                    }
                    None if self.left_claims.contains(claim) => return Some(Outcome::Left),
                    Some(_) | None => {}
                }
            }
        }
        for done in &commit.inbox {
            let (InboxDone::Finished { seq, .. } | InboxDone::Parked { seq, .. }) = done;
            let number = ordinal(*seq);
            if !number.is_some_and(|number| self.inbox.contains_key(&number)) {
                return Some(Outcome::Gone(number));
            }
        }
        None
    }

    /// What a store in this state must show.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let of = |kind: Kind, label: Option<&Label>| -> Vec<Entity> {
            self.entities
                .values()
                .rev()
                .map(|(entity, _)| entity)
                .filter(|entity| entity.kind == kind)
                .filter(|entity| label.is_none_or(|label| entity.labels.contains(label)))
                .cloned()
                .collect()
        };
        let mut lists = BTreeMap::new();
        let mut counts = BTreeMap::new();
        for kind in World::kinds() {
            lists.insert((kind, None), of(kind, None));
            let mut carried = BTreeMap::new();
            for label in World::labels() {
                let listed = of(kind, Some(&label));
                if !listed.is_empty() {
                    carried.insert(label.clone(), listed.len() as u64);
                }
                lists.insert((kind, Some(label)), listed);
            }
            counts.insert(kind, carried);
        }
        let due: BTreeSet<Due> = self
            .entities
            .values()
            .filter(|(entity, _)| entity.partition == PartitionId::ONLY)
            .filter_map(|(entity, _)| entity.wake_up.map(|at| Due { at, id: entity.id }))
            .collect();
        Snapshot {
            entities: World::ids()
                .map(|id| (id, self.entities.get(&id).map(|(entity, _)| entity.clone())))
                .collect(),
            histories: World::ids()
                .map(|id| {
                    let events = self.entities.get(&id).map(|(_, events)| events.clone());
                    (id, events.unwrap_or_default())
                })
                .collect(),
            claims: World::claims()
                .map(|claim| (claim.clone(), self.claims.get(&claim).copied()))
                .collect(),
            lists,
            counts,
            due: due.into_iter().collect(),
            inbox: self.inbox.iter().map(|(number, item)| (Some(*number), item.clone())).collect(),
            inbox_len: self.inbox.len() as u64,
            feed: self.feed.clone(),
            left: World::claims()
                .map(|claim| (claim.clone(), self.left_claims.contains(&claim)))
                .collect(),
        }
    }
}

/// A backend's answer in the model's words.
pub(super) fn outcome_of(found: &Result<Committed, CommitError>, world: &World) -> Outcome {
    match found {
        Ok(committed) => Outcome::Done { version: committed.version },
        Err(error) => match error {
            CommitError::Conflict { found, .. } => Outcome::Conflict { found: *found },
            CommitError::Claimed { holder, .. } => Outcome::Claimed { holder: *holder },
            CommitError::Left { .. } => Outcome::Left,
            CommitError::InboxGone(seq) => Outcome::Gone(world.ordinal(*seq)),
            CommitError::Invalid(_) | CommitError::TooLarge(_) => Outcome::Invalid,
            CommitError::Full(_) | CommitError::Halted(_) | CommitError::Closed => Outcome::Stopped,
        },
    }
}
