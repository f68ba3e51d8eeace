//! What runs the lifecycle: shards, calls, inbox, reconciliation.
