//! Every sequence of a small alphabet of inputs and waits, to a fixed depth, with every promise checked at each step.
//!
//! Orders that are the same from here on are followed once. `DEPTH=6 cargo test -p orderkeep-core exhaustive -- --nocapture`
//! goes deeper, and takes minutes; the depth below takes a few seconds.

use crate::{
    fixture::*,
    watch::{StepFn, Violation, Watch},
};
use orderkeep_core::{
    Address, AnswerClass, CreateInput, Input, Order, ProviderStatus, observation::Observation,
};
use std::collections::HashSet;

/// From the submit; from every later beginning it is one less.
const DEPTH: usize = 4;

/// Beginnings of lives, so that a short walk also reaches what only happens late.
const BEGINNINGS: [&[Letter]; 9] = {
    use Letter::*;
    [
        &[],
        &[Permit, Refused],
        &[Permit, Ambiguous],
        &[Permit, Ambiguous, PostAgain, Permit],
        &[Permit, Accepted],
        &[Permit, Accepted, ReadAddress, ClaimExecuted],
        &[Permit, Accepted, ReadPartlyPaid],
        &[Permit, Accepted, ReadPartlyPaid, ReadExpired],
        &[Permit, Accepted, ReadAddress, ReadExecuted],
    ]
};

/// One letter: an input now, or time that passes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Letter {
    Permit,
    Accepted,
    NotSent,
    Refused,
    Ambiguous,
    Interrupted,
    Cancel,
    PostAgain,
    Retry,
    ReadWaiting,
    ReadAddress,
    ReadPartlyPaid,
    ReadExecuted,
    ReadExpired,
    ReadOther,
    ClaimExecuted,
    ClaimOtherAddress,
    Woken,
    /// One minute: a create in flight is overdue after it.
    Minute,
    /// To right after the lock's end, then to right after all windows.
    Leap,
}

pub(crate) const ALPHABET: [Letter; 20] = [
    Letter::Permit,
    Letter::Accepted,
    Letter::NotSent,
    Letter::Refused,
    Letter::Ambiguous,
    Letter::Interrupted,
    Letter::Cancel,
    Letter::PostAgain,
    Letter::Retry,
    Letter::ReadWaiting,
    Letter::ReadAddress,
    Letter::ReadPartlyPaid,
    Letter::ReadExecuted,
    Letter::ReadExpired,
    Letter::ReadOther,
    Letter::ClaimExecuted,
    Letter::ClaimOtherAddress,
    Letter::Woken,
    Letter::Minute,
    Letter::Leap,
];

/// What happened, or how much later it is.
enum Told {
    Input(Box<Input>),
    Later(i64),
}

fn told(letter: Letter, seconds: i64, order: &Order) -> Told {
    // Every answer is of the newest attempt, as a faithful driver's is.
    let attempt = order.create_in_flight().unwrap_or(1);
    let seen = |seen: Observation| Told::Input(Box::new(Input::Observed(seen)));
    let input = match letter {
        Letter::Permit => permit(),
        Letter::Accepted => answered(attempt, accepted(ours())),
        Letter::NotSent => answered(attempt, not_sent()),
        Letter::Refused => answered(attempt, refused(AnswerClass::Definite, Some("P403"))),
        Letter::Ambiguous => answered(attempt, refused(AnswerClass::Ambiguous, Some("P500"))),
        Letter::Interrupted => Input::Create(CreateInput::Interrupted { attempt }),
        Letter::Cancel => cancel(),
        Letter::PostAgain => post_again(lock()),
        Letter::Retry => retry(),
        Letter::ReadWaiting => return seen(read(seconds, ProviderStatus::WaitingForWallet)),
        Letter::ReadAddress => return seen(read(seconds, ProviderStatus::AwaitingPayment)),
        Letter::ReadPartlyPaid => {
            return seen(read(seconds, ProviderStatus::Confirming).paid("40"));
        }
        Letter::ReadExecuted => return seen(read(seconds, ProviderStatus::Executed).paid("100")),
        Letter::ReadExpired => return seen(read(seconds, ProviderStatus::Expired)),
        Letter::ReadOther => {
            let mut another = read(seconds, ProviderStatus::AwaitingPayment);
            another.provider_order = other();
            return seen(another);
        }
        Letter::ClaimExecuted => return seen(claim(seconds, ProviderStatus::Executed).paid("100")),
        Letter::ClaimOtherAddress => {
            let mut forged = claim(seconds, ProviderStatus::AwaitingPayment);
            forged.address = Address::new("0xforged").ok();
            return seen(forged);
        }
        Letter::Woken => Input::Woken,
        Letter::Minute => return Told::Later(seconds + 60),
        Letter::Leap if seconds < LOCK_ENDS => return Told::Later(LOCK_ENDS),
        Letter::Leap => return Told::Later(seconds + WINDOW + 1),
    };
    Told::Input(Box::new(input))
}

impl Letter {
    /// The provider speaks a second later each time, so that a later read is newer than the one before it.
    const fn takes(self) -> i64 {
        match self {
            Self::ReadWaiting
            | Self::ReadAddress
            | Self::ReadPartlyPaid
            | Self::ReadExecuted
            | Self::ReadExpired
            | Self::ReadOther
            | Self::ClaimExecuted
            | Self::ClaimOtherAddress => 1,
            Self::Permit
            | Self::Accepted
            | Self::NotSent
            | Self::Refused
            | Self::Ambiguous
            | Self::Interrupted
            | Self::Cancel
            | Self::PostAgain
            | Self::Retry
            | Self::Woken
            | Self::Minute
            | Self::Leap => 0,
        }
    }
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Campaign {
    /// How many steps were taken and checked.
    pub(crate) steps: u64,
    /// How many different orders, at different times, there were.
    pub(crate) orders: usize,
    /// How many were new at each depth.
    pub(crate) new: Vec<usize>,
    /// What was broken, and by which sequence.
    pub(crate) broken: Vec<(Vec<Letter>, Violation)>,
}

/// Tells one letter; how late it is after it.
fn spell(watch: &mut Watch, letter: Letter, seconds: i64) -> i64 {
    let seconds = seconds + letter.takes();
    match told(letter, seconds, &watch.order) {
        Told::Input(input) => {
            watch.tell(&input, at(seconds));
            seconds
        }
        Told::Later(later) => later,
    }
}

/// Walks every sequence to this depth; stops early once `enough` promises are broken.
///
/// An order that was met before, at the same time and by no longer a way, is not followed again: whatever can follow
/// has been walked from there.
pub(crate) fn walk(beginning: &[Letter], depth: usize, step: StepFn, enough: usize) -> Campaign {
    let mut campaign = Campaign::default();
    let mut met = HashSet::new();
    let mut start = Watch::new(at(0), policy(), step);
    let mut seconds = 0;
    for letter in beginning {
        seconds = spell(&mut start, *letter, seconds);
    }
    let mut level = vec![(start, seconds, beginning.to_vec())];
    for _ in 0..depth {
        let mut next = Vec::new();
        for (watch, seconds, path) in level {
            for letter in ALPHABET {
                let mut watch = watch.clone();
                let seconds = spell(&mut watch, letter, seconds);
                campaign.steps += 1;
                let path: Vec<Letter> = [&path[..], &[letter]].concat();
                if !watch.broken.is_empty() {
                    let broken = watch.broken.drain(..);
                    campaign.broken.extend(broken.map(|violation| (path.clone(), violation)));
                    if campaign.broken.len() >= enough {
                        return campaign;
                    }
                } else if met.insert((watch.identity(), seconds)) {
                    next.push((watch, seconds, path));
                }
            }
        }
        campaign.new.push(next.len());
        level = next;
    }
    campaign.orders = met.len();
    campaign
}

#[test]
fn every_short_history_keeps_every_promise() {
    let depth = std::env::var("DEPTH").ok().and_then(|text| text.parse().ok()).unwrap_or(DEPTH);
    for beginning in BEGINNINGS {
        let depth = if beginning.is_empty() { depth } else { depth - 1 };
        let campaign =
            walk(beginning, depth, |order, input, now, policy| order.step(input, now, policy), 10);
        let letters = u64::try_from(ALPHABET.len()).unwrap();
        let sequences: u64 = (1..=u32::try_from(depth).unwrap()).map(|n| letters.pow(n)).sum();
        println!(
            "{beginning:?} and {depth} more of {letters} letters: {sequences} sequences, \
             {} steps, {} different orders",
            campaign.steps, campaign.orders
        );
        assert!(campaign.broken.is_empty(), "{:#?}", campaign.broken);
        // Literal, so that a walk which stops being one is noticed.
        assert!(campaign.orders > 50, "{} orders", campaign.orders);
        assert!(campaign.new.iter().all(|new| *new > 0), "{:?}", campaign.new);
    }
}
