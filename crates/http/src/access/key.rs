//! A key: who holds it, what it may do, until when. Its secret is not kept, only what it hashes to.

use std::{fmt, str::FromStr};

use orderkeep_core::{Author, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What a key may do; each scope holds the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// See orders, events, rates, metrics.
    Read,
    /// Take locks and submit orders.
    Write,
    /// Command orders: cancel, resolve, adopt, ...
    Operate,
    /// Everything.
    Admin,
}

/// No scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadScope;

impl fmt::Display for BadScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a scope is one of read, write, operate, admin")
    }
}

impl std::error::Error for BadScope {}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Operate => "operate",
            Self::Admin => "admin",
        })
    }
}

impl FromStr for Scope {
    type Err = BadScope;

    fn from_str(text: &str) -> Result<Self, BadScope> {
        [Self::Read, Self::Write, Self::Operate, Self::Admin]
            .into_iter()
            .find(|scope| scope.to_string() == text)
            .ok_or(BadScope)
    }
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Key {
    /// Its visible part: to tell keys of one name apart.
    pub id: String,
    /// Who holds it; an operator's acts are recorded under this name.
    pub name: Author,
    /// What it may do.
    pub scope: Scope,
    /// SHA-256 of the whole key, in hexadecimal. A key is random and long: nothing slower is needed.
    pub sha256: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it is good; `None`: until it is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Since when it is good no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

impl Key {
    /// What a key hashes to.
    #[must_use]
    pub fn hash(key: &[u8]) -> String {
        Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether it opens anything now.
    #[must_use]
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}
