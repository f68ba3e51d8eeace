//! What callers who mean ill, or are merely slow, can take from the daemon.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use crate::stage::Stage;

#[test]
fn connections_that_ask_nothing_are_closed_and_all_others_are_served() {
    let stage = Stage::new("", "");
    let _engine = stage.start();
    let addr = stage.url.strip_prefix("http://").unwrap();
    let start = Instant::now();
    let idle: Vec<TcpStream> = (0..200).map(|_| TcpStream::connect(addr).unwrap()).collect();
    let mut slow = TcpStream::connect(addr).unwrap();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: ").unwrap();
    assert_eq!(stage.get("/v1/orders").status, 200);
    let (id, _) = stage.order("k");
    stage.to_executed(&id);
    // Both kinds end by the same timer, after 15 seconds.
    for mut stream in idle.into_iter().take(1).chain([slow]) {
        stream.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        assert!(!rest.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&rest));
    }
    assert!(start.elapsed() >= Duration::from_secs(10), "{:?}", start.elapsed());
}

#[test]
fn what_is_too_long_is_refused_without_being_read() {
    let stage = Stage::new("", "");
    let _engine = stage.start();
    let long = vec![b' '; 1024 * 1024];
    let refused = stage.http.send("POST", &format!("{}/v1/locks", stage.url), &[], long);
    refused.is_problem(413, "too_large", "256 KiB");
    let mut stream = TcpStream::connect(stage.url.strip_prefix("http://").unwrap()).unwrap();
    // A gigabyte is announced; the first of it is answered with a refusal.
    let head = b"POST /v1/locks HTTP/1.1\r\nhost: x\r\ncontent-length: 1073741824\r\n\r\n";
    stream.write_all(head).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    let header = "x".repeat(200_000);
    let headers = [("x-long", header.as_str())];
    let refused = stage.http.try_send("GET", &format!("{}/healthz", stage.url), &headers, "");
    assert!(refused.is_none_or(|answer| answer.status == 431), "a header of 200 kB");
}

#[test]
fn limits_are_as_configured() {
    let stage = Stage::new("", "");
    let made = crate::stage::orderkeep()
        .args(["keys", "create", "--name", "shop", "--scope", "read", "--data"])
        .arg(stage.data())
        .output()
        .unwrap();
    let bearer = format!("Bearer {}", String::from_utf8(made.stdout).unwrap().trim());
    let mut command = stage.serve();
    command.env("ORDERKEEP_LIMITS__KEY_BURST", "3").env("ORDERKEEP_LIMITS__KEY_PER_SECOND", "0.1");
    command.env("ORDERKEEP_LIMITS__HEADERS_WITHIN", "2s");
    command.env("ORDERKEEP_LIMITS__HEADER_BYTES", "8192");
    let _engine = stage.start_as(command);
    let url = format!("{}/v1/orders", stage.url);
    let headers = [("authorization", bearer.as_str())];
    let statuses = [0; 4].map(|_| stage.http.send("GET", &url, &headers, "").status);
    assert_eq!(statuses, [200, 200, 200, 429]);
    let refused = stage.http.send("GET", &url, &headers, "");
    let after: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((5..=10).contains(&after), "one every ten seconds: {after}");

    let start = Instant::now();
    let mut idle = TcpStream::connect(stage.url.strip_prefix("http://").unwrap()).unwrap();
    idle.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
    drop(idle.read_to_end(&mut Vec::new()));
    assert!(start.elapsed() < Duration::from_secs(10), "closed after 2 s, not after 15 s");
    let header = "x".repeat(20_000);
    let headers = [("x-long", header.as_str())];
    let refused = stage.http.try_send("GET", &format!("{}/healthz", stage.url), &headers, "");
    assert!(refused.is_none_or(|answer| answer.status == 431), "a header of 20 kB");
}

#[test]
fn limits_of_bodies_are_as_configured() {
    let stage = Stage::new("", "");
    let mut command = stage.serve();
    command.env("ORDERKEEP_LIMITS__BODY_BYTES", "1000");
    command.env("ORDERKEEP_LIMITS__BODIES_BYTES", "1500");
    command.env("ORDERKEEP_LIMITS__BODY_WITHIN", "3s");
    let _engine = stage.start_as(command);
    let refused =
        stage.http.send("POST", &format!("{}/v1/locks", stage.url), &[], "x".repeat(1_001));
    refused.is_problem(413, "too_large", "1000 bytes");
    let half = |length: usize| {
        let mut stream = TcpStream::connect(stage.url.strip_prefix("http://").unwrap()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
        let head =
            format!("POST /v1/locks HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&vec![b' '; length - 1]).unwrap();
        stream
    };
    let status = |mut stream: TcpStream| {
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        String::from_utf8(answer[9..].to_vec()).unwrap()
    };
    // Of two that are half here, one is more than fits. Whoever asks without a body is served meanwhile.
    let (first, second) = (half(1_000), half(1_000));
    assert_eq!(stage.get("/v1/orders").status, 200);
    let mut statuses = [status(first), status(second)];
    statuses.sort();
    assert_eq!(statuses, ["408", "503"]);
    // Both have given back what they held.
    let (id, _) = stage.order("k");
    stage.to_executed(&id);
}

/// A thousand slow bodies once took all places, and everybody else was told that the engine is busy.
#[test]
fn slow_bodies_take_no_places() {
    let stage = Stage::new("", "");
    let mut command = stage.serve();
    command.env("ORDERKEEP_LIMITS__IN_FLIGHT", "2");
    let _engine = stage.start_as(command);
    let addr = stage.url.strip_prefix("http://").unwrap();
    let start = Instant::now();
    let slow: Vec<TcpStream> = (0..8)
        .map(|_| {
            let mut stream = TcpStream::connect(addr).unwrap();
            let head = b"POST /v1/locks HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{";
            stream.write_all(head).unwrap();
            stream
        })
        .collect();
    // Each of them has been seen by the time that later ones are answered.
    for _ in 0..20 {
        assert_eq!(stage.get("/v1/orders").status, 200);
    }
    for mut stream in slow.into_iter().take(1) {
        stream.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 408");
    }
    assert!(start.elapsed() < Duration::from_secs(40));
}

/// The provider's side had no timer for bodies, and its own listener not even the one that was configured for answers.
#[test]
fn a_slow_webhook_is_given_up_as_any_body_is_on_its_own_listener_too() {
    for own_listener in [false, true] {
        let stage = Stage::new("", "");
        let mut command = stage.serve();
        command.env("ORDERKEEP_LIMITS__BODY_WITHIN", "2s");
        let mut addr = stage.url.strip_prefix("http://").unwrap().to_owned();
        if own_listener {
            let port = crate::port::free_port(uuid::Uuid::new_v4().as_fields().0).unwrap();
            addr = format!("127.0.0.1:{port}");
            command.env("ORDERKEEP_WEBHOOKS__LISTEN", &addr);
        }
        let _engine = stage.start_as(command);
        let mut slow = TcpStream::connect(addr).unwrap();
        slow.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
        let head = format!(
            "POST /webhooks/p100 HTTP/1.1\r\nhost: x\r\nauthorization: {}\r\ncontent-length: 100\r\n\r\n{{",
            crate::stage::TOKEN
        );
        let start = Instant::now();
        slow.write_all(head.as_bytes()).unwrap();
        let mut answer = [0; 12];
        slow.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 408", "own listener: {own_listener}");
        assert!(start.elapsed() < Duration::from_secs(12), "after 2 s, not after 15 or 60");
    }
}
