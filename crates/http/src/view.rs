//! Orders as JSON: camel case, amounts as strings, times in RFC 3339.

use orderkeep_core::{
    Cause, Currency, Event, EventRecord, Exact, Fact, Funds, LockId, Metadata, Network, Order,
    OrderResult, PaymentKind, Relock, State, StateName, Terms, Timestamp,
    explain::{Evidence, questions},
    observation::{Address, TransactionHash},
    state::{Create, Locked},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{explanation::QuestionView, schema};

/// The terms of a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TermsView {
    /// See [`Terms`], for all of them.
    pub lock_id: LockId,
    /// How much crypto is to be paid.
    #[serde(deserialize_with = "crate::amount::exact")]
    #[schema(value_type = schema::AmountSent)]
    pub pay_amount: Exact,
    /// In which crypto currency.
    pub pay_currency: Currency,
    /// On which chain.
    pub network: Network,
    /// Fiat for one unit of crypto.
    #[serde(deserialize_with = "crate::amount::exact")]
    #[schema(value_type = schema::AmountSent)]
    pub rate: Exact,
    /// The fiat currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settle_currency: Option<Currency>,
    /// The fiat amount that was asked for.
    #[serde(
        default,
        deserialize_with = "crate::amount::optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<schema::AmountSent>)]
    pub settle_amount: Option<Exact>,
    /// Until when the lock can be used.
    pub expires_at: Timestamp,
}

impl From<&Terms> for TermsView {
    fn from(terms: &Terms) -> Self {
        let Terms {
            lock_id,
            pay_amount,
            pay_currency,
            network,
            rate,
            settle_currency,
            settle_amount,
            expires_at,
        } = terms.clone();
        Self {
            lock_id,
            pay_amount,
            pay_currency,
            network,
            rate,
            settle_currency,
            settle_amount,
            expires_at,
        }
    }
}

impl From<TermsView> for Terms {
    fn from(view: TermsView) -> Self {
        let TermsView {
            lock_id,
            pay_amount,
            pay_currency,
            network,
            rate,
            settle_currency,
            settle_amount,
            expires_at,
        } = view;
        Self {
            lock_id,
            pay_amount,
            pay_currency,
            network,
            rate,
            settle_currency,
            settle_amount,
            expires_at,
        }
    }
}

/// What the caller allows when a lock ends before an order came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RelockView {
    /// The most crypto that a fresh lock may ask of the payer.
    #[serde(deserialize_with = "crate::amount::exact")]
    #[schema(value_type = schema::AmountSent)]
    pub max_pay_amount: Exact,
    /// No fresh lock is taken after this; absent: as long as the price allows.
    pub until: Option<Timestamp>,
}

impl From<RelockView> for Relock {
    fn from(RelockView { max_pay_amount, until }: RelockView) -> Self {
        Self { max_pay_amount, until }
    }
}

impl From<&Relock> for RelockView {
    fn from(relock: &Relock) -> Self {
        let Relock { max_pay_amount, until } = relock.clone();
        Self { max_pay_amount, until }
    }
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderView {
    /// Ours.
    pub id: String,
    /// Whose credential.
    pub account: String,
    /// The caller's key.
    pub idempotency_key: String,
    /// The caller's own word for it.
    pub reference: Option<String>,
    /// What else the caller hung on it.
    pub metadata: Metadata,
    /// Where it stands.
    #[schema(value_type = StateName)]
    pub state: &'static str,
    /// Since when.
    pub since: Timestamp,
    /// When it was submitted.
    pub created_at: Timestamp,
    /// How many events it has.
    pub version: u64,
    /// The lock's terms.
    pub terms: TermsView,
    /// At what price a fresh lock may take its place.
    pub relock: Option<RelockView>,
    /// The locks that were given up before this one, oldest first.
    pub earlier_lock_ids: Vec<String>,
    /// How far the create is; only in `Locked`.
    pub create: Option<CreateView>,
    /// The provider's order.
    pub provider_order_id: Option<String>,
    /// The provider's last word.
    pub provider_status: Option<String>,
    /// Where to pay; absent while it is not known, withheld, or of no use any more.
    pub address: Option<Address>,
    /// Whether there is an address that the payer must not be shown.
    pub address_withheld: bool,
    /// Until when to pay.
    pub expires_at: Option<Timestamp>,
    /// What was paid.
    pub payment: Option<PaymentView>,
    /// What a person is asked.
    pub review: Vec<QuestionView>,
    /// Whether somebody wants it to end.
    pub cancel_wished: bool,
    /// Why it failed.
    pub fail_reason: Option<&'static str>,
    /// The last proven result.
    pub outcome: Option<OutcomeView>,
    /// What came to light after the end.
    pub after: Vec<AfterView>,
    /// Other orders at the provider for the same lock.
    pub other_provider_order_ids: Vec<String>,
}

/// How far a create is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateView {
    /// `not_sent`, `held`, `in_flight`, `unknown` or `relocking`.
    pub progress: &'static str,
    /// How many attempts there were.
    pub attempts: u32,
    /// Why it is where it is, if that needs saying.
    pub why: Option<String>,
}

/// What was paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaymentView {
    /// `none`, `partial`, `exact` or `over`.
    pub kind: &'static str,
    /// Whether some of it came after the deadline.
    pub late: bool,
    /// How much is wanted.
    pub required: Exact,
    /// How much arrived.
    pub received: Exact,
    /// What is missing.
    pub missing: Option<Exact>,
    /// What is too much.
    pub excess: Option<Exact>,
    /// Blocks over the last transfer.
    pub confirmations: u32,
    /// Blocks wanted over it.
    pub required_confirmations: Option<u32>,
    /// Every transfer ever named.
    pub transactions: Vec<TransactionHash>,
}

/// The last proven result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OutcomeView {
    /// What it came to.
    pub result: OrderResult,
    /// Where the funds are: `none`, `held`, `settled` or `unclear`.
    pub funds: &'static str,
    /// How much the provider holds.
    pub held: Option<Exact>,
    /// When that was proven.
    pub proven_at: Timestamp,
}

/// Something that came to light after the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AfterView {
    /// When.
    pub at: Timestamp,
    /// What.
    pub fact: Fact,
}

/// One event of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventView {
    /// Its number within the order.
    pub version: u64,
    /// The event in a sentence.
    pub said: String,
    /// When.
    pub at: Timestamp,
    /// By what.
    pub cause: Cause,
    /// What, with its evidence.
    pub event: Event,
}

impl EventView {
    pub(crate) fn new(version: u64, record: EventRecord) -> Self {
        let said = Evidence::of(version, &record).said;
        let EventRecord { at, cause, event } = record;
        Self { version, said, at, cause, event }
    }
}

impl From<&Order> for OrderView {
    fn from(order: &Order) -> Self {
        let bound = order.state.bound();
        let deposit = order.state.deposit();
        let address = order.payable_address().cloned();
        Self {
            id: order.id.to_string(),
            account: order.account.to_string(),
            idempotency_key: order.key.to_string(),
            reference: order.reference.clone(),
            metadata: order.metadata.clone(),
            state: order.state_name().as_str(),
            since: order.since,
            created_at: order.created_at,
            version: order.version,
            terms: (&order.terms).into(),
            relock: order.relock.as_ref().map(Into::into),
            earlier_lock_ids: order
                .earlier_locks
                .iter()
                .map(|earlier| earlier.terms.lock_id.to_string())
                .collect(),
            create: create(&order.state),
            provider_order_id: bound.map(|bound| bound.provider_order.to_string()),
            provider_status: bound
                .and_then(|bound| bound.last_read.as_ref())
                .map(|last| last.status_text.clone()),
            address_withheld: matches!(order.state, State::AwaitingPayment(_)) && address.is_none(),
            address,
            expires_at: deposit.and_then(|deposit| deposit.expires_at),
            payment: deposit.map(|deposit| (&deposit.payment).into()),
            review: questions(order).into_iter().map(Into::into).collect(),
            cancel_wished: order.cancel.is_some(),
            fail_reason: match &order.state {
                State::Failed(failed) => Some(failed.reason.name()),
                State::Locked(_)
                | State::Created(_)
                | State::WaitingForWallet(_)
                | State::AwaitingPayment(_)
                | State::Executed(_) => None,
            },
            outcome: order.outcome.as_ref().map(|outcome| OutcomeView {
                result: outcome.result,
                funds: outcome.funds.name(),
                held: match &outcome.funds {
                    Funds::Held(amount) => Some(amount.clone()),
                    Funds::None | Funds::Settled | Funds::Unclear => None,
                },
                proven_at: outcome.proven_at,
            }),
            after: order
                .after
                .iter()
                .map(|after| AfterView { at: after.at, fact: after.fact.clone() })
                .collect(),
            other_provider_order_ids: order.other_orders.iter().map(ToString::to_string).collect(),
        }
    }
}

fn create(state: &State) -> Option<CreateView> {
    let State::Locked(Locked { create }) = state else { return None };
    Some(match create {
        Create::NotSent { attempts, held, .. } => CreateView {
            progress: if held.is_some() { "held" } else { "not_sent" },
            attempts: *attempts,
            why: held.clone(),
        },
        Create::InFlight { attempt, .. } => {
            CreateView { progress: "in_flight", attempts: *attempt, why: None }
        }
        Create::Unknown { attempt, why, .. } => {
            CreateView { progress: "unknown", attempts: *attempt, why: Some(why.clone()) }
        }
        Create::Relocking { attempts, instead_of, .. } => CreateView {
            progress: "relocking",
            attempts: *attempts,
            why: Some(instead_of.name().to_owned()),
        },
    })
}

impl From<&orderkeep_core::Payment> for PaymentView {
    fn from(payment: &orderkeep_core::Payment) -> Self {
        let kind = payment.kind();
        let (missing, excess) = match &kind {
            PaymentKind::None => (Some(payment.required.clone()), None),
            PaymentKind::Partial { missing } => (Some(missing.clone()), None),
            PaymentKind::Exact => (None, None),
            PaymentKind::Over { excess } => (None, Some(excess.clone())),
        };
        Self {
            kind: kind.name(),
            late: payment.is_late(),
            required: payment.required.clone(),
            received: payment.received.clone(),
            missing,
            excess,
            confirmations: payment.confirmations,
            required_confirmations: payment.required_confirmations,
            transactions: payment.transactions.iter().cloned().collect(),
        }
    }
}
