//! What a shard is told: one thing to do about one order.

use std::sync::Arc;

use orderkeep_core::{Disposition, Input, Order, OrderId, Timestamp};
use orderkeep_store::InboxSeq;
use tokio::sync::oneshot;

use crate::{CommandError, gate::Permit};

/// What an input came to.
pub(crate) type Reply = Result<Told, CommandError>;

/// The order after an input, as the shard has it, and how the input ended.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) order: Arc<Order>,
    pub(crate) disposition: Disposition,
}

/// One thing to do about one order.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) what: What,
    /// The inbox items that it works off.
    pub(crate) inbox: Vec<InboxSeq>,
    pub(crate) reply: Option<oneshot::Sender<Reply>>,
    /// Only while the order has this version.
    pub(crate) only_at: Option<u64>,
    /// Leave for the call that the step may ask for.
    pub(super) permit: Option<Permit>,
    pub(super) conflicts: u8,
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    /// Something happened.
    Input(Arc<Input>),
    /// A read came back with something.
    Read(Arc<Input>),
    /// A read brought no answer.
    ReadFailed,
    /// Its wake-up is to be moved.
    Move,
    /// A wake-up is due.
    Wake,
    /// Time decides something. Looked at anew whenever it is tried again: what could be seen then may not be seen now.
    Tick,
    /// Somebody says something that cannot be read: have a look.
    Look,
}

impl Job {
    pub(crate) const fn new(what: What) -> Self {
        Self { what, inbox: Vec::new(), reply: None, only_at: None, permit: None, conflicts: 0 }
    }

    pub(super) fn answer(self, reply: Reply) {
        if let Some(to) = self.reply {
            // Whoever asked may have left.
            drop(to.send(reply));
        }
    }
}

/// What the shard is told from outside.
#[derive(Debug)]
pub(crate) enum Message {
    Job(OrderId, Job),
    /// A new order is durable.
    Submitted(OrderId, Option<Timestamp>),
}
