//! What must hold for any history at all. `CASES=20000 cargo test -p orderkeep-core properties` looks longer.

use crate::{
    fixture::*,
    provider::{Ending, History, any_history},
    watch::Watch,
};
use orderkeep_core::{
    Address, AnswerClass, CreateInput, EventRecord, Input, Observation, Order, Payment,
    ProviderStatus, Resolution, Source, State,
};
use proptest::{prelude::*, sample::Index, test_runner::Config};

/// Enough for a few seconds; an environment variable asks for more.
const CASES: u32 = 300;

fn config() -> Config {
    let cases = std::env::var("CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(CASES);
    // A failure prints its smallest example; nothing is written beside the sources.
    Config { cases, failure_persistence: None, ..Config::default() }
}

/// When the provider's moment `index` can be read: twelve minutes apart, so that lives outlast deadlines.
fn moment_at(index: usize) -> i64 {
    10 + 720 * i64::try_from(index).unwrap()
}

fn read_of(history: &History, index: usize) -> Observation {
    history.says(index, Source::Confirmed { read_started_at: at(moment_at(index)) })
}

/// What two orders must agree on that were told the same, in whatever order.
fn essence(order: &Order) -> impl PartialEq + std::fmt::Debug + use<> {
    let payment = order.state.deposit().map(|deposit| {
        let Payment {
            required, received, confirmations, required_confirmations, transactions, ..
        } = deposit.payment.clone();
        let amounts = (required, received, deposit.payment.kind(), deposit.payment.is_late());
        (amounts, confirmations, required_confirmations, transactions)
    });
    let reason = match &order.state {
        State::Failed(failed) => Some(failed.reason.clone()),
        State::Locked(_)
        | State::Created(_)
        | State::WaitingForWallet(_)
        | State::AwaitingPayment(_)
        | State::Executed(_) => None,
    };
    let outcome = order.outcome.clone().map(|it| (it.result, it.funds, it.accounted));
    let address = order.state.deposit().map(|deposit| deposit.address.clone());
    (order.state_name(), reason, outcome, address, payment)
}

/// A step of somebody else's making: anything that can be said, asked or heard.
#[derive(Debug, Clone)]
enum Noise {
    /// A read that sees a moment which is over already: the provider's lag.
    Lag(Index),
    /// A webhook that says anything.
    Claim(Index, u32, bool),
    Answer(u32, u8),
    Permit,
    Command(u8),
    NotFound,
    Other(bool),
    Woken,
    Later(u16),
    /// The provider goes on.
    Goes,
}

fn any_noise() -> impl Strategy<Value = Noise> {
    prop_oneof![
        3 => any::<Index>().prop_map(Noise::Lag),
        3 => (any::<Index>(), 0_u32..200, any::<bool>())
            .prop_map(|(index, amount, forged)| Noise::Claim(index, amount, forged)),
        3 => (1_u32..4, 0_u8..8).prop_map(|(attempt, kind)| Noise::Answer(attempt, kind)),
        2 => Just(Noise::Permit),
        3 => (0_u8..7).prop_map(Noise::Command),
        1 => Just(Noise::NotFound),
        1 => any::<bool>().prop_map(Noise::Other),
        2 => Just(Noise::Woken),
        2 => (1_u16..2_000).prop_map(Noise::Later),
        4 => Just(Noise::Goes),
    ]
}

fn claim_of(status: usize, amount: u32, forged: bool, seconds: i64) -> Observation {
    let statuses = [
        ProviderStatus::WaitingForWallet,
        ProviderStatus::AwaitingPayment,
        ProviderStatus::Confirming,
        ProviderStatus::Executed,
        ProviderStatus::Expired,
        ProviderStatus::Underpaid,
        ProviderStatus::Failed,
        ProviderStatus::Reversed,
        unknown_word(),
    ];
    let mut seen = claim(seconds, statuses[status].clone()).paid(&amount.to_string());
    if forged {
        seen.address = Address::new("0xforged").ok();
        seen.required = Some(exact("1"));
    }
    seen
}

fn answer_of(kind: u8) -> orderkeep_core::CreateAnswer {
    match kind {
        0 => accepted(ours()),
        1 => not_sent(),
        2 => refused(AnswerClass::Throttled, None),
        3 => refused(AnswerClass::Denied, None),
        4 => refused(AnswerClass::Definite, Some("P403")),
        5 => refused(AnswerClass::Definite, Some("P462")),
        6 => refused(AnswerClass::Ambiguous, Some("P500")),
        _ => refused(AnswerClass::Ambiguous, None),
    }
}

fn command_of(kind: u8) -> Input {
    match kind {
        0 => cancel(),
        1 => retry(),
        2 => post_again(lock()),
        3 => adopt(other()),
        4 => acknowledge(None),
        5 => resolve(Resolution::NoProviderOrder),
        _ => note("called them"),
    }
}

/// A world in which the noise happens: our order under watch, the time, and how far the provider is.
struct World {
    watch: Watch,
    seconds: i64,
    reached: usize,
}

impl World {
    fn new() -> Self {
        let watch = Watch::remembering(at(0), policy(), |order, input, now, policy| {
            order.step(input, now, policy)
        });
        Self { watch, seconds: 1, reached: 0 }
    }

    fn tell(&mut self, input: &Input) {
        self.watch.tell(input, at(self.seconds));
    }

    fn hears(&mut self, noise: &Noise, history: &History) {
        self.seconds += 1;
        let seconds = self.seconds;
        match noise {
            Noise::Lag(index) => {
                let source = Source::Confirmed { read_started_at: at(seconds) };
                let seen = history.says(index.index(self.reached + 1), source);
                self.tell(&Input::Observed(seen));
            }
            Noise::Claim(index, amount, forged) => {
                let seen = claim_of(index.index(9), *amount, *forged, seconds);
                self.tell(&Input::Observed(seen));
            }
            Noise::Answer(attempt, 7) => {
                self.tell(&Input::Create(CreateInput::Interrupted { attempt: *attempt }));
            }
            Noise::Answer(attempt, kind) => self.tell(&answered(*attempt, answer_of(*kind))),
            Noise::Permit => self.tell(&permit()),
            Noise::Command(kind) => self.tell(&command_of(*kind)),
            Noise::NotFound => self.tell(&not_found(ours(), seconds)),
            Noise::Other(same_lock) => {
                let mut seen = read(seconds, ProviderStatus::AwaitingPayment).paid("7");
                seen.provider_order = other();
                // Before ours is known, another one with our lock would be ours.
                if !same_lock || self.watch.order.state.bound().is_none() {
                    seen.lock_id = orderkeep_core::LockId::new("lock-2").ok();
                }
                self.tell(&Input::Observed(seen));
            }
            Noise::Woken => self.tell(&Input::Woken),
            Noise::Later(by) => self.seconds += i64::from(*by),
            Noise::Goes => self.reached = (self.reached + 1).min(history.moments.len() - 1),
        }
    }

    /// The provider stands still, and is read until nothing can be a lag any more.
    fn settles(&mut self, history: &History) {
        for _ in 0..3 {
            self.seconds += 20;
            let source = Source::Confirmed { read_started_at: at(self.seconds) };
            let seen = history.says(history.moments.len() - 1, source);
            self.tell(&Input::Observed(seen));
        }
    }
}

/// Encoded and decoded as a store does it.
fn round_trip<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
    let config = bincode::config::standard();
    let bytes = bincode::serde::encode_to_vec(value, config).unwrap();
    let (decoded, length) = bincode::serde::decode_from_slice(&bytes, config).unwrap();
    assert_eq!(length, bytes.len());
    decoded
}

fn text(order: &Order) -> String {
    serde_json::to_string(order).unwrap()
}

proptest! {
    #![proptest_config(config())]

    /// One history, its reads in any order and as often as you like, claims in between: the same order in the end.
    #[test]
    fn the_order_of_reads_makes_no_difference(
        history in any_history(),
        told in prop::collection::vec((any::<Index>(), any::<bool>()), 0..12),
        last_at in any::<Index>(),
        unknown_create in any::<bool>(),
    ) {
        let last = history.moments.len() - 1;
        let after = moment_at(history.moments.len()) + 1;
        let begin = || if unknown_create { Story::unknown() } else { Story::created() };
        let mut reads: Vec<(usize, bool)> =
            told.iter().map(|(index, is_claim)| (index.index(last + 1), *is_claim)).collect();
        reads.insert(last_at.index(reads.len() + 1), (last, false));
        let mut shuffled = begin();
        for (index, is_claim) in &reads {
            let seen = if *is_claim {
                history.says(*index, Source::Claimed { heard_at: at(after) })
            } else {
                read_of(&history, *index)
            };
            let _ = shuffled.tell(after, &Input::Observed(seen));
        }
        let mut in_order: Vec<usize> =
            reads.iter().filter(|(_, is_claim)| !is_claim).map(|(index, _)| *index).collect();
        in_order.sort_unstable();
        let mut straight = begin();
        for index in in_order {
            let _ = straight.tell(after, &Input::Observed(read_of(&history, index)));
        }
        prop_assert_eq!(essence(&shuffled.order), essence(&straight.order));
        let truth = history.truth();
        prop_assert_eq!(shuffled.order.state_name(), truth.name);
        let outcome = shuffled.order.outcome.clone().map(|it| (it.result, it.funds));
        prop_assert_eq!(outcome, truth.outcome);
        let deposit = shuffled.order.state.deposit();
        prop_assert_eq!(deposit.map(|it| it.address.as_str()), truth.address);
        prop_assert_eq!(deposit.map(|it| it.payment.received.clone()), truth.received);
        if let State::Failed(failed) = &shuffled.order.state {
            prop_assert_eq!(Some(failed.reason.clone()), truth.reason);
        }
    }

    /// Whatever was said, asked and heard, and however it came: once the provider stands still, its truth is known,
    /// and no promise was broken on the way.
    #[test]
    fn any_history_comes_to_the_truth(
        history in any_history(),
        noise in prop::collection::vec(any_noise(), 0..40),
    ) {
        let mut world = World::new();
        for one in &noise {
            world.hears(one, &history);
        }
        world.reached = history.moments.len() - 1;
        world.settles(&history);
        prop_assert!(world.watch.broken.is_empty(), "{:#?}", world.watch.broken);
        let order = &world.watch.order;
        let truth = history.truth();
        let given_up = match &order.state {
            State::Failed(failed) => truth.reason.as_ref() != Some(&failed.reason),
            State::Locked(_)
            | State::Created(_)
            | State::WaitingForWallet(_)
            | State::AwaitingPayment(_)
            | State::Executed(_) => false,
        };
        prop_assert_eq!(
            order.state.bound().map(|bound| &bound.provider_order),
            Some(&ours()),
            "it is found, even if we gave it up"
        );
        let outcome = order.outcome.as_ref().map(|it| (it.result, it.funds.clone()));
        if given_up {
            // The state stays; the outcome follows the provider.
            let expected = match history.ending {
                Ending::Executed | Ending::Reversed => truth.outcome,
                Ending::Open | Ending::Expired | Ending::Underpaid | Ending::Failed => {
                    let received = truth.received.clone().filter(|amount| !amount.is_zero());
                    let funds = received
                        .map_or(orderkeep_core::Funds::None, orderkeep_core::Funds::Held);
                    Some((orderkeep_core::OrderResult::Failed, funds))
                }
            };
            prop_assert_eq!(outcome, expected);
        } else {
            prop_assert_eq!(order.state_name(), truth.name);
            prop_assert_eq!(outcome, truth.outcome);
        }
        let deposit = order.state.deposit();
        prop_assert_eq!(deposit.map(|it| it.address.as_str()), truth.address);
        prop_assert_eq!(deposit.map(|it| it.payment.received.clone()), truth.received);
    }

    /// The events are all there is: from the beginning or from any point on, also after a store had them.
    #[test]
    fn history_folds_to_state_from_anywhere(
        history in any_history(),
        noise in prop::collection::vec(any_noise(), 0..25),
        point in any::<Index>(),
    ) {
        let mut world = World::new();
        for one in &noise {
            world.hears(one, &history);
        }
        let order = &world.watch.order;
        let events: Vec<EventRecord> = round_trip(world.watch.history.as_ref().unwrap());
        let whole = Order::fold(&events).unwrap();
        prop_assert_eq!(&whole, order);
        // Amounts are equal by value; their texts must survive as well.
        prop_assert_eq!(text(&whole), text(order));
        let (before, after) = events.split_at(point.index(events.len()) + 1);
        let checkpoint: Order = round_trip(&Order::fold(before).unwrap());
        prop_assert_eq!(&checkpoint.then(after).unwrap(), order);
        prop_assert_eq!(order.version, u64::try_from(events.len()).unwrap());
        // And judged again by the same rules, it all comes to the same.
        prop_assert_eq!(Order::replay(&events, &policy()), Some(Vec::new()));
    }
}
