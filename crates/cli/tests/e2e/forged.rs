//! Forged webhooks over HTTP, by raw bytes: nothing of them is kept. `FORGED_HTTP=20000` for the long run.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use crate::stage::{Stage, TOKEN};

const BODY: &str =
    r#"{"orderId":"a44a0805-dd40-4dc4-80d7-8bc81783ec42","lockId":"b","status":"COMPLETED"}"#;

/// A token that was good before.
const ROTATED_OUT: &str = "e2e-webhook-token-4709";

/// One connection after the other, since a head that is no HTTP ends its own.
struct Wire {
    addr: String,
    stream: Option<BufReader<TcpStream>>,
}

impl Wire {
    /// Sends a webhook with these header lines; gives its status.
    fn hook(&mut self, lines: &[Vec<u8>]) -> u16 {
        let used = self.stream.is_some();
        match self.try_hook(lines) {
            // Closed after the answer before.
            0 if used => self.try_hook(lines),
            status => status,
        }
    }

    /// 0: there was no answer.
    fn try_hook(&mut self, lines: &[Vec<u8>]) -> u16 {
        let mut stream = self.stream.take().unwrap_or_else(|| {
            let stream = TcpStream::connect(&self.addr).unwrap();
            stream.set_nodelay(true).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            BufReader::new(stream)
        });
        let mut request = b"POST /webhooks/p100 HTTP/1.1\r\nhost: x\r\n".to_vec();
        for line in lines {
            request.extend_from_slice(line);
            request.extend_from_slice(b"\r\n");
        }
        request
            .extend_from_slice(format!("content-length: {}\r\n\r\n{BODY}", BODY.len()).as_bytes());
        if stream.get_mut().write_all(&request).is_err() {
            return 0;
        }
        let (mut status, mut length, mut closes) = (0, 0, false);
        loop {
            let mut line = String::new();
            // A refusal may close before all was read.
            if stream.read_line(&mut line).unwrap_or(0) == 0 {
                return status;
            }
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(rest) = line.strip_prefix("http/1.1 ") {
                status = rest[..3].parse().unwrap();
            } else if let Some(rest) = line.strip_prefix("content-length: ") {
                length = rest.parse().unwrap();
            } else if line == "connection: close" {
                closes = true;
            } else if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).unwrap();
        // What follows a bad request on its connection is not read.
        if !closes && status == 401 {
            self.stream = Some(stream);
        }
        status
    }
}

fn authorization(value: &[u8]) -> Vec<u8> {
    [b"authorization: ", value].concat()
}

/// Sets of header lines, none of which has the right token once and alone.
fn forged() -> Vec<Vec<Vec<u8>>> {
    let token = TOKEN.as_bytes();
    let mut all = vec![Vec::new()];
    for bit in 0..token.len() * 8 {
        let mut flipped = token.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        all.push(vec![authorization(&flipped)]);
        all.push(vec![authorization(&[b"Bearer ", flipped.as_slice()].concat())]);
    }
    let wrong = authorization(b"e2e-webhook-token-0815");
    let right = authorization(token);
    let before = authorization(ROTATED_OUT.as_bytes());
    all.push(vec![before.clone()]);
    all.push(vec![before, right.clone()]);
    // Which of two would count is for nobody to choose.
    all.push(vec![wrong.clone(), right.clone()]);
    all.push(vec![right.clone(), wrong.clone()]);
    all.push(vec![right.clone(), right.clone()]);
    all.push(vec![authorization(&[token, b", ", token].concat())]);
    all.push(vec![[b"x-authorization: ", token].concat()]);
    all.push(vec![[b"proxy-authorization: ", token].concat()]);
    all.push(vec![[b"cookie: authorization=", token].concat()]);
    all
}

#[test]
fn forged_webhooks_over_http_are_refused_and_nothing_of_them_is_kept() {
    let wanted = std::env::var("FORGED_HTTP").ok().and_then(|text| text.parse().ok());
    let stage = Stage::new("", "");
    let addr = stage.url.strip_prefix("http://").unwrap().to_owned();
    let mut wire = Wire { addr, stream: None };
    // The token before this one was good for a while, and is taken out.
    let old = stage.folder.path().join("token-before");
    std::fs::write(&old, ROTATED_OUT).unwrap();
    let mut rotating = stage.serve();
    rotating.arg("--webhook-token-file").arg(&old);
    let mut engine = stage.start_as(rotating);
    assert_eq!(wire.hook(&[authorization(ROTATED_OUT.as_bytes())]), 200, "while it is rotated");
    engine.0.kill().unwrap();
    engine.0.wait().unwrap();
    let _engine = stage.start();
    let kept = stage.get("/v1/status").body["inbox"].clone();
    let forged = forged();
    let wanted: usize = wanted.unwrap_or(forged.len());
    for (number, lines) in forged.iter().cycle().take(wanted.max(forged.len())).enumerate() {
        let status = wire.hook(lines);
        let shown = || {
            lines.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect::<Vec<_>>()
        };
        // A byte that no header may hold is no HTTP at all.
        assert!(
            matches!(status, 400 | 401),
            "forgery {number} was answered {status}: {:?}",
            shown()
        );
    }
    assert_eq!(stage.get("/v1/status").body["inbox"], kept, "nothing is kept");
    // The same request with the right token is: what was refused was the token.
    assert_eq!(wire.hook(&[authorization(TOKEN.as_bytes())]), 200);
    assert_eq!(stage.get("/v1/status").body["inbox"].as_u64(), kept.as_u64().map(|kept| kept + 1));
}
