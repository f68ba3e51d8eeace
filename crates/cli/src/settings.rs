//! The daemon's configuration: a TOML file, with flags and their variables above it. Unknown keys are errors.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use orderkeep::{
    AccountId, AnswerTable, Budget, CreateVerdict, EngineConfig, Exact, Policy, ProviderStatus,
    p100::{P100Config, Secret},
    store::Backend,
};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::{args::ServeArgs, exit::Failure};

/// Everything `serve` can be told.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) data: Option<PathBuf>,
    /// Where the store's high-water mark is kept; best on another volume.
    pub(crate) mark_path: Option<PathBuf>,
    /// What keeps the data.
    pub(crate) store: Option<Backend>,
    pub(crate) open_timeout: Option<Span>,
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) api_token_file: Option<PathBuf>,
    /// Serve beyond this machine, because something in front speaks TLS with the callers.
    pub(crate) behind_proxy: bool,
    /// The account `default`.
    pub(crate) provider: Option<ProviderSettings>,
    /// Further accounts.
    pub(crate) accounts: BTreeMap<AccountId, ProviderSettings>,
    pub(crate) budget: BudgetSettings,
    pub(crate) policy: PolicySettings,
    /// Which create answers may be sent again: `P501 = "send_again"`.
    pub(crate) answers: BTreeMap<String, CreateVerdict>,
}

/// One credential of the provider.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ProviderSettings {
    pub(crate) base_url: String,
    pub(crate) api_key_file: PathBuf,
    pub(crate) webhook_token_files: Vec<PathBuf>,
    pub(crate) webhook_path: Option<String>,
    pub(crate) rates_path: Option<String>,
    pub(crate) statuses: BTreeMap<String, ProviderStatus>,
    pub(crate) connect_timeout: Option<Span>,
    pub(crate) read_timeout: Option<Span>,
    pub(crate) create_timeout: Option<Span>,
}

/// See [`Budget`].
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BudgetSettings {
    per_second: Option<f64>,
    burst: Option<u32>,
    concurrent: Option<usize>,
    failures_to_open: Option<u32>,
    open_for_first: Option<Span>,
    open_for_longest: Option<Span>,
    denied_for: Option<Span>,
}

/// See [`Policy`].
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PolicySettings {
    lock_margin: Option<Span>,
    create_timeout: Option<Span>,
    create_backoff: Option<(Span, Span)>,
    provider_order_window: Option<Span>,
    unknown_create_review_after: Option<Span>,
    wallet_review_after: Option<Span>,
    confirming_review_after: Option<Span>,
    overdue_review_after: Option<Span>,
    unpaid_review_after: Option<Span>,
    unknown_status_review_after: Option<Span>,
    not_found_grace: Option<Span>,
    amount_tolerance: Option<Exact>,
    trust_claimed_address: Option<bool>,
    trust_claimed_executed: Option<bool>,
    trust_claimed_failed: Option<bool>,
    watch_after_end: Option<Span>,
    poll_wallet: Option<(Span, Span)>,
    poll_payment: Option<(Span, Span)>,
    poll_confirming: Option<(Span, Span)>,
    poll_watch: Option<(Span, Span)>,
}

/// A duration as people write it: `30s`, `2m`, `500ms`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span(pub(crate) Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong =
            || D::Error::custom(format!("`{text}` is no duration; write it like 30s, 2m or 500ms"));
        let parsed: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
        Duration::try_from(parsed).map(Self).map_err(|_| wrong())
    }
}

/// Reads the file, if one is named, and puts the flags above it.
pub(crate) fn load(args: &ServeArgs) -> Result<Settings, Failure> {
    let mut settings = match &args.config {
        Some(path) => read(path)?,
        None => Settings::default(),
    };
    settings.data = args.data.clone().or(settings.data);
    settings.store = args.store.or(settings.store);
    settings.listen = args.listen.or(settings.listen);
    settings.api_token_file = args.api_token_file.clone().or(settings.api_token_file);
    let named = args.provider_url.is_some()
        || args.api_key_file.is_some()
        || !args.webhook_token_file.is_empty();
    if named || settings.provider.is_some() {
        let provider = settings.provider.get_or_insert_default();
        if let Some(url) = &args.provider_url {
            provider.base_url.clone_from(url);
        }
        if let Some(file) = &args.api_key_file {
            provider.api_key_file.clone_from(file);
        }
        if !args.webhook_token_file.is_empty() {
            provider.webhook_token_files.clone_from(&args.webhook_token_file);
        }
    }
    Ok(settings)
}

/// A token that stands alone in its file.
pub(crate) fn secret(path: &Path) -> Result<SecretString, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::config(format_args!("cannot read the token in {}: {error}", path.display()))
    })?;
    let word = text.trim_end_matches(['\r', '\n']);
    if word.is_empty() || !word.bytes().all(|byte| byte.is_ascii_graphic()) {
        let path = path.display();
        return Err(Failure::config(format_args!("{path} must hold the token alone, on one line")));
    }
    Ok(SecretString::from(word))
}

pub(crate) fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::config(format_args!("cannot read {}: {error}", path.display()))
    })?;
    toml::from_str(&text)
        .map_err(|error| Failure::config(format_args!("{}: {error}", path.display())))
}

impl Settings {
    /// All accounts by name.
    pub(crate) fn accounts(&self) -> Result<BTreeMap<AccountId, ProviderSettings>, Failure> {
        let mut accounts = self.accounts.clone();
        if let Some(provider) = &self.provider
            && accounts.insert(AccountId::main(), provider.clone()).is_some()
        {
            return Err(Failure::config(
                "account `default` is both [provider] and [accounts.default]; keep one",
            ));
        }
        if accounts.is_empty() {
            return Err(Failure::config(
                "no provider is configured: give --provider-url, --api-key-file and --webhook-token-file, or a [provider] table in the file named by --config",
            ));
        }
        Ok(accounts)
    }

    pub(crate) fn engine(&self) -> EngineConfig {
        let budget = &self.budget;
        let policy = &self.policy;
        let defaults = Policy::default();
        let default_budget = Budget::default();
        let span = |given: Option<Span>, default: Duration| given.map_or(default, |span| span.0);
        let pair = |given: Option<(Span, Span)>, default: (Duration, Duration)| {
            given.map_or(default, |(first, longest)| (first.0, longest.0))
        };
        let mut answers = AnswerTable::default();
        for (code, verdict) in &self.answers {
            answers = answers.with(code, *verdict);
        }
        EngineConfig {
            policy: Policy {
                lock_margin: span(policy.lock_margin, defaults.lock_margin),
                create_timeout: span(policy.create_timeout, defaults.create_timeout),
                create_backoff: pair(policy.create_backoff, defaults.create_backoff),
                answers,
                provider_order_window: policy.provider_order_window.map(|span| span.0),
                unknown_create_review_after: span(
                    policy.unknown_create_review_after,
                    defaults.unknown_create_review_after,
                ),
                wallet_review_after: span(policy.wallet_review_after, defaults.wallet_review_after),
                confirming_review_after: span(
                    policy.confirming_review_after,
                    defaults.confirming_review_after,
                ),
                overdue_review_after: span(
                    policy.overdue_review_after,
                    defaults.overdue_review_after,
                ),
                unpaid_review_after: span(policy.unpaid_review_after, defaults.unpaid_review_after),
                unknown_status_review_after: span(
                    policy.unknown_status_review_after,
                    defaults.unknown_status_review_after,
                ),
                not_found_grace: span(policy.not_found_grace, defaults.not_found_grace),
                amount_tolerance: policy
                    .amount_tolerance
                    .clone()
                    .unwrap_or(defaults.amount_tolerance),
                trust_claimed_address: policy
                    .trust_claimed_address
                    .unwrap_or(defaults.trust_claimed_address),
                trust_claimed_executed: policy
                    .trust_claimed_executed
                    .unwrap_or(defaults.trust_claimed_executed),
                trust_claimed_failed: policy
                    .trust_claimed_failed
                    .unwrap_or(defaults.trust_claimed_failed),
                watch_after_end: span(policy.watch_after_end, defaults.watch_after_end),
                polling: orderkeep::policy::Polling {
                    wallet: pair(policy.poll_wallet, defaults.polling.wallet),
                    payment: pair(policy.poll_payment, defaults.polling.payment),
                    confirming: pair(policy.poll_confirming, defaults.polling.confirming),
                    watch: pair(policy.poll_watch, defaults.polling.watch),
                },
            },
            budget: Budget {
                per_second: budget.per_second.unwrap_or(default_budget.per_second),
                burst: budget.burst.unwrap_or(default_budget.burst),
                concurrent: budget.concurrent.unwrap_or(default_budget.concurrent),
                failures_to_open: budget
                    .failures_to_open
                    .unwrap_or(default_budget.failures_to_open),
                open_for: (
                    span(budget.open_for_first, default_budget.open_for.0),
                    span(budget.open_for_longest, default_budget.open_for.1),
                ),
                denied_for: span(budget.denied_for, default_budget.denied_for),
            },
            ..EngineConfig::default()
        }
    }
}

impl ProviderSettings {
    /// The client's configuration, its secrets read from their files.
    pub(crate) fn p100(&self, account: &AccountId) -> Result<P100Config, Failure> {
        let wrong = |what: &str| Failure::config(format_args!("account `{account}`: {what}"));
        if self.base_url.is_empty() {
            return Err(wrong("`base_url` is missing; give --provider-url"));
        }
        if self.api_key_file.as_os_str().is_empty() {
            return Err(wrong("`api_key_file` is missing; give --api-key-file"));
        }
        if self.webhook_token_files.is_empty() {
            return Err(wrong("`webhook_token_files` is missing; give --webhook-token-file"));
        }
        let mut config = P100Config::new(
            &self.base_url,
            Secret::from_file(&self.api_key_file).map_err(Failure::config)?,
        );
        for file in &self.webhook_token_files {
            config.webhook_tokens.push(Secret::from_file(file).map_err(Failure::config)?);
        }
        if let Some(path) = &self.rates_path {
            config.paths.rates.clone_from(path);
        }
        for (word, status) in &self.statuses {
            config.statuses = config.statuses.with(word, status.clone());
        }
        let timeouts = &mut config.timeouts;
        timeouts.connect = self.connect_timeout.map_or(timeouts.connect, |span| span.0);
        timeouts.read = self.read_timeout.map_or(timeouts.read, |span| span.0);
        timeouts.create = self.create_timeout.map_or(timeouts.create, |span| span.0);
        Ok(config)
    }

    /// Where its webhooks arrive.
    pub(crate) fn webhook_path(&self, account: &AccountId) -> String {
        self.webhook_path.clone().unwrap_or_else(|| {
            if *account == AccountId::main() {
                "/webhooks/p100".to_owned()
            } else {
                format!("/webhooks/p100/{account}")
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page for users, read by the code it is about.
    #[test]
    fn the_documented_file_is_read_whole() {
        let page = include_str!("../../../docs/configuration.md");
        let block = page.split("```toml").nth(1).unwrap().split("```").next().unwrap();
        let settings: Settings = toml::from_str(block).unwrap();
        let config = settings.engine();
        let default = EngineConfig::default();
        // What the page calls a default is one.
        let mut documented = config.policy.clone();
        assert_eq!(documented.provider_order_window.take(), Some(Duration::from_secs(3600)));
        let answers = default.policy.answers.clone().with("P501", CreateVerdict::Unknown);
        assert_eq!(documented, Policy { answers, ..default.policy });
        assert_eq!(format!("{:?}", config.budget), format!("{:?}", default.budget));
        let accounts = settings.accounts().unwrap();
        assert_eq!(accounts[&AccountId::main()].statuses["SETTLED"], ProviderStatus::Executed);
    }

    /// Each kind of change is believed or verified for itself.
    #[test]
    fn what_a_webhook_claims_is_trusted_kind_by_kind() {
        let trusts = |key: &str| {
            let text = format!("[policy]\n{key} = true");
            let policy = toml::from_str::<Settings>(&text).unwrap().engine().policy;
            [
                policy.trust_claimed_address,
                policy.trust_claimed_executed,
                policy.trust_claimed_failed,
            ]
        };
        assert_eq!(trusts("trust_claimed_address"), [true, false, false]);
        assert_eq!(trusts("trust_claimed_executed"), [false, true, false]);
        assert_eq!(trusts("trust_claimed_failed"), [false, false, true]);
    }

    #[test]
    fn a_misspelt_key_is_an_error_that_says_where() {
        let error =
            toml::from_str::<Settings>("[policy]\nlock_margn = \"2s\"").unwrap_err().to_string();
        assert!(
            error.contains("line 2")
                && error.contains("lock_margn")
                && error.contains("lock_margin"),
            "{error}"
        );
    }

    #[test]
    fn a_duration_says_how_to_write_it() {
        let error =
            toml::from_str::<Settings>("[policy]\nlock_margin = \"soon\"").unwrap_err().to_string();
        assert!(error.contains("write it like 30s, 2m or 500ms"), "{error}");
    }
}
