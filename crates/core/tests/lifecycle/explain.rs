//! An explanation for every situation; and the commands that it offers are taken.

mod page;

use std::collections::BTreeSet;

use orderkeep_core::{
    AnswerClass, Calls, Command, EventRecord, Explanation, Input, Outcome, Outlook, ProviderStatus,
    Refusal, Resolution, Review, ReviewReason, explain::commands, table::Situation,
};

use crate::{
    fixture::*,
    samples::{inputs, now_in, order_in},
};

fn explained(story: &Story, seconds: i64, calls: Calls) -> Explanation {
    let history: Vec<(u64, EventRecord)> = (1..).zip(story.history.iter().cloned()).collect();
    let now = at(seconds);
    let wake_up = story.order.wake_up(now, &story.policy).map(|wake_up| wake_up.at);
    story.order.explain(&history, Outlook { wake_up, calls }, now, &story.policy)
}

fn says(sentences: &[String], words: &str) {
    assert!(
        sentences.iter().any(|said| said.contains(words)),
        "`{words}` is not in {sentences:#?}"
    );
}

#[test]
fn every_situation_is_explained_from_its_evidence() {
    for situation in Situation::ALL {
        let story = order_in(situation);
        let said = explained(&story, now_in(situation), Calls::Flowing);
        assert_eq!(said.situation, situation.words());
        assert!(!said.why.is_empty() && !said.next.is_empty(), "{situation:?}");
        assert_eq!(said.evidence.len(), story.history.len(), "{situation:?}");
        for sentence in said.why.iter().chain(&said.next) {
            assert!(sentence.ends_with('.'), "{situation:?}: {sentence}");
        }
    }
}

#[test]
fn an_unknown_create_is_told_whole() {
    let story = Story::unknown();
    let said = explained(&story, 62, Calls::Flowing);
    says(
        &said.why,
        "Nobody knows since 2026-03-01T12:00:02Z (1 min 0 s ago) what came of create attempt 1: refused with no code.",
    );
    says(&said.next, "A person is asked at 2026-03-01T12:05:02Z (in 4 min 0 s).");
    // The lock ends at 900 s, and an order of it can live 7,200 s more.
    says(&said.next, "fails as `unknown_create` at 2026-03-01T14:15:00Z");
    let mut without_window = story.clone();
    without_window.policy.provider_order_window = None;
    says(
        &explained(&without_window, 62, Calls::Flowing).next,
        "`policy.provider_order_window` is not set",
    );
    assert_eq!(said.evidence[1].said, "Create, attempt 1: on record before it was sent.");
}

#[test]
fn a_provider_that_cannot_be_asked_is_named() {
    let story = Story::awaiting();
    for (calls, words) in [
        (Calls::Down, "no deadline decides anything"),
        (Calls::Denied, "Replace the key and restart"),
        (Calls::Throttled, "asked to wait"),
        (Calls::NoAccount, "`default` is not configured"),
    ] {
        says(&explained(&story, 20, calls).next, words);
    }
}

/// A read that is due is being made; it is not told as one to come, nor one to come as made.
#[test]
fn the_next_read_is_told_by_its_time() {
    let story = Story::awaiting();
    let told = |wake_up| {
        let outlook = Outlook { wake_up, calls: Calls::Flowing };
        story.order.explain(&[], outlook, at(20), &story.policy).next
    };
    says(&told(Some(at(21))), "is read at 2026-03-01T12:00:21Z (in 1 s)");
    for due in [at(20), at(19)] {
        says(&told(Some(due)), "is being read, or waits for its turn");
    }
    says(&told(None), "No read is planned");
}

/// An order that has ended is read until its watch is over, and not after.
#[test]
fn how_long_an_ended_order_is_listened_to_is_told() {
    let story = order_in(Situation::Executed);
    let ends = 20 + i64::try_from(story.policy.watch_after_end.as_secs()).unwrap();
    says(&explained(&story, ends - 1, Calls::Flowing).next, "It is listened to until");
    for over in [ends, ends + 1] {
        says(&explained(&story, over, Calls::Flowing).next, "nothing more is read");
    }
}

#[test]
fn what_is_due_is_told_as_due_and_not_as_to_come() {
    says(
        &explained(&Story::new(), 0, Calls::Flowing).next,
        "as soon as the request budget has room",
    );
    let asked = |seconds| {
        let next = explained(&Story::unknown(), seconds, Calls::Flowing).next;
        next.iter().any(|said| said.starts_with("A person is asked at"))
    };
    assert_eq!([301, 302].map(asked), [true, false]);
}

#[test]
fn that_somebody_wants_it_to_end_is_told_until_it_has() {
    let wished = Story::awaiting().then(20, cancel());
    let told = |story: &Story| {
        let why = explained(story, 60, Calls::Flowing).why;
        why.iter().any(|said| said.contains("wants it to end"))
    };
    let ended = wished.clone().read(30, ProviderStatus::Expired);
    assert!(ended.name().is_end());
    assert_eq!([told(&wished), told(&ended)], [true, false]);
}

#[test]
fn who_asked_and_why_is_kept_and_told() {
    let command = Command::Cancel { author: author(), reason: Some("the payer left".to_owned()) };
    let story = Story::created().then(20, Input::Command(command));
    let cause = &story.history.last().unwrap().cause;
    assert_eq!((cause.author(), cause.reason()), (Some(&author()), Some("the payer left")));
    let said = explained(&story, 30, Calls::Flowing);
    let last = said.evidence.last().unwrap();
    assert_eq!((last.cause, last.author.as_ref()), ("command", Some(&author())));
    assert!(last.said.ends_with("Reason given: the payer left"), "{}", last.said);
}

#[test]
fn a_reason_needs_words_and_has_a_bound() {
    for reason in [String::new(), "  ".to_owned(), "x".repeat(2_001)] {
        let command = Command::Retry { author: author(), reason: Some(reason) };
        let mut story = Story::awaiting();
        let outcome = story.tell(20, &Input::Command(command));
        assert!(matches!(outcome, Outcome::Refused(Refusal::BadText(_))), "{outcome:?}");
    }
}

/// The input of an offered command line.
fn input_of(line: &str) -> Input {
    let words: Vec<&str> = line.split_whitespace().collect();
    let after = |flag: &str| {
        let place = words.iter().position(|word| *word == flag)?;
        words.get(place + 1).copied()
    };
    match words[2] {
        "cancel" => cancel(),
        "retry" => retry(),
        "adopt" => adopt(ours()),
        "post-again" => post_again(after("--lock-id").unwrap().parse().unwrap()),
        "resolve" if line.contains("--no-provider-order") => resolve(Resolution::NoProviderOrder),
        "resolve" => acknowledge(Some(after("--review").unwrap().parse().unwrap())),
        verb => panic!("{verb} in {line}"),
    }
}

/// Every open question of every order that one more input makes of every sample: what is offered is taken.
#[test]
fn the_commands_that_are_offered_are_taken() {
    let mut asked = BTreeSet::new();
    let mut tried = 0;
    for situation in Situation::ALL {
        let story = order_in(situation);
        for sample in inputs(situation) {
            let mut story = story.clone();
            if let Outcome::Moved(step) = story.order.step(&sample.input, sample.at, &story.policy)
            {
                story.order = step.next;
            }
            for review in story.order.open_reviews() {
                asked.insert(review.reason);
                let offered = commands(&story.order, review);
                assert!(!offered.is_empty(), "{situation:?} {review:?}");
                for line in offered {
                    assert!(line.contains(&story.order.id.to_string()), "{line}");
                    // What is offered may come too late when time has gone on.
                    if sample.name == "woken late" {
                        continue;
                    }
                    let outcome = story.order.step(&input_of(&line), sample.at, &story.policy);
                    assert!(
                        !matches!(outcome, Outcome::Refused(_)),
                        "{situation:?}, {}: {line}: {outcome:?}",
                        sample.name
                    );
                    tried += 1;
                }
            }
        }
    }
    assert!(asked.len() >= 9 && tried > 100, "{tried} of {asked:?}");
}

/// A question can outlive the state that it was asked in; then what that state would have taken is not offered any more.
#[test]
fn what_is_offered_is_what_the_state_takes() {
    use ReviewReason as Asked;
    let verbs = |story: &Story, reason| {
        let review = Review { reason, detail: String::new(), since: at(0), settled: None };
        let offered = commands(&story.order, &review);
        let words: Vec<_> = offered.iter().map(|line| line.split(' ').nth(2).unwrap()).collect();
        words.join(" ")
    };
    let (locked, payable) = (Story::unknown(), Story::awaiting());
    let ended = order_in(Situation::Executed);
    for reason in Asked::ALL {
        let [in_lock, in_payment, in_end] = match reason {
            Asked::UnknownCreate => ["adopt resolve post-again", "resolve", "resolve"],
            Asked::ExposurePossible => ["adopt resolve resolve", "resolve", "resolve"],
            Asked::CreateRefused => ["retry cancel", "resolve", "resolve"],
            Asked::RelockLate => ["cancel resolve", "resolve", "resolve"],
            Asked::AdoptionRefused => ["adopt resolve", "resolve", "resolve"],
            Asked::TermsMismatch => ["resolve cancel", "resolve cancel", "resolve"],
            Asked::WalletLate
            | Asked::PaymentStuck
            | Asked::Overdue
            | Asked::UnknownStatus
            | Asked::ProviderLostOrder
            | Asked::UnreadSinceRestore => ["retry resolve"; 3],
            Asked::UnexpectedProviderOrder
            | Asked::SecondProviderOrder
            | Asked::AddressChanged
            | Asked::LockChanged
            | Asked::FundsOnFailed
            | Asked::LateFunds
            | Asked::Reversed
            | Asked::Corrected
            | Asked::Rebuilt
            | Asked::ExecutedAmount => ["resolve"; 3],
        };
        let found = [&locked, &payable, &ended].map(|story| verbs(story, reason));
        assert_eq!(found, [in_lock, in_payment, in_end], "{reason:?}");
    }
}

#[test]
fn a_question_is_called_as_json_calls_it() {
    for reason in ReviewReason::ALL {
        assert_eq!(serde_json::to_value(reason).unwrap(), reason.name());
        assert_eq!(reason.name().parse(), Ok(reason));
    }
    let error = "late".parse::<ReviewReason>().unwrap_err().to_string();
    assert!(error.starts_with("`late` is no question; there are unknown_create, "), "{error}");
}

#[test]
fn a_refused_create_can_be_tried_again_or_cancelled() {
    let held =
        Story::in_flight().then(2, answered(1, refused(AnswerClass::Definite, Some("P403"))));
    let said = explained(&held, 10, Calls::Flowing);
    says(
        &said.next,
        "Unless a person retries it, it fails as `lock_expired` at 2026-03-01T12:14:58Z (in 14 min 48 s), 2 s before its lock ends.",
    );
    let commands = &said.questions[0].commands;
    assert!(
        commands[0].starts_with("orderkeep orders retry ") && commands[1].contains(" cancel "),
        "{commands:?}"
    );
}

#[test]
fn an_address_that_is_withheld_says_why() {
    let mut seen = read(10, ProviderStatus::AwaitingPayment);
    seen.required = Some(exact("101"));
    let story = Story::created().observes(10, seen);
    says(
        &explained(&story, 11, Calls::Flowing).why,
        "not shown the address while this is open: terms_mismatch",
    );
}
