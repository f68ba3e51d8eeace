//! A second lifecycle, written down as bare transitions, driven beside the real one.
//!
//! The model knows names only: no events, no times, no records. It was written from the design, and shares no line
//! with the code.

use crate::fixture::*;
use orderkeep_core::{
    AnswerClass, CreateInput, Due, FailReason, Input, ProviderStatus, Resolution, State,
    state::{Create, Locked},
};
use proptest::{prelude::*, test_runner::Config};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

/// Where the model is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Ready,
    Held,
    Flying,
    Unknown,
    ReadyAgain,
    FlyingAgain,
    Created,
    Waiting,
    Awaiting,
    Executed,
    FailedThere,
    Cancelled,
    LockExpired,
    LockInvalid,
    GivenUp,
}

#[derive(Debug, Clone)]
struct Model {
    at: At,
    /// Somebody wants it to end.
    wish: bool,
    /// The lock can not be posted any more.
    lock_over: bool,
    /// How many attempts were put on their way.
    sent: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Permit,
    Accepted,
    NotSent,
    Throttled,
    Forbidden,
    LockInvalid,
    Ambiguous,
    Interrupted,
    Cancel,
    Retry,
    PostAgain,
    NoProviderOrder,
    ReadWaiting,
    ReadAwaiting,
    ReadExecuted,
    ReadExpired,
    ClaimAwaiting,
    ClaimExecuted,
    ClaimExpired,
    LockEnds,
    Woken,
}

const ACTS: [Act; 21] = [
    Act::Permit,
    Act::Accepted,
    Act::NotSent,
    Act::Throttled,
    Act::Forbidden,
    Act::LockInvalid,
    Act::Ambiguous,
    Act::Interrupted,
    Act::Cancel,
    Act::Retry,
    Act::PostAgain,
    Act::NoProviderOrder,
    Act::ReadWaiting,
    Act::ReadAwaiting,
    Act::ReadExecuted,
    Act::ReadExpired,
    Act::ClaimAwaiting,
    Act::ClaimExecuted,
    Act::ClaimExpired,
    Act::LockEnds,
    Act::Woken,
];

/// Where an act leads; the same place if it does nothing.
fn leads(model: &Model, act: Act) -> At {
    use At::*;
    let Model { at, wish, lock_over, sent } = *model;
    let settled_unsent = if wish { Cancelled } else { Ready };
    match (act, at) {
        (Act::Permit, Ready) => {
            if lock_over {
                LockExpired
            } else {
                Flying
            }
        }
        (Act::Permit, Held) if lock_over => LockExpired,
        (Act::Permit, ReadyAgain) => {
            if lock_over {
                Unknown
            } else {
                FlyingAgain
            }
        }
        (Act::Woken, Ready | Held) if lock_over => LockExpired,
        (Act::Woken, ReadyAgain) if lock_over => Unknown,

        (Act::Accepted, Ready | Held | Flying | Unknown | ReadyAgain | FlyingAgain) => Created,
        (Act::NotSent | Act::Throttled, Flying) => settled_unsent,
        (Act::Forbidden, Flying) => {
            if wish {
                Cancelled
            } else {
                Held
            }
        }
        (Act::LockInvalid, Flying) => LockInvalid,
        (Act::Ambiguous | Act::Interrupted, Flying) => Unknown,
        (Act::NotSent, Unknown) if sent == 1 => settled_unsent,
        (
            Act::NotSent
            | Act::Throttled
            | Act::Forbidden
            | Act::LockInvalid
            | Act::Ambiguous
            | Act::Interrupted,
            FlyingAgain,
        ) => Unknown,

        (Act::Cancel, Ready | Held) => Cancelled,
        (Act::Cancel, ReadyAgain) => Unknown,
        (Act::Retry, Held) => Ready,
        (Act::PostAgain, Unknown) if !wish && !lock_over => ReadyAgain,
        (Act::NoProviderOrder, Unknown | ReadyAgain) => GivenUp,

        (
            Act::ReadWaiting,
            Ready | Held | Flying | Unknown | ReadyAgain | FlyingAgain | Created,
        ) => Waiting,
        (
            Act::ReadAwaiting,
            Ready | Held | Flying | Unknown | ReadyAgain | FlyingAgain | Created | Waiting,
        ) => Awaiting,
        (
            Act::ReadExecuted,
            Ready | Held | Flying | Unknown | ReadyAgain | FlyingAgain | Created | Waiting
            | Awaiting,
        ) => Executed,
        (
            Act::ReadExpired,
            Ready | Held | Flying | Unknown | ReadyAgain | FlyingAgain | Created | Waiting
            | Awaiting,
        ) => FailedThere,
        (_, same) => same,
    }
}

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Act;

    fn init_state() -> BoxedStrategy<Self> {
        Just(Self { at: At::Ready, wish: false, lock_over: false, sent: 0 }).boxed()
    }

    fn transitions(_: &Self) -> BoxedStrategy<Act> {
        prop::sample::select(&ACTS[..]).boxed()
    }

    fn apply(mut model: Self, act: &Act) -> Self {
        use At::*;
        let next = leads(&model, *act);
        if *act == Act::Permit && matches!(next, Flying | FlyingAgain) && next != model.at {
            model.sent += 1;
        }
        // A wish is kept while the order lives and could not be ended at once.
        let wishes = matches!(
            model.at,
            Flying | Unknown | ReadyAgain | FlyingAgain | Created | Waiting | Awaiting
        );
        model.wish |= *act == Act::Cancel && wishes;
        model.lock_over |= *act == Act::LockEnds;
        model.at = next;
        model
    }
}

/// The real order beside it.
struct Real {
    story: Story,
    seconds: i64,
}

fn place(story: &Story) -> At {
    match &story.order.state {
        State::Locked(Locked { create }) => match create {
            Create::NotSent { held: Some(_), .. } => At::Held,
            Create::NotSent { unknown_before: true, .. } => At::ReadyAgain,
            Create::NotSent { unknown_before: false, .. } => At::Ready,
            Create::InFlight { unknown_before: true, .. } => At::FlyingAgain,
            Create::InFlight { unknown_before: false, .. } => At::Flying,
            Create::Unknown { .. } => At::Unknown,
            Create::Relocking { .. } => unreachable!("no fresh lock is allowed here"),
        },
        State::Created(_) => At::Created,
        State::WaitingForWallet(_) => At::Waiting,
        State::AwaitingPayment(_) => At::Awaiting,
        State::Executed(_) => At::Executed,
        State::Failed(failed) => match &failed.reason {
            FailReason::Cancelled => At::Cancelled,
            FailReason::LockExpired => At::LockExpired,
            FailReason::LockInvalid => At::LockInvalid,
            FailReason::UnknownCreate => At::GivenUp,
            FailReason::Expired | FailReason::Underpaid | FailReason::Provider(_) => {
                At::FailedThere
            }
        },
    }
}

fn input(act: Act, attempt: u32, seconds: i64) -> Input {
    let says = |class, code| answered(attempt, refused(class, code));
    match act {
        Act::Permit => permit(),
        Act::Accepted => answered(attempt, accepted(ours())),
        Act::NotSent => answered(attempt, not_sent()),
        Act::Throttled => says(AnswerClass::Throttled, None),
        Act::Forbidden => says(AnswerClass::Definite, Some("P403")),
        Act::LockInvalid => says(AnswerClass::Definite, Some("P462")),
        Act::Ambiguous => says(AnswerClass::Ambiguous, Some("P501")),
        Act::Interrupted => Input::Create(CreateInput::Interrupted { attempt }),
        Act::Cancel => cancel(),
        Act::Retry => retry(),
        Act::PostAgain => post_again(lock()),
        Act::NoProviderOrder => resolve(Resolution::NoProviderOrder),
        Act::ReadWaiting => Input::Observed(read(seconds, ProviderStatus::WaitingForWallet)),
        Act::ReadAwaiting => Input::Observed(read(seconds, ProviderStatus::AwaitingPayment)),
        Act::ReadExecuted => Input::Observed(read(seconds, ProviderStatus::Executed).paid("100")),
        Act::ReadExpired => Input::Observed(read(seconds, ProviderStatus::Expired)),
        Act::ClaimAwaiting => Input::Observed(claim(seconds, ProviderStatus::AwaitingPayment)),
        Act::ClaimExecuted => Input::Observed(claim(seconds, ProviderStatus::Executed).paid("100")),
        Act::ClaimExpired => Input::Observed(claim(seconds, ProviderStatus::Expired)),
        Act::LockEnds | Act::Woken => Input::Woken,
    }
}

impl StateMachineTest for Real {
    type SystemUnderTest = Self;
    type Reference = Model;

    fn init_test(_: &Model) -> Self {
        // A long time to answer and short waits: the model knows no times but the lock's end.
        let mut policy = policy();
        policy.create_timeout = std::time::Duration::from_secs(1_000_000);
        policy.create_backoff = (std::time::Duration::ZERO, std::time::Duration::ZERO);
        policy.provider_order_window = None;
        Self { story: Story::with(policy), seconds: 1 }
    }

    fn apply(mut real: Self, model: &Model, act: Act) -> Self {
        real.seconds += 1;
        let before = real.story.intents();
        if act == Act::LockEnds {
            real.seconds = real.seconds.max(LOCK_ENDS);
        } else {
            let attempt = u32::try_from(before.max(1)).unwrap();
            let _ = real.story.tell(real.seconds, &input(act, attempt, real.seconds));
        }
        assert_eq!(place(&real.story), model.at, "after {act:?}");
        assert_eq!(real.story.order.cancel.is_some(), model.wish, "the wish, after {act:?}");
        assert_eq!(u32::try_from(real.story.intents()).unwrap(), model.sent, "attempts");
        let now = at(real.seconds);
        let may_send = !model.lock_over && matches!(model.at, At::Ready | At::ReadyAgain);
        let due = real.story.order.due(now, &real.story.policy) == Due::Create;
        assert_eq!(due, may_send, "a create is due, after {act:?}");
        real
    }
}

prop_state_machine! {
    #![proptest_config(Config { cases: 400, failure_persistence: None, ..Config::default() })]

    #[test]
    fn the_lifecycle_moves_as_the_model_does(sequential 1..30 => Real);
}
