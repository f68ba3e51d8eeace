//! A partner's webhook endpoint that remembers what it heard and answers by a list.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    routing::post,
};

use crate::wire::until;

#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) authorization: String,
    pub(crate) content_type: String,
    pub(crate) body: String,
}

impl Heard {
    pub(crate) fn status(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        body["status"].as_str().unwrap_or_default().to_owned()
    }
}

#[derive(Default)]
struct Memory {
    heard: Vec<Heard>,
    answers: VecDeque<u16>,
}

#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) addr: SocketAddr,
    memory: Arc<Mutex<Memory>>,
}

impl Receiver {
    /// Listens, and answers by the list first and with 200 after it.
    pub(crate) async fn start(answers: &[u16]) -> Self {
        let memory = Memory { heard: Vec::new(), answers: answers.iter().copied().collect() };
        let memory = Arc::new(Mutex::new(memory));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let router = Router::new().route("/hooks/p100", post(hear)).with_state(Arc::clone(&memory));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { addr, memory }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hooks/p100", self.addr)
    }

    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.memory.lock().unwrap().heard.clone()
    }

    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Heard> {
        until(&format!("{count} webhooks"), async || {
            let heard = self.heard();
            (heard.len() >= count).then_some(heard)
        })
        .await
    }
}

async fn hear(
    State(memory): State<Arc<Mutex<Memory>>>,
    headers: HeaderMap,
    body: String,
) -> StatusCode {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let mut memory = memory.lock().unwrap();
    memory.heard.push(Heard {
        authorization: text(header::AUTHORIZATION).unwrap_or_default(),
        content_type: text(header::CONTENT_TYPE).unwrap_or_default(),
        body,
    });
    let status = memory.answers.pop_front().unwrap_or(200);
    StatusCode::from_u16(status).unwrap()
}
