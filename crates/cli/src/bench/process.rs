//! What a process has used, as Linux counts it. `None` where it does not say.

use std::fs;

/// Clock ticks a second in `/proc`: fixed by the kernel's interface.
const TICKS: f64 = 100.0;

/// CPU time of all threads of this process so far, in microseconds.
pub(super) fn cpu_us() -> Option<f64> {
    cpu_us_in("self")
}

/// The same of another process.
pub(super) fn cpu_us_of(id: u32) -> Option<f64> {
    cpu_us_in(&id.to_string())
}

fn cpu_us_in(process: &str) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name in parentheses may have spaces; user and system time are the 12th and 13th fields after it.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut times = rest.split_whitespace().skip(11).map(str::parse::<f64>);
    let (user, system) = (times.next()?.ok()?, times.next()?.ok()?);
    Some((user + system) / TICKS * 1e6)
}

/// The most memory that was resident at once, in bytes.
pub(super) fn peak_rss() -> Option<u64> {
    status("VmHWM:")
}

/// The memory that is resident now, in bytes.
pub(super) fn rss() -> Option<u64> {
    status("VmRSS:")
}

/// A size in `/proc/self/status`, in bytes.
fn status(field: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linux_says_what_was_used() {
        assert!(cpu_us().is_some());
        assert!(cpu_us_of(std::process::id()).is_some());
        let rss = peak_rss().unwrap();
        assert!((1 << 20..1 << 40).contains(&rss), "{rss}");
        // The kernel counts a peak a little late: it says less only by what is allocated in between.
        assert!(super::rss().unwrap() <= rss + (64 << 20));
    }
}
