//! File, environment and flags, one above the other, and where each value came from.

use std::{collections::BTreeMap, ffi::OsStr, fmt, path::Path};

use serde::Deserialize as _;
use toml::{Table, Value};

use super::{Settings, environment, secrets::InVariable};
use crate::{args::ServeArgs, exit::Failure};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// The file with this name.
    File(String),
    /// The variable with this name.
    Variable(String),
    /// The flag with this name.
    Flag(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(name) | Self::Variable(name) | Self::Flag(name) => f.write_str(name),
        }
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    table: Table,
    /// By the key's whole path, such as `policy.lock_margin`.
    pub(crate) sources: BTreeMap<String, Source>,
    /// Where secrets are, if not in files.
    pub(super) secrets: Vec<InVariable>,
}

/// Puts a value at its path.
pub(super) fn put(table: &mut Table, path: &[String], value: Value) {
    match path {
        [] => {}
        [name] => drop(table.insert(name.clone(), value)),
        [name, rest @ ..] => {
            let inner = table.entry(name.clone()).or_insert_with(|| Value::Table(Table::new()));
            if !inner.is_table() {
                *inner = Value::Table(Table::new());
            }
            if let Value::Table(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

/// Every value that is no table, with its path.
fn leaves(table: &Table, above: &[String], found: &mut Vec<Vec<String>>) {
    for (name, value) in table {
        let mut path = above.to_vec();
        path.push(name.clone());
        match value {
            Value::Table(inner) => leaves(inner, &path, found),
            Value::String(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_)
            | Value::Array(_) => found.push(path),
        }
    }
}

/// What the parser says, with the nearest name instead of all names.
pub(super) fn explain(message: &str, name: Option<&String>) -> String {
    let Some(rest) = message.strip_prefix("unknown field `") else { return message.to_owned() };
    let mut words = rest.split('`').step_by(2);
    let unknown = words.next().or(name.map(String::as_str)).unwrap_or_default();
    let known: Vec<&str> = rest.split('`').skip(2).step_by(2).collect();
    let nearest = known
        .iter()
        .map(|known| (strsim::jaro_winkler(unknown, known), known))
        .filter(|(near, _)| *near > 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    match nearest {
        Some((_, name)) => format!("unknown key `{unknown}`; did you mean `{name}`?"),
        None => format!("unknown key `{unknown}`; known here: {}", known.join(", ")),
    }
}

/// A TOML file, with an error that says where and what to do.
pub(crate) fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::config(format_args!("cannot read {}: {error}", path.display()))
    })?;
    parse(&text).map_err(|why| Failure::config(format_args!("{}{why}", path.display())))
}

fn parse<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before
            .map_or(String::new(), |before| format!(", line {}", before.matches('\n').count() + 1));
        format!("{line}: {}", explain(error.message(), None))
    })
}

/// Whether the flag was given, rather than its variable.
fn given(flag: &str) -> bool {
    std::env::args_os().any(|arg| {
        arg == OsStr::new(flag)
            || arg
                .to_str()
                .is_some_and(|arg| arg.strip_prefix(flag).is_some_and(|rest| rest.starts_with('=')))
    })
}

impl Layers {
    /// What the file, the environment and the flags say.
    pub(crate) fn of(args: &ServeArgs) -> Result<Self, Failure> {
        let mut layers = Self::default();
        if let Some(path) = &args.config {
            // Read as what it is first: only then does an error know its line.
            let _: Settings = read(path)?;
            let table: Table = read(path)?;
            let mut paths = Vec::new();
            leaves(&table, &[], &mut paths);
            let source = Source::File(path.display().to_string());
            layers.sources.extend(paths.into_iter().map(|path| (path.join("."), source.clone())));
            layers.table = table;
        }
        let environment = environment::read(std::env::vars())?;
        for secret in &environment.secrets {
            let variable = Source::Variable(secret.variable.clone());
            layers.sources.insert(secret.path.join("."), variable);
        }
        layers.secrets = environment.secrets;
        for variable in environment.variables {
            layers.put(&variable.path, variable.value, Source::Variable(variable.name));
        }
        layers.flags(args);
        Ok(layers)
    }

    fn put(&mut self, path: &[String], value: Value, source: Source) {
        put(&mut self.table, path, value);
        self.sources.insert(path.join("."), source);
    }

    fn flags(&mut self, args: &ServeArgs) {
        let path = |path: &Path| Value::String(path.display().to_string());
        let tokens = (!args.webhook_token_file.is_empty())
            .then(|| Value::Array(args.webhook_token_file.iter().map(|file| path(file)).collect()));
        let flags = [
            ("data", "--data", args.data.as_deref().map(path)),
            ("store", "--store", args.store.and_then(|store| Value::try_from(store).ok())),
            ("listen", "--listen", args.listen.map(|addr| Value::String(addr.to_string()))),
            ("api_token_file", "--api-token-file", args.api_token_file.as_deref().map(path)),
            ("provider.base_url", "--provider-url", args.provider_url.clone().map(Value::String)),
            ("provider.api_key_file", "--api-key-file", args.api_key_file.as_deref().map(path)),
            ("provider.webhook_token_files", "--webhook-token-file", tokens),
        ];
        for (key, flag, value) in flags {
            let Some(value) = value else { continue };
            let source = if given(flag) {
                Source::Flag(flag.to_owned())
            } else {
                let name = flag.trim_start_matches('-').replace('-', "_").to_ascii_uppercase();
                Source::Variable(format!("ORDERKEEP_{name}"))
            };
            let path: Vec<String> = key.split('.').map(str::to_owned).collect();
            self.put(&path, value, source);
        }
    }

    /// What it all comes to.
    pub(crate) fn settings(&self) -> Result<Settings, Failure> {
        let mut settings = Settings::deserialize(Value::Table(self.table.clone()))
            .map_err(|error| Failure::config(explain(error.message(), None)))?;
        for secret in &self.secrets {
            secret.note(&mut settings)?;
        }
        match settings.limits.wrong() {
            Some(why) => Err(Failure::config(why)),
            None => Ok(settings),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_key_is_an_error_that_says_where() {
        let error = parse::<Settings>("[policy]\nlock_margn = \"2s\"").unwrap_err();
        assert_eq!(error, ", line 2: unknown key `lock_margn`; did you mean `lock_margin`?");
        let error = parse::<Settings>("colour = 1").unwrap_err();
        assert!(error.contains("known here: data, mark_path"), "{error}");
    }

    #[test]
    fn a_duration_says_how_to_write_it() {
        let error = parse::<Settings>("[policy]\nlock_margin = \"soon\"").unwrap_err();
        let explained = |error: &str| {
            error.contains("line 2") && error.contains("write it like 30s, 2m or 500ms")
        };
        assert!(explained(&error), "{error}");
        let error = parse::<Settings>("[policy]\nlock_margin = 3").unwrap_err();
        assert!(explained(&error), "{error}");
        let error = parse::<Settings>("listen = \"7070\"").unwrap_err();
        assert!(error.contains("write it like 127.0.0.1:7070"), "{error}");
    }

    #[test]
    fn limits_that_serve_nobody_are_refused() {
        for wrong in [
            "connections = 0",
            "header_bytes = 100",
            "key_per_second = -1.0",
            "headers_within = \"0s\"",
        ] {
            let table = toml::from_str(&format!("[limits]\n{wrong}")).unwrap();
            let layers = Layers { table, ..Layers::default() };
            let said = format!("{:?}", layers.settings().unwrap_err());
            assert!(said.contains("limits."), "{wrong}: {said}");
        }
    }
}
