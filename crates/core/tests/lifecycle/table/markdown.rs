//! The page: what the states are, the diagram, the matrix, and one table per situation.

use super::{Row, Ways};
use orderkeep_core::{
    StateName,
    table::{Cell, Situation},
};
use std::fmt::Write as _;

const HEAD: &str = "\
# The state machine

<!-- Made by the tests of orderkeep-core from the code: UPDATE_DOCS=1 cargo nextest run -p orderkeep-core -->

An order is in one of six states. Below is everything that can happen to it: each situation that a state knows
(a *facet*, such as how far the create is, or how much was paid), each input, and what the code does with it. The
page is made from the code, and a test fails when the two differ. The same cells are in
[`state-machine.json`](state-machine.json), one a line.

![The six states and the ways between them](state-machine.svg)

";

const LEGEND: &str = "\
## Everything at a glance

Rows are inputs, columns situations (numbered in the tables below). A cell is the state after the input and how the
input ended:

| sign | how the input ended | what that means |
| :-: | --- | --- |
| `+` | applied | events were appended; the state may stay |
| `=` | duplicate | said before, or nothing to do: nothing changes |
| `<` | stale | older than what is known: nothing changes |
| `?` | awaiting confirmation | a webhook claims it; it is kept, and a read decides |
| `p` | parked | a webhook about an order that is not bound to ours; a read decides |
| `!` | refused | it must not change anything, and is kept with the reason |

The state after it: `L` Locked, `C` Created, `W` WaitingForWallet, `A` AwaitingPayment, `E` Executed, `F` Failed.

";

const SAMPLES: &str = "\
## Cell by cell

The samples: the lock asks for 100 and ends 15 minutes after the submit; inputs arrive 200 seconds after it; reads and
claims of *confirming*, *executed* and *reversed* say that 100 arrived, of *underpaid* 40, of the others nothing;
answers are of the attempt that is or was on its way; *woken late* is 30 days later, with a provider's window of two
hours after the lock. Everything else is the default policy: claims are not trusted. Inputs that do the same share a
row.
";

pub(super) fn page(rows: &[Row], ways: &Ways) -> String {
    let mut page = HEAD.to_owned();
    mermaid(&mut page, ways);
    page.push_str(LEGEND);
    matrix(&mut page, rows);
    page.push_str(SAMPLES);
    for (number, situation) in (1..).zip(Situation::ALL) {
        let _ = write!(page, "\n### {number}. {}: {}\n\n", situation.state(), situation.words());
        cells(&mut page, rows.iter().filter(|row| row.situation == situation));
    }
    page
}

fn mermaid(page: &mut String, ways: &Ways) {
    page.push_str("```mermaid\nstateDiagram-v2\n    [*] --> Locked: submit\n");
    for ((from, to), inputs) in ways {
        let _ = writeln!(page, "    {from} --> {to}: {}", summary(inputs.iter().copied()));
    }
    page.push_str("    Executed --> [*]\n    Failed --> [*]\n```\n\n");
}

/// The kinds of inputs that take a way, short enough for an arrow.
pub(super) fn summary<'a>(inputs: impl Iterator<Item = &'a str>) -> String {
    let mut kinds: Vec<&str> = Vec::new();
    for input in inputs {
        let kind = match input.split_once(':') {
            Some((kind, _)) => kind,
            None => input,
        };
        let kind = if kind.starts_with("woken") { "time" } else { kind };
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds.join(", ")
}

fn sign(cell: &Cell) -> char {
    match cell.disposition {
        "applied" => '+',
        "duplicate" => '=',
        "stale" => '<',
        "awaiting confirmation" => '?',
        "parked" => 'p',
        _ => '!',
    }
}

fn matrix(page: &mut String, rows: &[Row]) {
    page.push_str("| input |");
    for number in 1..=Situation::ALL.len() {
        let _ = write!(page, " {number} |");
    }
    page.push_str("\n| --- |");
    page.push_str(&" :-: |".repeat(Situation::ALL.len()));
    page.push_str("\n| |");
    let mut last: Option<StateName> = None;
    for situation in Situation::ALL {
        let state = situation.state();
        let shown = if last == Some(state) { "" } else { state.as_str() };
        last = Some(state);
        let _ = write!(page, " {shown} |");
    }
    page.push('\n');
    let inputs: Vec<_> =
        rows.iter().filter(|row| row.situation == Situation::ALL[0]).map(|row| row.input).collect();
    for input in inputs {
        let _ = write!(page, "| {input} |");
        for row in rows.iter().filter(|row| row.input == input) {
            let _ = write!(page, " `{}{}` |", &row.cell.next.as_str()[..1], sign(&row.cell));
        }
        page.push('\n');
    }
    page.push('\n');
}

fn cells<'a>(page: &mut String, rows: impl Iterator<Item = &'a Row>) {
    page.push_str(
        "| inputs | after it | how it ended | events | effects | a person is asked |\n\
         | --- | --- | --- | --- | --- | --- |\n",
    );
    let mut shared: Vec<(Vec<&str>, &Cell)> = Vec::new();
    for row in rows {
        match shared.iter_mut().find(|(_, cell)| **cell == row.cell) {
            Some((inputs, _)) => inputs.push(row.input),
            None => shared.push((vec![row.input], &row.cell)),
        }
    }
    for (inputs, cell) in shared {
        let ended = match &cell.why {
            Some(why) => format!("{}: {}", cell.disposition, why.replace('|', "\\|")),
            None => cell.disposition.to_owned(),
        };
        let mut asked = cell.raised.clone();
        asked.extend(cell.settled.iter().map(|reason| format!("~~{reason}~~")));
        let _ = writeln!(
            page,
            "| {} | {}, {} | {ended} | {} | {} | {} |",
            inputs.join("; "),
            cell.next,
            cell.next_situation.words(),
            cell.events.join(", "),
            cell.effects.join(", "),
            asked.join(", "),
        );
    }
}
