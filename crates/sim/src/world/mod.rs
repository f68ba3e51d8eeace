//! Everything around the engine, which goes on when the engine is gone: the provider, the network, the disk, callers,
//! payers, operators, and whoever watches them.
//!
//! The world is a value with a queue of what is to come. It starts nothing by itself: [`World::pass`] lets happen what
//! is due and hands back what the engine must be asked, as [`Job`]s for [`crate::life`].

mod careless;
mod disk;
mod faults;
mod forgery;
mod network;
mod partner;
mod restore;
mod store;
mod time;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use orderkeep_core::{AccountId, ProviderStatus};
use orderkeep_driver::{Engine, SeededEntropy};
use orderkeep_p100::{P100, P100Config, Secret};
use orderkeep_provider::Provider;
use orderkeep_sandbox::{FaultScript, Model, WebhookDue};
use orderkeep_store::{MemoryStore, Tuning};
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::sync::Notify;

use crate::{
    Twin,
    oracle::Watcher,
    plan::{Fault, Millis, Plan},
    trace::Trace,
};
use careless::Careless;
use disk::Disk;
use network::{InFlight, Seen, Wire};
pub(crate) use partner::{Sold, key};
use restore::Restores;
use store::Journal;
pub(crate) use time::{Moment, START_MS, Time};

/// The one good webhook token.
pub(crate) const TOKEN: &str = "token-of-the-simulation";

/// What the engine and the world share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) plan: Arc<Plan>,
    pub(crate) time: Arc<Time>,
    disk: Arc<Disk>,
    /// The world has to look again.
    pub(crate) poke: Notify,
    world: Mutex<World>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) plan: Arc<Plan>,
    pub(crate) time: Arc<Time>,
    disk: Arc<Disk>,
    pub(crate) model: Model,
    rng: StdRng,
    /// What is to come: when, and in which order it was planned.
    queue: BTreeMap<(Millis, u64), Act>,
    serial: u64,
    life: Life,
    /// Until when nothing answers and nothing is done.
    down: Millis,
    quiet: bool,
    slow: Option<Slow>,
    partition: Option<Partition>,
    /// The process is killed at the next create; once its request has arrived, or before.
    dies_in_create: Option<(bool, Millis)>,
    pub(crate) sales: Vec<Sold>,
    in_flight: BTreeMap<u64, InFlight>,
    /// Webhooks that the engine has not answered yet.
    delivering: BTreeSet<u64>,
    pub(crate) seen: Seen,
    pub(crate) restores: Restores,
    pub(crate) watcher: Watcher,
    counts: BTreeMap<&'static str, u64>,
    pub(crate) trace: Trace,
}

/// How the engine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Up,
    /// It is to be shut down.
    Stopping,
    /// Nothing it does has an effect any more.
    Dead,
    /// The run is over.
    Finished,
}

#[derive(Debug, Clone, Copy)]
struct Slow {
    until: Millis,
    delay: Millis,
}

#[derive(Debug, Clone, Copy)]
struct Partition {
    until: Millis,
    silent: bool,
}

/// Something that is to come.
#[derive(Debug)]
enum Act {
    /// A fault of the plan.
    Fault(usize),
    /// The disk has room again.
    Room,
    /// A rate is locked.
    Lock(usize),
    /// An order is submitted.
    Submit(usize),
    /// A payer pays so many hundredths of the amount.
    Pay { sale: usize, address: String, hundredths: u32 },
    /// A request reaches the provider.
    Arrive(u64),
    /// All faults stop.
    Quiet,
    /// Is all well by now?
    Check,
    /// A backup of the store is made, for the restore that is this fault.
    Backup(usize),
    /// A person would lift the hold.
    Lift,
}

/// Something that the engine is asked for.
#[derive(Debug)]
pub(crate) enum Job {
    /// Take a lock.
    Lock(usize),
    /// Take an order.
    Submit(usize),
    /// Take an order under a key that belongs to another.
    ReuseKey(usize),
    /// Take a webhook in.
    Deliver(WebhookDue),
    /// Do as a person says.
    Command(usize, orderkeep_core::Command),
    /// Compare everything with the provider's ledger.
    Check,
    /// Lift the hold of a restored store.
    Lift,
    /// Make a backup, for the restore that is this fault.
    Backup(usize),
}

/// How a life of the engine is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Not yet.
    None,
    /// It is told to stop.
    Stop,
    /// It is gone.
    Killed,
    /// The run is over.
    Finished,
}

impl Shared {
    pub(crate) fn new(plan: Plan, traced: bool) -> Arc<Self> {
        let plan = Arc::new(plan);
        let time = Arc::new(Time::new(plan.has(crate::plan::Kind::ClockJump)));
        let disk = Arc::new(Disk::new(plan.twin));
        let world = World::new(&plan, &time, &disk, traced);
        Arc::new(Self { plan, time, disk, poke: Notify::new(), world: Mutex::new(world) })
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on nothing that the engine does has an effect.
    fn die(&self) {
        let mut world = self.world();
        if !world.is_dead() {
            world.say("power", || "the power goes".to_owned());
            world.life = Life::Dead;
        }
        drop(world);
        self.poke.notify_one();
    }

    /// Another life of the engine, on what the last one left on the disk.
    pub(crate) async fn start(self: &Arc<Self>) -> Result<Engine, String> {
        let (seed, first) = self.world().begin_life();
        let kv: Arc<dyn orderkeep_store::kv::Kv> = Arc::clone(&self.disk) as _;
        let incarnation = restore::life(self.plan.seed, 0);
        let real = MemoryStore::over(kv, incarnation, tuning())
            .map_err(|error| format!("the store does not open: {error}"))?;
        let journal = Arc::new(Journal { real, shared: Arc::clone(self) });
        let provider = self.client()?;
        let engine = Engine::builder()
            .store(journal)
            .account(AccountId::main(), provider)
            .clock(Arc::clone(&self.time) as _)
            .entropy(Arc::new(SeededEntropy::new(seed)))
            .config(self.plan.engine_config())
            .start()
            .await
            .map_err(|error| format!("the engine does not start: {error}"))?;
        if !first {
            self.world().count("lives");
        }
        Ok(engine)
    }

    fn client(self: &Arc<Self>) -> Result<Arc<dyn Provider>, String> {
        let secret = |text: &str| Secret::new(text).map_err(|error| error.to_string());
        let mut config = P100Config::new("http://127.0.0.1:1", secret("key-of-the-simulation")?);
        config.webhook_tokens = vec![secret(TOKEN)?];
        // The waits between them are drawn outside the seed; the engine's own reads come again anyway.
        config.read_retries = 0;
        if let Some(word) = self.plan.unknown_word {
            config.statuses = config.statuses.without(word);
        }
        if self.plan.expired_is_underpaid {
            config.statuses = config.statuses.with("EXPIRED", ProviderStatus::Underpaid);
        }
        let wire = Arc::new(Wire { shared: Arc::clone(self) });
        let real = P100::over(config, wire).map_err(|error| error.to_string())?;
        let real: Arc<dyn Provider> = Arc::new(real);
        Ok(match self.plan.twin {
            Some(twin @ (Twin::Resend | Twin::LocalVerdict | Twin::TrustBinding)) => {
                let (shared, seen) = (Arc::clone(self), Mutex::default());
                Arc::new(Careless { real, twin, shared, seen })
            }
            Some(
                Twin::NoDedupe
                | Twin::NoIntent
                | Twin::EffectFirst
                | Twin::ForgetRestore
                | Twin::StaleBackup
                | Twin::IgnoreBound,
            )
            | None => real,
        })
    }
}

/// Small bounds, so that rows are written behind the journal in a short run, too.
fn tuning() -> Tuning {
    Tuning { lag_rows: 24, lag_entries: 48, slice_rows: 4, ..Tuning::embedded() }
}

impl World {
    fn new(plan: &Arc<Plan>, time: &Arc<Time>, disk: &Arc<Disk>, traced: bool) -> Self {
        // A plan is drawn within the ranges of both; the tests draw many.
        #[expect(clippy::expect_used, reason = "a plan that makes no sense is a bug of this crate")]
        let mut model =
            Model::new(plan.provider.clone(), plan.seed).expect("a provider within its ranges");
        #[expect(
            clippy::expect_used,
            reason = "a plan that makes no sense is a bug of this crate"
        )]
        model.set_faults(START_MS, plan.chances.clone()).expect("chances within their ranges");
        let mut world = Self {
            plan: Arc::clone(plan),
            time: Arc::clone(time),
            disk: Arc::clone(disk),
            model,
            rng: StdRng::seed_from_u64(plan.seed ^ 0x776f_726c_6400),
            queue: BTreeMap::new(),
            serial: 0,
            life: Life::Up,
            down: 0,
            quiet: false,
            slow: None,
            partition: None,
            dies_in_create: None,
            sales: plan.sales.iter().map(|_| Sold::default()).collect(),
            in_flight: BTreeMap::new(),
            delivering: BTreeSet::new(),
            seen: Seen::default(),
            restores: Restores::default(),
            watcher: Watcher::default(),
            counts: BTreeMap::new(),
            trace: Trace::new(traced),
        };
        for (index, (at, fault)) in plan.faults.iter().enumerate() {
            world.plan_at(*at, Act::Fault(index));
            if let Fault::Restore { age, .. } = fault {
                world.plan_at((at - age).max(0), Act::Backup(index));
            }
        }
        for (index, sale) in plan.sales.iter().enumerate() {
            world.plan_at(sale.lock_at, Act::Lock(index));
        }
        world.plan_at(plan.quiet_at, Act::Quiet);
        world
    }

    pub(crate) fn now(&self) -> Millis {
        self.time.millis()
    }

    /// The provider's clock.
    fn provider_now(&self) -> i64 {
        START_MS + self.now()
    }

    pub(crate) fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_insert(0) += 1;
    }

    pub(crate) fn counts(&self) -> &BTreeMap<&'static str, u64> {
        &self.counts
    }

    pub(crate) fn say(&mut self, who: &'static str, what: impl FnOnce() -> String) {
        let now = self.now();
        self.trace.add(now, who, what);
    }

    /// Something that must never happen.
    pub(crate) fn violated(&mut self, rule: &'static str, detail: String) {
        self.say("ORACLE", || format!("{rule}: {detail}"));
        let now = self.now();
        self.watcher.violated(now, rule, detail);
        self.life = Life::Finished;
    }

    pub(crate) const fn is_dead(&self) -> bool {
        matches!(self.life, Life::Dead | Life::Finished)
    }

    pub(crate) fn finish(&mut self) {
        self.life = Life::Finished;
    }

    pub(crate) const fn ending(&self) -> Ending {
        match self.life {
            Life::Up => Ending::None,
            Life::Stopping => Ending::Stop,
            Life::Dead => Ending::Killed,
            Life::Finished => Ending::Finished,
        }
    }

    fn plan_at(&mut self, at: Millis, act: Act) {
        self.serial += 1;
        self.queue.insert((at, self.serial), act);
    }

    fn plan_in(&mut self, millis: Millis, act: Act) {
        let at = self.now() + millis;
        self.plan_at(at, act);
    }

    fn draw(&mut self, least: Millis, most: Millis) -> Millis {
        self.rng.random_range(least..=most.max(least))
    }

    fn chance(&mut self, thousandths: u32) -> bool {
        thousandths > 0 && self.rng.random_range(0..1_000) < thousandths
    }

    /// The seed of what the engine draws in its next life, and whether it is the first.
    fn begin_life(&mut self) -> (u64, bool) {
        self.life = Life::Up;
        self.dies_in_create = None;
        let now = self.now();
        self.seen.begin_life(now);
        let first = now == 0;
        if !first {
            self.say("engine", || "starts".to_owned());
            for sale in 0..self.sales.len() {
                let after = self.draw(1, 1_500);
                if self.sales[sale].locking {
                    self.plan_in(after, Act::Lock(sale));
                } else if self.sales[sale].wants_asking() {
                    self.plan_in(after, Act::Submit(sale));
                }
            }
        }
        (self.rng.random(), first)
    }

    /// The engine is gone: who waits for it hears nothing, and the disk keeps what it has.
    pub(crate) fn end_life(&mut self) {
        let (now, dead) = (self.provider_now(), self.life == Life::Dead);
        if dead && self.disk.is_dead() {
            self.disk.revive();
        } else {
            self.disk.kill();
        }
        self.put_copy_back();
        for delivery in std::mem::take(&mut self.delivering) {
            self.model.webhook_answered(now, delivery, false);
        }
        let down = self.down;
        self.say("engine", || format!("is gone, for {down} ms"));
    }

    /// Lets the time without an engine pass. When it starts again.
    pub(crate) fn pass_downtime(&mut self) {
        let until = self.now() + std::mem::take(&mut self.down);
        loop {
            let next = self.next_at().unwrap_or(until).min(until);
            self.time.pass_to(next);
            // Nobody is there to be asked.
            for job in self.pass() {
                self.unanswered(job);
            }
            if next >= until {
                return;
            }
        }
    }

    /// When something will happen next.
    pub(crate) fn next_at(&self) -> Option<Millis> {
        let planned = self.queue.first_key_value().map(|((at, _), _)| *at);
        let provider = self.model.next_due().map(|at| at - START_MS);
        [planned, provider].into_iter().flatten().min()
    }

    /// Lets happen what is due.
    pub(crate) fn pass(&mut self) -> Vec<Job> {
        let mut jobs = Vec::new();
        for due in self.model.advance(self.provider_now()) {
            self.delivering.insert(due.delivery);
            jobs.push(Job::Deliver(due));
        }
        let now = self.now();
        while let Some(entry) = self.queue.first_entry()
            && entry.key().0 <= now
        {
            let act = entry.remove();
            jobs.extend(self.act(act));
        }
        jobs
    }

    fn act(&mut self, act: Act) -> Option<Job> {
        match act {
            Act::Fault(index) => {
                let plan = Arc::clone(&self.plan);
                let (_, fault) = plan.faults.get(index)?;
                self.strike(index, fault)
            }
            Act::Room => {
                self.disk.set_full(false);
                self.say("disk", || "has room again".to_owned());
                None
            }
            Act::Lock(sale) => self.lock(sale),
            Act::Submit(sale) => {
                self.sales[sale].asks();
                Some(Job::Submit(sale))
            }
            Act::Pay { sale, address, hundredths } => {
                self.pay(sale, &address, hundredths);
                None
            }
            Act::Arrive(request) => {
                self.arrive(request);
                None
            }
            Act::Quiet => {
                self.become_quiet();
                None
            }
            Act::Check => Some(Job::Check),
            Act::Backup(fault) => Some(Job::Backup(fault)),
            Act::Lift => self.lift(),
        }
    }

    /// All faults stop; what they did stays.
    fn become_quiet(&mut self) {
        self.say("world", || "all faults stop".to_owned());
        self.quiet = true;
        self.slow = None;
        self.partition = None;
        self.dies_in_create = None;
        self.disk.set_full(false);
        self.time.set_skew(0);
        drop(self.model.set_faults(self.provider_now(), FaultScript::default()));
        self.plan_in(5_000, Act::Check);
    }

    /// All is not well yet.
    pub(crate) fn check_again(&mut self, after: Millis) {
        self.plan_in(after, Act::Check);
    }

    /// How long a commit takes now: `None`, no time, but others go first.
    fn commit_delay(&mut self) -> Option<u64> {
        let now = self.now();
        let slow = self.slow.filter(|slow| now < slow.until)?;
        u64::try_from(self.draw(0, slow.delay)).ok()
    }
}
