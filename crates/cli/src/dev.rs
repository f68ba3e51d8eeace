//! Engine and stand-in provider in one process, to try things out.

use std::{path::PathBuf, sync::Arc};

use orderkeep::{
    AccountId, Engine,
    http::ApiConfig,
    p100::{P100, P100Config, Secret},
};
use orderkeep_sandbox::{FaultScript, ModelConfig, Sandbox, SandboxConfig};

use crate::{
    args::DevArgs,
    exit::{Failure, say},
    listen, serve,
    settings::LimitsSettings,
    webhooks::{self, WebhookSettings},
};

const API_KEY: &str = "sandbox-api-key";
const WEBHOOK_TOKEN: &str = "sandbox-webhook-token";

pub(crate) async fn run(args: DevArgs) -> Result<(), Failure> {
    let listener = listen::open(args.listen).await?;
    let addr = listener.local_addr().map_err(Failure::failed)?;
    // Whoever tries it reads and types at their own pace: what the provider does is faster, its deadlines are not.
    let mut model = ModelConfig::default();
    model.lock_ttl_ms *= i64::from(args.time_factor);
    model.order_ttl_ms *= i64::from(args.time_factor);
    let sandbox = Sandbox::start(SandboxConfig {
        model,
        bind: args.sandbox_listen,
        api_key: orderkeep_sandbox::Secret::new(API_KEY),
        webhook_token: orderkeep_sandbox::Secret::new(WEBHOOK_TOKEN),
        webhook_url: Some(format!("http://{addr}/webhooks/p100")),
        time_factor: args.time_factor,
        faults: FaultScript::preset(args.faults.name()).unwrap_or_default(),
        ..SandboxConfig::default()
    })
    .map_err(Failure::config)?;
    // Held to the end: it is removed when it is dropped.
    let temporary = match args.data {
        Some(_) => None,
        None => Some(tempfile::tempdir().map_err(Failure::failed)?),
    };
    let data: PathBuf = match (&args.data, &temporary) {
        (Some(data), _) => data.clone(),
        (None, Some(temporary)) => temporary.path().join("data"),
        (None, None) => return Err(Failure::failed("no data folder")),
    };
    let store = orderkeep::open(&data).await.map_err(|error| Failure::not_opened(&error, &data))?;
    let secret = |text: &str| Secret::new(text).map_err(Failure::config);
    let mut config = P100Config::new(sandbox.base_url(), secret(API_KEY)?);
    config.webhook_tokens = vec![secret(WEBHOOK_TOKEN)?];
    let provider = P100::new(config).map_err(Failure::config)?;
    let engine = Engine::builder()
        .store(Arc::clone(&store))
        .account(AccountId::main(), Arc::new(provider))
        .start()
        .await
        .map_err(Failure::failed)?;
    let inside = WebhookSettings { allow_private: true, ..WebhookSettings::default() };
    let outbox = Some(webhooks::start(store, &inside).await?);
    let sandbox_url = sandbox.base_url();
    let kept = if temporary.is_some() { " (removed at the end)" } else { "" };
    say(format_args!(
        "\
orderkeep dev: SANDBOX, no real money
  engine    http://{addr}
  provider  {sandbox_url}
  ledger    {sandbox_url}/_control/ledger
  data      {data}{kept}

Try it, in another terminal:
  curl -s -X POST http://{addr}/v1/locks -d '{{\"amount\":\"100\",\"currency\":\"usdc\",\"network\":\"polygon\"}}'
  curl -s -X POST http://{addr}/v1/orders -H 'idempotency-key: my-first' -d '{{\"lockId\":\"<lockId from above>\"}}'
  curl -s http://{addr}/v1/orders/<id>          # until it shows an address
  curl -s -X POST {sandbox_url}/_control/pay -d '{{\"address\":\"<address>\"}}'
or: orderkeep orders --url http://{addr} submit --amount 100",
        data = data.display(),
    ));
    let server = listen::Server { listener, tls: None, limits: LimitsSettings::default() };
    serve::carry_on(engine, server, ApiConfig { outbox, ..ApiConfig::default() }, None).await?;
    sandbox.shutdown().await;
    Ok(())
}
