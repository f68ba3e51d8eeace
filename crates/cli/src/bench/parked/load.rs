//! Stores the orders: each is submitted, made at the provider, and given its address.

use std::path::Path;

use futures_util::{StreamExt, stream};
use orderkeep::{
    Timestamp,
    store::{Commit, EmbeddedConfig, EmbeddedStore, Store},
};

use super::{Stored, store_folder};
use crate::{
    bench::{
        disk,
        life::{Act, Life, Names},
    },
    exit::{Failure, say},
};

/// Enough for full groups.
const IN_FLIGHT: usize = 1_024;

/// Orders that are looked up later.
const SAMPLE: u64 = 1_000;

pub(in crate::bench) async fn run(folder: &Path, orders: u64) -> Result<Stored, Failure> {
    let config = EmbeddedConfig::new(store_folder(folder));
    let reserve = config.ballast_bytes;
    let store = EmbeddedStore::open(config).map_err(Failure::failed)?;
    let now = Timestamp::from_millis(jiff::Timestamp::now().as_millisecond());
    let every = (orders / SAMPLE).max(1);
    let report_every = (orders / 10).max(1);
    let mut sample = Vec::new();
    // The first of all is the one that is due.
    let mut parking =
        stream::iter(0..orders).map(|number| park(&store, now, number == 0)).buffered(IN_FLIGHT);
    let mut number = 0;
    while let Some(names) = parking.next().await {
        let names = names?;
        if number % every == 0 {
            sample.push(names);
        }
        number += 1;
        if number % report_every == 0 {
            say(format_args!("{number} orders are stored"));
        }
    }
    drop(parking);
    store.close().await.map_err(Failure::failed)?;
    drop(store);
    let bytes = disk::used_bytes(folder).map_err(Failure::failed)?.saturating_sub(reserve);
    Ok(Stored { orders, sample, bytes })
}

/// Brings one order to where it waits for its payer.
pub(super) async fn park(store: &dyn Store, now: Timestamp, due: bool) -> Result<Names, Failure> {
    let mut life = Box::new(Life::patient(now)?);
    for _ in 0..Life::ACTS_UNTIL_PARKED {
        match life.next()? {
            Some(Act::Hear(item)) => {
                life.heard(store.append_inbox(item).await.map_err(Failure::failed)?);
            }
            Some(Act::Step(Commit { partition, change, inbox })) => {
                let change = change.map(|mut change| {
                    if due {
                        change.wake_up = Some(now.as_micros());
                    }
                    change
                });
                let commit = Commit { partition, change, inbox };
                store.commit(commit).await.map_err(Failure::failed)?;
            }
            None => {}
        }
    }
    life.names().ok_or_else(|| Failure::failed("an order was not submitted"))
}
