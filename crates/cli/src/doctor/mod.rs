//! `orderkeep doctor`: what the engine needs, looked at one by one. Each finding says what to do.

mod disk;
mod folder;
mod network;

use serde::Serialize;

use crate::{
    args::{DoctorArgs, OutputFormat},
    config,
    exit::Failure,
    output,
    settings::{self, Settings},
};

/// How it stands with one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Ok,
    /// It works, and something about it will hurt one day.
    Warn,
    /// The engine would not work, or would lose something.
    Fail,
}

/// What was found about one thing.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    found: String,
    /// What to do; empty where nothing is to do.
    advice: String,
}

impl Finding {
    fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Ok, found: found.into(), advice: String::new() }
    }

    fn warn(check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Warn, found: found.into(), advice: advice.into() }
    }

    fn fail(check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Fail, found: found.into(), advice: advice.into() }
    }
}

pub(crate) async fn run(args: DoctorArgs) -> Result<(), Failure> {
    let settings = settings::load(&args.serve)?;
    let mut findings = vec![configuration(&settings)];
    findings.push(folder::permissions(&settings.data));
    findings.push(folder::space(&settings.data));
    findings.push(folder::mark(&settings));
    let data = settings.data.clone();
    findings.push(
        tokio::task::spawn_blocking(move || disk::sync(&data)).await.map_err(Failure::failed)?,
    );
    findings.extend(network::provider(&settings).await);
    findings.extend(network::webhooks(&settings, args.public_url.as_deref()).await);
    match args.output {
        OutputFormat::Json => output::json(&findings),
        OutputFormat::Table => output::table(
            ["check", "", "found", "what to do"],
            findings.iter().map(|finding| {
                let verdict = match finding.verdict {
                    Verdict::Ok => "ok",
                    Verdict::Warn => "warn",
                    Verdict::Fail => "FAIL",
                };
                [
                    finding.check.to_owned(),
                    verdict.to_owned(),
                    finding.found.clone(),
                    finding.advice.clone(),
                ]
            }),
        ),
    }
    let failed = findings.iter().filter(|finding| finding.verdict == Verdict::Fail).count();
    if failed > 0 {
        return Err(Failure::failed(format_args!("{failed} of {} checks failed", findings.len())));
    }
    Ok(())
}

fn configuration(settings: &Settings) -> Finding {
    match config::check(settings) {
        Ok(()) => Finding::ok("configuration", "every name, value and secret is good"),
        Err(failure) => {
            Finding::fail("configuration", failure.message(), "see `orderkeep config print`")
        }
    }
}
