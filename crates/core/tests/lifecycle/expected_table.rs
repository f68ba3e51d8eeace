//! What every input should do in every situation, written by hand from the design: the oracle of the whole table.
//!
//! A cell is the state after the input (`L`ocked, `C`reated, `W`aitingForWallet, `A`waitingPayment, `E`xecuted,
//! `F`ailed) and how the input ended: `+` applied, `=` duplicate, `<` stale, `?` awaiting confirmation, `p` parked,
//! `!` refused. The columns are the situations in the order of a life.

use crate::samples::{inputs, order_in};
use orderkeep_core::table::{Cell, Situation};

const TABLE: &str = "
                               | not held flgt unkn agai flg2 expo relk | crea | wait | none part paid over | sold back | ther lock inva canc unkn foun corr
submit, same body              | L=  L=   L=   L=   L=   L=   L=   L=   | C=   | W=   | A=   A=   A=   A=   | E=   E=   | F=   F=   F=   F=   F=   F=   F=
submit, other body             | L!  L!   L!   L!   L!   L!   L!   L!   | C!   | W!   | A!   A!   A!   A!   | E!   E!   | F!   F!   F!   F!   F!   F!   F!
cancel                         | F+  F+   L+   L+   L+   L+   L+   F+   | C+   | W+   | A+   A+   A+   A+   | E!   E!   | F!   F!   F!   F!   F!   F!   F!
acknowledge                    | L!  L+   L!   L!   L!   L!   L+   L!   | C!   | W!   | A!   A!   A!   A!   | E!   E!   | F!   F!   F!   F!   F!   F!   F!
resolve: no provider order     | L!  L!   L!   F+   F+   L!   F+   L!   | C!   | W!   | A!   A!   A!   A!   | E!   E!   | F!   F!   F!   F!   F!   F!   F!
adopt ours                     | L+  L+   L+   L+   L+   L+   L+   L+   | C=   | W=   | A=   A=   A=   A=   | E=   E=   | F=   F+   F+   F+   F+   F=   F=
adopt another                  | L+  L+   L+   L+   L+   L+   L+   L+   | C!   | W!   | A!   A!   A!   A!   | E!   E!   | F!   F+   F+   F+   F+   F!   F!
retry                          | L+  L+   L!   L!   L+   L!   L!   L+   | C+   | W+   | A+   A+   A+   A+   | E+   E+   | F+   F!   F!   F!   F!   F+   F+
post again                     | L!  L!   L!   L+   L=   L!   L!   L!   | C!   | W!   | A!   A!   A!   A!   | E!   E!   | F!   F!   F!   F!   F!   F!   F!
post again, wrong lock         | L!  L!   L!   L!   L!   L!   L!   L!   | C!   | W!   | A!   A!   A!   A!   | E!   E!   | F!   F!   F!   F!   F!   F!   F!
note                           | L+  L+   L+   L+   L+   L+   L+   L+   | C+   | W+   | A+   A+   A+   A+   | E+   E+   | F+   F+   F+   F+   F+   F+   F+
permit                         | L+  L!   L!   L!   L+   L!   L!   L!   | C!   | W!   | A!   A!   A!   A!   | E!   E!   | F!   F!   F!   F!   F!   F!   F!
answer: accepted               | C+  C+   C+   C+   C+   C+   C+   C+   | C=   | W=   | A=   A=   A=   A=   | E=   E=   | F=   F+   F+   F+   F+   F=   F=
answer: accepted as another    | C+  C+   C+   C+   C+   C+   C+   C+   | C+   | W+   | A+   A+   A+   A+   | E+   E+   | F+   F+   F+   F+   F+   F+   F+
answer: not sent               | L<  L<   L+   L+   L<   L+   L<   L<   | C<   | W<   | A<   A<   A<   A<   | E<   E<   | F<   F<   F<   F<   F<   F<   F<
answer: throttled (429)        | L<  L<   L+   L<   L<   L+   L<   L<   | C<   | W<   | A<   A<   A<   A<   | E<   E<   | F<   F<   F<   F<   F<   F<   F<
answer: denied (401)           | L<  L<   L+   L<   L<   L+   L<   L<   | C<   | W<   | A<   A<   A<   A<   | E<   E<   | F<   F<   F<   F<   F<   F<   F<
answer: definite (P403)        | L<  L<   L+   L<   L<   L+   L<   L<   | C<   | W<   | A<   A<   A<   A<   | E<   E<   | F<   F<   F<   F<   F<   F<   F<
answer: lock invalid (P462)    | L<  L<   F+   L<   L<   L+   L<   L<   | C<   | W<   | A<   A<   A<   A<   | E<   E<   | F<   F<   F<   F<   F<   F<   F<
answer: ambiguous (P500)       | L<  L<   L+   L<   L<   L+   L<   L<   | C<   | W<   | A<   A<   A<   A<   | E<   E<   | F<   F<   F<   F<   F<   F<   F<
answer: of another attempt     | L<  L<   L<   L<   L<   L<   L<   L<   | C<   | W<   | A<   A<   A<   A<   | E<   E<   | F<   F<   F<   F<   F<   F<   F<
interrupted                    | L<  L<   L+   L<   L<   L+   L<   L<   | C<   | W<   | A<   A<   A<   A<   | E<   E<   | F<   F<   F<   F<   F<   F<   F<
fresh lock                     | L<  L<   L<   L<   L<   L<   L<   L+   | C<   | W<   | A<   A<   A<   A<   | E<   E<   | F<   F<   F<   F<   F<   F<   F<
fresh lock refused             | L<  L<   L<   L<   L<   L<   L<   F+   | C<   | W<   | A<   A<   A<   A<   | E<   E<   | F<   F<   F<   F<   F<   F<   F<
claim: waiting for wallet      | Lp  Lp   Lp   Lp   Lp   Lp   Lp   Lp   | W+   | W=   | A<   A<   A<   A<   | E<   E<   | F<   Fp   Fp   Fp   Fp   F=   F<
claim: awaiting payment        | Lp  Lp   Lp   Lp   Lp   Lp   Lp   Lp   | C?   | W?   | A=   A?   A?   A?   | E<   E<   | F<   Fp   Fp   Fp   Fp   F?   F<
claim: confirming              | Lp  Lp   Lp   Lp   Lp   Lp   Lp   Lp   | C?   | W?   | A?   A?   A=   A?   | E<   E<   | F?   Fp   Fp   Fp   Fp   F?   F<
claim: executed                | Lp  Lp   Lp   Lp   Lp   Lp   Lp   Lp   | C?   | W?   | A?   A?   A?   A?   | E=   E?   | F?   Fp   Fp   Fp   Fp   F?   F=
claim: expired                 | Lp  Lp   Lp   Lp   Lp   Lp   Lp   Lp   | C?   | W?   | A?   A?   A?   A?   | E?   E?   | F=   Fp   Fp   Fp   Fp   F?   F?
claim: underpaid               | Lp  Lp   Lp   Lp   Lp   Lp   Lp   Lp   | C?   | W?   | A?   A?   A?   A?   | E?   E?   | F?   Fp   Fp   Fp   Fp   F?   F?
claim: failed                  | Lp  Lp   Lp   Lp   Lp   Lp   Lp   Lp   | C?   | W?   | A?   A?   A?   A?   | E?   E?   | F?   Fp   Fp   Fp   Fp   F?   F?
claim: reversed                | Lp  Lp   Lp   Lp   Lp   Lp   Lp   Lp   | C?   | W?   | A?   A?   A?   A?   | E?   E=   | F?   Fp   Fp   Fp   Fp   F?   F?
claim: unknown word            | Lp  Lp   Lp   Lp   Lp   Lp   Lp   Lp   | C?   | W?   | A?   A?   A?   A?   | E?   E?   | F?   Fp   Fp   Fp   Fp   F?   F?
claim: another order, our lock | Lp  Lp   Lp   Lp   Lp   Lp   Lp   Lp   | Cp   | Wp   | Ap   Ap   Ap   Ap   | Ep   Ep   | Fp   Fp   Fp   Fp   Fp   Fp   Fp
read: waiting for wallet       | W+  W+   W+   W+   W+   W+   W+   W+   | W+   | W=   | A<   A<   A<   A<   | E<   E<   | F<   F+   F+   F+   F+   F=   F<
read: awaiting payment         | A+  A+   A+   A+   A+   A+   A+   A+   | A+   | A+   | A=   A+   A+   A+   | E<   E<   | F<   F+   F+   F+   F+   F+   F<
read: confirming               | A+  A+   A+   A+   A+   A+   A+   A+   | A+   | A+   | A+   A+   A=   A+   | E<   E<   | F+   F+   F+   F+   F+   F+   F<
read: executed                 | E+  E+   E+   E+   E+   E+   E+   E+   | E+   | E+   | E+   E+   E+   E+   | E=   E+   | F+   F+   F+   F+   F+   F+   F=
read: expired                  | F+  F+   F+   F+   F+   F+   F+   F+   | F+   | F+   | F+   F+   F+   F+   | E+   E+   | F=   F+   F+   F+   F+   F+   F+
read: underpaid                | F+  F+   F+   F+   F+   F+   F+   F+   | F+   | F+   | F+   F+   F+   F+   | E+   E+   | F+   F+   F+   F+   F+   F+   F+
read: failed                   | F+  F+   F+   F+   F+   F+   F+   F+   | F+   | F+   | F+   F+   F+   F+   | E+   E+   | F+   F+   F+   F+   F+   F+   F+
read: reversed                 | E+  E+   E+   E+   E+   E+   E+   E+   | E+   | E+   | E+   E+   E+   E+   | E+   E=   | F+   F+   F+   F+   F+   F+   F+
read: unknown word             | C+  C+   C+   C+   C+   C+   C+   C+   | C+   | W+   | A+   A+   A+   A+   | E+   E+   | F+   F+   F+   F+   F+   F+   F+
read: older                    | W+  W+   W+   W+   W+   W+   W+   W+   | W+   | W<   | A<   A<   A<   A<   | E<   E<   | F<   F+   F+   F+   F+   F<   F<
read: another order, our lock  | A+  A+   A+   A+   A+   A+   A+   A+   | C+   | W+   | A+   A+   A+   A+   | E+   E+   | F+   F+   F+   F+   F+   F+   F+
read: another order, its lock  | L!  L!   L!   L!   L!   L!   L!   L!   | C!   | W!   | A!   A!   A!   A!   | E!   E!   | F!   F!   F!   F!   F!   F!   F!
read: ours, another lock       | L!  L!   L!   L!   L!   L!   L!   L!   | C+   | W+   | A+   A+   A+   A+   | E+   E+   | F+   F!   F!   F!   F!   F+   F+
not found                      | L<  L<   L<   L<   L<   L<   L<   L<   | C+   | W+   | A+   A+   A+   A+   | E+   E+   | F+   F<   F<   F<   F<   F+   F+
woken early                    | L=  L=   L=   L=   L=   L=   L=   L=   | C=   | W=   | A=   A=   A=   A=   | E=   E=   | F=   F=   F=   F=   F=   F=   F=
woken late                     | F+  F+   L+   F+   L+   L+   L=   L+   | C+   | W+   | A+   A+   A+   A+   | E=   E=   | F=   F=   F=   F=   F=   F=   F=
restored                       | L+  L+   L+   L+   L+   L+   L=   L+   | C+   | W+   | A+   A+   A+   A+   | E=   E=   | F=   F=   F=   F=   F=   F=   F=
";

/// A cell in the table's two letters.
fn code(cell: &Cell) -> String {
    let ended = match cell.disposition {
        "applied" => '+',
        "duplicate" => '=',
        "stale" => '<',
        "awaiting confirmation" => '?',
        "parked" => 'p',
        "refused" => '!',
        other => panic!("a new way to end, {other}: the table needs a letter for it"),
    };
    format!("{}{ended}", &cell.next.as_str()[..1])
}

#[test]
fn the_code_does_what_the_design_says_in_every_cell() {
    let mut rows: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in TABLE.lines().filter(|line| !line.trim().is_empty()).skip(1) {
        let (name, cells) = line.split_once('|').unwrap();
        rows.push((name.trim(), cells.split_whitespace().filter(|cell| *cell != "|").collect()));
    }
    let mut differences = Vec::new();
    let mut cells = 0;
    for (column, situation) in Situation::ALL.into_iter().enumerate() {
        let story = order_in(situation);
        let samples = inputs(situation);
        let names: Vec<_> = samples.iter().map(|sample| sample.name).collect();
        let expected: Vec<_> = rows.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, expected, "the samples are the rows");
        for (sample, (name, row)) in samples.iter().zip(&rows) {
            assert_eq!(row.len(), Situation::ALL.len(), "{name}");
            let outcome = story.order.step(&sample.input, sample.at, &story.policy);
            let cell = Cell::of(&story.order, &outcome);
            cells += 1;
            if code(&cell) != row[column] {
                differences.push(format!(
                    "{situation:?}, {name}: {} expected, {} found ({:?} {:?})",
                    row[column],
                    code(&cell),
                    cell.events,
                    cell.why
                ));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert_eq!(cells, 51 * 23);
}

#[test]
fn every_situation_has_a_sample_that_is_in_it() {
    for situation in Situation::ALL {
        let story = order_in(situation);
        assert_eq!(Situation::of(&story.order), situation);
        assert_eq!(story.name(), situation.state());
    }
}
