//! The lines of what is kept of a journal whose beginning is gone. They stand between the first line and the entries:
//!
//! ```text
//! {"export":{"version":2,"incarnation":"...","entries":90,"base":{"entry":80,"fed":79,"fedEvents":1}}}
//! {"kept":{"entity":{"id":"...","entry":12,"kind":1,"partition":0,"version":3,"view":"...",...}}}
//! {"kept":{"events":{"id":"...","first":1,"events":["...","...","..."]}}}
//! {"kept":{"item":{"seq":7,"account":"default","receivedAt":1790000000000000,"body":"{...}","parked":null}}}
//! {"kept":{"left":{"key":"...","at":1790000000000000}}}
//! ```

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    Claim, EntityId, Kind, Label, Micros, PartitionId, Version,
    record::{BaseRow, InboxRow, Part, ViewRow},
};

use super::{line::Blob, write::hex};

/// Where the journal begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct BaseLine {
    /// The last entry that is gone.
    pub(super) entry: u64,
    /// The last one with events, and how many.
    pub(super) fed: u64,
    pub(super) fed_events: u32,
    /// How many of each follow.
    pub(super) entities: u64,
    pub(super) items: u64,
    pub(super) left: u64,
}

impl BaseLine {
    pub(super) fn of(base: &BaseRow) -> Self {
        let BaseRow { seq, chain: _, fed, fed_events, entities, items, left } = *base;
        Self { entry: seq, fed, fed_events, entities, items, left }
    }

    /// The chain begins anew with the imported store.
    pub(super) fn base(self) -> BaseRow {
        let Self { entry, fed, fed_events, entities, items, left } = self;
        BaseRow { seq: entry, fed, fed_events, entities, items, left, ..BaseRow::default() }
    }
}

/// A piece of the base.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum KeptLine {
    Entity(Box<EntityLine>),
    Events(EventsLine),
    Item(ItemLine),
    Left(LeftLine),
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct EntityLine {
    id: EntityId,
    /// The last entry that changed it.
    entry: u64,
    kind: Kind,
    partition: PartitionId,
    version: Version,
    view: Blob,
    labels: Vec<Label>,
    wake_up: Option<Micros>,
    claims: Vec<Blob>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct EventsLine {
    id: EntityId,
    first: Version,
    events: Vec<Blob>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ItemLine {
    seq: u64,
    account: String,
    received_at: Micros,
    body: Blob,
    parked: Option<String>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct LeftLine {
    /// In hexadecimal: a hash of a claim, or of an id.
    key: String,
    at: Micros,
}

impl KeptLine {
    /// `None`: the end is no line.
    pub(super) fn of(part: Part) -> Option<Self> {
        Some(match part {
            Part::Entity { id, row } => Self::Entity(Box::new(EntityLine {
                id,
                entry: row.seq,
                kind: row.kind,
                partition: row.partition,
                version: row.version,
                view: Blob(row.view),
                labels: row.labels,
                wake_up: row.wake_up,
                claims: row.claims.iter().map(|claim| Blob(claim.0.clone().into())).collect(),
            })),
            Part::Events { id, first, events } => {
                let events = events.into_iter().map(Blob).collect();
                Self::Events(EventsLine { id, first, events })
            }
            Part::Item { seq, row: InboxRow { account, received_at, body, parked } } => {
                Self::Item(ItemLine { seq, account, received_at, body: Blob(body), parked })
            }
            Part::Left { hash, at } => Self::Left(LeftLine { key: hex(&hash), at }),
            Part::End { .. } => return None,
        })
    }

    /// What it says; `None`: a key that is none.
    pub(super) fn part(self) -> Option<Part> {
        Some(match self {
            Self::Entity(line) => {
                let EntityLine {
                    id,
                    entry: seq,
                    kind,
                    partition,
                    version,
                    view: Blob(view),
                    labels,
                    wake_up,
                    claims,
                } = *line;
                let claims: Vec<Claim> =
                    claims.into_iter().map(|claim| Claim(claim.0.to_vec())).collect();
                let claims = claims.into();
                let row = ViewRow { seq, kind, partition, version, wake_up, labels, view, claims };
                Part::Entity { id, row }
            }
            Self::Events(EventsLine { id, first, events }) => {
                let events = events.into_iter().map(|event| event.0).collect();
                Part::Events { id, first, events }
            }
            Self::Item(ItemLine { seq, account, received_at, body: Blob(body), parked }) => {
                Part::Item { seq, row: InboxRow { account, received_at, body, parked } }
            }
            Self::Left(LeftLine { key, at }) => Part::Left { hash: unhex(&key)?, at },
        })
    }
}

fn unhex(text: &str) -> Option<Bytes> {
    let digits = text.as_bytes().chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
        u8::from_str_radix(pair, 16).ok()
    });
    digits.collect()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    /// The lines of version 2, letter by letter.
    #[test]
    fn every_line_has_its_letters() {
        let id = EntityId(Uuid::from_u128(7));
        let row = ViewRow {
            seq: 12,
            kind: Kind(1),
            partition: PartitionId::ONLY,
            version: 3,
            wake_up: Some(-5),
            labels: vec![Label::from("Locked")],
            view: Bytes::from_static(b"state"),
            claims: vec![Claim(b"\0\x01k".to_vec())].into(),
        };
        let events = vec![Bytes::from_static(b"made"), Bytes::from_static(b"\xff\0")];
        let item = InboxRow {
            account: "default".to_owned(),
            received_at: 9,
            body: Bytes::from_static(b"{}"),
            parked: Some("no order".to_owned()),
        };
        let parts = [
            (
                Part::Entity { id, row },
                r#"{"entity":{"id":"00000000-0000-0000-0000-000000000007","entry":12,"kind":1,"partition":0,"version":3,"view":"state","labels":["Locked"],"wakeUp":-5,"claims":["\u0000\u0001k"]}}"#,
            ),
            (
                Part::Events { id, first: 2, events },
                r#"{"events":{"id":"00000000-0000-0000-0000-000000000007","first":2,"events":["made",{"base64":"/wA="}]}}"#,
            ),
            (
                Part::Item { seq: 7, row: item },
                r#"{"item":{"seq":7,"account":"default","receivedAt":9,"body":"{}","parked":"no order"}}"#,
            ),
            (
                Part::Left { hash: Bytes::from_static(b"\x0a\xff"), at: 4 },
                r#"{"left":{"key":"0aff","at":4}}"#,
            ),
        ];
        for (part, text) in parts {
            let line = KeptLine::of(part.clone()).unwrap();
            assert_eq!(serde_json::to_string(&line).unwrap(), text);
            let again: KeptLine = serde_json::from_str(text).unwrap();
            assert_eq!(again.part(), Some(part));
        }
        assert_eq!(unhex("0"), None);
        assert_eq!(unhex("0g"), None);
    }
}
