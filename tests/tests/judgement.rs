//! What is promised about every order: each promise names where it stands, and tests that exist.
#![allow(clippy::unwrap_used, reason = "a panic in a test is its report")]

use std::fs;

use orderkeep_tests::{names_of_tests, root, rows};

#[test]
fn every_promise_stands_where_it_says_and_is_held_by_tests_that_exist() {
    let known = names_of_tests();
    let page = fs::read_to_string(root().join("docs/judgement.md")).unwrap();
    let rows = rows(&page, "Promises");
    assert!(rows.len() >= 30, "{rows:?}");
    for (row, names) in rows {
        if row.starts_with("**") {
            continue;
        }
        assert!(!names.is_empty(), "held by nothing: {row}");
        for name in names {
            assert!(known.contains(&name), "there is no test `{name}`: {row}");
        }
        let places = row.split('`').skip(1).step_by(2).filter(|word| word.contains('/'));
        let mut found = 0;
        for place in places {
            let (name, rest) = place.split_once('/').unwrap();
            let path = root().join("crates").join(name).join("src").join(rest);
            assert!(path.exists(), "there is no {}: {row}", path.display());
            found += 1;
        }
        assert!(found > 0, "it stands nowhere: {row}");
    }
}
