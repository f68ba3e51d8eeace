//! What can go wrong at a given time, beside what goes wrong by chance.

use orderkeep_sandbox::OutageMode;
use serde::Serialize;

use super::Millis;

/// A kind of fault, to be counted and left out by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The process is killed, wherever it is.
    Crash,
    /// The power goes at one operation of the disk: what was not synced is lost, or part of it is there.
    PowerCut,
    /// The process is killed while a create is on its way.
    CrashInCreate,
    /// The process is asked to stop, and started again.
    Restart,
    /// No room on the disk.
    DiskFull,
    /// Commits take long, before or after they are durable.
    DiskSlow,
    /// The provider is not there.
    Outage,
    /// The network is not there.
    Partition,
    /// The engine's clock is set.
    ClockJump,
    /// A webhook that the provider did not send.
    ForgedWebhook,
    /// The provider takes an executed order back.
    Reversal,
    /// The provider gives an order up.
    ProviderFailure,
    /// The chain takes a payment away.
    Reorganisation,
    /// Somebody asks something of an order.
    Command,
    /// The caller submits again.
    SubmitAgain,
    /// A key is used for something else.
    KeyReused,
    /// The machine is lost, and an older copy of its store takes over.
    Restore,
}

impl Kind {
    /// Its name, as the reports write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::PowerCut => "power_cut",
            Self::CrashInCreate => "crash_in_create",
            Self::Restart => "restart",
            Self::DiskFull => "disk_full",
            Self::DiskSlow => "disk_slow",
            Self::Outage => "outage",
            Self::Partition => "partition",
            Self::ClockJump => "clock_jump",
            Self::ForgedWebhook => "forged_webhook",
            Self::Reversal => "reversal",
            Self::ProviderFailure => "provider_failure",
            Self::Reorganisation => "reorganisation",
            Self::Command => "command",
            Self::SubmitAgain => "submit_again",
            Self::KeyReused => "key_reused",
            Self::Restore => "restore",
        }
    }
}

/// A fault, and how bad it is. Times are milliseconds; `sale` is an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// See [`Kind::Crash`].
    Crash {
        /// Until the next start.
        down: Millis,
    },
    /// See [`Kind::PowerCut`].
    PowerCut {
        /// At which operation from now on.
        operation: u32,
        /// After it had its effect, or before.
        after: bool,
        /// How many batches that were not synced are found all the same.
        keep: usize,
        /// Until the next start.
        down: Millis,
    },
    /// See [`Kind::CrashInCreate`].
    CrashInCreate {
        /// Before the request is written, or when it has arrived.
        sent: bool,
        /// Until the next start.
        down: Millis,
    },
    /// See [`Kind::Restart`].
    Restart {
        /// Until the next start.
        down: Millis,
    },
    /// See [`Kind::DiskFull`].
    DiskFull {
        /// For how long.
        lasts: Millis,
    },
    /// See [`Kind::DiskSlow`].
    DiskSlow {
        /// For how long.
        lasts: Millis,
        /// How long a commit takes at most.
        delay: Millis,
    },
    /// See [`Kind::Outage`].
    Outage {
        /// For how long.
        lasts: Millis,
        /// What a call meets.
        mode: OutageMode,
    },
    /// See [`Kind::Partition`].
    Partition {
        /// For how long.
        lasts: Millis,
        /// Connections are not refused, they never come about.
        silent: bool,
    },
    /// See [`Kind::ClockJump`].
    ClockJump {
        /// By how much.
        by: Millis,
    },
    /// See [`Kind::ForgedWebhook`].
    ForgedWebhook {
        /// About which sale.
        sale: usize,
        /// What it says.
        says: Forged,
    },
    /// See [`Kind::Reversal`].
    Reversal {
        /// Of which sale.
        sale: usize,
    },
    /// See [`Kind::ProviderFailure`].
    ProviderFailure {
        /// Of which sale.
        sale: usize,
    },
    /// See [`Kind::Reorganisation`].
    Reorganisation {
        /// Of which sale.
        sale: usize,
    },
    /// See [`Kind::Command`].
    Command {
        /// Of which sale.
        sale: usize,
        /// What is asked.
        ask: Ask,
    },
    /// See [`Kind::SubmitAgain`].
    SubmitAgain {
        /// Which sale.
        sale: usize,
    },
    /// See [`Kind::KeyReused`].
    KeyReused {
        /// Whose key.
        sale: usize,
    },
    /// See [`Kind::Restore`].
    Restore {
        /// How old the copy is.
        age: Millis,
        /// Until the copy is started.
        down: Millis,
        /// From then until a person would lift the hold, if all that was lost is accounted for.
        lift_after: Millis,
    },
}

/// What a forged webhook says. All of them carry the right token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forged {
    /// An order that does not exist was made from the sale's lock, and wants to be paid elsewhere.
    OrderOfOurLock,
    /// The sale's order wants to be paid elsewhere.
    Address,
    /// The sale's order is executed, or expired where it is executed.
    End,
    /// An order of somebody else.
    Stranger,
    /// The sale's order was made from another lock.
    AnotherLock,
    /// A status that nobody knows.
    UnknownWord,
}

/// What is asked of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// End it.
    Cancel,
    /// Do now what is due later.
    Retry,
    /// Write something down.
    Note,
    /// The provider's order is ours, and it is.
    AdoptOurs,
    /// The provider's order is ours, and it is not.
    AdoptAnother,
    /// What was asked is seen to.
    Acknowledge,
    /// The provider has no order for the lock; said only where that is true.
    NoProviderOrder,
    /// Post an unknown create again, whatever comes of it.
    PostAgain,
}

impl Fault {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Crash { .. } => Kind::Crash,
            Self::PowerCut { .. } => Kind::PowerCut,
            Self::CrashInCreate { .. } => Kind::CrashInCreate,
            Self::Restart { .. } => Kind::Restart,
            Self::DiskFull { .. } => Kind::DiskFull,
            Self::DiskSlow { .. } => Kind::DiskSlow,
            Self::Outage { .. } => Kind::Outage,
            Self::Partition { .. } => Kind::Partition,
            Self::ClockJump { .. } => Kind::ClockJump,
            Self::ForgedWebhook { .. } => Kind::ForgedWebhook,
            Self::Reversal { .. } => Kind::Reversal,
            Self::ProviderFailure { .. } => Kind::ProviderFailure,
            Self::Reorganisation { .. } => Kind::Reorganisation,
            Self::Command { .. } => Kind::Command,
            Self::SubmitAgain { .. } => Kind::SubmitAgain,
            Self::KeyReused { .. } => Kind::KeyReused,
            Self::Restore { .. } => Kind::Restore,
        }
    }

    /// The sale that it names.
    #[must_use]
    pub const fn sale(&self) -> Option<usize> {
        match self {
            Self::ForgedWebhook { sale, .. }
            | Self::Reversal { sale }
            | Self::ProviderFailure { sale }
            | Self::Reorganisation { sale }
            | Self::Command { sale, .. }
            | Self::SubmitAgain { sale }
            | Self::KeyReused { sale } => Some(*sale),
            Self::Crash { .. }
            | Self::PowerCut { .. }
            | Self::CrashInCreate { .. }
            | Self::Restart { .. }
            | Self::DiskFull { .. }
            | Self::DiskSlow { .. }
            | Self::Outage { .. }
            | Self::Partition { .. }
            | Self::ClockJump { .. }
            | Self::Restore { .. } => None,
        }
    }
}
