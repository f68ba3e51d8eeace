//! kill -9 of a process that writes, and of one that opens.
//!
//! The child says what was acknowledged, line by line; only that counts. After every kill a copy of the folder is opened
//! and looked through, so that the chain of kills itself never sees an ordinary end. `ORDERKEEP_STORE_KILLS` makes the
//! campaign longer.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use orderkeep_store::{
    Backend, Change, Claim, Commit, EmbeddedConfig, EmbeddedStore, EntityId, InboxDone, InboxSeq,
    Kind, Label, ListQuery, NewInboxItem, PartitionId, Store, backend_of,
};
use tempfile::TempDir;
use uuid::Uuid;

use crate::{
    folder::copy,
    process::{Role, Running, say},
};

/// Kills of an ordinary run.
const KILLS: u32 = 36;

/// A fresh folder after so many.
const KILLS_PER_FOLDER: u32 = 12;

/// Tasks that write at the same time.
const TASKS: u32 = 16;

/// Steps of an entity before the next one.
const STEPS: u64 = 6;

/// A kill during the opening comes within this time.
const OPENING: Duration = Duration::from_millis(40);

const LABELS: [&str; 3] = ["Locked", "Created", "Executed"];

fn entity(generation: u32, task: u32, number: u32) -> EntityId {
    let (generation, task, number) = (u128::from(generation), u128::from(task), u128::from(number));
    EntityId(Uuid::from_u128(generation << 80 | number << 40 | task))
}

fn event(id: EntityId, version: u64) -> String {
    format!("event {version} of {}", id.0)
}

fn claim(id: EntityId) -> Claim {
    Claim::new("key", &[&id.0.to_string()])
}

fn label(version: u64) -> Label {
    let at = usize::try_from(version % LABELS.len() as u64).unwrap();
    Label::from(LABELS[at])
}

fn change(id: EntityId, expected: u64) -> Change {
    let version = expected + 1;
    Change {
        id,
        kind: Kind(1),
        expected,
        events: vec![Bytes::from(event(id, version))],
        view: Some(Bytes::from(format!("view {version} {}", ".".repeat(300)))),
        labels: vec![label(version)],
        wake_up: Some(i64::try_from(version).unwrap()),
        claims: vec![claim(id)],
    }
}

/// The child: writes until it is killed.
pub(crate) fn write(store: EmbeddedStore, generation: u32) {
    let store = Arc::new(store);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| runtime.spawn(write_entities(Arc::clone(&store), generation, task)))
        .collect();
    for task in tasks {
        runtime.block_on(task).unwrap();
    }
}

async fn write_entities(store: Arc<EmbeddedStore>, generation: u32, task: u32) {
    for number in 0.. {
        let id = entity(generation, task, number);
        for expected in 0..STEPS {
            let mut commit = Commit {
                partition: PartitionId::ONLY,
                change: Some(change(id, expected)),
                inbox: Vec::new(),
            };
            if expected % 2 == 1 {
                let item = NewInboxItem {
                    account: "default".to_owned(),
                    received_at: 0,
                    body: Bytes::from(event(id, expected)),
                };
                let seq = store.append_inbox(item).await.unwrap();
                say(&format!("heard {}", seq.0));
                if expected == 1 {
                    commit
                        .inbox
                        .push(InboxDone::Finished { seq, disposition: "applied".to_owned() });
                    say(&format!("finishing {}", seq.0));
                }
            }
            let committed = store.commit(commit).await.unwrap();
            say(&format!("done {} {}", id.0, committed.version));
        }
    }
}

/// What a folder must hold.
#[derive(Debug, Default)]
struct Acknowledged {
    versions: BTreeMap<EntityId, u64>,
    /// Heard, and nobody has begun to finish it.
    waiting: BTreeMap<u64, ()>,
}

impl Acknowledged {
    fn take(&mut self, line: &str) {
        let Some(line) = line.strip_suffix('.') else {
            return;
        };
        let mut words = line.split(' ');
        match (words.next(), words.next(), words.next()) {
            (Some("done"), Some(id), Some(version)) => {
                let id = EntityId(id.parse().unwrap());
                self.versions.insert(id, version.parse().unwrap());
            }
            (Some("heard"), Some(seq), None) => {
                self.waiting.insert(seq.parse().unwrap(), ());
            }
            (Some("finishing"), Some(seq), None) => {
                self.waiting.remove(&seq.parse::<u64>().unwrap());
            }
            _ => {}
        }
    }
}

/// For campaigns: looks through a folder by the lines on standard input.
pub(crate) fn look_alone(folder: &Path) {
    let mut acknowledged = Acknowledged::default();
    for line in std::io::stdin().lines() {
        acknowledged.take(&line.unwrap());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(look(folder, &acknowledged));
    say(&format!("all {} steps are there", acknowledged.versions.values().sum::<u64>()));
}

/// Opens a copy and looks at everything that was acknowledged.
async fn look(original: &Path, acknowledged: &Acknowledged) {
    let copied = TempDir::new().unwrap();
    let backend = backend_of(original).unwrap().unwrap_or_default();
    let config = EmbeddedConfig::new(copied.path().join("store")).backend(backend);
    if original.exists() {
        copy(original, &config.path);
    }
    let store = EmbeddedStore::open(config).unwrap();
    let report = store.check().await.unwrap();
    assert_eq!(report.problems, Vec::<String>::new());
    for (id, version) in &acknowledged.versions {
        let found = store.load(*id).await.unwrap().unwrap();
        assert!(
            (*version..=version + 1).contains(&found.version),
            "{id:?} was acknowledged at {version} and is at {}",
            found.version
        );
        let expected = format!("view {} {}", found.version, ".".repeat(300));
        assert_eq!(found.view, expected);
        assert_eq!(found.labels, [label(found.version)]);
        let events: Vec<String> = store
            .history(*id, 0, 100)
            .await
            .unwrap()
            .into_iter()
            .map(|event| String::from_utf8(event.bytes.to_vec()).unwrap())
            .collect();
        let expected: Vec<String> =
            (1..=found.version).map(|version| event(*id, version)).collect();
        assert_eq!(events, expected);
        assert_eq!(store.by_claim(&claim(*id)).await.unwrap(), Some(*id));
    }
    let mut after = None;
    let mut waiting = acknowledged.waiting.clone();
    loop {
        let page = store.inbox(after, 1_000).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.seq);
        for item in page {
            waiting.remove(&item.seq.0);
        }
    }
    let lost: Vec<InboxSeq> = waiting.into_keys().map(InboxSeq).collect();
    assert_eq!(lost, []);
    let query = ListQuery { kind: Kind(1), label: None, before: None, limit: 10 };
    assert!(store.list(query).await.unwrap().len() <= 10);
}

/// Pseudo-random, so that a campaign can be repeated.
fn mix(seed: u32) -> u32 {
    let mixed = (seed ^ (seed >> 15)).wrapping_mul(0x2c1b_3c6d);
    let mixed = (mixed ^ (mixed >> 12)).wrapping_mul(0x297a_2d39);
    mixed ^ (mixed >> 15)
}

/// Starts a child and kills it: in its opening, or after some acknowledgements.
fn kill_one(backend: Backend, generation: u32, folder: &TempDir, acknowledged: &mut Acknowledged) {
    let path = folder.path().join("store");
    let mut child = Running::start(Role::Write { generation }, backend, &path);
    let random = mix(generation);
    while child.line().unwrap() != "opening." {}
    if generation.is_multiple_of(3) {
        // At no event that could be waited for: somewhere inside of the opening.
        let within = OPENING.mul_f64(f64::from(random % 1_000) / 1_000.0);
        let begun = Instant::now();
        while begun.elapsed() < within {
            std::thread::yield_now();
        }
    } else {
        let lines = random % 400;
        for _ in 0..lines {
            acknowledged.take(&child.line().unwrap());
        }
    }
    for line in child.kill() {
        acknowledged.take(&line);
    }
}

#[tokio::test]
async fn nothing_acknowledged_is_lost() {
    kill(Backend::Sled).await;
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_on_redb() {
    kill(Backend::Redb).await;
}

async fn kill(backend: Backend) {
    let kills =
        std::env::var("ORDERKEEP_STORE_KILLS").ok().map_or(KILLS, |kills| kills.parse().unwrap());
    let mut steps = 0;
    let mut folder = TempDir::new().unwrap();
    let mut acknowledged = Acknowledged::default();
    for generation in 1..=kills {
        if generation % KILLS_PER_FOLDER == 0 {
            folder = TempDir::new().unwrap();
            acknowledged = Acknowledged::default();
        }
        kill_one(backend, generation, &folder, &mut acknowledged);
        look(&folder.path().join("store"), &acknowledged).await;
        steps = steps.max(acknowledged.versions.values().sum::<u64>());
    }
    assert!(steps > 200, "only {steps} steps were acknowledged");
}
