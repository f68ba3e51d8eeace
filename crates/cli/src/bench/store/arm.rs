//! What is measured: a store, or the limit that it is measured against.

use std::path::Path;

use orderkeep::store::{
    Backend, Commit, CommitError, Committed, EmbeddedConfig, EmbeddedStore, InboxSeq, NewInboxItem,
    Store,
    testing::{RawLog, RedbPlain},
};

use crate::{
    bench::{args::BenchStore, disk},
    exit::Failure,
};

/// An opened store.
#[derive(Debug)]
pub(super) enum Arm {
    Embedded(EmbeddedStore),
    Raw(RawLog),
    Plain(RedbPlain),
}

/// What it came to take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    /// On the disk, without what is held in reserve for a full one.
    pub(super) bytes: u64,
    /// Of these, the bodies of webhooks.
    pub(super) evidence_bytes: u64,
}

impl Arm {
    pub(super) fn open(store: BenchStore, folder: &Path) -> Result<Self, Failure> {
        let config = config(folder);
        let embedded = |backend| {
            let opened = EmbeddedStore::open(config.clone().backend(backend));
            opened.map(Self::Embedded).map_err(Failure::failed)
        };
        match store {
            BenchStore::Sled => embedded(Backend::Sled),
            BenchStore::Redb => embedded(Backend::Redb),
            BenchStore::Raw => {
                RawLog::create(folder, config.group_entries).map(Self::Raw).map_err(Failure::failed)
            }
            BenchStore::RedbPlain => {
                let folder = folder.join("store");
                RedbPlain::create(&folder, config.cache_bytes, config.group_entries)
                    .map(Self::Plain)
                    .map_err(Failure::failed)
            }
        }
    }

    pub(super) async fn commit(&self, commit: Commit) -> Result<Committed, CommitError> {
        match self {
            Self::Embedded(store) => store.commit(commit).await,
            Self::Raw(log) => log.commit(commit).await,
            Self::Plain(plain) => plain.commit(commit).await,
        }
    }

    pub(super) async fn hear(&self, item: NewInboxItem) -> Result<InboxSeq, CommitError> {
        match self {
            Self::Embedded(store) => store.append_inbox(item).await,
            Self::Raw(log) => log.append_inbox(item).await,
            Self::Plain(plain) => plain.append_inbox(item).await,
        }
    }

    /// Writes everything that is behind and lets the files go.
    pub(super) async fn settle(self, folder: &Path) -> Result<Size, Failure> {
        match self {
            Self::Embedded(store) => {
                let evidence_bytes = store.stats().await.map_err(Failure::failed)?.evidence;
                store.close().await.map_err(Failure::failed)?;
                drop(store);
                let bytes = disk::used_bytes(folder).map_err(Failure::failed)?;
                let reserve = config(folder).ballast_bytes;
                Ok(Size { bytes: bytes.saturating_sub(reserve), evidence_bytes })
            }
            Self::Plain(plain) => {
                plain.close();
                drop(plain);
                // It finishes items for good, and keeps no evidence of what was heard.
                let bytes = disk::used_bytes(folder).map_err(Failure::failed)?;
                Ok(Size { bytes, evidence_bytes: 0 })
            }
            Self::Raw(log) => {
                log.close();
                Ok(Size { bytes: log.written(), evidence_bytes: log.evidence() })
            }
        }
    }
}

/// As a service runs it.
fn config(folder: &Path) -> EmbeddedConfig {
    EmbeddedConfig::new(folder.join("store"))
}
