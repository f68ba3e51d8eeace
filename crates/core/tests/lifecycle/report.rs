//! What the books are told of orders, as literal sums.

use orderkeep_core::{
    ProviderStatus,
    report::{Books, ToSettle, Totals},
};

use crate::fixture::{PAY_BY, Paid as _, Story, read};

/// Received, received less locked, held, sold at the locked rate, and what is left to do.
fn told(story: &Story) -> (String, Option<String>, Option<String>, Option<String>, ToSettle) {
    let books = Books::of(&story.order);
    (
        books.pay_received.to_string(),
        books.pay_difference.map(|amount| amount.to_string()),
        books.pay_held.map(|amount| amount.to_string()),
        books.settle_executed.map(|amount| amount.to_string()),
        books.to_settle,
    )
}

fn ended(status: ProviderStatus, paid: &str) -> Story {
    Story::awaiting().observes(30, read(30, status).paid(paid))
}

#[test]
fn each_end_says_what_is_left_to_settle() {
    let text = |amount: &str| Some(amount.to_owned());
    for (story, received, difference, held, executed, to_settle) in [
        (Story::new(), "0", None, None, None, ToSettle::Open),
        (Story::awaiting(), "0", None, None, None, ToSettle::Open),
        (
            ended(ProviderStatus::Executed, "100"),
            "100",
            text("0"),
            None,
            text("84"),
            ToSettle::Nothing,
        ),
        (
            ended(ProviderStatus::Executed, "100.5"),
            "100.5",
            text("0.5"),
            None,
            text("84.42"),
            ToSettle::SoldMore,
        ),
        (
            ended(ProviderStatus::Underpaid, "40"),
            "40",
            text("-60"),
            text("40"),
            None,
            ToSettle::FundsHeld,
        ),
        (
            Story::awaiting().read(PAY_BY + 60, ProviderStatus::Expired),
            "0",
            None,
            None,
            None,
            ToSettle::Nothing,
        ),
    ] {
        let wanted = (received.to_owned(), difference, held, executed, to_settle);
        assert_eq!(told(&story), wanted, "{:?}", story.order.state);
    }
}

#[test]
fn sums_are_exact_and_apart_per_result() {
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
    let text = |amount: &str| Some(amount.to_owned());
    assert_eq!(
        sums,
        [
            ("executed", 2, text("0.3"), text("0")),
            ("failed", 1, text("-60"), text("40")),
            ("open", 1, text("0"), text("0")),
        ]
    );
}
