//! The configuration for people: the default file with every key explained, what is in force and why, the page in the
//! documentation.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Layers, Settings, Source,
    schema::{Entry, entries},
};
use crate::exit::Failure;

/// Comments are as wide as the code.
const WIDTH: usize = 118;

/// The default file: everything is a comment, with what holds when it stays one.
pub(crate) fn default_file() -> String {
    let mut text = String::from(
        "# The configuration of `orderkeep serve`. What is commented out is the default, or an example where there is none.\n\
         # Durations are written 30s, 2m, 500ms. Check it: orderkeep config check --config FILE\n\n",
    );
    section(&mut text, &entries(), "");
    text
}

fn line(text: &mut String, line: impl std::fmt::Display) {
    text.push_str(&line.to_string());
    text.push('\n');
}

fn wrapped(text: &mut String, words: &str) {
    let mut comment = String::from("#");
    for word in words.split_whitespace() {
        if comment.len() + 1 + word.len() > WIDTH {
            line(text, &comment);
            comment = String::from("#");
        }
        comment.push(' ');
        comment.push_str(word);
    }
    if comment.len() > 1 {
        line(text, comment);
    }
}

/// Keys first: in TOML everything after a table's head belongs to it.
fn section(text: &mut String, entries: &[Entry], above: &str) {
    let is_table = |entry: &&Entry| !entry.inner.is_empty() || entry.is_map;
    for entry in entries.iter().filter(|entry| !is_table(entry)) {
        wrapped(text, &entry.description.replace('`', ""));
        let value = entry.example.as_ref().or(entry.default.as_ref());
        line(text, format_args!("#{} = {}", entry.name, literal(value.unwrap_or(&Value::Null))));
    }
    for entry in entries.iter().filter(is_table) {
        // The accounts are explained where the first one is.
        if entry.name == "accounts" {
            continue;
        }
        line(text, "");
        wrapped(text, &entry.description.replace('`', ""));
        line(text, format_args!("#[{above}{}]", entry.name));
        if let Some(Value::Object(example)) = &entry.example {
            for (name, value) in example {
                line(text, format_args!("#{name} = {}", literal(value)));
            }
        }
        section(text, &entry.inner, &format!("{above}{}.", entry.name));
    }
}

/// A value as TOML writes it.
fn literal(value: &Value) -> String {
    match value {
        Value::Array(all) => {
            format!("[{}]", all.iter().map(literal).collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => toml::Value::String(text.clone()).to_string(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

/// One key that is in force.
#[derive(Debug, serde::Serialize)]
pub(crate) struct InForce {
    pub(crate) value: Value,
    /// `default`, or the name of a file, a variable or a flag.
    pub(crate) source: String,
}

/// Everything that is in force, by its whole name. Secrets are not in it: the configuration holds only where they are.
pub(crate) fn in_force(
    layers: &Layers,
    settings: &Settings,
) -> Result<BTreeMap<String, InForce>, Failure> {
    let value = serde_json::to_value(settings).map_err(Failure::failed)?;
    let mut found = BTreeMap::new();
    collect(&value, "", &layers.sources, &mut found);
    for secret in &layers.secrets {
        let source = secret.variable.clone();
        found.insert(secret.path.join("."), InForce { value: "redacted".into(), source });
    }
    Ok(found)
}

fn collect(
    value: &Value,
    name: &str,
    sources: &BTreeMap<String, Source>,
    found: &mut BTreeMap<String, InForce>,
) {
    if let Value::Object(inner) = value {
        for (key, value) in inner {
            let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
            collect(value, &name, sources, found);
        }
        return;
    }
    let source = sources.get(name).map_or("default".to_owned(), ToString::to_string);
    if !value.is_null() {
        found.insert(name.to_owned(), InForce { value: redacted(value), source });
    }
}

/// An address may hold a password.
fn redacted(value: &Value) -> Value {
    if let Some(text) = value.as_str()
        && let Ok(mut url) = reqwest::Url::parse(text)
        && url.password().is_some()
    {
        return match url.set_password(Some("redacted")) {
            Ok(()) => Value::String(url.to_string()),
            Err(()) => Value::String("redacted".to_owned()),
        };
    }
    value.clone()
}

/// What is in force as a TOML file, each value with its source.
pub(crate) fn in_force_file(all: &BTreeMap<String, InForce>) -> String {
    let mut text = String::new();
    let mut table = "";
    let depth = |name: &str| name.rsplit_once('.').map_or("", |(table, _)| table).to_owned();
    let mut sorted: Vec<(String, &String, &InForce)> =
        all.iter().map(|(name, found)| (depth(name), name, found)).collect();
    sorted.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    for (of, name, found) in &sorted {
        if of != table {
            line(&mut text, format_args!("\n[{of}]"));
            table = of;
        }
        let key = name.rsplit('.').next().unwrap_or(name);
        line(&mut text, format_args!("{key} = {}  # {}", literal(&found.value), found.source));
    }
    text
}

/// The page in the documentation.
pub(crate) fn page() -> String {
    format!("{}\n```toml\n{}```\n", include_str!("page.md").trim_end(), default_file())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use orderkeep::{AccountId, CreateVerdict, EngineConfig, Policy, ProviderStatus};

    use super::*;

    const AGAIN: &str = "written anew with: orderkeep config print --default > packaging/orderkeep.toml; \
                         orderkeep config page > docs/configuration.md";

    #[test]
    fn the_committed_file_and_page_are_those_of_the_types() {
        let committed = |path: &str| {
            let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
            std::fs::read_to_string(format!("{root}/{path}")).unwrap()
        };
        assert!(committed("packaging/orderkeep.toml") == default_file(), "{AGAIN}");
        assert!(committed("docs/configuration.md") == page(), "{AGAIN}");
    }

    #[test]
    fn the_default_file_changes_nothing_and_its_lines_are_all_read() {
        let text = default_file();
        let untouched: Settings = toml::from_str(&text).unwrap();
        assert_eq!(
            serde_json::to_value(&untouched).unwrap(),
            serde_json::to_value(Settings::default()).unwrap()
        );
        let taken: String = text
            .lines()
            .map(|line| {
                line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line)
            })
            .flat_map(|line| [line, "\n"])
            .collect();
        let settings: Settings = toml::from_str(&taken).unwrap();
        let (config, default) = (settings.engine(), EngineConfig::default());
        // What the file calls a default is one.
        let mut written = config.policy.clone();
        assert_eq!(written.provider_order_window.take(), Some(Duration::from_secs(3600)));
        let answers = default.policy.answers.clone().with("P501", CreateVerdict::Unknown);
        assert_eq!(written, Policy { answers, ..default.policy });
        assert_eq!(format!("{:?}", config.budget), format!("{:?}", default.budget));
        assert_eq!(format!("{:?}", settings.limits), format!("{:?}", Settings::default().limits));
        let accounts = settings.accounts().unwrap();
        assert_eq!(accounts[&AccountId::main()].statuses["SETTLED"], ProviderStatus::Executed);
    }

    #[test]
    fn a_password_in_an_address_is_not_shown() {
        let value = redacted(&"https://shop:hunter2@example.com/x".into());
        assert_eq!(value, "https://shop:redacted@example.com/x");
        assert_eq!(redacted(&"127.0.0.1:7070".into()), "127.0.0.1:7070");
    }
}
