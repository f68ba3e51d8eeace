//! An empty database, made in memory and written down with one sync of ours.
//!
//! redb writes a last time when a database is dropped, and can tell nobody that this failed. After a failed sync the
//! kernel takes the pages for written: whatever is synced later, they are lost with the next power cut.

use std::{fs::File, io, io::Write as _, sync::Arc};

use redb::{
    Database, Error, ReadableDatabase as _, StorageBackend, TableError, backends::InMemoryBackend,
};

use super::{super::Space, table};

/// Memory that outlives the database over it.
#[derive(Debug, Clone)]
struct Memory(Arc<InMemoryBackend>);

impl StorageBackend for Memory {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }
}

/// Writes an empty database with every table into a new file; durable when it returns.
pub(super) fn write(file: &mut File) -> Result<(), Error> {
    let memory = Memory(Arc::new(InMemoryBackend::new()));
    let database = Database::builder().create_with_backend(memory.clone())?;
    make_tables(&database)?;
    drop(database);
    let length = memory.len()?;
    let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    memory.read(0, &mut bytes)?;
    file.write_all(&bytes)?;
    Ok(file.sync_all()?)
}

/// Gives a database of an earlier version the tables that it did not have; others are not written to.
pub(super) fn make_missing_tables(database: &Database) -> Result<(), Error> {
    let read = database.begin_read()?;
    let missing = |space| match read.open_table(table(space)) {
        Ok(_) => Ok(false),
        Err(TableError::TableDoesNotExist(_)) => Ok(true),
        Err(error) => Err(error),
    };
    for space in Space::ALL {
        if missing(space)? {
            return make_tables(database);
        }
    }
    Ok(())
}

/// Reads may then count on every table.
pub(super) fn make_tables(database: &Database) -> Result<(), Error> {
    let write = database.begin_write()?;
    for space in Space::ALL {
        write.open_table(table(space))?;
    }
    Ok(write.commit()?)
}
