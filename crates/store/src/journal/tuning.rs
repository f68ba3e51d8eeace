//! How far the rows may lag behind the journal, and in what portions they are written.

/// The bounds of the write-behind. The defaults suit an embedded store; tests make them small.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tuning {
    /// Rows that wait before slices ride along with the groups. Below it, an entity that moves on soon is written once
    /// instead of at every step.
    pub lag_rows: usize,
    /// Bytes of rows that wait before slices ride along.
    pub lag_bytes: usize,
    /// Journal entries past the watermark before slices ride along; bounds what an open has to replay.
    pub lag_entries: u64,
    /// The writer stops taking commits at so many times the bounds above, until it has caught up.
    pub stop_factor: usize,
    /// Rows in one slice, unless the groups bring in more.
    pub slice_rows: usize,
    /// Bytes in one slice (one row more may be in it).
    pub slice_bytes: usize,
    /// Entities at rest that are sealed together; so many wait for each other unless the rows lag.
    pub seal_entities: usize,
    /// So many tables of a level of the index of sealed entities are merged into one of the next, at least two. Fewer are
    /// asked faster, and written more often.
    pub merge_tables: usize,
    /// Keys of a merge that one slice writes at least; a slice that seals writes as many as it takes to keep up.
    pub merge_keys: usize,
    /// Journal records whose chain is checked at every open, besides the replayed tail.
    pub tail_records: usize,
}

impl Tuning {
    /// For a store of a service: about 8 MiB of memory, a replay of well under a second.
    #[must_use]
    pub fn embedded() -> Self {
        Self {
            lag_rows: 4_096,
            lag_bytes: 8 * 1024 * 1024,
            lag_entries: 65_536,
            stop_factor: 4,
            slice_rows: 64,
            slice_bytes: 256 * 1024,
            seal_entities: 512,
            merge_tables: 8,
            merge_keys: 4_096,
            tail_records: 1_024,
        }
    }
}
