//! `orderkeep config`: is it right, what is in force, what can be said.

use clap::Subcommand;

use crate::{
    args::{OutputFormat, ServeArgs},
    exit::{Failure, say},
    output,
    settings::{Layers, Settings, page, schema},
};

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Whether the engine would start with it: every name, value and secret is looked at.
    Check(Box<ServeArgs>),
    /// What is in force, and where each value came from. Secrets are not in it.
    Print {
        /// The default file, with every key explained.
        #[arg(long)]
        default: bool,
        #[arg(long, value_enum, default_value_t = OutputFormat::Table)]
        output: OutputFormat,
        #[command(flatten)]
        serve: Box<ServeArgs>,
    },
    /// The JSON Schema of the file.
    Schema,
    /// The page in the documentation.
    #[command(hide = true)]
    Page,
}

pub(crate) fn run(command: ConfigCommand) -> Result<(), Failure> {
    match command {
        ConfigCommand::Check(args) => {
            let settings = Layers::of(&args)?.settings()?;
            check(&settings)?;
            say("the configuration is good");
        }
        ConfigCommand::Print { default: true, .. } => output::line(page::default_file().trim_end()),
        ConfigCommand::Print { output, serve, .. } => {
            let layers = Layers::of(&serve)?;
            let found = page::in_force(&layers, &layers.settings()?)?;
            match output {
                OutputFormat::Json => output::json(&found),
                OutputFormat::Table => output::line(page::in_force_file(&found).trim_end()),
            }
        }
        ConfigCommand::Schema => output::json(&schema::schema()),
        ConfigCommand::Page => output::line(page::page().trim_end()),
    }
    Ok(())
}

/// Everything that starting reads, except the store.
pub(crate) fn check(settings: &Settings) -> Result<(), Failure> {
    for (account, provider) in settings.accounts()? {
        let config = provider.p100(&account)?;
        drop(orderkeep::p100::P100::new(config).map_err(Failure::config)?);
    }
    settings.engine().check().map_err(Failure::config)?;
    if let Some(url) = &settings.webhooks.forward_url {
        drop(orderkeep::outbox::address("webhooks.forward_url", url).map_err(Failure::config)?);
    }
    crate::serve::check(settings)?;
    crate::otlp::check(&settings.otlp)?;
    if let Some((cert, key)) = settings.tls()? {
        drop(crate::tls::read(cert, key)?);
    }
    Ok(())
}
