//! Carries every order from a locked rate to its end: the engine to embed in a service.
//!
//! ```no_run
//! use std::sync::Arc;
//! use orderkeep::{AccountId, Engine, p100::{P100, P100Config, Secret}};
//!
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! let mut config = P100Config::new("https://partner-api-stage.p100.io", Secret::from_env("P100_API_KEY")?);
//! config.webhook_tokens = vec![Secret::from_env("P100_WEBHOOK_TOKEN")?];
//! let engine = Engine::builder()
//!     .store(orderkeep::open("data/orders").await?)
//!     .account(AccountId::main(), Arc::new(P100::new(config)?))
//!     .start()
//!     .await?;
//! # Ok(())
//! # }
//! ```
//!
//! Nothing is global: no runtime is made, no subscriber or metrics recorder is installed, the process is never ended.
//! The engine runs as tasks of the runtime it is started on, until [`Engine::shutdown`].
//!
//! Features: `sled` (the embedded store), `p100` (the provider's client), `http` (the API as a router), `webhooks`
//! (webhooks out), all on by default; `redb` (the other embedded store).

pub use orderkeep_core::{self as core, *};
pub use orderkeep_driver::*;
#[cfg(feature = "http")]
pub use orderkeep_http as http;
#[cfg(feature = "webhooks")]
pub use orderkeep_outbox as outbox;
#[cfg(feature = "p100")]
pub use orderkeep_p100 as p100;
#[cfg(feature = "webhooks")]
pub mod webhooks;
pub use orderkeep_provider as provider;
pub use orderkeep_store as store;

#[cfg(any(feature = "sled", feature = "redb"))]
mod open;
#[cfg(any(feature = "sled", feature = "redb"))]
pub use open::{open, open_with};
