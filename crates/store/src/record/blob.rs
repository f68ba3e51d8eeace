//! Bytes that are packed smaller where that helps. A whole group of entries repeats itself a lot: words, and the names
//! that every event of an order carries.

use std::cell::RefCell;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use zstd::bulk::{Compressor, Decompressor};

use super::{DECODE_LIMIT, RecordError};

/// The fastest one that still packs hexadecimal digits as what they are.
const LEVEL: i32 = 1;

/// Fewer bytes are not worth a frame.
const WORTH_IT: usize = 64;

/// Packed bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Blob {
    /// As they are.
    Plain(Bytes),
    /// A frame of zstd.
    Zstd {
        /// Of the unpacked bytes.
        size: u32,
        frame: Bytes,
    },
}

thread_local! {
    static COMPRESSOR: RefCell<Option<Packer>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

impl Blob {
    pub(super) fn pack(bytes: &[u8]) -> Self {
        if bytes.len() < WORTH_IT {
            return Self::Plain(Bytes::copy_from_slice(bytes));
        }
        match (u32::try_from(bytes.len()), compress(bytes)) {
            (Ok(size), Ok(frame)) if frame.len() < bytes.len() => Self::Zstd { size, frame },
            // It does not help, or there is no memory for it.
            (Ok(_) | Err(_), Ok(_) | Err(_)) => Self::Plain(Bytes::copy_from_slice(bytes)),
        }
    }

    pub(super) fn unpack(&self, kind: &'static str) -> Result<Bytes, RecordError> {
        let malformed = |why: String| RecordError::Malformed { kind, why };
        let (size, frame) = match self {
            Self::Plain(bytes) => return Ok(bytes.clone()),
            Self::Zstd { size, frame } => (*size as usize, frame),
        };
        if size > DECODE_LIMIT {
            return Err(malformed(format!("it says that it unpacks to {size} bytes")));
        }
        let bytes = decompress(frame, size).map_err(|error| malformed(error.to_string()))?;
        if bytes.len() != size {
            return Err(malformed(format!("it unpacks to {} bytes, not {size}", bytes.len())));
        }
        Ok(bytes.into())
    }

    /// Bytes that it takes.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Plain(bytes) => bytes.len(),
            Self::Zstd { frame, .. } => frame.len(),
        }
    }
}

/// What is kept between frames: making a context costs more than a small group, and room for the worst case as well.
struct Packer {
    compressor: Compressor<'static>,
    room: Vec<u8>,
}

fn compress(bytes: &[u8]) -> std::io::Result<Bytes> {
    COMPRESSOR.with_borrow_mut(|kept| {
        let Packer { compressor, room } = match kept {
            Some(packer) => packer,
            None => kept.insert(Packer { compressor: Compressor::new(LEVEL)?, room: Vec::new() }),
        };
        room.clear();
        room.reserve(zstd::zstd_safe::compress_bound(bytes.len()));
        compressor.compress_to_buffer(bytes, room)?;
        Ok(Bytes::copy_from_slice(room))
    })
}

fn decompress(frame: &[u8], size: usize) -> std::io::Result<Vec<u8>> {
    DECOMPRESSOR.with_borrow_mut(|kept| {
        let decompressor = match kept {
            Some(decompressor) => decompressor,
            None => kept.insert(Decompressor::new()?),
        };
        decompressor.decompress(frame, size)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_repeats_is_packed_and_what_does_not_is_left() {
        let repeats = b"transaction ".repeat(100);
        let packed = Blob::pack(&repeats);
        assert!(packed.len() < 60, "{}", packed.len());
        assert_eq!(packed.unpack("test").unwrap(), repeats);
        let short = Blob::pack(b"short");
        assert_eq!(short, Blob::Plain(Bytes::from_static(b"short")));
    }

    #[test]
    fn a_frame_that_lies_about_its_size_is_refused() {
        let Blob::Zstd { size, frame } = Blob::pack(&[7; 1_000]) else { panic!() };
        for wrong in [0, size - 1, size + 1, u32::MAX] {
            let blob = Blob::Zstd { size: wrong, frame: frame.clone() };
            assert!(matches!(blob.unpack("test"), Err(RecordError::Malformed { .. })), "{wrong}");
        }
    }
}
