//! An engine over the stored orders, measured in a process of its own.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use orderkeep::{
    AccountId, Engine, EngineConfig, Timestamp,
    store::{EmbeddedConfig, Store},
};

use super::{Figures, Stored, instrument::Instrument, load, store_folder, stored_file};
use crate::{
    bench::{life::patience, process},
    exit::{Failure, say},
};

/// An engine that has not acted after this long never will.
const GIVE_UP: Duration = Duration::from_secs(120);

/// What an engine has read at its start is let go meanwhile, and what is idle is counted.
const REST: Duration = Duration::from_secs(2);

/// Orders that are written while others are looked up.
const WRITERS: usize = 16;

pub(super) async fn run(folder: &Path) -> Result<Figures, Failure> {
    let text = std::fs::read(stored_file(folder)).map_err(Failure::failed)?;
    let stored: Stored = serde_json::from_slice(&text).map_err(Failure::failed)?;
    let idle = idle_rss(folder).await?;

    let started = Instant::now();
    let store = open(&store_folder(folder)).await?;
    let open_cold_s = started.elapsed().as_secs_f64();
    let instrument = Arc::new(Instrument::new());
    let mut asked = instrument.asked();
    let engine = start(Arc::clone(&store), instrument).await?;
    tokio::time::timeout(GIVE_UP, asked.wait_for(Option::is_some))
        .await
        .map_err(|_| Failure::failed("the order that is due was not acted on"))?
        .map_err(Failure::failed)?;
    let first_due_s = started.elapsed().as_secs_f64();
    checked(&engine, stored.orders).await?;
    tokio::time::sleep(REST).await;
    let rss = process::rss();

    let lookup_p50_us = look_up(&engine, &store, &stored).await?;
    engine.shutdown().await.map_err(Failure::failed)?;
    let over = |bytes: u64, idle: u64| bytes.saturating_sub(idle) as f64 / stored.orders as f64;
    Ok(Figures {
        orders: stored.orders,
        rss_bytes_per_order: rss.zip(idle).map(|(rss, idle)| over(rss, idle)),
        open_cold_s,
        first_due_s,
        lookup_p50_us,
        bytes_per_order: stored.bytes as f64 / stored.orders as f64,
    })
}

/// Waits until the engine has looked through all its open orders, as it does after every start: what that leaves in
/// memory is counted.
async fn checked(engine: &Engine, orders: u64) -> Result<(), Failure> {
    /// Slower than the check's pace by far.
    const ORDERS_A_SECOND: u64 = 500;
    let give_up = Instant::now() + GIVE_UP + Duration::from_secs(orders / ORDERS_A_SECOND);
    say("waiting for the end of the check of all open orders ...");
    while !engine.status().await.map_err(Failure::failed)?.checked {
        if Instant::now() > give_up {
            return Err(Failure::failed("the check of all open orders has no end"));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// What an engine with nothing to do takes.
async fn idle_rss(folder: &Path) -> Result<Option<u64>, Failure> {
    let store = open(&folder.join("empty")).await?;
    let engine = start(store, Arc::new(Instrument::new())).await?;
    tokio::time::sleep(REST).await;
    let rss = process::rss();
    engine.shutdown().await.map_err(Failure::failed)?;
    Ok(rss)
}

async fn open(folder: &Path) -> Result<Arc<dyn Store>, Failure> {
    orderkeep::open_with(EmbeddedConfig::new(folder)).await.map_err(Failure::failed)
}

async fn start(store: Arc<dyn Store>, instrument: Arc<Instrument>) -> Result<Engine, Failure> {
    Engine::builder()
        .store(store)
        .account(AccountId::main(), instrument)
        .config(EngineConfig { policy: patience(), ..EngineConfig::default() })
        .start()
        .await
        .map_err(Failure::failed)
}

/// How long it takes to find an order, at the median, while others are written.
async fn look_up(engine: &Engine, store: &Arc<dyn Store>, stored: &Stored) -> Result<u64, Failure> {
    let enough = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> =
        (0..WRITERS).map(|_| tokio::spawn(write(Arc::clone(store), Arc::clone(&enough)))).collect();
    let account = AccountId::main();
    let mut times = Vec::with_capacity(stored.sample.len() * 3);
    for names in &stored.sample {
        for by in 0..3 {
            let started = Instant::now();
            let found = match by {
                0 => engine.order(names.id).await,
                1 => engine.order_by_lock(&account, &names.lock).await,
                _ => engine.order_by_provider_order(&account, &names.provider_order).await,
            };
            let took = started.elapsed();
            let order = found.map_err(Failure::failed)?;
            if order.is_none_or(|order| order.id != names.id) {
                return Err(Failure::failed(format_args!("{} was not found", names.id)));
            }
            times.push(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        }
    }
    enough.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.map_err(Failure::failed)??;
    }
    times.sort_unstable();
    Ok(times.get(times.len() / 2).copied().unwrap_or_default())
}

async fn write(store: Arc<dyn Store>, enough: Arc<AtomicBool>) -> Result<(), Failure> {
    while !enough.load(Ordering::Relaxed) {
        let now = Timestamp::from_millis(jiff::Timestamp::now().as_millisecond());
        load::park(store.as_ref(), now, false).await?;
    }
    Ok(())
}
