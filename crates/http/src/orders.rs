//! Submit, show, list, history.

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use orderkeep_core::{
    AccountId, Currency, Exact, IdempotencyKey, LockId, Metadata, Network, Order, OrderId,
    StateName, Timestamp,
};
use orderkeep_driver::{Engine, OrderList, SubmitRequest, TermsSource};
use orderkeep_provider::LockRequest;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{
    IntoParams, ToSchema,
    openapi::schema::{Object, ObjectBuilder, Type},
};

use crate::{
    explanation::ExplanationView,
    json::{self, JsonBody, QueryOf},
    problem::{Code, Problem},
    schema,
    view::{EventView, OrderView, RelockView, TermsView},
};

/// Orders on a page, unless asked otherwise, and at most.
const PAGE: (usize, usize) = (50, 200);

/// An order to be taken: give one of `lockId`, `lockAnswer`, `terms` and `sell`.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = Submit)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SubmitBody {
    /// Whose credential; the default account unless said.
    #[serde(default = "AccountId::main")]
    account: AccountId,
    /// The same as the `Idempotency-Key` header; one of them is needed.
    idempotency_key: Option<IdempotencyKey>,
    /// A lock that this engine took ...
    lock_id: Option<LockId>,
    /// ... or the terms of one that was taken elsewhere ...
    terms: Option<TermsView>,
    /// ... or the provider's whole answer to it, as it came.
    #[schema(value_type = Option<schema::LockAnswer>)]
    lock_answer: Option<Box<RawValue>>,
    /// ... or what to sell and for how much: the lock is taken first.
    sell: Option<SellBody>,
    /// The caller's own word for it, at most 2,000 bytes.
    #[schema(max_length = 2000)]
    reference: Option<String>,
    /// At what price a fresh lock may take the place of one that ended.
    relock: Option<RelockView>,
    /// What else the caller hangs on it: kept, shown, and told with its first event.
    #[serde(default)]
    metadata: Metadata,
}

/// What to sell and for how much.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = Sell)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SellBody {
    /// The fiat amount wanted.
    #[serde(deserialize_with = "crate::amount::exact")]
    #[schema(value_type = schema::AmountSent)]
    amount: Exact,
    /// The crypto currency that the payer will send.
    currency: Currency,
    /// On which chain.
    network: Network,
}

impl SellBody {
    /// As the provider is asked.
    pub(crate) fn request(self, pointer: &'static str) -> Result<LockRequest, Problem> {
        let Self { amount, currency, network } = self;
        if amount.is_zero() {
            let detail = "`amount` is how much fiat is wanted: more than nothing";
            return Err(Problem::bad_request(detail).at(pointer));
        }
        Ok(LockRequest { amount, currency, network })
    }
}

/// Hands an order over. When this is answered the order is durable, and will be carried to its end. The same key and
/// body again is the same order.
#[utoipa::path(post, path = "/v1/orders", tag = "orders", operation_id = "submitOrder",
    params(("Idempotency-Key" = Option<IdempotencyKey>, Header,
        description = "Any text of the caller's own that is the same when it tries again. Needed, unless `idempotencyKey` is in the body.")),
    request_body = SubmitBody,
    responses(
        (status = 202, body = OrderView, description = "Taken, and durable",
            headers(("Location" = String, description = "The order"), ("ETag" = String, description = "Its version"))),
        (status = 200, body = OrderView, description = "The order of this key, as it is now",
            headers(("Location" = String, description = "The order"), ("ETag" = String, description = "Its version"),
                ("Idempotency-Replayed" = String, description = "`true`"))),
    ))]
pub(crate) async fn submit(
    State(engine): State<Engine>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<SubmitBody>,
) -> Result<Response, Problem> {
    let account = body.account;
    let request = SubmitRequest {
        account: account.clone(),
        key: key(&headers, body.idempotency_key)?,
        terms: match (body.lock_id, body.terms, body.lock_answer, body.sell) {
            (Some(lock_id), None, None, None) => TermsSource::Lock(lock_id),
            (None, Some(terms), None, None) => TermsSource::Given(Box::new(terms.into())),
            (None, None, Some(answer), None) => {
                TermsSource::Given(Box::new(engine.read_lock(&account, answer.get().as_bytes())?))
            }
            (None, None, None, Some(sale)) => TermsSource::Sell(sale.request("/sell/amount")?),
            (None, None, None, None) => {
                return Err(Problem::bad_request(
                    "give the `lockId` of a lock taken here, or the `lockAnswer` of the provider, or the `terms`, or what to `sell`",
                ));
            }
            (_, _, _, _) => {
                return Err(Problem::bad_request(
                    "give one of `lockId`, `lockAnswer`, `terms` and `sell`",
                ));
            }
        },
        reference: body.reference,
        relock: body.relock.map(Into::into),
        metadata: body.metadata,
    };
    let submitted = engine.submit(request).await?;
    let status = if submitted.replayed { StatusCode::OK } else { StatusCode::ACCEPTED };
    let mut response = answer(status, &submitted.order);
    if let Ok(location) = HeaderValue::try_from(format!("/v1/orders/{}", submitted.order.id)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    if submitted.replayed {
        let name = HeaderName::from_static("idempotency-replayed");
        response.headers_mut().insert(name, HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// The order, and the version that it has as its `ETag`.
pub(crate) fn answer(status: StatusCode, order: &Order) -> Response {
    let tag = HeaderValue::try_from(format!("\"{}\"", order.version));
    let mut response = (status, Json(OrderView::from(order))).into_response();
    if let Ok(tag) = tag {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

fn key(headers: &HeaderMap, in_body: Option<IdempotencyKey>) -> Result<IdempotencyKey, Problem> {
    let in_header = match headers.get("idempotency-key") {
        None => None,
        Some(value) => {
            let text = value
                .to_str()
                .map_err(|_| Problem::bad_request("`Idempotency-Key` holds odd characters"))
                .map_err(|problem| problem.in_parameter("Idempotency-Key"))?;
            let text = text.trim().trim_matches('"');
            Some(IdempotencyKey::new(text).map_err(|error| {
                Problem::bad_request(error.to_string()).in_parameter("Idempotency-Key")
            })?)
        }
    };
    match (in_header, in_body) {
        (Some(header), Some(body)) if header != body => {
            Err(Problem::bad_request("the `Idempotency-Key` header and `idempotencyKey` differ"))
        }
        (Some(key), _) | (None, Some(key)) => Ok(key),
        (None, None) => Err(Problem::bad_request(
            "send an `Idempotency-Key` header: any text of your own that is the same when you try again",
        )
        .in_parameter("Idempotency-Key")),
    }
}

pub(crate) fn order_id(text: &str) -> Result<OrderId, Problem> {
    text.parse().map_err(|error: orderkeep_core::id::BadId| {
        Problem::bad_request(error.to_string()).in_parameter("id")
    })
}

pub(crate) fn no_such_order(id: OrderId) -> Problem {
    Problem::new(Code::NoSuchOrder, format!("there is no order {id}"))
}

/// One order.
#[utoipa::path(get, path = "/v1/orders/{id}", tag = "orders", operation_id = "getOrder", params(("id" = OrderId, Path)),
    responses((status = 200, body = OrderView, description = "The order",
        headers(("ETag" = String, description = "Its version, for `If-Match`")))))]
pub(crate) async fn show(
    State(engine): State<Engine>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = order_id(&id)?;
    let order = engine.order(id).await?.ok_or_else(|| no_such_order(id))?;
    Ok(answer(StatusCode::OK, &order))
}

/// Why an order is where it is, and what happens next.
#[utoipa::path(get, path = "/v1/orders/{id}/explain", tag = "orders", operation_id = "explainOrder", params(("id" = OrderId, Path)),
    responses((status = 200, body = ExplanationView, description = "In sentences")))]
pub(crate) async fn explain(
    State(engine): State<Engine>,
    Path(id): Path<String>,
) -> Result<Json<ExplanationView>, Problem> {
    let id = order_id(&id)?;
    Ok(Json(engine.explain(id).await?.ok_or_else(|| no_such_order(id))?.into()))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ListQuery {
    /// Only in this state.
    #[param(schema_with = state_name)]
    state: Option<String>,
    /// Only those that need a person.
    #[serde(default)]
    #[param(required = false)]
    review: bool,
    /// Only those that have not ended.
    #[serde(default)]
    #[param(required = false)]
    open: bool,
    /// Only those with exactly this word of the caller's. Every order that fits otherwise is looked at: give
    /// `createdAfter` where you can.
    reference: Option<String>,
    /// Only those submitted after this moment. What is older is not even read.
    created_after: Option<Timestamp>,
    /// Only those submitted before this moment.
    created_before: Option<Timestamp>,
    /// `nextCursor` of the page before.
    #[param(value_type = Option<OrderId>)]
    cursor: Option<String>,
    /// So many on a page: 50 unless said, 200 at most.
    #[param(minimum = 0, maximum = 4294967295.0)]
    limit: Option<u32>,
}

pub(crate) fn state_name() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(StateName::ALL.iter().map(|name| name.as_str())))
        .build()
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page<T> {
    items: Vec<T>,
    /// Where the next page begins; `null`: this is the last one.
    next_cursor: Option<String>,
}

/// Orders, newest first.
#[utoipa::path(get, path = "/v1/orders", tag = "orders", operation_id = "listOrders", params(ListQuery),
    responses((status = 200, body = Page<OrderView>, description = "A page of them")))]
pub(crate) async fn list(
    State(engine): State<Engine>,
    QueryOf(query): QueryOf<ListQuery>,
) -> Result<Json<Page<OrderView>>, Problem> {
    let state: Option<StateName> = query.state.map(|text| text.parse()).transpose().map_err(
        |error: orderkeep_core::state::BadStateName| {
            Problem::bad_request(error.to_string()).in_parameter("state")
        },
    )?;
    let before = query.cursor.as_deref().map(order_id).transpose();
    let before = before.map_err(|problem| problem.in_parameter("cursor"))?;
    let limit = json::limit(query.limit, PAGE);
    let orders = engine
        .orders(&OrderList {
            state,
            review: query.review,
            open: query.open,
            reference: query.reference,
            created_after: query.created_after,
            created_before: query.created_before,
            before,
            limit,
        })
        .await?;
    let next_cursor =
        orders.last().filter(|_| orders.len() == limit).map(|order| order.id.to_string());
    Ok(Json(Page { items: orders.iter().map(OrderView::from).collect(), next_cursor }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct HistoryQuery {
    /// After the event with this number; `nextCursor` of the page before.
    #[serde(default)]
    #[param(required = false, minimum = 0, maximum = 4294967295.0)]
    after: u32,
    /// So many on a page, 200 unless said and at most.
    #[param(minimum = 0, maximum = 4294967295.0)]
    limit: Option<u32>,
}

/// Every event of an order, with its evidence, oldest first.
#[utoipa::path(get, path = "/v1/orders/{id}/history", tag = "orders", operation_id = "getOrderHistory",
    params(("id" = OrderId, Path), HistoryQuery),
    responses((status = 200, body = Page<EventView>, description = "A page of them")))]
pub(crate) async fn history(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    QueryOf(query): QueryOf<HistoryQuery>,
) -> Result<Json<Page<EventView>>, Problem> {
    let id = order_id(&id)?;
    let limit = json::limit(query.limit, (PAGE.1, PAGE.1));
    let events = engine.history(id, u64::from(query.after), limit).await?;
    if events.is_empty() && engine.order(id).await?.is_none() {
        return Err(no_such_order(id));
    }
    let next_cursor =
        events.last().filter(|_| events.len() == limit).map(|(version, _)| version.to_string());
    let items =
        events.into_iter().map(|(version, record)| EventView::new(version, record)).collect();
    Ok(Json(Page { items, next_cursor }))
}
