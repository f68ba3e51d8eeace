//! 2,000 seeds in the ordinary test run, and the written plans: no rule is broken, and every cell of the state table is
//! visited, but for those that cannot be.

use std::collections::{BTreeMap, BTreeSet};

use orderkeep_core::table::Situation;
use orderkeep_sim::{
    coverage::Cells,
    explore::{Exploration, Summary, explore, play},
    plan::scripts,
};

/// States, inputs, and why no run comes to them. A run that does makes the test fail, too.
const UNREACHABLE: &[(&[&str], &[&str], &str)] = &[
    (
        &["Executed", "Failed"],
        &["restored"],
        "of a restore are told those that the store lists as open, and that an order has ended is written in one commit with its end",
    ),
    (
        &["Created", "WaitingForWallet", "AwaitingPayment", "Executed", "Failed"],
        &["interrupted"],
        "it is asked in the same breath in which the order is seen to be `Locked` with its create on its way, and of no other",
    ),
];

/// A state and an input, as the table's rows name them.
type Place = (String, String);

/// The input of a row of the table, as the engine's trace names it.
fn input_of(row: &str) -> &str {
    match row {
        "acknowledge" => "resolve",
        "answer: of another attempt" => "answer: not sent",
        "read: older" => "read: waiting for wallet",
        _ if row.starts_with("submit") => "submit",
        _ if row.starts_with("resolve") => "resolve",
        _ if row.starts_with("adopt") => "adopt",
        _ if row.starts_with("post again") => "post again",
        _ if row.starts_with("woken") => "woken",
        _ if row.starts_with("answer: accepted") => "answer: accepted",
        _ if row.starts_with("answer: lock invalid") => "answer: definite",
        _ if row.starts_with("claim: another") => "claim: awaiting payment",
        _ if row.starts_with("read: another") || row.starts_with("read: ours") => {
            "read: awaiting payment"
        }
        _ => row.split(" (").next().unwrap_or(row),
    }
}

/// What the lifecycle takes, by its own generated table.
fn legal() -> BTreeSet<Place> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/state-machine.json");
    let text = std::fs::read_to_string(path).expect("the generated table");
    let rows: Vec<serde_json::Value> = serde_json::from_str(&text).expect("rows of the table");
    rows.iter()
        .filter(|row| row["cell"]["disposition"] != "refused")
        .map(|row| {
            let input = input_of(row["input"].as_str().expect("an input"));
            (row["state"].as_str().expect("a state").to_owned(), input.to_owned())
        })
        .collect()
}

fn visited(cells: &Cells) -> BTreeMap<Place, u64> {
    let mut visited = BTreeMap::new();
    for (cell, visits) in cells {
        let state = Situation::ALL.into_iter().find(|known| known.words() == cell.situation);
        let state = state.unwrap_or_else(|| panic!("no situation is called {}", cell.situation));
        let place = (state.state().to_string(), cell.input.clone());
        *visited.entry(place).or_default() += visits.moved + visits.nothing + visits.refused;
    }
    visited
}

fn unreachable_places() -> BTreeSet<Place> {
    let mut places = BTreeSet::new();
    for (states, inputs, _) in UNREACHABLE {
        for state in *states {
            places.extend(inputs.iter().map(|input| ((*state).to_owned(), (*input).to_owned())));
        }
    }
    places
}

/// What to look at, if something failed.
fn assert_clean(summary: &Summary, replay: impl Fn(u64) -> String) {
    if let Some(first) = summary.failed.first() {
        let (failures, runs, replay) = (summary.failures, summary.seeds, replay(first.seed));
        panic!(
            "{failures} of {runs} runs failed; see `cargo run --release -p orderkeep-sim -- {replay}`: {first:#?}"
        );
    }
}

#[test]
fn in_two_thousand_seeds_no_rule_is_broken_and_with_the_scripts_the_whole_state_table_is_visited() {
    let exploration = Exploration {
        seeds: 0..2_000,
        twin: None,
        threads: 2,
        stop_at_first: false,
        count_cells: true,
    };
    let drawn = explore(&exploration, &|_, _| {});
    assert_eq!(drawn.seeds, 2_000);
    assert_clean(&drawn, |seed| format!("--seed {seed}"));
    let scripts = scripts();
    let written = play(&scripts, 2);
    assert_eq!(written.seeds, scripts.len() as u64);
    assert_clean(&written, |number| {
        format!("--script {}", scripts[usize::try_from(number).unwrap()].name)
    });

    let (legal, unreachable) = (legal(), unreachable_places());
    let mut cells = drawn.cells;
    orderkeep_sim::coverage::add(&mut cells, written.cells);
    let visited = visited(&cells);
    let missed: Vec<_> = legal
        .iter()
        .filter(|place| !visited.contains_key(*place) && !unreachable.contains(*place))
        .collect();
    assert!(missed.is_empty(), "legal cells that no run came to: {missed:#?}");
    let surprises: Vec<_> =
        unreachable.iter().filter(|place| visited.contains_key(*place)).collect();
    assert!(surprises.is_empty(), "said to be out of reach, and visited: {surprises:#?}");
}
