//! What the books need of orders: locked against executed amounts, funds that are not where they belong, and what is
//! left to settle. Exact decimals; nothing is rounded but what is computed at a rate.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::{Currency, Exact, Fact, Funds, Order, OrderResult, StateName};

/// Decimal places of an amount that is computed at a rate.
const PLACES: u32 = 8;

/// What is left to do about an order's money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ToSettle {
    /// Nothing: all is where it belongs.
    Nothing,
    /// It has not ended; ask again later.
    Open,
    /// Sold, with less received than was locked.
    SoldLess,
    /// Sold, with more received than was locked.
    SoldMore,
    /// Not sold, and the provider holds funds of the payer.
    FundsHeld,
    /// Funds arrived after the end.
    LateFunds,
    /// Sold, and taken back.
    Reversed,
    /// Nobody has proven where the funds are.
    FundsUnclear,
}

impl ToSettle {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Nothing,
        Self::Open,
        Self::SoldLess,
        Self::SoldMore,
        Self::FundsHeld,
        Self::LateFunds,
        Self::Reversed,
        Self::FundsUnclear,
    ];

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Open => "open",
            Self::SoldLess => "sold_less",
            Self::SoldMore => "sold_more",
            Self::FundsHeld => "funds_held",
            Self::LateFunds => "late_funds",
            Self::Reversed => "reversed",
            Self::FundsUnclear => "funds_unclear",
        }
    }
}

/// The money of one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Books {
    /// How much crypto the payer was to pay, by the lock that counts.
    pub pay_locked: Decimal,
    /// How much arrived, as far as a confirmed read has shown; late funds included.
    pub pay_received: Decimal,
    /// Received less locked, once it has ended with funds; below zero: too little.
    pub pay_difference: Option<Decimal>,
    /// How much the provider holds of an order that was not sold.
    pub pay_held: Option<Decimal>,
    /// The fiat amount that was locked; `None`: the lock does not say.
    pub settle_locked: Option<Decimal>,
    /// What was sold, at the locked rate. The provider does not say what it credited.
    pub settle_executed: Option<Decimal>,
    /// Executed less locked, for what was sold.
    pub settle_difference: Option<Decimal>,
    /// What is left to do.
    pub to_settle: ToSettle,
}

impl Books {
    /// What an order, as it is now, means for the books.
    #[must_use]
    pub fn of(order: &Order) -> Self {
        let terms = &order.terms;
        let pay_locked = terms.pay_amount.value();
        let late = order.after.iter().rev().find_map(|after| match &after.fact {
            Fact::LateFunds(all) => Some(all.value()),
            Fact::Reversal | Fact::Correction(_) | Fact::ProviderOrderFound => None,
        });
        let paid = order.state.deposit().map(|deposit| deposit.payment.received.value());
        let shown = order.state.bound().and_then(|bound| bound.last_read.as_ref());
        let shown = shown.and_then(|read| read.received.as_ref()).map(Exact::value);
        // Of one that was sold it can be what was locked, for want of a word about what was received: no figure for books.
        let held = order.outcome.as_ref().filter(|outcome| outcome.result == OrderResult::Failed);
        let held = held.map(|outcome| outcome.accounted.value());
        let pay_received =
            [paid, late, shown, held].into_iter().flatten().max().unwrap_or(Decimal::ZERO);
        let result = order.outcome.as_ref().map(|outcome| outcome.result);
        let funds = order.outcome.as_ref().map(|outcome| &outcome.funds);
        let sold = result == Some(OrderResult::Executed);
        let settle_locked = terms.settle_amount.as_ref().map(Exact::value);
        // Sold for nothing is not what happened to one that no read showed an amount of.
        let settle_executed = (sold && !pay_received.is_zero())
            .then(|| pay_received.checked_mul(terms.rate.value()))
            .flatten()
            .map(|amount| amount.round_dp(PLACES).normalize());
        Self {
            pay_locked,
            pay_received,
            pay_difference: (sold || (result.is_some() && !pay_received.is_zero()))
                .then(|| pay_received - pay_locked),
            pay_held: match funds {
                Some(Funds::Held(amount)) => Some(amount.value()),
                Some(Funds::None | Funds::Settled | Funds::Unclear) | None => None,
            },
            settle_locked,
            settle_executed,
            settle_difference: settle_executed
                .zip(settle_locked)
                .map(|(sold, locked)| sold - locked),
            to_settle: to_settle(result, funds, late.is_some(), pay_received, pay_locked),
        }
    }
}

fn to_settle(
    result: Option<OrderResult>,
    funds: Option<&Funds>,
    late: bool,
    received: Decimal,
    locked: Decimal,
) -> ToSettle {
    match (result, funds) {
        (None, _) | (_, None) => ToSettle::Open,
        (Some(OrderResult::Reversed), _) => ToSettle::Reversed,
        (Some(_), Some(Funds::Unclear)) => ToSettle::FundsUnclear,
        (Some(_), Some(_)) if late => ToSettle::LateFunds,
        (Some(_), Some(Funds::Held(_))) => ToSettle::FundsHeld,
        // Sold, and no read ever showed for how much.
        (Some(OrderResult::Executed), Some(Funds::None | Funds::Settled)) if received.is_zero() => {
            ToSettle::FundsUnclear
        }
        (Some(OrderResult::Executed), Some(Funds::None | Funds::Settled)) => {
            match received.cmp(&locked) {
                std::cmp::Ordering::Less => ToSettle::SoldLess,
                std::cmp::Ordering::Equal => ToSettle::Nothing,
                std::cmp::Ordering::Greater => ToSettle::SoldMore,
            }
        }
        (Some(OrderResult::Failed), Some(Funds::None | Funds::Settled)) => ToSettle::Nothing,
    }
}

/// What orders are summed up by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// What was to be paid in.
    pub pay_currency: Currency,
    /// What it was to be sold for; `None`: the lock does not say.
    pub settle_currency: Option<Currency>,
    /// What it came to: `executed`, `failed`, `reversed` or `open`.
    pub result: &'static str,
}

/// Sums over a group. An amount is `None` if it cannot be kept exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sums {
    /// How many orders.
    pub orders: u64,
    /// See [`Books::pay_locked`].
    pub pay_locked: Option<Decimal>,
    /// See [`Books::pay_received`].
    pub pay_received: Option<Decimal>,
    /// See [`Books::pay_difference`].
    pub pay_difference: Option<Decimal>,
    /// See [`Books::pay_held`].
    pub pay_held: Option<Decimal>,
    /// See [`Books::settle_locked`].
    pub settle_locked: Option<Decimal>,
    /// See [`Books::settle_executed`].
    pub settle_executed: Option<Decimal>,
    /// See [`Books::settle_difference`].
    pub settle_difference: Option<Decimal>,
}

impl Default for Sums {
    fn default() -> Self {
        let zero = Some(Decimal::ZERO);
        Self {
            orders: 0,
            pay_locked: zero,
            pay_received: zero,
            pay_difference: zero,
            pay_held: zero,
            settle_locked: zero,
            settle_executed: zero,
            settle_difference: zero,
        }
    }
}

/// Sums of many orders, per pair of currencies and result: amounts of different currencies never meet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Totals(pub BTreeMap<Group, Sums>);

impl Totals {
    /// Takes one order in.
    pub fn add(&mut self, order: &Order, books: &Books) {
        let group = Group {
            pay_currency: order.terms.pay_currency.clone(),
            settle_currency: order.terms.settle_currency.clone(),
            result: result_name(order),
        };
        let sums = self.0.entry(group).or_default();
        sums.orders += 1;
        let add = |sum: &mut Option<Decimal>, amount: Option<Decimal>| {
            *sum = sum.and_then(|sum| sum.checked_add(amount.unwrap_or_default()));
        };
        add(&mut sums.pay_locked, Some(books.pay_locked));
        add(&mut sums.pay_received, Some(books.pay_received));
        add(&mut sums.pay_difference, books.pay_difference);
        add(&mut sums.pay_held, books.pay_held);
        add(&mut sums.settle_locked, books.settle_locked);
        add(&mut sums.settle_executed, books.settle_executed);
        add(&mut sums.settle_difference, books.settle_difference);
    }
}

/// What an order came to, as far as it is proven: `executed`, `failed`, `reversed` or `open`.
#[must_use]
pub fn result_name(order: &Order) -> &'static str {
    match (order.outcome.as_ref().map(|outcome| outcome.result), order.state_name()) {
        (Some(OrderResult::Executed), _) | (None, StateName::Executed) => "executed",
        (Some(OrderResult::Failed), _) | (None, StateName::Failed) => "failed",
        (Some(OrderResult::Reversed), _) => "reversed",
        (
            None,
            StateName::Locked
            | StateName::Created
            | StateName::WaitingForWallet
            | StateName::AwaitingPayment,
        ) => "open",
    }
}
