//! Rates and locks.

use axum::{Json, extract::State, http::StatusCode};
use orderkeep_core::{AccountId, Currency, Exact, Network};
use orderkeep_driver::Engine;
use orderkeep_provider::LockRequest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

use crate::{
    json::{JsonBody, QueryOf},
    problem::Problem,
    schema,
    view::TermsView,
};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AccountQuery {
    /// Whose credential; the default account unless said.
    #[serde(default = "AccountId::main")]
    #[param(required = false)]
    account: AccountId,
}

/// Indicative rates.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Rates)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RatesView {
    /// Fiat for one unit of each crypto currency.
    #[schema(value_type = BTreeMap<String, Exact>)]
    rates: BTreeMap<Currency, Exact>,
}

/// Indicative rates, as the provider gives them now.
#[utoipa::path(get, path = "/v1/rates", tag = "locks", operation_id = "getRates", params(AccountQuery),
    responses((status = 200, body = RatesView, description = "The rates")))]
pub(crate) async fn rates(
    State(engine): State<Engine>,
    QueryOf(query): QueryOf<AccountQuery>,
) -> Result<Json<RatesView>, Problem> {
    let rates = engine.rates(&query.account).await?;
    Ok(Json(RatesView { rates: rates.per_unit }))
}

/// What to lock.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = Lock)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LockBody {
    /// Whose credential; the default account unless said.
    #[serde(default = "AccountId::main")]
    account: AccountId,
    /// The fiat amount wanted.
    #[serde(deserialize_with = "crate::amount::exact")]
    #[schema(value_type = schema::AmountSent)]
    amount: Exact,
    /// The crypto currency that the payer will send.
    currency: Currency,
    /// On which chain.
    network: Network,
}

/// Takes a lock at the provider, and remembers its terms: a submit need only name it.
#[utoipa::path(post, path = "/v1/locks", tag = "locks", operation_id = "takeLock", request_body = LockBody,
    responses((status = 201, body = TermsView, description = "The lock's terms")))]
pub(crate) async fn take(
    State(engine): State<Engine>,
    JsonBody(body): JsonBody<LockBody>,
) -> Result<(StatusCode, Json<TermsView>), Problem> {
    if body.amount.is_zero() {
        return Err(Problem::bad_request("`amount` is how much fiat is wanted: more than nothing")
            .at("/amount"));
    }
    let request =
        LockRequest { amount: body.amount, currency: body.currency, network: body.network };
    let terms = engine.lock(&body.account, request).await?;
    Ok((StatusCode::CREATED, Json(TermsView::from(&terms))))
}
