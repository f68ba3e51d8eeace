//! Bodies, read whole before anything else is done for them: who sends slowly takes no place from those who do not, and
//! all of them together take no more memory than is configured.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use futures_util::StreamExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    limits::Limits,
    problem::{Code, Problem},
};

/// Reads bodies, and knows how much of them is held.
#[derive(Debug, Clone)]
pub(super) struct Bodies {
    limits: Limits,
    /// Bytes that may still be held.
    free: Arc<Semaphore>,
}

/// The bytes of one body, for as long as it is held.
#[derive(Debug, Default)]
pub(super) struct Held {
    _bytes: Option<OwnedSemaphorePermit>,
}

impl Bodies {
    pub(super) fn new(limits: Limits) -> Self {
        let free = Arc::new(Semaphore::new(limits.bodies_bytes.min(Semaphore::MAX_PERMITS)));
        Self { limits, free }
    }

    /// The request with its body read; what it takes of memory is counted until [`Held`] is dropped.
    pub(super) async fn whole(&self, request: Request) -> Result<(Request, Held), Response> {
        let most = self.limits.body_bytes;
        // What says that it is too long is refused before it is sent.
        if announced(&request) > most as u64 {
            return Err(Problem::too_large(most).into_response());
        }
        let (head, body) = request.into_parts();
        let read = tokio::time::timeout(self.limits.body_within, self.read(body));
        let (bytes, held) =
            read.await.map_err(|_| StatusCode::REQUEST_TIMEOUT.into_response())??;
        Ok((Request::from_parts(head, Body::from(bytes)), held))
    }

    async fn read(&self, body: Body) -> Result<(Bytes, Held), Response> {
        let mut chunks = body.into_data_stream();
        let mut first = Bytes::new();
        let mut rest: Vec<u8> = Vec::new();
        let mut held: Option<OwnedSemaphorePermit> = None;
        let mut length = 0;
        while let Some(chunk) = chunks.next().await {
            // Or the caller broke off, and hears nothing any more.
            let chunk =
                chunk.map_err(|_| Problem::bad_request("the body ended early").into_response())?;
            length += chunk.len();
            if length > self.limits.body_bytes {
                return Err(Problem::too_large(self.limits.body_bytes).into_response());
            }
            let more = self.hold(chunk.len()).map_err(Problem::into_response)?;
            match &mut held {
                Some(held) => held.merge(more),
                None => held = Some(more),
            }
            // Nearly every body comes in one piece, and is not copied.
            if first.is_empty() && rest.is_empty() {
                first = chunk;
            } else {
                if rest.is_empty() {
                    rest.extend_from_slice(&first);
                }
                rest.extend_from_slice(&chunk);
            }
        }
        let bytes = if rest.is_empty() { first } else { rest.into() };
        Ok((bytes, Held { _bytes: held }))
    }

    /// Room for so many bytes more.
    fn hold(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Problem> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        Arc::clone(&self.free).try_acquire_many_owned(bytes).map_err(|_| {
            let detail = "the bodies that are being read take as much memory as this engine allows";
            Problem::new(Code::Busy, detail).retry_after(1)
        })
    }
}

/// How long the body says it is.
fn announced(request: &Request) -> u64 {
    let length = request.headers().get(header::CONTENT_LENGTH);
    length.and_then(|length| length.to_str().ok()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bodies(body_bytes: usize, bodies_bytes: usize) -> Bodies {
        Bodies::new(Limits { body_bytes, bodies_bytes, ..Limits::default() })
    }

    fn request(pieces: &[&'static str]) -> Request {
        let pieces: Vec<_> =
            pieces.iter().map(|piece| Ok::<_, std::io::Error>(Bytes::from(*piece))).collect();
        Request::new(Body::from_stream(futures_util::stream::iter(pieces)))
    }

    async fn text(request: Request) -> String {
        let bytes = axum::body::to_bytes(request.into_body(), 1_000).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn a_body_in_pieces_is_the_body_and_one_that_is_too_long_is_refused() {
        for pieces in [&["abcdef"][..], &["abc", "def"], &["a", "", "bcd", "ef"], &["", "abcdef"]] {
            let (whole, _held) = bodies(6, 6).whole(request(pieces)).await.unwrap();
            assert_eq!(text(whole).await, "abcdef", "{pieces:?}");
            let refused = bodies(5, 6).whole(request(pieces)).await.unwrap_err();
            assert_eq!(refused.status(), 413, "{pieces:?}");
        }
    }

    #[tokio::test]
    async fn all_bodies_together_take_no_more_than_is_allowed_and_give_it_back() {
        let bodies = bodies(6, 10);
        let first = bodies.whole(request(&["abcdef"])).await.unwrap();
        let refused = bodies.whole(request(&["abc", "def"])).await.unwrap_err();
        assert_eq!(
            (refused.status().as_u16(), &refused.headers()["retry-after"]),
            (503, &"1".parse().unwrap())
        );
        // What was refused half read is given back too.
        let second = bodies.whole(request(&["abcd"])).await.unwrap();
        assert_eq!(bodies.free.available_permits(), 0);
        drop((first, second));
        assert_eq!(bodies.free.available_permits(), 10);
    }
}
