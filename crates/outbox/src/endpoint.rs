//! What is kept of an endpoint: what it asked for, where it stands in the feed, and which orders it holds back.

use std::{fmt, str::FromStr, time::Duration};

use orderkeep_core::{Event, Timestamp};
use orderkeep_store::Cursor;
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use crate::{EVENT_TYPE_PREFIX, OutboxError, Secret};

/// Its identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EndpointId(pub Uuid);

impl fmt::Display for EndpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for EndpointId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        Uuid::parse_str(text).map(Self)
    }
}

/// What an endpoint is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// The events of orders, as CloudEvents.
    Orders,
    /// The provider's webhooks that are not about orders, byte for byte.
    OtherWebhooks,
}

impl Source {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::OtherWebhooks => "other_webhooks",
        }
    }
}

/// Why nothing is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Off {
    /// Somebody said so.
    Asked,
    /// The receiver answered 410.
    Gone,
    /// One event was tried to the end of the schedule, and nothing was delivered meanwhile.
    Failing,
}

impl Off {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Asked, Self::Gone, Self::Failing];

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Gone => "gone",
            Self::Failing => "failing",
        }
    }
}

/// An order (or a webhook that is passed on) whose delivery failed: the rest of it waits behind that one event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Which.
    pub subject: Uuid,
    /// The event that failed, by its number.
    pub next: u64,
    /// The last event that the position has passed.
    pub through: u64,
    /// How often `next` was tried.
    pub attempts: u32,
    /// Since when `next` fails.
    pub since: Timestamp,
    /// When it is tried again.
    pub due: Timestamp,
    /// How it failed last.
    pub why: String,
}

/// A receiver of events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its identity.
    pub id: EndpointId,
    /// What it is told.
    pub source: Source,
    /// Where events go.
    pub url: String,
    /// What people call it.
    pub description: String,
    /// Only events of these types; empty: all.
    pub types: Vec<String>,
    /// Why it is off, and since when; `None`: it is on.
    pub off: Option<(Off, Timestamp)>,
    /// When it was made.
    pub created_at: Timestamp,
    /// What is signed with, newest first; each until when, if it ends.
    pub secrets: Vec<(Secret, Option<Timestamp>)>,
    /// Everything up to here is delivered or held back; `None`: the oldest event that is kept comes next.
    pub position: Option<String>,
    /// When the last event happened that the position passed.
    pub position_at: Option<Timestamp>,
    /// Events that happened before this are passed over: a replay from a time reads the feed from its start.
    pub skip_before: Option<Timestamp>,
    /// Orders that wait behind a delivery that failed.
    pub held: Vec<Held>,
    /// The last time that anything was delivered.
    pub delivered_at: Option<Timestamp>,
    /// Events that were tried to the end of the schedule and passed over, while others were delivered.
    pub given_up: u64,
    /// It is no more.
    pub deleted: bool,
}

/// Where a new endpoint begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Start {
    /// With what happens from now on.
    #[default]
    Latest,
    /// With the oldest event that is kept.
    Oldest,
    /// After this cursor.
    After(Cursor),
}

/// An endpoint to be made.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// Where events go.
    pub url: String,
    /// What people call it.
    pub description: String,
    /// Only events of these types; empty: all.
    pub types: Vec<String>,
    /// `None`: one is made.
    pub secret: Option<Secret>,
    /// Where it begins.
    pub start: Start,
}

/// What is to change; `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Update {
    /// Where events go.
    pub url: Option<String>,
    /// What people call it.
    pub description: Option<String>,
    /// Only events of these types; empty: all.
    pub types: Option<Vec<String>>,
}

impl Endpoint {
    /// What people call it is at most this long.
    pub const DESCRIPTION_BYTES_MAX: usize = 256;
    /// An address is at most this long.
    pub const URL_BYTES_MAX: usize = 1_024;
    /// A rotated secret signs at most this long beside the new one.
    pub const OVERLAP_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);

    pub(crate) fn cursor(&self) -> Option<Cursor> {
        self.position.as_deref().and_then(|text| text.parse().ok())
    }

    pub(crate) fn wants(&self, kind: &str) -> bool {
        self.types.is_empty() || self.types.iter().any(|wanted| wanted == kind)
    }

    /// The secrets that sign at this moment.
    pub(crate) fn signing(&self, now: Timestamp) -> Vec<Secret> {
        let good = self.secrets.iter().filter(|(_, until)| until.is_none_or(|until| now < until));
        good.map(|(secret, _)| secret.clone()).collect()
    }

    pub(crate) fn rotate(&mut self, secret: Secret, overlap: Duration, now: Timestamp) {
        self.secrets.retain(|(_, until)| until.is_none_or(|until| now < until));
        // At most two sign: who rotates again in haste ends the oldest at once.
        self.secrets.truncate(1);
        for (_, until) in &mut self.secrets {
            *until = Some(now.plus(overlap));
        }
        self.secrets.insert(0, (secret, None));
    }
}

/// An address that a webhook can be sent to, as it is kept. `name` is what it is called where it comes from.
///
/// # Errors
/// Why it cannot be one.
pub fn address(name: &'static str, text: &str) -> Result<Url, OutboxError> {
    let wrong = |why: &str| OutboxError::invalid(name, why);
    if text.len() > Endpoint::URL_BYTES_MAX {
        return Err(wrong("it is longer than 1,024 bytes"));
    }
    let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("it must begin with https:// (or http://)"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("it must not hold a name or password"));
    }
    Ok(url)
}

/// What an endpoint may be, beside its address.
pub(crate) fn check(description: &str, types: &[String]) -> Result<(), OutboxError> {
    const TYPES_MAX: usize = 64;
    if description.len() > Endpoint::DESCRIPTION_BYTES_MAX {
        let most = Endpoint::DESCRIPTION_BYTES_MAX;
        return Err(OutboxError::invalid("description", format!("it is longer than {most} bytes")));
    }
    if types.len() > TYPES_MAX {
        return Err(OutboxError::invalid("types", format!("they are more than {TYPES_MAX}")));
    }
    for kind in types {
        let name = kind.strip_prefix(EVENT_TYPE_PREFIX).unwrap_or_default();
        // One that never happens would wait in silence for ever.
        if !Event::NAMES.contains(&name) {
            return Err(OutboxError::invalid(
                "types",
                format!("`{kind}` is no type of event; they look like {EVENT_TYPE_PREFIX}executed"),
            ));
        }
    }
    Ok(())
}
