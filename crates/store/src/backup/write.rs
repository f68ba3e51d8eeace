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
const CHUNKS: usize = 4;

/// Begins a copy up to the end that [`Shared::durable_end`] gave; gives it, and the work that makes it, for a thread
/// that may block.
///
/// # Errors
/// The header cannot be written.
pub(crate) fn copy(
    shared: Arc<Shared>,
    (seq, chain): (u64, Chain),
) -> Result<(Backup, impl FnOnce() + Send + 'static), ReadError> {
    let header = BackupHeader { incarnation: shared.incarnation, seq, chain };
    let head = head(&header).map_err(|error| ReadError::Damaged(error.to_string()))?;
    let (sink, chunks) = mpsc::channel(CHUNKS);
    let backup = Backup { incarnation: shared.incarnation, position: Position(seq), chunks };
    let work = move || {
        if let Err(Some(error)) = follow(&shared, seq, head, &sink) {
            // Who asked may have gone.
            drop(sink.blocking_send(Err(error)));
        }
    };
    Ok((backup, work))
}

/// `Err(None)`: nobody wants it any more.
fn follow(
    shared: &Shared,
    seq: u64,
    head: Vec<u8>,
    sink: &mpsc::Sender<Result<Bytes, ReadError>>,
) -> Result<(), Option<ReadError>> {
    let mut chunk = BytesMut::from(&head[..]);
    for found in records(&*shared.kv, 1, seq) {
        shared.stopped().map_err(Some)?;
        let found = found.map_err(|error| Some(shared.read_error(error)))?;
        let length = u32::try_from(found.bytes.len()).unwrap_or(u32::MAX);
        chunk.extend_from_slice(&length.to_le_bytes());
        chunk.extend_from_slice(&found.bytes);
        if chunk.len() >= CHUNK_BYTES {
            sink.blocking_send(Ok(chunk.split().freeze())).map_err(|_| None)?;
        }
    }
    sink.blocking_send(Ok(chunk.freeze())).map_err(|_| None)
}
