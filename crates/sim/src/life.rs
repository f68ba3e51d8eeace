//! One life of the engine: a runtime of its own under virtual time, from a start to a crash. Dropping the runtime ends
//! every task where it waits, as a killed process does.

use std::sync::Arc;

use bytes::Bytes;
use orderkeep_core::{AccountId, Currency, Exact, Network};
use orderkeep_driver::{
    CommandError, Engine, EngineError, SubmitError, SubmitRequest, TermsSource, WebhookError,
};
use orderkeep_provider::LockRequest;
use orderkeep_sandbox::WebhookDue;
use tokio::time::sleep_until;

use crate::{
    downstream, oracle,
    plan::Millis,
    world::{Ending, Job, Shared, TOKEN, key},
};

/// No run is longer; far more than the slowest needs.
const LONGEST: Millis = 6 * 3_600 * 1_000;

/// Lives through a whole plan.
pub(crate) fn live_through(shared: &Arc<Shared>) {
    loop {
        let ending = live_once(shared);
        let mut world = shared.world();
        if ending == Ending::Finished {
            return;
        }
        world.end_life();
        world.pass_downtime();
    }
}

fn live_once(shared: &Arc<Shared>) -> Ending {
    #[expect(clippy::expect_used, reason = "a runtime without I/O asks the system for nothing")]
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let ending = runtime.block_on(async {
        shared.time.enter();
        let ending = live(shared).await;
        shared.time.leave();
        ending
    });
    drop(runtime);
    ending
}

async fn live(shared: &Arc<Shared>) -> Ending {
    let engine = match shared.start().await {
        Ok(engine) => engine,
        Err(why) => {
            shared.world().violated("an engine starts on what it left", why);
            return Ending::Finished;
        }
    };
    tokio::spawn(oracle::nothing_is_lost(Arc::clone(shared), engine.clone()));
    tokio::spawn(downstream::follow(Arc::clone(shared), engine.clone()));
    tokio::spawn(halts(Arc::clone(shared), engine.clone()));
    loop {
        let (jobs, next) = {
            let mut world = shared.world();
            if world.now() > LONGEST {
                world.violated("a run ends", "it goes on for ever".to_owned());
            }
            (world.pass(), world.next_at())
        };
        for job in jobs {
            spawn(shared, &engine, job);
        }
        let ending = shared.world().ending();
        match ending {
            Ending::None => {}
            Ending::Stop => {
                stop(shared, &engine).await;
                return Ending::Stop;
            }
            ending @ (Ending::Killed | Ending::Finished) => return ending,
        }
        let wait = shared.time.instant(next.unwrap_or(LONGEST + 1));
        tokio::select! {
            biased;
            () = shared.poke.notified() => {}
            () = sleep_until(wait) => {}
        }
    }
}

/// An orderly shutdown, which the world does not wait for.
async fn stop(shared: &Arc<Shared>, engine: &Engine) {
    let down = async {
        if let Err(error) = engine.shutdown().await {
            shared.world().violated("an engine shuts down", error.to_string());
        }
    };
    tokio::pin!(down);
    loop {
        let next = {
            let mut world = shared.world();
            for job in world.pass() {
                world.unanswered(job);
            }
            if world.is_dead() {
                return;
            }
            world.next_at()
        };
        let wait = shared.time.instant(next.unwrap_or(LONGEST));
        tokio::select! {
            biased;
            () = &mut down => return,
            () = shared.poke.notified() => {}
            () = sleep_until(wait) => {}
        }
    }
}

/// An engine that stops by itself is out of order, unless its disk is gone.
async fn halts(shared: Arc<Shared>, engine: Engine) {
    let why = engine.halted().await;
    let mut world = shared.world();
    if !world.is_dead() {
        world.violated("an engine does not halt on a sound disk", why);
    }
    drop(world);
    shared.poke.notify_one();
}

fn spawn(shared: &Arc<Shared>, engine: &Engine, job: Job) {
    let (shared, engine) = (Arc::clone(shared), engine.clone());
    match job {
        Job::Lock(sale) => drop(tokio::spawn(lock(shared, engine, sale))),
        Job::Submit(sale) => drop(tokio::spawn(submit(shared, engine, sale))),
        Job::ReuseKey(sale) => drop(tokio::spawn(reuse_key(shared, engine, sale))),
        Job::Deliver(due) => drop(tokio::spawn(deliver(shared, engine, due))),
        Job::Command(sale, command) => {
            drop(tokio::spawn(ask(shared, engine, sale, command)));
        }
        Job::Check => drop(tokio::spawn(oracle::all_is_well(shared, engine))),
    }
}

async fn lock(shared: Arc<Shared>, engine: Engine, sale: usize) {
    let request = || {
        Some(LockRequest {
            amount: "100".parse::<Exact>().ok()?,
            currency: Currency::new("usdc").ok()?,
            network: Network::new("polygon").ok()?,
        })
    };
    let Some(request) = request() else { return };
    let terms = engine.lock(&AccountId::main(), request).await;
    let mut world = shared.world();
    if !world.is_dead() {
        world.engine_locked(sale, terms.ok());
    }
    drop(world);
    shared.poke.notify_one();
}

/// What the partner submits for a sale.
fn request(shared: &Shared, engine: &Engine, sale: usize) -> Option<SubmitRequest> {
    let world = shared.world();
    let sold = &world.sales[sale];
    let terms = match (&sold.lock_answer, &sold.terms) {
        (Some(answer), _) => {
            let terms = engine.read_lock(&AccountId::main(), answer.as_bytes()).ok()?;
            TermsSource::Given(Box::new(terms))
        }
        (None, terms) => TermsSource::Lock(terms.as_ref()?.lock_id.clone()),
    };
    Some(SubmitRequest {
        account: AccountId::main(),
        key: key(sale),
        terms,
        reference: None,
        relock: None,
    })
}

async fn submit(shared: Arc<Shared>, engine: Engine, sale: usize) {
    let Some(request) = request(&shared, &engine, sale) else { return };
    let taken = engine.submit(request).await;
    let mut world = shared.world();
    if world.is_dead() {
        return;
    }
    match taken {
        Ok(taken) => world.acknowledged(sale, taken.order.id, taken.order.version),
        Err(SubmitError::Engine(_)) => world.submit_later(sale),
        Err(error) => world.violated("a good submit is taken", format!("sale {sale}: {error}")),
    }
    drop(world);
    shared.poke.notify_one();
}

async fn reuse_key(shared: Arc<Shared>, engine: Engine, sale: usize) {
    let Some(mut request) = request(&shared, &engine, sale) else { return };
    request.reference = Some("another order".to_owned());
    let taken = engine.submit(request).await;
    let mut world = shared.world();
    if world.is_dead() {
        return;
    }
    match taken {
        Err(SubmitError::KeyConflict { .. } | SubmitError::Engine(_)) => {}
        other => {
            let detail = format!("sale {sale}: {other:?}");
            world.violated("a key that is used for something else is refused", detail);
        }
    }
    drop(world);
    shared.poke.notify_one();
}

async fn deliver(shared: Arc<Shared>, engine: Engine, due: WebhookDue) {
    let token = due.token.as_deref().unwrap_or(TOKEN).as_bytes();
    let body = Bytes::from(due.body.into_bytes());
    let taken = engine.webhook(&AccountId::main(), Some(token), body).await;
    let mut world = shared.world();
    if world.is_dead() {
        return;
    }
    if let Err(error @ (WebhookError::Malformed(_) | WebhookError::TooLarge(_))) = &taken {
        world.violated("a webhook can be read", error.to_string());
    }
    world.say("webhook", || format!("{:?}, {:?}", due.order_id, taken.as_ref().err()));
    world.delivered(due.delivery, taken.is_ok());
    drop(world);
    shared.poke.notify_one();
}

async fn ask(shared: Arc<Shared>, engine: Engine, sale: usize, command: orderkeep_core::Command) {
    let Some(id) = shared.world().sales[sale].id() else { return };
    let answered = engine.command(id, command).await;
    let mut world = shared.world();
    if world.is_dead() {
        return;
    }
    match answered {
        Ok(answered) => world.told(sale, answered.order.version),
        Err(error @ CommandError::NoOrder(_)) => {
            world.violated("an acknowledged order is there", error.to_string());
        }
        Err(CommandError::Engine(EngineError::Record(_)) | CommandError::NotTaken(_)) => {
            world.violated("a command is answered", format!("sale {sale}"))
        }
        Err(error) => world.say("operator", || format!("is told: {error}")),
    }
    drop(world);
    shared.poke.notify_one();
}
