//! The script: rules, chances and outages, as data, and the checks on it.

use serde::Deserialize;

use super::{
    CallChances, CallFault, Endpoint, OutageMode, Range, WebhookChances, WebhookFault, preset,
};

/// Most rules of one script: each call walks them all.
const RULES_MAX: usize = 1_000;

/// Most outages of one script or added by hand, for the same reason.
pub(crate) const OUTAGES_MAX: usize = 1_000;

/// Longest delay a script may ask for, provider milliseconds: a year.
pub(crate) const DELAY_MAX_MS: i64 = 366 * 24 * 3600 * 1000;

/// A script of faults. The default is a provider on its best day.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaultScript {
    /// Exact faults; the first rule that matches decides, before any chance.
    pub rules: Vec<Rule>,
    /// Chances of a lock.
    pub lock: CallChances,
    /// Chances of a create.
    pub create: CallChances,
    /// Chances of a read of details.
    pub details: CallChances,
    /// Chances of a read of the rates.
    pub rates: CallChances,
    /// Chances of each event's webhook.
    pub webhooks: WebhookChances,
    /// Outages of the API, in provider milliseconds from the moment the script is set. Webhooks go on.
    pub outages: Vec<Outage>,
    /// Length of a slow answer that came by chance, provider milliseconds.
    pub slow_ms: Range,
    /// Lag of a stale read that came by chance, provider milliseconds.
    pub stale_ms: Range,
    /// Delay of a webhook that came by chance, provider milliseconds.
    pub webhook_delay_ms: Range,
    /// `Retry-After` of a 429 that came by chance, seconds.
    pub retry_after_s: u32,
}

impl Default for FaultScript {
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            lock: CallChances::default(),
            create: CallChances::default(),
            details: CallChances::default(),
            rates: CallChances::default(),
            webhooks: WebhookChances::default(),
            outages: Vec::new(),
            slow_ms: Range { min: 500, max: 3_000 },
            stale_ms: Range { min: 1_000, max: 3_000 },
            webhook_delay_ms: Range { min: 2_000, max: 20_000 },
            retry_after_s: 1,
        }
    }
}

/// One exact fault: `times` times, after `skip` calls or events that matched.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What it strikes and how.
    pub fault: RuleFault,
    /// Matches that pass unharmed first.
    #[serde(default)]
    pub skip: u64,
    /// How often it strikes after that.
    #[serde(default = "once")]
    pub times: u64,
}

const fn once() -> u64 {
    1
}

impl Rule {
    /// A rule that strikes one call of an endpoint, the next one.
    pub const fn call(endpoint: Endpoint, fault: CallFault) -> Self {
        Self { fault: RuleFault::Call { endpoint, fault }, skip: 0, times: 1 }
    }

    /// A rule that strikes one event's webhook: the next one, or the next with that status word.
    pub const fn webhook(status: Option<String>, fault: WebhookFault) -> Self {
        Self { fault: RuleFault::Webhook { status, fault }, skip: 0, times: 1 }
    }

    /// The same, that many times.
    #[must_use]
    pub const fn times(mut self, times: u64) -> Self {
        self.times = times;
        self
    }

    /// The same, after that many matches passed unharmed.
    #[must_use]
    pub const fn after(mut self, skip: u64) -> Self {
        self.skip = skip;
        self
    }
}

/// What a rule strikes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "on", rename_all = "snake_case", deny_unknown_fields)]
pub enum RuleFault {
    /// Calls of one endpoint.
    Call {
        /// The endpoint.
        endpoint: Endpoint,
        /// The fault.
        fault: CallFault,
    },
    /// Webhooks of events.
    Webhook {
        /// Only events with this status word; all when `None`.
        #[serde(default)]
        status: Option<String>,
        /// The fault.
        fault: WebhookFault,
    },
}

/// A window in which the API is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outage {
    /// Start, inclusive, provider milliseconds.
    pub from_ms: i64,
    /// End, exclusive, provider milliseconds.
    pub to_ms: i64,
    /// What a client meets.
    pub mode: OutageMode,
}

/// A script that makes no sense; the message names the part and what it may be.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("fault script: `{part}` {problem}")]
pub struct FaultError {
    /// The part, in its serde spelling.
    pub part: String,
    /// What is wrong and what would be right.
    pub problem: String,
}

impl FaultError {
    fn new(part: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { part: part.into(), problem: problem.into() }
    }
}

impl FaultScript {
    /// A hard but survivable day: lost answers, errors before and after the effect, throttling, lost, doubled,
    /// late and forged webhooks, lagging reads.
    pub fn rough() -> Self {
        preset::rough()
    }

    /// A preset by name: `none` or `rough`.
    pub fn preset(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::default()),
            "rough" => Some(Self::rough()),
            _ => None,
        }
    }

    /// This script with one more rule.
    #[must_use]
    pub fn with(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Checks the whole script.
    ///
    /// # Errors
    /// The first part that makes no sense.
    pub fn check(&self) -> Result<(), FaultError> {
        if self.rules.len() > RULES_MAX {
            return Err(FaultError::new("rules", format!("may hold at most {RULES_MAX}")));
        }
        if self.outages.len() > OUTAGES_MAX {
            return Err(FaultError::new("outages", format!("may hold at most {OUTAGES_MAX}")));
        }
        for (name, chances) in [
            ("lock", &self.lock),
            ("create", &self.create),
            ("details", &self.details),
            ("rates", &self.rates),
        ] {
            let sum: u64 = chances.laid_out().into_iter().map(u64::from).sum();
            if sum > 1_000 {
                return Err(FaultError::new(name, format!("adds up to {sum} of 1000")));
            }
            if chances.stale > 0 && name != "details" {
                return Err(FaultError::new(name, "cannot be stale: only details can"));
            }
        }
        if self.webhooks.laid_out().into_iter().any(|chance| chance > 1_000) {
            return Err(FaultError::new("webhooks", "has a chance above 1000 of 1000"));
        }
        for (name, range) in [
            ("slow_ms", self.slow_ms),
            ("stale_ms", self.stale_ms),
            ("webhook_delay_ms", self.webhook_delay_ms),
        ] {
            if range.min < 0 || range.min > range.max || range.max > DELAY_MAX_MS {
                return Err(FaultError::new(
                    name,
                    format!("must be an ascending range within 0 to {DELAY_MAX_MS}"),
                ));
            }
        }
        self.outages.iter().try_for_each(check_outage)?;
        self.rules.iter().try_for_each(check_rule)
    }
}

fn check_outage(outage: &Outage) -> Result<(), FaultError> {
    let ordered = 0 <= outage.from_ms && outage.from_ms < outage.to_ms;
    if ordered && outage.to_ms <= DELAY_MAX_MS {
        Ok(())
    } else {
        Err(FaultError::new("outages", format!("need 0 <= from_ms < to_ms <= {DELAY_MAX_MS}")))
    }
}

fn check_rule(rule: &Rule) -> Result<(), FaultError> {
    let delay = match &rule.fault {
        RuleFault::Call { endpoint, fault } => match fault {
            CallFault::Stale { lag_ms } => {
                if *endpoint != Endpoint::Details {
                    return Err(FaultError::new("rules", "can make only details stale"));
                }
                *lag_ms
            }
            CallFault::Slow { delay_ms } => *delay_ms,
            CallFault::AnswerLost {}
            | CallFault::AnswerHung {}
            | CallFault::Dropped {}
            | CallFault::ErrorBefore { .. }
            | CallFault::ErrorAfter { .. }
            | CallFault::Denied {}
            | CallFault::Throttled { .. }
            | CallFault::Garbage { .. } => 0,
        },
        RuleFault::Webhook { fault, .. } => match fault {
            WebhookFault::Delayed { delay_ms } => *delay_ms,
            WebhookFault::LostAll {}
            | WebhookFault::LostTry {}
            | WebhookFault::Doubled {}
            | WebhookFault::Reordered {}
            | WebhookFault::Forged { .. } => 0,
        },
    };
    if (0..=DELAY_MAX_MS).contains(&delay) {
        Ok(())
    } else {
        Err(FaultError::new("rules", format!("need delays of 0 to {DELAY_MAX_MS} milliseconds")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_reads_from_json() {
        let script: FaultScript = serde_json::from_str(
            r#"{
                "create": {"answer_lost": 60, "p500_after": 20},
                "webhooks": {"doubled": 100},
                "outages": [{"from_ms": 1000, "to_ms": 5000, "mode": "http_503"}],
                "rules": [
                    {"fault": {"on": "call", "endpoint": "create", "fault": {"kind": "error_after", "code": "P500"}}, "skip": 2},
                    {"fault": {"on": "webhook", "status": "COMPLETED", "fault": {"kind": "lost_all"}}, "times": 3}
                ]
            }"#,
        )
        .unwrap();
        assert_eq!(script.check(), Ok(()));
        assert_eq!(script.create.answer_lost, 60);
        assert_eq!(script.outages[0].mode, OutageMode::Http503);
        assert_eq!(
            script.rules[0],
            Rule::call(Endpoint::Create, CallFault::ErrorAfter { code: ErrorCode::P500 }).after(2)
        );
        assert_eq!(
            script.rules[1],
            Rule::webhook(Some("COMPLETED".to_owned()), WebhookFault::LostAll {}).times(3)
        );
    }

    use super::super::ErrorCode;

    #[test]
    fn nonsense_is_named() {
        let part = |change: fn(&mut FaultScript)| {
            let mut script = FaultScript::default();
            change(&mut script);
            script.check().unwrap_err().part
        };
        assert_eq!(part(|s| s.create.denied = 1_001), "create");
        assert_eq!(part(|s| s.lock.stale = 1), "lock");
        assert_eq!(part(|s| s.webhooks.forged = 1_001), "webhooks");
        assert_eq!(part(|s| s.slow_ms = Range { min: 5, max: 4 }), "slow_ms");
        assert_eq!(
            part(|s| s.outages.push(Outage { from_ms: 5, to_ms: 5, mode: OutageMode::Drop })),
            "outages"
        );
        assert_eq!(
            part(|s| s.rules.push(Rule::call(Endpoint::Lock, CallFault::Stale { lag_ms: 1 }))),
            "rules"
        );
        assert_eq!(
            part(|s| s.rules.push(Rule::call(Endpoint::Lock, CallFault::Slow { delay_ms: -1 }))),
            "rules"
        );
        assert!(serde_json::from_str::<FaultScript>(r#"{"creates": {}}"#).is_err());
    }

    #[test]
    fn the_readmes_script_is_one() {
        let readme = include_str!("../../README.md");
        let (_, rest) = readme.split_once("```json").unwrap();
        let (json, _) = rest.split_once("```").unwrap();
        let script: FaultScript = serde_json::from_str(json).unwrap();
        assert_eq!(script.check(), Ok(()));
        assert_eq!((script.rules.len(), script.outages.len()), (2, 1));
    }

    #[test]
    fn presets_are_valid() {
        for name in ["none", "rough"] {
            assert_eq!(FaultScript::preset(name).unwrap().check(), Ok(()), "{name}");
        }
        assert_eq!(FaultScript::preset("mild"), None);
    }
}
