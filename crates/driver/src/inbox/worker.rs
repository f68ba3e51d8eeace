//! Works the inbox off: starts on what is new, parks what has no order, reads what is parked.

use std::sync::Arc;

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use orderkeep_core::Disposition;
use orderkeep_store::{InboxItem, InboxSeq};
use tokio::sync::{Notify, mpsc};

use super::{
    Done,
    parked::{Found, ParkedOrders, Then},
    work_off::{again, finish, look, read_parked, work_off},
};
use crate::{
    EngineError,
    clock::sleep_towards,
    shard::{Message, Parts},
};

/// Webhooks worked on at once.
const AT_WORK_MAX: usize = 128;
/// Reads of parked orders at once. They may wait long for their share of the budget, and take no room of the webhooks.
const READS_MAX: usize = 16;
/// Of these, for those that name no lock of ours.
const READS_OF_OTHERS_MAX: usize = 12;
/// So often a webhook is tried again that the store refuses, then it is given up: its order is asked about anyway.
const REFUSED_MAX: u32 = 5;

/// Works the inbox off.
pub(crate) struct InboxWorker {
    parts: Parts,
    shard: mpsc::Sender<Message>,
    arrived: Arc<Notify>,
    after: Option<InboxSeq>,
    work: FuturesUnordered<BoxFuture<'static, Done>>,
    parked: ParkedOrders,
    reads: usize,
    reads_of_others: usize,
}

impl InboxWorker {
    pub(crate) fn new(parts: Parts, shard: mpsc::Sender<Message>, arrived: Arc<Notify>) -> Self {
        Self {
            parts,
            shard,
            arrived,
            after: None,
            work: FuturesUnordered::new(),
            parked: ParkedOrders::default(),
            reads: 0,
            reads_of_others: 0,
        }
    }

    /// Runs until it is told to stop, or the engine halts. What is not worked off then is still in the inbox.
    pub(crate) async fn run(mut self) {
        let stop = self.parts.stop.clone();
        let mut halted = self.parts.halted.subscribe();
        loop {
            if let Err(error) = self.take().await {
                tracing::warn!(%error, "the inbox cannot be read");
            }
            self.read_due();
            let room = self.room() > 0;
            let next = self.parked.next_at(self.reads_others()).filter(|_| self.reads < READS_MAX);
            let clock = Arc::clone(&self.parts.clock);
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = async { drop(halted.wait_for(Option::is_some).await) } => return,
                Some(done) = self.work.next(), if !self.work.is_empty() => self.on_done(done),
                () = self.arrived.notified(), if room => {}
                () = sleep_towards(clock.as_ref(), next) => {}
            }
        }
    }

    /// How many more webhooks may be worked on.
    fn room(&self) -> usize {
        AT_WORK_MAX.saturating_sub(self.work.len() - self.reads)
    }

    const fn reads_others(&self) -> bool {
        self.reads_of_others < READS_OF_OTHERS_MAX
    }

    /// Starts on what is new in the inbox. Whenever one is done, more is taken.
    async fn take(&mut self) -> Result<(), EngineError> {
        let room = self.room();
        if room == 0 {
            return Ok(());
        }
        for item in self.parts.store.inbox(self.after, room).await? {
            self.after = Some(item.seq);
            self.start(item, 0);
        }
        Ok(())
    }

    fn start(&self, item: InboxItem, refused: u32) {
        let (parts, shard) = (self.parts.clone(), self.shard.clone());
        self.work.push(async move { work_off(&parts, &shard, item, refused).await }.boxed());
    }

    fn on_done(&mut self, done: Done) {
        match done {
            Done::Finished => {}
            Done::Parked(waits) => {
                let given_up = self.parked.park(waits, self.parts.clock.now());
                let why = "later ones say more, or it is one of too many strangers";
                self.finish(given_up, quarantined(why));
            }
            Done::Again { item, refused } if refused >= REFUSED_MAX => {
                let why = "the store refuses what follows from it; its order is asked about";
                self.finish(vec![item.seq], quarantined(why));
            }
            Done::Again { item, refused } => {
                let (parts, shard) = (self.parts.clone(), self.shard.clone());
                self.work.push(async move { again(&parts, &shard, item, refused).await }.boxed());
            }
            Done::Read { key, webhooks, likely, found } => {
                self.reads -= 1;
                self.reads_of_others -= usize::from(!likely);
                let config = &self.parts.config;
                let limits = (config.parked_for, config.policy.not_found_grace);
                let now = self.parts.clock.now();
                match self.parked.ended(&key, &webhooks, found, now, limits) {
                    Then::Wait => {}
                    Then::GiveUp(webhooks) => {
                        tracing::warn!(account = %key.0, provider_order = %key.1, "its webhooks are given up: not ours");
                        self.finish(
                            webhooks,
                            quarantined("no order of ours was made from its lock"),
                        );
                    }
                    Then::HandOver { order, told, late } => {
                        self.finish(told, Disposition::Duplicate);
                        if !late.is_empty() {
                            let shard = self.shard.clone();
                            let parts = self.parts.clone();
                            self.work.push(look(parts, shard, order, late).boxed());
                        }
                    }
                }
            }
        }
    }

    /// Reads the parked orders whose time has come.
    fn read_due(&mut self) {
        let now = self.parts.clock.now();
        while self.reads < READS_MAX {
            let Some(to_read) = self.parked.begin(now, self.reads_others()) else { return };
            self.reads += 1;
            self.reads_of_others += usize::from(!to_read.likely);
            let account = self.parts.accounts.get(&to_read.key.0).cloned();
            let (parts, shard) = (self.parts.clone(), self.shard.clone());
            self.work.push(
                async move {
                    let found = match account {
                        Some(account) => read_parked(&parts, &shard, account, &to_read).await,
                        None => Found::NoAnswer,
                    };
                    Done::Read {
                        key: to_read.key,
                        webhooks: to_read.webhooks,
                        likely: to_read.likely,
                        found,
                    }
                }
                .boxed(),
            );
        }
    }

    /// Marks webhooks as worked off without an order.
    fn finish(&self, webhooks: Vec<InboxSeq>, disposition: Disposition) {
        if webhooks.is_empty() {
            return;
        }
        let parts = self.parts.clone();
        self.work.push(
            async move {
                for seq in webhooks {
                    finish(&parts, seq, &disposition).await;
                }
                Done::Finished
            }
            .boxed(),
        );
    }
}

fn quarantined(why: &str) -> Disposition {
    Disposition::Quarantined(why.to_owned())
}
