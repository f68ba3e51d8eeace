//! How the process ends: one code per kind of failure, and a sentence on stderr.

use std::{
    fmt::Display,
    io::{IsTerminal as _, Write as _},
    path::Path,
    process::ExitCode,
};

use orderkeep::store::OpenError;
use tracing_subscriber::{
    EnvFilter, Layer as _, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::{args::LogFormat, otlp::Spans};

pub(crate) const FAILED: u8 = 1;
pub(crate) const USAGE: u8 = 2;
pub(crate) const NOT_FOUND: u8 = 3;
pub(crate) const CONFLICT: u8 = 4;
pub(crate) const TIMEOUT: u8 = 5;
pub(crate) const HALTED: u8 = 70;
pub(crate) const DATA: u8 = 73;
pub(crate) const STUCK: u8 = 75;
pub(crate) const CONFIG: u8 = 78;

/// Why the process ends badly.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    pub(crate) fn new(code: u8, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub(crate) fn config(message: impl Display) -> Self {
        Self::new(CONFIG, message.to_string())
    }

    pub(crate) fn failed(message: impl Display) -> Self {
        Self::new(FAILED, message.to_string())
    }

    /// A store that does not open, and the commands that help.
    pub(crate) fn not_opened(error: &OpenError, data: &Path) -> Self {
        let data = data.display();
        let (code, help) = match error {
            OpenError::Damaged { .. } | OpenError::Lost { .. } => (
                DATA,
                format!(
                    "\nnothing was changed in it; keep a copy of it. What is wrong: orderkeep store check --data \
                     {data}. Going on from a backup: orderkeep store restore"
                ),
            ),
            OpenError::Stuck { .. } => (STUCK, String::new()),
            OpenError::Io { .. }
            | OpenError::InUse { .. }
            | OpenError::Newer { .. }
            | OpenError::NotAStore { .. }
            | OpenError::OtherBackend { .. }
            | OpenError::NotBuiltIn(_)
            | _ => (DATA, String::new()),
        };
        Self::new(code, format!("cannot open {data}: {error}{help}"))
    }

    /// In words.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn report(self) -> ExitCode {
        if !self.message.is_empty() {
            // Nobody may be reading any more.
            drop(writeln!(std::io::stderr(), "orderkeep: {}", self.message));
        }
        ExitCode::from(self.code)
    }
}

/// Says something to whoever started the process.
pub(crate) fn say(line: impl Display) {
    drop(writeln!(std::io::stderr(), "{line}"));
}

/// The process decides about TLS, not its libraries.
pub(crate) fn install_tls() {
    // Fails only if it was installed before, which is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
}

/// Logs to stderr, as `ORDERKEEP_LOG` says; spans to a collector, if there is one.
pub(crate) fn install_log(format: Option<LogFormat>, spans: Option<&Spans>) -> Result<(), Failure> {
    let or = if std::io::stderr().is_terminal() { LogFormat::Text } else { LogFormat::Json };
    let filter = match std::env::var("ORDERKEEP_LOG") {
        Err(_) => EnvFilter::new("info"),
        Ok(text) if text.trim().is_empty() => EnvFilter::new("info"),
        Ok(text) => EnvFilter::builder().parse(&text).map_err(|error| {
            Failure::config(format_args!(
                "the variable ORDERKEEP_LOG: {error}; write it like debug, or info,orderkeep_driver=debug"
            ))
        })?,
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match format.unwrap_or(or) {
        LogFormat::Text => lines.with_target(false).boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(spans.map(Spans::layer))
        .init();
    Ok(())
}
