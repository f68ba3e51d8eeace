//! The table of threats: each row is held by tests that exist, or says what is not there.
#![allow(clippy::unwrap_used, reason = "a panic in a test is its report")]

use std::{collections::BTreeSet, fs};

use orderkeep_tests::{names_of_tests, root, rows, sources};

#[test]
fn every_threat_is_held_by_tests_that_exist() {
    let known = names_of_tests();
    let rows = rows(&fs::read_to_string(root().join("docs/security.md")).unwrap(), "Threats");
    assert!(rows.len() >= 18, "{rows:?}");
    for (row, names) in rows {
        assert!(!names.is_empty() || row.contains("Not built"), "held by nothing: {row}");
        for name in names {
            assert!(known.contains(&name), "there is no test `{name}`: {row}");
        }
    }
}

/// What scripts/canary searches the output of a whole test run for.
#[test]
fn every_secret_that_tests_plant_is_searched_for() {
    let list = fs::read_to_string(root().join("tests/canaries.txt")).unwrap();
    let listed: BTreeSet<&str> = list.lines().filter(|line| !line.starts_with('#')).collect();
    let mut planted = BTreeSet::new();
    for place in ["crates/cli/tests", "crates/p100/tests", "crates/sim/src"] {
        for text in sources(place) {
            planted.extend(
                listed.iter().filter(|word| text.contains(**word)).map(|word| (*word).to_owned()),
            );
            for name in ["API_KEY", "TOKEN", "KEY"] {
                let head = format!("const {name}: &str = \"");
                let after = text.split(&head).skip(1);
                planted.extend(after.filter_map(|rest| rest.split('"').next()).map(str::to_owned));
            }
        }
    }
    let planted: BTreeSet<&str> = planted.iter().map(String::as_str).collect();
    assert_eq!(planted, listed);
}

#[test]
fn a_row_whose_test_is_gone_is_found() {
    let page =
        "## Threats\n| a | b | c |\n| --- | --- | --- |\n| x | y | `gone`, `there` |\n## Next\n";
    let expected = ("x y".to_owned(), vec!["gone".to_owned(), "there".to_owned()]);
    assert_eq!(rows(page, "Threats"), [expected]);
}
