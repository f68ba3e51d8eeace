//! A step in the making: events are applied as they are pushed, so the next one is decided on what is already true.

use crate::{
    Already, Cause, Command, Disposition, Effect, Event, EventRecord, Observation, Order, Outcome,
    Policy, ProviderOrderId, Refusal, ReviewReason, Source, Step, Timestamp, WakeUp, schedule,
};

use super::{BadHistory, apply};

/// A step in the making.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) next: Order,
    pub(crate) policy: &'a Policy,
    pub(crate) now: Timestamp,
    cause: Cause,
    events: Vec<EventRecord>,
    effects: Vec<Effect>,
    disposition: Disposition,
    broken: Option<BadHistory>,
}

impl<'a> Draft<'a> {
    fn with(order: &Order, cause: Cause, now: Timestamp, policy: &'a Policy) -> Self {
        Self {
            next: order.clone(),
            policy,
            now,
            cause,
            events: Vec::new(),
            effects: Vec::new(),
            disposition: Disposition::Applied,
            broken: None,
        }
    }

    pub(crate) fn for_command(
        order: &Order,
        command: &Command,
        now: Timestamp,
        policy: &'a Policy,
    ) -> Self {
        let cause = match command.asked_by() {
            None => Cause::Submit,
            Some((author, None)) => Cause::Command(author.clone()),
            Some((author, Some(reason))) => {
                Cause::CommandFor { author: author.clone(), reason: reason.to_owned() }
            }
        };
        Self::with(order, cause, now, policy)
    }

    pub(crate) fn for_create(order: &Order, now: Timestamp, policy: &'a Policy) -> Self {
        Self::with(order, Cause::Create, now, policy)
    }

    pub(crate) fn for_observation(
        order: &Order,
        seen: &Observation,
        now: Timestamp,
        policy: &'a Policy,
    ) -> Self {
        let cause = match seen.source {
            Source::Claimed { .. } => Cause::Webhook,
            Source::Confirmed { .. } => Cause::Read,
        };
        Self::with(order, cause, now, policy)
    }

    pub(crate) fn for_read(order: &Order, now: Timestamp, policy: &'a Policy) -> Self {
        Self::with(order, Cause::Read, now, policy)
    }

    pub(crate) fn for_clock(order: &Order, now: Timestamp, policy: &'a Policy) -> Self {
        Self::with(order, Cause::Clock, now, policy)
    }

    pub(crate) fn for_restore(order: &Order, now: Timestamp, policy: &'a Policy) -> Self {
        Self::with(order, Cause::Restore, now, policy)
    }

    /// Adds a fact; it is true from here on.
    pub(crate) fn push(&mut self, event: Event) {
        let record = EventRecord { at: self.now, cause: self.cause.clone(), event };
        match apply::apply(&mut self.next, &record) {
            Ok(()) => self.events.push(record),
            Err(bad) => self.broken = Some(bad),
        }
    }

    pub(crate) fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    pub(crate) fn fetch(&mut self, provider_order: &ProviderOrderId) {
        self.effect(Effect::Fetch { provider_order: provider_order.clone() });
    }

    pub(crate) fn awaits_confirmation(&mut self) {
        self.disposition = Disposition::AwaitingConfirmation;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Asks for a person, unless one is asked for that reason already, or has settled the very same facts.
    pub(crate) fn raise(&mut self, reason: ReviewReason, detail: String) {
        if !self.next.has_asked(reason, &detail) {
            self.push(Event::ReviewRaised { reason, detail });
        }
    }

    /// Evidence settles it, also where a person has: should it come back, it is asked again.
    pub(crate) fn settle(&mut self, reason: ReviewReason) {
        let stands = self.next.review.iter().any(|review| {
            review.reason == reason
                && review.settled.as_ref().is_none_or(|settled| settled.by.is_some())
        });
        if stands {
            self.push(Event::ReviewSettled { reason, by: None });
        }
    }

    /// The author of the command settles what is open.
    pub(crate) fn settle_all(&mut self) {
        let by = self.cause.author().cloned();
        let open: Vec<_> = self.next.open_reviews().map(|review| review.reason).collect();
        for reason in open {
            self.push(Event::ReviewSettled { reason, by: by.clone() });
        }
    }

    pub(crate) fn settle_by_author(&mut self, reason: ReviewReason) {
        let by = self.cause.author().cloned();
        if by.is_some() {
            self.push(Event::ReviewSettled { reason, by });
        }
    }

    pub(crate) fn unknown(&mut self, attempt: u32, why: &str) {
        self.push(Event::CreateUnknown { attempt, why: why.to_owned() });
    }

    pub(crate) fn refuse_adoption(&mut self, provider_order: &ProviderOrderId, why: String) {
        self.push(Event::AdoptionRefused {
            provider_order: provider_order.clone(),
            why: why.clone(),
        });
        self.raise(ReviewReason::AdoptionRefused, format!("{provider_order}: {why}"));
    }

    /// The step; nothing at all happened if nothing was pushed.
    pub(crate) fn finish(self) -> Outcome {
        if let Some(broken) = self.broken {
            return Outcome::Refused(Refusal::Inconsistent(broken.to_string()));
        }
        if self.events.is_empty() {
            return Outcome::AlreadyThere(Already::Duplicate);
        }
        let mut wake_up = schedule::wake_up(&self.next, self.now, self.policy);
        // What is to be read now is still to be read now after a crash.
        if self.effects.iter().any(|effect| matches!(effect, Effect::Fetch { .. })) {
            wake_up = Some(WakeUp::exactly(self.now));
        }
        Outcome::Moved(Box::new(Step {
            events: self.events,
            next: self.next,
            effects: self.effects,
            wake_up,
            disposition: self.disposition,
        }))
    }
}
