//! A partner's service that hears webhooks: keeps what came, and answers as told.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
};

use axum::{Router, body::Bytes, http::HeaderMap, http::StatusCode, routing::post};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio_rustls::TlsAcceptor;

async fn serve_tls(listener: tokio::net::TcpListener, acceptor: TlsAcceptor, router: Router) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, service) = (acceptor.clone(), TowerToHyperService::new(router.clone()));
        tokio::spawn(async move {
            // A caller that does not trust it goes away.
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let http = hyper::server::conn::http1::Builder::new();
            drop(http.serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

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
        Self::speaking(None)
    }

    /// One that speaks TLS, as `localhost`, with the certificate and key in these files.
    pub(crate) fn over_tls(cert: &Path, key: &Path) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let chain = vec![CertificateDer::from_pem_file(cert).unwrap()];
        let key = PrivateKeyDer::from_pem_file(key).unwrap();
        let config = rustls::ServerConfig::builder().with_no_client_auth();
        Self::speaking(Some(config.with_single_cert(chain, key).unwrap()))
    }

    fn speaking(tls: Option<rustls::ServerConfig>) -> Self {
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
        let at = listener.local_addr().unwrap();
        let url = match tls {
            None => {
                runtime.spawn(async move { axum::serve(listener, router).await });
                format!("http://{at}/hook")
            }
            Some(config) => {
                runtime.spawn(serve_tls(listener, TlsAcceptor::from(Arc::new(config)), router));
                format!("https://localhost:{}/hook", at.port())
            }
        };
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
