//! The cases, by what they are about.

mod commits;
mod feed;
mod inbox;
mod life;
mod reads;
mod refusals;
mod retention;

use bytes::Bytes;
use uuid::Uuid;

use crate::{
    Change, Claim, Commit, EntityId, InboxDone, Kind, Label, Micros, NewInboxItem, PartitionId,
    Store,
};

use super::Factory;

/// The kind of most cases.
const KIND: Kind = Kind(7);

pub(super) async fn all(factory: &dyn Factory) {
    commits::all(factory).await;
    refusals::all(factory).await;
    reads::all(factory).await;
    inbox::all(factory).await;
    feed::all(factory).await;
    retention::all(factory).await;
    life::all(factory).await;
}

/// An id that grows with `number`.
fn id(number: u32) -> EntityId {
    EntityId(Uuid::from_u128(
        0x0193_0000_0000_7000_8000_0000_0000_0000 + (u128::from(number) << 80),
    ))
}

/// A change with one event, built up by the cases.
fn change(id: EntityId, expected: u64) -> Change {
    Change {
        id,
        kind: KIND,
        expected,
        events: vec![Bytes::from(format!("event {}", expected + 1))],
        view: Some(Bytes::from(format!("view {}", expected + 1))),
        labels: Vec::new(),
        wake_up: None,
        claims: Vec::new(),
    }
}

fn touch(id: EntityId, expected: u64) -> Change {
    Change { events: Vec::new(), view: None, ..change(id, expected) }
}

fn labelled(change: Change, labels: &[&str]) -> Change {
    Change { labels: labels.iter().copied().map(Label::from).collect(), ..change }
}

fn waking(change: Change, at: Micros) -> Change {
    Change { wake_up: Some(at), ..change }
}

fn claiming(change: Change, claims: &[Claim]) -> Change {
    Change { claims: claims.to_vec(), ..change }
}

fn commit(change: Change) -> Commit {
    Commit { partition: PartitionId::ONLY, change: Some(change), inbox: Vec::new() }
}

fn settling(inbox: Vec<InboxDone>) -> Commit {
    Commit { partition: PartitionId::ONLY, change: None, inbox }
}

fn heard(body: impl Into<Bytes>) -> NewInboxItem {
    NewInboxItem {
        account: "default".to_owned(),
        received_at: 1_700_000_000_000_000,
        body: body.into(),
    }
}

/// Commits a change that must succeed; gives the version after it.
async fn done(store: &dyn Store, change: Change) -> u64 {
    match store.commit(commit(change.clone())).await {
        Ok(committed) => committed.version,
        Err(error) => panic!("{change:?} was refused: {error}"),
    }
}

/// A read that must succeed.
fn read<T>(result: Result<T, crate::ReadError>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("a read failed: {error}"),
    }
}
