//! The state after a change, as the journal holds it: whole, or as what is new against the state before.
//!
//! An order's state is written at every step and hardly differs from the one before. Whoever replays an entry has the
//! state before it in hand; nobody else needs this one.

use std::cell::RefCell;

use bytes::Bytes;
use lz4_flex::block::{compress_into_with_dict, decompress_with_dict, get_maximum_output_size};
use serde::{Deserialize, Serialize};

use super::RecordError;
use crate::limits;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum NewView {
    Whole(Bytes),
    /// An LZ4 block whose dictionary is the view before.
    Patch {
        /// Of the whole view.
        size: u32,
        block: Bytes,
    },
}

impl NewView {
    /// The smaller of both ways to write `view` down after `before`.
    pub(crate) fn after(before: &[u8], view: Bytes) -> Self {
        let Ok(size) = u32::try_from(view.len()) else {
            return Self::Whole(view);
        };
        if before.is_empty() {
            return Self::Whole(view);
        }
        match patch(before, &view) {
            Some(block) => Self::Patch { size, block },
            None => Self::Whole(view),
        }
    }

    /// The whole view, given the one before.
    pub(crate) fn whole(&self, before: &[u8]) -> Result<Bytes, RecordError> {
        let malformed = |why: String| RecordError::Malformed { kind: "journal", why };
        match self {
            Self::Whole(view) => Ok(view.clone()),
            Self::Patch { size, block } => {
                let size = *size as usize;
                if size > limits::ENTRY_BYTES {
                    return Err(malformed(format!("a view says that it has {size} bytes")));
                }
                let view = decompress_with_dict(block, size, before).map_err(|error| {
                    malformed(format!("a view against the one before: {error}"))
                })?;
                if view.len() != size {
                    return Err(malformed(format!("a view has {} bytes, not {size}", view.len())));
                }
                Ok(view.into())
            }
        }
    }

    /// Bytes that it takes.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Whole(view) => view.len(),
            Self::Patch { block, .. } => block.len(),
        }
    }
}

/// The block, where it is smaller than the view.
fn patch(before: &[u8], view: &[u8]) -> Option<Bytes> {
    thread_local! {
        /// Room for the worst case, kept from one view to the next.
        static ROOM: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    ROOM.with_borrow_mut(|room| {
        let most = get_maximum_output_size(view.len());
        if room.len() < most {
            room.resize(most, 0);
        }
        let written = compress_into_with_dict(view, room, before).ok()?;
        let block = room.get(..written)?;
        (block.len() < view.len()).then(|| Bytes::copy_from_slice(block))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_view_comes_back_from_the_one_before(
            before in prop::collection::vec(0_u8..4, 0..2_000),
            cut in any::<prop::sample::Index>(),
            more in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let at = cut.index(before.len() + 1);
            let view = Bytes::from([&before[..at], &more[..], &before[at..]].concat());
            let written = NewView::after(&before, view.clone());
            prop_assert!(written.len() <= view.len());
            prop_assert_eq!(written.whole(&before).unwrap(), view);
        }

        #[test]
        fn no_patch_makes_it_panic(
            size in 0_u32..4_000,
            block in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let _ = NewView::Patch { size, block: block.into() }.whole(b"the view before");
        }
    }

    #[test]
    fn a_small_change_of_a_large_view_is_small() {
        let before: Vec<u8> =
            (0..=255_u8).cycle().map(|byte| byte.wrapping_mul(31)).take(900).collect();
        let mut view = before.clone();
        view[500] ^= 0xff;
        assert!(NewView::after(&before, view.into()).len() < 40);
    }
}
