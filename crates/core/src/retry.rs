//! Which create answers may be sent again, and when.
//!
//! The provider takes only a `lockId`, has no idempotency key and no look-up by lock. So a create is sent again only
//! if the last attempt was not sent or definitely refused; anything else could make a second order.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

/// What kind of answer a call got, as the provider port classes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerClass {
    /// A clear no: the call had no effect.
    Definite,
    /// Nobody can say whether the call had an effect.
    Ambiguous,
    /// Too many calls; this one had no effect.
    Throttled,
    /// The credential was refused; the call had no effect.
    Denied,
}

/// What follows from a create answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreateVerdict {
    /// Send again, after a while, as long as the lock lasts.
    SendAgain,
    /// It had no effect, and sending the same again would not help: wait for a person.
    Hold,
    /// The lock is of no use: the order fails, nobody paid.
    LockInvalid,
    /// The outcome is unknown: nothing is sent again.
    Unknown,
}

/// One table, from the provider's error code (or the class, where a code is not listed) to what follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerTable {
    codes: BTreeMap<String, CreateVerdict>,
}

/// What the provider's documents say of a code (seen: P403 and P462 among the errors of the create). It holds in an
/// answer that is certain in class.
const DOCUMENTED: [(&str, CreateVerdict); 2] =
    [("P403", CreateVerdict::Hold), ("P462", CreateVerdict::LockInvalid)];

impl Default for AnswerTable {
    /// P403 holds, P462 fails; P500 and P501 stay with their class, which is ambiguous.
    fn default() -> Self {
        Self {
            codes: DOCUMENTED
                .into_iter()
                .map(|(code, verdict)| (code.to_owned(), verdict))
                .collect(),
        }
    }
}

impl AnswerTable {
    /// A partner who knows better says so for one code, for example that P501 never makes an order.
    #[must_use]
    pub fn with(mut self, code: impl Into<String>, verdict: CreateVerdict) -> Self {
        self.codes.insert(code.into(), verdict);
        self
    }

    /// What follows from an answer of this class and code.
    ///
    /// A code only speaks for answers that are certain in class, or for an ambiguous one that was configured on
    /// purpose.
    #[must_use]
    pub fn verdict(&self, class: AnswerClass, code: Option<&str>) -> CreateVerdict {
        let listed = code.and_then(|code| Some((code, *self.codes.get(code)?)));
        match class {
            AnswerClass::Definite => listed.map_or(CreateVerdict::Hold, |(_, verdict)| verdict),
            AnswerClass::Ambiguous => listed
                .filter(|listed| !DOCUMENTED.contains(listed))
                .map_or(CreateVerdict::Unknown, |(_, verdict)| verdict),
            AnswerClass::Throttled | AnswerClass::Denied => {
                listed.map_or(CreateVerdict::SendAgain, |(_, verdict)| verdict)
            }
        }
    }

    /// The listed codes.
    pub fn codes(&self) -> impl Iterator<Item = (&str, CreateVerdict)> {
        self.codes.iter().map(|(code, verdict)| (code.as_str(), *verdict))
    }
}

/// How long to wait before attempt `attempts + 1`: doubling from `first` to `longest`, never less than the provider
/// asked for. The wait asked for is bounded: a header must not be able to park an order for a year.
#[must_use]
pub fn create_delay(
    first: Duration,
    longest: Duration,
    attempts: u32,
    asked: Option<Duration>,
) -> Duration {
    /// Longer than any lock lives; the lock's margin decides before it.
    const ASKED_MAX: Duration = Duration::from_secs(15 * 60);
    let doubled =
        first.saturating_mul(1_u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX));
    doubled.min(longest).max(asked.unwrap_or(Duration::ZERO).min(ASKED_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_certainly_had_no_effect_is_sent_again() {
        let table = AnswerTable::default();
        let expected = [
            (AnswerClass::Denied, None, CreateVerdict::SendAgain),
            (AnswerClass::Throttled, None, CreateVerdict::SendAgain),
            (AnswerClass::Definite, Some("P403"), CreateVerdict::Hold),
            (AnswerClass::Definite, Some("P462"), CreateVerdict::LockInvalid),
            (AnswerClass::Definite, Some("P999"), CreateVerdict::Hold),
            (AnswerClass::Ambiguous, Some("P500"), CreateVerdict::Unknown),
            (AnswerClass::Ambiguous, Some("P501"), CreateVerdict::Unknown),
            (AnswerClass::Ambiguous, None, CreateVerdict::Unknown),
            (AnswerClass::Ambiguous, Some("P403"), CreateVerdict::Unknown),
            (AnswerClass::Ambiguous, Some("P462"), CreateVerdict::Unknown),
        ];
        for (class, code, verdict) in expected {
            assert_eq!(table.verdict(class, code), verdict, "{class:?} {code:?}");
        }
    }

    #[test]
    fn a_partner_may_know_better_about_one_code() {
        let table = AnswerTable::default().with("P501", CreateVerdict::SendAgain);
        assert_eq!(table.verdict(AnswerClass::Ambiguous, Some("P501")), CreateVerdict::SendAgain);
        assert_eq!(table.verdict(AnswerClass::Ambiguous, Some("P500")), CreateVerdict::Unknown);
    }

    #[test]
    fn waits_double_to_a_bound_and_respect_what_was_asked() {
        let second = Duration::from_secs(1);
        let delay = |attempts, asked| create_delay(second, 8 * second, attempts, asked);
        assert_eq!([1, 2, 3, 4, 5, 400].map(|n| delay(n, None).as_secs()), [1, 2, 4, 8, 8, 8]);
        assert_eq!(delay(1, Some(30 * second)).as_secs(), 30);
        assert_eq!(delay(1, Some(Duration::MAX)).as_secs(), 900);
    }
}
