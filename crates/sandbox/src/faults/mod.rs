//! What goes wrong: the script, and the dice that decide by it.
//!
//! The script is plain data. It knows nothing of HTTP: how an unanswered call looks on a wire is the server's
//! business. Rules come first (exact, for tests), chances after them (for long runs).

mod chance;
mod dice;
mod kind;
mod preset;
mod script;

pub use chance::{CallChances, Range, WebhookChances};
pub(crate) use dice::Dice;
pub use kind::{CallFault, Endpoint, ErrorCode, Forgery, GarbageShape, OutageMode, WebhookFault};
pub use script::{FaultError, FaultScript, Outage, Rule, RuleFault};
