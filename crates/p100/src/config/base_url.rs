//! The address of the API: a credential goes there, so it is `https`, or this machine.

use url::{Host, Url};

use super::ConfigError;

/// A checked base address.
#[derive(Debug, Clone)]
pub(crate) struct BaseUrl(Url);

impl BaseUrl {
    pub(crate) fn read(text: &str) -> Result<Self, ConfigError> {
        let refused = |why| Err(ConfigError::BaseUrl(why));
        let Ok(url) = Url::parse(text) else {
            return refused("not an address; write it like https://api.example");
        };
        if !url.username().is_empty() || url.password().is_some() {
            return refused("it holds a user or password; the credential goes into the API key");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return refused("it holds a `?` or `#`; write only scheme, host, port and path");
        }
        match (url.scheme(), url.host()) {
            ("https", Some(_)) => Ok(Self(url)),
            ("http", Some(host)) if is_loopback(&host) => Ok(Self(url)),
            ("http", Some(_)) => refused(
                "http would send the API key in the clear; write https (http only to this machine)",
            ),
            (_, _) => refused("write an https address"),
        }
    }

    pub(crate) fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The address of a checked path.
    pub(crate) fn with_path(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        let whole = format!("{}{path}", url.path().trim_end_matches('/'));
        url.set_path(&whole);
        url
    }

    /// As an origin, for logs.
    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// `localhost` is taken at its word: whoever controls this machine's names controls the process too.
fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

pub(super) fn check_path(path: &str) -> Result<(), &'static str> {
    if !path.starts_with('/') || path.len() < 2 || path.ends_with('/') {
        Err("write it with a `/` before it and none after it, like /v1/order")
    } else if path.split('/').any(|part| part == "." || part == "..") {
        Err("it holds `.` or `..`")
    } else if !path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-._~".contains(&b)) {
        Err("only letters, digits and - . _ ~ between the slashes")
    } else {
        Ok(())
    }
}
