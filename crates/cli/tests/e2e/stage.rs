//! An engine and a stand-in provider as processes, and a caller.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::port::free_port;

/// Far longer than any of it takes; a hang is then named, not waited for.
const DEADLINE: Duration = Duration::from_secs(60);

pub(crate) const API_KEY: &str = "e2e-api-key-4711";
pub(crate) const TOKEN: &str = "e2e-webhook-token-4712";

pub(crate) fn orderkeep() -> Command {
    Command::new(env!("CARGO_BIN_EXE_orderkeep"))
}

/// The random half of a fresh id.
fn random() -> u32 {
    uuid::Uuid::new_v4().as_fields().0
}

/// Looks until it is so.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let give_up = Instant::now() + DEADLINE;
    while !is_so() {
        assert!(Instant::now() < give_up, "never: {what}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// A process that does not outlive its test.
#[derive(Debug)]
pub(crate) struct Process(pub(crate) Child);

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

pub(crate) struct Stage {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) url: String,
    pub(crate) control: String,
    pub(crate) http: Http,
    provider: Process,
}

/// One answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// A problem with this status, code, and word of help.
    pub(crate) fn is_problem(&self, status: u16, code: &str, word: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.body["code"], code, "{self:?}");
        let detail = self.body["detail"].as_str().unwrap();
        assert!(detail.contains(word), "`{word}` is not in: {detail}");
    }
}

/// A blocking caller.
pub(crate) struct Http {
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
}

impl Http {
    pub(crate) fn new() -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { runtime, client }
    }

    pub(crate) fn try_send(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> Option<Answer> {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.client.request(method, url).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.runtime.block_on(async {
            let response = request.send().await.ok()?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            let bytes = response.bytes().await.ok()?;
            Some(Answer {
                status,
                headers,
                body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
            })
        })
    }

    pub(crate) fn text(&self, url: &str) -> String {
        let answer = async { self.client.get(url).send().await?.text().await };
        self.runtime.block_on(answer).unwrap()
    }

    pub(crate) fn send(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        self.try_send(method, url, headers, body).expect("an answer")
    }
}

impl Drop for Stage {
    /// Every test is a canary.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            crate::canary::look(self.folder.path());
        }
    }
}

impl Stage {
    /// A provider with these lines more in its `[model]`, and with these faults.
    pub(crate) fn new(model: &str, faults: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port(random()).unwrap();
        let url = format!("http://127.0.0.1:{port}");
        let config = format!(
            "api_key = \"{API_KEY}\"\nwebhook_token = \"{TOKEN}\"\ntime_factor = 10\n\
             webhook_url = \"{url}/webhooks/p100\"\n\n[model]\nsecond_create = \"second_order\"\n\
             lock_ttl_ms = 600000\n{model}\n{faults}\n"
        );
        let path = folder.path().join("provider.toml");
        fs::write(&path, config).unwrap();
        fs::write(folder.path().join("api-key"), API_KEY).unwrap();
        fs::write(folder.path().join("token"), TOKEN).unwrap();
        let mut child = orderkeep()
            .args(["sandbox", "--config"])
            .arg(&path)
            .stdout(Stdio::piped())
            .stderr(fs::File::create(folder.path().join("provider.log")).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let provider = Process(child);
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|_| {
            panic!("{}", fs::read_to_string(folder.path().join("provider.log")).unwrap())
        });
        let control = said["url"].as_str().unwrap().to_owned();
        Self { folder, url, control, http: Http::new(), provider }
    }

    /// From now on nobody listens where the provider was.
    pub(crate) fn provider_dies(&mut self) {
        self.provider.0.kill().unwrap();
        self.provider.0.wait().unwrap();
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The command line of the engine.
    pub(crate) fn serve(&self) -> Command {
        self.serve_from(&self.data())
    }

    /// The command line of the engine over another data folder.
    pub(crate) fn serve_from(&self, data: &std::path::Path) -> Command {
        let mut command = orderkeep();
        command
            .arg("serve")
            .arg("--data")
            .arg(data)
            .args(["--listen", self.url.strip_prefix("http://").unwrap()])
            .args(["--provider-url", &self.control])
            .arg("--api-key-file")
            .arg(self.folder.path().join("api-key"))
            .arg("--webhook-token-file")
            .arg(self.folder.path().join("token"));
        command
    }

    pub(crate) fn start(&self) -> Process {
        self.start_as(self.serve())
    }

    /// Starts a command line of [`Stage::serve`] with something added to it.
    pub(crate) fn start_as(&self, mut command: Command) -> Process {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.path().join("engine.log"))
            .unwrap();
        let engine = Process(command.stderr(log).spawn().unwrap());
        until("the engine answers", || {
            self.http.try_send("GET", &format!("{}/healthz", self.url), &[], "").is_some()
        });
        engine
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.http.send("GET", &format!("{}{path}", self.url), &[], "")
    }

    pub(crate) fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        self.http.send("POST", &format!("{}{path}", self.url), headers, body.to_string())
    }

    pub(crate) fn lock(&self) -> Value {
        let lock = self.post(
            "/v1/locks",
            &[],
            &json!({"amount": "100", "currency": "usdc", "network": "polygon"}),
        );
        assert_eq!(lock.status, 201, "{lock:?}");
        lock.body
    }

    pub(crate) fn submit(&self, key: &str, body: &Value) -> Answer {
        self.post("/v1/orders", &[("idempotency-key", key)], body)
    }

    /// A new order; gives its id.
    pub(crate) fn order(&self, key: &str) -> (String, Value) {
        let lock = self.lock();
        let order = self.submit(key, &json!({ "lockId": lock["lockId"] }));
        assert_eq!(order.status, 202, "{order:?}");
        (order.body["id"].as_str().unwrap().to_owned(), lock)
    }

    pub(crate) fn show(&self, id: &str) -> Value {
        self.get(&format!("/v1/orders/{id}")).body
    }

    pub(crate) fn pay(&self, address: &str) {
        let body = json!({ "address": address }).to_string();
        let paid = self.http.send("POST", &format!("{}/_control/pay", self.control), &[], body);
        assert_eq!(paid.status, 200, "{paid:?}");
    }

    /// Waits for the address, pays, waits for the end.
    pub(crate) fn to_executed(&self, id: &str) {
        until("an address", || self.show(id)["address"].is_string());
        self.pay(self.show(id)["address"].as_str().unwrap());
        until("executed", || self.show(id)["state"] == "Executed");
    }

    pub(crate) fn ledger(&self) -> Value {
        self.http.send("GET", &format!("{}/_control/ledger", self.control), &[], "").body
    }

    /// No secret stands in anything that was logged.
    pub(crate) fn secrets_are_kept(&self) {
        for name in ["engine.log", "provider.log"] {
            let log = fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
            assert!(!log.contains(API_KEY) && !log.contains(TOKEN), "a secret is in {name}");
        }
    }
}
