//! The engine as a daemon.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use orderkeep::{
    Author, Clock as _, Engine, StartError, SystemClock,
    http::{ApiConfig, Key, KeyRing, WebhookRoute},
    p100::P100,
    provider::Provider,
    store::EmbeddedConfig,
};
use tokio_util::sync::CancellationToken;

use crate::{
    args::{LogFormat, ServeArgs, Twin},
    exit::{self, Failure, say},
    keys, listen, otlp,
    settings::{self, Settings, Span},
    supervisor,
    tls::Tls,
    webhooks,
};

pub(crate) async fn run(args: ServeArgs, log: Option<LogFormat>) -> Result<(), Failure> {
    let settings = settings::load(&args)?;
    let spans = otlp::start(&settings.otlp)?;
    exit::install_log(log, spans.as_ref())?;
    let result = serve(args, settings).await;
    if let Some(spans) = spans {
        spans.shutdown().await;
    }
    result
}

async fn serve(args: ServeArgs, settings: Settings) -> Result<(), Failure> {
    let data = settings.data.clone();
    let listener = listen::open(settings.listen).await?;
    let addr = listener.local_addr().map_err(Failure::failed)?;
    let provider_side = match settings.webhooks.listen {
        Some(addr) => {
            refuse_in_the_clear(&settings, addr)?;
            Some(listen::open(addr).await?)
        }
        None => None,
    };
    let retention = settings.retention()?;
    let api = api(&settings, &data, addr)?;
    let tls = settings.tls()?.map(|(cert, key)| Tls::follow(cert, key)).transpose()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    // Whatever the configuration lacks is said before a store is made.
    let clients = clients(&settings, args.twin)?;
    let store = open(&settings, data.clone()).await?;
    let mut builder = Engine::builder().store(Arc::clone(&store)).config(settings.engine());
    let mut routes = Vec::new();
    for (route, client) in clients {
        builder = builder.account(route.account.clone(), client);
        routes.push(route);
    }
    let metrics = Some(crate::metrics::install()?);
    let engine = builder.start().await.map_err(started)?;
    let outbox = webhooks::start(store, &settings.webhooks).await?;
    if let Some(retention) = retention {
        engine.retain(retention, vec![Arc::new(outbox.clone())]).await;
    }
    let outbox = Some(outbox);
    say(format_args!(
        "orderkeep {} serves {scheme}://{addr}, data in {}",
        env!("CARGO_PKG_VERSION"),
        data.display()
    ));
    let at = provider_side.as_ref().and_then(|listener| listener.local_addr().ok()).unwrap_or(addr);
    for webhook in &routes {
        say(format_args!(
            "webhooks of account `{}` at {scheme}://{at}{}",
            webhook.account, webhook.path
        ));
    }
    let over = |listener| listen::Server { listener, tls: tls.clone(), limits: settings.limits };
    let (routes, provider_side) = match provider_side {
        Some(listener) => (Vec::new(), Some((over(listener), routes))),
        None => (routes, None),
    };
    let api = ApiConfig { webhooks: routes, outbox, metrics, ..api };
    carry_on(engine, over(listener), api, provider_side).await
}

/// Where an account's webhooks arrive, and its client.
type Account = (WebhookRoute, Arc<dyn Provider>);

fn clients(settings: &Settings, twin: Option<Twin>) -> Result<Vec<Account>, Failure> {
    let made = settings.accounts()?.into_iter().map(|(account, provider)| {
        let client = P100::new(provider.p100(&account)?).map_err(Failure::config)?;
        let client: Arc<dyn Provider> = match twin {
            None => Arc::new(client),
            Some(Twin::Resend) => Arc::new(crate::twin::Resend(client)),
        };
        Ok((WebhookRoute { path: provider.webhook_path(&account), account }, client))
    });
    made.collect()
}

/// Serves until asked to stop, or until the engine halts.
pub(crate) async fn carry_on(
    engine: Engine,
    server: listen::Server,
    api: ApiConfig,
    provider_side: Option<(listen::Server, Vec<WebhookRoute>)>,
) -> Result<(), Failure> {
    let halted = Arc::new(std::sync::OnceLock::new());
    let until = {
        let (engine, halted) = (engine.clone(), Arc::clone(&halted));
        async move {
            let why = engine.halted().await;
            drop(halted.set(why));
        }
    };
    let (closing, outbox) = (api.closing.clone(), api.outbox.clone());
    let provider_side = provider_side.map(|(server, routes)| {
        let router =
            orderkeep::http::webhook_router(engine.clone(), routes, server.limits.of_the_api());
        let until = closing.clone().cancelled_owned();
        tokio::spawn(server.serve(router, CancellationToken::new(), until))
    });
    let router = orderkeep::http::router(engine.clone(), api);
    supervisor::ready(&engine);
    let drain = Span(server.limits.drain.0);
    let begun = closing.clone().cancelled_owned();
    let told = tokio::spawn(async move {
        begun.await;
        supervisor::stopping();
        say(format_args!("stopping: requests on their way are seen through, for {drain} at most"));
    });
    server.serve(router, closing, until).await;
    drop(told.await);
    if let Some(task) = provider_side {
        drop(task.await);
    }
    if let Some(why) = halted.get() {
        return Err(Failure::new(
            exit::HALTED,
            format!("the engine has halted: {why}; start it again, it goes on from the disk"),
        ));
    }
    say("stopping: calls to the provider are seen through");
    if let Some(outbox) = outbox {
        outbox.shutdown().await;
    }
    engine.shutdown().await.map_err(Failure::failed)
}

/// Who may use the API: on this machine anybody, while there are no keys; beyond it only callers with one, and only
/// where nobody can listen.
fn api(settings: &Settings, data: &Path, addr: SocketAddr) -> Result<ApiConfig, Failure> {
    let (path, tokens) = (keys::file::beside(data), tokens(settings)?);
    let all: Vec<_> = keys::file::read(&path)?.into_iter().chain(tokens.clone()).collect();
    refuse_to_all(settings, &all, addr)?;
    let limits = &settings.limits;
    let keys = KeyRing::new(all).with_rate(f64::from(limits.key_burst), limits.key_per_second);
    tokio::spawn(keys::file::follow(path, keys.clone(), tokens));
    Ok(ApiConfig { keys, limits: limits.of_the_api(), ..ApiConfig::default() })
}

/// The token of the configuration, as a key.
fn tokens(settings: &Settings) -> Result<Vec<Key>, Failure> {
    let Some(token) = settings.api_token()? else { return Ok(Vec::new()) };
    let name = Author::new("api-token").map_err(Failure::config)?;
    Ok(vec![KeyRing::token(name, &token)])
}

/// What would be refused at the start, of who may reach it.
pub(crate) fn check(settings: &Settings) -> Result<(), Failure> {
    let keys = keys::file::read(&keys::file::beside(&settings.data))?;
    let all: Vec<_> = keys.into_iter().chain(tokens(settings)?).collect();
    refuse_to_all(settings, &all, settings.listen)?;
    settings.webhooks.listen.map_or(Ok(()), |addr| refuse_in_the_clear(settings, addr))
}

/// Beyond this machine nobody is let in without a key.
fn refuse_to_all(settings: &Settings, keys: &[Key], addr: SocketAddr) -> Result<(), Failure> {
    if addr.ip().is_loopback() {
        return Ok(());
    }
    if !keys.iter().any(|key| key.is_good(SystemClock.now())) {
        return Err(Failure::config(format_args!(
            "{addr} is reachable from other machines: make a key (orderkeep keys create), or give --api-token-file"
        )));
    }
    refuse_in_the_clear(settings, addr)
}

/// Keys, and the tokens of webhooks, cross no network unencrypted.
fn refuse_in_the_clear(settings: &Settings, addr: SocketAddr) -> Result<(), Failure> {
    if addr.ip().is_loopback() || settings.behind_proxy || settings.tls()?.is_some() {
        return Ok(());
    }
    Err(Failure::config(format_args!(
        "{addr} is reachable from other machines, and keys would cross the network in the clear: give `tls_cert_file` and `tls_key_file`, or put a proxy with TLS in front and set `behind_proxy = true`"
    )))
}

async fn open(
    settings: &Settings,
    data: PathBuf,
) -> Result<Arc<dyn orderkeep::store::Store>, Failure> {
    let mut config = EmbeddedConfig::new(&data).backend(settings.store.unwrap_or_default());
    config.mark_path.clone_from(&settings.mark_path);
    if let Some(timeout) = settings.open_timeout() {
        config.open_timeout = timeout;
    }
    orderkeep::open_with(config).await.map_err(|error| Failure::not_opened(&error, &data))
}

fn started(error: StartError) -> Failure {
    match error {
        StartError::Engine(error) => Failure::new(exit::DATA, error.to_string()),
        other @ (StartError::NoStore | StartError::NoAccount | StartError::Setting { .. } | _) => {
            Failure::config(other)
        }
    }
}
