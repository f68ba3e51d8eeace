//! The disk: what a durable step costs, and whether that can be true.

use std::{
    io::{self, Write as _},
    path::Path,
    time::{Duration, Instant},
};

use super::{Finding, folder::nearest};

const CHECK: &str = "disk";
const ROUNDS: usize = 50;
/// No disk and no network volume that keeps what it was given answers faster.
const UNBELIEVABLE: Duration = Duration::from_micros(15);
/// Slower than this, every durable step is felt.
const SLOW: Duration = Duration::from_millis(20);

/// Writes and syncs a page, again and again.
fn measure(at: &Path) -> io::Result<Vec<Duration>> {
    let mut file = tempfile::tempfile_in(at)?;
    let mut took = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        file.write_all(&[0x5a; 4096])?;
        let start = Instant::now();
        file.sync_data()?;
        took.push(start.elapsed());
    }
    took.sort_unstable();
    Ok(took)
}

pub(super) fn sync(data: &Path) -> Finding {
    let at = nearest(data);
    match measure(&at) {
        Ok(took) => judge(took[ROUNDS / 2], took[ROUNDS * 98 / 100]),
        Err(error) => Finding::fail(
            CHECK,
            format!("{}: {error}", at.display()),
            "look at the volume; the kernel's log says more",
        ),
    }
}

fn judge(half: Duration, most: Duration) -> Finding {
    let found = format!(
        "a sync takes {} us (half of {ROUNDS}), {} us (98 of 100)",
        half.as_micros(),
        most.as_micros()
    );
    if half < UNBELIEVABLE {
        return Finding::warn(
            CHECK,
            found,
            "faster than any disk: the folder is in memory, or something below acknowledges what it has not kept. Put \
             the data on a real volume without a volatile write cache",
        );
    }
    if half > SLOW {
        let advice = "each durable step waits for it: take a faster volume, one with a protected write cache";
        return Finding::warn(CHECK, found, advice);
    }
    Finding::ok(CHECK, found)
}

#[cfg(test)]
mod tests {
    use super::{super::Verdict, *};

    #[test]
    fn what_no_disk_can_do_is_not_believed() {
        let judged = |micros| {
            let took = Duration::from_micros(micros);
            judge(took, took).verdict
        };
        assert_eq!(
            [judged(2), judged(400), judged(50_000)],
            [Verdict::Warn, Verdict::Ok, Verdict::Warn]
        );
    }
}
