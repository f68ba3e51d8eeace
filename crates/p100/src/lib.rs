//! The client of P100's Partner API: wire format, mapping, webhooks.
