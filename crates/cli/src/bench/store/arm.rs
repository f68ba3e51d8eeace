//! What is measured: a store, or the limit that it is measured against.

use std::path::Path;

use orderkeep::store::{
    Commit, CommitError, Committed, InboxSeq, NewInboxItem, SledConfig, SledStore, Store,
    testing::RawLog,
};

use crate::{
    bench::{args::BenchStore, disk},
    exit::Failure,
};

/// An opened store.
#[derive(Debug)]
pub(super) enum Arm {
    Sled(SledStore),
    Raw(RawLog),
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
        let config = sled_config(folder);
        match store {
            BenchStore::Sled => SledStore::open(config).map(Self::Sled).map_err(Failure::failed),
            BenchStore::Raw => {
                RawLog::create(folder, config.group_entries).map(Self::Raw).map_err(Failure::failed)
            }
        }
    }

    pub(super) async fn commit(&self, commit: Commit) -> Result<Committed, CommitError> {
        match self {
            Self::Sled(store) => store.commit(commit).await,
            Self::Raw(log) => log.commit(commit).await,
        }
    }

    pub(super) async fn hear(&self, item: NewInboxItem) -> Result<InboxSeq, CommitError> {
        match self {
            Self::Sled(store) => store.append_inbox(item).await,
            Self::Raw(log) => log.append_inbox(item).await,
        }
    }

    /// Writes everything that is behind and lets the files go.
    pub(super) async fn settle(self, folder: &Path) -> Result<Size, Failure> {
        match self {
            Self::Sled(store) => {
                let evidence_bytes = store.stats().await.map_err(Failure::failed)?.evidence;
                store.close().await.map_err(Failure::failed)?;
                drop(store);
                let bytes = disk::used_bytes(folder).map_err(Failure::failed)?;
                let reserve = sled_config(folder).ballast_bytes;
                Ok(Size { bytes: bytes.saturating_sub(reserve), evidence_bytes })
            }
            Self::Raw(log) => {
                log.close();
                Ok(Size { bytes: log.written(), evidence_bytes: log.evidence() })
            }
        }
    }
}

/// As a service runs it.
fn sled_config(folder: &Path) -> SledConfig {
    SledConfig::new(folder.join("store"))
}
