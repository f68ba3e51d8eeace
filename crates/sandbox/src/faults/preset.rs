//! The presets' numbers, in one table to argue about.

use super::{CallChances, FaultScript, WebhookChances};

/// See [`FaultScript::rough`].
pub(super) fn rough() -> FaultScript {
    FaultScript {
        lock: CallChances {
            p500_before: 10,
            p501_before: 10,
            throttled: 30,
            slow: 50,
            ..CallChances::default()
        },
        create: CallChances {
            // Six in a hundred creates lose their answer though the order was made, a quarter of them by hanging.
            answer_lost: 45,
            answer_hung: 15,
            p500_after: 20,
            p500_before: 10,
            p501_before: 10,
            throttled: 30,
            slow: 50,
            ..CallChances::default()
        },
        details: CallChances {
            p500_before: 10,
            p501_before: 10,
            dropped: 20,
            throttled: 30,
            slow: 50,
            stale: 100,
            ..CallChances::default()
        },
        rates: CallChances { p501_before: 20, slow: 50, ..CallChances::default() },
        webhooks: WebhookChances {
            lost_all: 40,
            lost_try: 100,
            doubled: 100,
            delayed: 50,
            reordered: 50,
            forged: 20,
        },
        ..FaultScript::default()
    }
}
