//! A partner's service that hears webhooks: keeps what came, and answers as told.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
};

use axum::{Router, body::Bytes, http::HeaderMap, http::StatusCode, routing::post};

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
    pub(crate) taken: bool,
}

impl Seen {
    pub(crate) fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}

pub(crate) struct Receiver {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    status: Arc<AtomicU16>,
    _runtime: tokio::runtime::Runtime,
}

impl Receiver {
    pub(crate) fn new() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (seen, status) = (Arc::<Mutex<Vec<Seen>>>::default(), Arc::new(AtomicU16::new(204)));
        let (keeps, says) = (Arc::clone(&seen), Arc::clone(&status));
        let hook = post(move |headers: HeaderMap, body: Bytes| async move {
            let status = StatusCode::from_u16(says.load(Ordering::SeqCst)).unwrap();
            let text = |value: &axum::http::HeaderValue| value.to_str().unwrap().to_owned();
            let headers =
                headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
            let seen = Seen { headers, body: body.to_vec(), taken: status.is_success() };
            keeps.lock().unwrap().push(seen);
            status
        });
        let router = Router::new().route("/hook", hook);
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { url, seen, status, _runtime: runtime }
    }

    /// What it answers from now on.
    pub(crate) fn says(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn taken(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| seen.taken).collect()
    }
}
