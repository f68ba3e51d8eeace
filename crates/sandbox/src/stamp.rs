//! How the provider's time is written into bodies.
//!
//! The model counts in provider milliseconds. When provider time runs faster than the wall (or was moved forward),
//! a client on an ordinary clock would misread every deadline; [`Stamps::Wall`] writes each instant as the moment of
//! the wall clock at which it comes true. This is presentation only: no decision of the model depends on it.

use jiff::Timestamp;

/// The mapping from provider milliseconds to the instants shown to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamps {
    /// Provider time as it is.
    Provider,
    /// The wall-clock moment at which provider time gets (or got) there.
    Wall {
        /// Where both clocks started, milliseconds since 1970.
        origin_ms: i64,
        /// Provider milliseconds per wall millisecond; at least 1.
        factor: u32,
        /// How far provider time was moved forward by hand, milliseconds.
        advanced_ms: i64,
    },
}

impl Stamps {
    /// The instant to show for a provider time, milliseconds since 1970.
    pub fn shown_ms(self, provider_ms: i64) -> i64 {
        match self {
            Self::Provider => provider_ms,
            Self::Wall { origin_ms, factor, advanced_ms } => {
                let run = provider_ms.saturating_sub(origin_ms).saturating_sub(advanced_ms);
                origin_ms.saturating_add(run.div_euclid(i64::from(factor.max(1))))
            }
        }
    }

    /// ISO-8601 in UTC with milliseconds: `2026-02-13T11:28:46.569Z`.
    pub(crate) fn millis(self, provider_ms: i64) -> String {
        format!("{:.3}", self.instant(provider_ms))
    }

    /// ISO-8601 in UTC without a fraction: `2025-09-23T06:55:40Z`.
    pub(crate) fn seconds(self, provider_ms: i64) -> String {
        format!("{:.0}", self.instant(provider_ms))
    }

    fn instant(self, provider_ms: i64) -> Timestamp {
        // Out of the calendar's range only after thousands of years of `advance`.
        Timestamp::from_millisecond(self.shown_ms(provider_ms)).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEB_13: i64 = 1_770_982_126_569;

    #[test]
    fn both_forms_are_as_documented() {
        assert_eq!(Stamps::Provider.millis(FEB_13), "2026-02-13T11:28:46.569Z");
        assert_eq!(Stamps::Provider.seconds(FEB_13), "2026-02-13T11:28:46Z");
        assert_eq!(Stamps::Provider.millis(FEB_13 - 569), "2026-02-13T11:28:46.000Z");
    }

    #[test]
    fn wall_stamps_shrink_by_the_factor_and_undo_an_advance() {
        let stamps = Stamps::Wall { origin_ms: 1_000, factor: 60, advanced_ms: 6_000 };
        // One wall second after the start, provider time is 60 s further, plus what was advanced.
        assert_eq!(stamps.shown_ms(1_000 + 60_000 + 6_000), 2_000);
        // An order that ends 15 provider minutes later ends 15 wall seconds later.
        assert_eq!(stamps.shown_ms(1_000 + 60_000 + 6_000 + 900_000), 17_000);
    }
}
