//! The words that records, tables and answers use: other programs read them, so they are pinned as literal data.

use crate::fixture::*;
use orderkeep_core::{
    AnswerClass, Cause, CreateInput, CreateVerdict, Disposition, FailReason, Funds, Input,
    PaymentKind, ProviderStatus, Resolution, retry::AnswerTable, table::input_word,
};

#[test]
fn ends_and_payments_have_their_words() {
    let reasons = [
        (FailReason::LockExpired, "lock_expired"),
        (FailReason::LockInvalid, "lock_invalid"),
        (FailReason::Cancelled, "cancelled"),
        (FailReason::UnknownCreate, "unknown_create"),
        (FailReason::Expired, "expired"),
        (FailReason::Underpaid, "underpaid"),
        (FailReason::Provider("ODD".to_owned()), "provider"),
    ];
    for (reason, word) in reasons {
        assert_eq!(reason.name(), word);
    }
    let funds = [
        (Funds::None, "none"),
        (Funds::Held(exact("1")), "held"),
        (Funds::Settled, "settled"),
        (Funds::Unclear, "unclear"),
    ];
    for (funds, word) in funds {
        assert_eq!(funds.name(), word);
    }
    let kinds = [
        (PaymentKind::None, "none"),
        (PaymentKind::Partial { missing: exact("1") }, "partial"),
        (PaymentKind::Exact, "exact"),
        (PaymentKind::Over { excess: exact("1") }, "over"),
    ];
    for (kind, word) in kinds {
        assert_eq!(kind.name(), word);
    }
}

#[test]
fn how_an_input_ended_is_told_with_its_reason() {
    let told = [
        (Disposition::Applied, "applied"),
        (Disposition::Duplicate, "duplicate"),
        (Disposition::Stale, "stale"),
        (Disposition::AwaitingConfirmation, "awaiting confirmation"),
        (Disposition::Parked("no order yet".to_owned()), "parked: no order yet"),
        (Disposition::Quarantined("no JSON".to_owned()), "quarantined: no JSON"),
    ];
    for (disposition, words) in told {
        assert_eq!(disposition.describe(), words);
    }
}

#[test]
fn causes_have_their_words() {
    let causes = [
        (Cause::Submit, "submit"),
        (Cause::Command(author()), "command"),
        (Cause::Create, "create"),
        (Cause::Webhook, "webhook"),
        (Cause::Read, "read"),
        (Cause::Clock, "clock"),
    ];
    for (cause, word) in causes {
        assert_eq!(<&'static str>::from(&cause), word);
    }
}

#[test]
fn inputs_have_their_words_for_metrics_and_for_the_table() {
    let says = |class| answered(1, refused(class, None));
    let inputs = [
        (Input::Command(orderkeep_core::Command::Submit(Box::new(submit()))), "submit", "submit"),
        (cancel(), "cancel", "cancel"),
        (resolve(Resolution::NoProviderOrder), "resolve", "resolve"),
        (adopt(ours()), "adopt", "adopt"),
        (retry(), "retry", "retry"),
        (post_again(lock()), "post_again", "post again"),
        (note("x"), "note", "note"),
        (permit(), "create_permit", "permit"),
        (answered(1, accepted(ours())), "create_answered", "answer: accepted"),
        (answered(1, not_sent()), "create_answered", "answer: not sent"),
        (says(AnswerClass::Definite), "create_answered", "answer: definite"),
        (says(AnswerClass::Ambiguous), "create_answered", "answer: ambiguous"),
        (says(AnswerClass::Throttled), "create_answered", "answer: throttled"),
        (says(AnswerClass::Denied), "create_answered", "answer: denied"),
        (
            Input::Create(CreateInput::Interrupted { attempt: 1 }),
            "create_interrupted",
            "interrupted",
        ),
        (not_found(ours(), 1), "not_found", "not found"),
        (Input::Woken, "woken", "woken"),
    ];
    for (input, name, word) in inputs {
        assert_eq!((input.name(), input_word(&input)), (name, word));
    }
    let statuses = [
        (ProviderStatus::WaitingForWallet, "waiting for wallet"),
        (ProviderStatus::AwaitingPayment, "awaiting payment"),
        (ProviderStatus::Confirming, "confirming"),
        (ProviderStatus::Executed, "executed"),
        (ProviderStatus::Expired, "expired"),
        (ProviderStatus::Underpaid, "underpaid"),
        (ProviderStatus::Failed, "failed"),
        (ProviderStatus::Reversed, "reversed"),
        (unknown_word(), "unknown word"),
    ];
    for (status, word) in statuses {
        for (seen, how) in [(claim(1, status.clone()), "claim"), (read(1, status), "read")] {
            let input = Input::Observed(seen);
            assert_eq!(
                (input.name(), input_word(&input)),
                ("observed", &*format!("{how}: {word}"))
            );
        }
    }
}

#[test]
fn the_listed_codes_are_the_documented_ones() {
    let table = AnswerTable::default();
    let codes: Vec<_> = table.codes().collect();
    assert_eq!(codes, [("P403", CreateVerdict::Hold), ("P462", CreateVerdict::LockInvalid)]);
}

#[test]
fn amounts_and_times_are_shown_in_messages_as_they_are() {
    assert_eq!(format!("{:?}", exact("1.50")), "1.50");
    assert_eq!(format!("{:?}", at(0)), "2026-03-01T12:00:00Z");
}

#[test]
fn an_amount_that_cannot_be_kept_is_told_why() {
    let why = |text: &str| text.parse::<orderkeep_core::Exact>().unwrap_err().to_string();
    let longest = format!("{}1", "0".repeat(63));
    assert_eq!(longest.parse::<orderkeep_core::Exact>().unwrap(), exact("1"));
    assert!(why(&format!("0{longest}")).ends_with("it has more digits than any amount needs"));
    assert!(why(&"1".repeat(200)).ends_with("it has more digits than any amount needs"));
    for text in ["+1", ".5", "e5", "1,5", "1 5", "x", "٣"] {
        assert!(why(text).ends_with("write digits with a point, like 346.59"), "{text}");
    }
    assert!(why("-1").ends_with("it is negative"));
}
