//! The environment as a layer: `ORDERKEEP_POLICY__LOCK_MARGIN=3s` is `policy.lock_margin`.

use std::collections::BTreeSet;

use clap::CommandFactory as _;
use serde::Deserialize as _;
use toml::{Table, Value};

use super::{
    Settings, layers,
    secrets::{self, InVariable},
};
use crate::{args::Args, exit::Failure};

const PREFIX: &str = "ORDERKEEP_";

/// One variable that names a key.
#[derive(Debug)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) path: Vec<String>,
    pub(super) value: Value,
}

/// Those that flags read themselves, or that are about logs.
fn of_flags() -> BTreeSet<String> {
    fn collect(command: &clap::Command, names: &mut BTreeSet<String>) {
        for arg in command.get_arguments() {
            names.extend(arg.get_env().map(|name| name.to_string_lossy().into_owned()));
        }
        command.get_subcommands().for_each(|command| collect(command, names));
    }
    let mut names = BTreeSet::from(["ORDERKEEP_LOG".to_owned()]);
    collect(&Args::command(), &mut names);
    names
}

/// Kubernetes sets these for every pod beside a service called `orderkeep`.
fn of_kubernetes(rest: &str) -> bool {
    rest == "SERVICE_HOST"
        || rest.starts_with("SERVICE_PORT")
        || rest == "PORT"
        || rest.starts_with("PORT_")
}

/// The provider's own words are kept as they are written; all other names are in lower case.
fn path(rest: &str) -> Vec<String> {
    let mut path: Vec<String> = Vec::new();
    for name in rest.split("__") {
        let theirs = path.last().is_some_and(|last| last == "answers" || last == "statuses");
        path.push(if theirs { name.to_owned() } else { name.to_ascii_lowercase() });
    }
    path
}

/// A table that says only this.
pub(super) fn alone(path: &[String], value: Value) -> Table {
    let mut table = Table::new();
    layers::put(&mut table, path, value);
    table
}

/// What a text can mean: a number, a boolean, a list; a word; words with commas between them.
fn meanings(text: &str) -> Vec<Value> {
    let typed = toml::from_str::<Table>(&format!("value = {text}"));
    let typed = typed.ok().and_then(|mut table| table.remove("value"));
    let list = text.split(',').map(|word| Value::String(word.trim().to_owned())).collect();
    typed.into_iter().chain([Value::String(text.to_owned()), Value::Array(list)]).collect()
}

/// What the environment says.
#[derive(Debug, Default)]
pub(super) struct Environment {
    /// All variables that name keys.
    pub(super) variables: Vec<Variable>,
    /// All variables that hold a secret.
    pub(super) secrets: Vec<InVariable>,
}

/// Reads these variables.
pub(super) fn read(all: impl Iterator<Item = (String, String)>) -> Result<Environment, Failure> {
    let flags = of_flags();
    let mut found = Environment::default();
    for (name, text) in all {
        let Some(rest) = name.strip_prefix(PREFIX) else { continue };
        if flags.contains(&name) || of_kubernetes(rest) {
            continue;
        }
        if let Some(path) = secrets::path(rest) {
            found.secrets.push(InVariable { path, variable: name });
            continue;
        }
        let path = path(rest);
        let mut wrong = None;
        let value = meanings(&text).into_iter().find(|value| {
            match Settings::deserialize(Value::Table(alone(&path, value.clone()))) {
                Ok(_) => true,
                Err(error) => {
                    // What is said of the word as it stands is the clearest.
                    if wrong.is_none() || value.is_str() {
                        wrong = Some(layers::explain(error.message(), path.last()));
                    }
                    false
                }
            }
        });
        let Some(value) = value else {
            let why = wrong.unwrap_or_default();
            return Err(Failure::config(format_args!("the variable {name}: {why}")));
        };
        found.variables.push(Variable { name, path, value });
    }
    found.variables.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str) -> Result<Vec<Variable>, String> {
        let found = super::read([(name.to_owned(), text.to_owned())].into_iter());
        found.map(|found| found.variables).map_err(|failure| format!("{failure:?}"))
    }

    #[test]
    fn a_secret_is_not_a_value() {
        let name = "ORDERKEEP_PROVIDER__API_KEY";
        let found = super::read([(name.to_owned(), "hunter2".to_owned())].into_iter()).unwrap();
        assert!(found.variables.is_empty());
        let said = format!("{found:?}");
        assert!(said.contains(name) && !said.contains("hunter2"), "{said}");
    }

    #[test]
    fn a_variable_has_the_type_of_its_key() {
        let value = |name, text| read(name, text).unwrap().remove(0).value;
        assert_eq!(value("ORDERKEEP_BUDGET__BURST", "7"), Value::Integer(7));
        assert_eq!(value("ORDERKEEP_BEHIND_PROXY", "true"), Value::Boolean(true));
        assert_eq!(value("ORDERKEEP_POLICY__LOCK_MARGIN", "3s"), Value::String("3s".into()));
        assert_eq!(value("ORDERKEEP_BUDGET__PER_SECOND", "0.5"), Value::Float(0.5));
        let list = value("ORDERKEEP_PROVIDER__WEBHOOK_TOKEN_FILES", "a, b");
        assert_eq!(list, Value::Array(vec!["a".into(), "b".into()]));
        let path = read("ORDERKEEP_ANSWERS__P501", "send_again").unwrap().remove(0).path;
        assert_eq!(path, ["answers", "P501"], "the provider's code keeps its case");
    }

    #[test]
    fn an_unknown_variable_is_an_error_with_the_nearest_name() {
        let said = read("ORDERKEEP_POLICY__LOCK_MARGN", "3s").unwrap_err();
        assert!(said.contains("ORDERKEEP_POLICY__LOCK_MARGN"), "{said}");
        assert!(said.contains("did you mean `lock_margin`"), "{said}");
        let said = read("ORDERKEEP_POLICY__LOCK_MARGIN", "soon").unwrap_err();
        assert!(said.contains("write it like 30s"), "{said}");
    }

    #[test]
    fn what_flags_read_and_what_kubernetes_sets_is_left_alone() {
        for name in [
            "ORDERKEEP_DATA",
            "ORDERKEEP_LOG",
            "ORDERKEEP_URL",
            "ORDERKEEP_PORT",
            "ORDERKEEP_SERVICE_HOST",
            "ORDERKEEP_PORT_7070_TCP_ADDR",
            "PATH",
        ] {
            assert!(read(name, "x").unwrap().is_empty(), "{name}");
        }
    }
}
