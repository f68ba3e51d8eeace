//! A port for an engine that is killed and started again, and must have the same address in all its lives.

use std::{io, net::TcpListener};

/// Below the ports that systems hand out by themselves (Linux from 32768, others from 49152). A port out of those may be
/// given to somebody else's socket while the engine is down between two lives, and its next life could not listen.
const PORTS: std::ops::Range<u16> = 15_000..32_000;
/// How many are looked at, from a random one on.
const TRIES: u16 = 64;

/// A port that is free now. `random` is any number, different for those that look at the same time.
pub(crate) fn free_port(random: u32) -> io::Result<u16> {
    let count = PORTS.end - PORTS.start;
    let first = u16::try_from(random % u32::from(count)).unwrap_or_default();
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for step in 0..TRIES {
        let port = PORTS.start + (first + step * 61) % count;
        match TcpListener::bind(("127.0.0.1", port)) {
            Ok(_) => return Ok(port),
            Err(error) => last = error,
        }
    }
    Err(last)
}
