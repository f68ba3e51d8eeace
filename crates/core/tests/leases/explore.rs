//! The whole bounded space of a faithful engine, and the twins that must fail.

use std::{collections::BTreeSet, time::Instant};

use stateright::{Checker, HasDiscoveries, Model};

use crate::{
    model::{Leases, Rules},
    promises::ONE_ORDER,
};

/// Bounds that take minutes in a release build.
fn large() -> bool {
    std::env::var("LEASES").is_ok_and(|bounds| bounds == "large")
}

/// Explores everything, prints what there was, and asserts every promise.
fn explore(model: Leases) {
    let bounds = format!(
        "{} holders, {} leases, {} attempts, {} risks taken, {:?}",
        model.holders, model.leases, model.attempts, model.post_again, model.rules
    );
    let started = Instant::now();
    let checker = model.checker().threads(2).spawn_bfs().join();
    println!(
        "{bounds}: {} moments, {} different, at most {} steps, {:.1?}",
        checker.state_count(),
        checker.unique_state_count(),
        checker.max_depth(),
        started.elapsed()
    );
    assert!(checker.is_done(), "the space was not explored whole");
    checker.assert_properties();
}

/// The twin makes a second order from one lock; the shortest way to it is printed.
fn makes_two_orders(rules: Rules) {
    let model = Leases { rules, ..Leases::faithful(2, 2, 2, 0) };
    let found = HasDiscoveries::AnyOf(BTreeSet::from([ONE_ORDER]));
    let checker = model.checker().finish_when(found).spawn_bfs().join();
    let path = checker.discovery(ONE_ORDER);
    let way = path.expect("a second order, by some way").into_actions();
    println!("{rules:?}: {way:?}");
}

#[test]
fn two_holders_make_one_order() {
    explore(if large() { Leases::faithful(2, 4, 3, 0) } else { Leases::faithful(2, 2, 2, 0) });
}

#[test]
fn three_holders_make_one_order() {
    explore(if large() { Leases::faithful(3, 3, 2, 0) } else { Leases::faithful(3, 2, 1, 0) });
}

#[test]
fn a_risk_that_was_taken_is_one_more_order_at_most() {
    // With cancels the ordinary run would be three times as long.
    let small = Leases { cancel: false, ..Leases::faithful(2, 2, 2, 1) };
    explore(if large() { Leases::faithful(2, 3, 3, 1) } else { small });
}

/// For one order each guard is enough alone, as long as the order is read after its lease was given. Both are kept:
/// the epoch also guards what is no order's, and the version what is read too early.
#[test]
fn one_guard_is_enough_for_one_order() {
    for rules in [
        Rules { version_checked: false, ..Rules::FAITHFUL },
        Rules { epoch_checked: false, ..Rules::FAITHFUL },
        Rules { read_under_lease: false, ..Rules::FAITHFUL },
    ] {
        let attempts = if large() { 2 } else { 1 };
        explore(Leases { rules, ..Leases::faithful(2, 2, attempts, 0) });
    }
}

#[test]
fn the_twin_without_fencing_makes_two_orders() {
    makes_two_orders(Rules { epoch_checked: false, version_checked: false, ..Rules::FAITHFUL });
}

#[test]
fn the_twin_that_fences_and_reads_too_early_makes_two_orders() {
    makes_two_orders(Rules { version_checked: false, read_under_lease: false, ..Rules::FAITHFUL });
}

#[test]
fn the_twin_that_acts_before_its_intent_is_durable_makes_two_orders() {
    makes_two_orders(Rules { intent_first: false, ..Rules::FAITHFUL });
}

#[test]
fn the_twin_that_takes_a_lost_attempt_for_not_sent_makes_two_orders() {
    makes_two_orders(Rules { lost_is_unknown: false, ..Rules::FAITHFUL });
}
