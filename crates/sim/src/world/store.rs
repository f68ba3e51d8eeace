//! The real journal, on a disk that can be slow, full or dead. After the power went, nothing it is asked ever ends.

use std::{future::pending, sync::Arc, time::Duration};

use orderkeep_core::{Event as OrderEvent, EventRecord};
use orderkeep_driver::codec;
use orderkeep_store::{
    BoxFuture, Claim, Commit, CommitError, Committed, Cursor, Due, Entity, EntityId, FeedPage,
    InboxItem, InboxSeq, Layer, ListQuery, MemoryStore, Micros, NewInboxItem, PartitionId,
    ReadError, Store,
};

use super::Shared;
use crate::Twin;

/// See the module.
#[derive(Debug)]
pub(crate) struct Journal {
    pub(crate) real: MemoryStore,
    pub(crate) shared: Arc<Shared>,
}

impl Journal {
    /// Waits as long as a commit does on this disk: before it is durable, or after.
    async fn wait(&self) {
        let delay = self.shared.world().commit_delay();
        match delay {
            Some(0) => {}
            Some(millis) => tokio::time::sleep(Duration::from_millis(millis)).await,
            None => tokio::task::yield_now().await,
        }
    }

    /// What is said after the power went, nobody hears.
    async fn unless_dead<T>(&self, answer: T) -> T {
        if self.shared.disk.is_dead() {
            self.shared.die();
        }
        if self.shared.world().is_dead() {
            drop(answer);
            return pending().await;
        }
        answer
    }
}

/// Keys and locks, the claims that make a submit the same one.
fn makes_unique(claim: &Claim) -> bool {
    [&b"\x00\x03key"[..], &b"\x00\x04lock"[..]].iter().any(|start| claim.0.starts_with(start))
}

fn is_intent(commit: &Commit) -> bool {
    commit.change.iter().flat_map(|change| &change.events).any(|bytes| {
        codec::decode::<EventRecord>(bytes)
            .is_ok_and(|record| matches!(record.event, OrderEvent::CreateIntended { .. }))
    })
}

impl Layer for Journal {
    fn below(&self) -> &dyn Store {
        &self.real
    }

    fn commit(&self, mut commit: Commit) -> BoxFuture<'_, Result<Committed, CommitError>> {
        Box::pin(async move {
            match self.shared.plan.twin {
                Some(Twin::NoDedupe) => {
                    if let Some(change) = &mut commit.change {
                        change.claims.retain(|claim| !makes_unique(claim));
                    }
                }
                Some(Twin::NoIntent) => {
                    if is_intent(&commit) {
                        self.shared.disk.expect_intent();
                    }
                }
                Some(
                    Twin::Resend
                    | Twin::LocalVerdict
                    | Twin::EffectFirst
                    | Twin::TrustBinding
                    | Twin::ForgetRestore
                    | Twin::StaleBackup
                    | Twin::IgnoreBound,
                )
                | None => {}
            }
            self.wait().await;
            let result = self.real.commit(commit).await;
            self.wait().await;
            self.unless_dead(result).await
        })
    }

    fn append_inbox(&self, item: NewInboxItem) -> BoxFuture<'_, Result<InboxSeq, CommitError>> {
        Box::pin(async move {
            self.wait().await;
            let result = self.real.append_inbox(item).await;
            self.wait().await;
            self.unless_dead(result).await
        })
    }

    fn load(&self, id: EntityId) -> BoxFuture<'_, Result<Option<Entity>, ReadError>> {
        Box::pin(async move {
            let result = self.real.load(id).await;
            self.unless_dead(result).await
        })
    }

    fn by_claim(&self, claim: &Claim) -> BoxFuture<'_, Result<Option<EntityId>, ReadError>> {
        let claim = claim.clone();
        Box::pin(async move {
            let result = self.real.by_claim(&claim).await;
            self.unless_dead(result).await
        })
    }

    fn due(
        &self,
        partition: PartitionId,
        until: Micros,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Due>, ReadError>> {
        Box::pin(async move {
            let result = self.real.due(partition, until, limit).await;
            self.unless_dead(result).await
        })
    }

    fn list(&self, query: ListQuery) -> BoxFuture<'_, Result<Vec<Entity>, ReadError>> {
        Box::pin(async move {
            let result = self.real.list(query).await;
            self.unless_dead(result).await
        })
    }

    fn feed(
        &self,
        after: Option<Cursor>,
        limit: usize,
    ) -> BoxFuture<'_, Result<FeedPage, ReadError>> {
        Box::pin(async move {
            let result = self.real.feed(after, limit).await;
            self.unless_dead(result).await
        })
    }

    fn inbox(
        &self,
        after: Option<InboxSeq>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<InboxItem>, ReadError>> {
        Box::pin(async move {
            let result = self.real.inbox(after, limit).await;
            self.unless_dead(result).await
        })
    }

    fn close(&self) -> BoxFuture<'_, Result<(), ReadError>> {
        Box::pin(async move {
            let result = self.real.close().await;
            self.unless_dead(result).await
        })
    }
}
