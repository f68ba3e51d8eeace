//! A model, its time, and short verbs for both.

use std::{collections::BTreeMap, str::FromStr};

use orderkeep_sandbox::{
    Answer, FaultScript, Key, LockRequest, Model, ModelConfig, OrderEntry, OrderRef, Reply,
    Request, WebhookDue, Wire,
};
use rust_decimal::Decimal;
use serde_json::value::RawValue;
use uuid::Uuid;

/// 2026-02-13T11:28:06.569Z: a lock of 40 s taken now ends as in the documents' example.
pub(crate) const START: i64 = 1_770_982_086_569;

pub(crate) struct Bench {
    pub(crate) model: Model,
    pub(crate) now: i64,
    /// Every webhook handed out so far, answered with 200.
    pub(crate) heard: Vec<WebhookDue>,
}

impl Bench {
    pub(crate) fn new(config: ModelConfig) -> Self {
        let mut model = Model::new(config, 42).unwrap();
        model.pass_to(START);
        Self { model, now: START, heard: Vec::new() }
    }

    pub(crate) fn usual() -> Self {
        Self::new(ModelConfig::default())
    }

    pub(crate) fn with_faults(script: FaultScript) -> Self {
        let mut bench = Self::usual();
        bench.faults(script);
        bench
    }

    pub(crate) fn faults(&mut self, script: FaultScript) {
        self.model.set_faults(self.now, script).unwrap();
    }

    /// Lets time pass in the steps in which something happens, and hears every webhook at once.
    pub(crate) fn wait(&mut self, ms: i64) {
        let end = self.now + ms;
        loop {
            let next = self.model.next_due().filter(|&at| at <= end);
            self.now = next.unwrap_or(end).max(self.now);
            let due = self.model.advance(self.now);
            for webhook in &due {
                self.model.webhook_answered(self.now, webhook.delivery, true);
            }
            self.heard.extend(due);
            if next.is_none() {
                return;
            }
        }
    }

    /// Takes a lock over so many euros of usdc.
    pub(crate) fn lock(&mut self, euros: &str) -> Uuid {
        let request = LockRequest {
            currency: "usdc".to_owned(),
            amount: euros.to_owned(),
            network: "polygon".to_owned(),
        };
        let body = self.model.lock_rate(self.now, &request).unwrap();
        uuid_of(&body, "lockId")
    }

    /// An order over 1000 usdc whose address is there.
    pub(crate) fn payable(&mut self) -> Uuid {
        let lock = self.lock("840");
        let order = self.model.create_order(self.now, lock).unwrap();
        self.wait(1_500);
        order
    }

    pub(crate) fn pay(&mut self, order: Uuid, amount: &str) {
        let amount = Some(Decimal::from_str(amount).unwrap());
        self.model.pay(self.now, &OrderRef::Id(order), amount, 1, 0).unwrap();
    }

    pub(crate) fn status(&mut self, order: Uuid) -> String {
        self.field(order, "status")
    }

    /// The literal JSON of one field of the details, quotes stripped.
    pub(crate) fn field(&mut self, order: Uuid, name: &str) -> String {
        let body = self.model.details(self.now, order).unwrap();
        fields(&body).remove(name).unwrap_or_else(|| "absent".to_owned())
    }

    /// One call with the right key.
    pub(crate) fn call(&mut self, request: &Request<'_>) -> Reply {
        self.model.call(self.now, Key::Right, request)
    }

    pub(crate) fn create(&mut self, lock: Uuid) -> Reply {
        let body = format!(r#"{{"lockId":"{lock}"}}"#);
        self.call(&Request::Create(body.as_bytes()))
    }

    pub(crate) fn read(&mut self, order: Uuid) -> Reply {
        self.call(&Request::Details(&order.to_string()))
    }

    pub(crate) fn entry(&self, order: Uuid) -> OrderEntry {
        let order = order.to_string();
        self.model.ledger().orders.into_iter().find(|entry| entry.order_id == order).unwrap()
    }

    /// `status confirmations receivedAmount` of every webhook heard.
    pub(crate) fn story(&self) -> Vec<String> {
        self.heard
            .iter()
            .map(|webhook| {
                let body = fields(&webhook.body);
                format!("{} {} {}", body["status"], body["confirmations"], body["receivedAmount"])
            })
            .collect()
    }

    pub(crate) fn fault_count(&self, name: &str) -> u64 {
        self.model.ledger().faults.get(name).copied().unwrap_or(0)
    }
}

/// Each field's literal JSON text, quotes of strings stripped.
pub(crate) fn fields(body: &str) -> BTreeMap<String, String> {
    let raw: BTreeMap<String, Box<RawValue>> = serde_json::from_str(body).unwrap();
    raw.into_iter().map(|(name, value)| (name, value.get().trim_matches('"').to_owned())).collect()
}

pub(crate) fn uuid_of(body: &str, name: &str) -> Uuid {
    fields(body)[name].parse().unwrap()
}

/// The answer of a reply that came at once.
pub(crate) fn answer(reply: Reply) -> Answer {
    assert_eq!(reply.after_ms, 0);
    match reply.wire {
        Wire::Answer(answer) => answer,
        wire @ (Wire::Closed | Wire::Silence | Wire::Refused) => panic!("no answer but {wire:?}"),
    }
}

/// Status and `errorCode` of an answer that is an error.
pub(crate) fn error(reply: Reply) -> (u16, String) {
    let answer = answer(reply);
    (answer.status, fields(&answer.body)["errorCode"].clone())
}
