//! The decoder of stored records, as one function for tests of damage.

use std::fmt::Debug;

use crate::record::{
    ClaimRow, CountRow, HistoryRow, InboxRow, JournalRecord, MarkRecord, MetaRow, Record, ViewRow,
    WatermarkRow, decode, encode,
};

/// Reads bytes as every kind of record there is. Each refuses them, or reads what it would read again after writing.
///
/// # Panics
/// If one does not: a fault of ours.
pub fn read_as_every_record(bytes: &[u8]) {
    survives::<JournalRecord>(bytes);
    survives::<ViewRow>(bytes);
    survives::<ClaimRow>(bytes);
    survives::<HistoryRow>(bytes);
    survives::<InboxRow>(bytes);
    survives::<MetaRow>(bytes);
    survives::<WatermarkRow>(bytes);
    survives::<CountRow>(bytes);
    survives::<MarkRecord>(bytes);
}

fn survives<R: Record + Debug + PartialEq>(bytes: &[u8]) {
    if let Ok(record) = decode::<R>(bytes) {
        let again = encode(&record).and_then(|bytes| decode::<R>(&bytes));
        assert_eq!(again.as_ref(), Ok(&record), "{} written again", R::KIND);
    }
}
