//! Why an order stands where it does, and what happens next.

use super::{
    Calls, Outlook,
    evidence::{fail_reason, funds_words, result_words},
    span, was_payable, when,
};
use crate::{
    Order, PaymentKind, Policy, State, Timestamp, schedule,
    state::{AwaitingPayment, Bound, Create, Executed, Failed, Locked},
};

/// Why it stands where it does.
pub(super) fn why(order: &Order, now: Timestamp) -> Vec<String> {
    let mut why = vec![match &order.state {
        State::Locked(Locked { create }) => locked(order, create, now),
        State::Created(state) => {
            format!(
                "{} exists at the provider, and no read has shown more yet.",
                name(&state.bound)
            )
        }
        State::WaitingForWallet(state) => format!(
            "{} exists at the provider, which has not given an address since {}.",
            name(&state.bound),
            when(state.bound.at, now)
        ),
        State::AwaitingPayment(state) => awaiting(state, now),
        State::Executed(Executed { bound, .. }) => {
            format!("The provider executed {}.", name(bound))
        }
        State::Failed(Failed { reason, .. }) => format!("It failed: {}.", fail_reason(reason)),
    }];
    if let Some(outcome) = &order.outcome {
        why.push(format!(
            "Last proven at {}: {}, and {}.",
            when(outcome.proven_at, now),
            result_words(outcome.result),
            funds_words(&outcome.funds)
        ));
    }
    if let Some(hint) = &order.hint {
        why.push(format!(
            "A webhook heard at {} claims `{}`; a read has not confirmed it yet.",
            when(hint.heard_at, now),
            hint.claim.status_text
        ));
    }
    if let Some(adopting) = &order.adopting {
        why.push(format!(
            "Somebody says that {adopting} is this order's; no read has shown it yet."
        ));
    }
    if let Some(cancel) = &order.cancel
        && !order.state_name().is_end()
    {
        why.push(format!(
            "{} wants it to end since {}. Only the provider can end it, so the address is withheld and the order goes on listening.",
            cancel.author,
            when(cancel.at, now)
        ));
    }
    for other in &order.other_orders {
        why.push(format!(
            "The provider has another order for the same lock, {other}, never acted on."
        ));
    }
    let withheld: Vec<_> = order
        .open_reviews()
        .filter(|review| review.reason.withholds_address())
        .map(|review| review.reason.name())
        .collect();
    if !withheld.is_empty() && was_payable(order) {
        why.push(format!(
            "The payer is not shown the address while this is open: {}.",
            withheld.join(", ")
        ));
    }
    why
}

fn name(bound: &Bound) -> String {
    format!("Order {}", bound.provider_order)
}

fn locked(order: &Order, create: &Create, now: Timestamp) -> String {
    match create {
        Create::NotSent { held: Some(why), attempts, .. } => format!(
            "The provider refused create attempt {attempts} ({why}), and the same again would not help. Nothing is at the provider."
        ),
        Create::NotSent { unknown_before: true, attempts, .. } => format!(
            "What came of create attempt {attempts} is unknown, and a person had it posted again; that is not sent yet."
        ),
        Create::NotSent { attempts: 0, .. } => {
            format!("Lock {} is taken, and no create was sent yet.", order.terms.lock_id)
        }
        Create::NotSent { attempts, .. } => {
            format!("Create attempt {attempts} had certainly no effect, and may be sent again.")
        }
        Create::InFlight { attempt, since, .. } => {
            format!("Create attempt {attempt} is on its way since {}.", when(*since, now))
        }
        Create::Unknown { attempt, since, why } => format!(
            "Nobody knows since {} what came of create attempt {attempt}: {why}. The provider has no look-up by lock, so nothing is sent again.",
            when(*since, now)
        ),
        Create::Relocking { since, instead_of, .. } => format!(
            "Lock {} is over since {} ({}), and the caller allows a fresh one.",
            order.terms.lock_id,
            when(*since, now),
            fail_reason(instead_of)
        ),
    }
}

fn awaiting(state: &AwaitingPayment, now: Timestamp) -> String {
    let payment = &state.deposit.payment;
    let required = &payment.required;
    let paid = match payment.kind() {
        PaymentKind::None => format!("nothing of {required} has arrived"),
        PaymentKind::Partial { missing } => {
            format!("{} of {required} has arrived, {missing} is missing", payment.received)
        }
        PaymentKind::Exact => format!("{required} has arrived, all that is wanted"),
        PaymentKind::Over { excess } => {
            format!("{} has arrived, {excess} more than wanted", payment.received)
        }
    };
    let confirmations = match (&payment.received.is_zero(), payment.required_confirmations) {
        (false, Some(of)) => format!(", with {} of {of} confirmations", payment.confirmations),
        (false, None) => format!(", with {} confirmations", payment.confirmations),
        (true, _) => String::new(),
    };
    let deadline = match state.deposit.expires_at {
        Some(at) => format!(" It is to be paid by {}.", when(at, now)),
        None => " The provider has named no deadline.".to_owned(),
    };
    let late = if payment.is_late() { " Some of it came after the deadline." } else { "" };
    format!(
        "{} has its address; {paid}{confirmations}. Only the provider can say that it is sold or failed.{deadline}{late}",
        name(&state.bound)
    )
}

/// What the engine does next, and when.
pub(super) fn next(
    order: &Order,
    outlook: Outlook,
    now: Timestamp,
    policy: &Policy,
) -> Vec<String> {
    let mut next = Vec::new();
    match outlook.calls {
        Calls::Flowing => {}
        Calls::Throttled => next.push("The provider asked to wait: calls go on when that is over.".to_owned()),
        Calls::Down => next.push(
            "The provider does not answer. One call tries now and then, the others wait; until it answers, no deadline decides anything."
                .to_owned(),
        ),
        Calls::Denied => next.push(
            "The provider refuses the API key: all calls of the account stand still, and no order fails of it. Replace the key and restart."
                .to_owned(),
        ),
        Calls::NoAccount => next.push(format!(
            "Account `{}` is not configured: nothing is called for it. Add it to the configuration and restart.",
            order.account
        )),
    }
    match &order.state {
        State::Locked(Locked { create }) => next.extend(next_locked(order, create, now, policy)),
        State::Created(_) | State::WaitingForWallet(_) | State::AwaitingPayment(_) => {
            next.push(reads(outlook, now));
            next.push(match &order.state {
                State::AwaitingPayment(_) => {
                    "It ends when a read says so; our clock alone never ends an order that a payer could have paid."
                }
                State::Locked(_)
                | State::Created(_)
                | State::WaitingForWallet(_)
                | State::Executed(_)
                | State::Failed(_) => "The payer can be sent to the address as soon as a read shows it.",
            }.to_owned());
        }
        State::Executed(_) | State::Failed(_) => match schedule::watched_until(order, policy) {
            Some(end) if end > now => {
                next.push(format!("Its state never changes again. It is listened to until {}.", when(end, now)));
                next.push(reads(outlook, now));
            }
            Some(_) | None => next.push(
                "Its state never changes again, and nothing more is read. A webhook about it is still heard."
                    .to_owned(),
            ),
        },
    }
    if order.needs_review() {
        next.push("A person is needed; the commands stand with the questions.".to_owned());
    }
    next
}

fn reads(outlook: Outlook, now: Timestamp) -> String {
    match outlook.wake_up {
        Some(at) if at > now => {
            format!(
                "The provider's order is read at {}, or at once after a webhook.",
                when(at, now)
            )
        }
        Some(_) => {
            "The provider's order is being read, or waits for its turn in the request budget."
                .to_owned()
        }
        None => "No read is planned; a webhook or `retry` makes one.".to_owned(),
    }
}

fn next_locked(order: &Order, create: &Create, now: Timestamp, policy: &Policy) -> Vec<String> {
    let last = schedule::last_send(order, policy);
    let ends = format!("{}, {} before its lock ends", when(last, now), span(policy.margin()));
    if order.adopting.is_some() {
        return vec![
            "The named provider order is read now; if it carries our lock, it is this one's."
                .to_owned(),
        ];
    }
    match create {
        Create::NotSent { held: Some(_), .. } => vec![
            "Nothing is sent by itself.".to_owned(),
            format!("Unless a person retries it, it fails as `lock_expired` at {ends}."),
        ],
        Create::NotSent { next_at, unknown_before, .. } => vec![
            if *next_at > now {
                format!("The create is posted at {}.", when(*next_at, now))
            } else {
                "The create is posted as soon as the request budget has room.".to_owned()
            },
            if *unknown_before {
                format!("It is not posted after {ends}; it is unknown again then.")
            } else {
                format!(
                    "It is not posted after {ends}; it fails as `lock_expired` then, and nobody has paid."
                )
            },
        ],
        Create::InFlight { since, .. } => vec![format!(
            "Without an answer by {} its outcome is unknown.",
            when(since.plus(policy.create_timeout), now)
        )],
        Create::Unknown { .. } if order.is_exposed() => vec![
            "It ends by a read that shows our lock: after a webhook that names it, or an `adopt`."
                .to_owned(),
            "It does not fail by itself and is not posted: in the life of the store before, an address may have been shown to a payer."
                .to_owned(),
        ],
        Create::Unknown { since, .. } => {
            let mut next = vec![
                "It ends by a read that shows our lock: after a webhook that names it, or an `adopt`."
                    .to_owned(),
            ];
            let asks = since.plus(policy.unknown_create_review_after);
            if asks > now {
                next.push(format!("A person is asked at {}.", when(asks, now)));
            }
            next.push(match schedule::unknown_ends_at(order, policy) {
                Some(end) => format!(
                    "If nothing is heard it fails as `unknown_create` at {}, once the provider has been seen: nobody was ever shown an address.",
                    when(end, now)
                ),
                None => "It does not fail by itself: `policy.provider_order_window` is not set, so nobody knows how long an order of its lock could live.".to_owned(),
            });
            next
        }
        Create::Relocking { instead_of, since, .. } => {
            let most =
                order.relock.as_ref().map_or("nothing", |relock| relock.max_pay_amount.text());
            let asks = since.plus(policy.relock_review_after);
            let asked =
                (asks > now).then(|| format!("A person is asked at {}.", when(asks, now)));
            let mut next = vec![
                "A fresh lock is asked for until the provider gives one.".to_owned(),
                format!(
                    "If it asks more than {most} of the payer, the order fails as `{}`.",
                    instead_of.name()
                ),
            ];
            next.extend(asked);
            next
        }
    }
}
