//! What can befall an order, and what orderkeep does: a table for partners, each row held by tests that exist.
//!
//! `scenarios.txt` names them; `UPDATE_DOCS=1 cargo nextest run -p orderkeep-tests scenarios` writes the page anew.
#![allow(clippy::unwrap_used, reason = "a panic in a test is its report")]

use std::{
    fs,
    path::{Path, PathBuf},
};

const HEAD: &str = "\
# What can befall an order, and what orderkeep does

<!-- Made from tests/scenarios.txt: UPDATE_DOCS=1 cargo nextest run -p orderkeep-tests scenarios -->

Each row is held by the tests that it names; a row without one says what is not built yet.
";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Whether a file holds a test of this name.
fn is_test(file: &str, name: &str) -> bool {
    let path = root().join("crates").join(file);
    let source = fs::read_to_string(&path).unwrap_or_else(|_| panic!("no {}", path.display()));
    let head = format!("fn {name}(");
    let lines: Vec<&str> = source.lines().map(str::trim_start).collect();
    lines.iter().enumerate().any(|(number, line)| {
        let is_head = line.strip_prefix("async ").unwrap_or(line).starts_with(&head);
        let above = number.checked_sub(1).and_then(|above| lines.get(above));
        is_head && above.is_some_and(|above| above.starts_with("#[") && above.contains("test"))
    })
}

/// The page, and how many rows are held by a test.
fn page() -> (String, usize) {
    let (mut page, mut held) = (HEAD.to_owned(), 0);
    for line in include_str!("../scenarios.txt").lines() {
        let cells: Vec<&str> = line.split('|').collect();
        match cells[..] {
            [letter, title] => page.push_str(&format!(
                "\n## {letter}. {title}\n\n| | what happens | what orderkeep does | tests |\n| --- | --- | --- | --- |\n"
            )),
            [id, what, does, tests] => {
                let mut names = Vec::new();
                for test in tests.split(';').map(str::trim).filter(|test| !test.is_empty()) {
                    let (file, name) = test.split_once(' ').unwrap();
                    assert!(is_test(file, name), "{id}: {file} has no test {name}");
                    names.push(format!("`{name}`"));
                }
                assert!(
                    !names.is_empty() || does.contains("ot built yet") || does.contains("not part"),
                    "{id} is held by nothing, and does not say so"
                );
                held += usize::from(!names.is_empty());
                page.push_str(&format!("| {id} | {what} | {does} | {} |\n", names.join(", ")));
            }
            _ => panic!("neither a head nor a row: {line}"),
        }
    }
    (page, held)
}

#[test]
fn every_scenario_is_held_by_tests_and_the_page_says_so() {
    let (made, held) = page();
    assert!(held >= 90, "{held} rows");
    let path = root().join("docs/scenarios.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == made, "docs/scenarios.md is not what the table says: UPDATE_DOCS=1");
}
