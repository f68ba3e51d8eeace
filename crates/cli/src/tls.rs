//! Own TLS: a certificate and its key from files, read anew when they change or on SIGHUP.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use tokio::signal::unix::{SignalKind, signal};
use tokio_rustls::TlsAcceptor;

use crate::exit::Failure;

/// How soon a renewed certificate is used.
const LOOK: Duration = Duration::from_secs(1);

/// What a new connection is spoken to with. Connections that are open keep what they began with.
#[derive(Debug, Clone)]
pub(crate) struct Tls(Arc<Mutex<Arc<ServerConfig>>>);

impl Tls {
    /// Reads both files, and follows them from then on.
    pub(crate) fn follow(cert: &Path, key: &Path) -> Result<Self, Failure> {
        // Before they are read: what changes meanwhile is read once more.
        let seen = stamps(cert, key);
        let tls = Self(Arc::new(Mutex::new(read(cert, key)?)));
        tokio::spawn(tls.clone().renew(cert.to_owned(), key.to_owned(), seen));
        Ok(tls)
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    async fn renew(self, cert: PathBuf, key: PathBuf, mut seen: Stamps) {
        let mut asked = signal(SignalKind::hangup()).ok();
        loop {
            let hangup = async {
                match &mut asked {
                    Some(asked) => drop(asked.recv().await),
                    None => std::future::pending().await,
                }
            };
            let anyway = tokio::select! {
                () = hangup => true,
                () = tokio::time::sleep(LOOK) => false,
            };
            let now = stamps(&cert, &key);
            if now == seen && !anyway {
                continue;
            }
            match read(&cert, &key) {
                Ok(config) => {
                    *self.0.lock().unwrap_or_else(PoisonError::into_inner) = config;
                    tracing::info!(cert = %cert.display(), "the certificate was read anew");
                }
                // The second file of a pair may come a moment later; then both have changed again.
                Err(failure) => tracing::error!(?failure, "the certificate stays as it was"),
            }
            seen = now;
        }
    }
}

type Stamps = [Option<SystemTime>; 2];

fn stamps(cert: &Path, key: &Path) -> Stamps {
    [cert, key].map(|path| std::fs::metadata(path).and_then(|meta| meta.modified()).ok())
}

/// A certificate with its chain, and the key that belongs to it.
pub(crate) fn read(cert: &Path, key: &Path) -> Result<Arc<ServerConfig>, Failure> {
    let wrong = |path: &Path, why: &dyn std::fmt::Display| {
        Failure::config(format_args!("{}: {why}", path.display()))
    };
    let chain: Vec<_> = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect)
        .map_err(|error| wrong(cert, &error))?;
    if chain.is_empty() {
        return Err(wrong(cert, &"no certificate is in it; it must be a PEM file"));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key, &error))?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(|error| wrong(cert, &format_args!("with {}: {error}", key.display())))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
