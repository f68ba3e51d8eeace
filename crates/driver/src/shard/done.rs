//! What comes back: orders that were read, commits, permits, answers.

use std::sync::Arc;

use orderkeep_core::{AnswerClass, CreateAnswer, CreateInput, Input, OrderId, Step, Timestamp};
use orderkeep_store::{CommitError, Committed};

use super::{CONFLICTS_MAX, Done, FULL_RETRY, Job, Known, Shard, Told, What, slot::Slot};
use crate::{CommandError, EngineError, metrics, stats::count};
use futures_util::FutureExt;

impl Shard {
    pub(super) fn on_done(&mut self, done: Done) {
        match done {
            Done::Loaded(id, result) => self.on_loaded(id, result),
            Done::Committed { id, job, step, wake_up, result } => {
                self.on_committed(id, job, *step, wake_up, result)
            }
            Done::Touched { id, wake_up, result } => {
                let Some(slot) = self.slots.get_mut(&id) else { return };
                slot.busy = false;
                match result {
                    Ok(_) => {
                        if let Some(loaded) = &mut slot.loaded {
                            loaded.wake_up = wake_up;
                        }
                        self.wake_ups.add(wake_up, id);
                    }
                    Err(CommitError::Halted(why)) => self.halt(&EngineError::Halted(why)),
                    // The old wake-up stands, and is found again by the next look into the store.
                    Err(error) => {
                        tracing::warn!(order_id = %id, %error, "its wake-up could not be moved");
                        slot.loaded = None;
                    }
                }
                self.drive(id);
            }
            Done::InboxFinished(Err(CommitError::Halted(why))) => {
                self.halt(&EngineError::Halted(why))
            }
            Done::InboxFinished(_) => {}
            Done::Again(id) => {
                if let Some(slot) = self.slots.get_mut(&id) {
                    slot.busy = false;
                }
                self.drive(id);
            }
            Done::Permit(id, permit) => {
                let Some(slot) = self.slots.get_mut(&id) else { return };
                slot.permit_wanted = false;
                let mut job = Job::new(What::Input(Arc::new(Input::Create(CreateInput::Permit))));
                job.permit = permit;
                if job.permit.is_some() {
                    self.enqueue(id, job);
                }
            }
            Done::Created { id, attempt, answer } => {
                if let Some(slot) = self.slots.get_mut(&id)
                    && slot.creating == Some(attempt)
                {
                    slot.creating = None;
                }
                self.enqueue(
                    id,
                    Job::new(What::Input(Arc::new(Input::Create(CreateInput::Answered {
                        attempt,
                        answer,
                    })))),
                );
            }
            Done::Read(id, answer) => self.on_read(id, answer),
            Done::Locked(id, answer) => self.on_locked(id, answer),
            Done::Probed => {}
        }
    }

    pub(super) fn on_loaded(&mut self, id: OrderId, result: Result<Option<Known>, EngineError>) {
        let Some(slot) = self.slots.get_mut(&id) else { return };
        slot.busy = false;
        let refusal = match result {
            Ok(Some(loaded)) => {
                slot.loaded = Some(loaded);
                self.drive(id);
                return;
            }
            Ok(None) => CommandError::NoOrder(id),
            Err(error) => {
                tracing::error!(order_id = %id, %error, "cannot be read");
                error.into()
            }
        };
        for job in slot.queue.drain(..) {
            job.answer(Err(refusal.clone()));
        }
        self.slots.remove(&id);
    }

    pub(super) fn on_committed(
        &mut self,
        id: OrderId,
        mut job: Job,
        step: Step,
        wake_up: Option<Timestamp>,
        result: Result<Committed, CommitError>,
    ) {
        let Some(slot) = self.slots.get_mut(&id) else { return };
        slot.busy = false;
        match result {
            Ok(_) => {
                count(&self.parts.counters.steps);
                let Step { events, next, effects, disposition, wake_up: _ } = step;
                let before = slot.loaded.as_ref().map(|loaded| &*loaded.order);
                metrics::moved(before, &next, events.first().map(|record| &record.cause));
                for record in &events {
                    tracing::info!(order_id = %id, event = record.event.name(), state = %next.state_name(), "step");
                }
                let order = Arc::new(next);
                self.parts.waiting.tell(&order);
                slot.loaded = Some(Known { order: Arc::clone(&order), wake_up });
                self.wake_ups.add(wake_up, id);
                self.carry_out(&order, &effects, job.permit.take());
                job.answer(Ok(Told { order, disposition }));
            }
            Err(CommitError::Conflict { .. }) if job.conflicts < CONFLICTS_MAX => {
                job.conflicts += 1;
                slot.loaded = None;
                slot.queue.push_front(job);
            }
            Err(CommitError::InboxGone(_)) => {
                job.inbox.clear();
                slot.queue.push_front(job);
            }
            Err(CommitError::Claimed { claim, holder }) => {
                tracing::error!(order_id = %id, ?claim, ?holder, "the provider gave one order to two of ours");
                claimed(slot, job);
            }
            Err(CommitError::Full(why)) if job.reply.is_some() => {
                job.answer(Err(EngineError::Full(why).into()));
            }
            Err(CommitError::Full(_)) if job.permit.is_some() => {
                // Nothing happened yet, and others may use the leave to call meanwhile.
                drop(job);
                let again = self.parts.clock.now().plus(FULL_RETRY);
                self.wake_ups.add(Some(again), id);
            }
            Err(CommitError::Full(_)) => {
                // What happened outside must not be forgotten: it waits for room.
                slot.busy = true;
                slot.queue.push_front(job);
                self.work.push(
                    async move {
                        tokio::time::sleep(FULL_RETRY).await;
                        Done::Again(id)
                    }
                    .boxed(),
                );
            }
            Err(error @ CommitError::Halted(_)) => {
                job.answer(Err(EngineError::from(error.clone()).into()));
                self.halt(&error.into());
            }
            Err(error) => {
                tracing::error!(order_id = %id, %error, "a step could not be stored");
                slot.loaded = None;
                job.answer(Err(EngineError::from(error).into()));
            }
        }
        self.drive(id);
    }
}

/// The provider's order is another order's already. A create's answer is then no proof of anything; anything else
/// is not taken in.
fn claimed(slot: &mut Slot, job: Job) {
    match &job.what {
        What::Input(input) => {
            if let Input::Create(CreateInput::Answered {
                attempt,
                answer: CreateAnswer::Accepted { provider_order },
            }) = input.as_ref()
            {
                let answer = CreateAnswer::Refused {
                    class: AnswerClass::Ambiguous,
                    code: None,
                    why: format!(
                        "the provider answered with {provider_order}, which is another order's"
                    ),
                    retry_after: None,
                };
                let input = Input::Create(CreateInput::Answered { attempt: *attempt, answer });
                slot.queue.push_front(Job::new(What::Input(Arc::new(input))));
            }
        }
        // It is asked about again, later.
        What::Read(_) => slot.queue.push_front(Job::new(What::ReadFailed)),
        What::ReadFailed | What::Move | What::Wake | What::Tick | What::Look => {}
    }
    job.answer(Err(
        EngineError::Store("the provider's order belongs to another order".to_owned()).into()
    ));
}
