//! The table of threats: each row is held by tests that exist, or says what is not there.
#![allow(clippy::unwrap_used, reason = "a panic in a test is its report")]

use std::fs;

use orderkeep_tests::{names_of_tests, root, rows};

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

#[test]
fn a_row_whose_test_is_gone_is_found() {
    let page =
        "## Threats\n| a | b | c |\n| --- | --- | --- |\n| x | y | `gone`, `there` |\n## Next\n";
    let expected = ("x y".to_owned(), vec!["gone".to_owned(), "there".to_owned()]);
    assert_eq!(rows(page, "Threats"), [expected]);
}
