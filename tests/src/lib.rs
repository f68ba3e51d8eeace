//! Helpers of the tests that hold pages to the tests which they name.
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a panic in a test is its report"
)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The project's folder.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every source below a folder of the project.
#[must_use]
pub fn sources(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    collect(&root().join(folder), &mut found);
    found
}

fn collect(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(fs::read_to_string(&path).unwrap());
        }
    }
}

/// The names of all tests there are.
#[must_use]
pub fn names_of_tests() -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    for source in ["crates", "tests"].into_iter().flat_map(sources) {
        let mut is_test = false;
        for line in source.lines().map(str::trim_start) {
            let head = line.strip_prefix("async ").unwrap_or(line);
            if let Some(name) = head.strip_prefix("fn ").and_then(|rest| rest.split('(').next()) {
                if is_test {
                    known.insert(name.to_owned());
                }
                is_test = false;
            } else if line.starts_with("#[") {
                is_test |= line.contains("test");
            } else if !line.starts_with("///") {
                is_test = false;
            }
        }
    }
    assert!(known.len() > 500, "{} tests found", known.len());
    known
}

/// What stands in the rows of a page's table below a heading, and what is named `so` in their third cell.
#[must_use]
pub fn rows(page: &str, heading: &str) -> Vec<(String, Vec<String>)> {
    let heading = format!("## {heading}");
    let table = page.split(&heading).nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| ")).skip(2);
    rows.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").collect();
        let names = cells.get(2).map_or("", |cell| cell);
        let names = names.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        (format!("{} {}", cells[0].trim(), cells[1].trim()), names)
    })
    .collect()
}
