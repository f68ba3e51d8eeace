//! The stand-in provider as a process of its own.

use orderkeep_sandbox::{FaultScript, Sandbox, SandboxConfig};
use serde_json::json;

use crate::{
    args::SandboxArgs,
    exit::{Failure, say},
    listen, output, settings,
};

/// Prints one JSON line with its addresses to stdout, and serves until asked to stop.
pub(crate) async fn run(args: SandboxArgs) -> Result<(), Failure> {
    let mut config: SandboxConfig = match &args.config {
        Some(path) => settings::read(path)?,
        None => SandboxConfig::default(),
    };
    config.bind = args.listen.unwrap_or(config.bind);
    config.control_bind = args.control_listen.or(config.control_bind);
    config.webhook_url = args.webhook_url.or(config.webhook_url);
    config.seed = args.seed.unwrap_or(config.seed);
    config.time_factor = args.time_factor.unwrap_or(config.time_factor);
    if let Some(faults) = args.faults {
        config.faults = FaultScript::preset(faults.name()).unwrap_or_default();
    }
    let factor = config.time_factor;
    let sandbox = Sandbox::start(config).map_err(Failure::config)?;
    output::json(&json!({
        "url": sandbox.base_url(),
        "controlUrl": format!("http://{}", sandbox.control_addr()),
    }));
    say(format_args!(
        "the stand-in provider serves {}, its time runs {factor} times as fast",
        sandbox.base_url()
    ));
    listen::asked_to_stop().await;
    sandbox.shutdown().await;
    Ok(())
}
