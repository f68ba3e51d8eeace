//! Outages on a real socket.

use std::io::ErrorKind;

use orderkeep_sandbox::{OutageMode, SandboxConfig};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::wire::{Bench, DEADLINE, KEY, config, send, until};

/// Long enough never to end by itself within a test.
const LONG_MS: i64 = 3_600_000;

#[tokio::test]
async fn a_refusing_outage_closes_the_port_and_opens_it_again() {
    let bench = Bench::start(config());
    // A connection that was answered and is kept open, as in a client's pool.
    let mut pooled = TcpStream::connect(bench.addr).await.unwrap();
    pooled.write_all(b"GET /_control/health HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = [0; 1_024];
    assert!(pooled.read(&mut answer).await.unwrap() > 0);
    bench.sandbox.control().start_outage(LONG_MS, OutageMode::Refuse).unwrap();
    until("a refused connection", async || {
        let refused = TcpStream::connect(bench.addr).await.err()?;
        (refused.kind() == ErrorKind::ConnectionRefused).then_some(())
    })
    .await;
    // It is cut, or the client would not notice.
    let cut = timeout(DEADLINE, pooled.read(&mut answer)).await.expect("an end of the connection");
    assert!(matches!(cut, Ok(0) | Err(_)), "{cut:?}");
    // Nobody else can take the port in the meantime.
    assert!(std::net::TcpListener::bind(bench.addr).is_err());

    bench.sandbox.control().advance(LONG_MS).unwrap();
    until("an answer", async || {
        let answer = send(bench.addr, "GET", "/_control/health", &[], "").await.ok()?;
        (answer.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_controls_own_listener_outlives_an_outage() {
    let control_bind = Some("127.0.0.1:0".parse().unwrap());
    let bench = Bench::start(SandboxConfig { control_bind, ..config() });
    let control = bench.sandbox.control_addr();
    let body = format!(r#"{{"ms":{LONG_MS},"mode":"refuse"}}"#);
    let started = send(control, "POST", "/_control/outage", &[], &body).await.unwrap();
    assert_eq!(started.status, 200);
    until("a refused connection", async || {
        TcpStream::connect(bench.addr).await.err().map(|error| error.kind())
    })
    .await;
    let jump = format!(r#"{{"ms":{LONG_MS}}}"#);
    let jumped = send(control, "POST", "/_control/advance", &[], &jump).await.unwrap();
    assert_eq!(jumped.status, 200);
    until("a connection", async || TcpStream::connect(bench.addr).await.ok()).await;
}

#[tokio::test]
async fn an_outage_ends_by_itself() {
    // Ten provider minutes are 6 ms of the wall.
    let bench = Bench::start(SandboxConfig { time_factor: 100_000, ..config() });
    bench.sandbox.control().start_outage(600_000, OutageMode::Refuse).unwrap();
    until("an answer", async || {
        send(bench.addr, "GET", "/v1/order/get-rate", &[("x-api-key", KEY)], "").await.ok()
    })
    .await;
}

#[tokio::test]
async fn a_dropping_outage_accepts_and_closes() {
    let bench = Bench::start(config());
    // The control call that starts it is still answered, on the very listener that it strikes.
    bench.control("outage", &format!(r#"{{"ms":{LONG_MS},"mode":"drop"}}"#)).await;
    until("a dropped connection", async || {
        let dropped =
            send(bench.addr, "GET", "/v1/order/get-rate", &[("x-api-key", KEY)], "").await.err()?;
        // Closed with or without a reset, by when the request's bytes arrived; never refused.
        assert_ne!(dropped.kind(), ErrorKind::ConnectionRefused);
        Some(())
    })
    .await;
    bench.sandbox.control().advance(LONG_MS).unwrap();
    until("an answer", async || {
        send(bench.addr, "GET", "/v1/order/get-rate", &[("x-api-key", KEY)], "").await.ok()
    })
    .await;
}

#[tokio::test]
async fn an_answering_outage_is_a_proxys_page() {
    let bench = Bench::start(config());
    bench.control("outage", &format!(r#"{{"ms":{LONG_MS},"mode":"http_503"}}"#)).await;
    let down = bench.get("/v1/order/get-rate").await;
    assert_eq!((down.status, down.header("content-type")), (503, Some("text/html")));
    // The controls go on.
    bench.control("advance", &format!(r#"{{"ms":{LONG_MS}}}"#)).await;
    assert_eq!(bench.get("/v1/order/get-rate").await.status, 200);
    assert_eq!(bench.sandbox.control().ledger().faults["rates.outage_http_503"], 1);
}
