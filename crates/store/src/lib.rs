//! The durable store: its port, the journal, and the embedded backends.
