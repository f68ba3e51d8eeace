//! What a webhook says: something about an order, or about something else.
//!
//! The order webhook's own body was not seen. Documented are: it carries the whole order; other webhooks carry the
//! object itself; one page shows an envelope with `event_type` and `data`. Both forms are read. (assumed)

use orderkeep_core::{ProviderOrderId, Source, Timestamp};
use orderkeep_provider::{Heard, UnreadableWebhook};

use crate::{
    config::StatusTable,
    wire::{self, Fields, Unreadable},
};

/// Far above any documented body; whoever listens should refuse larger ones before they get here.
const BODY_BYTES_MAX: usize = 256 * 1024;
const KIND_BYTES_MAX: usize = 64;

/// Which field gives away what a body is about. (seen, but for the payment link: its body was not)
const OTHER_KINDS: [(&str, &str); 10] = [
    ("cryptoDepositId", "crypto_deposit"),
    ("exchangeId", "exchange"),
    ("withdrawalId", "crypto_withdrawal"),
    ("cryptoWithdrawalId", "crypto_withdrawal"),
    ("transferId", "sepa_transfer"),
    ("destinationIban", "sepa_transfer"),
    ("sourceExternalUserId", "transfer"),
    ("destinationExternalUserId", "transfer"),
    ("paymentLinkId", "payment_link"),
    ("externalUserId", "user"),
];

pub(crate) fn read(
    body: &[u8],
    heard_at: Timestamp,
    statuses: &StatusTable,
) -> Result<Heard, UnreadableWebhook> {
    let refused = |why: &dyn std::fmt::Display| UnreadableWebhook(why.to_string());
    if body.len() > BODY_BYTES_MAX {
        return Err(refused(&format_args!("it is longer than {BODY_BYTES_MAX} bytes")));
    }
    let outer = Fields::read_leniently(body).map_err(|e| refused(&e))?;
    let source = Source::Claimed { heard_at };
    if outer.has("orderId") {
        return order(&outer, source, statuses);
    }
    // One level and no deeper.
    let inner = outer.raw("data").and_then(|raw| Fields::read_leniently(raw.as_bytes()).ok());
    let event = event_type(&outer);
    let is_order = event.as_deref().is_some_and(names_orders);
    match (inner, event) {
        (Some(inner), event) if inner.has("orderId") => match event {
            // It names an order, but is about something else: a reason to look, not a statement.
            Some(event) if !is_order => {
                look(&inner, "orderId", &format_args!("it is a {event} event"))
            }
            Some(_) | None => order(&inner, source, statuses),
        },
        (Some(inner), Some(_)) if is_order && inner.has("id") => {
            look(&inner, "id", &Unreadable::Missing("orderId"))
        }
        (_, Some(_)) if is_order => Err(refused(&Unreadable::Missing("orderId"))),
        (_, Some(event)) => Ok(Heard::OtherKind { kind: event }),
        (inner, None) => {
            Ok(Heard::OtherKind { kind: kind(inner.as_ref().unwrap_or(&outer)).to_owned() })
        }
    }
}

fn names_orders(event: &str) -> bool {
    event.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("order"))
}

fn event_type(outer: &Fields<'_>) -> Option<String> {
    let text = outer.text("event_type").ok().flatten()?;
    let printable: String = text.chars().filter(|c| !c.is_control()).collect();
    Some(wire::cut(&printable, KIND_BYTES_MAX))
}

fn kind(fields: &Fields<'_>) -> &'static str {
    OTHER_KINDS.iter().find(|(field, _)| fields.has(field)).map_or("unknown", |(_, kind)| *kind)
}

fn order(
    fields: &Fields<'_>,
    source: Source,
    statuses: &StatusTable,
) -> Result<Heard, UnreadableWebhook> {
    match wire::observe(fields, source, statuses) {
        Ok(seen) => Ok(Heard::Order(Box::new(seen))),
        Err(why) => look(fields, "orderId", &why),
    }
}

/// An order to look at, if at least its name can be read.
fn look(
    fields: &Fields<'_>,
    name: &'static str,
    why: &dyn std::fmt::Display,
) -> Result<Heard, UnreadableWebhook> {
    let id: Option<ProviderOrderId> =
        fields.parsed(name, "an order id").map_err(|e| UnreadableWebhook(e.to_string()))?;
    match id {
        Some(provider_order) => Ok(Heard::Unreadable { provider_order, why: why.to_string() }),
        None => Err(UnreadableWebhook(Unreadable::Missing(name).to_string())),
    }
}
