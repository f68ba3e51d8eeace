//! The whole life of one order as a store sees it: real steps of the lifecycle, in the records of the engine.
//!
//! Submitted, permitted, made at the provider, then three webhooks (an address, a payment, the end), each heard into the
//! inbox, taken in as a claim, and confirmed by a read. What an engine would do between the steps costs the store
//! nothing and is left out: no call, no timer, no parsing of bodies.

use std::time::Duration;

use orderkeep::{
    AccountId, Address, CreateAnswer, CreateInput, Currency, Exact, IdempotencyKey, Input, LockId,
    Metadata, Network, Observation, Order, OrderId, Outcome, Policy, ProviderOrderId,
    ProviderStatus, Source, Step, Submit, Terms, Timestamp, TransactionHash, records,
    store::{Commit, InboxDone, InboxSeq, NewInboxItem},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::exit::Failure;

/// What comes next in a life.
#[derive(Debug)]
pub(super) enum Act {
    /// A webhook is heard; its number is for the next act.
    Hear(NewInboxItem),
    /// The order takes a step.
    Step(Commit),
}

/// What an order can be found by.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Names {
    pub(super) id: OrderId,
    pub(super) lock: LockId,
    pub(super) provider_order: ProviderOrderId,
}

/// One order from its submit to its end.
#[derive(Debug)]
pub(super) struct Life {
    account: AccountId,
    policy: Policy,
    /// How long the payer has.
    pay_within: Duration,
    began: Timestamp,
    provider_order: ProviderOrderId,
    lock: LockId,
    address: Address,
    transaction: TransactionHash,
    order: Option<Order>,
    /// Which act comes next.
    act: usize,
    /// The webhook that the next step works off.
    heard: Option<InboxSeq>,
}

/// Where a webhook finds the provider's order, and how long after the submit.
const CHAPTERS: [(ProviderStatus, u64); 3] = [
    (ProviderStatus::AwaitingPayment, 4),
    (ProviderStatus::Confirming, 95),
    (ProviderStatus::Executed, 160),
];

/// Submit, permit, answer.
const BEFORE_CHAPTERS: usize = 3;

/// A webhook, the claim in it, the read that confirms it.
const ACTS_PER_CHAPTER: usize = 3;

const MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// A policy under which an order that waits for its payer is not read for a month.
pub(super) fn patience() -> Policy {
    let mut policy = Policy::default();
    policy.polling.payment = (MONTH, MONTH);
    policy
}

impl Life {
    /// After so many acts the order waits for its payer.
    pub(super) const ACTS_UNTIL_PARKED: usize = BEFORE_CHAPTERS + ACTS_PER_CHAPTER;

    /// How many steps of the order a life has; what was heard is not counted.
    pub(super) const STEPS: u64 = 9;

    /// A new order; nothing of it is stored yet.
    pub(super) fn new(began: Timestamp) -> Result<Self, Failure> {
        let words = || (Uuid::new_v4().simple().to_string(), Uuid::new_v4().simple().to_string());
        let ((first, second), (third, fourth)) = (words(), words());
        Ok(Self {
            account: AccountId::main(),
            policy: Policy::default(),
            pay_within: Duration::from_secs(3_600),
            began,
            provider_order: ProviderOrderId::new(Uuid::new_v4().to_string())
                .map_err(Failure::failed)?,
            lock: LockId::new(Uuid::new_v4().to_string()).map_err(Failure::failed)?,
            address: Address::new(format!("0x{first}{}", &second[..8])).map_err(Failure::failed)?,
            transaction: TransactionHash::new(format!("0x{third}{fourth}"))
                .map_err(Failure::failed)?,
            order: None,
            act: 0,
            heard: None,
        })
    }

    /// A new order whose payer has all the time, and which nobody wants to look at meanwhile.
    pub(super) fn patient(began: Timestamp) -> Result<Self, Failure> {
        Ok(Self { policy: patience(), pay_within: MONTH * 2, ..Self::new(began)? })
    }

    /// What the order can be found by: our id, its lock, the provider's name of it.
    pub(super) fn names(&self) -> Option<Names> {
        let order = self.order.as_ref()?;
        Some(Names {
            id: order.id,
            lock: self.lock.clone(),
            provider_order: self.provider_order.clone(),
        })
    }

    /// The webhook that was just heard.
    pub(super) const fn heard(&mut self, seq: InboxSeq) {
        self.heard = Some(seq);
    }

    /// What comes next; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Act>, Failure> {
        let act = self.act;
        self.act += 1;
        let create = |input| Ok(Input::Create(input));
        let input = match act {
            0 => return self.submit().map(Some),
            1 => create(CreateInput::Permit),
            2 => create(CreateInput::Answered {
                attempt: 1,
                answer: CreateAnswer::Accepted { provider_order: self.provider_order.clone() },
            }),
            _ => {
                let place = act - BEFORE_CHAPTERS;
                let Some((status, after)) = CHAPTERS.get(place / ACTS_PER_CHAPTER) else {
                    return Ok(None);
                };
                let heard_at = self.after(*after);
                match place % ACTS_PER_CHAPTER {
                    0 => {
                        return Ok(Some(Act::Hear(NewInboxItem {
                            account: self.account.as_str().to_owned(),
                            received_at: heard_at.as_micros(),
                            body: self.body(status).into_bytes().into(),
                        })));
                    }
                    1 => self.observe(status, Source::Claimed { heard_at }),
                    _ => {
                        let read_started_at = heard_at.plus(Duration::from_millis(120));
                        self.observe(status, Source::Confirmed { read_started_at })
                    }
                }
                .map(Input::Observed)
            }
        }?;
        let place = act.saturating_sub(BEFORE_CHAPTERS);
        let now = match CHAPTERS.get(place / ACTS_PER_CHAPTER) {
            Some((_, after)) if act >= BEFORE_CHAPTERS => {
                self.after(*after).plus(Duration::from_millis(200))
            }
            Some(_) | None => self.began.plus(Duration::from_millis(40 * act as u64)),
        };
        self.step(&input, now).map(Some)
    }

    fn after(&self, seconds: u64) -> Timestamp {
        self.began.plus(Duration::from_secs(seconds))
    }

    fn submit(&mut self) -> Result<Act, Failure> {
        let submit = Submit {
            account: self.account.clone(),
            key: IdempotencyKey::new(Uuid::new_v4().to_string()).map_err(Failure::failed)?,
            terms: Terms {
                lock_id: self.lock.clone(),
                pay_amount: exact("412.607142")?,
                pay_currency: Currency::new("usdc").map_err(Failure::failed)?,
                network: Network::new("polygon").map_err(Failure::failed)?,
                rate: exact("0.84")?,
                settle_currency: Some(Currency::new("eur").map_err(Failure::failed)?),
                settle_amount: Some(exact("346.59")?),
                expires_at: self.after(900),
            },
            reference: None,
            relock: None,
            metadata: Metadata::default(),
        };
        let step = Order::submit(OrderId(Uuid::now_v7()), submit, self.began, &self.policy)
            .map_err(Failure::failed)?;
        self.commit(None, step)
    }

    fn step(&mut self, input: &Input, now: Timestamp) -> Result<Act, Failure> {
        let before = self.order.take().ok_or_else(|| Failure::failed("no order was submitted"))?;
        match before.step(input, now, &self.policy) {
            Outcome::Moved(step) => self.commit(Some(&before), *step),
            outcome @ (Outcome::AlreadyThere(_) | Outcome::Refused(_)) => {
                Err(Failure::failed(format_args!("{} led nowhere: {outcome:?}", input.name())))
            }
        }
    }

    fn commit(&mut self, before: Option<&Order>, step: Step) -> Result<Act, Failure> {
        let wake_up = step.wake_up.map(|wake_up| wake_up.at);
        let change = records::change(before, &step, wake_up).map_err(Failure::failed)?;
        let finished = self
            .heard
            .take()
            .map(|seq| InboxDone::Finished { seq, disposition: step.disposition.describe() });
        self.order = Some(step.next);
        Ok(Act::Step(Commit {
            partition: records::PARTITION,
            change: Some(change),
            inbox: finished.into_iter().collect(),
        }))
    }

    fn observe(&self, status: &ProviderStatus, source: Source) -> Result<Observation, Failure> {
        let paid = !matches!(status, ProviderStatus::AwaitingPayment);
        Ok(Observation {
            source,
            provider_order: self.provider_order.clone(),
            lock_id: Some(self.lock.clone()),
            status: status.clone(),
            status_text: word(status).to_owned(),
            address: Some(self.address.clone()),
            expires_at: Some(self.began.plus(self.pay_within)),
            required: Some(exact("412.607142")?),
            received: Some(exact(if paid { "412.607142" } else { "0" })?),
            confirmations: Some(confirmations(status)),
            required_confirmations: Some(3),
            transactions: if paid { vec![self.transaction.clone()] } else { Vec::new() },
            currency: Some(Currency::new("usdc").map_err(Failure::failed)?),
            network: Some(Network::new("polygon").map_err(Failure::failed)?),
            unknown_fields: Vec::new(),
        })
    }

    /// The whole order, as the provider sends it.
    fn body(&self, status: &ProviderStatus) -> String {
        let paid = !matches!(status, ProviderStatus::AwaitingPayment);
        let transaction =
            if paid { format!("\"{}\"", self.transaction) } else { "null".to_owned() };
        format!(
            concat!(
                "{{\"orderId\":\"{order}\",\"lockId\":\"{lock}\",\"status\":\"{status}\",",
                "\"createdAt\":\"{created}\",\"expiresAt\":\"{expires}\",\"confirmations\":{confirmations},",
                "\"requiredConfirmations\":3,\"receivedAmount\":{received},\"totalAmountRequired\":412.607142,",
                "\"cryptocurrency\":\"usdc\",\"walletAddress\":\"{address}\",",
                "\"transactionHash\":{transaction},\"network\":\"POLYGON\"}}"
            ),
            order = self.provider_order,
            lock = self.lock,
            status = word(status),
            created = self.began,
            expires = self.began.plus(self.pay_within),
            confirmations = confirmations(status),
            received = if paid { "412.607142" } else { "0" },
            address = self.address,
            transaction = transaction,
        )
    }
}

fn confirmations(status: &ProviderStatus) -> u32 {
    match status {
        ProviderStatus::Confirming => 1,
        ProviderStatus::Executed => 3,
        ProviderStatus::WaitingForWallet
        | ProviderStatus::AwaitingPayment
        | ProviderStatus::Expired
        | ProviderStatus::Underpaid
        | ProviderStatus::Failed
        | ProviderStatus::Reversed
        | ProviderStatus::Unknown(_) => 0,
    }
}

fn word(status: &ProviderStatus) -> &'static str {
    match status {
        ProviderStatus::Confirming => "WAITING_FOR_CONFIRMATION",
        ProviderStatus::Executed => "EXECUTED",
        ProviderStatus::WaitingForWallet
        | ProviderStatus::AwaitingPayment
        | ProviderStatus::Expired
        | ProviderStatus::Underpaid
        | ProviderStatus::Failed
        | ProviderStatus::Reversed
        | ProviderStatus::Unknown(_) => "WAITING_FOR_PAYMENT",
    }
}

fn exact(text: &str) -> Result<Exact, Failure> {
    text.parse().map_err(Failure::failed)
}

#[cfg(test)]
mod tests {
    use orderkeep::StateName;

    use super::*;

    #[test]
    fn a_life_goes_from_the_submit_to_the_end_and_works_every_webhook_off() {
        let mut life = Life::new(Timestamp::from_millis(1_772_366_400_000)).unwrap();
        let (mut steps, mut heard, mut done) = (0, 0, 0);
        while let Some(act) = life.next().unwrap() {
            match act {
                Act::Hear(item) => {
                    let body: serde_json::Value = serde_json::from_slice(&item.body).unwrap();
                    assert_eq!(body["orderId"], life.provider_order.as_str());
                    heard += 1;
                    life.heard(InboxSeq(heard));
                }
                Act::Step(commit) => {
                    steps += 1;
                    done += commit.inbox.len();
                    assert!(!commit.change.unwrap().events.is_empty());
                }
            }
        }
        assert_eq!((steps, heard, done), (Life::STEPS, 3, 3));
        assert_eq!(life.order.unwrap().state_name(), StateName::Executed);
    }
}
