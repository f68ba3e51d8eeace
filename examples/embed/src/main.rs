//! A partner's own service with the engine inside: its checkout page asks the engine where to pay.
//!
//! The engine runs as tasks of this service's runtime and keeps everything in one folder. Kill the service at any
//! moment and start it again: its orders go on.
//!
//! Run with, for example, `orderkeep sandbox` as the provider:
//!
//! ```sh
//! PROVIDER_URL=http://127.0.0.1:7071 API_KEY_FILE=api-key WEBHOOK_TOKEN_FILE=webhook-token \
//!     DATA=data/orders LISTEN=127.0.0.1:8080 cargo run -p example-embed
//! ```

use std::{env, error::Error, sync::Arc};

use axum::{
    Router,
    extract::{Path, State},
    routing::get,
};
use orderkeep::{
    AccountId, Engine, IdempotencyKey,
    http::{ApiConfig, router},
    p100::{P100, P100Config, Secret},
};
use tokio::{net::TcpListener, signal::unix::SignalKind};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let api_key = Secret::from_file(env::var("API_KEY_FILE")?)?;
    let mut provider = P100Config::new(env::var("PROVIDER_URL")?, api_key);
    provider.webhook_tokens = vec![Secret::from_file(env::var("WEBHOOK_TOKEN_FILE")?)?];

    let engine = Engine::builder()
        .store(orderkeep::open(env::var("DATA")?).await?)
        .account(AccountId::main(), Arc::new(P100::new(provider)?))
        .start()
        .await?;

    // The engine's API and webhooks, beside a page of our own.
    let app = Router::new()
        .route("/checkout/{key}", get(checkout))
        .with_state(engine.clone())
        .merge(router(engine.clone(), ApiConfig::default()));

    let listener = TcpListener::bind(env::var("LISTEN")?).await?;
    announce(&listener)?;
    let mut terminate = tokio::signal::unix::signal(SignalKind::terminate())?;
    axum::serve(listener, app)
        .with_graceful_shutdown(async move {
            terminate.recv().await;
        })
        .await?;
    // Sees calls that are on their way through, and lets go of the folder.
    Ok(engine.shutdown().await?)
}

/// Where the payer of an order pays, found by our own key for it.
async fn checkout(State(engine): State<Engine>, Path(key): Path<String>) -> String {
    let Ok(key) = IdempotencyKey::new(key) else {
        return "no such checkout\n".to_owned();
    };
    match engine.order_by_key(&AccountId::main(), &key).await {
        Ok(Some(order)) => match order.payable_address() {
            Some(address) => {
                format!(
                    "pay {} {} to {address}\n",
                    order.terms.pay_amount, order.terms.pay_currency
                )
            }
            None => format!("{}\n", order.state_name()),
        },
        Ok(None) => "no such checkout\n".to_owned(),
        Err(error) => format!("try again: {error}\n"),
    }
}

#[allow(clippy::print_stdout, reason = "a program may say where it listens")]
fn announce(listener: &TcpListener) -> std::io::Result<()> {
    println!("listening on http://{}", listener.local_addr()?);
    Ok(())
}
