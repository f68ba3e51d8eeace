//! The engine's HTTP API as a router that a service can mount.
