//! How much room the folder's file system has.

use std::{io, path::PathBuf};

use crate::journal::Room;

/// Asks the operating system.
#[derive(Debug)]
pub(crate) struct DiskRoom {
    pub(crate) folder: PathBuf,
}

impl Room for DiskRoom {
    fn available(&mut self) -> io::Result<u64> {
        fs2::available_space(&self.folder)
    }
}
