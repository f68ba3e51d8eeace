//! A small ext4 of our own in a file, mounted through a loop device, whose power can be cut.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::process::scratch;

/// A file system in a file. Unmounted when it is dropped.
#[derive(Debug)]
pub(crate) struct LoopFs {
    folder: tempfile::TempDir,
    mounted: bool,
}

impl LoopFs {
    /// Makes and mounts one of this size.
    ///
    /// # Errors
    /// What is missing here: root, loop devices, `mkfs.ext4`.
    pub(crate) fn new(mib: u64) -> io::Result<Self> {
        let mut made = Self { folder: scratch(), mounted: false };
        fs::create_dir(made.mount_point())?;
        fs::File::create(made.image())?.set_len(mib * 1024 * 1024)?;
        // Nothing is left for the kernel to do behind our back.
        let options = "lazy_itable_init=0,lazy_journal_init=0";
        run(Command::new("mkfs.ext4").args(["-q", "-F", "-E", options]).arg(made.image()))?;
        made.mount()?;
        Ok(made)
    }

    pub(crate) fn mount_point(&self) -> PathBuf {
        self.folder.path().join("mount")
    }

    /// A place that is not on it.
    pub(crate) fn beside(&self) -> &Path {
        self.folder.path()
    }

    fn image(&self) -> PathBuf {
        self.folder.path().join("image")
    }

    pub(crate) fn mount(&mut self) -> io::Result<()> {
        run(Command::new("mount").args(["-o", "loop"]).arg(self.image()).arg(self.mount_point()))?;
        self.mounted = true;
        Ok(())
    }

    pub(crate) fn unmount(&mut self) -> io::Result<()> {
        run(Command::new("umount").arg(self.mount_point()))?;
        self.mounted = false;
        Ok(())
    }

    /// The power is back: what is found is what the disk had.
    pub(crate) fn power_up(&mut self) -> io::Result<()> {
        self.unmount()?;
        self.mount()
    }
}

impl Drop for LoopFs {
    fn drop(&mut self) {
        if self.mounted && self.unmount().is_err() {
            // Somebody is still in it: it goes when they do.
            drop(run(Command::new("umount").arg("--lazy").arg(self.mount_point())));
        }
    }
}

fn run(command: &mut Command) -> io::Result<()> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| {
        io::Error::new(error.kind(), format!("{}: {error}", command.get_program().display()))
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{}: {}", command.get_program().display(), said.trim())))
}
