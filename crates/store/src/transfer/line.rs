//! The lines of an exported store. Fixed for ever: files outlive programs.
//!
//! ```text
//! {"export":{"version":1,"incarnation":"...","entries":2}}
//! {"arrival":{"entry":1,"account":"default","receivedAt":1790000000000000,"body":"{...}"}}
//! {"commit":{"entry":2,"change":{...},"inbox":[{"finished":{"seq":1,"disposition":"applied"}}]}}
//! {"end":{"entries":2,"sha256":"..."}}
//! ```

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use uuid::Uuid;

use crate::{
    Change, Claim, Commit, EntityId, InboxDone, InboxSeq, Kind, Label, Micros, NewInboxItem,
    PartitionId, Version,
    journal::Step,
    record::{ChangeEntry, Entry, InboxEntry},
};

use super::kept::{BaseLine, KeptLine};

/// What is written of a whole journal.
pub(super) const WHOLE: u32 = 1;

/// What is written of one whose beginning is gone, and the newest that is read.
pub(super) const VERSION: u32 = 2;

/// One line.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Line {
    /// The first one.
    Export(Head),
    /// What is kept of the beginning.
    Kept(KeptLine),
    Commit(CommitLine),
    Arrival(ArrivalLine),
    /// The last one.
    End(End),
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Head {
    pub(super) version: u32,
    /// The life of the store that was exported.
    pub(super) incarnation: Uuid,
    /// The last entry.
    pub(super) entries: u64,
    /// Where the journal begins, if its beginning is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) base: Option<BaseLine>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct End {
    pub(super) entries: u64,
    /// Of every line before this one, in hexadecimal.
    pub(super) sha256: String,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CommitLine {
    entry: u64,
    change: Option<ChangeLine>,
    inbox: Vec<DoneLine>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ChangeLine {
    id: EntityId,
    kind: Kind,
    partition: PartitionId,
    /// The version before it.
    expected: Version,
    events: Vec<Blob>,
    view: Option<Blob>,
    labels: Vec<Label>,
    wake_up: Option<Micros>,
    claims: Vec<Blob>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum DoneLine {
    Finished { seq: InboxSeq, disposition: String },
    Parked { seq: InboxSeq, reason: String },
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ArrivalLine {
    entry: u64,
    account: String,
    received_at: Micros,
    body: Blob,
}

/// Bytes: as text where they are text, otherwise `{"base64": "..."}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blob(pub(super) Bytes);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Binary { base64: String },
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = match std::str::from_utf8(&self.0) {
            Ok(text) => Written::Text(text.to_owned()),
            Err(_) => Written::Binary { base64: STANDARD.encode(&self.0) },
        };
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Text(text) => Ok(Self(text.into())),
            Written::Binary { base64 } => STANDARD
                .decode(base64)
                .map(|bytes| Self(bytes.into()))
                .map_err(|error| D::Error::custom(format!("not base64: {error}"))),
        }
    }
}

impl Line {
    /// An entry of the journal. `view`: the whole of the one that it changes, which the journal may hold in part.
    pub(super) fn of(entry: u64, content: Entry, view: Option<Bytes>) -> Self {
        match content {
            Entry::Arrival { account, received_at, body } => {
                Self::Arrival(ArrivalLine { entry, account, received_at, body: Blob(body) })
            }
            Entry::Commit { change, inbox } => Self::Commit(CommitLine {
                entry,
                change: change.map(|change| ChangeLine::of(change, view)),
                inbox: inbox.into_iter().map(DoneLine::of).collect(),
            }),
        }
    }

    /// The entry's number and what made it; `None` for a line that is no entry.
    pub(super) fn step(self) -> Option<(u64, Step)> {
        match self {
            Self::Export(_) | Self::Kept(_) | Self::End(_) => None,
            Self::Arrival(ArrivalLine { entry, account, received_at, body }) => {
                Some((entry, Step::Arrival(NewInboxItem { account, received_at, body: body.0 })))
            }
            Self::Commit(CommitLine { entry, change, inbox }) => {
                let partition =
                    change.as_ref().map_or(PartitionId::ONLY, |change| change.partition);
                let commit = Commit {
                    partition,
                    change: change.map(ChangeLine::into_change),
                    inbox: inbox.into_iter().map(DoneLine::into_done).collect(),
                };
                Some((entry, Step::Commit(commit)))
            }
        }
    }
}

impl ChangeLine {
    fn of(change: ChangeEntry, view: Option<Bytes>) -> Self {
        let ChangeEntry { id, kind, partition, before, events, view: _, labels, wake_up, claims } =
            change;
        Self {
            id,
            kind,
            partition,
            expected: before,
            events: events.into_iter().map(Blob).collect(),
            view: view.map(Blob),
            labels,
            wake_up,
            claims: claims.into_iter().map(|claim| Blob(claim.0.into())).collect(),
        }
    }

    fn into_change(self) -> Change {
        Change {
            id: self.id,
            kind: self.kind,
            expected: self.expected,
            events: self.events.into_iter().map(|event| event.0).collect(),
            view: self.view.map(|view| view.0),
            labels: self.labels,
            wake_up: self.wake_up,
            claims: self.claims.into_iter().map(|claim| Claim(claim.0.to_vec())).collect(),
        }
    }
}

impl DoneLine {
    fn of(done: InboxEntry) -> Self {
        match done {
            InboxEntry::Finished { seq, disposition } => Self::Finished { seq, disposition },
            InboxEntry::Parked { seq, reason } => Self::Parked { seq, reason },
        }
    }

    fn into_done(self) -> InboxDone {
        match self {
            Self::Finished { seq, disposition } => InboxDone::Finished { seq, disposition },
            Self::Parked { seq, reason } => InboxDone::Parked { seq, reason },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of version 1, letter by letter.
    #[test]
    fn every_line_has_its_letters() {
        let id = EntityId(Uuid::from_u128(7));
        let change = ChangeEntry {
            id,
            kind: Kind(1),
            partition: PartitionId::ONLY,
            before: 0,
            events: vec![Bytes::from_static(b"made"), Bytes::from_static(b"\xff\0")],
            view: None,
            labels: vec![Label::from("Locked")],
            wake_up: Some(-5),
            claims: vec![Claim(b"\0\x01k".to_vec())],
        };
        let inbox = vec![
            InboxEntry::Finished { seq: InboxSeq(1), disposition: "applied".to_owned() },
            InboxEntry::Parked { seq: InboxSeq(2), reason: "unknown".to_owned() },
        ];
        let arrival = Entry::Arrival {
            account: "default".to_owned(),
            received_at: 9,
            body: Bytes::from_static(b"{\"a\":1}"),
        };
        let lines = [
            (
                Line::Export(Head { version: 1, incarnation: Uuid::nil(), entries: 2, base: None }),
                r#"{"export":{"version":1,"incarnation":"00000000-0000-0000-0000-000000000000","entries":2}}"#,
            ),
            (
                Line::of(3, arrival, None),
                r#"{"arrival":{"entry":3,"account":"default","receivedAt":9,"body":"{\"a\":1}"}}"#,
            ),
            (
                Line::of(
                    4,
                    Entry::Commit { change: Some(change), inbox },
                    Some(Bytes::from_static(b"state")),
                ),
                r#"{"commit":{"entry":4,"change":{"id":"00000000-0000-0000-0000-000000000007","kind":1,"partition":0,"expected":0,"events":["made",{"base64":"/wA="}],"view":"state","labels":["Locked"],"wakeUp":-5,"claims":["\u0000\u0001k"]},"inbox":[{"finished":{"seq":1,"disposition":"applied"}},{"parked":{"seq":2,"reason":"unknown"}}]}}"#,
            ),
            (
                Line::End(End { entries: 2, sha256: "00".to_owned() }),
                r#"{"end":{"entries":2,"sha256":"00"}}"#,
            ),
        ];
        for (line, text) in lines {
            assert_eq!(serde_json::to_string(&line).unwrap(), text);
            assert_eq!(serde_json::from_str::<Line>(text).unwrap(), line);
        }
    }
}
