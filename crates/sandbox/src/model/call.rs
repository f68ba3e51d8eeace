//! A call from its bytes to what the client meets, faults included. The one place where the dice and the book meet.

use serde::Deserialize;
use uuid::Uuid;

use super::{
    Answer, ApiError, Key, LockRequest, Model, Reply, Request, Wire, body, lock::CreateCall,
};
use crate::faults::{CallFault, Endpoint, ErrorCode, GarbageShape, OutageMode};

/// Words of the three 401s. Seen.
const KEY_MISSING: &str = "Access Denied. xo1";
const KEY_WRONG: &str = "Access Denied. xo2";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateRequest {
    lock_id: Uuid,
}

/// A fault, as far as the effect is concerned.
enum Effect {
    /// Nothing is done, and this is met.
    None(Wire),
    /// The call is done as if nothing were wrong.
    Done,
}

impl Model {
    /// Answers one call.
    pub fn call(&mut self, now: i64, key: Key, request: &Request<'_>) -> Reply {
        self.pass(now);
        let endpoint = request.endpoint();
        self.calls.entry(endpoint.name()).or_default().received += 1;
        let create = self.number_create(request);
        if let Some(outage) = self.dice.outage(self.now) {
            self.dice.count_outage(endpoint, outage.mode);
            self.struck(endpoint);
            let (wire, ambiguous) = match outage.mode {
                OutageMode::Http503 => {
                    (Wire::Answer(Answer::html(503, "503 Service Unavailable")), true)
                }
                OutageMode::Drop => (Wire::Closed, true),
                OutageMode::Refuse => (Wire::Refused, false),
            };
            self.remember_create(create, &format!("outage_{}", outage.mode.name()), ambiguous);
            return Reply::now(wire);
        }
        let denied = match key {
            Key::Right => None,
            Key::Missing => Some(KEY_MISSING),
            Key::Wrong => Some(KEY_WRONG),
        };
        if let Some(words) = denied {
            self.calls.entry(endpoint.name()).or_default().refused += 1;
            self.remember_create(create, "denied", false);
            return Reply::now(Wire::Answer(self.denied(words)));
        }
        let Some(fault) = self.dice.on_call(endpoint) else {
            let done = self.perform(request, create, self.now);
            self.remember_result(create, &done);
            let count = self.calls.entry(endpoint.name()).or_default();
            match &done {
                Ok(_) => count.ok += 1,
                Err(_) => count.refused += 1,
            }
            return Reply::now(Wire::Answer(done.unwrap_or_else(|error| answer(&error))));
        };
        self.struck(endpoint);
        match self.effect(&fault) {
            Effect::None(wire) => {
                self.remember_create(create, fault.name(), is_ambiguous(&fault));
                Reply::now(wire)
            }
            Effect::Done => {
                let seen_at = match &fault {
                    CallFault::Stale { lag_ms } => self.now.saturating_sub(*lag_ms),
                    CallFault::AnswerLost {}
                    | CallFault::AnswerHung {}
                    | CallFault::Dropped {}
                    | CallFault::ErrorBefore { .. }
                    | CallFault::ErrorAfter { .. }
                    | CallFault::Denied {}
                    | CallFault::Throttled { .. }
                    | CallFault::Garbage { .. }
                    | CallFault::Slow { .. } => self.now,
                };
                let done = self.perform(request, create, seen_at);
                self.remember_create(create, fault.name(), is_ambiguous(&fault));
                spoil(&fault, done.unwrap_or_else(|error| answer(&error)))
            }
        }
    }

    fn denied(&self, words: &str) -> Answer {
        Answer::json(401, body::denied(&self.config, words))
    }

    fn struck(&mut self, endpoint: Endpoint) {
        self.calls.entry(endpoint.name()).or_default().struck += 1;
    }

    /// Gives a create call its number, and finds the lock it names.
    fn number_create(&mut self, request: &Request<'_>) -> Option<(u64, Option<Uuid>)> {
        match request {
            Request::Create(body) => {
                self.creates += 1;
                Some((self.creates, create_request(body).map(|request| request.lock_id)))
            }
            Request::Lock(_) | Request::Details(_) | Request::Rates => None,
        }
    }

    fn remember_create(
        &mut self,
        create: Option<(u64, Option<Uuid>)>,
        outcome: &str,
        ambiguous: bool,
    ) {
        if let Some((number, Some(lock_id))) = create {
            let call = CreateCall { number, at: self.now, outcome: outcome.to_owned(), ambiguous };
            self.book.remember_create(lock_id, call);
        }
    }

    fn remember_result(
        &mut self,
        create: Option<(u64, Option<Uuid>)>,
        done: &Result<Answer, ApiError>,
    ) {
        match done {
            Ok(_) => self.remember_create(create, "made", false),
            Err(error) => self.remember_create(create, &error.code, false),
        }
    }

    fn effect(&self, fault: &CallFault) -> Effect {
        match fault {
            CallFault::Dropped {} => Effect::None(Wire::Closed),
            CallFault::ErrorBefore { code } => Effect::None(Wire::Answer(answer(&unclear(*code)))),
            CallFault::Denied {} => Effect::None(Wire::Answer(self.denied(KEY_WRONG))),
            CallFault::Throttled { retry_after_s } => Effect::None(Wire::Answer(Answer {
                retry_after_s: Some(*retry_after_s),
                // No body of a 429 was seen.
                ..Answer::json(429, "{}".to_owned())
            })),
            CallFault::AnswerLost {}
            | CallFault::AnswerHung {}
            | CallFault::ErrorAfter { .. }
            | CallFault::Garbage { .. }
            | CallFault::Slow { .. }
            | CallFault::Stale { .. } => Effect::Done,
        }
    }

    /// Does what was asked; a read sees the order as of `seen_at`.
    fn perform(
        &mut self,
        request: &Request<'_>,
        create: Option<(u64, Option<Uuid>)>,
        seen_at: i64,
    ) -> Result<Answer, ApiError> {
        match request {
            Request::Lock(body) => {
                let request: LockRequest =
                    serde_json::from_slice(body).map_err(|_| ApiError::validation())?;
                let status = self.config.lock_status;
                let lock = self.book.lock_rate(&request)?;
                Ok(Answer::json(status, body::lock(lock, &self.config, self.stamps)))
            }
            Request::Create(_) => {
                let Some((number, Some(lock_id))) = create else {
                    return Err(ApiError::validation());
                };
                let order_id = self.book.create_order(lock_id, number)?;
                self.announce();
                Ok(Answer::json(201, body::created(order_id)))
            }
            Request::Details(id) => {
                let id = Uuid::try_parse(id).map_err(|_| ApiError::validation())?;
                Ok(Answer::json(200, self.details_at(id, seen_at)?))
            }
            Request::Rates => Ok(Answer::json(200, self.rates())),
        }
    }
}

fn create_request(body: &[u8]) -> Option<CreateRequest> {
    serde_json::from_slice(body).ok()
}

fn answer(error: &ApiError) -> Answer {
    Answer::json(error.status, body::error(error))
}

fn unclear(code: ErrorCode) -> ApiError {
    match code {
        ErrorCode::P500 => ApiError::unknown_exception(),
        ErrorCode::P501 => ApiError::unavailable(),
    }
}

/// Whether a client cannot know what became of its call.
const fn is_ambiguous(fault: &CallFault) -> bool {
    match fault {
        CallFault::AnswerLost {}
        | CallFault::AnswerHung {}
        | CallFault::Dropped {}
        | CallFault::ErrorBefore { .. }
        | CallFault::ErrorAfter { .. }
        | CallFault::Garbage { .. } => true,
        // A slow answer is clear to a client that waits; whether it waited is not known here.
        CallFault::Denied {}
        | CallFault::Throttled { .. }
        | CallFault::Slow { .. }
        | CallFault::Stale { .. } => false,
    }
}

/// What is left of the right answer.
fn spoil(fault: &CallFault, right: Answer) -> Reply {
    match fault {
        CallFault::AnswerLost {} | CallFault::Dropped {} => Reply::now(Wire::Closed),
        CallFault::AnswerHung {} => Reply::now(Wire::Silence),
        CallFault::ErrorBefore { code } | CallFault::ErrorAfter { code } => {
            Reply::now(Wire::Answer(answer(&unclear(*code))))
        }
        CallFault::Garbage { shape } => Reply::now(Wire::Answer(garbage(*shape, right))),
        CallFault::Slow { delay_ms } => Reply { after_ms: *delay_ms, wire: Wire::Answer(right) },
        CallFault::Denied {} | CallFault::Throttled { .. } | CallFault::Stale { .. } => {
            Reply::now(Wire::Answer(right))
        }
    }
}

fn garbage(shape: GarbageShape, right: Answer) -> Answer {
    match shape {
        GarbageShape::Html => Answer::html(right.status, "One moment, please"),
        GarbageShape::Truncated => {
            // The bodies are ASCII, so any place is a character's border.
            let body = right.body.chars().take(right.body.len() / 2).collect();
            Answer { body, ..right }
        }
        GarbageShape::Empty => Answer { body: String::new(), ..right },
    }
}
