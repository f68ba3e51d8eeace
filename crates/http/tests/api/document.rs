//! The OpenAPI document is the one that is committed, holds every route, and is served with its page.

use std::{collections::BTreeSet, path::Path};

use axum::{body::Body, http::Request};
use tower::ServiceExt as _;

use crate::world::{Answer, World};

/// `UPDATE_DOCS=1` writes it anew.
#[test]
fn the_committed_document_is_the_one_that_is_served() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let text = orderkeep_http::document().to_pretty_json().unwrap() + "\n";
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "docs/openapi.json is not what the code says: run with UPDATE_DOCS=1"
    );
}

/// What people look at in a browser.
const PAGES: [&str; 2] = ["/docs", "/docs/{rest}"];

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"];

/// With something in the place of each parameter.
fn filled(path: &str) -> String {
    path.replace("{id}", "0190a5a5-0000-7000-8000-000000000000")
        .replace("{code}", "busy")
        .replace("{kind}", "kyc")
        .replace("{rest}", "index.html")
}

/// The paths that the router has: it says them only to those who debug it.
fn routed(router: &axum::Router) -> BTreeSet<String> {
    let said = format!("{router:?}");
    let paths = said.split("RouteId(").filter_map(|piece| {
        let (_, path) = piece.split_once("): \"/")?;
        let (path, _) = path.split_once('"')?;
        Some(format!("/{}", path.replace("{*", "{")))
    });
    // The page is also at its path with a slash, and the fallbacks are nobody's.
    paths
        .map(|path| if path == "/docs/" { "/docs".to_owned() } else { path })
        .filter(|path| path != "/" && !path.starts_with("/{__private"))
        .collect()
}

async fn answered(world: &World, method: &str, path: &str) -> Answer {
    let request = Request::builder().method(method).uri(filled(path));
    world.send(request.body(Body::empty()).unwrap()).await
}

/// Both ways: what is described is served, and what is served is described, with every answer that came.
#[tokio::test(start_paused = true)]
async fn the_document_has_every_route_and_no_other() {
    let world = World::with_all_routes().await;
    let document = world.get("/v1/openapi.json").await.body;
    assert_eq!(document["openapi"], "3.1.0");
    let described = document["paths"].as_object().unwrap();
    let mut routed = routed(&world.router);
    for page in PAGES {
        assert!(routed.remove(page), "{page} is in none of: {routed:?}");
    }
    let paths: BTreeSet<String> = described.keys().cloned().collect();
    assert_eq!(routed, paths);
    let mut operations = BTreeSet::new();
    for (path, item) in described {
        for method in METHODS {
            let answer = answered(&world, method, path).await;
            let name = method.to_lowercase();
            let Some(operation) = item.get(&name) else {
                assert_eq!(answer.body["code"], "no_such_method", "{method} {path} is served");
                assert!(answer.headers.contains_key("allow"), "{method} {path}");
                continue;
            };
            let code = answer.body["code"].as_str().unwrap_or_default();
            assert!(!["no_such_path", "no_such_method"].contains(&code), "{method} {path}");
            let responses = operation["responses"].as_object().unwrap();
            let status = answer.status.to_string();
            assert!(responses.contains_key(&status), "{method} {path}: {answer:?}");
            let id = operation["operationId"].as_str().unwrap().to_owned();
            assert!(operations.insert(id), "{method} {path} has another's operationId");
        }
    }
    assert!(operations.len() >= 35, "only {} operations", operations.len());
}

#[tokio::test(start_paused = true)]
async fn the_pages_are_in_the_binary() {
    let world = World::new().await;
    for (path, word) in [
        ("/docs/", "swagger-ui"),
        ("/docs/swagger-ui-bundle.js", "SwaggerUIBundle"),
        ("/docs/swagger-initializer.js", "/v1/openapi.json"),
        ("/docs/errors", "[`key_conflict`](key_conflict.md)"),
        ("/docs/errors/key_conflict", "# `key_conflict`"),
    ] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = world.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains(word), "{path} does not say {word}");
        assert!(!text.contains("cdn."), "{path} asks others");
    }
    world.get("/docs/errors/no_such_code").await.is_problem(404, "no_such_path", "lists");
}

#[tokio::test(start_paused = true)]
async fn a_problem_says_where_and_leads_to_its_page() {
    let world = World::new().await;
    let body = r#"{"terms":{"lockId":"l","payAmount":"1","payCurrency":"usdc","network":"polygon","rate":"x"}}"#;
    let answer = world.submit("k", body).await;
    answer.is_problem(400, "bad_request", "`x`");
    assert_eq!(answer.body["pointer"], "/terms/rate");
    for (body, pointer) in [
        (r#"{"sell":{"amount":"1","currency":"usdc"}}"#, "/sell/network"),
        (r#"{"sell":{"amount":"0","currency":"usdc","network":"polygon"}}"#, "/sell/amount"),
        (r#"{"colour":"red"}"#, "/colour"),
    ] {
        let answer = world.submit("k", body).await;
        answer.is_problem(400, "bad_request", "");
        assert_eq!(answer.body["pointer"], pointer, "{answer:?}");
    }
    let order = world.submit("good", crate::world::terms("l")).await;
    let path = format!("/v1/orders/{}", order.body["id"].as_str().unwrap());
    for (verb, body, pointer) in [
        ("note", r#"{"author":"ann","text":""}"#, "/text"),
        ("note", r#"{"text":"words"}"#, "/author"),
        ("cancel", r#"{"author":"ann","reason":" "}"#, "/reason"),
        ("cancel", r#"{"author":"ann"}"#, "/reason"),
        ("resolve", r#"{"author":"ann","reason":"w","review":"paid"}"#, "/review"),
    ] {
        let answer = world.post(&format!("{path}/{verb}"), body).await;
        answer.is_problem(400, "bad_request", "");
        assert_eq!(answer.body["pointer"], pointer, "{verb} {body}: {answer:?}");
    }
    // The fields' values in a row are no body.
    world.submit("k", r#"["default"]"#).await.is_problem(400, "bad_request", "array");
    let page = answer.body["type"].as_str().unwrap();
    assert_eq!(world.get(page).await.status, 200);
    for (path, parameter) in [
        ("/v1/orders?cursor=17", "cursor"),
        ("/v1/orders?createdAfter=soon", "createdAfter"),
        ("/v1/orders?limit=-1", "limit"),
        ("/v1/orders?colour=red", "colour"),
        ("/v1/orders?state=Paid", "state"),
        ("/v1/report", "day"),
        ("/v1/rates?account=a%20b", "account"),
        ("/v1/orders/17/wait?for=Created", "id"),
        ("/v1/events?after=yesterday", "after"),
    ] {
        let answer = world.get(path).await;
        assert_eq!(answer.status, 400, "{path}: {answer:?}");
        assert_eq!(answer.body["parameter"], parameter, "{path}: {answer:?}");
        assert_eq!(answer.body.get("pointer"), None, "{path}");
    }
    let stream = Request::get("/v1/events").header("accept", "text/event-stream");
    let stream = stream.header("last-event-id", "yesterday").body(Body::empty()).unwrap();
    assert_eq!(world.send(stream).await.body["parameter"], "Last-Event-ID");
}
