//! What can befall an order, and what orderkeep does: a table for partners, made from the tests that play it.
//!
//! A test whose name begins with a row's number (`a4_create_timed_out_order_exists`) plays that row. The first paragraph
//! above it says what happens, the second what orderkeep does. `UPDATE_DOCS=1 cargo nextest run -p orderkeep-tests
//! scenarios` writes the page anew.
#![allow(clippy::unwrap_used, reason = "a panic in a test is its report")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

const HEAD: &str = "\
# What can befall an order, and what orderkeep does

<!-- Made from the words above the tests: UPDATE_DOCS=1 cargo nextest run -p orderkeep-tests scenarios -->

Each row is played by the tests that it names, against the real engine or the part that the row is about. A row without a
test says what is not built.
";

/// The catalogue: the letter, its title, and the rows that there are.
const CATALOGUE: [(char, &str, &[u8]); 9] = [
    ('A', "Rate lock and create", &[1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]),
    ('B', "The address", &[1, 2, 3, 4, 6, 7, 8]),
    ('C', "Webhooks", &[1, 2, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22]),
    ('D', "Polling and reconciliation", &[1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12]),
    ('E', "Payments", &[1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 13, 14, 15, 16, 17]),
    (
        'F',
        "Crash, durability, concurrency",
        &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17],
    ),
    ('G', "After the end", &[1, 2, 3, 5, 6, 7]),
    ('H', "Telling the partner's own systems", &[1, 2, 3, 4, 5, 7, 8, 9, 10]),
    ('I', "Running it", &[1, 2, 3, 4, 5, 6, 7, 8]),
];

/// Rows that nothing can play yet: what happens, and why not. One that a test plays is taken from the test.
const NOT_BUILT: [(&str, &str, &str); 3] = [
    ("F9", "Two machines claim one order.", "Not built yet: one process owns a store."),
    ("F10", "PostgreSQL fails over in a transaction.", "Not built yet: no PostgreSQL."),
    ("F11", "Reads on a replica.", "Not built yet: no PostgreSQL."),
];

#[derive(Debug, Default)]
struct Row {
    words: Option<(String, String)>,
    tests: Vec<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every Rust source below a folder, in a fixed order.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            sources(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            found.push(path);
        }
    }
}

/// `a4_create_timed_out` is of row `A4`.
fn row_of(name: &str) -> Option<String> {
    let (id, _) = name.split_once('_')?;
    let (letter, number) = id.split_at_checked(1)?;
    let known = letter.bytes().all(|byte| (b'a'..=b'i').contains(&byte));
    let number: u8 = number.parse().ok()?;
    known.then(|| format!("{}{number}", letter.to_uppercase()))
}

/// The two paragraphs of the words above a test.
fn words(lines: &[&str]) -> Option<(String, String)> {
    let said: Vec<&str> =
        lines.iter().filter_map(|line| line.strip_prefix("///")).map(str::trim).collect();
    let mut paragraphs = said.split(|line| line.is_empty()).map(|lines| lines.join(" "));
    Some((paragraphs.next()?, paragraphs.next()?))
}

/// The tests of one source, by row.
fn collect(source: &str, rows: &mut BTreeMap<String, Row>) {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    for (at, line) in lines.iter().enumerate() {
        let head = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
        let Some(name) = head.and_then(|head| head.split('(').next()) else { continue };
        let Some(row) = row_of(name) else { continue };
        let above = lines[..at]
            .iter()
            .rposition(|line| !line.starts_with("#[") && !line.starts_with("///"))
            .map_or(0, |before| before + 1);
        let above = &lines[above..at];
        if !above.iter().any(|line| line.starts_with("#[") && line.contains("test")) {
            continue;
        }
        let row = rows.entry(row).or_default();
        row.tests.push(format!("`{name}`"));
        row.words = row.words.take().or_else(|| words(above));
    }
}

fn played() -> BTreeMap<String, Row> {
    let mut found = Vec::new();
    for folder in ["crates", "tests"] {
        sources(&root().join(folder), &mut found);
    }
    let mut rows = BTreeMap::new();
    for path in found {
        collect(&fs::read_to_string(path).unwrap(), &mut rows);
    }
    rows
}

/// The page; what is wrong with the rows instead, if something is.
fn page(mut rows: BTreeMap<String, Row>) -> Result<String, Vec<String>> {
    let (mut page, mut wrong) = (HEAD.to_owned(), Vec::new());
    for (letter, title, numbers) in CATALOGUE {
        page.push_str(&format!(
            "\n## {letter}. {title}\n\n| | what happens | what orderkeep does | played by |\n| --- | --- | --- | --- |\n"
        ));
        for number in numbers {
            let id = format!("{letter}{number}");
            let row = rows.remove(&id).unwrap_or_default();
            let not_built = NOT_BUILT.iter().find(|(missing, ..)| *missing == id);
            let (what, does) = match (row.words, not_built, row.tests.is_empty()) {
                (Some(words), _, _) => words,
                (None, Some((_, what, why)), true) => ((*what).to_owned(), (*why).to_owned()),
                (None, _, true) => {
                    wrong.push(format!("{id} is played by no test"));
                    continue;
                }
                (None, _, false) => {
                    wrong.push(format!("{id}: no test of it says what happens and what is done"));
                    continue;
                }
            };
            page.push_str(&format!("| {id} | {what} | {does} | {} |\n", row.tests.join(", ")));
        }
    }
    wrong.extend(rows.into_keys().map(|id| format!("{id} is no row of the catalogue")));
    if wrong.is_empty() { Ok(page) } else { Err(wrong) }
}

#[test]
fn every_scenario_is_played_by_a_test_and_the_page_says_so() {
    let made = page(played()).unwrap_or_else(|wrong| panic!("{}", wrong.join("\n")));
    let path = root().join("docs/scenarios.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == made, "docs/scenarios.md is not what the tests say: UPDATE_DOCS=1");
}

/// The check itself: a row without a test, a test without words, and a row that nobody knows are found.
#[test]
fn a_row_that_nothing_plays_is_found() {
    let mut rows = played();
    rows.remove("A4");
    rows.get_mut("B3").unwrap().words = None;
    rows.insert("Z9".to_owned(), Row::default());
    let wrong = page(rows).unwrap_err().join("\n");
    for words in ["A4 is played by no test", "B3: no test of it says", "Z9 is no row"] {
        assert!(wrong.contains(words), "{wrong}");
    }
    let mut rows = BTreeMap::new();
    let source = "/// What.\n///\n/// Does\n/// this.\n#[test]\nfn a4_x() {}\nfn a5_no_test() {}\n";
    collect(source, &mut rows);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows["A4"].words, Some(("What.".to_owned(), "Does this.".to_owned())));
}
