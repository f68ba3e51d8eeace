//! The provider, this machine's clock beside the provider's, and the way of its webhooks.

use std::time::Duration;

use orderkeep::{
    Clock as _, SystemClock,
    p100::P100,
    provider::{FailureClass, Provider as _},
};
use reqwest::{Client, StatusCode, Url, header, redirect};

use super::Finding;
use crate::settings::Settings;

const PATIENCE: Duration = Duration::from_secs(10);
/// A lock lasts less than a minute, and none is posted in its last two seconds.
const CLOCK_NOTABLE: i64 = 2;
const CLOCK_WRONG: i64 = 10;

fn client() -> Result<Client, reqwest::Error> {
    Client::builder().timeout(PATIENCE).redirect(redirect::Policy::none()).build()
}

/// Each account's provider: reachable, the key good, the clocks together.
pub(super) async fn provider(settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    // What is wrong with them was said already.
    for (account, provider) in settings.accounts().unwrap_or_default() {
        let Ok(Ok(client)) = provider.p100(&account).map(P100::new) else { continue };
        findings.push(match client.rates().await {
            Ok(_) => Finding::ok(
                "provider",
                format!("account `{account}`: it answers, and takes the key"),
            ),
            Err(error) => unreachable(&account, error.class, &error.to_string()),
        });
        findings.push(clock(&provider.base_url).await);
    }
    findings
}

fn unreachable(account: &orderkeep::AccountId, class: FailureClass, why: &str) -> Finding {
    let found = format!("account `{account}`: {why}");
    match class {
        FailureClass::Denied => Finding::fail(
            "provider",
            found,
            "the key is refused: put the right one into `api_key_file`",
        ),
        FailureClass::NotSent => Finding::fail(
            "provider",
            found,
            "nothing reached it: look at `base_url`, name service, firewall, and the time if it is about a certificate",
        ),
        FailureClass::Throttled => {
            Finding::warn("provider", found, "too many calls: lower `budget.per_second`")
        }
        FailureClass::Definite | FailureClass::Ambiguous => Finding::fail(
            "provider",
            found,
            "it answers, and not as expected: look at `base_url` and `rates_path`, or ask the provider",
        ),
    }
}

async fn clock(base_url: &str) -> Finding {
    const CHECK: &str = "clock";
    let asked = async {
        let answer = client()?.get(base_url).send().await?;
        Ok::<_, reqwest::Error>(answer.headers().get(header::DATE).cloned())
    };
    let theirs = match asked.await {
        Ok(Some(date)) => date,
        Ok(None) => return Finding::warn(CHECK, "the provider says no time", "see that NTP runs"),
        Err(_) => {
            return Finding::warn(
                CHECK,
                "the provider could not be asked for its time",
                "see that NTP runs",
            );
        }
    };
    let theirs = theirs.to_str().ok().and_then(|text| jiff::fmt::rfc2822::parse(text).ok());
    let Some(theirs) = theirs else {
        return Finding::warn(CHECK, "the provider's time could not be read", "see that NTP runs");
    };
    let Ok(ours) = SystemClock.now().to_string().parse::<jiff::Timestamp>() else {
        return Finding::warn(
            CHECK,
            "the time of this machine is out of range",
            "see that NTP runs",
        );
    };
    apart(ours.as_second() - theirs.timestamp().as_second())
}

fn apart(seconds: i64) -> Finding {
    const CHECK: &str = "clock";
    let found = format!("{seconds} s ahead of the provider's (its header knows whole seconds)");
    if seconds.abs() > CLOCK_WRONG {
        Finding::fail(
            CHECK,
            found,
            "locks would be judged wrongly: start NTP (timedatectl set-ntp true)",
        )
    } else if seconds.abs() > CLOCK_NOTABLE {
        Finding::warn(CHECK, found, "see that NTP runs (timedatectl)")
    } else {
        Finding::ok(CHECK, found)
    }
}

/// Each account's webhook path, here and as the provider reaches it: it must be there, and refuse who has no token.
pub(super) async fn webhooks(settings: &Settings, public: Option<&str>) -> Vec<Finding> {
    let scheme = if settings.tls_cert_file.is_some() { "https" } else { "http" };
    let mut addr = settings.webhooks.listen.unwrap_or(settings.listen);
    if addr.ip().is_unspecified() {
        addr.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let local = format!("{scheme}://{addr}");
    let mut findings = Vec::new();
    for (account, provider) in settings.accounts().unwrap_or_default() {
        let path = provider.webhook_path(&account);
        // A certificate is for its public name, not for an address on this machine.
        if scheme == "http" {
            findings.push(refuses("webhooks here", &local, &path, true).await);
        }
        if let Some(public) = public {
            findings.push(refuses("webhooks from outside", public, &path, false).await);
        }
    }
    if public.is_none() {
        findings.push(Finding::warn(
            "webhooks from outside",
            "not asked",
            "give --public-url, the address that the provider was told; better, run it from another network",
        ));
    }
    findings
}

async fn refuses(check: &'static str, base: &str, path: &str, may_be_down: bool) -> Finding {
    let Ok(url) = Url::parse(base).and_then(|base| base.join(path)) else {
        return Finding::fail(
            check,
            format!("`{base}` is no address"),
            "write it like https://orders.example.com",
        );
    };
    let asked = async { client()?.post(url.clone()).body("{}").send().await };
    match asked.await {
        Ok(answer) if answer.status() == StatusCode::UNAUTHORIZED => {
            Finding::ok(check, format!("{url} is there, and refuses who has no token"))
        }
        Ok(answer) => Finding::fail(
            check,
            format!("{url} answers {} to a webhook without a token, not 401", answer.status()),
            "something else answers there: look at `listen`, `webhook_path` and what is in front",
        ),
        Err(_) if may_be_down => Finding::warn(
            check,
            format!("nobody answers at {url}"),
            "the engine does not run: start it, and look again",
        ),
        Err(error) => Finding::fail(
            check,
            format!("{url}: {error}"),
            "the provider cannot reach it either: look at name service, firewall and proxy",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Verdict, *};

    #[test]
    fn a_clock_that_would_misjudge_locks_fails() {
        let verdicts = [0, -2, 3, -11].map(|seconds| apart(seconds).verdict);
        assert_eq!(verdicts, [Verdict::Ok, Verdict::Ok, Verdict::Warn, Verdict::Fail]);
    }
}
