//! Small operations over a small world, so that random histories meet each other often.

use bytes::Bytes;
use uuid::Uuid;

use crate::{
    Change, Claim, Commit, EntityId, InboxDone, InboxSeq, Kind, Label, Micros, NewInboxItem,
    PartitionId, Retain, Retention, Store,
};

use super::model::{Model, Outcome, outcome_of};

/// One thing that happens. All numbers are taken modulo the size of the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// A change with events; creates the entity if it is not there.
    Advance {
        /// Which entity.
        entity: u8,
        /// How far the expected version is off.
        stale: u8,
        /// How many events (one at least).
        events: u8,
        /// Which labels.
        labels: u8,
        /// When it wants to be woken; `None`: never.
        wake_up: Option<i8>,
        /// What it claims.
        claim: Option<u8>,
        /// An inbox item that is finished by it.
        finishes: Option<u8>,
        /// How large its view is.
        view: u16,
    },
    /// A change without events.
    Touch {
        /// Which entity.
        entity: u8,
        /// How far the expected version is off.
        stale: u8,
        /// Which labels.
        labels: u8,
        /// When it wants to be woken; `None`: never.
        wake_up: Option<i8>,
    },
    /// Something is heard.
    Hear {
        /// For which account.
        account: u8,
        /// How large it is.
        body: u16,
    },
    /// An inbox item is finished, or parked, without a change.
    Settle {
        /// Which of those that were ever heard.
        item: u8,
        /// Parked, not finished.
        parks: bool,
    },
    /// Everything that is over goes.
    Retain {
        /// Who has left is known no more.
        forget: bool,
    },
}

/// A step in the terms of the port.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Commit(Commit),
    Hear(NewInboxItem),
    Retain(Retain),
}

/// The entities, claims and labels that operations speak of, and the numbers that a backend gave to what was heard.
#[derive(Debug, Clone)]
pub struct World {
    /// Inbox numbers in the order of arrival.
    heard: Vec<InboxSeq>,
    /// Makes every event and body different.
    counter: u64,
}

/// Entities: few enough to be met again and again.
const ENTITIES: u8 = 6;
const CLAIMS: u8 = 5;
const LABELS: [&str; 4] = ["Locked", "Created", "Creat", "review"];

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// Nothing has happened.
    #[must_use]
    pub fn new() -> Self {
        Self { heard: Vec::new(), counter: 0 }
    }

    /// Every entity there can be.
    pub fn ids() -> impl Iterator<Item = EntityId> {
        (0..ENTITIES).map(id)
    }

    /// Every claim there can be.
    pub fn claims() -> impl Iterator<Item = Claim> {
        (0..CLAIMS).map(claim)
    }

    /// Every kind there can be.
    pub fn kinds() -> impl Iterator<Item = Kind> {
        [Kind(1), Kind(2)].into_iter()
    }

    /// Every label there can be, and one that nobody carries.
    pub fn labels() -> impl Iterator<Item = Label> {
        LABELS.into_iter().chain(["nobody"]).map(Label::from)
    }

    /// What an entity is over with, if it has no other label.
    pub fn over() -> impl Iterator<Item = (Kind, Option<Label>)> {
        let labelled =
            |kind| LABELS.into_iter().take(3).map(move |label| (kind, Some(Label::from(label))));
        Self::kinds().flat_map(labelled).chain([(Kind(2), None)])
    }

    /// The ordinal of an inbox number; numbers of different backends differ.
    #[must_use]
    pub fn ordinal(&self, seq: InboxSeq) -> Option<usize> {
        self.heard.iter().position(|heard| *heard == seq)
    }

    /// Learns the number of an item that arrived without an answer, because the store died in between.
    pub fn adopt(&mut self, seq: InboxSeq) {
        self.heard.push(seq);
    }

    fn item(&self, number: u8) -> InboxSeq {
        match self.heard.len() {
            0 => InboxSeq(u64::MAX),
            len => self.heard[usize::from(number) % len],
        }
    }

    fn bytes(&mut self, what: &str, size: u16) -> Bytes {
        self.counter += 1;
        let mut text = format!("{what} {} ", self.counter);
        text.extend(std::iter::repeat_n('.', usize::from(size)));
        Bytes::from(text)
    }

    fn step(&mut self, model: &Model, operation: &Operation) -> Step {
        match operation {
            Operation::Advance {
                entity,
                stale,
                events,
                labels,
                wake_up,
                claim: claims,
                finishes,
                view,
            } => {
                let id = id(entity % ENTITIES);
                Step::Commit(Commit {
                    partition: PartitionId::ONLY,
                    change: Some(Change {
                        id,
                        kind: kind_of(id),
                        expected: model.version(id).saturating_add(u64::from(stale % 3)),
                        events: (0..=events % 3).map(|_| self.bytes("event", 0)).collect(),
                        view: Some(self.bytes("view", *view)),
                        labels: labels_of(*labels),
                        wake_up: wake_up.map(Micros::from),
                        claims: claims.iter().map(|of| claim(of % CLAIMS)).collect(),
                    }),
                    inbox: finishes
                        .iter()
                        .map(|item| InboxDone::Finished {
                            seq: self.item(*item),
                            disposition: "applied".to_owned(),
                        })
                        .collect(),
                })
            }
            Operation::Touch { entity, stale, labels, wake_up } => {
                let id = id(entity % ENTITIES);
                Step::Commit(Commit {
                    partition: PartitionId::ONLY,
                    change: Some(Change {
                        id,
                        kind: kind_of(id),
                        expected: model.version(id).saturating_add(u64::from(stale % 3)),
                        events: Vec::new(),
                        view: None,
                        labels: labels_of(*labels),
                        wake_up: wake_up.map(Micros::from),
                        claims: Vec::new(),
                    }),
                    inbox: Vec::new(),
                })
            }
            Operation::Hear { account, body } => Step::Hear(NewInboxItem {
                account: format!("account {}", account % 2),
                received_at: i64::from(*body),
                body: self.bytes("body", *body),
            }),
            Operation::Retain { forget } => {
                self.counter += 1;
                let tombstones = forget.then_some(0);
                let retention = Retention { keep: 0, tombstones, over: Self::over().collect() };
                Step::Retain(Retain {
                    now: self.counter.cast_signed(),
                    retention,
                    read: None,
                    needed: Vec::new(),
                })
            }
            Operation::Settle { item, parks } => {
                let seq = self.item(*item);
                let done = if *parks {
                    InboxDone::Parked { seq, reason: format!("no order yet {}", self.counter) }
                } else {
                    InboxDone::Finished { seq, disposition: "duplicate".to_owned() }
                };
                Step::Commit(Commit {
                    partition: PartitionId::ONLY,
                    change: None,
                    inbox: vec![done],
                })
            }
        }
    }
}

/// Performs one operation on a store and says what came of it, and what it did to a copy of the model.
///
/// The model given is the state before; the one returned is the state if the operation takes effect. The caller decides
/// which of the two holds when the store did not answer.
pub async fn perform(
    world: &mut World,
    model: &Model,
    store: &dyn Store,
    operation: &Operation,
) -> (Outcome, Model, Outcome) {
    let step = world.step(model, operation);
    let mut after = model.clone();
    let arrivals = world.heard.len();
    match step {
        Step::Commit(commit) => {
            let expected = after.commit(&commit, |seq| world.ordinal(seq));
            let found = store.commit(commit).await;
            (outcome_of(&found, world), after, expected)
        }
        Step::Retain(step) => {
            let forget = step.retention.tombstones.is_some();
            let expected = after.retain(&step.retention.over, forget);
            (retain(store, step).await, after, expected)
        }
        Step::Hear(item) => {
            let expected = after.hear(arrivals, item.clone());
            match store.append_inbox(item).await {
                Ok(seq) => {
                    world.heard.push(seq);
                    (Outcome::Done { version: 0 }, after, expected)
                }
                Err(error) => (outcome_of(&Err(error), world), after, expected),
            }
        }
    }
}

/// Step by step, to the end.
async fn retain(store: &dyn Store, step: Retain) -> Outcome {
    loop {
        match store.retain(step.clone()).await {
            Ok(done) if done.more => {}
            Ok(_) => return Outcome::Done { version: 0 },
            Err(_) => return Outcome::Stopped,
        }
    }
}

fn id(number: u8) -> EntityId {
    // Grows in time as version 7 ids do, with the version's bits in place.
    EntityId(Uuid::from_u128(
        0x0192_0000_0000_7000_8000_0000_0000_0000 + (u128::from(number) << 80),
    ))
}

/// Fixed by the first commit, so it follows from the id.
fn kind_of(id: EntityId) -> Kind {
    Kind(1 + u8::from(id.0.as_u128() & (1 << 80) != 0))
}

fn claim(number: u8) -> Claim {
    Claim::new("key", &["account", &number.to_string()])
}

/// Any subset of the labels.
fn labels_of(bits: u8) -> Vec<Label> {
    LABELS
        .into_iter()
        .enumerate()
        .filter(|(bit, _)| bits & (1 << bit) != 0)
        .map(|(_, label)| Label::from(label))
        .collect()
}
