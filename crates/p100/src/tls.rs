//! TLS, built for this client alone: ring and the platform's roots, with nothing installed for the process.

use std::sync::Arc;

use rustls::{
    ClientConfig, RootCertStore,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, pem::PemObject as _},
};
use rustls_platform_verifier::Verifier;

use crate::config::ConfigError;

/// For `https`: the platform's roots and what `extra_roots_pem` adds to them.
pub(crate) fn platform_roots(extra_roots_pem: Option<&str>) -> Result<ClientConfig, ConfigError> {
    let provider = Arc::new(ring::default_provider());
    let extra = match extra_roots_pem {
        None => Vec::new(),
        Some(pem) => certificates(pem)?,
    };
    let verifier = Verifier::new_with_extra_roots(extra, Arc::clone(&provider))
        .map_err(|e| ConfigError::Tls(e.to_string()))?;
    Ok(builder(provider)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

/// For `http` to this machine: trusts nobody, so that it also works where no roots are installed.
pub(crate) fn no_roots() -> Result<ClientConfig, ConfigError> {
    Ok(builder(Arc::new(ring::default_provider()))?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth())
}

fn builder(
    provider: Arc<CryptoProvider>,
) -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, ConfigError> {
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| ConfigError::Tls(e.to_string()))
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|e| ConfigError::Tls(format!("the extra roots are not PEM: {e}")))?;
    if found.is_empty() {
        return Err(ConfigError::Tls("the extra roots hold no certificate".to_owned()));
    }
    Ok(found)
}
