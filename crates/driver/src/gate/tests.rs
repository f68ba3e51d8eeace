//! The budget, under virtual time.

use super::*;

fn budget() -> Budget {
    Budget { per_second: 10.0, burst: 2, concurrent: 4, failures_to_open: 2, ..Budget::default() }
}

fn failure(class: FailureClass) -> Result<(), CallError> {
    Err(CallError { class, code: None, status: None, why: String::new(), retry_after: None })
}

fn running(budget: Budget) -> Arc<Gate> {
    let gate = Gate::new(budget);
    tokio::spawn(Arc::clone(&gate).run(CancellationToken::new()));
    gate
}

const FAR: Timestamp = Timestamp::from_micros(i64::MAX);

#[tokio::test(start_paused = true)]
async fn keeps_to_the_rate_after_the_burst() {
    let gate = running(budget());
    let start = Instant::now();
    let mut times = Vec::new();
    for _ in 0..6 {
        gate.permit(Purpose::Read, FAR).await.unwrap().report(&Ok(()));
        times.push(start.elapsed().as_millis());
    }
    // Two at once and the one that is due, then one every 100 ms.
    assert_eq!(times, [0, 0, 0, 100, 200, 300]);
}

#[tokio::test(start_paused = true)]
async fn the_oldest_deadline_goes_first() {
    let gate = running(Budget { concurrent: 1, ..budget() });
    let held = gate.permit(Purpose::Read, FAR).await.unwrap();
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = Vec::new();
    for deadline in [30, 10, 20] {
        let (gate, order) = (Arc::clone(&gate), Arc::clone(&order));
        tasks.push(tokio::spawn(async move {
            let permit =
                gate.permit(Purpose::Read, Timestamp::from_micros(deadline)).await.unwrap();
            order.lock().unwrap().push(deadline);
            drop(permit);
        }));
    }
    while gate.waiting() < 3 {
        tokio::task::yield_now().await;
    }
    drop(held);
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(*order.lock().unwrap(), [10, 20, 30]);
}

#[tokio::test(start_paused = true)]
async fn opens_after_failures_and_lets_one_safe_call_try() {
    let gate = running(budget());
    for _ in 0..2 {
        gate.permit(Purpose::Read, FAR).await.unwrap().report(&failure(FailureClass::Ambiguous));
    }
    assert_eq!(gate.state(), GateState::Down);
    let start = Instant::now();
    let create = tokio::spawn({
        let gate = Arc::clone(&gate);
        async move {
            gate.permit(Purpose::Create, Timestamp::from_micros(0)).await.map(|_| Instant::now())
        }
    });
    while gate.waiting() < 1 {
        tokio::task::yield_now().await;
    }
    // The read came later and has a later deadline, but it is the one that tries.
    let read = gate.permit(Purpose::Read, FAR).await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 1);
    assert!(!create.is_finished());
    read.report(&Ok(()));
    create.await.unwrap().unwrap();
    assert_eq!(gate.state(), GateState::Flowing);
}

#[tokio::test(start_paused = true)]
async fn stays_open_longer_each_time() {
    let gate = running(budget());
    for _ in 0..2 {
        gate.permit(Purpose::Read, FAR).await.unwrap().report(&failure(FailureClass::NotSent));
    }
    let mut waits = Vec::new();
    for _ in 0..7 {
        let start = Instant::now();
        gate.permit(Purpose::Read, FAR).await.unwrap().report(&failure(FailureClass::Ambiguous));
        waits.push(start.elapsed().as_secs());
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_credential_stops_everything() {
    let gate = running(budget());
    gate.permit(Purpose::Read, FAR).await.unwrap().report(&failure(FailureClass::Denied));
    assert_eq!(gate.state(), GateState::Denied);
    let start = Instant::now();
    gate.permit(Purpose::Create, FAR).await.unwrap().report(&Ok(()));
    assert_eq!(start.elapsed().as_secs(), 60);
    assert_eq!(gate.state(), GateState::Flowing);
}

/// By whatever stands before the provider: the call may have had an effect, and no other is worth making.
#[tokio::test(start_paused = true)]
async fn a_403_stops_everything_whatever_came_of_its_call() {
    for class in [FailureClass::Ambiguous, FailureClass::Definite, FailureClass::Denied] {
        for status in [401, 403] {
            let gate = running(budget());
            let mut forbidden = failure(class);
            forbidden.as_mut().unwrap_err().status = Some(status);
            gate.permit(Purpose::Read, FAR).await.unwrap().report(&forbidden);
            assert_eq!(gate.state(), GateState::Denied, "{class:?} {status}");
            assert!(!gate.answers());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn waits_as_long_as_it_is_asked_to() {
    let gate = running(budget());
    let asked: Result<(), CallError> = Err(CallError {
        class: FailureClass::Throttled,
        code: None,
        status: Some(429),
        why: String::new(),
        retry_after: Some(Duration::from_secs(7)),
    });
    gate.permit(Purpose::Read, FAR).await.unwrap().report(&asked);
    assert_eq!(gate.state(), GateState::Throttled);
    let start = Instant::now();
    drop(gate.permit(Purpose::Read, FAR).await.unwrap());
    assert_eq!(start.elapsed().as_secs(), 7);
}

#[tokio::test(start_paused = true)]
async fn parked_calls_get_a_share_only() {
    let gate = running(Budget { burst: 100, ..budget() });
    let first = gate.permit(Purpose::Parked, FAR).await.unwrap();
    let second = tokio::spawn({
        let gate = Arc::clone(&gate);
        async move { gate.permit(Purpose::Parked, Timestamp::from_micros(0)).await }
    });
    while gate.waiting() < 1 {
        tokio::task::yield_now().await;
    }
    // Others pass it by.
    drop(gate.permit(Purpose::Read, FAR).await.unwrap());
    assert!(!second.is_finished());
    drop(first);
    assert!(second.await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn creates_go_first_and_never_starve_reads() {
    let gate = running(Budget { concurrent: 1, burst: 100, ..budget() });
    let held = gate.permit(Purpose::Read, FAR).await.unwrap();
    let went = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = Vec::new();
    // All reads have older deadlines than all creates.
    for (purpose, deadline) in [
        (Purpose::Read, 1),
        (Purpose::Read, 2),
        (Purpose::Create, 1_001),
        (Purpose::Create, 1_002),
        (Purpose::Create, 1_003),
    ] {
        let (gate, went) = (Arc::clone(&gate), Arc::clone(&went));
        tasks.push(tokio::spawn(async move {
            let permit = gate.permit(purpose, Timestamp::from_micros(deadline)).await.unwrap();
            went.lock().unwrap().push(deadline);
            drop(permit);
        }));
    }
    while gate.waiting() < 5 {
        tokio::task::yield_now().await;
    }
    drop(held);
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(*went.lock().unwrap(), [1_001, 1, 1_002, 2, 1_003]);
}

#[tokio::test(start_paused = true)]
async fn parked_calls_keep_to_their_share_of_the_rate() {
    // Ten a second in all, so two and a half for what is parked, after one ahead of its time.
    let gate = running(Budget { concurrent: 100, burst: 1, ..budget() });
    let start = Instant::now();
    let mut times = Vec::new();
    for _ in 0..6 {
        gate.permit(Purpose::Parked, FAR).await.unwrap().report(&Ok(()));
        times.push(start.elapsed().as_millis());
    }
    assert_eq!(times, [0, 0, 400, 800, 1_200, 1_600]);
}

/// What they may be ahead of their time is their share of the burst, and no more.
#[tokio::test(start_paused = true)]
async fn parked_calls_get_their_share_of_the_burst() {
    let gate = running(Budget { concurrent: 100, burst: 8, ..budget() });
    let start = Instant::now();
    let mut times = Vec::new();
    for _ in 0..6 {
        gate.permit(Purpose::Parked, FAR).await.unwrap().report(&Ok(()));
        times.push(start.elapsed().as_millis());
    }
    assert_eq!(times, [0, 0, 0, 400, 800, 1_200]);
}

#[tokio::test(start_paused = true)]
async fn late_failures_of_older_calls_start_no_second_probe() {
    let gate = running(budget());
    let older = gate.permit(Purpose::Read, FAR).await.unwrap();
    let oldest = gate.permit(Purpose::Read, FAR).await.unwrap();
    for _ in 0..2 {
        gate.permit(Purpose::Read, FAR).await.unwrap().report(&failure(FailureClass::NotSent));
    }
    let probe = gate.permit(Purpose::Read, FAR).await.unwrap();
    let start = Instant::now();
    let next = tokio::spawn({
        let gate = Arc::clone(&gate);
        async move { gate.permit(Purpose::Read, FAR).await.map(|_| start.elapsed().as_secs()) }
    });
    while gate.waiting() < 1 {
        tokio::task::yield_now().await;
    }
    older.report(&failure(FailureClass::Ambiguous));
    drop(oldest);
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert!(!next.is_finished(), "one call tries at a time");
    probe.report(&Ok(()));
    assert_eq!(next.await.unwrap(), Some(20));
}

#[tokio::test(start_paused = true)]
async fn a_refused_credential_stays_refused_until_a_call_shows_otherwise() {
    let gate = running(budget());
    gate.permit(Purpose::Read, FAR).await.unwrap().report(&failure(FailureClass::Denied));
    let start = Instant::now();
    gate.permit(Purpose::Read, FAR).await.unwrap().report(&failure(FailureClass::Ambiguous));
    assert_eq!(gate.state(), GateState::Denied);
    gate.permit(Purpose::Read, FAR).await.unwrap().report(&Ok(()));
    assert_eq!((start.elapsed().as_secs(), gate.state()), (120, GateState::Flowing));
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_after_the_stop_is_sent_home() {
    let gate = Gate::new(budget());
    let stop = CancellationToken::new();
    let run = tokio::spawn(Arc::clone(&gate).run(stop.clone()));
    stop.cancel();
    run.await.unwrap();
    let late = tokio::time::timeout(Duration::from_secs(60), gate.permit(Purpose::Read, FAR));
    assert!(late.await.expect("nobody waits for a stopped engine").is_none());
}

/// Calls that are wanted by the same moment are calls of their own.
#[tokio::test(start_paused = true)]
async fn nobody_takes_the_place_of_another_with_the_same_deadline() {
    let gate = running(Budget { concurrent: 1, ..budget() });
    let held = gate.permit(Purpose::Read, FAR).await.unwrap();
    let deadline = Timestamp::from_micros(10);
    let waits = [(); 3].map(|()| {
        let gate = Arc::clone(&gate);
        tokio::spawn(async move { gate.permit(Purpose::Read, deadline).await.is_some() })
    });
    while gate.waiting() < 3 {
        tokio::task::yield_now().await;
    }
    drop(held);
    for wait in waits {
        assert!(wait.await.unwrap());
    }
}

/// A wait that the provider asks for is believed up to a quarter of an hour.
#[tokio::test(start_paused = true)]
async fn no_answer_silences_the_engine_for_hours() {
    for (asked, waited) in [(600, 600), (900, 900), (86_400, 900)] {
        let gate = running(budget());
        let mut throttled = failure(FailureClass::Throttled);
        if let Err(error) = &mut throttled {
            error.retry_after = Some(Duration::from_secs(asked));
        }
        gate.permit(Purpose::Read, FAR).await.unwrap().report(&throttled);
        let start = Instant::now();
        drop(gate.permit(Purpose::Read, FAR).await.unwrap());
        assert_eq!(start.elapsed().as_secs(), waited, "{asked}");
    }
}
