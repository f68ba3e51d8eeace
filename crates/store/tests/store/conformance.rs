//! Every backend of this crate against the suite.

use crate::support::{Engines, Folders, tiny};
use orderkeep_store::{Backend, Tuning, conformance::exercise};

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
    exercise(&Folders::new(Backend::Sled, Tuning::embedded())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sled_with_rows_close_behind() {
    exercise(&Folders::new(Backend::Sled, tiny())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redb() {
    exercise(&Folders::new(Backend::Redb, Tuning::embedded())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redb_with_rows_close_behind() {
    exercise(&Folders::new(Backend::Redb, tiny())).await;
}
