//! The rate is locked. Left only by what the create proves to have come to; an unknown outcome stays here.

use serde::{Deserialize, Serialize};

use crate::{
    Already, Command, CreateAnswer, CreateInput, CreateVerdict, Effect, Event, FailReason, Funds,
    Input, LockId, Order, Outcome, Policy, Refusal, Resolution, ReviewReason, Terms, Timestamp,
    event::BoundBy,
    observe,
    order::{Draft, commands},
    restore,
    retry::create_delay,
    schedule,
};

/// Data of [`crate::State::Locked`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Locked {
    /// How far the create is.
    pub create: Create,
}

/// How far the create is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Create {
    /// Nothing is on its way.
    NotSent {
        /// How many attempts there were.
        attempts: u32,
        /// When to send.
        next_at: Timestamp,
        /// Why it is not sent by itself any more.
        held: Option<String>,
        /// Whether an earlier attempt's outcome is unknown; then nothing but evidence ends it.
        unknown_before: bool,
    },
    /// The attempt may be on its way.
    InFlight {
        /// Which one.
        attempt: u32,
        /// Since when.
        since: Timestamp,
        /// As above.
        unknown_before: bool,
    },
    /// Nobody knows what came of it.
    Unknown {
        /// Which attempt.
        attempt: u32,
        /// Since when.
        since: Timestamp,
        /// Why.
        why: String,
    },
    /// The lock is over and nothing can come of it; a fresh one is being taken, at a price that the caller allowed.
    Relocking {
        /// Since when.
        since: Timestamp,
        /// How many attempts there were.
        attempts: u32,
        /// What the order fails of if there is none.
        instead_of: FailReason,
    },
}

impl Locked {
    pub(crate) fn on(
        &self,
        order: &Order,
        input: &Input,
        now: Timestamp,
        policy: &Policy,
    ) -> Outcome {
        match input {
            Input::Command(command) => self.on_command(order, command, now, policy),
            Input::Create(create) => self.on_create(order, create, now, policy),
            Input::Observed(seen) => observe::unbound(order, seen, now, policy),
            Input::NotFound { provider_order, .. } => {
                observe::adoption_not_found(order, provider_order, now, policy)
            }
            Input::Woken => self.on_woken(order, now, policy),
            Input::Restored { incarnation } => restore::restored(order, *incarnation, now, policy),
        }
    }

    fn on_command(
        &self,
        order: &Order,
        command: &Command,
        now: Timestamp,
        policy: &Policy,
    ) -> Outcome {
        let mut draft = Draft::for_command(order, command, now, policy);
        match command {
            Command::Submit(submit) => commands::submit_again(order, submit),
            Command::Note { text, .. } => commands::note(draft, text),
            Command::Cancel { author, .. } => match &self.create {
                Create::NotSent { unknown_before: false, .. } => {
                    end_as_cancelled(&mut draft);
                    draft.finish()
                }
                // Whoever cancels does not want it posted again.
                Create::NotSent { unknown_before: true, attempts, .. } => {
                    draft.unknown(*attempts, "cancelled before it was posted again");
                    commands::wish_cancel(draft, author)
                }
                Create::InFlight { .. } | Create::Unknown { .. } => {
                    commands::wish_cancel(draft, author)
                }
                Create::Relocking { instead_of, .. } => {
                    decline(&mut draft, "cancelled", instead_of);
                    draft.finish()
                }
            },
            Command::Resolve { resolution, note, .. } => match resolution {
                Resolution::Acknowledge(reason) => {
                    let stays = never_ends_by_itself(order, policy);
                    let stays = stays.then_some(ReviewReason::UnknownCreate);
                    commands::acknowledge_but(stays, draft, *reason, note)
                }
                Resolution::NoProviderOrder => match &self.create {
                    Create::Unknown { .. } | Create::NotSent { unknown_before: true, .. } => {
                        if let Some(refusal) = commands::too_long(note) {
                            return Outcome::Refused(refusal);
                        }
                        draft.push(Event::Resolved { resolution: *resolution, note: note.clone() });
                        draft.push(Event::Failed {
                            reason: FailReason::UnknownCreate,
                            funds: Funds::None,
                        });
                        draft.settle_all();
                        draft.finish()
                    }
                    Create::NotSent { unknown_before: false, .. } | Create::Relocking { .. } => {
                        Outcome::Refused(Refusal::NoUnknownCreate)
                    }
                    Create::InFlight { .. } => Outcome::Refused(Refusal::CreateInFlight),
                },
            },
            Command::Adopt { provider_order, .. } => {
                if order.adopting.as_ref() == Some(provider_order) {
                    return Outcome::AlreadyThere(Already::Duplicate);
                }
                draft.push(Event::AdoptionAsked { provider_order: provider_order.clone() });
                draft.effect(Effect::Fetch { provider_order: provider_order.clone() });
                draft.finish()
            }
            Command::Retry { .. } => match &self.create {
                Create::NotSent { .. } => {
                    draft.push(Event::RetryAsked);
                    draft.settle(ReviewReason::CreateRefused);
                    draft.finish()
                }
                Create::InFlight { .. } => Outcome::Refused(Refusal::CreateInFlight),
                Create::Unknown { .. } => Outcome::Refused(Refusal::CreateUnknown),
                Create::Relocking { .. } => {
                    draft.push(Event::RetryAsked);
                    draft.finish()
                }
            },
            Command::PostAgain { acknowledged, .. } => match &self.create {
                Create::NotSent { unknown_before: false, .. } | Create::Relocking { .. } => {
                    Outcome::Refused(Refusal::NoUnknownCreate)
                }
                Create::InFlight { .. } => Outcome::Refused(Refusal::CreateInFlight),
                Create::Unknown { .. } => {
                    match may_post_again(order, &acknowledged.lock_id, now, policy) {
                        Err(refusal) => Outcome::Refused(refusal),
                        Ok(()) => {
                            draft.push(Event::PostAgainAuthorised);
                            draft.finish()
                        }
                    }
                }
                Create::NotSent { unknown_before: true, .. } => {
                    match may_post_again(order, &acknowledged.lock_id, now, policy) {
                        Err(refusal) => Outcome::Refused(refusal),
                        Ok(()) => Outcome::AlreadyThere(Already::Duplicate),
                    }
                }
            },
        }
    }

    fn on_create(
        &self,
        order: &Order,
        create: &CreateInput,
        now: Timestamp,
        policy: &Policy,
    ) -> Outcome {
        let mut draft = Draft::for_create(order, now, policy);
        match create {
            CreateInput::Permit => match &self.create {
                Create::NotSent { attempts, next_at, held, .. } => {
                    if order.adopting.is_some() {
                        Outcome::Refused(Refusal::CreateNotDue("a provider order is being adopted"))
                    } else if now > schedule::last_send(order, policy) {
                        self.past_margin(draft)
                    } else if held.is_some() {
                        Outcome::Refused(Refusal::CreateNotDue(
                            "it was refused and waits for a person",
                        ))
                    } else if *next_at > now {
                        Outcome::Refused(Refusal::CreateNotDue("its time has not come"))
                    } else {
                        let attempt = attempts.saturating_add(1);
                        draft.push(Event::CreateIntended { attempt });
                        draft.effect(Effect::Create {
                            attempt,
                            lock_id: order.terms.lock_id.clone(),
                        });
                        draft.finish()
                    }
                }
                Create::InFlight { .. } => Outcome::Refused(Refusal::CreateInFlight),
                Create::Unknown { .. } => Outcome::Refused(Refusal::CreateUnknown),
                Create::Relocking { .. } => {
                    Outcome::Refused(Refusal::CreateNotDue("its lock is over"))
                }
            },
            CreateInput::Answered {
                attempt,
                answer: CreateAnswer::Accepted { provider_order },
            } => {
                if let Some(earlier) = order.lock_of_attempt(*attempt) {
                    return observe::given_up_by_answer(draft, provider_order, earlier);
                }
                draft.push(Event::Bound {
                    provider_order: provider_order.clone(),
                    by: BoundBy::Answer,
                });
                draft.settle(ReviewReason::UnknownCreate);
                draft.settle(ReviewReason::CreateRefused);
                draft.settle(ReviewReason::ExposurePossible);
                draft.finish()
            }
            CreateInput::Answered { attempt, answer: CreateAnswer::NotSent { why } } => match &self
                .create
            {
                Create::InFlight { attempt: current, unknown_before, .. } if current == attempt => {
                    had_no_effect(draft, *attempt, *unknown_before, why, None)
                }
                // The process that lost the answer turns out to know that nothing was written.
                Create::Unknown { attempt: current, .. }
                    if current == attempt && *attempt == 1 && !order.is_exposed() =>
                {
                    draft.settle(ReviewReason::UnknownCreate);
                    had_no_effect(draft, *attempt, false, why, None)
                }
                Create::NotSent { .. }
                | Create::InFlight { .. }
                | Create::Unknown { .. }
                | Create::Relocking { .. } => Outcome::AlreadyThere(Already::Stale),
            },
            CreateInput::Answered {
                attempt,
                answer: CreateAnswer::Refused { class, code, why, retry_after },
            } => {
                match &self.create {
                    Create::InFlight { attempt: current, unknown_before, .. }
                        if current == attempt =>
                    {
                        match policy.answers.verdict(*class, code.as_deref()) {
                            CreateVerdict::SendAgain => {
                                had_no_effect(draft, *attempt, *unknown_before, why, *retry_after)
                            }
                            // After an unknown attempt a refusal proves nothing: the lock may be used up by our own order.
                            CreateVerdict::Hold | CreateVerdict::LockInvalid if *unknown_before => {
                                draft.unknown(*attempt, why);
                                draft.finish()
                            }
                            CreateVerdict::Hold => {
                                draft.push(Event::CreateHeld {
                                    attempt: *attempt,
                                    why: why.clone(),
                                });
                                if order.cancel.is_some() {
                                    end_as_cancelled(&mut draft);
                                } else {
                                    let detail = attempt_detail(*attempt, why);
                                    draft.raise(ReviewReason::CreateRefused, detail);
                                }
                                draft.finish()
                            }
                            CreateVerdict::LockInvalid => {
                                draft.push(Event::Failed {
                                    reason: FailReason::LockInvalid,
                                    funds: Funds::None,
                                });
                                draft.finish()
                            }
                            CreateVerdict::Unknown => {
                                draft.unknown(*attempt, why);
                                draft.finish()
                            }
                        }
                    }
                    Create::NotSent { .. }
                    | Create::InFlight { .. }
                    | Create::Unknown { .. }
                    | Create::Relocking { .. } => Outcome::AlreadyThere(Already::Stale),
                }
            }
            CreateInput::Locked { terms } => self.on_locked(order, draft, terms),
            CreateInput::LockRefused { why } => {
                let Create::Relocking { instead_of, .. } = &self.create else {
                    return Outcome::AlreadyThere(Already::Stale);
                };
                decline(&mut draft, why, instead_of);
                draft.finish()
            }
            CreateInput::Interrupted { attempt } => match &self.create {
                Create::InFlight { attempt: current, .. } if current == attempt => {
                    draft.unknown(*attempt, "the process that sent it ended before its answer");
                    draft.finish()
                }
                Create::NotSent { .. }
                | Create::InFlight { .. }
                | Create::Unknown { .. }
                | Create::Relocking { .. } => Outcome::AlreadyThere(Already::Stale),
            },
        }
    }

    fn on_woken(&self, order: &Order, now: Timestamp, policy: &Policy) -> Outcome {
        let mut draft = Draft::for_clock(order, now, policy);
        match &self.create {
            Create::NotSent { .. } => {
                if now > schedule::last_send(order, policy) && order.adopting.is_none() {
                    self.past_margin(draft)
                } else {
                    Outcome::AlreadyThere(Already::Duplicate)
                }
            }
            Create::InFlight { attempt, since, .. } => {
                if now >= since.plus(policy.create_timeout) {
                    draft.unknown(*attempt, "no answer in time");
                }
                draft.finish()
            }
            Create::Unknown { attempt, since, why } => {
                // What was done in another life of the store is not known, and time does not prove it.
                let time_decides = !order.is_exposed() && order.adopting.is_none();
                // Nobody was ever shown an address, so once the lock and the provider's order are over nobody can pay.
                if time_decides
                    && schedule::unknown_ends_at(order, policy).is_some_and(|end| now >= end)
                {
                    end_of_lock(&mut draft, FailReason::UnknownCreate);
                    draft.settle(ReviewReason::UnknownCreate);
                } else if now >= since.plus(policy.unknown_create_review_after)
                    && !order.has_open(ReviewReason::ExposurePossible)
                {
                    draft.raise(ReviewReason::UnknownCreate, attempt_detail(*attempt, why));
                }
                draft.finish()
            }
            Create::Relocking { instead_of, since, .. } => {
                if !relock_goes_on(order, now) {
                    decline(&mut draft, "the time for a fresh lock is over", instead_of);
                } else if now >= since.plus(policy.relock_review_after) {
                    draft.raise(ReviewReason::RelockLate, RELOCK_LATE.to_owned());
                }
                draft.finish()
            }
        }
    }

    /// A fresh lock is there.
    fn on_locked(&self, order: &Order, mut draft: Draft<'_>, fresh: &Terms) -> Outcome {
        let Create::Relocking { instead_of, .. } = &self.create else {
            return Outcome::AlreadyThere(Already::Stale);
        };
        let Some(relock) = order.relock.as_ref().filter(|_| relock_goes_on(order, draft.now))
        else {
            decline(&mut draft, "the time for a fresh lock is over", instead_of);
            return draft.finish();
        };
        if let Err(mismatch) = order.terms.check_fresh(fresh, relock) {
            decline(&mut draft, &format!("lock {}: {mismatch}", fresh.lock_id), instead_of);
            return draft.finish();
        }
        let used = fresh.lock_id == order.terms.lock_id || order.gave_up(&fresh.lock_id);
        if used || draft.now > fresh.expires_at.minus(draft.policy.margin()) {
            // Of no use; another is taken.
            return Outcome::AlreadyThere(Already::Stale);
        }
        draft.settle(ReviewReason::RelockLate);
        draft.push(Event::Relocked { terms: Box::new(fresh.clone()) });
        draft.finish()
    }

    /// The lock can not be posted any more.
    fn past_margin(&self, mut draft: Draft<'_>) -> Outcome {
        // By our clock alone there was still time: that it is not taken has a reason that nobody could find later.
        if draft.now <= draft.next.terms.expires_at.minus(draft.policy.lock_margin) {
            let by_ms = draft.policy.clock_ahead.as_millis().try_into().unwrap_or(u64::MAX);
            draft.push(Event::MarginWidened { by_ms });
        }
        match &self.create {
            Create::NotSent { unknown_before: false, held, .. } => {
                if held.is_some() {
                    draft.settle(ReviewReason::CreateRefused);
                    // What the provider refuses at this lock it refuses at the next.
                    draft.push(Event::Failed {
                        reason: FailReason::LockExpired,
                        funds: Funds::None,
                    });
                } else {
                    end_of_lock(&mut draft, FailReason::LockExpired);
                }
            }
            Create::NotSent { unknown_before: true, attempts, .. } => {
                draft.unknown(*attempts, "the lock ended before it could be posted again");
            }
            Create::InFlight { .. } | Create::Unknown { .. } | Create::Relocking { .. } => {}
        }
        draft.finish()
    }
}

/// Nothing can come of the lock any more: a fresh one where the caller allowed it, the end otherwise.
fn end_of_lock(draft: &mut Draft<'_>, reason: FailReason) {
    if draft.next.cancel.is_none() && relock_goes_on(&draft.next, draft.now) {
        draft.push(Event::RelockWanted { instead_of: reason });
    } else {
        draft.push(Event::Failed { reason, funds: Funds::None });
    }
}

/// Whether time never ends an unknown create: somebody has to, so that the question about it stays.
fn never_ends_by_itself(order: &Order, policy: &Policy) -> bool {
    order.create_unknown() && (order.is_exposed() || policy.provider_order_window.is_none())
}

/// Whether a fresh lock may be taken now.
fn relock_goes_on(order: &Order, now: Timestamp) -> bool {
    order.relock.as_ref().is_some_and(|relock| relock.until.is_none_or(|until| now <= until))
        && order.earlier_locks.len() < Order::LOCKS_MAX
}

/// No fresh lock.
fn decline(draft: &mut Draft<'_>, why: &str, instead_of: &FailReason) {
    draft.push(Event::RelockDeclined { why: why.to_owned() });
    draft.push(Event::Failed { reason: instead_of.clone(), funds: Funds::None });
    draft.settle(ReviewReason::RelockLate);
}

/// Nothing is at the provider, and somebody wants the order to end.
fn end_as_cancelled(draft: &mut Draft<'_>) {
    draft.push(Event::Failed { reason: FailReason::Cancelled, funds: Funds::None });
    draft.settle(ReviewReason::UnknownCreate);
    draft.settle(ReviewReason::CreateRefused);
}

/// What is said of a fresh lock that does not come.
pub(crate) const RELOCK_LATE: &str = "no fresh lock could be taken";

/// The facts of one attempt: what another attempt comes to is asked about anew.
pub(crate) fn attempt_detail(attempt: u32, why: &str) -> String {
    format!("attempt {attempt}: {why}")
}

/// Whether a person may have an unknown create posted again.
fn may_post_again(
    order: &Order,
    acknowledged: &LockId,
    now: Timestamp,
    policy: &Policy,
) -> Result<(), Refusal> {
    if *acknowledged != order.terms.lock_id {
        Err(Refusal::WrongAcknowledgement { expected: order.terms.lock_id.clone() })
    } else if order.has_open(ReviewReason::ExposurePossible) {
        Err(Refusal::CreateNotDue(
            "the store was restored from an older copy: find out what was made of the lock, and acknowledge `exposure_possible` first",
        ))
    } else if order.cancel.is_some() {
        Err(Refusal::CreateNotDue("somebody wants the order to end"))
    } else if now > schedule::last_send(order, policy) {
        Err(Refusal::LockPastMargin { expires_at: order.terms.expires_at })
    } else {
        Ok(())
    }
}

/// The attempt made nothing; after an unknown one that is no proof that there is nothing.
fn had_no_effect(
    mut draft: Draft<'_>,
    attempt: u32,
    unknown_before: bool,
    why: &str,
    asked: Option<std::time::Duration>,
) -> Outcome {
    if unknown_before {
        draft.unknown(attempt, why);
        return draft.finish();
    }
    let (first, longest) = draft.policy.create_backoff;
    let next_at = draft.now.plus(create_delay(first, longest, attempt, asked));
    draft.push(Event::CreateNotSent { attempt, why: why.to_owned(), next_at });
    if draft.next.cancel.is_some() {
        end_as_cancelled(&mut draft);
    }
    draft.finish()
}
