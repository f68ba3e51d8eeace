//! Addresses to listen on, as people write them.

use std::net::SocketAddr;

use serde::{Deserialize as _, Deserializer, de::Error as _};

pub(crate) fn one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| {
        D::Error::custom(format!(
            "`{text}` is no address; write it like 127.0.0.1:7070 or [::1]:7070"
        ))
    })
}

pub(crate) fn perhaps<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SocketAddr>, D::Error> {
    one(deserializer).map(Some)
}
