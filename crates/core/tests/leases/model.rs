//! What can happen next, and what comes of it.

use orderkeep_core::{
    AnswerClass, Author, Command, CreateAnswer, CreateInput, Due, Effect, Event, Input,
    Observation, Order, Outcome, Policy, ProviderStatus, SecondOrderAcknowledged, Source, Step,
    state::{Create, Locked, State},
};
use stateright::{Model, Property};

use crate::{
    promises,
    world::{Clock, Hand, Holder, Request, Row, World, lock, policy, provider_order, submitted},
};

/// The bounds of the model, and the rules that its holders keep.
#[derive(Debug, Clone)]
pub(crate) struct Leases {
    pub(crate) holders: usize,
    /// How many leases are given in all.
    pub(crate) leases: u8,
    /// How many attempts there are in all.
    pub(crate) attempts: u32,
    /// How often a person has an unknown create posted again.
    pub(crate) post_again: usize,
    /// Whether somebody may ask to cancel.
    pub(crate) cancel: bool,
    pub(crate) rules: Rules,
    pub(crate) policy: Policy,
}

/// What a faithful engine does; each `false` is a twin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules {
    /// A commit is refused whose lease is not the newest one.
    pub(crate) epoch_checked: bool,
    /// A commit is refused that was decided on an older version.
    pub(crate) version_checked: bool,
    /// The order is read after the lease was given, not before.
    pub(crate) read_under_lease: bool,
    /// The intent is durable before the request is written.
    pub(crate) intent_first: bool,
    /// A create that a lost holder had in its hands counts as unknown, not as not sent.
    pub(crate) lost_is_unknown: bool,
}

impl Rules {
    pub(crate) const FAITHFUL: Self = Self {
        epoch_checked: true,
        version_checked: true,
        read_under_lease: true,
        intent_first: true,
        lost_is_unknown: true,
    };
}

/// One thing that happens. The number is the holder it happens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happens {
    /// Time passes.
    TimePasses,
    /// The holder is given a lease: the one before it ran out, whatever its holder is doing.
    IsGivenLease(usize),
    /// The process ends, with everything it had in its hands.
    Crashes(usize),
    /// The request budget has room.
    Permit(usize),
    /// It checks the margin.
    Checks(usize),
    /// It writes the request.
    Writes(usize),
    /// It cannot: the connection is refused.
    CannotWrite(usize),
    /// A request arrives, and this comes of it.
    Arrives(Request, Fate),
    /// The client waits no longer.
    GivesUpWaiting(usize),
    /// It commits the answer in its hands.
    CommitsAnswer(usize),
    /// It finds an attempt that nobody waits for.
    FindsAttempt(usize),
    /// It reads the provider's order that a webhook named.
    Reads(usize),
    /// A wake-up is due.
    Wakes(usize),
    /// Somebody asks it to cancel.
    IsAskedToCancel(usize),
    /// Somebody asks it to post again, at their own risk.
    IsAskedToPostAgain(usize),
}

/// What comes of a request that arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// An order is made, and says so.
    Made,
    /// An order is made, and the answer is lost.
    MadeAnswerLost,
    /// Nothing is made, and the answer is an error that says nothing.
    Answer500,
    /// Nothing is made: too many requests.
    Answer429,
    /// Nothing is made: the lock has ended.
    LockEnded,
}

impl Leases {
    pub(crate) fn faithful(holders: usize, leases: u8, attempts: u32, post_again: usize) -> Self {
        let policy = policy();
        Self { holders, leases, attempts, post_again, cancel: true, rules: Rules::FAITHFUL, policy }
    }

    /// Something a holder is told: decided on its copy, made durable if the store takes it.
    ///
    /// `Some(true)`: it was worked off. `Some(false)`: another was faster; the order was read again, and it is still to
    /// be told.
    fn tell(&self, world: &mut World, holder: usize, input: &Input) -> Option<bool> {
        let Holder::Up { copy, .. } = &world.holders[holder] else { return None };
        match copy.step(input, world.clock.now(), &self.policy) {
            Outcome::Moved(step) => self.commit(world, holder, &step),
            Outcome::AlreadyThere(_) | Outcome::Refused(_) => Some(true),
        }
    }

    fn commit(&self, world: &mut World, holder: usize, step: &Step) -> Option<bool> {
        let Holder::Up { epoch, copy, create } = &mut world.holders[holder] else { return None };
        if self.rules.epoch_checked && *epoch != world.row.epoch {
            world.holders[holder] = Holder::Down;
            return None;
        }
        if self.rules.version_checked && copy.version != world.row.order.version {
            **copy = world.row.order.clone();
            return Some(false);
        }
        **copy = step.next.clone();
        for effect in &step.effects {
            match effect {
                Effect::Create { attempt, .. } => *create = Hand::ToSend(*attempt),
                // The order is read again by whoever holds it.
                Effect::Fetch { .. } => {}
            }
        }
        world.row.order = step.next.clone();
        for record in &step.events {
            if let Event::CreateIntended { attempt } = &record.event {
                world.intents.push(*attempt);
            }
            world.authorised += usize::from(record.event == Event::PostAgainAuthorised);
        }
        Some(true)
    }

    /// The twin that acts first only remembers what it intends.
    fn permit(&self, world: &mut World, holder: usize) {
        let permit = Input::Create(CreateInput::Permit);
        if self.rules.intent_first {
            self.tell(world, holder, &permit);
            return;
        }
        let Holder::Up { copy, create, .. } = &mut world.holders[holder] else { return };
        if let Outcome::Moved(step) = copy.step(&permit, world.clock.now(), &self.policy)
            && let Some(Effect::Create { attempt, .. }) = step.effects.first()
        {
            *create = Hand::ToSend(*attempt);
        }
    }

    fn commit_answer(&self, world: &mut World, holder: usize) {
        let Holder::Up { create, .. } = &world.holders[holder] else { return };
        let Hand::Answered(attempt, answer) = create.clone() else { return };
        if !self.rules.intent_first {
            // What was left out before the request is made up for.
            self.tell(world, holder, &Input::Create(CreateInput::Permit));
        }
        let answered = Input::Create(CreateInput::Answered { attempt, answer });
        if self.tell(world, holder, &answered) == Some(true) {
            empty_hand(world, holder);
        }
    }

    fn arrive(&self, world: &mut World, request: Request, fate: Fate) {
        world.wire.retain(|one| *one != request);
        let refused = |class, code: &str| CreateAnswer::Refused {
            class,
            code: Some(code.to_owned()),
            why: String::new(),
            retry_after: None,
        };
        world.made += match fate {
            Fate::Made | Fate::MadeAnswerLost => 1,
            Fate::Answer500 | Fate::Answer429 | Fate::LockEnded => 0,
        };
        let answer = match fate {
            Fate::Made => CreateAnswer::Accepted { provider_order: provider_order(world.made) },
            Fate::MadeAnswerLost => return,
            Fate::Answer500 => refused(AnswerClass::Ambiguous, "P500"),
            Fate::Answer429 => refused(AnswerClass::Throttled, "P429"),
            Fate::LockEnded => refused(AnswerClass::Definite, "P462"),
        };
        if let Holder::Up { create, .. } = &mut world.holders[request.from]
            && *create == Hand::Waiting(request.attempt)
        {
            *create = Hand::Answered(request.attempt, answer);
        }
    }

    fn holder_can(&self, world: &World, holder: usize, actions: &mut Vec<Happens>) {
        let Holder::Up { copy, create, epoch: 1.. } = &world.holders[holder] else {
            if world.row.epoch < self.leases {
                actions.push(Happens::IsGivenLease(holder));
            }
            return;
        };
        actions.push(Happens::Crashes(holder));
        match create {
            Hand::Empty => {
                let due = copy.due(world.clock.now(), &self.policy);
                if due == Due::Create && attempts(copy) < self.attempts {
                    actions.push(Happens::Permit(holder));
                }
                if copy.create_in_flight().is_some() {
                    actions.push(Happens::FindsAttempt(holder));
                }
            }
            Hand::ToSend(_) => actions.push(Happens::Checks(holder)),
            Hand::Checked(_) => {
                actions.push(Happens::Writes(holder));
                actions.push(Happens::CannotWrite(holder));
            }
            Hand::Waiting(_) => actions.push(Happens::GivesUpWaiting(holder)),
            Hand::Answered(..) => actions.push(Happens::CommitsAnswer(holder)),
        }
        if world.made > 0 && copy.state.bound().is_none() {
            actions.push(Happens::Reads(holder));
        }
        if copy.due(world.clock.now(), &self.policy) == Due::Tick {
            actions.push(Happens::Wakes(holder));
        }
        if self.cancel && !world.cancelled {
            actions.push(Happens::IsAskedToCancel(holder));
        }
        if copy.create_unknown() && world.authorised < self.post_again {
            actions.push(Happens::IsAskedToPostAgain(holder));
        }
    }
}

/// How many attempts the order knows of.
pub(crate) fn attempts(order: &Order) -> u32 {
    match &order.state {
        State::Locked(Locked { create }) => match create {
            Create::NotSent { attempts, .. } | Create::Relocking { attempts, .. } => *attempts,
            Create::InFlight { attempt, .. } | Create::Unknown { attempt, .. } => *attempt,
        },
        State::Created(_)
        | State::WaitingForWallet(_)
        | State::AwaitingPayment(_)
        | State::Executed(_)
        | State::Failed(_) => u32::MAX,
    }
}

fn empty_hand(world: &mut World, holder: usize) {
    if let Holder::Up { create, .. } = &mut world.holders[holder] {
        *create = Hand::Empty;
    }
}

fn hand(world: &mut World, holder: usize, change: impl FnOnce(&Order, u32) -> Hand) {
    if let Holder::Up { copy, create, .. } = &mut world.holders[holder]
        && let Hand::ToSend(attempt) | Hand::Checked(attempt) | Hand::Waiting(attempt) = *create
    {
        *create = change(copy, attempt);
    }
}

fn not_sent() -> CreateAnswer {
    CreateAnswer::NotSent { why: String::new() }
}

fn author() -> Author {
    Author::new("ops").unwrap()
}

/// What a read of the first order says.
fn read(clock: Clock) -> Observation {
    Observation {
        source: Source::Confirmed { read_started_at: clock.now() },
        provider_order: provider_order(1),
        lock_id: Some(lock()),
        status: ProviderStatus::WaitingForWallet,
        status_text: "WAITING_FOR_WALLET_ADDRESS".to_owned(),
        address: None,
        expires_at: None,
        required: None,
        received: None,
        confirmations: None,
        required_confirmations: None,
        transactions: Vec::new(),
        currency: None,
        network: None,
        unknown_fields: Vec::new(),
    }
}

impl Model for Leases {
    type State = World;
    type Action = Happens;

    fn init_states(&self) -> Vec<World> {
        let order = submitted(&self.policy);
        let mut world = World {
            clock: Clock::LockHolds,
            row: Row { order: order.clone(), epoch: 0 },
            holders: vec![Holder::Down; self.holders],
            wire: Vec::new(),
            made: 0,
            intents: Vec::new(),
            sent: Vec::new(),
            authorised: 0,
            cancelled: false,
        };
        if !self.rules.read_under_lease {
            // Everybody read the order when it was new, and waits for a lease.
            let waiting = Holder::Up { epoch: 0, copy: Box::new(order), create: Hand::Empty };
            world.holders = vec![waiting; self.holders];
        }
        vec![world]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Happens>) {
        if world.clock.later().is_some() {
            actions.push(Happens::TimePasses);
        }
        for request in &world.wire {
            let fates: &[Fate] = match world.clock {
                Clock::LockHolds => {
                    &[Fate::Made, Fate::MadeAnswerLost, Fate::Answer500, Fate::Answer429]
                }
                Clock::LockEnded | Clock::WindowEnded => &[Fate::LockEnded],
            };
            actions.extend(fates.iter().map(|fate| Happens::Arrives(*request, *fate)));
        }
        for holder in 0..self.holders {
            self.holder_can(world, holder, actions);
        }
    }

    fn next_state(&self, last: &World, happens: Happens) -> Option<World> {
        let mut world = last.clone();
        match happens {
            Happens::TimePasses => world.clock = world.clock.later()?,
            Happens::IsGivenLease(holder) => {
                world.row.epoch += 1;
                let copy = match &world.holders[holder] {
                    Holder::Down => Box::new(world.row.order.clone()),
                    Holder::Up { copy, .. } => copy.clone(),
                };
                let epoch = world.row.epoch;
                world.holders[holder] = Holder::Up { epoch, copy, create: Hand::Empty };
            }
            Happens::Crashes(holder) => world.holders[holder] = Holder::Down,
            Happens::Permit(holder) => self.permit(&mut world, holder),
            Happens::Checks(holder) => {
                let now = world.clock.now();
                hand(&mut world, holder, |copy, attempt| {
                    if copy.may_still_send(now, &self.policy) {
                        Hand::Checked(attempt)
                    } else {
                        Hand::Answered(attempt, not_sent())
                    }
                });
            }
            Happens::Writes(holder) => {
                hand(&mut world, holder, |_, attempt| Hand::Waiting(attempt));
                let Holder::Up { create: Hand::Waiting(attempt), .. } = world.holders[holder]
                else {
                    return None;
                };
                world.wire.push(Request { from: holder, attempt });
                world.sent.push(attempt);
            }
            Happens::CannotWrite(holder) => {
                hand(&mut world, holder, |_, attempt| Hand::Answered(attempt, not_sent()));
            }
            Happens::Arrives(request, fate) => self.arrive(&mut world, request, fate),
            Happens::GivesUpWaiting(holder) => hand(&mut world, holder, |_, attempt| {
                let answer = CreateAnswer::Refused {
                    class: AnswerClass::Ambiguous,
                    code: None,
                    why: String::new(),
                    retry_after: None,
                };
                Hand::Answered(attempt, answer)
            }),
            Happens::CommitsAnswer(holder) => self.commit_answer(&mut world, holder),
            Happens::FindsAttempt(holder) => {
                let Holder::Up { copy, .. } = &world.holders[holder] else { return None };
                let attempt = copy.create_in_flight()?;
                let input = if self.rules.lost_is_unknown {
                    CreateInput::Interrupted { attempt }
                } else {
                    CreateInput::Answered { attempt, answer: not_sent() }
                };
                self.tell(&mut world, holder, &Input::Create(input));
            }
            Happens::Reads(holder) => {
                let seen = Input::Observed(read(world.clock));
                self.tell(&mut world, holder, &seen);
            }
            Happens::Wakes(holder) => {
                self.tell(&mut world, holder, &Input::Woken);
            }
            Happens::IsAskedToCancel(holder) => {
                let cancel = Input::Command(Command::Cancel { author: author(), reason: None });
                world.cancelled |= self.tell(&mut world, holder, &cancel) == Some(true);
            }
            Happens::IsAskedToPostAgain(holder) => {
                let acknowledged = SecondOrderAcknowledged { lock_id: lock() };
                let command = Command::PostAgain { author: author(), acknowledged, reason: None };
                self.tell(&mut world, holder, &Input::Command(command));
            }
        }
        (world != *last).then_some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        promises::all()
    }
}
