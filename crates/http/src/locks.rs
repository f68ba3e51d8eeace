//! Rates and locks.

use axum::{Json, extract::State, http::StatusCode};
use orderkeep_core::{AccountId, Currency, Exact, Network};
use orderkeep_driver::Engine;
use orderkeep_provider::LockRequest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::{
    json::{JsonBody, QueryOf},
    problem::Problem,
    view::TermsView,
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AccountQuery {
    #[serde(default = "AccountId::main")]
    account: AccountId,
}

/// Indicative rates.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RatesView {
    rates: BTreeMap<Currency, Exact>,
}

pub(crate) async fn rates(
    State(engine): State<Engine>,
    QueryOf(query): QueryOf<AccountQuery>,
) -> Result<Json<RatesView>, Problem> {
    let rates = engine.rates(&query.account).await?;
    Ok(Json(RatesView { rates: rates.per_unit }))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LockBody {
    #[serde(default = "AccountId::main")]
    account: AccountId,
    /// The fiat amount wanted.
    #[serde(deserialize_with = "crate::amount::exact")]
    amount: Exact,
    currency: Currency,
    network: Network,
}

pub(crate) async fn take(
    State(engine): State<Engine>,
    JsonBody(body): JsonBody<LockBody>,
) -> Result<(StatusCode, Json<TermsView>), Problem> {
    if body.amount.is_zero() {
        return Err(Problem::bad_request("`amount` is how much fiat is wanted: more than nothing"));
    }
    let request =
        LockRequest { amount: body.amount, currency: body.currency, network: body.network };
    let terms = engine.lock(&body.account, request).await?;
    Ok((StatusCode::CREATED, Json(TermsView::from(&terms))))
}
