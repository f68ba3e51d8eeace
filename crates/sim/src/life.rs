//! One life of the engine: a runtime of its own under virtual time, from a start to a crash. Dropping the runtime ends
//! every task where it waits, as a killed process does.

use std::sync::Arc;

use bytes::Bytes;
use orderkeep_core::{AccountId, Author, Currency, Exact, Metadata, Network, Relock};
use orderkeep_driver::{
    CommandError, Engine, EngineError, LiftError, SubmitError, SubmitRequest, TermsSource,
    WebhookError,
};
use orderkeep_provider::LockRequest;
use orderkeep_sandbox::WebhookDue;
use rust_decimal::Decimal;
use tokio::time::sleep_until;

use crate::{
    Twin, downstream, oracle,
    plan::Millis,
    world::{Ending, Job, Shared, TOKEN, key},
};

/// What is sold in every sale.
const AMOUNT: &str = "100";

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
    let engine = match while_nobody_answers(shared, shared.start()).await {
        Some(Ok(engine)) => engine,
        Some(Err(why)) => {
            shared.world().violated("an engine starts on what it left", why);
            return Ending::Finished;
        }
        None => return shared.world().ending(),
    };
    // What came while it started may have told it to stop at once.
    shared.poke.notify_one();
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
    while_nobody_answers(shared, down).await;
}

/// Lets the world go on while the engine starts or stops, and does not listen. `None`: it is gone before that.
async fn while_nobody_answers<T>(
    shared: &Arc<Shared>,
    doing: impl Future<Output = T>,
) -> Option<T> {
    tokio::pin!(doing);
    loop {
        let next = shared.world().next_at();
        let wait = shared.time.instant(next.unwrap_or(LONGEST));
        tokio::select! {
            biased;
            done = &mut doing => return Some(done),
            () = shared.poke.notified() => {}
            () = sleep_until(wait) => {}
        }
        let mut world = shared.world();
        for job in world.pass() {
            world.unanswered(job);
        }
        if world.is_dead() {
            return None;
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
        Job::Lift => drop(tokio::spawn(lift(shared, engine))),
        Job::Backup(fault) => drop(tokio::spawn(backup(shared, engine, fault))),
    }
}

async fn lock(shared: Arc<Shared>, engine: Engine, sale: usize) {
    let request = || {
        Some(LockRequest {
            amount: AMOUNT.parse::<Exact>().ok()?,
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

/// What the partner allows for a fresh lock.
fn relock(shared: &Shared, most: Option<Decimal>) -> Option<Relock> {
    let most = if shared.plan.twin == Some(Twin::IgnoreBound) {
        most.map(|most| most * Decimal::from(1_000))
    } else {
        most
    };
    Some(Relock { max_pay_amount: most?.to_string().parse().ok()?, until: None })
}

/// Somebody makes a backup, and keeps it elsewhere.
async fn backup(shared: Arc<Shared>, engine: Engine, fault: usize) {
    let told = shared.world().told_so_far();
    let file = whole_backup(&engine).await;
    let mut world = shared.world();
    if world.is_dead() {
        return;
    }
    match file {
        Ok(file) => world.keep_backup(fault, file, told),
        Err(error) => {
            world.say("operator", || format!("has no backup: {error}"));
            world.backup_later(fault);
        }
    }
    drop(world);
    shared.poke.notify_one();
}

async fn whole_backup(engine: &Engine) -> Result<Vec<u8>, EngineError> {
    let mut backup = engine.backup().await?;
    let mut file = Vec::new();
    while let Some(chunk) = backup.next().await {
        file.extend_from_slice(&chunk?);
    }
    Ok(file)
}

/// A person who has accounted for what was lost.
async fn lift(shared: Arc<Shared>, engine: Engine) {
    let Ok(author) = Author::new("night-shift") else { return };
    let lifted = engine.lift_restore_hold(author, "all that was sent is accounted for").await;
    let mut world = shared.world();
    if world.is_dead() {
        return;
    }
    match lifted {
        Ok(_) => world.lifted(),
        Err(LiftError::Engine(_)) => world.lift_later(),
        Err(_) if shared.plan.twin == Some(Twin::ForgetRestore) => {}
        Err(error) => world.violated("a restored store is held", error.to_string()),
    }
    drop(world);
    shared.poke.notify_one();
}

/// What the partner submits for a sale.
fn request(shared: &Shared, engine: &Engine, sale: usize) -> Option<SubmitRequest> {
    let world = shared.world();
    let sold = &world.sales[sale];
    let allowed = shared.plan.sales[sale].relock;
    let relock = relock(shared, sold.relock_max(allowed));
    let terms = match (&sold.lock_answer, &sold.terms) {
        (Some(answer), _) => {
            let mut terms = engine.read_lock(&AccountId::main(), answer.as_bytes()).ok()?;
            if relock.is_some() && terms.settle_amount.is_none() {
                // Without it, nobody could say what is to be locked again.
                terms.settle_amount = AMOUNT.parse().ok();
            }
            TermsSource::Given(Box::new(terms))
        }
        // An older copy does not know it.
        (None, Some(terms)) if sold.is_forgotten() => TermsSource::Given(Box::new(terms.clone())),
        (None, terms) => TermsSource::Lock(terms.as_ref()?.lock_id.clone()),
    };
    Some(SubmitRequest {
        account: AccountId::main(),
        key: key(sale),
        terms,
        reference: None,
        relock,
        metadata: Metadata::default(),
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
        // It came back by its webhook before its caller asked for it again.
        Err(SubmitError::LockTaken { holder, .. }) if world.sales[sale].is_forgotten() => {
            world.acknowledged(sale, holder, 0);
        }
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
        Err(SubmitError::LockTaken { .. }) if world.sales[sale].is_forgotten() => {}
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
    world.delivered(due.delivery, due.order_id, taken.is_ok());
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
