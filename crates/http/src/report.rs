//! Finance's morning: the orders of one day, locked against executed amounts, and what is left to settle.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use jiff::{civil::Date, tz::TimeZone};
use orderkeep_core::{
    AccountId, Order, OrderId, Timestamp,
    report::{Books, Group, Sums, ToSettle, Totals, result_name},
};
use orderkeep_driver::{Engine, OrderList};
use serde::{Deserialize, Serialize};
use utoipa::{
    IntoParams, ToSchema,
    openapi::schema::{Object, ObjectBuilder, Type},
};

use crate::{
    json::QueryOf,
    problem::{Code, Problem},
    schema,
};

/// One report holds at most so many orders.
const ORDERS_MAX: usize = 200_000;
/// Orders are read so many at once.
const PAGE: usize = 1_000;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ReportQuery {
    /// The day on which the orders were submitted, such as `2026-03-01`.
    #[param(format = Date)]
    day: String,
    /// Whose day it is: a time zone of the IANA database, such as `Europe/Berlin`; `UTC` unless said.
    #[param(min_length = 1)]
    tz: Option<String>,
    /// Only orders of this account.
    account: Option<AccountId>,
}

/// The orders of one day, by when they were submitted, as they are now.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    day: String,
    /// The time zone that the day is of.
    tz: String,
    /// When the day began.
    from: Timestamp,
    /// When it ended; itself not in it.
    to: Timestamp,
    /// Sums, per pair of currencies and result.
    totals: Vec<TotalView>,
    /// Each order, oldest first.
    orders: Vec<Line>,
}

/// Sums over orders of one pair of currencies and one result. An amount is `null` if it cannot be kept exactly.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReportTotal)]
#[serde(rename_all = "camelCase")]
struct TotalView {
    pay_currency: String,
    settle_currency: Option<String>,
    /// `executed`, `failed`, `reversed` or `open`.
    result: &'static str,
    orders: u64,
    #[schema(value_type = Option<schema::Difference>)]
    pay_locked: Option<String>,
    #[schema(value_type = Option<schema::Difference>)]
    pay_received: Option<String>,
    #[schema(value_type = Option<schema::Difference>)]
    pay_difference: Option<String>,
    #[schema(value_type = Option<schema::Difference>)]
    pay_held: Option<String>,
    #[schema(value_type = Option<schema::Difference>)]
    settle_locked: Option<String>,
    #[schema(value_type = Option<schema::Difference>)]
    settle_executed: Option<String>,
    #[schema(value_type = Option<schema::Difference>)]
    settle_difference: Option<String>,
}

/// The money of one order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReportOrder)]
#[serde(rename_all = "camelCase")]
struct Line {
    #[schema(value_type = OrderId)]
    id: String,
    account: String,
    reference: Option<String>,
    created_at: Timestamp,
    state: &'static str,
    /// `executed`, `failed`, `reversed` or `open`.
    result: &'static str,
    provider_order_id: Option<String>,
    network: String,
    pay_currency: String,
    /// How much crypto was to be paid.
    #[schema(value_type = schema::Difference)]
    pay_locked: String,
    /// How much arrived, late funds included.
    #[schema(value_type = schema::Difference)]
    pay_received: String,
    /// Received less locked; below zero: too little.
    #[schema(value_type = Option<schema::Difference>)]
    pay_difference: Option<String>,
    /// What the provider holds of an order that was not sold.
    #[schema(value_type = Option<schema::Difference>)]
    pay_held: Option<String>,
    /// Fiat for one unit of crypto, as locked.
    rate: String,
    settle_currency: Option<String>,
    /// The fiat amount that was locked.
    #[schema(value_type = Option<schema::Difference>)]
    settle_locked: Option<String>,
    /// What was sold, at the locked rate: the provider does not say what it credited.
    #[schema(value_type = Option<schema::Difference>)]
    settle_executed: Option<String>,
    /// Executed less locked.
    #[schema(value_type = Option<schema::Difference>)]
    settle_difference: Option<String>,
    /// What the provider kept. Always `null`: neither its lock nor its details have a field for a fee, and whether one is
    /// in the rate is not stated.
    fee: Option<String>,
    /// What is left to do.
    #[schema(schema_with = to_settle)]
    to_settle: &'static str,
}

fn to_settle() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(ToSettle::ALL.iter().map(|word| word.name())))
        .build()
}

impl Line {
    fn new(order: &Order, books: &Books) -> Self {
        Self {
            id: order.id.to_string(),
            account: order.account.to_string(),
            reference: order.reference.clone(),
            created_at: order.created_at,
            state: order.state_name().as_str(),
            result: result_name(order),
            provider_order_id: order.state.bound().map(|bound| bound.provider_order.to_string()),
            network: order.terms.network.to_string(),
            pay_currency: order.terms.pay_currency.to_string(),
            pay_locked: books.pay_locked.to_string(),
            pay_received: books.pay_received.to_string(),
            pay_difference: books.pay_difference.map(|amount| amount.to_string()),
            pay_held: books.pay_held.map(|amount| amount.to_string()),
            rate: order.terms.rate.to_string(),
            settle_currency: order.terms.settle_currency.as_ref().map(ToString::to_string),
            settle_locked: books.settle_locked.map(|amount| amount.to_string()),
            settle_executed: books.settle_executed.map(|amount| amount.to_string()),
            settle_difference: books.settle_difference.map(|amount| amount.to_string()),
            fee: None,
            to_settle: books.to_settle.name(),
        }
    }
}

impl TotalView {
    fn new((group, sums): (Group, Sums)) -> Self {
        Self {
            pay_currency: group.pay_currency.to_string(),
            settle_currency: group.settle_currency.map(|currency| currency.to_string()),
            result: group.result,
            orders: sums.orders,
            pay_locked: sums.pay_locked.map(|amount| amount.to_string()),
            pay_received: sums.pay_received.map(|amount| amount.to_string()),
            pay_difference: sums.pay_difference.map(|amount| amount.to_string()),
            pay_held: sums.pay_held.map(|amount| amount.to_string()),
            settle_locked: sums.settle_locked.map(|amount| amount.to_string()),
            settle_executed: sums.settle_executed.map(|amount| amount.to_string()),
            settle_difference: sums.settle_difference.map(|amount| amount.to_string()),
        }
    }
}

/// A day's beginning and end.
fn bounds(day: &str, tz: &str) -> Result<(Timestamp, Timestamp), Problem> {
    let date: Date = day.parse().map_err(|_| {
        let detail = format!("day: `{day}` is no day; write it like 2026-03-01");
        Problem::bad_request(detail).in_parameter("day")
    })?;
    let zone = TimeZone::get(tz).map_err(|_| {
        let detail = format!("tz: `{tz}` is no time zone; write it like Europe/Berlin or UTC");
        Problem::bad_request(detail).in_parameter("tz")
    })?;
    let moment = |date: Date| {
        let begin = date.to_zoned(zone.clone()).ok()?;
        Some(Timestamp::from_micros(begin.timestamp().as_microsecond()))
    };
    let end = date.tomorrow().ok().and_then(moment);
    moment(date).zip(end).ok_or_else(|| {
        Problem::bad_request(format!("day: {day} cannot be reckoned with")).in_parameter("day")
    })
}

/// The orders that were submitted on a day, as they are now: locked against executed amounts, funds on failed orders,
/// and what is left to settle. Only the orders of that day are read. With `Accept: text/csv` the orders as CSV.
#[utoipa::path(get, path = "/v1/report", tag = "finance", operation_id = "getReport", params(ReportQuery),
    responses((status = 200, description = "The day",
        content((Report = "application/json"), (String = "text/csv")))))]
pub(crate) async fn report(
    State(engine): State<Engine>,
    headers: HeaderMap,
    QueryOf(query): QueryOf<ReportQuery>,
) -> Result<Response, Problem> {
    let tz = query.tz.as_deref().unwrap_or("UTC");
    let (from, to) = bounds(&query.day, tz)?;
    let (mut lines, mut totals) = (Vec::new(), Totals::default());
    let mut before: Option<OrderId> = None;
    loop {
        let list = OrderList {
            // The first moment of the day belongs to it.
            created_after: Some(Timestamp::from_micros(from.as_micros().saturating_sub(1))),
            created_before: Some(to),
            before,
            limit: PAGE,
            ..OrderList::default()
        };
        let page = engine.orders(&list).await?;
        before = page.last().map(|order| order.id);
        let last = page.len() < PAGE;
        for order in &page {
            if query.account.as_ref().is_some_and(|account| *account != order.account) {
                continue;
            }
            let books = Books::of(order);
            totals.add(order, &books);
            lines.push(Line::new(order, &books));
        }
        if lines.len() > ORDERS_MAX {
            let detail = format!("{} has more than {ORDERS_MAX} orders", query.day);
            return Err(Problem::new(Code::ReportTooLarge, detail));
        }
        if last {
            break;
        }
    }
    lines.reverse();
    if wants_csv(&headers) {
        return csv(lines);
    }
    let totals = totals.0.into_iter().map(TotalView::new).collect();
    let report = Report { day: query.day, tz: tz.to_owned(), from, to, totals, orders: lines };
    Ok(Json(report).into_response())
}

fn wants_csv(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.into_iter().any(|value| value.to_ascii_lowercase().contains("text/csv"))
}

/// The columns, which are the fields of an order of the report.
const COLUMNS: [&str; 20] = [
    "id",
    "account",
    "reference",
    "createdAt",
    "state",
    "result",
    "providerOrderId",
    "network",
    "payCurrency",
    "payLocked",
    "payReceived",
    "payDifference",
    "payHeld",
    "rate",
    "settleCurrency",
    "settleLocked",
    "settleExecuted",
    "settleDifference",
    "fee",
    "toSettle",
];

fn csv(lines: Vec<Line>) -> Result<Response, Problem> {
    let failed = |error: csv::Error| Problem::internal(error.to_string());
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    writer.write_record(COLUMNS).map_err(failed)?;
    for mut line in lines {
        line.reference = line.reference.as_deref().map(harmless);
        writer.serialize(line).map_err(failed)?;
    }
    let bytes = writer.into_inner().map_err(|error| Problem::internal(error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], bytes).into_response())
}

/// A caller's word that a spreadsheet would take for a formula is kept a word.
fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}
