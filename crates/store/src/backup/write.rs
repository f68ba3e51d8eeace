//! Making a copy: a reader of its own that follows the journal up to where it ended when it began.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::sync::mpsc;

use super::{Backup, head};
use crate::{
    Position, ReadError,
    journal::{Shared, records},
    record::{BackupHeader, Chain},
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
    let head = header(&shared, end)?;
    let (sink, chunks) = mpsc::channel(CHUNKS);
    let backup = Backup { incarnation: shared.incarnation, position: Position(end.0), chunks };
    // Ends by itself when nobody reads on.
    let work = move || follow(&shared, end.0, head, |chunk| sink.blocking_send(chunk).is_ok());
    Ok((backup, work))
}

/// The same, made at once and where it is asked for, all of it in memory: for stores that are there, too.
///
/// # Errors
/// The header cannot be written.
pub(crate) fn copy_here(shared: &Arc<Shared>, end: (u64, Chain)) -> Result<Backup, ReadError> {
    let head = header(shared, end)?;
    let mut made = Vec::new();
    follow(shared, end.0, head, |chunk| {
        made.push(chunk);
        true
    });
    let (sink, chunks) = mpsc::channel(made.len().max(1));
    for chunk in made {
        // There is room for all of them.
        drop(sink.try_send(chunk));
    }
    Ok(Backup { incarnation: shared.incarnation, position: Position(end.0), chunks })
}

fn header(shared: &Shared, (seq, chain): (u64, Chain)) -> Result<Vec<u8>, ReadError> {
    let header = BackupHeader { incarnation: shared.incarnation, seq, chain };
    head(&header).map_err(|error| ReadError::Damaged(error.to_string()))
}

/// Hands the whole file on, piece by piece, or why that cannot be; until `hand_on` says that nobody wants more.
fn follow(shared: &Shared, seq: u64, head: Vec<u8>, mut hand_on: impl FnMut(Chunk) -> bool) {
    let mut chunk = BytesMut::from(&head[..]);
    for found in records(&*shared.kv, 1, seq) {
        let found = match shared.stopped().and_then(|()| found.map_err(|e| shared.read_error(e))) {
            Ok(found) => found,
            Err(error) => {
                hand_on(Err(error));
                return;
            }
        };
        let length = u32::try_from(found.bytes.len()).unwrap_or(u32::MAX);
        chunk.extend_from_slice(&length.to_le_bytes());
        chunk.extend_from_slice(&found.bytes);
        if chunk.len() >= CHUNK_BYTES && !hand_on(Ok(chunk.split().freeze())) {
            return;
        }
    }
    hand_on(Ok(chunk.freeze()));
}
