//! The OpenAPI document is the one that is committed, holds every route, and is served with its page.

use std::path::Path;

use axum::{body::Body, http::Request};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::world::World;

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

#[tokio::test(start_paused = true)]
async fn every_documented_path_and_method_is_routed() {
    let world = World::new().await;
    let document = world.get("/v1/openapi.json").await.body;
    assert_eq!(document["openapi"], "3.1.0");
    let mut seen = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let path = path.replace("{id}", "0190a5a5-0000-7000-8000-000000000000");
            let request = Request::builder().method(method.to_uppercase().as_str()).uri(&path);
            let answer = world.send(request.body(Body::empty()).unwrap()).await;
            let code = answer.body["code"].as_str().unwrap_or_default();
            assert!(!["no_such_path", "no_such_method"].contains(&code), "{method} {path}");
            // What was answered is described.
            let responses = operation["responses"].as_object().unwrap();
            assert!(
                responses.contains_key(&answer.status.to_string()),
                "{method} {path}: {answer:?}"
            );
            seen += 1;
        }
    }
    assert!(seen >= 20, "only {seen} operations");
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
    let page = answer.body["type"].as_str().unwrap();
    assert_eq!(world.get(page).await.status, 200);
    let answer = world.get("/v1/orders?cursor=17").await;
    assert_eq!(
        (&answer.body["parameter"], answer.body.get("pointer")),
        (&Value::from("cursor"), None)
    );
}
