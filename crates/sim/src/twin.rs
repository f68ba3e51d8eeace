//! Engines that are broken on purpose: proof that the oracles see what they are there for.
//!
//! The engine's code is the same; what lies is the part under or beside it, so that it does what a careless engine
//! would do.

use serde::Serialize;

/// What is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Twin {
    /// The store does not keep keys and locks unique: the same submit makes another order.
    NoDedupe,
    /// The intent of a create is not on the disk when the create is sent.
    NoIntent,
    /// A lost answer counts as a request that was never sent.
    Resend,
    /// While the provider does not answer, an order's own deadline decides.
    LocalVerdict,
    /// The engine acts, and answers, before its steps are on the disk.
    EffectFirst,
    /// What a webhook says counts as read.
    TrustBinding,
    /// A store that was restored from an older copy takes itself for what it was.
    ForgetRestore,
    /// A backup ends where one before it ended, and says that it is of now.
    StaleBackup,
    /// A fresh lock may cost whatever it does.
    IgnoreBound,
}

impl Twin {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::NoDedupe,
        Self::NoIntent,
        Self::Resend,
        Self::LocalVerdict,
        Self::EffectFirst,
        Self::TrustBinding,
        Self::ForgetRestore,
        Self::StaleBackup,
        Self::IgnoreBound,
    ];

    /// As the command line writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoDedupe => "no-dedupe",
            Self::NoIntent => "no-intent",
            Self::Resend => "resend",
            Self::LocalVerdict => "local-verdict",
            Self::EffectFirst => "effect-first",
            Self::TrustBinding => "trust-binding",
            Self::ForgetRestore => "forget-restore",
            Self::StaleBackup => "stale-backup",
            Self::IgnoreBound => "ignore-bound",
        }
    }
}
