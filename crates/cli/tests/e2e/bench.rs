//! The benchmarks run, and say what they promise to say. How fast anything is, is no test's business.

use serde_json::Value;

use crate::stage::orderkeep;

/// The lines of JSON that a benchmark prints.
fn bench(args: &[&str]) -> Vec<Value> {
    let output = orderkeep().arg("bench").args(args).args(["--output", "json"]).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let stdout = String::from_utf8(output.stdout).unwrap();
    stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_store_is_measured_beside_the_raw_log() {
    let lines = bench(&["store", "--inflight", "1,8", "--orders", "20", "--seconds-max", "60"]);
    let measured: Vec<_> = lines
        .iter()
        .map(|line| (line["store"].as_str().unwrap(), line["inflight"].as_u64().unwrap()))
        .collect();
    let stores = ["raw", "sled", "redb", "redb-plain"];
    let expected: Vec<_> =
        [1, 8].into_iter().flat_map(|inflight| stores.map(|store| (store, inflight))).collect();
    assert_eq!(measured, expected);
    for line in &lines {
        assert_eq!(line["orders"], 20, "{line}");
        for figure in [
            "transitions_per_s",
            "ratio_to_raw",
            "fdatasync_us",
            "commit_p50_us",
            "commit_p99_us",
            "cpu_us_per_transition",
            "bytes_per_order",
            "evidence_bytes_per_order",
            "rss_mb",
        ] {
            assert!(line[figure].is_number(), "no {figure} in {line}");
        }
        let evidence = line["evidence_bytes_per_order"].as_f64().unwrap();
        // The plain layout keeps nothing of a webhook that is worked off.
        let kept = if line["store"] == "redb-plain" { 0.0..0.1 } else { 100.0..2_000.0 };
        assert!(kept.contains(&evidence), "three webhooks: {line}");
        assert!(line["transitions_per_s"].as_f64().unwrap() > 1.0, "{line}");
        assert!(line["commit_p99_us"].as_u64() >= line["commit_p50_us"].as_u64(), "{line}");
    }
    let raw = lines.iter().find(|line| line["store"] == "raw").unwrap();
    assert_eq!(raw["ratio_to_raw"], 1.0);
}

#[test]
fn parked_orders_are_found_and_the_one_that_is_due_is_acted_on() {
    let lines = bench(&["parked", "--orders", "200"]);
    let [line] = &lines[..] else { panic!("one line: {lines:?}") };
    assert_eq!(line["orders"], 200);
    for figure in
        ["rss_bytes_per_order", "open_cold_s", "first_due_s", "lookup_p50_us", "bytes_per_order"]
    {
        assert!(line[figure].is_number(), "no {figure} in {line}");
    }
    assert!(line["first_due_s"].as_f64() >= line["open_cold_s"].as_f64(), "{line}");
}

#[test]
fn nothing_can_be_measured_with_nothing_in_flight() {
    let output = orderkeep().args(["bench", "store", "--inflight", "0"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn whole_orders_are_measured_beside_a_service_that_keeps_nothing() {
    let lines = bench(&["engine", "--orders", "20", "--inflight", "4", "--rounds", "2"]);
    let [null, engine] = &lines[..] else { panic!("two lines: {lines:?}") };
    assert_eq!((&null["arm"], &engine["arm"]), (&"null".into(), &"engine".into()));
    for line in [null, engine] {
        assert_eq!(
            (&line["orders"], &line["duplicate_creates"]),
            (&20.into(), &0.into()),
            "{line}"
        );
        for figure in ["orders_per_s", "ratio_to_null", "engine_cpu_s_per_1000", "p50_ms", "p99_ms"]
        {
            assert!(line[figure].is_number(), "no {figure} in {line}");
        }
        assert!(line["p50_ms"].as_f64().unwrap() >= 140.0, "the provider alone takes that: {line}");
    }
    assert_eq!(null["ratio_to_null"], 1.0);
    let rounds = engine["rounds"].as_array().unwrap();
    let ratio = |round: &Value| round["ratio_to_null"].as_f64().unwrap();
    let middle = rounds.iter().map(ratio).sum::<f64>() / 2.0;
    assert_eq!(rounds.len(), 2);
    assert!((ratio(engine) - middle).abs() < 1e-9, "the median of two is their middle: {engine}");
    assert!(engine["webhook_ack_p99_us"].as_u64().unwrap() > 0, "{engine}");
}

#[test]
fn the_provider_is_read_before_a_webhook_is_believed() {
    let reads = |args: &[&str]| {
        let all =
            [&["engine", "--null", "--orders", "10", "--inflight", "2", "--rounds", "1"][..], args]
                .concat();
        bench(&all)[0]["reads_per_order"].as_f64().unwrap()
    };
    assert_eq!(reads(&["--webhooks", "trust"]), 0.0);
    assert_eq!(reads(&["--webhooks", "verify"]), 2.0, "the address and the end");
}

#[test]
fn an_engine_that_answers_webhooks_before_they_are_durable_is_caught() {
    let output = orderkeep()
        .args(["bench", "engine", "--orders", "20", "--inflight", "4", "--rounds", "1"])
        .arg("--early-twin")
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("sooner than they can be durable"), "{stderr}");
}

#[test]
fn a_daemon_that_is_ended_under_load_is_back_with_every_order() {
    let lines = bench(&[
        "restart",
        "--orders",
        "100",
        "--rounds",
        "1",
        "--between",
        "20",
        "--inflight",
        "4",
    ]);
    let [line] = &lines[..] else { panic!("one line: {lines:?}") };
    assert!(line["acknowledged"].as_u64().unwrap() >= 40, "{line}");
    assert_eq!((&line["lost"], &line["duplicate_creates"]), (&0.into(), &0.into()), "{line}");
    for end in ["sigterm", "kill_9"] {
        assert!(line[end]["ready_s"].as_f64().unwrap() > 0.0, "{line}");
    }
}

#[test]
fn a_daemon_that_forgets_is_caught() {
    let output = orderkeep()
        .args(["bench", "restart", "--orders", "20", "--rounds", "1", "--between", "4"])
        .args(["--inflight", "2", "--forgetful-twin"])
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("were lost"), "{stderr}");
}

#[test]
fn an_engine_cannot_be_measured_with_no_orders() {
    let output = orderkeep().args(["bench", "engine", "--orders", "0"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}
