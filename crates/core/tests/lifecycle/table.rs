//! The state table as documents: made from the code, committed, and compared here.
//!
//! `UPDATE_DOCS=1 cargo nextest run -p orderkeep-core` writes them anew; read the difference like any other change.

mod diagram;
mod markdown;

use crate::samples::{inputs, order_in};
use orderkeep_core::{
    StateName,
    table::{Cell, Situation},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

/// One sample input to one sample order.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) situation: Situation,
    pub(crate) input: &'static str,
    pub(crate) cell: Cell,
}

/// All of them.
fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for situation in Situation::ALL {
        let story = order_in(situation);
        for sample in inputs(situation) {
            let outcome = story.order.step(&sample.input, sample.at, &story.policy);
            let cell = Cell::of(&story.order, &outcome);
            rows.push(Row { situation, input: sample.name, cell });
        }
    }
    rows
}

/// The ways from state to state, and which inputs take them.
type Ways = BTreeMap<(StateName, StateName), BTreeSet<&'static str>>;

fn ways(rows: &[Row]) -> Ways {
    let mut ways = Ways::new();
    for row in rows {
        let from = row.situation.state();
        if from != row.cell.next {
            ways.entry((from, row.cell.next)).or_default().insert(row.input);
        }
    }
    ways
}

fn json(rows: &[Row]) -> String {
    let rows: Vec<_> = rows
        .iter()
        .map(|row| {
            serde_json::json!({
                "state": row.situation.state(),
                "situation": row.situation,
                "input": row.input,
                "cell": row.cell,
            })
        })
        .collect();
    // One cell a line: a change of the lifecycle is a readable difference.
    let lines: Vec<_> = rows.iter().map(ToString::to_string).collect();
    format!("[\n{}\n]\n", lines.join(",\n"))
}

pub(crate) fn compare(name: &str, made: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, made).unwrap();
        return;
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let line = committed.lines().zip(made.lines()).position(|(old, new)| old != new);
    assert!(
        committed == made,
        "docs/{name} is not what the code does (first difference at line {line:?}); \
         run `UPDATE_DOCS=1 cargo nextest run -p orderkeep-core` and read the change"
    );
}

#[test]
fn the_table_in_markdown_is_what_the_code_does() {
    let rows = rows();
    compare("state-machine.md", &markdown::page(&rows, &ways(&rows)));
}

#[test]
fn the_table_in_json_is_what_the_code_does() {
    compare("state-machine.json", &json(&rows()));
}

#[test]
fn the_picture_shows_the_ways_that_the_code_takes() {
    compare("state-machine.svg", &diagram::picture(&ways(&rows())));
}

/// The ways between states, by hand: no other pair of states is ever joined by one input.
#[test]
fn there_are_no_other_ways_than_these() {
    let expected = [
        (StateName::Locked, StateName::Created),
        (StateName::Locked, StateName::WaitingForWallet),
        (StateName::Locked, StateName::AwaitingPayment),
        (StateName::Locked, StateName::Executed),
        (StateName::Locked, StateName::Failed),
        (StateName::Created, StateName::WaitingForWallet),
        (StateName::Created, StateName::AwaitingPayment),
        (StateName::Created, StateName::Executed),
        (StateName::Created, StateName::Failed),
        (StateName::WaitingForWallet, StateName::AwaitingPayment),
        (StateName::WaitingForWallet, StateName::Executed),
        (StateName::WaitingForWallet, StateName::Failed),
        (StateName::AwaitingPayment, StateName::Executed),
        (StateName::AwaitingPayment, StateName::Failed),
    ];
    let found: Vec<_> = ways(&rows()).into_keys().collect();
    assert_eq!(found, expected);
}
