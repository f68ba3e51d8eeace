//! The decoder of stored records, as one function for tests of damage.

use std::fmt::Debug;

use crate::record::{
    BackupHeader, BaseRow, BlockRecord, Chain, ClaimRow, CountRow, FilterRecord, HistoryRow,
    InboxRow, IndexRow, KeptEvents, KeptItem, KeptView, LeftRow, MarkRecord, MetaRow, MovedRow,
    PartRecord, Record, TablesRow, TimesRow, ViewRow, WatermarkRow, decode, encode, open, seal,
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
    survives::<BaseRow>(bytes);
    survives::<LeftRow>(bytes);
    survives::<TimesRow>(bytes);
    survives::<BackupHeader>(bytes);
    kept_survives(bytes);
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

/// So have those of what is kept.
fn kept_survives(bytes: &[u8]) {
    if let Ok(row) = KeptView::open(bytes) {
        let again = KeptView::seal(row.clone()).and_then(|bytes| KeptView::open(&bytes));
        assert_eq!(again, Ok(row), "kept view written again");
    }
    if let Ok(events) = KeptEvents::open(bytes) {
        let again = KeptEvents::seal(&events).and_then(|bytes| KeptEvents::open(&bytes));
        assert_eq!(again, Ok(events), "kept events written again");
    }
    if let Ok(row) = KeptItem::open(bytes) {
        let again = KeptItem::seal(row.clone()).and_then(|bytes| KeptItem::open(&bytes));
        assert_eq!(again, Ok(row), "kept item written again");
    }
    if let Ok((part, _)) = PartRecord::open(Chain::default(), bytes) {
        let again = PartRecord::seal(Chain::default(), &part)
            .and_then(|(bytes, _)| PartRecord::open(Chain::default(), &bytes));
        assert_eq!(again.map(|(part, _)| part), Ok(part), "part written again");
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
