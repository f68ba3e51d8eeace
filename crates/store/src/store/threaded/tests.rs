//! A store whose engine hangs, fails, panics or is full.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use tokio::time::timeout;
use uuid::Uuid;

use super::*;
use crate::{
    Change, Tuning,
    journal::{OpenOptions, Room, RoomPolicy},
    kv::{Batch, Direction, Kv, KvError, MemoryKv, Pair, Space, Span},
    testing::{Death, DyingKv, Moment},
};

/// Nothing here takes that long unless it hangs.
const DEADLINE: Duration = Duration::from_secs(20);

fn start(kv: Arc<dyn Kv>, room: Option<RoomPolicy>, queue_bytes: usize) -> Threaded {
    start_patient(kv, room, queue_bytes, DEADLINE)
}

fn start_patient(
    kv: Arc<dyn Kv>,
    room: Option<RoomPolicy>,
    queue_bytes: usize,
    commit_timeout: Duration,
) -> Threaded {
    let options = OpenOptions {
        tuning: Tuning::embedded(),
        new_incarnation: Uuid::from_u128(1),
        restored_from: None,
        guard: None,
        room,
    };
    let running = Running {
        group: GroupBounds { entries: 4, bytes: 1024 * 1024 },
        queue_bytes,
        commit_timeout,
    };
    let journal = Journal::open(kv, options).unwrap();
    Threaded::start(journal, running, Box::new(())).unwrap()
}

fn plain(kv: &Arc<DyingKv>) -> Arc<Threaded> {
    Arc::new(start(Arc::clone(kv) as Arc<dyn Kv>, None, 1024 * 1024))
}

fn create(number: u128) -> Commit {
    Commit {
        partition: PartitionId::ONLY,
        change: Some(Change {
            id: EntityId(Uuid::from_u128(number)),
            kind: Kind(1),
            expected: 0,
            events: vec![Bytes::from_static(b"event")],
            view: Some(Bytes::from_static(b"view")),
            labels: vec![Label::from("Locked")],
            wake_up: None,
            claims: Vec::new(),
        }),
        inbox: Vec::new(),
    }
}

fn heard() -> NewInboxItem {
    NewInboxItem { account: "default".to_owned(), received_at: 0, body: Bytes::from_static(b"{}") }
}

async fn until(store: &Threaded, wanted: impl FnMut(&Health) -> bool) -> Health {
    let mut health = store.health();
    timeout(DEADLINE, health.wait_for(wanted)).await.unwrap().unwrap().clone()
}

fn halted(health: &Health) -> bool {
    matches!(health, Health::Halted(_))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_engine_halts_the_store() {
    let kv = Arc::new(DyingKv::new());
    // Long enough for the one commit that does not hang, on a machine that has other work to do.
    let patience = Duration::from_secs(2);
    let store = start_patient(Arc::clone(&kv) as Arc<dyn Kv>, None, 1024 * 1024, patience);
    let store = Arc::new(store);
    store.commit(create(1)).await.unwrap();
    kv.stall();
    let mut waiting = Vec::new();
    for number in 2..30 {
        let store = Arc::clone(&store);
        waiting.push(tokio::spawn(async move { store.commit(create(number)).await }));
    }
    let read = {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.close().await })
    };
    for waiter in waiting {
        let told = timeout(DEADLINE, waiter).await.unwrap().unwrap();
        let Err(CommitError::Halted(reason)) = told else {
            panic!("a waiter was told {told:?}");
        };
        assert!(reason.contains("has not come back within 2s"), "{reason}");
    }
    assert!(timeout(DEADLINE, read).await.unwrap().unwrap().is_err());
    assert!(matches!(store.commit(create(99)).await, Err(CommitError::Halted(_))));
    assert!(matches!(store.load(EntityId(Uuid::from_u128(1))).await, Err(ReadError::Halted(_))));
    // The engine comes back too late: what it did is not announced.
    kv.release();
    drop(store.durable());
    let durable = store.durable();
    assert!(store.busy.wait_ended(DEADLINE));
    assert_eq!(durable.borrow().0, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_sync_is_never_tried_again() {
    let kv = Arc::new(DyingKv::new());
    let store = plain(&kv);
    store.commit(create(1)).await.unwrap();
    kv.die(Death { at: kv.operations() + 1, moment: Moment::Before, keep: 0 });
    let told = store.commit(create(2)).await;
    assert_eq!(told, Err(CommitError::Halted("the power went".to_owned())));
    let operations = kv.operations();
    assert!(matches!(store.append_inbox(heard()).await, Err(CommitError::Halted(_))));
    assert_eq!(store.inbox(None, 9).await, Err(ReadError::Halted("the power went".to_owned())));
    drop(store);
    assert_eq!(kv.operations(), operations, "nothing was written after it");
    let again = start(Arc::new(kv.revive()), None, 1024);
    assert_eq!(again.durable().borrow().0, 1);
}

/// Memory that panics when it is told to.
#[derive(Debug)]
struct Panicking {
    inner: MemoryKv,
    writes: AtomicBool,
    reads: AtomicBool,
}

impl Panicking {
    fn check(flag: &AtomicBool) {
        assert!(!flag.load(Ordering::SeqCst), "index out of bounds");
    }
}

impl Kv for Panicking {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, KvError> {
        Self::check(&self.reads);
        self.inner.get(space, key)
    }

    fn scan(
        &self,
        space: Space,
        span: &Span,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Pair>, KvError> {
        Self::check(&self.reads);
        self.inner.scan(space, span, direction, limit)
    }

    fn apply(&self, batch: Batch) -> Result<(), KvError> {
        Self::check(&self.writes);
        self.inner.apply(batch)
    }

    fn sync(&self) -> Result<(), KvError> {
        self.inner.sync()
    }

    fn size(&self) -> Result<u64, KvError> {
        self.inner.size()
    }

    fn close(&self) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_the_engine_halts_the_store() {
    for reading in [false, true] {
        let kv = Arc::new(Panicking {
            inner: MemoryKv::new(),
            writes: AtomicBool::new(false),
            reads: AtomicBool::new(false),
        });
        let store = start(Arc::clone(&kv) as Arc<dyn Kv>, None, 1024 * 1024);
        store.commit(create(1)).await.unwrap();
        let told = if reading {
            kv.reads.store(true, Ordering::SeqCst);
            let read = store.history(EntityId(Uuid::from_u128(1)), 0, 9).await;
            format!("{:?}", read.unwrap_err())
        } else {
            kv.writes.store(true, Ordering::SeqCst);
            format!("{:?}", store.commit(create(2)).await.unwrap_err())
        };
        assert!(told.contains("Halted") && told.contains("index out of bounds"), "{told}");
        until(&store, halted).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_engine_is_said_and_gets_over_it() {
    let kv = Arc::new(DyingKv::new());
    let store = plain(&kv);
    store.commit(create(1)).await.unwrap();
    kv.limit(kv.size().unwrap() + 10);
    assert_eq!(
        store.commit(create(2)).await,
        Err(CommitError::Full(format!("{} bytes fit in", kv.size().unwrap() + 10)))
    );
    assert!(matches!(until(&store, |_| true).await, Health::Full(_)));
    assert!(store.load(EntityId(Uuid::from_u128(1))).await.unwrap().is_some());
    assert_eq!(store.load(EntityId(Uuid::from_u128(2))).await, Ok(None));
    kv.limit(u64::MAX);
    assert_eq!(store.commit(create(2)).await.unwrap().position.0, 2);
    until(&store, |health| *health == Health::Running).await;
    assert_eq!(store.check().await.unwrap().problems, Vec::<String>::new());
}

/// A disk whose room the test decides.
#[derive(Debug, Clone)]
struct Disk(Arc<AtomicU64>);

impl Room for Disk {
    fn available(&mut self) -> io::Result<u64> {
        Ok(self.0.load(Ordering::SeqCst))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn little_room_stops_what_is_new_first() {
    let free = Arc::new(AtomicU64::new(1_000));
    let policy =
        RoomPolicy { room: Box::new(Disk(Arc::clone(&free))), new_entities: 500, everything: 100 };
    let store = start(Arc::new(MemoryKv::new()), Some(policy), 1024 * 1024);
    store.commit(create(1)).await.unwrap();
    let next = |expected: u64| {
        let mut commit = create(1);
        if let Some(change) = &mut commit.change {
            change.expected = expected;
        }
        commit
    };
    free.store(499, Ordering::SeqCst);
    assert_eq!(
        store.commit(create(2)).await,
        Err(CommitError::Full(
            "499 bytes are free, 500 are needed to take new entities".to_owned()
        ))
    );
    assert!(matches!(until(&store, |_| true).await, Health::Full(_)));
    assert_eq!(store.commit(next(1)).await.unwrap().version, 2);
    store.append_inbox(heard()).await.unwrap();
    free.store(99, Ordering::SeqCst);
    let nothing = "99 bytes are free, 100 are needed to store anything".to_owned();
    assert_eq!(store.commit(next(2)).await, Err(CommitError::Full(nothing.clone())));
    assert_eq!(store.append_inbox(heard()).await, Err(CommitError::Full(nothing)));
    // Nobody commits, and it still finds out that there is room again.
    free.store(1_000, Ordering::SeqCst);
    until(&store, |health| *health == Health::Running).await;
    store.commit(create(2)).await.unwrap();
}

/// While the engine stands still, only what the queue is allowed to hold is in it; the rest waits outside and is done
/// in the end.
#[tokio::test(flavor = "multi_thread")]
async fn the_queue_is_bounded() {
    const UNITS: usize = 8;
    let kv = Arc::new(DyingKv::new());
    let store = Arc::new(start(Arc::clone(&kv) as Arc<dyn Kv>, None, UNITS * UNIT_BYTES));
    kv.stall();
    let mut waiting = Vec::new();
    for number in 1..=100 {
        let store = Arc::clone(&store);
        waiting.push(tokio::spawn(async move { store.commit(create(number)).await }));
    }
    // All of them have tried when no permit is left; then the queue cannot grow any more.
    timeout(DEADLINE, async {
        while store.permits.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    let queued = Mutex::new(0);
    for job in store.queue.drain() {
        *queued.lock().unwrap() += 1;
        assert!(store.queue.push(job).is_ok());
    }
    assert!(*queued.lock().unwrap() <= UNITS);
    kv.release();
    for waiter in waiting {
        timeout(DEADLINE, waiter).await.unwrap().unwrap().unwrap();
    }
    assert_eq!(store.durable().borrow().0, 100);
}

/// Groups are as large as they may be and no larger: nine steps in groups of four take three batches at least.
#[tokio::test(flavor = "multi_thread")]
async fn groups_are_bounded() {
    let kv = Arc::new(DyingKv::new());
    let store = plain(&kv);
    let before = kv.operations();
    kv.stall();
    let mut waiting = Vec::new();
    for number in 1..=9 {
        let store = Arc::clone(&store);
        waiting.push(tokio::spawn(async move { store.commit(create(number)).await }));
    }
    timeout(DEADLINE, async {
        while store.permits.available_permits() > 1024 - 9 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    kv.release();
    for waiter in waiting {
        timeout(DEADLINE, waiter).await.unwrap().unwrap().unwrap();
    }
    let groups = (kv.operations() - before) / 2;
    assert!((3..9).contains(&groups), "{groups} groups");
}

/// A caller that goes away does not take its step with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_future_is_no_undo() {
    let kv = Arc::new(DyingKv::new());
    let store = plain(&kv);
    kv.stall();
    let gone = {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.commit(create(1)).await })
    };
    // Its permit is taken once it has reached the queue.
    timeout(DEADLINE, async {
        while store.permits.available_permits() == 1024 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    gone.abort();
    let _ = gone.await;
    kv.release();
    let mut durable = store.durable();
    timeout(DEADLINE, durable.wait_for(|head| head.0 == 1)).await.unwrap().unwrap();
    assert!(store.load(EntityId(Uuid::from_u128(1))).await.unwrap().is_some());
}

/// A step that was queued right behind a check was taken out of the queue with it and forgotten: its caller waited for
/// ever.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_queued_behind_a_check_is_answered() {
    let kv = Arc::new(DyingKv::new());
    let store = plain(&kv);
    let before = kv.operations();
    kv.stall();
    let first = {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.commit(create(1)).await })
    };
    // Once its batch is applied its sync waits, and what comes then is queued.
    timeout(DEADLINE, async {
        while kv.operations() == before {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    let (reply, checked) = oneshot::channel();
    assert!(store.queue.push(Job::Check(reply)).is_ok());
    let (reply, behind) = oneshot::channel();
    let permit = Arc::clone(&store.permits).acquire_many_owned(1).await.unwrap();
    let job = StepJob { step: Step::Commit(create(2)), bytes: 1, reply, permit };
    assert!(store.queue.push(Job::Step(Box::new(job))).is_ok());
    kv.release();
    timeout(DEADLINE, first).await.unwrap().unwrap().unwrap();
    assert!(timeout(DEADLINE, checked).await.unwrap().unwrap().problems.is_empty());
    timeout(DEADLINE, behind).await.expect("it is answered").unwrap().unwrap();
    assert_eq!(store.durable().borrow().0, 2);
}
