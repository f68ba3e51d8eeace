//! The disk below a benchmark: a folder on it, and how long one `fdatasync` takes.

use std::{fs, io, os::unix::fs::FileExt, path::Path, path::PathBuf, time::Instant};

use crate::exit::Failure;

/// Syncs that are timed; the middle one counts.
const SYNCS: usize = 64;

/// The size of a small group.
const BLOCK: [u8; 4096] = [0x5a; 4096];

/// A folder for one benchmark, removed after it.
pub(super) fn folder(parent: Option<&Path>) -> Result<tempfile::TempDir, Failure> {
    let parent = parent.map_or_else(std::env::temp_dir, Path::to_path_buf);
    fs::create_dir_all(&parent)
        .and_then(|()| tempfile::Builder::new().prefix("orderkeep-bench-").tempdir_in(&parent))
        .map_err(|error| {
            Failure::failed(format_args!(
                "cannot make a folder in {}: {error}; name another with --data",
                parent.display()
            ))
        })
}

/// How long an `fdatasync` of 4 KiB in a file that lies there already takes at the median, in microseconds.
pub(super) fn fdatasync_us(folder: &Path) -> Result<f64, Failure> {
    let path = folder.join("fdatasync");
    let times = time_syncs(&path).map_err(Failure::failed)?;
    fs::remove_file(&path).map_err(Failure::failed)?;
    Ok(times.get(SYNCS / 2).copied().unwrap_or_default())
}

fn time_syncs(path: &PathBuf) -> io::Result<Vec<f64>> {
    let file = fs::File::create(path)?;
    for number in 0..SYNCS as u64 {
        file.write_all_at(&BLOCK, number * BLOCK.len() as u64)?;
    }
    file.sync_all()?;
    let mut times = Vec::with_capacity(SYNCS);
    for number in 0..SYNCS as u64 {
        file.write_all_at(&BLOCK, number * BLOCK.len() as u64)?;
        let started = Instant::now();
        file.sync_data()?;
        times.push(started.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_by(f64::total_cmp);
    Ok(times)
}

/// Bytes that everything under a folder takes on the disk.
pub(super) fn used_bytes(folder: &Path) -> io::Result<u64> {
    use std::os::unix::fs::MetadataExt;
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let about = entry.metadata()?;
        bytes += if about.is_dir() { used_bytes(&entry.path())? } else { about.blocks() * 512 };
    }
    Ok(bytes)
}
