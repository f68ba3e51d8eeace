//! 2,000 seeds in the ordinary test run: no rule is broken, and every cell of the state table is visited that a
//! simulation can come to.

use std::collections::{BTreeMap, BTreeSet};

use orderkeep_core::table::Situation;
use orderkeep_sim::{
    coverage::Cells,
    explore::{Exploration, explore},
};

const BOUND: &[&str] = &["Created", "WaitingForWallet", "AwaitingPayment", "Executed", "Failed"];
const ALL: &[&str] =
    &["Locked", "Created", "WaitingForWallet", "AwaitingPayment", "Executed", "Failed"];

/// States, inputs, and why no run comes to them. A run that does makes the test fail, too.
const UNREACHABLE: &[(&[&str], &[&str], &str)] = &[
    (
        BOUND,
        &["answer: not sent", "answer: definite", "answer: throttled", "answer: denied"],
        "a create with such an answer made nothing that could have been bound before it came",
    ),
    (&["Executed", "Failed"], &["restored"], "only open orders are told of a restore"),
    (BOUND, &["interrupted"], "asked only of orders whose create is on its way"),
    (ALL, &["claim: underpaid", "read: underpaid"], "the client's table has no word for that end"),
    (ALL, &["fresh lock refused"], "the simulated provider refuses nobody a lock"),
    (
        &["Executed"],
        &["claim: failed", "read: failed"],
        "the provider has its own word for a sale that is taken back",
    ),
];

/// Cells that a larger campaign visits, and 2,000 seeds by luck: see `docs/simulation.md`. Among them what only an older
/// copy of the store comes to: that somebody has paid where the copy has not shown an address yet.
const RARE: &[(&str, &[&str])] = &[
    (
        "Locked",
        &[
            "answer: definite",
            "cancel",
            "claim: confirming",
            "claim: executed",
            "claim: reversed",
            "claim: failed",
            "not found",
            "note",
            "read: confirming",
            "read: executed",
            "read: failed",
            "read: reversed",
            "read: unknown word",
            "restored",
            "retry",
        ],
    ),
    (
        "Created",
        &[
            "answer: accepted",
            "answer: ambiguous",
            "cancel",
            "claim: confirming",
            "claim: failed",
            "claim: reversed",
            "fresh lock",
            "note",
            "read: confirming",
            "read: executed",
            "read: failed",
            "read: reversed",
            "restored",
            "retry",
        ],
    ),
    (
        "WaitingForWallet",
        &[
            "claim: confirming",
            "claim: reversed",
            "fresh lock",
            "read: confirming",
            "read: executed",
            "read: reversed",
            "restored",
        ],
    ),
    ("AwaitingPayment", &["claim: reversed", "fresh lock", "restored"]),
    (
        "Executed",
        &[
            "answer: accepted",
            "answer: ambiguous",
            "fresh lock",
            "not found",
            "read: confirming",
            "read: expired",
            "read: unknown word",
            "read: waiting for wallet",
        ],
    ),
    (
        "Failed",
        &[
            "answer: accepted",
            "answer: ambiguous",
            "claim: reversed",
            "fresh lock",
            "claim: unknown word",
            "claim: waiting for wallet",
            "not found",
            "read: confirming",
            "read: reversed",
            "read: unknown word",
            "read: waiting for wallet",
            "retry",
            "woken",
        ],
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

fn rare_places() -> BTreeSet<Place> {
    RARE.iter()
        .flat_map(|(state, inputs)| inputs.iter().map(move |input| (state, input)))
        .map(|(state, input)| ((*state).to_owned(), (*input).to_owned()))
        .collect()
}

#[test]
fn in_two_thousand_seeds_no_rule_is_broken_and_the_state_table_is_visited() {
    let exploration = Exploration {
        seeds: 0..2_000,
        twin: None,
        threads: 2,
        stop_at_first: false,
        count_cells: true,
    };
    let summary = explore(&exploration, &|_, _| {});
    assert_eq!(summary.seeds, 2_000);
    if let Some(first) = summary.failed.first() {
        let (failures, seed) = (summary.failures, first.seed);
        panic!(
            "{failures} of 2000 seeds failed; see `cargo run --release -p orderkeep-sim -- --seed {seed}`: {first:#?}"
        );
    }
    let (legal, visited) = (legal(), visited(&summary.cells));
    let (unreachable, rare) = (unreachable_places(), rare_places());
    let missed: Vec<_> = legal
        .iter()
        .filter(|place| !visited.contains_key(*place))
        .filter(|place| !unreachable.contains(*place) && !rare.contains(*place))
        .collect();
    assert!(missed.is_empty(), "legal cells that no run came to: {missed:#?}");
    let surprises: Vec<_> =
        unreachable.iter().filter(|place| visited.contains_key(*place)).collect();
    assert!(surprises.is_empty(), "said to be out of reach, and visited: {surprises:#?}");
}
