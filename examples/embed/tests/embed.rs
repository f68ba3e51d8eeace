//! The example, for real: as a process, against the stand-in provider, to an executed order.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic in a test is its report")]

use std::{
    fs,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use orderkeep_sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

/// Far longer than any of it takes; a hang is then named, not waited for.
const DEADLINE: Duration = Duration::from_secs(60);

fn secret(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

async fn start(folder: &Path, provider: &str) -> (Child, String) {
    let mut service = Command::new(env!("CARGO_BIN_EXE_example-embed"))
        .env("PROVIDER_URL", provider)
        .env("API_KEY_FILE", secret(folder, "api-key", "sandbox-api-key"))
        .env("WEBHOOK_TOKEN_FILE", secret(folder, "webhook-token", "sandbox-webhook-token"))
        .env("DATA", folder.join("orders"))
        .env("LISTEN", "127.0.0.1:0")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(service.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
    let url = line.trim().strip_prefix("listening on ").expect(&line).to_owned();
    (service, url)
}

async fn send(request: reqwest::RequestBuilder) -> Value {
    let response = request.send().await.unwrap();
    let status = response.status();
    let body = response.text().await.unwrap();
    assert!(status.is_success(), "{status} {body}");
    serde_json::from_str(&body).unwrap()
}

/// Looks until it is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let give_up = Instant::now() + DEADLINE;
    while !is_so().await {
        assert!(Instant::now() < give_up, "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn an_order_is_carried_to_its_end_through_a_kill() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start(SandboxConfig { time_factor: 10, ..Default::default() }).unwrap();

    let (mut service, url) = start(folder.path(), &sandbox.base_url()).await;
    sandbox.control().set_webhook_url(Some(&format!("{url}/webhooks/p100"))).unwrap();
    let lock = json!({ "amount": "100", "currency": "usdc", "network": "polygon" });
    let lock = send(http.post(format!("{url}/v1/locks")).body(lock.to_string())).await;
    let body = json!({ "lockId": lock["lockId"] }).to_string();
    let submit =
        http.post(format!("{url}/v1/orders")).header("idempotency-key", "cart-17").body(body);
    let order = send(submit).await;
    let id = order["id"].as_str().unwrap().to_owned();

    // The service's own page shows where to pay, as soon as a read has confirmed it.
    let page = format!("{url}/checkout/cart-17");
    let shown = async || http.get(&page).send().await.unwrap().text().await.unwrap();
    until("an address", async || shown().await.starts_with("pay ")).await;
    let address = shown().await.trim().rsplit(' ').next().unwrap().to_owned();

    service.kill().await.unwrap();
    let pay = json!({ "address": address }).to_string();
    send(http.post(format!("{}/_control/pay", sandbox.base_url())).body(pay)).await;

    let (mut service, url) = start(folder.path(), &sandbox.base_url()).await;
    sandbox.control().set_webhook_url(Some(&format!("{url}/webhooks/p100"))).unwrap();
    let state = async || send(http.get(format!("{url}/v1/orders/{id}"))).await["state"].clone();
    until("executed", async || state().await == "Executed").await;

    let ledger = sandbox.control().ledger();
    let orders = &ledger.orders_per_lock[lock["lockId"].as_str().unwrap()];
    assert_eq!(orders.len(), 1);
    assert_eq!(ledger.calls["create"].received, 1);
    assert!(ledger.orders[0].executed);

    // It stops when it is asked to, and says that all is well.
    let pid = service.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    assert!(service.wait().await.unwrap().success());
}
