//! What the books are told of orders, as literal sums.

use orderkeep_core::{
    ProviderStatus,
    report::{Books, ToSettle, Totals},
};

use crate::fixture::{PAY_BY, Paid as _, Story, read};

/// What the books say of an order, as texts.
#[derive(Debug, Clone, Copy)]
struct Told {
    received: &'static str,
    /// Received less locked.
    difference: Option<&'static str>,
    held: Option<&'static str>,
    /// Sold at the locked rate.
    executed: Option<&'static str>,
    /// Sold less locked.
    settle_difference: Option<&'static str>,
    to_settle: ToSettle,
}

const NOTHING: Told = Told {
    received: "0",
    difference: None,
    held: None,
    executed: None,
    settle_difference: None,
    to_settle: ToSettle::Nothing,
};

fn ended(status: ProviderStatus, paid: &str) -> Story {
    Story::awaiting().observes(30, read(30, status).paid(paid))
}

#[test]
fn each_end_says_what_is_left_to_settle() {
    let open = Told { to_settle: ToSettle::Open, ..NOTHING };
    for (story, told) in [
        (Story::new(), open),
        (Story::awaiting(), open),
        (
            ended(ProviderStatus::Executed, "100"),
            Told {
                received: "100",
                difference: Some("0"),
                executed: Some("84"),
                settle_difference: Some("0"),
                ..NOTHING
            },
        ),
        (
            ended(ProviderStatus::Executed, "100.5"),
            Told {
                received: "100.5",
                difference: Some("0.5"),
                executed: Some("84.42"),
                settle_difference: Some("0.42"),
                to_settle: ToSettle::SoldMore,
                ..NOTHING
            },
        ),
        (
            ended(ProviderStatus::Underpaid, "40"),
            Told {
                received: "40",
                difference: Some("-60"),
                held: Some("40"),
                to_settle: ToSettle::FundsHeld,
                ..NOTHING
            },
        ),
        (Story::awaiting().read(PAY_BY + 60, ProviderStatus::Expired), NOTHING),
        // What came after the end is somebody's, whatever else is held.
        (
            ended(ProviderStatus::Expired, "0")
                .observes(60, read(60, ProviderStatus::Expired).paid("40")),
            Told {
                received: "40",
                difference: Some("-60"),
                held: Some("40"),
                to_settle: ToSettle::LateFunds,
                ..NOTHING
            },
        ),
        // Sold, it says, and nothing that was received.
        (
            ended(ProviderStatus::Executed, "0"),
            Told { difference: Some("-100"), to_settle: ToSettle::FundsUnclear, ..NOTHING },
        ),
    ] {
        let books = Books::of(&story.order);
        let sums = [
            (Some(books.pay_received), Some(told.received)),
            (books.pay_difference, told.difference),
            (books.pay_held, told.held),
            (books.settle_executed, told.executed),
            (books.settle_difference, told.settle_difference),
        ];
        for (sum, text) in sums {
            assert_eq!(sum.map(|sum| sum.to_string()).as_deref(), text, "{told:?}: {books:?}");
        }
        assert_eq!(books.to_settle, told.to_settle, "{:?}", story.order.state);
    }
}

#[test]
fn sums_are_exact_and_apart_per_result() {
    let text = |amount: &str| Some(amount.to_owned());
    let mut totals = Totals::default();
    for story in [
        ended(ProviderStatus::Executed, "100.1"),
        ended(ProviderStatus::Executed, "100.2"),
        ended(ProviderStatus::Underpaid, "40"),
        Story::new(),
    ] {
        totals.add(&story.order, &Books::of(&story.order));
    }
    let sums: Vec<_> = totals
        .0
        .iter()
        .map(|(group, sums)| {
            let text =
                |amount: Option<_>| amount.map(|amount: rust_decimal::Decimal| amount.to_string());
            (group.result, sums.orders, text(sums.pay_difference), text(sums.pay_held))
        })
        .collect();
    assert_eq!(
        sums,
        [
            ("executed", 2, text("0.3"), text("0")),
            ("failed", 1, text("-60"), text("40")),
            ("open", 1, text("0"), text("0")),
        ]
    );
}
