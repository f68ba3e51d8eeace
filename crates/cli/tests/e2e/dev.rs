//! `dev`: engine and stand-in provider in one process, tried as its own words say.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::stage::{Http, Process, orderkeep, until};

/// A running `dev`, and what it said of itself.
struct Dev {
    process: Process,
    engine: String,
    provider: String,
    data: PathBuf,
    http: Http,
}

impl Dev {
    fn start(args: &[&str]) -> Self {
        let mut child = orderkeep()
            .args(["dev", "--listen", "127.0.0.1:0", "--sandbox-listen", "127.0.0.1:0"])
            .args(["--time-factor", "20"])
            .args(args)
            .env("ORDERKEEP_LOG", "error")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let process = Process(child);
        let (mut engine, mut provider, mut data) = (None, None, None);
        // It says everything at once; the last line is the command to try.
        for line in stderr.lines().map(Result::unwrap) {
            let word = line.split_whitespace().nth(1).unwrap_or_default().to_owned();
            match line.split_whitespace().next() {
                Some("engine") => engine = Some(word),
                Some("provider") => provider = Some(word),
                Some("data") => data = Some(PathBuf::from(word)),
                Some("or:") => break,
                Some(_) | None => {}
            }
        }
        Self {
            process,
            engine: engine.expect("the engine's address"),
            provider: provider.expect("the provider's address"),
            data: data.expect("the data folder"),
            http: Http::new(),
        }
    }

    fn post(&self, base: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Value {
        let answer = self.http.send("POST", &format!("{base}{path}"), headers, body.to_string());
        assert!(answer.status < 300, "{answer:?}");
        answer.body
    }

    fn show(&self, id: &str) -> Value {
        self.http.send("GET", &format!("{}/v1/orders/{id}", self.engine), &[], "").body
    }

    /// The lines that it prints to try, one after the other.
    fn sell(&self) {
        let lock = json!({"amount": "100", "currency": "usdc", "network": "polygon"});
        let lock = self.post(&self.engine, "/v1/locks", &[], &lock);
        let key = [("idempotency-key", "my-first")];
        let body = json!({"lockId": lock["lockId"]});
        let order = self.post(&self.engine, "/v1/orders", &key, &body);
        let id = order["id"].as_str().unwrap();
        until("an address", || self.show(id)["address"].is_string());
        let pay = json!({"address": self.show(id)["address"]});
        self.post(&self.provider, "/_control/pay", &[], &pay);
        until("executed", || self.show(id)["state"] == "Executed");
    }

    fn terminate(mut self) -> Option<i32> {
        let pid = self.process.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.process.0.wait().unwrap().code()
    }
}

fn is_there(path: &Path) -> bool {
    path.try_exists().unwrap()
}

#[test]
fn an_order_sells_by_the_lines_that_dev_prints_and_nothing_is_left() {
    let dev = Dev::start(&[]);
    dev.sell();
    let data = dev.data.clone();
    assert!(is_there(&data));
    assert_eq!(dev.terminate(), Some(0));
    assert!(!is_there(&data), "the temporary folder is removed");
}

#[test]
fn dev_with_a_folder_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let args = ["--data", data.to_str().unwrap()];
    let dev = Dev::start(&args);
    dev.sell();
    drop(dev);
    let dev = Dev::start(&args);
    let orders = dev.http.send("GET", &format!("{}/v1/orders", dev.engine), &[], "").body;
    assert_eq!(orders["items"][0]["state"], "Executed", "{orders}");
}
