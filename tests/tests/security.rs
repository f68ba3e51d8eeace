//! The table of threats: each row is held by tests that exist, or says what is not there.
#![allow(clippy::unwrap_used, reason = "a panic in a test is its report")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The names of all tests below a folder.
fn tests(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            tests(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).unwrap();
            let mut is_test = false;
            for line in source.lines().map(str::trim_start) {
                let head = line.strip_prefix("async ").unwrap_or(line);
                if let Some(name) = head.strip_prefix("fn ").and_then(|rest| rest.split('(').next())
                {
                    if is_test {
                        found.insert(name.to_owned());
                    }
                    is_test = false;
                } else if line.starts_with("#[") {
                    is_test |= line.contains("test");
                } else if !line.starts_with("///") {
                    is_test = false;
                }
            }
        }
    }
}

/// What and by which tests, row by row.
fn rows(page: &str) -> Vec<(String, Vec<String>)> {
    let table = page.split("## Threats").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| ")).skip(2);
    rows.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").collect();
        let names = cells.get(2).map_or("", |cell| cell);
        let names = names.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        (format!("{} {}", cells[0].trim(), cells[1].trim()), names)
    })
    .collect()
}

#[test]
fn every_threat_is_held_by_tests_that_exist() {
    let mut known = BTreeSet::new();
    for folder in ["crates", "tests"] {
        tests(&root().join(folder), &mut known);
    }
    assert!(known.len() > 500, "{} tests found", known.len());
    let rows = rows(&fs::read_to_string(root().join("docs/security.md")).unwrap());
    assert!(rows.len() >= 18, "{rows:?}");
    for (row, names) in rows {
        assert!(!names.is_empty() || row.contains("Not built"), "held by nothing: {row}");
        for name in names {
            assert!(known.contains(&name), "there is no test `{name}`: {row}");
        }
    }
}

#[test]
fn a_row_whose_test_is_gone_is_found() {
    let page =
        "## Threats\n| a | b | c |\n| --- | --- | --- |\n| x | y | `gone`, `there` |\n## Next\n";
    assert_eq!(rows(page), [("x y".to_owned(), vec!["gone".to_owned(), "there".to_owned()])]);
}
