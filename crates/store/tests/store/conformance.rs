//! Every backend of this crate against the suite.

use crate::support::{Engines, Sled, tiny};
use orderkeep_store::{Tuning, conformance::exercise};

#[tokio::test]
async fn memory() {
    exercise(&Engines::new(Tuning::embedded(), false)).await;
}

#[tokio::test]
async fn memory_with_rows_close_behind() {
    exercise(&Engines::new(tiny(), false)).await;
}

#[tokio::test]
async fn dying_without_a_death() {
    exercise(&Engines::new(tiny(), true)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sled() {
    exercise(&Sled::new(Tuning::embedded())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sled_with_rows_close_behind() {
    exercise(&Sled::new(tiny())).await;
}
