//! What is never said: keys, tokens, addresses, bodies. In no `Debug`, no error, no log of any library underneath.

use std::{
    fs,
    io::{self, Write},
    sync::{Mutex, Once, PoisonError},
};

use orderkeep_core::Timestamp;
use orderkeep_p100::{P100, Secret};
use orderkeep_provider::Provider as _;

use crate::{
    KEY, client, config, lock_id, lock_request, order_id,
    server::{Reaction, Server, http},
};

const TOKEN: &str = "token-51d0b7aa6e";
const DETAILS: &str = include_str!("../fixtures/details_b.json");
const ADDRESS: &str = "0xE353464eBa01d651c16D8879cbCaE1C80568705C";

/// Everything that was logged in this process, by this crate and by the libraries underneath.
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

#[derive(Debug, Clone, Copy)]
struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = format!("underneath: {} {}\n", record.target(), record.args());
        let _ = Self.write_all(line.as_bytes());
    }

    fn flush(&self) {}
}

/// For the whole process: a subscriber for one thread misses what another thread's first event switched off.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
            .with_ansi(false)
            .with_writer(|| Log)
            .finish();
        tracing::subscriber::set_global_default(subscriber).expect("no other subscriber here");
        log::set_logger(&Log).expect("no other logger here");
        log::set_max_level(log::LevelFilter::Trace);
    });
}

fn logged() -> String {
    String::from_utf8_lossy(&LOG.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
}

fn assert_quiet(text: &str) {
    // The last three stand for the bodies.
    for secret in [KEY, TOKEN, ADDRESS, "849.39", "0x84a1234b3b25", lock_id().as_str()] {
        assert!(!text.contains(secret), "{secret} is told in:\n{text}");
    }
}

/// Everything is logged, and somebody reads the logs.
///
/// No key, no token, no address and no body of an answer ever stands in a log.
#[tokio::test]
async fn i6_secrets_in_logs() {
    listen();
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

    let text = logged();
    assert!(text.contains(r#"call="create""#), "the spans are captured:\n{text}");
    for outcome in ["ok", "ambiguous", "definite", "denied"] {
        assert!(text.contains(&format!(r#"outcome="{outcome}""#)), "{outcome}:\n{text}");
    }
    assert!(text.contains(r#"code="P403""#) && text.contains("status=400"), "{text}");
    assert!(text.contains("underneath: "), "the libraries underneath are captured:\n{text}");
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
    listen();
    for (mode, warns) in [(0o600, false), (0o640, false), (0o644, true), (0o604, true)] {
        let file = folder.path().join(format!("token-file-{mode:o}"));
        fs::write(&file, TOKEN).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        Secret::from_file(&file).unwrap();
        let path = file.display().to_string();
        let text = logged();
        let warned = text.lines().any(|line| {
            line.contains(&path) && line.contains("everybody on this machine can read")
        });
        assert_eq!(warned, warns, "{mode:o}");
        assert_quiet(&text);
    }
}
