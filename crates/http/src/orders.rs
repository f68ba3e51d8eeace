//! Submit, show, list, history.

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use orderkeep_core::{AccountId, Explanation, IdempotencyKey, LockId, OrderId, StateName};
use orderkeep_driver::{Engine, OrderList, SubmitRequest, TermsSource};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    json::{JsonBody, QueryOf},
    problem::Problem,
    view::{EventView, OrderView, RelockView, TermsView},
};

/// Orders on a page, unless asked otherwise, and at most.
const PAGE: (usize, usize) = (50, 200);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SubmitBody {
    #[serde(default = "AccountId::main")]
    account: AccountId,
    /// The same as the `Idempotency-Key` header; one of them is needed.
    idempotency_key: Option<IdempotencyKey>,
    /// A lock that this engine took ...
    lock_id: Option<LockId>,
    /// ... or the terms of one that was taken elsewhere ...
    terms: Option<TermsView>,
    /// ... or the provider's whole answer to it, as it came.
    lock_answer: Option<Box<RawValue>>,
    reference: Option<String>,
    /// At what price a fresh lock may take the place of one that ended.
    relock: Option<RelockView>,
}

pub(crate) async fn submit(
    State(engine): State<Engine>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<SubmitBody>,
) -> Result<Response, Problem> {
    let account = body.account;
    let request = SubmitRequest {
        account: account.clone(),
        key: key(&headers, body.idempotency_key)?,
        terms: match (body.lock_id, body.terms, body.lock_answer) {
            (Some(lock_id), None, None) => TermsSource::Lock(lock_id),
            (None, Some(terms), None) => TermsSource::Given(Box::new(terms.into())),
            (None, None, Some(answer)) => {
                TermsSource::Given(Box::new(engine.read_lock(&account, answer.get().as_bytes())?))
            }
            (None, None, None) => {
                return Err(Problem::bad_request(
                    "give the `lockId` of a lock taken here, or the `lockAnswer` of the provider, or the `terms`",
                ));
            }
            (_, _, _) => {
                return Err(Problem::bad_request("give one of `lockId`, `lockAnswer` and `terms`"));
            }
        },
        reference: body.reference,
        relock: body.relock.map(Into::into),
    };
    let submitted = engine.submit(request).await?;
    let status = if submitted.replayed { StatusCode::OK } else { StatusCode::CREATED };
    let mut response = (status, Json(OrderView::from(&submitted.order))).into_response();
    if let Ok(location) = HeaderValue::try_from(format!("/v1/orders/{}", submitted.order.id)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    if submitted.replayed {
        let name = HeaderName::from_static("idempotency-replayed");
        response.headers_mut().insert(name, HeaderValue::from_static("true"));
    }
    Ok(response)
}

fn key(headers: &HeaderMap, in_body: Option<IdempotencyKey>) -> Result<IdempotencyKey, Problem> {
    let in_header = match headers.get("idempotency-key") {
        None => None,
        Some(value) => {
            let text = value
                .to_str()
                .map_err(|_| Problem::bad_request("`Idempotency-Key` holds odd characters"))?;
            let text = text.trim().trim_matches('"');
            Some(
                IdempotencyKey::new(text)
                    .map_err(|error| Problem::bad_request(error.to_string()))?,
            )
        }
    };
    match (in_header, in_body) {
        (Some(header), Some(body)) if header != body => {
            Err(Problem::bad_request("the `Idempotency-Key` header and `idempotencyKey` differ"))
        }
        (Some(key), _) | (None, Some(key)) => Ok(key),
        (None, None) => Err(Problem::bad_request(
            "send an `Idempotency-Key` header: any text of your own that is the same when you try again",
        )),
    }
}

pub(crate) fn order_id(text: &str) -> Result<OrderId, Problem> {
    text.parse().map_err(|error: orderkeep_core::id::BadId| Problem::bad_request(error.to_string()))
}

pub(crate) fn no_such_order(id: OrderId) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no_such_order", format!("there is no order {id}"))
}

pub(crate) async fn show(
    State(engine): State<Engine>,
    Path(id): Path<String>,
) -> Result<Json<OrderView>, Problem> {
    let id = order_id(&id)?;
    let order = engine.order(id).await?.ok_or_else(|| no_such_order(id))?;
    Ok(Json(OrderView::from(&order)))
}

pub(crate) async fn explain(
    State(engine): State<Engine>,
    Path(id): Path<String>,
) -> Result<Json<Explanation>, Problem> {
    let id = order_id(&id)?;
    Ok(Json(engine.explain(id).await?.ok_or_else(|| no_such_order(id))?))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ListQuery {
    state: Option<String>,
    #[serde(default)]
    review: bool,
    #[serde(default)]
    open: bool,
    cursor: Option<String>,
    limit: Option<usize>,
}

/// A page of orders.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page<T> {
    items: Vec<T>,
    next_cursor: Option<String>,
}

pub(crate) async fn list(
    State(engine): State<Engine>,
    QueryOf(query): QueryOf<ListQuery>,
) -> Result<Json<Page<OrderView>>, Problem> {
    let state: Option<StateName> = query.state.map(|text| text.parse()).transpose().map_err(
        |error: orderkeep_core::state::BadStateName| Problem::bad_request(error.to_string()),
    )?;
    let before = query.cursor.as_deref().map(order_id).transpose()?;
    let limit = query.limit.unwrap_or(PAGE.0).clamp(1, PAGE.1);
    let orders = engine
        .orders(&OrderList { state, review: query.review, open: query.open, before, limit })
        .await?;
    let next_cursor =
        orders.last().filter(|_| orders.len() == limit).map(|order| order.id.to_string());
    Ok(Json(Page { items: orders.iter().map(OrderView::from).collect(), next_cursor }))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct HistoryQuery {
    #[serde(default)]
    after: u64,
    limit: Option<usize>,
}

pub(crate) async fn history(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    QueryOf(query): QueryOf<HistoryQuery>,
) -> Result<Json<Page<EventView>>, Problem> {
    let id = order_id(&id)?;
    let limit = query.limit.unwrap_or(PAGE.1).clamp(1, PAGE.1);
    let events = engine.history(id, query.after, limit).await?;
    if events.is_empty() && query.after == 0 {
        return Err(no_such_order(id));
    }
    let next_cursor =
        events.last().filter(|_| events.len() == limit).map(|(version, _)| version.to_string());
    let items =
        events.into_iter().map(|(version, record)| EventView::new(version, record)).collect();
    Ok(Json(Page { items, next_cursor }))
}
