//! The page for users says what the code does: its tables are compared with the defaults.

use std::time::Duration;

use orderkeep_p100::{CodeClass, PRODUCTION_URL, STAGING_URL, StatusTable};

use crate::config;

const PAGE: &str = include_str!("../../../../docs/provider.md");

/// The cells of the table's rows between a mark and its end, without the table's head.
fn table(mark: &str) -> Vec<Vec<&'static str>> {
    let start = PAGE.find(&format!("<!-- {mark}:")).expect("the mark");
    let end = PAGE[start..].find("<!-- end -->").expect("the end mark") + start;
    PAGE[start..end]
        .lines()
        .filter(|line| line.starts_with('|'))
        .skip(2)
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

#[test]
fn the_statuses_are_those_of_the_code() {
    let rows: Vec<Vec<String>> = table("statuses")
        .into_iter()
        .map(|row| row.into_iter().map(str::to_owned).collect())
        .collect();
    let statuses = StatusTable::documented();
    let expected: Vec<_> = statuses
        .words()
        .map(|(word, status)| {
            let mark = if StatusTable::is_seen(word) { "seen" } else { "assumed" };
            vec![format!("`{word}`"), status.to_string(), mark.to_owned()]
        })
        .collect();
    assert_eq!(rows, expected);
}

#[test]
fn the_codes_are_those_of_the_code() {
    let rows: Vec<_> =
        table("codes").into_iter().map(|row| (row[0].to_owned(), row[1].to_owned())).collect();
    let codes = config(STAGING_URL).codes;
    let expected: Vec<_> = codes
        .codes()
        .map(|(code, class)| {
            let class = match class {
                CodeClass::Definite => "definite",
                CodeClass::Ambiguous => "ambiguous",
            };
            (format!("`{code}`"), class.to_owned())
        })
        .collect();
    assert_eq!(rows, expected);
}

#[test]
fn the_defaults_are_those_of_the_code() {
    let config = config(STAGING_URL);
    let seconds = |duration: Duration| format!("{} s", duration.as_secs());
    for (field, default) in [
        ("paths.rates", format!("`{}`", config.paths.rates)),
        ("paths.lock", format!("`{}`", config.paths.lock)),
        ("paths.create", format!("`{}`", config.paths.create)),
        ("paths.details", format!("`{}`", config.paths.details)),
        ("authorization_form", format!("`{:?}`", config.authorization_form)),
        ("order_not_found", format!("`{:?}`", config.order_not_found)),
        ("timeouts.connect", seconds(config.timeouts.connect)),
        ("timeouts.read", seconds(config.timeouts.read)),
        ("timeouts.create", seconds(config.timeouts.create)),
        ("read_retries", config.read_retries.to_string()),
    ] {
        let row = format!("| `{field}` | {default} |");
        assert!(PAGE.contains(&row), "the page lacks: {row}");
    }
    for host in [STAGING_URL, PRODUCTION_URL] {
        assert!(PAGE.contains(&format!("| `{host}` |")), "{host}");
    }
}
