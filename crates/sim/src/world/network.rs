//! The network between the engine and the provider. What was sent arrives, even if its sender is gone by then.

use std::{future::pending, sync::Arc, time::Duration};

use orderkeep_p100::{Answer, Exchange, Fault, Request};
use orderkeep_provider::BoxFuture;
use orderkeep_sandbox::{Key, Reply, Request as Call, Wire as Met};
use tokio::{sync::oneshot, time::sleep};

use super::{Act, Life, Shared, World};
use crate::plan::{CREATE_TIMEOUT, Millis, READ_TIMEOUT};

/// A request on its way, and who waits for its answer.
#[derive(Debug)]
pub(crate) struct InFlight {
    request: Request,
    reply: Option<oneshot::Sender<Reply>>,
}

/// What the engine could know of the provider by its calls, life by life.
#[derive(Debug, Default)]
pub(crate) struct Seen(Vec<SeenInLife>);

/// The same of one life.
#[derive(Debug)]
pub(crate) struct SeenInLife {
    began_at: Millis,
    /// How its calls ended: when, and whether the provider has spoken for itself.
    calls: Vec<(Millis, bool)>,
}

impl Seen {
    pub(crate) fn begin_life(&mut self, now: Millis) {
        self.0.push(SeenInLife { began_at: now, calls: Vec::new() });
    }

    /// The life that ran at this time.
    pub(crate) fn life_at(&self, at: Millis) -> Option<&SeenInLife> {
        self.0.iter().rev().find(|life| life.began_at <= at)
    }

    pub(crate) fn note(&mut self, at: Millis, answered: bool) {
        if let Some(life) = self.0.last_mut() {
            life.calls.push((at, answered));
        }
    }
}

impl SeenInLife {
    /// When it was last answered, up to this time.
    pub(crate) fn last_answer_before(&self, at: Millis) -> Option<Millis> {
        let answers = self.calls.iter().rev().filter(|(_, answered)| *answered);
        answers.map(|(when, _)| *when).find(|when| *when <= at)
    }

    /// Whether a call failed after the one time, and before the other.
    pub(crate) fn failed_between(&self, after: Millis, before: Millis) -> bool {
        self.calls.iter().any(|(when, answered)| !answered && *when > after && *when < before)
    }
}

/// The engine's end of the network.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) shared: Arc<Shared>,
}

/// What becomes of a request.
enum Way {
    /// Its sender is gone.
    Nowhere,
    /// No connection came about.
    None { after: Millis },
    /// It arrives at once.
    There { reply: Reply, answer_lost: bool, back: Millis },
    /// It arrives later.
    Later { answer: oneshot::Receiver<Reply>, back: Millis },
}

impl Exchange for Wire {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Answer, Fault>> {
        Box::pin(async move {
            let limit = if is_create(&request) { CREATE_TIMEOUT } else { READ_TIMEOUT };
            let way = self.shared.world().way(request);
            self.shared.poke.notify_one();
            let result = match way {
                Way::Nowhere => return pending().await,
                Way::None { after } => {
                    sleep(duration(after)).await;
                    Err(Fault { not_sent: true, why: "no connection".to_owned() })
                }
                Way::There { reply, answer_lost, back } => {
                    if answer_lost {
                        sleep(limit).await;
                        Err(no_answer())
                    } else {
                        come_back(reply, back, limit).await
                    }
                }
                Way::Later { answer, back } => match tokio::time::timeout(limit, answer).await {
                    Ok(Ok(reply)) => come_back(reply, back, limit).await,
                    Ok(Err(_)) | Err(_) => Err(no_answer()),
                },
            };
            if !self.shared.world().note(&result) {
                return pending().await;
            }
            result
        })
    }
}

fn duration(millis: Millis) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

fn no_answer() -> Fault {
    Fault { not_sent: false, why: "no whole answer in time".to_owned() }
}

/// The way back of an answer.
async fn come_back(reply: Reply, back: Millis, limit: Duration) -> Result<Answer, Fault> {
    let wait = duration(reply.after_ms + back);
    if wait >= limit || reply.wire == Met::Silence {
        sleep(limit).await;
        return Err(no_answer());
    }
    sleep(wait).await;
    match reply.wire {
        Met::Answer(answer) => Ok(Answer {
            status: answer.status,
            retry_after: answer
                .retry_after_s
                .map(|seconds| Duration::from_secs(u64::from(seconds))),
            body: Ok(answer.body.into_bytes()),
        }),
        Met::Refused => Err(Fault { not_sent: true, why: "connection refused".to_owned() }),
        Met::Closed | Met::Silence => {
            Err(Fault { not_sent: false, why: "the connection broke".to_owned() })
        }
    }
}

const CREATE: &str = "/v1/order";
const LOCK: &str = "/v1/order/lock-rate";
const RATES: &str = "/v1/order/get-rate";
const NO_SUCH_COIN: &[u8] = br#"{"currency":"nocoin","amount":"100","network":"polygon"}"#;

fn is_create(request: &Request) -> bool {
    request.is_post && request.path == CREATE
}

impl World {
    fn way(&mut self, request: Request) -> Way {
        if self.is_dead() {
            return Way::Nowhere;
        }
        let now = self.now();
        if let Some(partition) = self.partition.filter(|partition| now < partition.until) {
            self.count("no_connection");
            return Way::None { after: if partition.silent { 5_000 } else { 5 } };
        }
        let chances = if self.quiet { crate::plan::Network::default() } else { self.plan.network };
        if self.chance(chances.no_connection) {
            self.count("no_connection");
            return Way::None { after: self.draw(1, 5_000) };
        }
        let create = is_create(&request);
        if create && let Some((sent, down)) = self.dies_in_create.take() {
            self.say("engine", || format!("is killed at a create; sent: {sent}"));
            self.life = Life::Dead;
            self.down = down;
            if sent {
                self.call(&request);
            }
            return Way::Nowhere;
        }
        let slow = if create { self.plan.network.create_answers_after } else { 0 };
        let back = self.draw(2, 60) + slow;
        if self.chance(chances.late_requests) {
            self.count("late_request");
            let late = self.draw(500, 60_000);
            let (reply, answer) = oneshot::channel();
            self.serial += 1;
            let id = self.serial;
            self.say("network", || format!("a request is {late} ms late: {}", request.path));
            self.in_flight.insert(id, InFlight { request, reply: Some(reply) });
            self.plan_in(late, Act::Arrive(id));
            return Way::Later { answer, back };
        }
        let answer_lost = self.chance(chances.lost_answers);
        if answer_lost {
            self.count("lost_answer");
        }
        Way::There { reply: self.call(&request), answer_lost, back }
    }

    /// A late request reaches the provider.
    pub(super) fn arrive(&mut self, id: u64) {
        let Some(InFlight { request, reply }) = self.in_flight.remove(&id) else { return };
        let answer = self.call(&request);
        if let Some(reply) = reply {
            // Whoever asked may have given up.
            drop(reply.send(answer));
        }
    }

    /// Whether a create for a lock is still on its way.
    pub(crate) fn is_on_its_way(&self, lock_id: &str) -> bool {
        self.in_flight.values().any(|way| {
            let body = way.request.body.as_deref().unwrap_or_default();
            is_create(&way.request) && String::from_utf8_lossy(body).contains(lock_id)
        })
    }

    fn call(&mut self, request: &Request) -> Reply {
        let body = request.body.as_deref().unwrap_or_default();
        let call = match (request.is_post, request.path.as_str()) {
            (true, CREATE) => Call::Create(body),
            // A coin that it does not have.
            (true, LOCK) if self.plan.refuses_fresh_locks => Call::Lock(NO_SUCH_COIN),
            (true, LOCK) => Call::Lock(body),
            (false, RATES) => Call::Rates,
            (_, path) => Call::Details(path.rsplit('/').next().unwrap_or_default()),
        };
        let reply = self.model.call(self.provider_now(), Key::Right, &call);
        if is_create(request) {
            self.watcher.creates += 1;
            self.judge_create();
        }
        self.say("provider", || {
            let asked = match call {
                Call::Create(_) => "create",
                Call::Lock(_) => "lock",
                Call::Details(_) => "read",
                Call::Rates => "rates",
            };
            format!("{asked}: {}", words(&reply))
        });
        reply
    }

    /// What a call says about whether the provider can be seen. Whether anybody is there to hear it.
    fn note(&mut self, result: &Result<Answer, Fault>) -> bool {
        let now = self.now();
        let answered = result.as_ref().is_ok_and(is_clear);
        self.seen.note(now, answered);
        !self.is_dead()
    }
}

/// Whether the provider has spoken for itself; a clear no is an answer, too.
fn is_clear(answer: &Answer) -> bool {
    let body = answer.body.as_deref().unwrap_or_default();
    let unclear = |code: &[u8]| body.windows(code.len()).any(|part| part == code);
    answer.status < 500 && answer.status != 401 && !unclear(b"P500") && !unclear(b"P501")
}

fn words(reply: &Reply) -> String {
    let after =
        if reply.after_ms > 0 { format!(" after {} ms", reply.after_ms) } else { String::new() };
    match &reply.wire {
        Met::Answer(answer) => format!("HTTP {} {}{after}", answer.status, answer.body.trim_end()),
        Met::Closed => format!("the connection closes{after}"),
        Met::Silence => "no answer".to_owned(),
        Met::Refused => "nobody listens".to_owned(),
    }
}
