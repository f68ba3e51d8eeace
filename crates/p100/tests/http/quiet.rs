//! What is never said: keys, tokens, addresses, bodies. In no `Debug`, no error, no log of any library underneath.

use std::{
    fs,
    io::{self, Write},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use orderkeep_core::Timestamp;
use orderkeep_p100::{P100, Secret};
use orderkeep_provider::Provider as _;
use tracing_subscriber::fmt::MakeWriter;

use crate::{
    KEY, client, config, lock_id, lock_request, order_id,
    server::{Reaction, Server, http},
};

const TOKEN: &str = "token-51d0b7aa6e";
const DETAILS: &str = include_str!("../fixtures/details_b.json");
const ADDRESS: &str = "0xE353464eBa01d651c16D8879cbCaE1C80568705C";

/// Everything logged while a test runs.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What the libraries underneath say through the `log` crate. One for the whole test process.
static BELOW: OnceLock<Log> = OnceLock::new();

struct Below;

impl log::Log for Below {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let mut log = BELOW.get_or_init(Log::default).clone();
        let _ = writeln!(log, "{} {}", record.target(), record.args());
    }

    fn flush(&self) {}
}

fn listen_below() -> Log {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        log::set_logger(&Below).expect("no other logger in this test");
        log::set_max_level(log::LevelFilter::Trace);
    });
    BELOW.get_or_init(Log::default).clone()
}

fn assert_quiet(text: &str) {
    for secret in [KEY, TOKEN, ADDRESS, "412.6", "849.39", "errorName", "lockId", "walletAddress"] {
        assert!(!text.contains(secret), "{secret} is told in:\n{text}");
    }
    assert!(!text.contains(lock_id().as_str()), "the lock's id is told in:\n{text}");
}

#[tokio::test]
async fn no_log_tells_a_secret_an_address_or_a_body() {
    let log = Log::default();
    let below = listen_below();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let answers = [
        Reaction::Keep(http("200 OK", "", DETAILS)),
        Reaction::Keep(http("200 OK", "", DETAILS)),
        Reaction::Keep(http(
            "400 Bad Request",
            "",
            r#"{"errorCode":"P403","errorName":"validation"}"#,
        )),
        Reaction::Keep(http("401 Unauthorized", "", &format!(r#"{{"message":"{KEY}"}}"#))),
        Reaction::Close(format!("{ADDRESS} {KEY}\r\n").into_bytes()),
    ];
    let server = Server::start(answers).await;
    let mut config = config(&server.base_url());
    config.webhook_tokens = vec![Secret::new(TOKEN).unwrap()];
    let client = P100::new(config).unwrap();
    let started = Timestamp::from_millis(0);

    client.details(&order_id(), started).await.unwrap().unwrap();
    let mut told = vec![client.lock(lock_request()).await.unwrap_err()];
    for _ in 0..3 {
        told.push(client.create(&lock_id()).await.unwrap_err());
    }
    assert!(client.is_authentic(Some(TOKEN.as_bytes())));
    assert!(!client.is_authentic(Some(KEY.as_bytes())));
    client.read_webhook(DETAILS.as_bytes(), started).unwrap();
    assert_eq!(server.requests().len(), 5);

    let text = log.text();
    assert!(text.contains(r#"call="create""#), "the spans are captured:\n{text}");
    for outcome in ["ok", "ambiguous", "definite", "denied"] {
        assert!(text.contains(&format!(r#"outcome="{outcome}""#)), "{outcome}:\n{text}");
    }
    assert!(text.contains(r#"code="P403""#) && text.contains("status=400"), "{text}");
    assert_quiet(&text);
    let text = below.text();
    assert!(!text.is_empty(), "the libraries underneath are captured");
    assert_quiet(&text);
    for error in told {
        assert_quiet(&error.to_string());
        assert_quiet(&format!("{error:?}"));
    }
}

#[test]
fn no_debug_shows_a_secret() {
    let mut config = config("http://127.0.0.1:1");
    config.webhook_tokens = vec![Secret::new(TOKEN).unwrap()];
    let shown = format!("{config:?} {config:#?} {:?}", P100::new(config.clone()).unwrap());
    assert!(shown.contains("Secret(***)"), "{shown}");
    assert_quiet(&shown);
    let shown = format!("{:?}", client("http://127.0.0.1:1"));
    assert_eq!(shown, r#"P100 { base_url: "http://127.0.0.1:1/", .. }"#);
}

#[test]
fn a_refused_secret_is_not_told() {
    for text in [format!("{KEY} {TOKEN}"), format!("{KEY}\u{e9}"), KEY.repeat(300)] {
        let error = Secret::new(text).unwrap_err();
        assert_quiet(&error.to_string());
        assert_quiet(&format!("{error:?}"));
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_everybody_can_read_is_warned_about() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, TOKEN).unwrap();
    for (mode, warns) in [(0o600, false), (0o640, false), (0o644, true), (0o604, true)] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let log = Log::default();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(log.clone()).finish();
        tracing::subscriber::with_default(subscriber, || Secret::from_file(&file)).unwrap();
        assert_eq!(log.text().contains("everybody on this machine can read"), warns, "{mode:o}");
        assert_quiet(&log.text());
    }
}
