//! See it work: orders carried through kill -9 against a rough provider, then compared with its ledger.
//!
//! Two processes on loopback, the stand-in provider and the engine; this one plays the callers, the payers and the
//! one who kills. The provider is in its least forgiving mode: a second create makes a second order. What it wrote
//! into its ledger is the truth that the engine is judged by, and no code of the engine takes part in the judging.

mod compare;
mod engine;
mod killer;
mod payer;
mod plan;
mod port;
mod progress;
mod provider;
mod report;
mod submitter;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    args::DemoArgs,
    client::Client,
    exit::{self, Failure, say},
};
use plan::Plan;
pub(crate) use port::free_port;

/// Nothing in a demo takes longer; if it does, it is stuck, and that is a finding.
const GIVE_UP: Duration = Duration::from_secs(240);
/// How much longer for each kill: the engine must start again, and what was interrupted must be found again.
const GIVE_UP_PER_KILL: Duration = Duration::from_secs(2);

/// What all parts of a demo share.
#[derive(Debug)]
struct Stage {
    plan: Plan,
    engine: Client,
    control: Client,
    /// Orders whose submit was answered.
    submitted: AtomicU64,
    /// Orders that were open when somebody last asked.
    open: AtomicU64,
    kills: AtomicU32,
    /// The kills are over.
    killing_over: AtomicBool,
}

impl Stage {
    /// Whether order `number` may come: there should be new ones until the last kill, and something open at each.
    fn may_come(&self, number: u32) -> bool {
        let kills = self.kills.load(Ordering::Acquire);
        let share =
            u64::from(self.plan.orders) * u64::from(kills + 1) / u64::from(self.plan.kills.max(1));
        u64::from(number) < share || self.open.load(Ordering::Acquire) == 0
    }

    /// The engine's status, if it is up.
    async fn status(&self) -> Option<Value> {
        let answer = self.engine.get("/v1/status").await.ok()?;
        answer.status.is_success().then_some(answer.body)
    }
}

/// The folder of a run: given, or temporary and removed when all went well.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    temporary: Option<tempfile::TempDir>,
}

impl Folder {
    fn new(given: Option<PathBuf>) -> Result<Self, Failure> {
        match given {
            Some(path) => {
                std::fs::create_dir_all(&path).map_err(|error| {
                    Failure::failed(format_args!("cannot make {}: {error}", path.display()))
                })?;
                let taken = std::fs::read_dir(&path).map_err(Failure::failed)?.next().is_some();
                if taken {
                    let path = path.display();
                    return Err(Failure::failed(format_args!(
                        "{path} is not empty; name a new folder with --data"
                    )));
                }
                Ok(Self { path, temporary: None })
            }
            None => {
                let temporary = tempfile::Builder::new()
                    .prefix("orderkeep-demo-")
                    .tempdir()
                    .map_err(Failure::failed)?;
                Ok(Self { path: temporary.path().to_owned(), temporary: Some(temporary) })
            }
        }
    }

    fn keep(&mut self) {
        if let Some(temporary) = self.temporary.take() {
            self.path = temporary.keep();
        }
    }
}

pub(crate) async fn run(args: DemoArgs) -> Result<(), Failure> {
    let mut folder = Folder::new(args.data.clone())?;
    let plan = Plan::new(&args, folder.path.clone());
    let result = perform(&args, plan).await;
    if result.is_err() {
        folder.keep();
        say(format_args!("data and logs are kept in {}", folder.path.display()));
    }
    result
}

async fn perform(args: &DemoArgs, plan: Plan) -> Result<(), Failure> {
    let started = Instant::now();
    let provider = provider::start(&plan).await?;
    let port = free_port(rand::random()).map_err(Failure::failed)?;
    provider.send_webhooks_to(&format!("http://127.0.0.1:{port}/webhooks/p100")).await?;
    plan.write_engine_config(&provider.url, port)?;
    let stage = Arc::new(Stage {
        engine: Client::new(&format!("http://127.0.0.1:{port}"), None)?,
        control: provider.control.clone(),
        plan,
        submitted: AtomicU64::new(0),
        open: AtomicU64::new(0),
        kills: AtomicU32::new(0),
        killing_over: AtomicBool::new(args.kills == 0),
    });
    let killer = tokio::spawn(killer::run(Arc::clone(&stage)));
    let submitter = tokio::spawn(submitter::run(Arc::clone(&stage)));
    let payer = tokio::spawn(payer::run(Arc::clone(&stage)));
    let progress = tokio::spawn(progress::run(Arc::clone(&stage)));
    let give_up = started + GIVE_UP + GIVE_UP_PER_KILL * args.kills;

    // An engine that does not come back is a finding of its own, not a wait for callers that nobody answers.
    let (acknowledged, killed) =
        tokio::try_join!(ended(submitter, give_up), ended(killer, give_up))?;
    let ended_in_time = settled(&stage, give_up).await;
    let elapsed = started.elapsed();
    progress.abort();
    payer.abort();

    let report = compare::compare(&stage, &acknowledged, &killed, elapsed).await?;
    killed.engine.stop().await;
    provider.stop().await;
    report.print(args.output);
    if report.is_good() {
        return Ok(());
    }
    let code = if ended_in_time { exit::FAILED } else { exit::TIMEOUT };
    Err(Failure::new(code, report.verdict()))
}

/// The result of a part of the demo, if it comes in time.
async fn ended<T>(
    task: tokio::task::JoinHandle<Result<T, Failure>>,
    give_up: Instant,
) -> Result<T, Failure> {
    match tokio::time::timeout_at(give_up.into(), task).await {
        Ok(Ok(result)) => result,
        Ok(Err(error)) => Err(Failure::failed(error)),
        Err(_) => Err(Failure::new(exit::TIMEOUT, "the demo did not come to its end in time")),
    }
}

/// Waits until the kills are over and no order is open any more; whether that happened in time.
async fn settled(stage: &Stage, give_up: Instant) -> bool {
    const LOOK_EVERY: Duration = Duration::from_millis(100);
    while Instant::now() < give_up {
        let over = stage.killing_over.load(Ordering::Acquire);
        if over
            && let Ok(open) = compare::open_without_review(stage).await
            && open == 0
        {
            return true;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    false
}
