//! One HTTP/1.1 `POST` over a fresh connection: all that a webhook needs.
//!
//! No TLS, no redirects, no pooling, no reading of the answer's body. A full client would bring more of each than a
//! stand-in on a loopback wants.

use std::{fmt, io, time::Duration};

use axum::http::Uri;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Longest head of an answer that is read. Receivers send some hundred bytes.
const HEAD_MAX: usize = 16 * 1024;

/// Where webhooks go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    host: String,
    port: u16,
    /// The `Host` header, as written in the URL.
    authority: String,
    path: String,
}

impl Target {
    /// Reads an `http://` URL.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|error| format!("is not a URL: {error}"))?;
        if uri.scheme_str() != Some("http") {
            return Err("must start with http:// (the sandbox speaks no TLS)".to_owned());
        }
        let authority = uri.authority().ok_or("names no host")?;
        if authority.as_str().contains('@') {
            return Err("must not carry a user name".to_owned());
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err("names no host".to_owned());
        }
        Ok(Self {
            host: host.to_owned(),
            port: authority.port_u16().unwrap_or(80),
            authority: authority.as_str().to_owned(),
            path: uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority, self.path)
    }
}

/// Posts a JSON body. Returns the answer's status.
pub(crate) async fn post(
    target: &Target,
    authorization: &str,
    body: &str,
    within: Duration,
) -> io::Result<u16> {
    timeout(within, exchange(target, authorization, body))
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

async fn exchange(target: &Target, authorization: &str, body: &str) -> io::Result<u16> {
    let mut stream = TcpStream::connect((target.host.as_str(), target.port)).await?;
    stream.set_nodelay(true)?;
    let request = format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nAuthorization: {authorization}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nUser-Agent: sandbox-webhook\r\n\
         Connection: close\r\n\r\n{body}",
        target.path,
        target.authority,
        body.len(),
    );
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::with_capacity(512);
    loop {
        let read = stream.read_buf(&mut head).await?;
        let ended = head.windows(4).any(|four| four == b"\r\n\r\n");
        if read == 0 || ended || head.len() >= HEAD_MAX {
            return status(&head);
        }
    }
}

fn status(head: &[u8]) -> io::Result<u16> {
    head.strip_prefix(b"HTTP/1.")
        .and_then(|rest| rest.get(2..5))
        .and_then(|digits| std::str::from_utf8(digits).ok())
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the answer is not HTTP/1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_or_turned_down_with_a_reason() {
        let target = Target::parse("http://127.0.0.1:8080/hooks/p100?x=1").unwrap();
        assert_eq!((target.host.as_str(), target.port), ("127.0.0.1", 8080));
        assert_eq!(target.path, "/hooks/p100?x=1");
        let target = Target::parse("http://[::1]/").unwrap();
        assert_eq!((target.host.as_str(), target.port), ("::1", 80));
        assert_eq!(Target::parse("http://receiver").unwrap().path, "/");
        for bad in ["https://a/b", "/hook", "", "ftp://a", "http://user:pass@a/", "http://a b/"] {
            assert!(Target::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_status_is_read_from_the_first_line() {
        assert_eq!(status(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap(), 204);
        assert_eq!(status(b"HTTP/1.0 500 x\r\n").unwrap(), 500);
        for bad in [&b""[..], b"HTTP/1.1", b"SSH-2.0-x", b"HTTP/1.1 ab"] {
            assert!(status(bad).is_err(), "{bad:?}");
        }
    }
}
