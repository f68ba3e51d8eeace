//! A sample order for every situation, made by living it, and every sample input.

use crate::fixture::*;
use orderkeep_core::{
    AnswerClass, CreateInput, Input, LockId, Observation, ProviderStatus, Resolution, Submit,
    Timestamp, table::Situation,
};

/// When the sample inputs arrive: after every sample order's last event, and before its lock ends.
pub(crate) const NOW: i64 = 200;

/// An order in this situation, by second 100.
pub(crate) fn order_in(situation: Situation) -> Story {
    use ProviderStatus as Says;
    let definite = |code| answered(1, refused(AnswerClass::Definite, Some(code)));
    match situation {
        Situation::NotSent => Story::new(),
        Situation::Held => Story::in_flight().then(2, definite("P403")),
        Situation::InFlight => Story::new().then(NOW - 1, permit()),
        Situation::Unknown => Story::unknown(),
        Situation::PostAgain => Story::unknown().then(3, post_again(lock())),
        Situation::InFlightAgain => {
            Story::unknown().then(3, post_again(lock())).then(NOW - 1, permit())
        }
        Situation::Exposed => Story::unknown().then(3, restored(1)),
        Situation::Relocking => Story::with_relock().then(LOCK_ENDS, Input::Woken),
        Situation::Created => Story::created(),
        Situation::WaitingForWallet => Story::created().read(10, Says::WaitingForWallet),
        Situation::Unpaid => Story::awaiting(),
        Situation::PartlyPaid => {
            Story::awaiting().observes(20, read(20, Says::Confirming).paid("40"))
        }
        Situation::Paid => Story::awaiting().observes(20, read(20, Says::Confirming).paid("100")),
        Situation::Overpaid => {
            Story::awaiting().observes(20, read(20, Says::Confirming).paid("130"))
        }
        Situation::Executed => Story::awaiting().observes(20, read(20, Says::Executed).paid("100")),
        Situation::Reversed => order_in(Situation::Executed)
            .observes(30, read(30, Says::Reversed).paid("100"))
            .then(31, acknowledge(None)),
        Situation::FailedThere => Story::awaiting().read(20, Says::Expired),
        Situation::LockExpired => {
            let mut early = Story::new();
            // The only one whose life is long: told when its lock had ended.
            let _ = early.tell(LOCK_ENDS, &Input::Woken);
            early
        }
        Situation::LockInvalid => Story::in_flight().then(2, definite("P462")),
        Situation::Cancelled => Story::new().then(2, cancel()),
        Situation::UnknownGivenUp => Story::unknown().then(3, resolve(Resolution::NoProviderOrder)),
        Situation::FoundAfter => order_in(Situation::UnknownGivenUp)
            .read(10, Says::WaitingForWallet)
            .then(11, acknowledge(None)),
        Situation::Corrected => order_in(Situation::FailedThere)
            .observes(30, read(30, Says::Executed).paid("100"))
            .then(31, acknowledge(None)),
    }
}

/// When a sample input reaches an order in this situation.
pub(crate) const fn now_in(situation: Situation) -> i64 {
    match situation {
        Situation::LockExpired | Situation::Relocking => LOCK_ENDS + NOW,
        Situation::NotSent
        | Situation::Held
        | Situation::InFlight
        | Situation::Unknown
        | Situation::PostAgain
        | Situation::InFlightAgain
        | Situation::Exposed
        | Situation::Created
        | Situation::WaitingForWallet
        | Situation::Unpaid
        | Situation::PartlyPaid
        | Situation::Paid
        | Situation::Overpaid
        | Situation::Executed
        | Situation::Reversed
        | Situation::FailedThere
        | Situation::LockInvalid
        | Situation::Cancelled
        | Situation::UnknownGivenUp
        | Situation::FoundAfter
        | Situation::Corrected => NOW,
    }
}

/// One sample input: its name, the input, and when it comes.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    pub(crate) input: Input,
    pub(crate) at: Timestamp,
}

/// The attempt that an answer speaks of: the second one where there was a second.
const fn attempt_in(situation: Situation) -> u32 {
    match situation {
        Situation::InFlightAgain => 2,
        Situation::NotSent
        | Situation::Held
        | Situation::InFlight
        | Situation::Unknown
        | Situation::PostAgain
        | Situation::Exposed
        | Situation::Relocking
        | Situation::Created
        | Situation::WaitingForWallet
        | Situation::Unpaid
        | Situation::PartlyPaid
        | Situation::Paid
        | Situation::Overpaid
        | Situation::Executed
        | Situation::Reversed
        | Situation::FailedThere
        | Situation::LockExpired
        | Situation::LockInvalid
        | Situation::Cancelled
        | Situation::UnknownGivenUp
        | Situation::FoundAfter
        | Situation::Corrected => 1,
    }
}

/// Every sample input, in the order of the table.
pub(crate) fn inputs(situation: Situation) -> Vec<Sample> {
    let now = now_in(situation);
    let body = if situation == Situation::Relocking { submit_with_relock() } else { submit() };
    let mut all = commands(body);
    all.extend(create_steps(attempt_in(situation), now));
    all.extend(observations(now));
    all.push(("not found", not_found(ours(), now)));
    let mut samples: Vec<_> =
        all.into_iter().map(|(name, input)| Sample { name, input, at: at(now) }).collect();
    samples.push(Sample { name: "woken early", input: Input::Woken, at: at(now) });
    // A month later: every lock, window, watch and deadline is long over.
    samples.push(Sample { name: "woken late", input: Input::Woken, at: at(30 * 86_400) });
    samples.push(Sample { name: "restored", input: restored(1), at: at(now) });
    samples
}

fn commands(body: Submit) -> Vec<(&'static str, Input)> {
    let mut other_body = body.clone();
    other_body.reference = None;
    let submitting = |submit| Input::Command(orderkeep_core::Command::Submit(Box::new(submit)));
    vec![
        ("submit, same body", submitting(body)),
        ("submit, other body", submitting(other_body)),
        ("cancel", cancel()),
        ("acknowledge", acknowledge(None)),
        ("resolve: no provider order", resolve(Resolution::NoProviderOrder)),
        ("adopt ours", adopt(ours())),
        ("adopt another", adopt(other())),
        ("retry", retry()),
        ("post again", post_again(lock())),
        ("post again, wrong lock", post_again(LockId::new("lock-2").unwrap())),
        ("note", note("called them")),
    ]
}

fn create_steps(attempt: u32, now: i64) -> Vec<(&'static str, Input)> {
    let says = |class, code| answered(attempt, refused(class, code));
    vec![
        ("permit", permit()),
        ("answer: accepted", answered(attempt, accepted(ours()))),
        ("answer: accepted as another", answered(attempt, accepted(other()))),
        ("answer: not sent", answered(attempt, not_sent())),
        ("answer: throttled (429)", says(AnswerClass::Throttled, None)),
        ("answer: denied (401)", says(AnswerClass::Denied, None)),
        ("answer: definite (P403)", says(AnswerClass::Definite, Some("P403"))),
        ("answer: lock invalid (P462)", says(AnswerClass::Definite, Some("P462"))),
        ("answer: ambiguous (P500)", says(AnswerClass::Ambiguous, Some("P500"))),
        ("answer: of another attempt", answered(9, not_sent())),
        ("interrupted", Input::Create(CreateInput::Interrupted { attempt })),
        ("fresh lock", locked_again(fresh(now, "104"))),
        ("fresh lock refused", Input::Create(CreateInput::LockRefused { why: "P403".to_owned() })),
    ]
}

fn observations(now: i64) -> Vec<(&'static str, Input)> {
    use ProviderStatus as Says;
    let words = [
        ("claim: waiting for wallet", "read: waiting for wallet", Says::WaitingForWallet),
        ("claim: awaiting payment", "read: awaiting payment", Says::AwaitingPayment),
        ("claim: confirming", "read: confirming", Says::Confirming),
        ("claim: executed", "read: executed", Says::Executed),
        ("claim: expired", "read: expired", Says::Expired),
        ("claim: underpaid", "read: underpaid", Says::Underpaid),
        ("claim: failed", "read: failed", Says::Failed),
        ("claim: reversed", "read: reversed", Says::Reversed),
        ("claim: unknown word", "read: unknown word", unknown_word()),
    ];
    let mut claims = Vec::new();
    let mut reads = Vec::new();
    for (claim_name, read_name, status) in words {
        claims.push((claim_name, Input::Observed(with_money(claim(now, status.clone())))));
        reads.push((read_name, Input::Observed(with_money(read(now, status)))));
    }
    let change = |mut seen: Observation, change: fn(&mut Observation)| {
        change(&mut seen);
        Input::Observed(seen)
    };
    claims.push((
        "claim: another order, our lock",
        change(claim(now, Says::AwaitingPayment), |seen| seen.provider_order = other()),
    ));
    reads.extend([
        ("read: older", Input::Observed(read(1, Says::WaitingForWallet))),
        (
            "read: another order, our lock",
            change(read(now, Says::AwaitingPayment), |seen| seen.provider_order = other()),
        ),
        (
            "read: another order, its lock",
            change(read(now, Says::AwaitingPayment), |seen| {
                seen.provider_order = other();
                seen.lock_id = LockId::new("lock-2").ok();
            }),
        ),
        (
            "read: ours, another lock",
            change(read(now, Says::AwaitingPayment), |seen| {
                seen.lock_id = LockId::new("lock-2").ok();
            }),
        ),
    ]);
    claims.extend(reads);
    claims
}

/// The money that a status usually comes with.
fn with_money(seen: Observation) -> Observation {
    match &seen.status {
        ProviderStatus::Confirming | ProviderStatus::Executed | ProviderStatus::Reversed => {
            seen.paid("100")
        }
        ProviderStatus::Underpaid => seen.paid("40"),
        ProviderStatus::WaitingForWallet
        | ProviderStatus::AwaitingPayment
        | ProviderStatus::Expired
        | ProviderStatus::Failed
        | ProviderStatus::Unknown(_) => seen,
    }
}
