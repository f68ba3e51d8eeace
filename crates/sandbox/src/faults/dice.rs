//! The seeded dice: which fault strikes this call, which strike this event. Every strike is counted here, so a test
//! can check that what was planned happened.

use std::collections::BTreeMap;

use rand::{Rng, SeedableRng, rngs::StdRng};

use super::script::OUTAGES_MAX;
use super::{
    CallFault, Endpoint, ErrorCode, FaultScript, Forgery, GarbageShape, Outage, OutageMode, Range,
    RuleFault, WebhookFault,
};

/// Keeps the fault draws apart from the draws of ids, so that a script never changes the ids of a seed.
const SALT: u64 = 0x6661_756c_7473_0001;

/// One in a thousand, the unit of every chance.
const THOUSAND: u32 = 1_000;

#[derive(Debug)]
pub(crate) struct Dice {
    script: FaultScript,
    /// Absolute provider times, unlike the script's.
    outages: Vec<Outage>,
    rng: StdRng,
    counts: BTreeMap<String, u64>,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            script: FaultScript::default(),
            outages: Vec::new(),
            rng: StdRng::seed_from_u64(seed ^ SALT),
            counts: BTreeMap::new(),
        }
    }

    /// Replaces the script; its outages count from `now`. The dice and the counts go on.
    pub(crate) fn set(&mut self, script: FaultScript, now: i64) {
        self.outages = script
            .outages
            .iter()
            .map(|outage| Outage {
                from_ms: now.saturating_add(outage.from_ms),
                to_ms: now.saturating_add(outage.to_ms),
                mode: outage.mode,
            })
            .collect();
        self.script = script;
    }

    /// Adds an outage in absolute provider times. False when there are too many already.
    pub(crate) fn add_outage(&mut self, outage: Outage) -> bool {
        self.outages.retain(|known| known.to_ms > outage.from_ms);
        if self.outages.len() >= OUTAGES_MAX {
            return false;
        }
        self.outages.push(outage);
        true
    }

    /// The outage at a time. Where several overlap, the first named one holds.
    pub(crate) fn outage(&self, now: i64) -> Option<Outage> {
        self.outages.iter().copied().find(|outage| outage.from_ms <= now && now < outage.to_ms)
    }

    /// The next time at which an outage starts or ends.
    pub(crate) fn next_outage_change(&self, now: i64) -> Option<i64> {
        self.outages
            .iter()
            .flat_map(|outage| [outage.from_ms, outage.to_ms])
            .filter(|&at| at > now)
            .min()
    }

    pub(crate) fn counts(&self) -> &BTreeMap<String, u64> {
        &self.counts
    }

    pub(crate) fn count_outage(&mut self, endpoint: Endpoint, mode: OutageMode) {
        self.count(format!("{}.outage_{}", endpoint.name(), mode.name()));
    }

    /// Decides about one call.
    pub(crate) fn on_call(&mut self, endpoint: Endpoint) -> Option<CallFault> {
        let fault = self.call_rule(endpoint).or_else(|| self.call_chance(endpoint))?;
        self.count(format!("{}.{}", endpoint.name(), fault.name()));
        Some(fault)
    }

    /// Decides about one event's webhook.
    pub(crate) fn on_event(&mut self, status: &str) -> Vec<WebhookFault> {
        let faults = match self.event_rule(status) {
            Some(fault) => vec![fault],
            None => self.event_chances(),
        };
        for fault in &faults {
            self.count(format!("webhook.{}", fault.name()));
        }
        faults
    }

    /// A number of an inclusive range.
    fn draw(&mut self, range: Range) -> i64 {
        self.rng.random_range(range.min..=range.max.max(range.min))
    }

    fn count(&mut self, name: String) {
        *self.counts.entry(name).or_insert(0) += 1;
    }

    fn call_rule(&mut self, endpoint: Endpoint) -> Option<CallFault> {
        for rule in &mut self.script.rules {
            let fault = match &rule.fault {
                RuleFault::Call { endpoint: on, fault } if *on == endpoint => fault,
                RuleFault::Call { .. } | RuleFault::Webhook { .. } => continue,
            };
            if rule.skip > 0 {
                rule.skip -= 1;
            } else if rule.times > 0 {
                rule.times -= 1;
                return Some(fault.clone());
            }
        }
        None
    }

    fn event_rule(&mut self, status: &str) -> Option<WebhookFault> {
        for rule in &mut self.script.rules {
            let fault = match &rule.fault {
                RuleFault::Webhook { status: only, fault }
                    if only.as_deref().is_none_or(|only| only == status) =>
                {
                    fault
                }
                RuleFault::Call { .. } | RuleFault::Webhook { .. } => continue,
            };
            if rule.skip > 0 {
                rule.skip -= 1;
            } else if rule.times > 0 {
                rule.times -= 1;
                return Some(fault.clone());
            }
        }
        None
    }

    fn call_chance(&mut self, endpoint: Endpoint) -> Option<CallFault> {
        let chances = match endpoint {
            Endpoint::Lock => &self.script.lock,
            Endpoint::Create => &self.script.create,
            Endpoint::Details => &self.script.details,
            Endpoint::Rates => &self.script.rates,
        }
        .laid_out();
        let mut left = self.rng.random_range(0..THOUSAND);
        let struck = chances.into_iter().position(|chance| {
            let hit = left < chance;
            left = left.saturating_sub(chance);
            hit
        })?;
        Some(match struck {
            0 => CallFault::AnswerLost {},
            1 => CallFault::AnswerHung {},
            2 => CallFault::Dropped {},
            3 => CallFault::ErrorBefore { code: ErrorCode::P500 },
            4 => CallFault::ErrorBefore { code: ErrorCode::P501 },
            5 => CallFault::ErrorAfter { code: ErrorCode::P500 },
            6 => CallFault::ErrorAfter { code: ErrorCode::P501 },
            7 => CallFault::Denied {},
            8 => CallFault::Throttled { retry_after_s: self.script.retry_after_s },
            9 => CallFault::Garbage { shape: self.shape() },
            10 => CallFault::Slow { delay_ms: self.draw(self.script.slow_ms) },
            _ => CallFault::Stale { lag_ms: self.draw(self.script.stale_ms) },
        })
    }

    fn shape(&mut self) -> GarbageShape {
        match self.rng.random_range(0..3_u32) {
            0 => GarbageShape::Html,
            1 => GarbageShape::Truncated,
            _ => GarbageShape::Empty,
        }
    }

    fn event_chances(&mut self) -> Vec<WebhookFault> {
        let struck = self
            .script
            .webhooks
            .laid_out()
            .map(|chance| self.rng.random_range(0..THOUSAND) < chance);
        let [lost_all, lost_try, doubled, delayed, reordered, forged] = struck;
        let mut faults = Vec::new();
        if lost_all {
            faults.push(WebhookFault::LostAll {});
        }
        if lost_try {
            faults.push(WebhookFault::LostTry {});
        }
        if doubled {
            faults.push(WebhookFault::Doubled {});
        }
        if delayed {
            let delay_ms = self.draw(self.script.webhook_delay_ms);
            faults.push(WebhookFault::Delayed { delay_ms });
        }
        if reordered {
            faults.push(WebhookFault::Reordered {});
        }
        if forged {
            let forgery = match self.rng.random_range(0..3_u32) {
                0 => Forgery::FalseAddress,
                1 => Forgery::FalseStatus,
                _ => Forgery::WrongToken,
            };
            faults.push(WebhookFault::Forged { forgery });
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CallChances, Rule, WebhookChances};
    use super::*;

    fn dice(script: FaultScript) -> Dice {
        let mut dice = Dice::new(7);
        dice.set(script, 0);
        dice
    }

    #[test]
    fn a_rule_strikes_after_its_skips_and_as_often_as_it_says() {
        let rule = Rule::call(Endpoint::Create, CallFault::Denied {}).after(1).times(2);
        let mut dice = dice(FaultScript::default().with(rule));
        let struck: Vec<bool> = (0..5).map(|_| dice.on_call(Endpoint::Create).is_some()).collect();
        assert_eq!(struck, [false, true, true, false, false]);
        assert_eq!(dice.on_call(Endpoint::Lock), None);
        assert_eq!(dice.counts().get("create.denied"), Some(&2));
    }

    #[test]
    fn a_rule_may_wait_for_one_status() {
        let rule = Rule::webhook(Some("EXPIRED".to_owned()), WebhookFault::Doubled {});
        let mut dice = dice(FaultScript::default().with(rule));
        assert_eq!(dice.on_event("COMPLETED"), []);
        assert_eq!(dice.on_event("EXPIRED"), [WebhookFault::Doubled {}]);
        assert_eq!(dice.on_event("EXPIRED"), []);
    }

    #[test]
    fn a_chance_of_a_thousand_always_strikes_and_of_zero_never() {
        let create = CallChances { p501_after: 1_000, ..CallChances::default() };
        let mut sure = dice(FaultScript { create, ..FaultScript::default() });
        for _ in 0..100 {
            assert_eq!(
                sure.on_call(Endpoint::Create),
                Some(CallFault::ErrorAfter { code: ErrorCode::P501 })
            );
            assert_eq!(sure.on_call(Endpoint::Details), None);
        }
    }

    #[test]
    fn chances_come_out_near_their_share() {
        let create = CallChances { answer_lost: 60, throttled: 30, ..CallChances::default() };
        let webhooks = WebhookChances { doubled: 100, ..WebhookChances::default() };
        let mut dice = dice(FaultScript { create, webhooks, ..FaultScript::default() });
        for _ in 0..10_000 {
            dice.on_call(Endpoint::Create);
            dice.on_event("COMPLETED");
        }
        let count = |name: &str| dice.counts().get(name).copied().unwrap_or(0);
        // Six standard deviations wide: a fixed seed, so this cannot flicker.
        assert!((460..=740).contains(&count("create.answer_lost")), "{:?}", dice.counts());
        assert!((200..=400).contains(&count("create.throttled")), "{:?}", dice.counts());
        assert!((820..=1180).contains(&count("webhook.doubled")), "{:?}", dice.counts());
    }

    #[test]
    fn outages_count_from_when_the_script_is_set() {
        let outages = vec![Outage { from_ms: 10, to_ms: 20, mode: OutageMode::Drop }];
        let mut dice = Dice::new(1);
        dice.set(FaultScript { outages, ..FaultScript::default() }, 1_000);
        let mode = |dice: &Dice, now| dice.outage(now).map(|outage| outage.mode);
        assert_eq!(mode(&dice, 1_009), None);
        assert_eq!(mode(&dice, 1_010), Some(OutageMode::Drop));
        assert_eq!(mode(&dice, 1_019), Some(OutageMode::Drop));
        assert_eq!(mode(&dice, 1_020), None);
        assert_eq!(dice.next_outage_change(1_000), Some(1_010));
        assert_eq!(dice.next_outage_change(1_010), Some(1_020));
        assert_eq!(dice.next_outage_change(1_020), None);
        assert!(dice.add_outage(Outage { from_ms: 1_500, to_ms: 1_600, mode: OutageMode::Refuse }));
        assert_eq!(mode(&dice, 1_550), Some(OutageMode::Refuse));
    }
}
