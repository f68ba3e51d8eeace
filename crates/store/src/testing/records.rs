//! The decoder of stored records, as one function for tests of damage.

use std::fmt::Debug;

use crate::record::{
    ClaimRow, CountRow, HistoryRow, InboxRow, MarkRecord, MetaRow, Record, ViewRow, WatermarkRow,
    decode, encode, open, seal,
};

/// Reads bytes as every kind of record there is. Each refuses them, or reads what it would read again after writing.
///
/// # Panics
/// If one does not: a fault of ours.
pub fn read_as_every_record(bytes: &[u8]) {
    journal_survives(bytes);
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

/// The journal's records have a frame of their own.
fn journal_survives(bytes: &[u8]) {
    if let Ok(record) = open(bytes) {
        let again = seal(record.chain, record.first, record.entries.clone());
        let entries = again.and_then(|sealed| open(&sealed.bytes)).map(|record| record.entries);
        assert_eq!(entries.as_ref(), Ok(&record.entries), "journal written again");
    }
}
