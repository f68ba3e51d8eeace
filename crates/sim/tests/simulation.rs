//! The simulator itself: the same seed is the same run, broken engines are caught, failures are shrunk. The seeds of the
//! ordinary test run are in `coverage.rs`.

use orderkeep_sim::{
    Twin, draw,
    explore::{Exploration, Summary, explore},
    plan::Kind,
    run,
    shrink::shrink,
};

fn seeds(from: u64, to: u64, twin: Option<Twin>) -> Summary {
    let exploration = Exploration {
        seeds: from..to,
        twin,
        threads: 1,
        stop_at_first: twin.is_some(),
        count_cells: false,
    };
    explore(&exploration, &|_, _| {})
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in 0..40 {
        let [first, second] = [(); 2].map(|()| run(draw(seed, None), true));
        assert!(!first.lines.is_empty());
        assert_eq!(first.lines, second.lines, "seed {seed}");
        assert_eq!(first.faults, second.faults, "seed {seed}");
        assert_eq!(first.virtual_ms, second.virtual_ms, "seed {seed}");
    }
}

#[test]
fn every_twin_is_caught_and_its_honest_engine_is_not() {
    for twin in Twin::ALL {
        let summary = seeds(0, 1_000, Some(twin));
        let failed = summary.failed.first();
        let failed = failed.unwrap_or_else(|| panic!("{} was not caught", twin.name()));
        let honest = run(draw(failed.seed, None), false);
        assert_eq!(honest.violation, None, "{}, seed {}", twin.name(), failed.seed);
    }
}

#[test]
fn every_kind_of_fault_is_drawn() {
    let drawn: std::collections::BTreeSet<Kind> =
        (0..500).flat_map(|seed| draw(seed, None).faults).map(|(_, fault)| fault.kind()).collect();
    assert_eq!(drawn.len(), 17, "{drawn:?}");
}

#[test]
fn a_failure_is_shrunk_to_what_it_needs() {
    let summary = seeds(0, 300, Some(Twin::Resend));
    let failed = summary.failed.first().expect("caught");
    let plan = draw(failed.seed, Some(Twin::Resend));
    let rule = failed.violation.rule;
    let (small, _) = shrink(&plan, rule);
    assert!(small.faults.len() <= plan.faults.len());
    let again = run(small, false).violation.expect("it still fails");
    assert_eq!(again.rule, rule);
}
