//! Faults of calls: each does what it says, on the wire and in the books, and is counted.

use orderkeep_sandbox::{
    CallFault, Endpoint, ErrorCode, FaultScript, GarbageShape, Model, ModelConfig, Outage,
    OutageMode, Reply, Rule, Wire,
};
use uuid::Uuid;

use crate::bench::{Bench, answer, error, fields};

/// A bench, a lock, and the reply to a create struck by a fault.
fn create_with(fault: CallFault) -> (Bench, Uuid, Reply) {
    let rule = Rule::call(Endpoint::Create, fault);
    let mut bench = Bench::with_faults(FaultScript::default().with(rule));
    let lock = bench.lock("840");
    let reply = bench.create(lock);
    (bench, lock, reply)
}

/// Orders made, and the outcome that the ledger has for the create.
fn books(bench: &Bench, lock: Uuid) -> (u64, String) {
    let ledger = bench.model.ledger();
    let outcome = ledger.locks[&lock.to_string()].creates[0].outcome.clone();
    (bench.model.summary().orders, outcome)
}

#[test]
fn an_answer_is_lost_after_the_order_was_made() {
    let (bench, lock, reply) = create_with(CallFault::AnswerLost {});
    assert_eq!(reply.wire, Wire::Closed);
    assert_eq!(books(&bench, lock), (1, "answer_lost".to_owned()));
    assert_eq!(bench.fault_count("create.answer_lost"), 1);
}

#[test]
fn an_answer_hangs_after_the_order_was_made() {
    let (bench, lock, reply) = create_with(CallFault::AnswerHung {});
    assert_eq!(reply.wire, Wire::Silence);
    assert_eq!(books(&bench, lock), (1, "answer_hung".to_owned()));
}

#[test]
fn a_dropped_call_has_no_effect() {
    let (bench, lock, reply) = create_with(CallFault::Dropped {});
    assert_eq!(reply.wire, Wire::Closed);
    assert_eq!(books(&bench, lock), (0, "dropped".to_owned()));
}

#[test]
fn p500_and_p501_come_as_400_before_or_after_the_effect() {
    for (code, name) in [(ErrorCode::P500, "P500"), (ErrorCode::P501, "P501")] {
        let (bench, lock, reply) = create_with(CallFault::ErrorBefore { code });
        assert_eq!(error(reply), (400, name.to_owned()));
        assert_eq!(books(&bench, lock), (0, format!("{}_before", name.to_lowercase())));
        let (bench, lock, reply) = create_with(CallFault::ErrorAfter { code });
        assert_eq!(error(reply), (400, name.to_owned()));
        assert_eq!(books(&bench, lock), (1, format!("{}_after", name.to_lowercase())));
    }
}

#[test]
fn a_denied_call_has_no_effect() {
    let (bench, lock, reply) = create_with(CallFault::Denied {});
    let denied = answer(reply);
    assert_eq!(denied.status, 401);
    assert_eq!(fields(&denied.body)["message"], "Access Denied. xo2");
    assert_eq!(books(&bench, lock), (0, "denied".to_owned()));
}

#[test]
fn a_throttled_call_has_no_effect_and_says_when_to_come_back() {
    let (bench, lock, reply) = create_with(CallFault::Throttled { retry_after_s: 7 });
    let throttled = answer(reply);
    assert_eq!((throttled.status, throttled.retry_after_s), (429, Some(7)));
    assert_eq!(books(&bench, lock), (0, "throttled".to_owned()));
}

#[test]
fn garbage_stands_in_the_place_of_a_success() {
    let (bench, lock, reply) = create_with(CallFault::Garbage { shape: GarbageShape::Empty });
    let garbage = answer(reply);
    assert_eq!((garbage.status, garbage.body.as_str()), (201, ""));
    assert_eq!(books(&bench, lock), (1, "garbage".to_owned()));

    let (bench, lock, reply) = create_with(CallFault::Garbage { shape: GarbageShape::Truncated });
    let garbage = answer(reply);
    assert_eq!(garbage.status, 201);
    assert!(garbage.body.starts_with(r#"{"orderId":""#) && !garbage.body.ends_with('}'));
    assert_eq!(books(&bench, lock).0, 1);

    let (bench, lock, reply) = create_with(CallFault::Garbage { shape: GarbageShape::Html });
    let garbage = answer(reply);
    assert_eq!((garbage.status, garbage.content_type), (201, "text/html"));
    assert!(garbage.body.starts_with("<html>"));
    assert_eq!(books(&bench, lock).0, 1);
}

#[test]
fn a_slow_answer_is_right_and_late() {
    let (bench, lock, reply) = create_with(CallFault::Slow { delay_ms: 2_500 });
    assert_eq!(reply.after_ms, 2_500);
    let order = bench.model.ledger().orders_per_lock[&lock.to_string()][0].clone();
    match reply.wire {
        Wire::Answer(slow) => assert_eq!(fields(&slow.body)["orderId"], order),
        wire @ (Wire::Closed | Wire::Silence | Wire::Refused) => panic!("{wire:?}"),
    }
    assert_eq!(bench.fault_count("create.slow"), 1);
}

#[test]
fn a_stale_read_shows_the_order_as_it_was() {
    let stale = |lag_ms| Rule::call(Endpoint::Details, CallFault::Stale { lag_ms });
    let mut bench = Bench::usual();
    let order = bench.payable();
    bench.wait(1_000);
    bench.pay(order, "1000");
    bench.faults(FaultScript::default().with(stale(500)).with(stale(2_000)).with(stale(60_000)));
    let read = answer(bench.read(order));
    assert_eq!(fields(&read.body)["status"], "WAITING_FOR_PAYMENT");
    // Two seconds ago the address was not there yet.
    let read = answer(bench.read(order));
    assert_eq!(fields(&read.body)["walletAddress"], "null");
    // A minute ago the order was not there at all.
    assert_eq!(error(bench.read(order)), (404, "P463".to_owned()));
    let read = answer(bench.read(order));
    assert_eq!(fields(&read.body)["status"], "WAITING_FOR_CONFIRMATION");
    assert_eq!(bench.fault_count("details.stale"), 3);
}

#[test]
fn endpoints_are_struck_separately() {
    let rule = Rule::call(Endpoint::Lock, CallFault::ErrorBefore { code: ErrorCode::P501 });
    let mut bench = Bench::with_faults(FaultScript::default().with(rule));
    let body = br#"{"currency":"usdc","amount":"346.59","network":"polygon"}"#;
    let lock = orderkeep_sandbox::Request::Lock(body);
    assert_eq!(answer(bench.call(&orderkeep_sandbox::Request::Rates)).status, 200);
    assert_eq!(error(bench.call(&lock)), (400, "P501".to_owned()));
    assert_eq!(answer(bench.call(&lock)).status, 201);
    let calls = bench.model.ledger().calls;
    assert_eq!((calls["lock"].received, calls["lock"].struck, calls["lock"].ok), (2, 1, 1));
    assert_eq!((calls["rates"].received, calls["rates"].struck), (1, 0));
}

#[test]
fn an_outage_of_each_mode_holds_for_its_window() {
    let outage = |from_ms, mode| Outage { from_ms, to_ms: from_ms + 1_000, mode };
    let outages = vec![
        outage(1_000, OutageMode::Http503),
        outage(3_000, OutageMode::Drop),
        outage(5_000, OutageMode::Refuse),
    ];
    let mut bench = Bench::with_faults(FaultScript { outages, ..FaultScript::default() });
    let order = Uuid::nil();
    let met = |bench: &mut Bench| match bench.read(order).wire {
        Wire::Answer(answer) => answer.status.to_string(),
        Wire::Closed => "closed".to_owned(),
        Wire::Silence => "silence".to_owned(),
        Wire::Refused => "refused".to_owned(),
    };
    let mut seen = Vec::new();
    for _ in 0..13 {
        seen.push(met(&mut bench));
        bench.wait(500);
    }
    assert_eq!(
        seen,
        [
            "404", "404", "503", "503", "404", "404", "closed", "closed", "404", "404", "refused",
            "refused", "404"
        ]
    );
    assert_eq!(bench.fault_count("details.outage_http_503"), 2);
    assert_eq!(bench.fault_count("details.outage_drop"), 2);
    assert_eq!(bench.fault_count("details.outage_refuse"), 2);
}

#[test]
fn an_outage_by_hand_starts_at_once_and_leaves_no_effect() {
    let mut bench = Bench::usual();
    let lock = bench.lock("840");
    bench.model.start_outage(bench.now, 1_000, OutageMode::Http503).unwrap();
    assert_eq!(bench.model.outage(bench.now).0, Some(OutageMode::Http503));
    assert_eq!(answer(bench.create(lock)).status, 503);
    assert_eq!(books(&bench, lock), (0, "outage_http_503".to_owned()));
    bench.wait(1_000);
    assert_eq!(answer(bench.create(lock)).status, 201);
}

#[test]
fn a_create_after_an_unclear_one_is_noted() {
    let unclear = [
        CallFault::AnswerLost {},
        CallFault::AnswerHung {},
        CallFault::Dropped {},
        CallFault::ErrorBefore { code: ErrorCode::P500 },
        CallFault::ErrorAfter { code: ErrorCode::P501 },
        CallFault::Garbage { shape: GarbageShape::Empty },
    ];
    for fault in unclear {
        let (mut bench, lock, _) = create_with(fault.clone());
        assert_eq!(bench.model.summary().locks_resent_after_ambiguous, 0, "{fault:?}");
        bench.create(lock);
        assert_eq!(bench.model.summary().locks_resent_after_ambiguous, 1, "{fault:?}");
    }
    for fault in [CallFault::Denied {}, CallFault::Throttled { retry_after_s: 1 }] {
        let (mut bench, lock, _) = create_with(fault.clone());
        bench.create(lock);
        assert_eq!(bench.model.summary().locks_resent_after_ambiguous, 0, "{fault:?}");
    }
}

#[test]
fn a_script_that_makes_no_sense_leaves_the_old_one() {
    let rule = Rule::call(Endpoint::Create, CallFault::Denied {});
    let mut bench = Bench::with_faults(FaultScript::default().with(rule));
    let mut bad = FaultScript::default();
    bad.create.denied = 1_001;
    assert!(bench.model.set_faults(bench.now, bad).is_err());
    let lock = bench.lock("840");
    assert_eq!(answer(bench.create(lock)).status, 401);
}

#[test]
fn a_model_refuses_a_bad_configuration() {
    let config = ModelConfig { lock_status: 418, ..ModelConfig::default() };
    assert_eq!(Model::new(config, 1).unwrap_err().field, "lock_status");
}
