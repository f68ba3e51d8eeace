//! The decoder of stored records, as one function for tests of damage.

use std::fmt::Debug;

use crate::record::{
    BlockRecord, ClaimRow, CountRow, FilterRecord, HistoryRow, InboxRow, IndexRow, MarkRecord,
    MetaRow, MovedRow, Record, TablesRow, ViewRow, WatermarkRow, decode, encode, open, seal,
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
    survives::<TablesRow>(bytes);
    survives::<MovedRow>(bytes);
    sealed_survives(bytes);
}

fn survives<R: Record + Debug + PartialEq>(bytes: &[u8]) {
    if let Ok(record) = decode::<R>(bytes) {
        let again = encode(&record).and_then(|bytes| decode::<R>(&bytes));
        assert_eq!(again.as_ref(), Ok(&record), "{} written again", R::KIND);
    }
}

/// So have those of what is sealed.
fn sealed_survives(bytes: &[u8]) {
    if let Ok(entities) = BlockRecord::open(bytes) {
        let again = BlockRecord::seal(&entities).and_then(|bytes| BlockRecord::open(&bytes));
        assert_eq!(again, Ok(entities), "block written again");
    }
    if let Ok(entries) = IndexRow::open(bytes) {
        let again = IndexRow::seal(entries.clone()).and_then(|bytes| IndexRow::open(&bytes));
        assert_eq!(again, Ok(entries), "index row written again");
    }
    if let Ok(bits) = FilterRecord::open(bytes) {
        let again = FilterRecord::open(&FilterRecord::seal(&bits));
        assert_eq!(again, Ok(bits), "filter written again");
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
