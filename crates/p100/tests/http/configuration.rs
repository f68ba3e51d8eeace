//! What a configuration may say, and where credentials come from.

use std::{fs, time::Duration};

use orderkeep_p100::{ConfigError, P100, Secret, SecretError};

use crate::config;

const AUTHORITY: &str = include_str!("../fixtures/tls/ca.pem");

/// The provider moves to another base address.
///
/// A setting, without any change of data; the key goes over HTTPS, or stays on this machine.
#[test]
fn i5_another_base_address() {
    for good in [
        "https://api.provider.example",
        "https://api.provider.example:8443/base/",
        "http://127.0.0.1:8080",
        "http://127.9.9.9",
        "http://[::1]:8080",
        "http://localhost:8080",
    ] {
        let mut config = config(good);
        // So that it does not matter whether this machine has any roots.
        config.extra_roots_pem = Some(AUTHORITY.to_owned());
        assert!(P100::new(config).is_ok(), "{good}");
    }
    for bad in [
        "",
        "api.provider.example",
        "http://api.provider.example",
        "http://127.0.0.1.provider.example",
        "http://localhost.provider.example",
        "http://10.0.0.1",
        "http://0.0.0.0",
        "ftp://127.0.0.1",
        "https://user:word@api.provider.example",
        "https://user@api.provider.example",
        "https://api.provider.example?key=x",
        "https://api.provider.example/#x",
        "file:///etc/passwd",
    ] {
        assert!(matches!(P100::new(config(bad)), Err(ConfigError::BaseUrl(_))), "{bad}");
    }
}

#[test]
fn paths_timeouts_and_bounds_are_checked() {
    for path in
        ["", "/", "v1/order", "/v1/order/", "/v1/../order", "/v1/or der", "/v1/order?x", "/ä"]
    {
        let mut config = config("http://127.0.0.1:1");
        config.paths.create = path.to_owned();
        let error = P100::new(config).unwrap_err();
        assert!(matches!(error, ConfigError::Path { name: "create", .. }), "{path:?} {error}");
    }
    let second = Duration::from_secs(1);
    for (connect, read, create, name) in
        [(0, 15, 30, "connect"), (5, 5, 30, "read"), (5, 15, 4, "create"), (5, 15, 301, "create")]
    {
        let mut config = config("http://127.0.0.1:1");
        config.timeouts.connect = connect * second;
        config.timeouts.read = read * second;
        config.timeouts.create = create * second;
        let error = P100::new(config).unwrap_err();
        assert!(matches!(error, ConfigError::Timeout { name: n, .. } if n == name), "{error}");
    }
    let mut many = config("http://127.0.0.1:1");
    many.read_retries = 3;
    assert_eq!(P100::new(many).unwrap_err().to_string(), "read_retries: at most 2");
    let mut many = config("http://127.0.0.1:1");
    many.webhook_tokens = vec![Secret::new("t").unwrap(); 5];
    assert!(matches!(P100::new(many), Err(ConfigError::WebhookTokens)));
}

/// A secret has no equality and shows nothing; whether it is good shows in the message.
fn said(result: Result<Secret, SecretError>) -> String {
    match result {
        Ok(secret) => format!("{secret:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_secret_is_one_word() {
    for good in ["a", "key\n", "key\r\n", "key\n\n", &"k".repeat(4096)] {
        assert_eq!(said(Secret::new(good)), "Secret(***)", "{good:?}");
    }
    let refused = [
        ("", "the secret from the given text is empty; write the credential there"),
        ("\n", "the secret from the given text is empty; write the credential there"),
    ];
    for (text, why) in refused {
        assert_eq!(said(Secret::new(text)), why);
    }
    for text in ["two words", " key", "key ", "key\nother", "k\u{e4}y", "k\0y", "\tkey"] {
        assert!(matches!(Secret::new(text), Err(SecretError::NotOneWord { .. })), "{text:?}");
    }
    assert!(matches!(Secret::new("k".repeat(4097)), Err(SecretError::TooLong { .. })));
}

#[test]
fn a_secret_comes_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("api-key");
    fs::write(&file, "key-from-file\r\n").unwrap();
    assert_eq!(said(Secret::from_file(&file)), "Secret(***)");

    let at = file.display();
    for (content, why) in [
        (
            String::new(),
            format!("the secret from the file {at} is empty; write the credential there"),
        ),
        (
            "k".repeat(100_000),
            format!(
                "the secret from the file {at} is longer than 4096 bytes; is that the right file?"
            ),
        ),
        (
            "SECRETVALUE two".to_owned(),
            format!(
                "the secret from the file {at} holds white space, a control or a non-ASCII character; \
                 write the credential alone, on one line"
            ),
        ),
    ] {
        fs::write(&file, content).unwrap();
        assert_eq!(said(Secret::from_file(&file)), why);
    }
    let missing = said(Secret::from_file(folder.path().join("none")));
    assert!(missing.starts_with("cannot read the secret from the file "), "{missing}");
    assert!(Secret::from_file(folder.path()).is_err(), "a folder");
}

#[test]
fn a_secret_comes_from_the_environment() {
    // The test runner sets this one.
    assert_eq!(said(Secret::from_env("CARGO_PKG_NAME")), "Secret(***)");
    assert_eq!(
        said(Secret::from_env("ORDERKEEP_P100_NO_SUCH_VARIABLE")),
        "cannot read the secret from the variable ORDERKEEP_P100_NO_SUCH_VARIABLE: it is not set"
    );
}
