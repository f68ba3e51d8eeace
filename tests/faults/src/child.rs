//! The process that is put under faults: opens a store, looks whether everything is there that was acknowledged before,
//! and writes until it is stopped. It says what it does, line by line.
//!
//! How it ends says how the store took it, see [`End`].

use std::{
    fs,
    io::Write as _,
    path::PathBuf,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use orderkeep_store::{
    Commit, CommitError, EmbeddedStore, InboxDone, Kind, Label, ListQuery, NewInboxItem,
    PartitionId, ReadError, Retain, Retained, Retention, Store,
};

use crate::{
    acknowledged::Acknowledged,
    control,
    engine::{self, Engine, Opening},
    workload,
};

/// How a child ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// All was well.
    Well = 0,
    /// The store did not open, and said why.
    Refused = 10,
    /// The store stopped itself, and said why.
    Halted = 11,
    /// Something that was acknowledged is not there, without a word from the store.
    Lost = 12,
    /// A check or a read found damage.
    Found = 13,
}

impl End {
    pub(crate) fn of(code: i32) -> Option<Self> {
        [Self::Well, Self::Refused, Self::Halted, Self::Lost, Self::Found]
            .into_iter()
            .find(|end| *end as i32 == code)
    }
}

/// Between two tries on a full disk.
const FULL_PAUSE: Duration = Duration::from_millis(50);

/// The child's command line.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ChildArgs {
    #[arg(long, value_enum)]
    pub(crate) engine: Engine,
    #[command(flatten)]
    pub(crate) opening: Opening,
    /// Makes its entities new ones.
    #[arg(long, default_value_t = 1)]
    pub(crate) generation: u32,
    /// A file of acknowledgements to look for first.
    #[arg(long)]
    pub(crate) expect: Option<PathBuf>,
    /// Compare all rows with the journal as well.
    #[arg(long)]
    pub(crate) check: bool,
    /// Say so and try again when there is no room.
    #[arg(long)]
    pub(crate) patient: bool,
    /// Entities that are over leave, and may have left.
    #[arg(long)]
    pub(crate) leaving: bool,
    /// How many tasks write.
    #[arg(long, default_value_t = 1)]
    pub(crate) tasks: u32,
    /// How many steps; then it closes the store.
    #[arg(long, default_value_t = u64::MAX)]
    pub(crate) steps: u64,
}

/// Says a line, whole, at once.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush()).unwrap();
}

fn end(end: End, why: &str) -> End {
    if !why.is_empty() {
        say(&format!("{end:?}: {why}").replace('\n', " "));
    }
    end
}

pub(crate) fn run(args: &ChildArgs) -> ExitCode {
    // Exits at once: a store that is stuck must not hold the report.
    std::process::exit(work(args) as i32)
}

fn work(args: &ChildArgs) -> End {
    let mut acknowledged = Acknowledged::default();
    if let Some(expect) = &args.expect {
        fs::read_to_string(expect).unwrap().lines().for_each(|line| acknowledged.take(line));
    }
    say("opening");
    if args.engine == Engine::Log {
        if let Some(missing) = control::missing(&args.opening.store, &acknowledged) {
            return end(End::Lost, &missing);
        }
        return match control::write(&args.opening.store, args.generation, args.steps) {
            Ok(()) => End::Well,
            Err(error) => end(End::Halted, &error.to_string()),
        };
    }
    let store = match engine::open(args.engine, &args.opening) {
        Ok(store) => store,
        Err(error) => return end(End::Refused, &error.to_string()),
    };
    say("open");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    if let Err((found, why)) = runtime.block_on(look(&store, args, &acknowledged)) {
        return end(found, &why);
    }
    say("looked");
    let left = Arc::new(AtomicU64::new(args.steps));
    let tasks: Vec<_> = (0..args.tasks)
        .map(|task| {
            let (store, left) = (Arc::clone(&store), Arc::clone(&left));
            runtime.spawn(write_entities(store, Named::of(args, task), left))
        })
        .collect();
    for task in tasks {
        let mut ended = runtime.block_on(task).unwrap();
        while args.patient && matches!(ended, Err(CommitError::Full(_))) {
            say("full");
            std::thread::park_timeout(FULL_PAUSE);
            let (store, left) = (Arc::clone(&store), Arc::clone(&left));
            ended = runtime.block_on(write_entities(store, Named::of(args, 0), left));
        }
        if let Err(error) = ended {
            return stopped(&runtime, &*store, &error);
        }
    }
    match runtime.block_on(store.close()) {
        Ok(()) => End::Well,
        Err(error) => end(End::Halted, &error.to_string()),
    }
}

/// A store that has halted stays so: one more step must not be taken.
fn stopped(runtime: &tokio::runtime::Runtime, store: &dyn Store, error: &CommitError) -> End {
    let id = workload::entity(u32::MAX, 0, 0);
    let commit = Commit {
        partition: PartitionId::ONLY,
        change: Some(workload::change(id, 0)),
        inbox: Vec::new(),
    };
    if matches!(error, CommitError::Halted(_)) && runtime.block_on(store.commit(commit)).is_ok() {
        return end(End::Lost, "it took a step after it had halted");
    }
    end(End::Halted, &error.to_string())
}

/// What a task names its entities by, and whether they leave.
#[derive(Debug, Clone, Copy)]
struct Named {
    generation: u32,
    task: u32,
    leaving: bool,
}

impl Named {
    fn of(args: &ChildArgs, task: u32) -> Self {
        Self { generation: args.generation, task, leaving: args.leaving }
    }
}

async fn write_entities(
    store: Arc<EmbeddedStore>,
    Named { generation, task, leaving }: Named,
    left: Arc<AtomicU64>,
) -> Result<(), CommitError> {
    for number in 0.. {
        let id = workload::entity(generation, task, number);
        for expected in 0..workload::STEPS {
            if left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
                .is_err()
            {
                return Ok(());
            }
            let mut commit = Commit {
                partition: PartitionId::ONLY,
                change: Some(workload::change(id, expected)),
                inbox: Vec::new(),
            };
            if expected % 2 == 1 {
                let item = NewInboxItem {
                    account: "default".to_owned(),
                    received_at: 0,
                    body: Bytes::from(workload::event(id, expected)),
                };
                let seq = store.append_inbox(item).await?;
                say(&format!("heard {}", seq.0));
                if expected == 1 {
                    let disposition = "applied".to_owned();
                    commit.inbox.push(InboxDone::Finished { seq, disposition });
                    say(&format!("finishing {}", seq.0));
                }
            }
            let committed = store.commit(commit).await?;
            say(&format!("done {} {}", id.0, committed.version));
        }
        // Every second process lets the beginning of the journal go behind itself. Where nobody leaves nothing that was
        // acknowledged may be missing.
        if generation % 2 == 1 {
            match retain(&store, number, leaving).await {
                Ok(Retained { left: 0, .. }) => {}
                Ok(Retained { left, .. }) => say(&format!("left {left}")),
                Err(error) => return Err(CommitError::Halted(error.to_string())),
            }
        }
    }
    Ok(())
}

/// A step of retention: everything is old enough, and what has had its last step is over, where entities leave.
async fn retain(store: &EmbeddedStore, number: u32, leaving: bool) -> Result<Retained, ReadError> {
    let over = leaving.then(|| (Kind(1), Some(Label::from(workload::OVER)))).into_iter().collect();
    let retention = Retention { keep: 0, tombstones: None, over };
    let now = i64::from(number);
    store.retain(Retain { now, retention, read: None, needed: Vec::new() }).await
}

/// Looks at everything that was acknowledged.
async fn look(
    store: &EmbeddedStore,
    args: &ChildArgs,
    acknowledged: &Acknowledged,
) -> Result<(), (End, String)> {
    let found = |error: ReadError| (End::Found, error.to_string());
    let lost = |why: String| Err((End::Lost, why));
    if args.check {
        let problems = engine::problems(store).await.map_err(found)?;
        if let Some(problem) = problems.first() {
            return Err((End::Found, problem.clone()));
        }
    }
    for (id, version) in &acknowledged.versions {
        let Some(entity) = store.load(*id).await.map_err(found)? else {
            // Its last step may have been taken without an answer. Who has left is known to have.
            let over = args.leaving && *version + 1 >= workload::STEPS;
            if over && store.has_left(&workload::claim(*id)).await.map_err(found)? {
                continue;
            }
            return lost(format!("{} was acknowledged at {version} and is not there", id.0));
        };
        // What was on its way is there or not.
        if !(*version..=version + 1).contains(&entity.version) {
            return lost(format!("{} was acknowledged at {version}, is {}", id.0, entity.version));
        }
        if entity.view != workload::view(*id, entity.version)
            || entity.labels != [workload::label(entity.version)]
        {
            return lost(format!("{} at {version} is not what was written", id.0));
        }
        let events = store.history(*id, 0, 100).await.map_err(found)?;
        let expected = (1..=entity.version).map(|version| workload::event(*id, version));
        if !expected
            .eq(events.iter().map(|event| String::from_utf8_lossy(&event.bytes).into_owned()))
        {
            return lost(format!("the history of {} is not what was written", id.0));
        }
        if store.by_claim(&workload::claim(*id)).await.map_err(found)? != Some(*id) {
            return lost(format!("the claim of {} is not there", id.0));
        }
    }
    let mut waiting = acknowledged.waiting.clone();
    let mut after = None;
    loop {
        let page = store.inbox(after, 1_000).await.map_err(found)?;
        let Some(last) = page.last() else { break };
        after = Some(last.seq);
        for item in page {
            waiting.remove(&item.seq.0);
        }
    }
    if let Some(seq) = waiting.first() {
        return lost(format!("inbox item {seq} is not there"));
    }
    let query = ListQuery { kind: Kind(1), label: None, before: None, limit: 10 };
    store.list(query).await.map_err(found)?;
    Ok(())
}
