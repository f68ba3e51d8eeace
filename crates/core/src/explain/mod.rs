//! Why an order is where it is, what happens next and when, and what a person can do: in sentences, from its evidence.
//!
//! Pure, like the rest: whoever shows it (HTTP, command line, console) only shows it.

mod evidence;
mod next;
mod settle;

use std::time::Duration;

use serde::Serialize;

pub use evidence::Evidence;
pub use settle::{Question, commands, questions};

use crate::{
    EventRecord, Order, OrderId, Policy, StateName, Timestamp, replay::Difference, state::State,
    table::Situation,
};

/// What the order itself does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outlook {
    /// When the engine will look at it next.
    pub wake_up: Option<Timestamp>,
    /// Whether calls to the provider go out.
    pub calls: Calls,
}

/// Whether calls to the provider go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calls {
    /// They do.
    Flowing,
    /// The provider asked to wait.
    Throttled,
    /// The provider does not answer; one call tries now and then.
    Down,
    /// The provider refuses the credential.
    Denied,
    /// The order's account is not configured.
    NoAccount,
}

/// One order, explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// Which one.
    pub order_id: OrderId,
    /// Where it stands.
    pub state: StateName,
    /// Where exactly, as the state table words it.
    pub situation: &'static str,
    /// Since when it is in its state.
    pub since: Timestamp,
    /// When this was said.
    pub at: Timestamp,
    /// Why it stands there; and what today's rules and settings would have made of its history, where that differs.
    pub why: Vec<String>,
    /// What the engine does next.
    pub next: Vec<String>,
    /// When the engine looks at it next by itself; a webhook or a command makes it sooner.
    pub next_at: Option<Timestamp>,
    /// What a person is asked, with the commands that settle it.
    pub questions: Vec<Question>,
    /// Its history, a sentence for each event.
    pub evidence: Vec<Evidence>,
}

impl Order {
    /// Explains this order at a moment. `history`: its events with their numbers, as they were appended.
    #[must_use]
    pub fn explain(
        &self,
        history: &[(u64, EventRecord)],
        outlook: Outlook,
        now: Timestamp,
        policy: &Policy,
    ) -> Explanation {
        let records: Vec<_> = history.iter().map(|(_, record)| record.clone()).collect();
        let mut why = next::why(self, now);
        let differences = Self::replay(&records, policy).unwrap_or_default();
        why.extend(differences.iter().map(Difference::said));
        Explanation {
            order_id: self.id,
            state: self.state_name(),
            situation: Situation::of(self).words(),
            since: self.since,
            at: now,
            why,
            next: next::next(self, outlook, now, policy),
            next_at: outlook.wake_up,
            questions: questions(self),
            evidence: history
                .iter()
                .map(|(version, record)| Evidence::of(*version, record))
                .collect(),
        }
    }
}

/// A moment, and how far away it is.
pub(crate) fn when(at: Timestamp, now: Timestamp) -> String {
    if at > now {
        format!("{at} (in {})", span(at.since(now)))
    } else {
        format!("{at} ({} ago)", span(now.since(at)))
    }
}

/// A duration as people say it, in its two largest units.
pub(crate) fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) if seconds == 0 => format!("{} ms", duration.as_millis()),
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min {} s", seconds % 60),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// Where the payer was sent, if anywhere.
pub(crate) const fn was_payable(order: &Order) -> bool {
    match &order.state {
        State::Locked(_) | State::Created(_) | State::WaitingForWallet(_) => false,
        State::AwaitingPayment(_) => true,
        State::Executed(state) => state.deposit.is_some(),
        State::Failed(state) => state.deposit.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_with_its_distance() {
        let now = Timestamp::from_millis(1_772_366_400_000);
        let told = |at: Timestamp| when(at, now).split_once(' ').unwrap().1.to_owned();
        assert_eq!(told(now.plus(Duration::from_secs(1))), "(in 1 s)");
        assert_eq!(told(now), "(0 ms ago)");
        assert_eq!(told(now.minus(Duration::from_secs(1))), "(1 s ago)");
    }

    #[test]
    fn spans_are_said_in_their_two_largest_units() {
        let said = |millis| span(Duration::from_millis(millis));
        assert_eq!(said(250), "250 ms");
        assert_eq!(said(59_900), "59 s");
        assert_eq!(said(298_000), "4 min 58 s");
        assert_eq!(said(2 * 3_600_000 + 61_000), "2 h 1 min");
        assert_eq!(said(26 * 3_600_000), "1 d 2 h");
    }
}
