//! What each answer to a create means, as literal data, and that it was asked exactly once whatever came back.

use std::{sync::Arc, time::Duration};

use orderkeep_provider::{
    FailureClass::{self, Ambiguous, Definite, Denied, Throttled},
    Provider as _,
};

use crate::{
    client, lock_id,
    server::{Reaction, Server, http},
};

struct Row {
    answer: Reaction,
    class: FailureClass,
    code: Option<&'static str>,
    status: Option<u16>,
    retry_after: Option<u64>,
}

fn row(answer: Reaction, class: FailureClass) -> Row {
    Row { answer, class, code: None, status: None, retry_after: None }
}

/// An answer that ends where it says it does.
fn answer(status: &str, headers: &str, body: &str, class: FailureClass) -> Row {
    let number = status[..3].parse().expect("a status");
    let mut row = row(Reaction::Keep(http(status, headers, body)), class);
    row.status = Some(number);
    row
}

fn error(status: &str, code: &'static str, class: FailureClass) -> Row {
    let body = format!(r#"{{"errorCode":"{code}","errorName":"some-name"}}"#);
    Row { code: Some(code), ..answer(status, "", &body, class) }
}

const PAGE: &str = "<html><body>502 Bad Gateway</body></html>";
const ORDER: &str = r#"{"orderId":"663318af-7ea1-4c5a-8545-e433a2d43d5c"}"#;

fn bytes(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

fn rows() -> Vec<Row> {
    let huge = format!(r#"{{"orderId":"a","x":"{}"}}"#, "x".repeat(300_000));
    let chunk = "x".repeat(100_000);
    let huge_chunked = format!(
        "HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n{}",
        format!("186a0\r\n{chunk}\r\n").repeat(4)
    );
    vec![
        // The provider's own codes, under the statuses that it documents.
        error("400 Bad Request", "P403", Definite),
        error("404 Not Found", "P462", Definite),
        error("400 Bad Request", "P500", Ambiguous),
        error("400 Bad Request", "P501", Ambiguous),
        // Codes that say nothing about a create.
        error("400 Bad Request", "P999", Ambiguous),
        error("400 Bad Request", "P428", Ambiguous),
        error("404 Not Found", "P460", Ambiguous),
        error("409 Conflict", "P463", Ambiguous),
        // A code and a status that contradict each other: the careful one counts, and the code is not passed on.
        error("401 Unauthorized", "P500", Ambiguous),
        error("429 Too Many Requests", "P501", Ambiguous),
        Row { code: None, ..error("500 Internal Server Error", "P403", Ambiguous) },
        Row { code: None, ..error("502 Bad Gateway", "P462", Ambiguous) },
        Row { code: None, ..error("302 Found", "P462", Ambiguous) },
        // No word of the provider's.
        answer("400 Bad Request", "", "", Ambiguous),
        answer("400 Bad Request", "", r#"{"errorCode":403}"#, Ambiguous),
        answer("400 Bad Request", "", r#"{"errorCode":"P403","errorCode":"P500"}"#, Ambiguous),
        answer("400 Bad Request", "", r#"[{"errorCode":"P403"}]"#, Ambiguous),
        answer("404 Not Found", "", PAGE, Ambiguous),
        answer("405 Method Not Allowed", "", "", Ambiguous),
        answer("408 Request Timeout", "", "", Ambiguous),
        answer("413 Content Too Large", "", "", Ambiguous),
        // The credential.
        answer("401 Unauthorized", "", r#"{"message":"Access Denied. xo2"}"#, Denied),
        answer("401 Unauthorized", "", PAGE, Denied),
        row(
            Reaction::Close(bytes("HTTP/1.1 401 Unauthorized\r\ncontent-length: 9\r\n\r\n")),
            Denied,
        ),
        // By the provider's own word; without it, what answers may stand before the provider or after it.
        error("403 Forbidden", "P999", Denied),
        error("403 Forbidden", "P403", Denied),
        error("403 Forbidden", "P500", Ambiguous),
        answer("403 Forbidden", "", PAGE, Ambiguous),
        answer("403 Forbidden", "", "", Ambiguous),
        // Too many.
        answer("429 Too Many Requests", "", "", Throttled),
        Row {
            retry_after: Some(7),
            ..answer("429 Too Many Requests", "retry-after: 7\r\n", "", Throttled)
        },
        Row {
            retry_after: Some(900),
            ..answer("429 Too Many Requests", "Retry-After: 86400\r\n", PAGE, Throttled)
        },
        Row {
            retry_after: Some(25),
            ..answer(
                "429 Too Many Requests",
                "date: Fri, 13 Feb 2026 08:00:00 GMT\r\nretry-after: Fri, 13 Feb 2026 08:00:25 GMT\r\n",
                "",
                Throttled,
            )
        },
        answer("429 Too Many Requests", "retry-after: soon\r\n", "", Throttled),
        // Faults of servers.
        answer("500 Internal Server Error", "", "", Ambiguous),
        answer("502 Bad Gateway", "", PAGE, Ambiguous),
        Row {
            retry_after: Some(2),
            ..answer("503 Service Unavailable", "retry-after: 2\r\n", "", Ambiguous)
        },
        answer("504 Gateway Timeout", "", PAGE, Ambiguous),
        answer("599 Whatever", "", "", Ambiguous),
        answer("999 Whatever", "", "", Ambiguous),
        // Elsewhere: not followed.
        answer("301 Moved Permanently", "location: /v1/order\r\n", "", Ambiguous),
        answer("303 See Other", "location: /v1/order\r\n", "", Ambiguous),
        answer("307 Temporary Redirect", "location: /v1/order\r\n", "", Ambiguous),
        answer("308 Permanent Redirect", "location: /v1/order\r\n", "", Ambiguous),
        // Successes that name no order.
        answer("201 Created", "", "", Ambiguous),
        answer("201 Created", "", "{}", Ambiguous),
        answer("201 Created", "", r#"{"orderId":null}"#, Ambiguous),
        answer("201 Created", "", r#"{"orderId":""}"#, Ambiguous),
        answer("201 Created", "", r#"{"orderId":17}"#, Ambiguous),
        answer("201 Created", "", r#"{"orderId":"a","orderId":"b"}"#, Ambiguous),
        answer("201 Created", "", r#"{"orderId":"a"}x"#, Ambiguous),
        answer("201 Created", "", r#"{"orderId":"a"#, Ambiguous),
        answer("200 OK", "", PAGE, Ambiguous),
        answer("200 OK", "", &huge, Ambiguous),
        Row { status: Some(201), ..row(Reaction::Close(huge_chunked.into_bytes()), Ambiguous) },
        row(Reaction::Keep(bytes("HTTP/1.1 204 No Content\r\n\r\n")), Ambiguous),
        // Answers that end too early, or are none.
        row(
            Reaction::Close(bytes(
                "HTTP/1.1 201 Created\r\ncontent-length: 50\r\n\r\n{\"orderId\":",
            )),
            Ambiguous,
        ),
        row(
            Reaction::Close(bytes(
                "HTTP/1.1 400 Bad Request\r\ncontent-length: 50\r\n\r\n{\"errorCode\":\"P403\"",
            )),
            Ambiguous,
        ),
        row(Reaction::Close(bytes("HTTP/1.1 201 Cre")), Ambiguous),
        row(Reaction::Close(bytes("HTTP/1.1 100 Continue\r\n\r\n")), Ambiguous),
        row(Reaction::Close(bytes("SSH-2.0-OpenSSH_9.2\r\n")), Ambiguous),
        row(Reaction::Close(Vec::new()), Ambiguous),
        row(Reaction::CloseWhileReading, Ambiguous),
    ]
}

#[tokio::test]
async fn a_create_is_classed_by_code_and_status_and_sent_once() {
    for Row { answer, class, code, status, retry_after } in rows() {
        let name = match &answer {
            Reaction::Keep(bytes) | Reaction::Close(bytes) | Reaction::Hang(bytes) => {
                String::from_utf8_lossy(bytes).chars().take(160).collect()
            }
            Reaction::CloseAtOnce | Reaction::CloseWhileReading => format!("{answer:?}"),
        };
        let server = Server::start([answer]).await;
        let error = client(&server.base_url()).create(&lock_id()).await.expect_err(&name);
        assert_eq!(error.class, class, "{name}\n{error:?}");
        assert_eq!(error.code.as_deref(), code, "{name}\n{error:?}");
        if status.is_some() {
            assert_eq!(error.status, status, "{name}\n{error:?}");
        }
        // Whatever came of this call: none that follows is worth making.
        let refused = matches!(error.status, Some(401 | 403));
        assert_eq!(error.refuses_credential(), refused, "{name}\n{error:?}");
        assert_eq!(error.retry_after, retry_after.map(Duration::from_secs), "{name}\n{error:?}");
        assert_eq!(server.requests().len(), 1, "{name}\n{:?}", server.requests());
        assert_eq!(server.connections(), 1, "{name}");
    }
}

#[tokio::test]
async fn a_connection_that_closes_at_once_is_not_tried_again() {
    let server = Server::start([Reaction::CloseAtOnce]).await;
    let error = client(&server.base_url()).create(&lock_id()).await.unwrap_err();
    // Nothing arrived, but from here that cannot be told.
    assert_eq!(error.class, Ambiguous, "{error:?}");
    assert_eq!((server.requests().len(), server.connections()), (0, 1));
}

#[tokio::test]
async fn nothing_is_sent_where_nobody_listens() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let error = client(&format!("http://{address}")).create(&lock_id()).await.unwrap_err();
    assert_eq!(error.class, FailureClass::NotSent, "{error:?}");
    assert_eq!((error.status, error.code), (None, None));
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_given_up_and_is_ambiguous() {
    for so_far in
        ["", "HTTP/1.1 201 Created\r\ncontent-length: 50\r\n\r\n{\"orderId\":", "HTTP/1.1 2"]
    {
        let server = Server::start([Reaction::Hang(bytes(so_far))]).await;
        let client = Arc::new(client(&server.base_url()));
        let call = tokio::spawn(async move { client.create(&lock_id()).await });
        server.requested(1).await;
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(31)).await;
        let error = call.await.unwrap().unwrap_err();
        tokio::time::resume();
        assert_eq!(error.class, Ambiguous, "{so_far:?} {error:?}");
        assert_eq!(server.requests().len(), 1, "{so_far:?}");
    }
}

#[tokio::test]
async fn an_order_id_in_any_success_is_taken() {
    for status in ["200 OK", "201 Created", "202 Accepted"] {
        let server = Server::start([Reaction::Keep(http(status, "", ORDER))]).await;
        let order = client(&server.base_url()).create(&lock_id()).await.unwrap();
        assert_eq!(order.as_str(), "663318af-7ea1-4c5a-8545-e433a2d43d5c", "{status}");
    }
}
