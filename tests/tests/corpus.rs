//! What the fuzz targets were ever given that was worth keeping, given again: what was found once stays found.
#![allow(clippy::unwrap_used, reason = "a panic in a test is its report")]

use std::{fs, path::Path};

#[allow(unreachable_pub, reason = "the fuzz targets, of another crate, call them")]
#[path = "../../fuzz/src/targets.rs"]
mod targets;

/// Tells every input of a target's corpus, by name.
fn replay(target: &str, seeds_min: usize, tell: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("fuzz/corpus");
    let mut inputs: Vec<_> =
        fs::read_dir(folder.join(target)).unwrap().map(|entry| entry.unwrap().path()).collect();
    inputs.sort();
    assert!(inputs.len() >= seeds_min, "{} inputs of {target}", inputs.len());
    for input in inputs {
        let bytes = fs::read(&input).unwrap();
        let told = std::panic::catch_unwind(|| tell(&bytes));
        assert!(told.is_ok(), "{} fails", input.display());
    }
}

#[test]
fn webhooks_are_read_or_refused() {
    replay("webhook", 10, targets::webhook);
}

#[test]
fn answers_are_read_or_refused() {
    replay("answers", 20, targets::answers);
}

#[test]
fn stored_records_are_read_or_refused() {
    replay("records", 20, targets::records);
}
