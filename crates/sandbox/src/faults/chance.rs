//! Chances, in parts per thousand, so that no float decides anything.

use serde::Deserialize;

/// An inclusive range to draw from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// The least value.
    pub min: i64,
    /// The largest value.
    pub max: i64,
}

/// Chances of one call, in parts per thousand. One draw decides, so they exclude each other and may add up to
/// 1000 at most.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CallChances {
    /// See [`super::CallFault::AnswerLost`].
    pub answer_lost: u32,
    /// See [`super::CallFault::AnswerHung`].
    pub answer_hung: u32,
    /// See [`super::CallFault::Dropped`].
    pub dropped: u32,
    /// P500 without an effect.
    pub p500_before: u32,
    /// P501 without an effect.
    pub p501_before: u32,
    /// P500 though the effect is there.
    pub p500_after: u32,
    /// P501 though the effect is there.
    pub p501_after: u32,
    /// See [`super::CallFault::Denied`].
    pub denied: u32,
    /// See [`super::CallFault::Throttled`].
    pub throttled: u32,
    /// See [`super::CallFault::Garbage`]; the shape is drawn.
    pub garbage: u32,
    /// See [`super::CallFault::Slow`].
    pub slow: u32,
    /// See [`super::CallFault::Stale`]; details only.
    pub stale: u32,
}

impl CallChances {
    /// The chances in the order in which the draw is laid out.
    pub(crate) const fn laid_out(&self) -> [u32; 12] {
        [
            self.answer_lost,
            self.answer_hung,
            self.dropped,
            self.p500_before,
            self.p501_before,
            self.p500_after,
            self.p501_after,
            self.denied,
            self.throttled,
            self.garbage,
            self.slow,
            self.stale,
        ]
    }
}

/// Chances of one event's webhook, in parts per thousand, each drawn by itself: one event may be both delayed and
/// doubled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookChances {
    /// See [`super::WebhookFault::LostAll`].
    pub lost_all: u32,
    /// See [`super::WebhookFault::LostTry`].
    pub lost_try: u32,
    /// See [`super::WebhookFault::Doubled`].
    pub doubled: u32,
    /// See [`super::WebhookFault::Delayed`].
    pub delayed: u32,
    /// See [`super::WebhookFault::Reordered`].
    pub reordered: u32,
    /// See [`super::WebhookFault::Forged`]; what is false is drawn.
    pub forged: u32,
}

impl WebhookChances {
    pub(crate) const fn laid_out(&self) -> [u32; 6] {
        [self.lost_all, self.lost_try, self.doubled, self.delayed, self.reordered, self.forged]
    }
}
