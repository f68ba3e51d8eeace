//! A create travels on a connection of its own: no other request's connection can lose it, and no pool can send it
//! again.

use orderkeep_provider::{FailureClass, Provider as _};

use crate::{
    client, lock_id, lock_request,
    server::{Reaction, Server, http},
};

const ORDER: &str = r#"{"orderId":"663318af-7ea1-4c5a-8545-e433a2d43d5c"}"#;

#[tokio::test]
async fn a_create_never_uses_a_connection_again() {
    let keep = |body| Reaction::Keep(http("200 OK", "", body));
    let server =
        Server::start([keep(r#"{"usdc":1}"#), keep(r#"{"usdc":1}"#), keep(ORDER), keep(ORDER)])
            .await;
    let client = client(&server.base_url());
    client.rates().await.unwrap();
    client.rates().await.unwrap();
    assert_eq!(server.connections(), 1, "reads share a connection");
    client.create(&lock_id()).await.unwrap();
    assert_eq!(server.connections(), 2);
    client.create(&lock_id()).await.unwrap();
    assert_eq!(server.connections(), 3);
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn a_server_that_closes_between_requests_gets_a_create_once() {
    let closing = Reaction::Close(http("200 OK", "", r#"{"usdc":1}"#));
    let dropping = Reaction::Close(Vec::new());
    let server = Server::start([closing, dropping]).await;
    let client = client(&server.base_url());
    client.rates().await.unwrap();
    server.closed(1).await;
    let error = client.create(&lock_id()).await.unwrap_err();
    assert_eq!(error.class, FailureClass::Ambiguous);
    let creates =
        server.requests().iter().filter(|r| r.line() == "POST /v1/order HTTP/1.1").count();
    assert_eq!(creates, 1);
}

#[tokio::test]
async fn a_server_that_takes_a_second_request_and_drops_it_gets_a_create_once() {
    let keep = Reaction::Keep(http("201 Created", "", ORDER));
    let server = Server::start([keep, Reaction::Close(Vec::new())]).await;
    let client = client(&server.base_url());
    client.create(&lock_id()).await.unwrap();
    let error = client.create(&lock_id()).await.unwrap_err();
    assert_eq!(error.class, FailureClass::Ambiguous);
    assert_eq!(server.requests().len(), 2, "one for each call");
}

#[tokio::test]
async fn a_lock_is_not_repeated_either() {
    for answer in [
        Reaction::Close(Vec::new()),
        Reaction::Keep(http("503 Service Unavailable", "", "")),
        Reaction::Keep(http("400 Bad Request", "", r#"{"errorCode":"P501"}"#)),
    ] {
        let server = Server::start([answer]).await;
        let error = client(&server.base_url()).lock(lock_request()).await.unwrap_err();
        assert_eq!(error.class, FailureClass::Ambiguous);
        assert_eq!(server.requests().len(), 1);
    }
}
