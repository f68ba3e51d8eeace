//! Making a copy: a reader of its own that follows the journal up to where it ended when it began. What is kept of a
//! beginning that is gone comes first, and stands still until the copy is done.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::sync::mpsc;

use super::{Backup, head};
use crate::{
    Position, ReadError,
    journal::{Shared, base::parts, records},
    record::{BackupHeader, Chain, Part, PartRecord},
};

/// Bytes that are handed on at once.
const CHUNK_BYTES: usize = 256 * 1024;
/// Chunks that wait for whoever writes them; the copy waits for it then, and nobody else does.
#[cfg(feature = "embedded")]
const CHUNKS: usize = 4;

type Chunk = Result<Bytes, ReadError>;

/// Begins a copy up to the end that [`Shared::durable_end`] gave; gives it, and the work that makes it, for a thread
/// that may block.
///
/// # Errors
/// The header cannot be written.
#[cfg(feature = "embedded")]
pub(crate) fn copy(
    shared: Arc<Shared>,
    end: (u64, Chain),
) -> Result<(Backup, impl FnOnce() + Send + 'static), ReadError> {
    let copying = Copying::begin(Arc::clone(&shared));
    let (header, head) = begin(&shared, end)?;
    let (sink, chunks) = mpsc::channel(CHUNKS);
    let backup = Backup { incarnation: shared.incarnation, position: Position(header.seq), chunks };
    // Ends by itself when nobody reads on.
    let work = move || {
        let _copying = copying;
        follow(&shared, &header, head, |chunk| sink.blocking_send(chunk).is_ok());
    };
    Ok((backup, work))
}

/// The same, made at once and where it is asked for, all of it in memory: for stores that are there, too.
///
/// # Errors
/// The header cannot be written.
pub(crate) fn copy_here(shared: &Arc<Shared>, end: (u64, Chain)) -> Result<Backup, ReadError> {
    let _copying = Copying::begin(Arc::clone(shared));
    let (header, head) = begin(shared, end)?;
    let mut made = Vec::new();
    follow(shared, &header, head, |chunk| {
        made.push(chunk);
        true
    });
    let (sink, chunks) = mpsc::channel(made.len().max(1));
    for chunk in made {
        // There is room for all of them.
        drop(sink.try_send(chunk));
    }
    Ok(Backup { incarnation: shared.incarnation, position: Position(header.seq), chunks })
}

/// What the copy is of, and the beginning of its file. The base stands still already.
fn begin(
    shared: &Shared,
    (seq, chain): (u64, Chain),
) -> Result<(BackupHeader, Vec<u8>), ReadError> {
    let base = shared.overlay().base;
    let (seq, chain) = if seq < base.seq { (base.seq, base.chain) } else { (seq, chain) };
    let header = BackupHeader { incarnation: shared.incarnation, seq, chain, base };
    let head = head(&header).map_err(|error| ReadError::Damaged(error.to_string()))?;
    Ok((header, head))
}

/// Hands the whole file on, piece by piece, or why that cannot be; until `hand_on` says that nobody wants more.
fn follow(
    shared: &Shared,
    header: &BackupHeader,
    head: Vec<u8>,
    mut hand_on: impl FnMut(Chunk) -> bool,
) {
    let mut file = File { chunk: BytesMut::from(&head[..]), hand_on: &mut hand_on };
    match write(shared, header, &mut file) {
        Ok(()) => {
            let rest = file.chunk.freeze();
            hand_on(Ok(rest));
        }
        Err(Stopped::Nobody) => {}
        Err(Stopped::By(error)) => {
            hand_on(Err(error));
        }
    }
}

/// Why a copy ends before its end.
enum Stopped {
    /// Nobody wants it any more.
    Nobody,
    By(ReadError),
}

/// A file in the making.
struct File<'a> {
    chunk: BytesMut,
    hand_on: &'a mut dyn FnMut(Chunk) -> bool,
}

impl File<'_> {
    fn frame(&mut self, bytes: &[u8]) -> Result<(), Stopped> {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.chunk.extend_from_slice(&length.to_le_bytes());
        self.chunk.extend_from_slice(bytes);
        if self.chunk.len() >= CHUNK_BYTES && !(self.hand_on)(Ok(self.chunk.split().freeze())) {
            return Err(Stopped::Nobody);
        }
        Ok(())
    }
}

fn write(shared: &Shared, header: &BackupHeader, file: &mut File<'_>) -> Result<(), Stopped> {
    let stopped = || shared.stopped().map_err(Stopped::By);
    let unread = |error| Stopped::By(shared.read_error(error));
    let base = &header.base;
    if base.seq > 0 {
        let (mut chain, mut number) = (base.chain, 0);
        let mut frame = |part: &Part| {
            let (bytes, after) =
                PartRecord::seal(chain, part).map_err(|error| unread(error.into()))?;
            chain = after;
            file.frame(&bytes)
        };
        for part in parts(&*shared.kv) {
            stopped()?;
            frame(&part.map_err(unread)?)?;
            number += 1;
        }
        frame(&Part::End { parts: number })?;
    }
    for found in records(&*shared.kv, base.seq + 1, header.seq) {
        stopped()?;
        file.frame(&found.map_err(unread)?.bytes)?;
    }
    Ok(())
}

/// As long as there is one, the base stands still.
#[derive(Debug)]
struct Copying(Arc<Shared>);

impl Copying {
    fn begin(shared: Arc<Shared>) -> Self {
        *shared.copies() += 1;
        Self(shared)
    }
}

impl Drop for Copying {
    fn drop(&mut self) {
        *self.0.copies() -= 1;
    }
}
