//! Draws a plan from a seed. Each seed leaves most kinds of faults out, so that those it has meet each other undisturbed.

use std::time::Duration;

use orderkeep_core::{Policy, policy::Polling};
use orderkeep_sandbox::{
    CallChances, Dialect, FaultScript, LatePolicy, MissingFields, ModelConfig, OrderWords,
    OutageMode, Range, SecondCreate, WebhookChances,
};
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::{Ask, Fault, Forged, Kind, Millis, Network, Plan, Sale};
use crate::Twin;

/// Draws.
struct Dice(StdRng);

impl Dice {
    fn chance(&mut self, thousandths: u32) -> bool {
        self.0.random_range(0..1_000) < thousandths
    }

    fn between(&mut self, least: Millis, most: Millis) -> Millis {
        self.0.random_range(least..=most.max(least))
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.0.random_range(0..from.len())]
    }

    /// Short mostly, long sometimes.
    fn down(&mut self) -> Millis {
        match self.between(0, 9) {
            0..=5 => self.between(0, 3_000),
            6..=8 => self.between(3_000, 40_000),
            _ => self.between(40_000, 600_000),
        }
    }
}

/// The plan of a seed.
#[must_use]
pub fn draw(seed: u64, twin: Option<Twin>) -> Plan {
    let mut dice = Dice(StdRng::seed_from_u64(seed));
    let provider = provider(&mut dice);
    let quiet_at = dice.between(60_000, 240_000);
    let sales: Vec<Sale> =
        (0..dice.pick(&[1, 1, 1, 2, 2, 3])).map(|_| sale(&mut dice, &provider)).collect();
    let trusts = dice.chance(60);
    let policy = policy(&mut dice, &provider, trusts);
    let mut faults = faults(&mut dice, sales.len(), quiet_at, trusts);
    faults.sort_by_key(|(at, _)| *at);
    let chances = chances(&mut dice, trusts);
    let network = Network {
        late_requests: some(&mut dice, 250, 60),
        lost_answers: some(&mut dice, 250, 60),
        no_connection: some(&mut dice, 250, 120),
        create_answers_after: 0,
    };
    // Words on the way to an end: an end that nobody understands is a person's matter, and no run would come to it.
    let words = ["WAITING_FOR_CONFIRMATION", "WAITING_FOR_PAYMENT", "UNDERPAID"];
    let unknown_word = dice.chance(60).then(|| dice.pick(&words));
    let (mut sales, mut faults) = (sales, faults);
    add_later_kinds(seed, quiet_at, &mut sales, &mut faults);
    Plan {
        seed,
        twin,
        provider,
        unknown_word,
        chances,
        policy,
        network,
        sales,
        faults,
        quiet_at,
        refuses_fresh_locks: false,
        expired_is_underpaid: false,
    }
}

/// What was thought of later, drawn apart: the rest of a seed's plan stays what it was.
fn add_later_kinds(
    seed: u64,
    quiet_at: Millis,
    sales: &mut [Sale],
    faults: &mut Vec<(Millis, Fault)>,
) {
    let mut dice = Dice(StdRng::seed_from_u64(seed ^ 0x6c61_7465_7200));
    if dice.chance(120) {
        let at = dice.between(3_000, 60_000.min(quiet_at - 1));
        faults.push((at, fault(&mut dice, Kind::Restore, 1)));
        faults.sort_by_key(|(at, _)| *at);
    }
    if dice.chance(200) {
        for sale in sales {
            // Below what the first lock asks, too: then there is none that may be taken.
            sale.relock = dice.chance(700).then(|| dice.pick(&[50, 99, 100, 101, 150]));
        }
    }
}

/// Nothing mostly, otherwise up to `most`.
fn some(dice: &mut Dice, chance: u32, most: u32) -> u32 {
    if dice.chance(chance) { dice.0.random_range(1..=most) } else { 0 }
}

fn provider(dice: &mut Dice) -> ModelConfig {
    ModelConfig {
        dialect: dice.pick(&[Dialect::B, Dialect::C]),
        order_words: dice.pick(&[OrderWords::B, OrderWords::C]),
        missing_fields: dice.pick(&[MissingFields::Null, MissingFields::Absent]),
        lock_ttl_ms: dice.between(20_000, 60_000),
        order_ttl_ms: dice.between(60_000, 180_000),
        wallet_delay_ms: dice.between(100, 8_000),
        wallet_delay_spread_ms: dice.between(0, 2_000),
        required_confirmations: dice.0.random_range(0..=2),
        confirmation_interval_ms: dice.between(1_000, 8_000),
        execution_delay_ms: dice.between(100, 3_000),
        // The worst case for whoever posts twice comes most often.
        second_create: dice.pick(&[
            SecondCreate::SecondOrder,
            SecondCreate::SecondOrder,
            SecondCreate::Refused,
            SecondCreate::SameOrder,
        ]),
        late_policy: dice.pick(&[LatePolicy::Held, LatePolicy::Executed]),
        webhook_each_confirmation: dice.chance(500),
        webhook_on_create: dice.chance(300),
        ..ModelConfig::default()
    }
}

fn sale(dice: &mut Dice, provider: &ModelConfig) -> Sale {
    let soon = |dice: &mut Dice| dice.between(500, 40_000);
    let payments = match dice.between(0, 11) {
        0 => Vec::new(),
        1 => vec![(soon(dice), 60)],
        2 => vec![(soon(dice), 130)],
        3 => vec![(provider.order_ttl_ms + dice.between(0, 30_000), 100)],
        4 => vec![(soon(dice), 50), (provider.order_ttl_ms + dice.between(0, 30_000), 60)],
        5 => vec![(soon(dice), 50), (soon(dice) + 5_000, 50)],
        // At the very end of its time.
        6 => vec![(provider.order_ttl_ms - dice.between(-1, 1), 100)],
        _ => vec![(soon(dice), 100)],
    };
    let lock_at = dice.between(0, 10_000);
    let submit_after =
        if dice.chance(100) { dice.between(0, provider.lock_ttl_ms + 5_000) } else { 50 };
    Sale { lock_at, locked_by_engine: dice.chance(200), submit_after, relock: None, payments }
}

fn policy(dice: &mut Dice, provider: &ModelConfig, trusts: bool) -> Policy {
    let seconds = |from: i64, to: i64, dice: &mut Dice| {
        Duration::from_secs(u64::try_from(dice.between(from, to)).unwrap_or(0))
    };
    let alive = provider.wallet_delay_ms + provider.wallet_delay_spread_ms + provider.order_ttl_ms;
    let alive = Duration::from_millis(u64::try_from(alive).unwrap_or(0));
    let window = alive + seconds(10, 60, dice);
    let defaults = Policy::default();
    Policy {
        provider_order_window: dice.chance(850).then_some(window),
        unknown_create_review_after: seconds(20, 90, dice),
        wallet_review_after: seconds(60, 180, dice),
        confirming_review_after: seconds(120, 400, dice),
        overdue_review_after: seconds(60, 200, dice),
        unknown_status_review_after: seconds(20, 90, dice),
        // Longer than the reads lag.
        not_found_grace: seconds(20, 60, dice),
        trust_claimed_address: trusts,
        trust_claimed_executed: trusts,
        trust_claimed_failed: trusts,
        watch_after_end: Duration::from_secs(4 * 3_600),
        polling: Polling {
            watch: (Duration::from_secs(30), Duration::from_secs(120)),
            ..defaults.polling.clone()
        },
        ..defaults
    }
}

/// How often each kind is in a plan, in thousandths.
const KINDS: [(Kind, u32); 16] = [
    (Kind::Crash, 250),
    (Kind::PowerCut, 300),
    (Kind::CrashInCreate, 150),
    (Kind::Restart, 100),
    (Kind::DiskFull, 80),
    (Kind::DiskSlow, 150),
    (Kind::Outage, 150),
    (Kind::Partition, 150),
    (Kind::ClockJump, 100),
    (Kind::ForgedWebhook, 200),
    (Kind::Reversal, 80),
    (Kind::ProviderFailure, 80),
    (Kind::Reorganisation, 80),
    (Kind::Command, 250),
    (Kind::SubmitAgain, 200),
    (Kind::KeyReused, 60),
];

fn faults(dice: &mut Dice, sales: usize, quiet_at: Millis, trusts: bool) -> Vec<(Millis, Fault)> {
    let mut faults = Vec::new();
    for (kind, chance) in KINDS {
        // Whoever trusts claims believes forged ones as well.
        if !dice.chance(chance) || (trusts && kind == Kind::ForgedWebhook) {
            continue;
        }
        for _ in 0..dice.pick(&[1, 1, 2, 3]) {
            // Most things happen in the first minute; and what comes late meets what is nearly over.
            let most = if dice.chance(700) { 60_000.min(quiet_at) } else { quiet_at };
            let at = dice.between(0, most - 1);
            faults.push((at, fault(dice, kind, sales)));
        }
    }
    faults
}

fn fault(dice: &mut Dice, kind: Kind, sales: usize) -> Fault {
    let sale = dice.0.random_range(0..sales);
    let lasts = dice.between(500, 60_000);
    match kind {
        Kind::Crash => Fault::Crash { down: dice.down() },
        Kind::PowerCut => Fault::PowerCut {
            operation: dice.0.random_range(0..24),
            after: dice.chance(500),
            keep: dice.pick(&[0, 0, 1]),
            down: dice.down(),
        },
        Kind::CrashInCreate => Fault::CrashInCreate { sent: dice.chance(700), down: dice.down() },
        Kind::Restart => Fault::Restart { down: dice.down() },
        Kind::DiskFull => Fault::DiskFull { lasts },
        Kind::DiskSlow => Fault::DiskSlow { lasts, delay: dice.between(5, 3_000) },
        Kind::Outage => {
            let mode = dice.pick(&[OutageMode::Http503, OutageMode::Drop, OutageMode::Refuse]);
            let lasts = if dice.chance(200) { lasts * 4 } else { lasts };
            Fault::Outage { lasts, mode }
        }
        Kind::Partition => Fault::Partition { lasts, silent: dice.chance(400) },
        Kind::ClockJump => {
            let most = dice.pick(&[3_000, 60_000, 600_000]);
            Fault::ClockJump { by: dice.between(-most, most) }
        }
        Kind::ForgedWebhook => Fault::ForgedWebhook {
            sale,
            says: dice.pick(&[
                Forged::OrderOfOurLock,
                Forged::Address,
                Forged::End,
                Forged::Stranger,
                Forged::AnotherLock,
                Forged::UnknownWord,
            ]),
        },
        Kind::Reversal => Fault::Reversal { sale },
        Kind::ProviderFailure => Fault::ProviderFailure { sale },
        Kind::Reorganisation => Fault::Reorganisation { sale },
        Kind::Command => Fault::Command {
            sale,
            ask: dice.pick(&[
                Ask::Cancel,
                Ask::Retry,
                Ask::Note,
                Ask::AdoptOurs,
                Ask::AdoptAnother,
                Ask::Acknowledge,
                Ask::NoProviderOrder,
                Ask::PostAgain,
            ]),
        },
        Kind::SubmitAgain => Fault::SubmitAgain { sale },
        Kind::KeyReused => Fault::KeyReused { sale },
        Kind::Restore => Fault::Restore {
            age: dice.between(0, 30_000),
            down: dice.down(),
            lift_after: dice.between(0, 300_000),
        },
    }
}

fn chances(dice: &mut Dice, trusts: bool) -> FaultScript {
    let mut some = |chance, most| some(dice, chance, most);
    let create = CallChances {
        answer_lost: some(250, 100),
        answer_hung: some(150, 60),
        dropped: some(150, 60),
        p500_before: some(150, 60),
        p501_before: some(150, 60),
        p500_after: some(150, 60),
        p501_after: some(150, 60),
        denied: some(100, 60),
        throttled: some(150, 100),
        garbage: some(150, 60),
        slow: some(200, 150),
        stale: 0,
    };
    let details = CallChances {
        answer_lost: some(150, 80),
        answer_hung: some(80, 30),
        dropped: some(150, 80),
        p500_before: some(150, 80),
        p501_before: some(150, 80),
        p500_after: 0,
        p501_after: 0,
        denied: some(60, 40),
        throttled: some(150, 80),
        garbage: some(150, 60),
        slow: some(200, 150),
        stale: some(250, 300),
    };
    let lock =
        CallChances { answer_lost: some(100, 80), slow: some(100, 80), ..CallChances::default() };
    let webhooks = WebhookChances {
        lost_all: some(350, 500),
        lost_try: some(250, 300),
        doubled: some(250, 300),
        delayed: some(250, 300),
        reordered: some(250, 300),
        forged: if trusts { 0 } else { some(150, 200) },
    };
    FaultScript {
        lock,
        create,
        details,
        webhooks,
        slow_ms: Range { min: 200, max: 20_000 },
        stale_ms: Range { min: 500, max: 15_000 },
        webhook_delay_ms: Range { min: 500, max: 60_000 },
        ..FaultScript::default()
    }
}
