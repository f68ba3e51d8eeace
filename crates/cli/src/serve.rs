//! The engine as a daemon.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use orderkeep::{
    Engine, StartError,
    http::{ApiConfig, WebhookRoute},
    p100::P100,
    provider::Provider,
    store::EmbeddedConfig,
};
use tokio::net::TcpListener;

use crate::{
    args::{ServeArgs, Twin},
    exit::{self, Failure, say},
    listen,
    settings::{self, Settings},
};

const LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7070);

pub(crate) async fn run(args: ServeArgs) -> Result<(), Failure> {
    let settings = settings::load(&args)?;
    let data = settings.data.clone().unwrap_or_else(|| PathBuf::from("data"));
    let listener = listen::open(settings.listen.unwrap_or(LISTEN)).await?;
    let addr = listener.local_addr().map_err(Failure::failed)?;
    let api = api(&settings, addr)?;
    let store = open(&settings, data.clone()).await?;
    let mut builder = Engine::builder().store(store).config(settings.engine());
    let mut webhooks = Vec::new();
    for (account, provider) in settings.accounts()? {
        let client = P100::new(provider.p100(&account)?).map_err(Failure::config)?;
        let client: Arc<dyn Provider> = match args.twin {
            None => Arc::new(client),
            Some(Twin::Resend) => Arc::new(crate::twin::Resend(client)),
        };
        webhooks
            .push(WebhookRoute { path: provider.webhook_path(&account), account: account.clone() });
        builder = builder.account(account, client);
    }
    let metrics = Some(crate::metrics::install()?);
    let engine = builder.start().await.map_err(started)?;
    say(format_args!(
        "orderkeep {} serves http://{addr}, data in {}",
        env!("CARGO_PKG_VERSION"),
        data.display()
    ));
    for webhook in &webhooks {
        say(format_args!(
            "webhooks of account `{}` at http://{addr}{}",
            webhook.account, webhook.path
        ));
    }
    carry_on(engine, listener, ApiConfig { webhooks, metrics, ..api }).await
}

/// Serves until asked to stop, or until the engine halts.
pub(crate) async fn carry_on(
    engine: Engine,
    listener: TcpListener,
    api: ApiConfig,
) -> Result<(), Failure> {
    let halted = Arc::new(std::sync::OnceLock::new());
    let until = {
        let (engine, halted) = (engine.clone(), Arc::clone(&halted));
        async move {
            let why = engine.halted().await;
            drop(halted.set(why));
        }
    };
    let closing = api.closing.clone();
    let router = orderkeep::http::router(engine.clone(), api);
    listen::serve(listener, router, closing, until).await?;
    if let Some(why) = halted.get() {
        return Err(Failure::new(
            exit::HALTED,
            format!("the engine has halted: {why}; start it again, it goes on from the disk"),
        ));
    }
    say("stopping: calls on their way are seen through");
    engine.shutdown().await.map_err(Failure::failed)
}

/// Who may use the API: on this machine anybody, beyond it only with a token.
fn api(settings: &Settings, addr: SocketAddr) -> Result<ApiConfig, Failure> {
    let token = match &settings.api_token_file {
        Some(file) => Some(settings::secret(file)?),
        None if addr.ip().is_loopback() || settings.behind_proxy => None,
        None => {
            return Err(Failure::config(format_args!(
                "{addr} is reachable from other machines: give --api-token-file, or set `behind_proxy = true` if something in front checks callers"
            )));
        }
    };
    Ok(ApiConfig { token, ..ApiConfig::default() })
}

async fn open(
    settings: &Settings,
    data: PathBuf,
) -> Result<Arc<dyn orderkeep::store::Store>, Failure> {
    let mut config = EmbeddedConfig::new(&data).backend(settings.store.unwrap_or_default());
    config.mark_path.clone_from(&settings.mark_path);
    if let Some(timeout) = settings.open_timeout {
        config.open_timeout = timeout.0;
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
