//! The feed from outside: followed through kill -9, waited on, and let go when the daemon stops.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::stage::{Process, Stage, orderkeep};

#[test]
fn a_tail_goes_on_through_kill_9_with_every_event_once_and_in_order() {
    let stage = Stage::new("", "");
    let mut engine = stage.start();
    let (first, _) = stage.order("k1");
    stage.to_executed(&first);
    let mut tail = orderkeep()
        .args(["events", "--url", &stage.url, "--output", "json", "tail", "--after", "oldest"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    let _tail = Process(tail);
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    let mut seen = vec![next()];
    engine.0.kill().unwrap();
    engine.0.wait().unwrap();
    let _engine = stage.start();
    let (second, _) = stage.order("k2");
    stage.to_executed(&second);
    let is_last = |event: &Value| {
        event["type"] == "orderkeep.order.executed" && event["subject"] == second.as_str()
    };
    while !is_last(seen.last().unwrap()) {
        seen.push(next());
    }
    for id in [&first, &second] {
        let versions: Vec<u64> = seen
            .iter()
            .filter(|event| event["subject"] == id.as_str())
            .map(|event| event["data"]["version"].as_u64().unwrap())
            .collect();
        assert_eq!(versions, (1..=versions.len() as u64).collect::<Vec<_>>());
        let told: Vec<&Value> = seen
            .iter()
            .filter(|event| event["subject"] == id.as_str())
            .map(|e| &e["data"])
            .collect();
        let history = stage.get(&format!("/v1/orders/{id}/history")).body;
        let history = history["items"].as_array().unwrap();
        assert_eq!(told, history[..told.len()].iter().collect::<Vec<_>>());
    }
    // A single page tells the same.
    let page = stage.get("/v1/events?limit=1000").body;
    assert_eq!(page["items"].as_array().unwrap()[..seen.len()], seen[..]);
}

#[test]
fn a_wait_ends_with_the_address_and_a_stopping_daemon_lets_its_followers_go() {
    let stage = Stage::new("", "");
    let mut engine = stage.start();
    let (id, _) = stage.order("k");
    let waited = stage.get(&format!("/v1/orders/{id}/wait?for=AwaitingPayment&timeout=50s"));
    assert_eq!((waited.status, &waited.headers["wait-end"]), (200, &"reached".parse().unwrap()));
    assert!(waited.body["address"].is_string(), "{waited:?}");

    let mut stream = TcpStream::connect(stage.url.strip_prefix("http://").unwrap()).unwrap();
    stream
        .write_all(b"GET /v1/events HTTP/1.1\r\nhost: e\r\naccept: text/event-stream\r\n\r\n")
        .unwrap();
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while !line.starts_with("id:") {
        line.clear();
        assert!(stream.read_line(&mut line).unwrap() > 0, "no event");
    }
    let start = Instant::now();
    let pid = engine.0.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(engine.0.wait().unwrap().code(), Some(0));
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert!(rest.ends_with("\r\n0\r\n\r\n"), "cut off, not ended: {rest}");
}

#[test]
fn a_tail_says_what_is_wrong() {
    let stage = Stage::new("", "");
    let _engine = stage.start();
    let run = |after: &str| {
        orderkeep()
            .args(["events", "--url", &stage.url, "tail", "--after", after])
            .output()
            .unwrap()
    };
    let gone = run("00000000000000000000000000000077.1.1");
    let said = String::from_utf8(gone.stderr).unwrap();
    assert_eq!(gone.status.code(), Some(4), "{said}");
    assert!(said.contains("--after "), "{said}");
    assert_eq!(run("17").status.code(), Some(2));
}
