//! Reading a copy: every record is held against its chain, and the end against the header.

use std::io::Read;

use bytes::Bytes;

use super::{BackupError, CHECKSUM_BYTES, FRAME_BYTES_MAX, MAGIC, checksum};
use crate::{
    Incarnation, Position,
    journal::Found,
    record::{BackupHeader, BaseRow, Chain, Part, PartRecord, decode},
};

/// What a whole backup is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupInfo {
    /// Which life of the store it is of.
    pub incarnation: Incarnation,
    /// Where it ends.
    pub position: Position,
    /// Records of the journal that were read so far.
    pub records: u64,
    /// Steps in them.
    pub entries: u64,
    /// Bytes of the file that were read so far.
    pub bytes: u64,
}

/// Reads a backup record by record.
#[derive(Debug)]
pub struct BackupReader<R> {
    from: R,
    end: (u64, Chain),
    base: BaseRow,
    /// Pieces of the base that were read; `None`: all of them.
    parts: Option<u64>,
    last: u64,
    chain: Chain,
    info: BackupInfo,
}

impl<R: Read> BackupReader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// Not a backup, a damaged or a newer one.
    pub fn new(mut from: R) -> Result<Self, BackupError> {
        let mut magic = [0; MAGIC.len()];
        read_exact(&mut from, &mut magic)?.ok_or(BackupError::NotABackup)?;
        if magic != MAGIC {
            return Err(BackupError::NotABackup);
        }
        let frame = frame(&mut from)?.ok_or_else(|| damaged("it ends after its first line"))?;
        let (record, sum) = frame
            .len()
            .checked_sub(CHECKSUM_BYTES)
            .map(|at| frame.split_at(at))
            .ok_or_else(|| damaged("its header is too short"))?;
        if checksum(record) != sum {
            return Err(damaged("its header does not match its checksum"));
        }
        let header: BackupHeader = decode(record)?;
        let info = BackupInfo {
            incarnation: header.incarnation,
            position: Position(header.seq),
            records: 0,
            entries: 0,
            bytes: (MAGIC.len() + 4 + frame.len()) as u64,
        };
        let base = header.base;
        if base.seq > header.seq {
            return Err(damaged("it ends before it begins"));
        }
        Ok(Self {
            from,
            end: (header.seq, header.chain),
            base,
            parts: (base.seq > 0).then_some(0),
            last: base.seq,
            chain: base.chain,
            info,
        })
    }

    /// What is known so far; all of it once the last record was read.
    #[must_use]
    pub fn info(&self) -> BackupInfo {
        self.info
    }

    /// Reads on to the end, and says that all is well.
    ///
    /// # Errors
    /// It is damaged or cut short. `progress` is told after every record.
    pub fn verify(
        mut self,
        mut progress: impl FnMut(&BackupInfo),
    ) -> Result<BackupInfo, BackupError> {
        while self.next_part()?.is_some() {
            progress(&self.info);
        }
        while self.next_record()?.is_some() {
            progress(&self.info);
        }
        Ok(self.info)
    }

    /// Where the journal in it begins.
    pub(crate) fn base(&self) -> BaseRow {
        self.base
    }

    /// The next piece of the base, held against its chain; `None` after the last one. They come before the records.
    pub(crate) fn next_part(&mut self) -> Result<Option<Part>, BackupError> {
        let Some(read) = self.parts else {
            return Ok(None);
        };
        let bytes = frame(&mut self.from)?.ok_or_else(|| damaged("it is cut short"))?;
        self.info.bytes += 4 + bytes.len() as u64;
        let opened = PartRecord::open(self.chain, &bytes);
        let (part, chain) = opened.map_err(|error| damaged(&error.to_string()))?;
        if let Part::End { parts } = part {
            if parts != read {
                return Err(damaged(&format!("{read} parts of its base instead of {parts}")));
            }
            self.parts = None;
            self.chain = self.base.chain;
            return Ok(None);
        }
        self.parts = Some(read + 1);
        self.chain = chain;
        Ok(Some(part))
    }

    /// The next record, held against its chain; `None` after the last one.
    pub(crate) fn next_record(&mut self) -> Result<Option<Found>, BackupError> {
        let Some(bytes) = frame(&mut self.from)? else {
            let whole = (self.last, self.chain) == self.end;
            return if whole {
                Ok(None)
            } else {
                Err(damaged(&format!("it ends at entry {}, and says {}", self.last, self.end.0)))
            };
        };
        if self.last >= self.end.0 {
            return Err(damaged("there is more after its end"));
        }
        self.info.bytes += 4 + bytes.len() as u64;
        let found = Found::sealed(self.last + 1, Bytes::from(bytes))
            .and_then(|found| found.follows(self.last, self.chain).map(|()| found))
            .map_err(|error| damaged(&error.to_string()))?;
        self.last = found.record.last();
        self.chain = found.record.chain;
        self.info.records += 1;
        self.info.entries += found.record.entries.len() as u64;
        Ok(Some(found))
    }
}

/// Reads a whole backup, and says what it is.
///
/// # Errors
/// See [`BackupError`].
pub fn verify_backup(
    from: impl Read,
    progress: impl FnMut(&BackupInfo),
) -> Result<BackupInfo, BackupError> {
    BackupReader::new(from)?.verify(progress)
}

fn damaged(what: &str) -> BackupError {
    BackupError::Damaged(what.to_owned())
}

/// Fills the buffer; `None` when there was nothing at all.
fn read_exact(from: &mut impl Read, buffer: &mut [u8]) -> Result<Option<()>, BackupError> {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..]) {
            Ok(0) if filled == 0 => return Ok(None),
            Ok(0) => return Err(damaged("it is cut short")),
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Some(()))
}

fn frame(from: &mut impl Read) -> Result<Option<Vec<u8>>, BackupError> {
    let mut length = [0; 4];
    if read_exact(from, &mut length)?.is_none() {
        return Ok(None);
    }
    let length = u32::from_le_bytes(length) as usize;
    if length > FRAME_BYTES_MAX {
        return Err(damaged(&format!("a record of {length} bytes, which is longer than any")));
    }
    let mut bytes = vec![0; length];
    read_exact(from, &mut bytes)?.ok_or_else(|| damaged("it is cut short"))?;
    Ok(Some(bytes))
}
